"""The data of users, going in or coming out, seen as images or as a table."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from laten.data.columns.cells import Cells
from laten.data.columns.column import NUMBERS
from laten.data.columns.encode import numbers_of
from laten.data.rows.table_view import TableView

ROWS = 5000  # a cloud of more points shows nothing new
FEW = 12  # whole numbers of so few values are classes to the eye


def as_images(data: Any) -> np.ndarray | None:
    """Return images `(n, height, width)` or `(n, height, width, 3)` where `data` are images, else None.

    Of a dictionary the first array of images counts. Rows of uint8 whose length is a square are images laid flat.
    """
    if isinstance(data, Mapping):
        return next((found for found in map(as_images, data.values()) if found is not None), None)
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "buif":
        return None
    if data.ndim == 4 and data.shape[-1] in (1, 3):
        return data[..., 0] if data.shape[-1] == 1 else data
    if data.ndim == 2 and data.dtype == np.uint8:
        side = math.isqrt(data.shape[1])
        return data.reshape(-1, side, side) if side**2 == data.shape[1] >= 64 else None
    return data if data.ndim == 3 else None


def shown_rows(rows: int, seed: int = 0, most: int = ROWS) -> np.ndarray:
    """Return the numbers of the rows that a map shows: all, or 5000 (`most`) by chance."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def unit(images: np.ndarray) -> np.ndarray:
    """Scale images to floats in [0, 1], one scale for all; NaN stays."""
    x = images.astype(np.float32)
    low, high = (float(f(x[np.isfinite(x)], initial=0.0)) for f in (np.min, np.max))
    if images.dtype == np.uint8 and high > 1:
        high = 255.0
    return np.clip((x - low) / (max(high, 1.0) - low), 0.0, 1.0)


def as_frame(data: Any) -> pd.DataFrame:
    """Make a table with text for column names; arrays in a dictionary become columns `name` or `name[i]`."""
    if isinstance(data, pd.DataFrame):
        return data.set_axis([str(c) for c in data.columns], axis=1)
    arrays = {"": data} if not isinstance(data, Mapping) else data
    columns = {}
    for name, x in arrays.items():
        array = np.asarray(x)
        if array.ndim == 1:
            columns[name or "0"] = array
        elif array.ndim > 1:
            flat = array.reshape(len(array), -1)
            columns |= {f"{name}[{i}]" if name else str(i): flat[:, i] for i in range(flat.shape[1])}
    return pd.DataFrame(columns)


def as_table(data: Any, view: Any) -> pd.DataFrame:
    """Make a table in which text that the model reads as dates, durations or numbers is that.

    Args:
        data: As `as_frame` takes it.
        view: The model's.
    """
    frame = as_frame(data)
    for column in view.schema.columns if isinstance(view, TableView) else ():
        name = str(column.name)
        if name not in frame or column.kind not in NUMBERS or frame[name].dtype.kind in "iufMm":
            continue
        x = numbers_of(column, Cells(name, frame[name]))
        if column.kind in ("date", "duration"):
            unit = 86_400 if column.kind == "date" else 1
            x = np.round(np.where(np.isnan(x), 0, x) * unit).astype(f"{'M' if unit > 1 else 'm'}8[s]")
            x[frame[name].isna().to_numpy()] = np.array("NaT", x.dtype)
        frame = frame.assign(**{name: x})
    return frame


def n_rows(data: Any) -> int:
    """Count the rows."""
    data = next(iter(data.values())) if isinstance(data, Mapping) else data
    return data.shape[0] if issparse(data) else len(data)


def take(data: Any, index: np.ndarray) -> Any:
    """Return some rows, in the same kind of container."""
    if isinstance(data, Mapping):
        return {name: take(x, index) for name, x in data.items()}
    if issparse(data):
        return data.tocsr()[index]
    return data.iloc[index] if isinstance(data, pd.DataFrame) else np.asarray(data)[index]


def is_class(column: pd.Series, few: int = 0) -> bool:
    """Say whether a column holds classes: labels, truth values, or at most `few` different whole numbers."""
    kind = column.dtype
    if pd.api.types.is_datetime64_any_dtype(kind) or kind.kind == "m":
        return False
    if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        return True
    seen = pd.unique(column.dropna())
    return len(seen) <= few and bool(np.all(np.asarray(seen, float) % 1 == 0))


def as_numbers(column: pd.Series) -> np.ndarray:
    """Read numbers as floats, dates as days since 1970-01-01, durations as seconds, NaN where missing."""
    if column.dtype.kind == "m":
        return column.dt.total_seconds().to_numpy(float, na_value=np.nan)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        past = column - pd.Timestamp("1970-01-01", tz=column.dt.tz)
        return past.dt.total_seconds().to_numpy(float) / 86400
    return column.to_numpy(float, na_value=np.nan)


def is_date(column: pd.Series) -> bool:
    """Say whether a column holds dates."""
    return bool(pd.api.types.is_datetime64_any_dtype(column.dtype))


def as_labels(column: pd.Series) -> pd.Series:
    """Write classes as text: `2.0` and `2` are both "2"; missing stays missing."""

    def text(value: Any) -> str:
        return f"{value:g}" if isinstance(value, float | np.floating) else str(value)

    return column.astype(object).map(text, na_action="ignore")


def levels(column: pd.Series) -> list[str]:
    """Sort labels: as declared, by size for numbers, else the most frequent first."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(as_labels(pd.Series(column.cat.categories)))
    if pd.api.types.is_numeric_dtype(column.dtype):
        return list(as_labels(pd.Series(np.sort(pd.unique(column.dropna())))))
    return list(as_labels(column).value_counts().index)
