"""Durations: cells of timedelta64 of any unit, Arrow durations and Python timedeltas, to seconds and back.

A duration is a number of seconds. Where all that were seen are whole days, hours, minutes or seconds, so are those that
come back (`Seen.step`); the dtype and its unit are those of the frame.
"""

from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.column import Column
from laten.data.columns.dtypes import dtype_of
from laten.data.messages import shown, where

STEPS = (86_400.0, 3600.0, 60.0, 1.0)  # a day, an hour, a minute, a second
_MOST = 9.2e18  # of a unit that 64 bits hold
_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def seconds(series: pd.Series, name: object, form: str) -> np.ndarray:
    """Return durations as `(rows,)` float64 seconds, NaN where missing; text, as a CSV file has them, is read.

    Raises:
        DataError: cells that are no durations.
    """
    present = series.notna().to_numpy()
    if not present.any():
        return np.full(len(series), np.nan)
    spans = series
    if form == "text":
        spans = _written(series)
    elif form == "duration" and series.dtype == object:
        spans = pd.to_timedelta(series)
    bad = present & (spans.isna().to_numpy() if form in ("text", "duration") else True)
    if bad.any():
        raise DataError(
            f"column {name!r}: expected durations, got {series.dtype} cells: {where(bad)}: "
            f"{shown(series[bad].head(20))}; write them as '2 days 03:30:00', or convert the column: "
            "pd.to_timedelta(...), with its unit if they are numbers"
        )
    if isinstance(spans.dtype, pd.ArrowDtype):
        unit = spans.dtype.pyarrow_dtype.unit
        found = spans.to_numpy(dtype=f"timedelta64[{unit}]", na_value=np.timedelta64("NaT"))
    else:
        found = spans.to_numpy()
    return found / np.timedelta64(1, "s")


def _written(series: pd.Series) -> pd.Series:
    """Return text as durations, NaT where it is none; a bare number has no unit and is none."""
    cells = series.astype(object)
    return pd.to_timedelta(cells, errors="coerce").where(pd.to_numeric(cells, errors="coerce").isna())


def step_of(x: np.ndarray) -> float | None:
    """Return the longest of `STEPS` that all `x`, seconds without NaN, are multiples of; None when there is none."""
    return next((step for step in STEPS if np.all(np.mod(x, step) == 0)), None)


def restore_durations(column: Column, x: np.ndarray, index: pd.Index, dtype: Any = None) -> pd.Series:
    """Turn seconds `(rows,)` back into durations of the original dtype and unit (or `dtype`, where given)."""
    x, step = np.asarray(x, np.float64), column.seen.step
    if column.low >= 0:
        x = np.maximum(x, 0.0)
    if step is not None:
        x = np.round(x / step) * step
    dtype = dtype_of(column.dtype) if dtype is None else dtype
    plain = isinstance(dtype, np.dtype) and dtype.kind == "O"
    unit = "us" if plain else next((u for u in _UNITS if f"[{u}]" in str(dtype)), "ns")
    whole = np.clip(np.round(x * _UNITS[unit]), -_MOST, _MOST).astype(np.int64)
    spans = pd.Series(whole.astype(f"timedelta64[{unit}]"), index=index)
    if plain:
        return pd.Series(pd.TimedeltaIndex(spans).to_pytimedelta(), index=index, dtype=object)
    return spans.astype(dtype)
