"""Numbers and classes of one column back to cells of a frame, on whole arrays.

A cell comes back in a dtype that can hold it, as the data were written: numbers with the digits that were seen, dates
in their style and zone, durations in whole days, hours, minutes or seconds where all that were seen are (`Seen.step`).
"""

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.column import Column
from laten.data.columns.dtypes import DECIMAL, OF, categories, dtype_of, dtype_text, is_text, zone_of
from laten.data.records import Plain, is_plain, plain_of
from laten.data.text.written import write_as

_MOST = 9.2e18  # of a unit that 64 bits hold
_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def like_dtype(column: Column, like: pd.DataFrame | None) -> Any:
    """Return the dtype of `like`'s column; the fitted one when it is lacking, or empty and so of no certain type."""
    if like is not None and column.name in like.columns:
        series = like[column.name]
        written = column.notation is not None and column.seen.form not in ("text", "class")
        if written and series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) == "string":
            return pd.StringDtype(na_value=np.nan)  # text of what is no text
        if series.notna().any() or dtype_text(series) == column.dtype:
            return series.dtype
    return dtype_of(column.dtype)


def constant(column: Column, index: pd.Index, dtype: Any) -> pd.Series:
    """Build a column that holds its one value throughout."""
    if column.seen.form in ("date", "duration"):
        return restore(column, np.full(len(index), column.low), index, dtype)
    return restore_classes(column, np.zeros(len(index)), index, dtype)


def restore(column: Column, x: np.ndarray, index: pd.Index, dtype: Any) -> pd.Series:
    """Turn numbers `(rows,)` in the column's own scale back into cells."""
    if is_text(dtype) and column.notation is not None and column.seen.form != "text":
        made = restore(column, x, index, dtype_of(column.dtype))
        return pd.Series(write_as(made, column.notation), index=index).astype(dtype)
    forms = {"date": restore_dates, "duration": restore_durations}
    return forms.get(column.seen.form, restore_numbers)(column, np.asarray(x, np.float64), index, dtype)


def restore_classes(column: Column, at: np.ndarray, index: pd.Index, dtype: Any) -> pd.Series:
    """Turn positions in `column.levels` `(rows,)` back into cells of a dtype."""
    levels = column.levels or ()
    at = np.clip(np.asarray(at).astype(np.int64), 0, len(levels) - 1)
    if isinstance(dtype, pd.CategoricalDtype):
        if dtype.categories is None:  # the fitted one
            names = categories(_categories(column), column.dtype)
            dtype = pd.CategoricalDtype(names, ordered=column.dtype.endswith("ordered"))
        dtype, at = _places(column, dtype, at)
        return pd.Series(pd.Categorical.from_codes(at, dtype=dtype), index=index)
    objects = isinstance(dtype, np.dtype) and dtype.kind == "O"
    if isinstance(dtype, pd.IntervalDtype) or (objects and column.dtype.startswith("interval")):
        kind = column.dtype if objects else dtype
        return pd.Series(categories(levels, f"{OF}{kind}").take(at), index=index).astype(dtype)
    cells = np.empty(len(levels), dtype="O")
    cells[:] = levels
    if is_text(dtype) and column.notation is not None:
        cells[:] = write_as(pd.Series(cells), column.notation)
    if column.dtype.endswith(DECIMAL) and isinstance(dtype, np.dtype) and dtype.kind == "O":
        cells[:] = [decimal.Decimal(str(v)) for v in levels]
    if "decimal" in str(dtype):
        cells = cells.astype(np.float64)  # Arrow makes no decimals of floats as Python objects
    return pd.Series(cells[at], index=index).astype(dtype)


def _categories(column: Column) -> tuple[Plain, ...]:
    """Return the categories of a fitted column: its levels, and in their places those that no row had."""
    levels, values = column.levels or (), column.seen.values or ()
    kept = set(levels)
    if tuple(v for v in values if v in kept) == levels:
        return values
    return (*levels, *(v for v in values if v not in kept))


def _places(column: Column, dtype: pd.CategoricalDtype, at: np.ndarray) -> tuple[pd.CategoricalDtype, np.ndarray]:
    """Turn positions in `column.levels` into positions among the categories of a dtype; add those that lack."""
    levels, present = column.levels or (), [plain_of(c) for c in dtype.categories]
    lost = [v for v in (levels[i] for i in np.unique(at)) if v not in set(present)]
    if lost and not all(is_plain(c) or isinstance(c, np.generic) for c in dtype.categories):
        raise DataError(
            f"column {column.name!r}: its category dtype lacks the level {lost[0]!r}; "
            f"add it: frame[{column.name!r}].cat.add_categories([{lost[0]!r}])"
        )
    if lost:
        rank = {v: i for i, v in enumerate(levels)}
        there = [rank[v] for v in present if v in rank]
        names = [*present, *lost]
        if there == sorted(there):  # they stand in the fitted order
            names = [*(v for v in levels if v in set(names)), *(v for v in present if v not in rank)]
        dtype = pd.CategoricalDtype(names, ordered=dtype.ordered)
    place = {plain_of(c): i for i, c in enumerate(dtype.categories)}
    return dtype, np.array([place.get(v, -1) for v in levels])[at]


