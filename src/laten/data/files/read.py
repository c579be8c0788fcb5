"""Reading data: a path, or the name of an embedded set, to a frame, an array or a dict of arrays.

| what | gives |
|---|---|
| `.csv`, `.tsv`, `.txt` | DataFrame; what was assumed of it: `laten.assumed(frame)` |
| `.json`, `.jsonl`, `.xlsx` (`file.xlsx::sheet`), `.sqlite` (`file.sqlite::table`) | DataFrame |
| `.parquet`, `.feather`, `.arrow` | DataFrame |
| a folder of Parquet, Arrow or text tables of the same columns, or a pattern (`folder/*.parquet`) | DataFrame |
| `.npy`, IDX (`…-ubyte`, `.idx`) | array |
| `.npz` | dict of arrays |
| `.h5ad`, a `.zarr` folder of AnnData | dict with the counts `x`, a sparse matrix (`laten.read_cells` reads more) |
| any of these in `.gz`, `.xz`, `.bz2`, `.zst`, `.zip` (`file.zip::member`) | what is packed |
| `-` | standard input: a text table, JSON, Parquet, Arrow, also packed |
| a folder of PNG or JPEG images | uint8 array `(images, height, width)`, colours last when there are any |
| `digits`, `wine`, `breast_cancer`, `clinic` | see `laten.data.datasets.embedded` |

Nothing that is read can run code (no pickles), and whatever is wrong with a file is a `DataError` naming it.
"""

import csv
import sqlite3
import struct
import tokenize
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from laten.common.bounded_reading import door, read_file
from laten.common.errors import DataError, known
from laten.data.datasets.embedded import DATASETS, load
from laten.data.files.arrays import read_idx, read_images, read_npy, read_npz
from laten.data.files.open_parts import open_parts, several, together
from laten.data.files.options import Missing, Options, checked
from laten.data.files.single_cells import FILES as CELLS
from laten.data.files.single_cells import read_cells
from laten.data.files.text_table import open_text
from laten.data.files.typed_tables import READERS
from laten.data.files.unpack import ARCHIVES, PACKED, standard_input, unpack
from laten.data.messages import did_you_mean
from laten.data.schema.notations import notations_of
from laten.data.schema.schema import Schema
from laten.data.text.notation import Assumed, Notation

Data: TypeAlias = "pd.DataFrame | np.ndarray | dict[str, np.ndarray]"

TEXT = (".csv", ".tsv", ".txt")
_ARRAYS: dict[str, Callable[[bytes, str], np.ndarray | dict[str, np.ndarray]]] = {
    ".npy": read_npy, ".npz": read_npz, ".idx": read_idx,
}  # fmt: skip
_DAMAGE = (
    AttributeError, csv.Error, EOFError, LookupError, MemoryError, OSError, OverflowError, RuntimeError, SyntaxError,
    SystemError, TypeError, ValueError, sqlite3.Error, struct.error, tokenize.TokenError, *ARCHIVES,
)  # fmt: skip
_STARTS = {b"PAR1": ".parquet", b"ARROW1": ".feather", b"SQLite format 3": ".sqlite", b"PK\x03\x04": ".xlsx"}


def read(
    source: str | Path,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    dayfirst: bool | None = None,
    missing: Missing = None,
    header: bool | Sequence[str] | None = None,
    drop: str | Sequence[str] = (),
    id: str | Sequence[str] | None = None,
    like: Any = None,
) -> Data:
    """Read a file, a folder of images, standard input, or an embedded data set.

    What a text table leaves open is assumed, column by column, from all of its cells; `laten.assumed(frame)` says what,
    and each option below says it instead.

    Args:
        source: A path; `file.zip::member`, `file.xlsx::sheet`, `file.sqlite::table`; `-` for standard input; or one of
            `laten.data.datasets.embedded.DATASETS` when no such path exists.
        sep: The character between the cells of a row, or `tab`, `space`.
        encoding: The text's, such as `cp1252`.
        decimal: The decimal mark, `.` or `,`.
        thousands: The mark between thousands; empty: none.
        dayfirst: Whether 03/04/2024 is the third of April.
        missing: Further codes for missing, or a dict from column to its codes. An empty list: only empty cells are.
        header: Whether the first row has the names; or a list of names.
        drop: Columns to leave out.
        id: Columns that name rows: they stay text and are not modelled.
        like: A fitted model, a schema, or what was assumed of an earlier file: columns of the same names are read as
            there, not decided anew. What an option says of this file goes before.
    Returns:
        A frame, an array, or a dict of arrays, by what the file holds.
    Raises:
        DataError: no such file, an unknown extension, an empty, truncated or damaged file, rows of different lengths, a
            cell that does not fit its column, or an option that is not possible.
    """
    return read_with_texts(
        source, sep=sep, encoding=encoding, decimal=decimal, thousands=thousands, dayfirst=dayfirst, missing=missing,
        header=header, drop=drop, id=id, like=like,
    )[0]  # fmt: skip


