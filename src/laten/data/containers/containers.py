r"""Any container of rows made plain, and the way back: same library, same types, same order of columns.

    container --taken--> frame or array ... frame --Taken.rows--> the same kind of container

pandas frames and NumPy arrays pass as they are. All that Arrow can hold (Polars, Arrow itself, and what else narwhals
knows) goes through Arrow tables, whose types pandas keeps. A `Container` stands in the model file, so that samples come
in what was fitted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from laten.common.errors import DataError
from laten.data.containers.arrow import as_arrow, as_native, of_arrow
from laten.data.containers.dictionaries import as_columns, as_list, as_records, of_columns, of_records
from laten.data.containers.structured import as_structured, of_structured
from laten.data.records import Record

MOST_BYTES = 2**31  # of a sparse table when it is full


class Container(Record, frozen=True):
    """A kind of container.

    Args:
        kind: `pandas`, `array`, `columns` (a dictionary), `records` (a list of dictionaries), `structured`, `sparse`,
            `anndata`, `batch` (of Arrow), or a library's name as narwhals has it, `.lazy` behind it where it is lazy.
        types: What the way back needs to know of the columns' types, as text.
    """

    kind: str = "pandas"
    types: str = ""


PANDAS, ARRAY = Container(), Container("array")


@dataclass(frozen=True)
class Taken:
    """Data as laten reads them, and what they came in.

    Args:
        data: A frame, an array, or a dictionary of arrays by node.
        container: What they came in.
        given: The user's object, where the way back needs it.
        names: Fitted name -> the user's own, where columns were taken by position.
    """

    data: Any
    container: Container = PANDAS
    given: Any = field(default=None, repr=False)
    names: Mapping[Any, Any] = field(default_factory=dict)

    def rows(self, frame: Any) -> Any:
        """Return rows of the table in what the data came in; arrays as they are."""
        if not isinstance(frame, pd.DataFrame):
            return frame
        return back(self.container, frame.rename(columns=self.names) if self.names else frame, self.given)

    def answer(self, frame: pd.DataFrame) -> Any:
        """Return numbers about rows in the same library; of AnnData a frame, of sparse matrices an array."""
        kind = {"anndata": "pandas", "sparse": "array"}.get(self.container.kind, self.container.kind)
        return back(Container(kind), frame)

    def column(self, series: pd.Series) -> Any:
        """Return one column of the table as a column of the same library."""
        kind, types = self.container.kind, self.container.types
        name = self.names.get(series.name, series.name)
        if kind in ("pandas", "anndata"):
            return series.rename(name)
        if kind in ("array", "sparse"):
            return series.to_numpy()
        if kind == "records":
            return as_list(series)
        found = back(Container(kind.removesuffix(".lazy"), types), series.to_frame(name))
        return found.column(0) if isinstance(found, pa.Table | pa.RecordBatch) else found[name]


def taken(data: Any) -> Taken:
    """Return any container of rows as a frame or an array; a dictionary passes as it is, see `taken_table`.

    Raises:
        DataError: rows of different lengths, or a sparse matrix too large to be filled.
    """
    if hasattr(data, "tocsr"):  # one kind of sparse matrix is also a dictionary
        refuse_large(data.shape)
        return Taken(data.toarray(), Container("sparse"), data)
    if isinstance(data, pd.DataFrame | Mapping):
        return Taken(data)
    if isinstance(data, np.ndarray):
        return Taken(data, ARRAY) if data.dtype.names is None else plain("structured", *of_structured(data))
    if isinstance(data, list | tuple):
        if data and all(isinstance(row, Mapping) for row in data):
            return plain("records", of_records(data))
        refuse_ragged(data)
        return Taken(data, ARRAY)
    if hasattr(data, "to_df") and type(data).__module__.partition(".")[0] == "anndata":
        refuse_large(data.shape)
        return Taken(data.to_df(), Container("anndata"), data)
    if isinstance(data, pa.RecordBatch):
        return plain("batch", *of_arrow(pa.Table.from_batches([data])))
    found = nw.from_native(data, pass_through=True)
    if isinstance(found, nw.LazyFrame):
        return plain(f"{found.implementation.value}.lazy", *of_arrow(found.collect().to_arrow()))
    if isinstance(found, nw.DataFrame):
        return plain(found.implementation.value, *of_arrow(found.to_arrow()))
    if hasattr(data, "__arrow_c_stream__"):
        return plain("pyarrow", *of_arrow(pa.table(data)))
    return Taken(data, ARRAY)


def taken_table(data: Any) -> Taken:
    """Return any container of a table as a frame or an array, a dictionary of columns among them.

    Raises:
        DataError: as `taken`; a value that is no column, other lengths, Series of other row labels.
    """
    found = taken(data)
    return plain("columns", *of_columns(found.data)) if isinstance(found.data, Mapping) else found


def as_table(data: Any) -> pd.DataFrame:
    """Return any container of a table as a frame; the columns of a matrix are called 0, 1, ....

    Raises:
        DataError: as `taken_table`, or no table.
    """
    found = taken_table(data).data
    return found if isinstance(found, pd.DataFrame) else as_frame(found)


def as_frame(data: Any) -> pd.DataFrame:
    """Return a two-dimensional array as a frame whose columns are called 0, 1, ...; its objects by column.

    Raises:
        DataError: another number of dimensions, or complex numbers.
    """
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        data = np.where(np.ma.getmaskarray(data), np.nan, np.ma.getdata(data))
    array = np.asarray(data)
    if array.ndim != 2:
        raise DataError(
            f"expected a table with two dimensions (rows, columns), got an array of shape {array.shape}. "
            "Reshape your data: X.reshape(-1, 1) makes one column"
        )
    if array.shape[1] == 0:
        raise DataError(f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "c":
            raise DataError("Complex data not supported: take real and imaginary parts as columns")
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):  # text, or cells of several types
            return pd.DataFrame(array).infer_objects()
    return pd.DataFrame(array)


def plain(kind: str, frame: pd.DataFrame, types: str = "") -> Taken:
    """Return a frame with what it came in."""
    return Taken(frame, Container(kind, types))


def back(container: Container, frame: pd.DataFrame, given: Any = None) -> Any:
    """Return a frame in a kind of container.

    Args:
        given: The object that the frame came from, if there is one: of sparse matrices and AnnData it is needed.
    Raises:
        DataError: the library is not installed.
    """
    kind, types = container.kind, container.types
    ways: dict[str, Callable[[], Any]] = {
        "pandas": lambda: frame,
        "array": lambda: as_array(frame),
        "sparse": lambda: type(given)(as_array(frame)),
        "columns": lambda: as_columns(frame, types),
        "records": lambda: as_records(frame),
        "structured": lambda: as_structured(frame, types),
        "anndata": lambda: as_anndata(frame, given),
        "batch": lambda: as_arrow(frame, types).combine_chunks().to_batches()[0],
        "pyarrow": lambda: as_arrow(frame, types),
    }
    return ways[kind]() if kind in ways else as_native(frame, kind, types)


def as_array(frame: pd.DataFrame) -> np.ndarray:
    """Return a frame as a matrix."""
    array: np.ndarray = frame.to_numpy()
    numbers = all(pd.api.types.is_numeric_dtype(t) or pd.api.types.is_bool_dtype(t) for t in frame.dtypes)
    return array.astype(np.float64) if array.dtype == object and numbers else array


def as_anndata(frame: pd.DataFrame, given: Any) -> Any:
    """Return a frame as AnnData: a copy of what was given, with other values, where it has the same columns."""
    from anndata import AnnData

    if given is None or list(given.var_names) != list(frame.columns) or given.n_obs != len(frame):
        return AnnData(frame.set_axis(frame.index.astype(str)))
    made = given.copy()
    made.X = as_array(frame)
    return made


def refuse_large(shape: tuple[int, ...]) -> None:
    """Check that a matrix that may be sparse has room when it is full, 8 bytes a cell."""
    size = 8 * float(np.prod(np.array(shape, np.float64)))
    if size > MOST_BYTES:
        raise DataError(
            f"a sparse matrix of shape {tuple(shape)} takes {size / 1e9:.0f} GB when it is full; laten fills those up "
            f"to {MOST_BYTES / 1e9:.0f} GB: choose columns, or rows"
        )


def refuse_ragged(data: Any) -> None:
    """Check that all rows of a list have as many cells."""
    sizes = [len(row) if hasattr(row, "__len__") and not isinstance(row, str | bytes) else None for row in data]
    odd = [i for i, size in enumerate(sizes) if size != sizes[0]]
    if odd:
        first, other = ("one number" if n is None else f"{n} cells" for n in (sizes[0], sizes[odd[0]]))
        raise DataError(
            f"rows of different lengths: row 0 has {first}, row {odd[0]} has {other}; give each row the same columns, "
            "with None or NaN where a cell is empty"
        )
