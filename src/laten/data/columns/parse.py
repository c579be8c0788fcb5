"""Cells of a pandas column to numbers and back, on whole arrays.

    frame column --numbers / days / codes--> float64 or int64 array --restore--> column of the same dtype

A cell is missing when pandas says so (NaN, None, NaT, pd.NA). Errors name the column, the rows (counted from 0) and the
values that do not fit.
"""

import datetime
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.ambiguous import refuse_zones
from laten.data.columns.column import Column
from laten.data.columns.dtypes import dtype_of, is_text, is_text_dictionary, zone_of
from laten.data.messages import shown, where
from laten.data.records import Plain, is_plain

_NUMBER_TYPES = ("integer", "floating", "mixed-integer-float", "decimal")
_ISO = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?"


def form_of(series: pd.Series) -> str:
    """Say what the cells are: bool, number, date, duration, text, class (a pandas category) or other."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "class"
    if pd.api.types.is_bool_dtype(dtype):
        return "bool"
    if pd.api.types.is_complex_dtype(dtype):
        return "other"
    if dtype.kind == "m":  # numpy's and Arrow's
        return "duration"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return "date"
    if is_text_dictionary(dtype):
        return "text"
    inferred = pd.api.types.infer_dtype(series, skipna=True)
    if inferred in _NUMBER_TYPES:
        return "number"
    if inferred in ("date", "datetime", "datetime64"):
        return "date"
    forms = {"string": "text", "boolean": "bool", "mixed-integer": "text", "mixed": "text", "empty": "text"}
    forms |= {"timedelta": "duration", "timedelta64": "duration"}
    form = forms.get(inferred, "other")
    if inferred == "mixed" and not all(map(is_plain, series.dropna())):
        return "other"
    return form


def plain(value: object) -> Plain:
    """Return a level as plain JSON: numbers and booleans stay (whole floats become int), anything else its text."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def numbers(series: pd.Series, name: object, form: str) -> np.ndarray:
    """Return cells of a form as `(rows,)` float64, NaN where missing.

    Raises:
        DataError: text, dates or categories where numbers are expected; infinities.
    """
    present = series.notna().to_numpy()
    if not present.any():
        return np.full(len(series), np.nan)
    if form == "class" and pd.api.types.is_numeric_dtype(series.cat.categories.dtype):
        series, form = series.astype(series.cat.categories.dtype if present.all() else float), "number"
    if form not in ("number", "bool"):
        _refuse_numbers(series, name, present)
    x = series.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.isinf(x)
    if bad.any():
        raise DataError(
            f"column {name!r}: {where(bad)} hold{'s' if bad.sum() == 1 else ''} an infinity; put a finite number or an "
            "empty cell there, e.g. frame.replace([numpy.inf, -numpy.inf], numpy.nan)"
        )
    return x


def _refuse_numbers(series: pd.Series, name: object, present: np.ndarray) -> None:
    found = pd.to_numeric(series.astype(object), errors="coerce").isna().to_numpy() & present
    first = found if found.any() else present
    raise DataError(
        f"column {name!r}: expected numbers, got {series.dtype} cells: {where(first)}: "
        f"{shown(series[first].head(20))}; "
        f"convert it, e.g. frame[{name!r}] = pd.to_numeric(frame[{name!r}], errors='coerce') empties what is no number"
    )


def days(series: pd.Series, name: object, form: str, style: str, whole: bool) -> np.ndarray:
    """Return dates as `(rows,)` float64 days since 1970-01-01, NaN where missing; in the column's zone when `whole`.

    Dates of a frame come back as text from a CSV file: ISO text without a zone is read.

    Raises:
        DataError: cells that are no dates of that style.
    """
    present = series.notna().to_numpy()
    if not present.any():
        return np.full(len(series), np.nan)
    written = style if "%" in style else "2024-12-31 12:30:00"
    if form == "text" and "%" in style:
        stamps = pd.to_datetime(series.astype(object), format=style, errors="coerce")
    elif form == "text":
        iso = series.astype("str").str.fullmatch(_ISO).to_numpy(bool) & present
        stamps = pd.to_datetime(series.astype(object).where(iso), format="ISO8601", errors="coerce")
    elif form != "date":
        stamps = pd.Series(pd.NaT, index=series.index, dtype="datetime64[us]")
    elif isinstance(series.dtype, pd.PeriodDtype):
        stamps = series.dt.to_timestamp()
    elif isinstance(series.dtype, pd.ArrowDtype) and str(series.dtype).startswith("date"):
        stamps = series.astype("datetime64[s]")  # Arrow dates without time
    elif series.dtype == object:
        refuse_zones(series, name)
        stamps = pd.to_datetime(series)
    else:
        stamps = series
    bad = present & stamps.isna().to_numpy()
    if bad.any():
        raise DataError(
            f"column {name!r}: expected dates, got {series.dtype} cells: {where(bad)}: {shown(series[bad].head(20))}; "
            f"write them as {written}, or convert the column: pd.to_datetime(...)"
        )
    if stamps.dt.tz is not None:
        stamps = stamps.dt.tz_localize(None) if whole else stamps.dt.tz_convert("UTC").dt.tz_localize(None)
    since = stamps.to_numpy() - np.datetime64(0, "s")
    return since / np.timedelta64(1, "D")


