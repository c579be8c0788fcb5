"""A frame that can be read: one plain name a column, enough rows, some value."""

from collections.abc import Collection, Hashable

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known


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


def refuse_empty(frame: pd.DataFrame, needed: Collection[Hashable] = ()) -> None:
    """Refuse `needed` columns without any value, and a frame of nothing else; others may be empty and are set aside."""
    empty = [name for name in frame.columns if not frame[name].notna().any()]
    bad = empty if len(empty) == frame.shape[1] else [name for name in empty if name in needed]
    if bad:
        raise DataError(
            f"no value at all in column{'s' if len(bad) > 1 else ''} {known(bad)}: all {len(frame)} rows are empty "
            f"and nothing can be learned; drop it: frame.drop(columns={known(bad)})"
        )
