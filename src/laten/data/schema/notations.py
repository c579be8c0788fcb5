"""How the cells of each column are written: kept with the schema, and used to read and write later rows.

record of a reading --with_notation--> Column.notation; Schema --notations_of--> column -> Notation
"""

import numpy as np
import pandas as pd

from laten.data.columns.cells import Cells
from laten.data.columns.column import Column
from laten.data.columns.dtypes import dtype_of
from laten.data.records import replace
from laten.data.schema.schema import Schema
from laten.data.text.notation import Assumed, Notation

_FORMS = {
    "number": ("number",), "bool": ("bool", "text"), "time": ("duration",), "duration": ("duration",),
    "text": ("text", "class"), "date": ("date",), "month": ("date",), "quarter": ("date",),
}  # fmt: skip
_DIGITS = 12  # more are the rounding of a float


def with_notation(column: Column, record: Assumed | None, cells: Cells) -> Column:
    """Return a column that keeps how its cells are written.

    Args:
        record: Of the reading of its frame; None: it was not read from text.
        cells: Where they were changed since they were read, the notation is no longer theirs.
    """
    notation = None if record is None else record.columns.get(str(column.name))
    if notation is None or column.seen.form not in _FORMS[notation.form]:
        return column
    if notation.form == "number" and notation.style != "%g" and notation.digits <= _DIGITS:
        x = cells.numbers[~np.isnan(cells.numbers)]
        if (np.abs(x - np.round(x, notation.digits)) > 1e-9 * np.maximum(1, np.abs(x))).any():
            return column
    return replace(column, notation=notation)


def notations_of(schema: Schema) -> dict[str, Notation]:
    """Return by which notation later text of each column is read; what is not known of it is open."""
    found = {str(c.name): _notation_of(c) for c in schema.columns}
    return {name: notation for name, notation in found.items() if notation is not None}


def _notation_of(column: Column) -> Notation | None:
    form, own = column.seen.form, column.notation
    if own is not None and own.form != "text":
        return own
    levels = column.levels or ()
    labels = tuple(v for v in levels if isinstance(v, str))
    if form in ("text", "class") and len(labels) < len(levels):
        plain = all(isinstance(v, int | float) and not isinstance(v, bool) for v in levels)
        return Notation("number", decimal="") if plain else None
    if form in ("text", "class"):
        bare = bool(labels) and all(v == v.strip() for v in labels)
        return replace(own or Notation("text"), words=labels, strip=bare or (own is not None and own.strip))
    if form == "bool":
        return Notation("bool", words=("False", "True"))
    if form == "date":
        dtype = dtype_of(column.dtype)
        unit = dtype.freq.name.partition("-")[0] if isinstance(dtype, pd.PeriodDtype) else ""
        return Notation({"M": "month", "ME": "month", "Q": "quarter", "QE": "quarter"}.get(unit, "date"))
    return {"number": Notation("number", decimal=""), "duration": Notation("duration")}.get(form)