def restore_classes(column: Column, at: np.ndarray, index: pd.Index, dtype: Any = None) -> pd.Series:
    """Turn positions in `column.levels` `(rows,)` back into cells of the original dtype (or `dtype`, where given)."""
    levels = column.levels or ()
    at = np.clip(np.asarray(at).astype(np.int64), 0, len(levels) - 1)
    if isinstance(dtype, pd.CategoricalDtype):
        place = {plain(c): i for i, c in enumerate(dtype.categories)}
        return pd.Series(pd.Categorical.from_codes(_places(column, place, at), dtype=dtype), index=index)
    if dtype is None and column.dtype.startswith("category"):
        made = pd.CategoricalDtype(pd.Index(list(levels)), ordered=column.dtype.endswith("ordered"))
        return pd.Series(pd.Categorical.from_codes(at, dtype=made), index=index)
    dtype = dtype_of(column.dtype) if dtype is None else dtype
    cells = np.empty(len(levels), dtype="O")
    cells[:] = levels
    if "decimal" in str(dtype):
        cells = cells.astype(np.float64)  # Arrow makes no decimals of floats as Python objects
    return pd.Series(cells[at], index=index).astype(dtype)


def _places(column: Column, place: dict[Plain, int], at: np.ndarray) -> np.ndarray:
    levels = column.levels or ()
    lost = [v for v in (levels[i] for i in np.unique(at)) if v not in place]
    if lost:
        raise DataError(
            f"column {column.name!r}: its category dtype lacks the level {lost[0]!r}; "
            f"add it: frame[{column.name!r}].cat.add_categories([{lost[0]!r}])"
        )
    return np.array([place.get(v, -1) for v in levels])[at]


def restore_numbers(column: Column, x: np.ndarray, index: pd.Index, dtype: Any = None) -> pd.Series:
    """Turn numbers `(rows,)` back into cells of the original dtype, rounded to the digits that were seen."""
    x = np.asarray(x, np.float64)
    digits = column.seen.decimals
    dtype = dtype_of(column.dtype) if dtype is None else dtype
    whole = pd.api.types.is_integer_dtype(dtype)
    if digits is not None or whole:
        x = np.round(x, 0 if whole or digits is None else digits)
    if column.kind == "positive" and column.low > 0:
        x = np.maximum(x, 10.0**-digits if digits is not None else np.finfo(np.float32).tiny)
    if column.kind == "count" or (column.kind == "positive" and column.low >= 0):
        x = np.maximum(x, 0.0)
    if whole:
        name = str(dtype).lower().removesuffix("[pyarrow]")
        bounds = np.iinfo(name if name in ("int8", "int16", "int32", "uint8", "uint16", "uint32") else "int64")
        low = 0 if name.startswith("u") else bounds.min
        x = np.clip(x, float(low), np.nextafter(float(bounds.max), 0) if bounds.max > 2**53 else float(bounds.max))
        return pd.Series(x.astype(np.int64), index=index).astype(dtype)
    cells = pd.Series(x, index=index)
    if digits == 0 and dtype.kind == "O" and isinstance(dtype, np.dtype):
        return pd.Series(x.astype(np.int64), index=index).astype(object)
    return cells.astype(dtype)


def restore_dates(column: Column, x: np.ndarray, index: pd.Index, dtype: Any = None) -> pd.Series:
    """Turn days since 1970-01-01 `(rows,)` back into dates of the original dtype, unit and zone, or into text."""
    codec = column.date
    x = np.clip(np.asarray(x, np.float64), -719_162, 2_932_896)  # years 1 .. 9999
    micro = np.round((np.round(x) if codec.whole else x) * 86_400_000_000).astype(np.int64)
    stamps = pd.Series(micro.astype("datetime64[us]"), index=index)
    dtype, style = dtype_of(column.dtype) if dtype is None else dtype, codec.style
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
    low, high = (datetime.datetime(1678, 1, 1), datetime.datetime(2262, 1, 1))
    return (stamps.clip(low, high) if "ns" in str(dtype) else stamps).astype(dtype)