def restore_numbers(column: Column, x: np.ndarray, index: pd.Index, dtype: Any) -> pd.Series:
    """Turn numbers `(rows,)` back into cells of a dtype, rounded to the digits that were seen."""
    digits = column.seen.digits if column.seen.decimals is None else column.seen.decimals
    whole = pd.api.types.is_integer_dtype(dtype)
    if digits is not None or whole:
        x = np.round(x, 0 if whole or digits is None else digits)
    if column.kind == "positive" and column.low > 0:
        x = np.maximum(x, 10.0**-digits if digits is not None else np.finfo(np.float32).tiny)
    if column.kind == "count" or (column.kind == "positive" and column.low >= 0):
        x = np.maximum(x, 0.0)
    x = np.clip(x, *column.bounds)
    if whole:
        name = str(dtype).lower().removesuffix("[pyarrow]")
        bounds = np.iinfo(name if name in ("int8", "int16", "int32", "uint8", "uint16", "uint32") else "int64")
        low = 0 if name.startswith("u") else bounds.min
        x = np.clip(x, float(low), np.nextafter(float(bounds.max), 0) if bounds.max > 2**53 else float(bounds.max))
        return pd.Series(x.astype(np.int64), index=index).astype(dtype)
    if column.dtype.endswith(DECIMAL) and isinstance(dtype, np.dtype) and dtype.kind == "O":
        texts = [repr(v) if digits is None else f"{v:.{digits}f}" for v in x.tolist()]
        return pd.Series([decimal.Decimal(t) for t in texts], index=index, dtype=object)
    if digits == 0 and dtype.kind == "O" and isinstance(dtype, np.dtype):
        x = x.astype(np.int64)
    return pd.Series(x, index=index).astype(dtype)


def restore_dates(column: Column, x: np.ndarray, index: pd.Index, dtype: Any) -> pd.Series:
    """Turn days since 1970-01-01 `(rows,)` back into dates of a dtype, its unit and zone, or into text."""
    codec, style = column.date, column.date.style
    x = np.clip(x, -719_162, 2_932_896)  # years 1 .. 9999
    micro = np.round((np.round(x) if codec.whole else x) * 86_400_000_000).astype(np.int64)
    stamps = pd.Series(micro.astype("datetime64[us]"), index=index)
    home = zone_of(dtype_of(column.dtype))
    if home is not None and zone_of(dtype) is None and not codec.whole:  # by the clock of the column
        stamps = stamps.dt.tz_localize("UTC").dt.tz_convert(home).dt.tz_localize(None)
    if "%" not in style and is_text(dtype):  # dates that came as text go back as text
        style = "%Y-%m-%d" if codec.whole else "%Y-%m-%d %H:%M:%S"
    if "%" in style:
        return stamps.dt.strftime(style).astype(dtype)
    if style == "date":
        return pd.Series(stamps.dt.date.to_numpy(object), index=index, dtype=object)
    if isinstance(dtype, pd.PeriodDtype):
        return stamps.dt.to_period(dtype.freq)
    zone = zone_of(dtype)
    if zone is not None:
        if codec.whole:
            zoned = stamps.dt.tz_localize(zone, ambiguous=np.ones(len(x), bool), nonexistent="shift_forward")
        else:
            zoned = stamps.dt.tz_localize("UTC").dt.tz_convert(zone)
        return zoned.astype(dtype)
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        return pd.Series(np.array(stamps.dt.to_pydatetime(), object), index=index, dtype=object)
    if "ns" in str(dtype):
        stamps = stamps.clip(datetime.datetime(1678, 1, 1), datetime.datetime(2262, 1, 1))
    return stamps.astype(dtype)


def restore_durations(column: Column, x: np.ndarray, index: pd.Index, dtype: Any) -> pd.Series:
    """Turn seconds `(rows,)` back into durations of a dtype and its unit."""
    step = column.seen.step
    if column.low >= 0:
        x = np.maximum(x, 0.0)
    if step is not None:
        x = np.round(x / step) * step
    plain = isinstance(dtype, np.dtype) and dtype.kind == "O"
    unit = "us" if plain else next((u for u in _UNITS if f"[{u}]" in str(dtype)), "ns")
    whole = np.clip(np.round(x * _UNITS[unit]), -_MOST, _MOST).astype(np.int64)
    spans = pd.Series(whole.astype(f"timedelta64[{unit}]"), index=index)
    if plain:
        return pd.Series(pd.TimedeltaIndex(spans).to_pytimedelta(), index=index, dtype=object)
    return spans.astype(dtype)