def read_with_texts(source: str | Path, *, like: Any = None, **told: Any) -> tuple[Data, pa.Table | None]:
    """Read as `read` does.

    Returns:
        The data; and of a text table its cells as they are written, column by column.
    """
    options = checked(_notations(like), **told)
    if str(source) == "-":
        data, texts = _decoded(standard_input(), "-", None, options)
        return _named(data, like), texts
    if several(str(source)):
        parts = open_parts(source, like=dict(options.like), **told)
        assert parts is not None
        data, texts = together(parts)
        return _named(_checked(str(source), data), like), texts
    path, part = _place(str(source))
    try:
        there, folder = path.exists(), path.is_dir()
    except (OSError, ValueError):
        raise DataError(f"{str(source)!r:.100} is not a usable path") from None
    if not there:
        if str(source) in DATASETS:
            return load(str(source)), None
        raise _no_such(path)
    if path.suffix in CELLS:
        return {"x": read_cells(path).arrays["x"]}, None
    if folder:
        return read_images(path, _DAMAGE), None
    _reader_of(_bare(path.name), str(path))
    try:
        raw = read_file(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    data, texts = _decoded(raw, str(path), part, options)
    return _named(data, like), texts


def _schema(like: Any) -> Schema | None:
    """Return the schema of a fitted model or a schema itself; None for what was assumed of a file."""
    if like is None or isinstance(like, Assumed):
        return None
    schema = getattr(like, "schema_", like)
    if not isinstance(schema, Schema):
        raise DataError(f"like={like!r:.60} is not possible; give a fitted model, a schema, or lt.assumed(frame)")
    return schema


def _notations(like: Any) -> dict[str, Notation]:
    schema = _schema(like)
    if schema is not None:
        return notations_of(schema)
    return like.columns if isinstance(like, Assumed) else {}


def _named(data: Data, like: Any) -> Data:
    """Return a frame whose columns are called by whole numbers where those of the schema are."""
    schema = _schema(like)
    if schema is None or not isinstance(data, pd.DataFrame):
        return data
    return data.rename(columns={str(n): n for n in schema.names if not isinstance(n, str) and n not in data.columns})


def _place(source: str) -> tuple[Path, str | None]:
    """Split `file.sqlite::table` into the file and the part; a path that exists is whole."""
    path, sep, part = source.rpartition("::")
    try:
        whole = not sep or Path(source).exists()
    except (OSError, ValueError):
        whole = True
    return (Path(source), None) if whole else (Path(path), part)


def _no_such(path: Path) -> DataError:
    parent = path.parent
    if not parent.is_dir():
        return DataError(f"{path}: no such file, nor the folder {str(parent)!r}")
    names = [p.name for p in parent.iterdir()][:5000] + list(DATASETS)
    return DataError(f"{path}: no such file{did_you_mean(path.name, names)}; embedded sets: {known(DATASETS)}")


def _bare(name: str) -> str:
    """Return the lower-case extension without that of a packing; IDX files, which often have none, give `.idx`."""
    name = name.lower()
    for packing in PACKED:
        name = name.removesuffix(packing)
    if name.endswith(("-ubyte", ".ubyte")):
        return ".idx"
    return Path(name).suffix


def _reader_of(extension: str, source: str) -> None:
    """Refuse an extension that cannot be read."""
    names = (*TEXT, *READERS, *_ARRAYS, *CELLS)
    if extension not in names and not source.lower().endswith(".zip"):
        raise DataError(
            f"{source}: do not know how to read {extension or 'a file without extension'}; known: {known(names, 30)}, "
            f"these packed ({', '.join(PACKED)}), or a folder of images"
        )


def _decoded(raw: bytes, name: str, part: str | None, options: Options) -> tuple[Data, pa.Table | None]:
    """Read the bytes of a file."""
    if not raw:
        raise DataError(f"{name}: the file is empty (0 bytes)")
    extension = _bare(name)
    with door(f"{name}: cannot be read as {extension}: {{}}; is it damaged or cut off?", *_DAMAGE):
        raw, inner = unpack(raw, name, part)
        if name == "-":
            extension = next((e for start, e in _STARTS.items() if raw.startswith(start)), ".csv")
            extension = ".json" if raw.lstrip()[:1] in (b"{", b"[") else extension
        else:
            extension = _bare(inner)
        _reader_of(extension, inner)
        if not raw:
            raise DataError(f"{name}: the file in it is empty (0 bytes)")
        if extension in _ARRAYS:
            return _ARRAYS[extension](raw, name), None
        if extension in READERS:
            part = None if name.lower().endswith(".zip") else part
            return _checked(name, READERS[extension](raw, name, options, part)), None
        frame, texts = open_text(raw, inner if extension == ".tsv" else name, options).frame(options)
    return _checked(name, frame), texts


def _checked(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    if len(frame) == 0:
        raise DataError(f"{name}: the table has columns {known(map(str, frame.columns))} but no rows")
    if not frame.columns.is_unique:
        raise DataError(f"{name}: two columns of one name: {known(frame.columns[frame.columns.duplicated()])}")
    return frame
