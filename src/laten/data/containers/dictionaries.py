"""Dictionaries of columns and lists of dictionaries as frames, and back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from laten.common.errors import DataError
from laten.data.containers.arrow import as_arrow, of_arrow


def is_columns(data: Any) -> bool:
    """Say whether this is a dictionary of columns: whatever each holds has one axis."""
    return isinstance(data, Mapping) and bool(data) and all(map(is_column, data.values()))


def is_column(values: Any) -> bool:
    """Say whether something has one axis, of cells."""
    if isinstance(values, list | tuple):
        return not values or np.ndim(values[0]) == 0
    shape = getattr(values, "shape", None)
    return (shape is not None and len(shape) == 1) or isinstance(values, pa.Array | pa.ChunkedArray)


def of_columns(data: Mapping[Any, Any]) -> tuple[pd.DataFrame, str]:
    """Return a dictionary of lists, arrays or Series as a frame, and what each column was.

    Raises:
        DataError: a value that is no column, other lengths, Series of other row labels.
    """
    bad = [name for name, values in data.items() if not is_column(values)]
    if bad:
        raise DataError(
            f"column {bad[0]!r}: expected a list, an array of one axis or a Series, got {data[bad[0]]!r:.60}"
        )
    sizes = {name: len(values) for name, values in data.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"the columns have different lengths: {sizes}")
    labels = [values.index for values in data.values() if isinstance(values, pd.Series)]
    if any(not index.equals(labels[0]) for index in labels):
        raise DataError("the Series have different row labels; call reset_index(drop=True) on each, or make one frame")
    found = {name: of_column(values) for name, values in data.items()}
    index = labels[0] if labels else pd.RangeIndex(next(iter(sizes.values()), 0))
    frame = pd.DataFrame({name: series.set_axis(index) for name, (series, _) in found.items()}, index=index)
    return frame, json.dumps({str(name): library for name, (_, library) in found.items()})


def of_column(values: Any) -> tuple[pd.Series, str]:
    """Return a column as a Series, and what it came in: a list, an array, or a Series of pandas or another library."""
    if isinstance(values, pd.Series):
        return values, "pandas"
    if isinstance(values, list | tuple):
        return of_cells(list(values)), "list"
    library = "pyarrow"
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        found: Any = nw.from_native(values, pass_through=True, allow_series=True)
        if not isinstance(found, nw.Series):
            return pd.Series(values), "array"
        library, values = found.implementation.value, found.to_arrow()
    return of_arrow(pa.table({"x": values}))[0]["x"], library


def of_cells(cells: list[Any]) -> pd.Series:
    """Return Python objects as a Series; whole numbers and truth values stay what they are where some are missing."""
    series = pd.Series(cells)
    if series.dtype.kind in "fO" and series.isna().any():
        found = pd.array(cells)
        if pd.api.types.is_integer_dtype(found.dtype) or pd.api.types.is_bool_dtype(found.dtype):
            return pd.Series(found)
    return series


def as_list(series: pd.Series) -> list[Any]:
    """Return cells as Python objects, None where empty."""
    cells: list[Any] = series.astype(object).where(series.notna(), None).tolist()
    return cells


def as_columns(frame: pd.DataFrame, types: str) -> dict[Any, Any]:
    """Return a frame as a dictionary of columns, each in what it came in; a new one as the first."""
    had = json.loads(types) if types else {}
    first = next(iter(had.values()), "list")
    made: dict[Any, Any] = {}
    for name in frame.columns:
        library, series = had.get(str(name), first), frame[name]
        if library in ("list", "pandas"):
            made[name] = as_list(series) if library == "list" else series
        elif library == "array":
            made[name] = series.to_numpy()
        else:
            table: Any = nw.from_arrow(as_arrow(series.to_frame("x"), ""), backend=library)
            made[name] = table["x"].to_native()
    return made


def of_records(data: Sequence[Mapping[Any, Any]]) -> pd.DataFrame:
    """Return a list of dictionaries as a frame; what one lacks is an empty cell."""
    names = list(dict.fromkeys(name for row in data for name in row))
    return pd.DataFrame({name: of_cells([row.get(name) for row in data]) for name in names})


def as_records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return a frame as a list of dictionaries."""
    columns = [as_list(frame[name]) for name in frame.columns]
    return [dict(zip(frame.columns, cells, strict=True)) for cells in zip(*columns, strict=True)]
