"""Arrow tables as frames of Arrow's types, and back; other libraries' tables through Arrow, by narwhals."""

import base64
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from laten.common.errors import DataError


def of_arrow(table: pa.Table) -> tuple[pd.DataFrame, str]:
    """Return a frame of Arrow's types, and the table's schema as text; NaN counts as empty, as in pandas."""
    types = base64.b64encode(table.schema.serialize().to_pybytes()).decode()
    for i, name in enumerate(table.column_names):
        table = table.set_column(i, name, plain_column(table.column(i)))
    return table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True), types


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in which empty cells are null, in a type that pandas computes with."""
    kind = column.type
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    return column.cast(pa.float64()) if pa.types.is_null(kind) else column  # what is all empty has no type of its own


def as_arrow(frame: pd.DataFrame, types: str) -> pa.Table:
    """Return a frame as an Arrow table; columns that the schema of `types` has get its types."""
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    if not types:
        return table
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(types)))
    had = {f.name: f for f in schema if not pa.types.is_null(f.type)}
    fields = [had.get(f.name, f) for f in table.schema]
    return table.cast(pa.schema(fields, schema.metadata if table.column_names == schema.names else None))


def as_native(frame: pd.DataFrame, kind: str, types: str) -> Any:
    """Return a frame as a table of a library, lazy where `.lazy` stands behind its name.

    Raises:
        DataError: the library is not installed.
    """
    library, _, lazy = kind.partition(".")
    eager: Any = "pyarrow" if lazy and library != "polars" else library
    try:
        found: Any = nw.from_arrow(as_arrow(frame, types), backend=eager)
        return found.lazy(backend=library).to_native() if lazy else found.to_native()
    except ModuleNotFoundError as error:
        raise DataError(f"the answer is a table of {library}, which is not installed: pip install {library}") from error
