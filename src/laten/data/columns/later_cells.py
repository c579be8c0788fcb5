"""Cells of later rows as those that were fitted: text is read by the column's notation, times by its clock.

Cells --as_fitted(column)--> Cells
"""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from laten.common.errors import DataError
from laten.data.columns.ambiguous import refuse_zones
from laten.data.columns.cells import ISO, Cells
from laten.data.columns.column import Column
from laten.data.columns.dtypes import dtype_of, zone_of
from laten.data.messages import where
from laten.data.records import replace
from laten.data.text.column import ColumnText, Told
from laten.data.text.notation import Notation
from laten.data.text.stored import read_as

_OFFSET = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|UTC|[+-]\d\d:?\d\d)"


def as_fitted(column: Column, cells: Cells) -> Cells:
    """Return cells whose text is read as the column's was, and whose times are of its zone.

    Times without a zone are by the clock of the column's zone.

    Raises:
        DataError: text that is not written so, or times with a zone where the column has none.
    """
    if cells.form == "text" and column.notation is not None and column.seen.form not in ("text", "class"):
        cells = as_noted(cells, column.notation)
    return _at_home(column, cells) if column.seen.form == "date" else cells


def as_noted(cells: Cells, notation: Notation) -> Cells:
    """Return cells of text read by a notation; others as they are.

    Raises:
        DataError: text that is not written so, with its rows.
    """
    series = cells.series.astype(object)
    if pd.api.types.infer_dtype(series, skipna=True) != "string":
        return cells
    texts = pa.array([v if isinstance(v, str) else None for v in series], pa.string())

    def rows(at: np.ndarray) -> str:
        bad = np.zeros(len(series), bool)
        bad[at] = True
        return where(bad)

    notation, way = replace(notation, missing=()), "correct the cells, or make them empty"
    found = read_as(ColumnText(str(cells.name), texts, ()), notation, rows, Told(missing=()), way).series
    blank = found.isna().to_numpy() & series.notna().to_numpy()
    if blank.any():
        raise DataError(f"column {cells.name!r}: {where(blank)} hold only blanks; {way}")
    return Cells(cells.name, found.set_axis(series.index))


def _at_home(column: Column, cells: Cells) -> Cells:
    """Return dates in the column's own zone."""
    home, whole = zone_of(dtype_of(column.dtype)), column.date.whole
    if cells.zone == (None if home is None else str(home)) and (cells.form == "date" or home is None):
        return cells
    series = _stamped(cells)
    if series is None:
        return cells
    zone = zone_of(series.dtype)
    if zone is not None and home is None:
        first = series.dropna().iloc[0]
        raise DataError(
            f"column {column.name!r} has no time zone, but {first} ({where(series.notna().to_numpy())}) does; write "
            "times by the clock of the column, without a zone"
        )
    if zone is None and home is not None and not whole:
        naive = series.dt.to_timestamp() if isinstance(series.dtype, pd.PeriodDtype) else series
        naive = naive.astype("datetime64[us]")
        series = naive.dt.tz_localize(home, ambiguous=np.ones(len(naive), bool), nonexistent="shift_forward")
    elif zone is not None and whole and str(zone) != str(home):
        series = series.dt.tz_convert(home)
    return cells if series is cells.series else Cells(cells.name, series)


def _stamped(cells: Cells) -> Any:
    """Return cells as times; None where there are none, or where `Cells.days` refuses them."""
    series = cells.series
    if cells.form == "date" and series.dtype != object:
        return series
    present = series.dropna()
    if cells.form == "date":
        if not len(present) or pd.api.types.infer_dtype(series, skipna=True) == "date":
            return None
        refuse_zones(series, cells.name)
        return pd.to_datetime(series)
    if cells.form != "text" or not len(present):
        return None
    texts = present.astype(str)
    zoned = bool(texts.str.fullmatch(_OFFSET).all())
    if not zoned and not texts.str.fullmatch(ISO).all():
        return None
    return pd.to_datetime(series.astype(object), utc=zoned, format="ISO8601")
