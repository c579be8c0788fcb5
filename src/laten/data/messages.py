"""Words for errors about data: which rows, which name was meant, and whether a frame is one at all."""

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known


def where(bad: Any, limit: int = 5) -> str:
    """Name the rows at which `bad` is True, counted from 0: `row 3`, `rows 3, 17, 20`, `rows 0, 1, … (12 in all)`."""
    rows = np.flatnonzero(bad)
    head = ", ".join(str(r) for r in rows[:limit])
    return f"row{'s' if len(rows) > 1 else ''} {head}" + (f", … ({len(rows)} in all)" if len(rows) > limit else "")


def shown(values: Iterable[object], limit: int = 5) -> str:
    """List the first distinct `values` for an error message."""
    distinct = list(dict.fromkeys(repr(v) for v in values))
    return ", ".join(distinct[:limit]) + (", …" if len(distinct) > limit else "")


def did_you_mean(name: object, names: Iterable[object]) -> str:
    """Say `; did you mean 'age'?` when one of `names` is close to `name`, else nothing."""
    by_text = {str(n): n for n in names}
    close = difflib.get_close_matches(str(name), list(by_text), n=1)
    return f"; did you mean {by_text[close[0]]!r}?" if close else ""


def unknown(what: str, name: object, names: Iterable[object]) -> DataError:
    """Build the error for a `what` (column, node, …) called `name` that is none of `names`."""
    names = list(names)
    return DataError(f"there is no {what} {name!r}{did_you_mean(name, names)}; known: {known(names)}")


def check_frame(frame: object, rows: int = 1) -> pd.DataFrame:
    """Return `frame` if it is a frame of at least `rows` rows whose columns have one plain name each.

    Raises:
        DataError: not a frame, too few rows, no column, two columns of one name, or a name that is no text or number.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"expected a pandas DataFrame, got {type(frame).__name__}; "
            "make one with pd.DataFrame(...), or give arrays as a dict {node: array}"
        )
    if frame.shape[1] == 0:
        raise DataError("the frame has no columns; give at least one")
    if not frame.columns.is_unique:
        twice = list(dict.fromkeys(frame.columns[frame.columns.duplicated()]))
        raise DataError(f"two columns of one name: {known(twice)}; rename or drop one of each")
    for name in frame.columns:
        if isinstance(name, bool) or not isinstance(name, str | int | np.integer):
            raise DataError(
                f"column name {name!r} is a {type(name).__name__}; names must be text or whole numbers, "
                "e.g. frame.columns = [str(c) for c in frame.columns]"
            )
    if len(frame) < rows:
        way = "give at least one row" if rows == 1 else f"nothing can be learned from fewer than {rows}"
        raise DataError(
            f"the frame has {len(frame)} row{'s' if len(frame) != 1 else ''} (n_samples={len(frame)}); {way}"
        )
    return frame


def refuse_empty(frame: pd.DataFrame) -> None:
    """Refuse columns without any value.

    Raises:
        DataError: there are some.
    """
    empty = [name for name in frame.columns if not frame[name].notna().any()]
    if empty:
        raise DataError(
            f"no value at all in column{'s' if len(empty) > 1 else ''} {known(empty)}: all {len(frame)} rows are empty "
            f"and nothing can be learned; drop it: frame.drop(columns={known(empty)})"
        )


def span(seconds: float) -> str:
    """Write a duration as text that pandas reads: `0 days 01:30:00`; in seconds where it is too long, 285 years."""
    return str(pd.Timedelta(seconds=seconds)) if abs(seconds) < 9e9 else f"{seconds:.6g} s"
