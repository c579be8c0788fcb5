"""Words for errors about data: which rows, which name was meant; and tables and durations as text."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, harmless, known


def where(bad: Any, limit: int = 5) -> str:
    """Name the rows of `bad`, `(rows, …)`, that hold a True: `row 3` (counted from 0), `rows 0, 1, … (12 in all)`."""
    rows = np.unique(np.nonzero(np.atleast_1d(bad))[0])
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


def text_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in columns of equal width, with a line below its head."""
    cells = [[harmless(cell) for cell in row] for row in (head, *rows)]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])


def span(seconds: float) -> str:
    """Write a duration as text that pandas reads: `0 days 01:30:00`; in seconds where it is too long, 285 years."""
    return str(pd.Timedelta(seconds=seconds)) if abs(seconds) < 9e9 else f"{seconds:.6g} s"
