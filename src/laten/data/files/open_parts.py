"""Tables opened to be read in parts, and whether that is needed.

a file, a folder of files, or a pattern --open_parts--> Parts; files that are not alike are refused by name
"""

import glob
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from laten.common.bounded_reading import FLOOR, LIFTED_BY, check_regular, door, size
from laten.common.errors import DataError, known
from laten.data.files.arrays import IMAGES
from laten.data.files.in_parts import DAMAGE, PART, Parts, arrow_reader, batches
from laten.data.files.options import Options, check_names, checked
from laten.data.files.text_in_parts import TextFile, open_file
from laten.data.files.typed_tables import CELL, COLUMNS
from laten.data.messages import did_you_mean
from laten.data.text.notation import Notation

FORMATS = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"), **dict.fromkeys((".feather", ".arrow", ".ipc"), "arrow"),
    **dict.fromkeys((".csv", ".tsv", ".txt"), "text"),
}  # fmt: skip
PACKED = (".gz", ".bz2", ".zst")  # that text may be in
PATTERN = "*?["
PROGRAMS, A_CELL = 700 * 2**20, 16  # bytes that Python and its libraries take, and a cell beside those of the frame
A_BYTE, A_PACKED_BYTE = 30, 150  # bytes of memory, at most, that one of a text file takes


def open_parts(source: str | os.PathLike, *, like: dict[str, Notation] | None = None, **told: Any) -> Parts | None:
    """Open a table that can be read in parts; None: it is of another kind.

    Args:
        source: A file, a folder, or a pattern such as `folder/*.parquet`.
        like: Column -> a notation to read it by.
        told: Options of reading, as `read` takes them.
    Raises:
        DataError: no file matches, the files are not alike, or one cannot be read.
    """
    files = files_of(str(source))
    if files is None:
        return None
    kinds = sorted({str(kind_of(file)) for file in files})
    if len(kinds) > 1:
        raise DataError(f"{source}: holds files of several kinds, {known(kinds)}; give one pattern")
    options, kind = checked(like, **told), kinds[0]
    for file in files:
        check_regular(file)
    layout, rows, names = None, None, list[str]()
    if kind == "text":
        layout = text_layout(files[0], options)
        names = list(layout.names)
        for file in files[1:]:
            check_alike(file, pa.schema([(n, pa.string()) for n in text_layout(file, options).names]), files[0],
                        pa.schema([(n, pa.string()) for n in names]))  # fmt: skip
    else:
        opened = [typed_schema(file, kind) for file in files]
        first, rows = opened[0][0], sum(count for _, count in opened)
        for file, (schema, _) in zip(files, opened, strict=True):
            check_alike(file, schema, files[0], first)
        names = first.names
        nested = [f.name for f in first if pa.types.is_nested(f.type) and f.name not in options.drop]
        if nested:
            raise DataError(f"{source}: the cells of {known(nested)} are lists or records; leave them out: {nested!r}")
    check_names(options, names, str(source))
    columns = tuple(n for n in names if n not in options.drop)
    if rows == 0:
        raise DataError(f"{source}: the table has columns {known(columns)} but no rows")
    return Parts(str(source), files, str(kind), columns, options, rows, layout)


def files_of(source: str) -> tuple[Path, ...] | None:
    """Return the files of a table, sorted by name; None: it is no table that can be read in parts."""
    path = Path(source)
    try:
        there, folder = path.exists(), path.is_dir()
    except (OSError, ValueError):
        return None
    if not there and any(mark in source for mark in PATTERN):
        found = [Path(p) for p in sorted(glob.glob(source, recursive=True)) if Path(p).is_file()]  # noqa: PTH207
        if not found:
            raise DataError(f"{source}: no file matches this pattern")
        strange = next((p for p in found if kind_of(p) is None), None)
        if strange is not None:
            raise DataError(f"{strange}: cannot be read in parts; known: {known(FORMATS, 20)}")
        return tuple(found)
    if folder:
        found = [p for p in sorted(path.iterdir()) if not p.is_dir() and not p.name.startswith((".", "_"))]
        if not found:
            raise DataError(f"{source}: the folder holds no files: no table, and no PNG or JPEG images")
        if any(p.suffix.lower() in IMAGES for p in found):
            return None
        return tuple(p for p in found if kind_of(p) is not None) or None
    return (path,) if there and kind_of(path) is not None else None


def kind_of(path: Path) -> str | None:
    """Return what kind of table a file is by its name."""
    name = path.name.lower()
    for packing in PACKED:
        if name.endswith(packing):
            found = FORMATS.get(Path(name.removesuffix(packing)).suffix)
            return found if found == "text" else None
    return FORMATS.get(Path(name).suffix)


def text_layout(file: Path, options: Options) -> TextFile:
    """Find out how a text file is laid out."""
    with door(f"{file}: cannot be read as text: {{}}; is it damaged or cut off?", *DAMAGE):
        return open_file(file, options)


def typed_schema(file: Path, kind: str) -> tuple[pa.Schema, int]:
    """Return the columns of a file of typed cells, and its number of rows."""
    with door(f"{file}: cannot be read as {kind}: {{}}; is it damaged or cut off?", *DAMAGE):
        if kind == "parquet":
            with parquet.ParquetFile(file) as opened:
                believe(opened.metadata, file)
                schema, rows = opened.schema_arrow, opened.metadata.num_rows
        else:
            with pa.memory_map(str(file)) as source:
                reader = arrow_reader(source)
                schema, rows = reader.schema, sum(len(batch) for batch in batches(reader))
        list(schema.names)  # read here, where damage is expected
    return schema, rows


def believe(said: Any, file: Path) -> None:
    """Refuse a Parquet file that declares far more than so many bytes can hold: its pages would take the memory.

    Raises:
        DataError: it does.
    """
    groups, held = [said.row_group(i) for i in range(said.num_row_groups)], file.stat().st_size
    needed = max(CELL * said.num_rows * said.num_columns, sum(g.total_byte_size for g in groups))
    if needed > max(FLOOR, COLUMNS * held) and LIFTED_BY not in os.environ:
        raise DataError(
            f"{file}: its {size(held)} declare {said.num_rows} rows of {said.num_columns} cells, {size(needed)}; is it "
            f"damaged? If you trust it, set {LIFTED_BY}={needed} in the environment"
        )


def check_alike(file: Path, schema: pa.Schema, first: Path, wanted: pa.Schema) -> None:
    """Refuse a file whose columns are not those of the first.

    Raises:
        DataError: names the file and the column.
    """
    for name in wanted.names:
        if name not in schema.names:
            near = did_you_mean(name, schema.names)
            raise DataError(f"{file}: lacks the column {name!r} that {first.name} has{near}; all files need the same")
    for name in schema.names:
        if name not in wanted.names:
            raise DataError(f"{file}: has the column {name!r}, which {first.name} has not; all files need the same")
        if schema.field(name).type != wanted.field(name).type:
            one, other = schema.field(name).type, wanted.field(name).type
            raise DataError(f"{file}: column {name!r} is {one}, but {other} in {first.name}; write all files alike")


def several(source: str) -> bool:
    """Say whether a name is of several files: a folder of tables, or a pattern."""
    return not Path(source).is_file() and files_of(source) is not None


def together(parts: Parts) -> tuple[pd.DataFrame, pa.Table | None]:
    """Read all rows at once; of text also its cells as they are written."""
    cells = pa.concat_tables(parts.cells(2**20)).unify_dictionaries()
    return parts.knowing(cells).frame(cells), cells if parts.kind == "text" else None


def most_of(file: Path) -> int:
    """Return how many bytes of memory a byte of a file takes at most, by its name."""
    if kind_of(file) != "text":
        return 4 * COLUMNS
    return A_PACKED_BYTE if file.suffix.lower() in PACKED else A_BYTE


def beyond(
    limit: int, source: str | os.PathLike, *, like: dict[str, Notation] | None = None, **told: Any
) -> Parts | None:
    """Return the parts of a table that needs more than so many bytes of memory; None: it does not, or has no parts.

    Args:
        source, like, told: As in `open_parts`.
    """
    files = files_of(str(source))
    if files is None:
        return None
    if PROGRAMS + sum(f.stat().st_size * most_of(f) for f in files) <= limit:
        return None
    parts = open_parts(source, like=like, **told)
    return None if parts is None or fits(parts, limit) else parts


def fits(parts: Parts, memory: int) -> bool:
    """Say whether a table can be held, and worked on, in so many bytes of memory."""
    some = next(parts.cells(2048))
    frame = parts.knowing(some).frame(some)
    a_row = 2 * float(frame.memory_usage(deep=True).sum()) / len(frame) + A_CELL * len(parts.columns)
    return PROGRAMS + estimated_rows(parts) * a_row <= memory


def estimated_rows(parts: Parts) -> int:
    """Return how many rows there are; of text about how many."""
    if parts.rows is not None:
        return parts.rows
    some = next(parts.cells(PART))
    if len(some) < PART:
        return len(some)
    packed = 5 if parts.files[0].name.lower().endswith(PACKED) else 1
    written = sum(sum(len(v.as_buffer()) for v in c) for c in some.slice(0, 1000).columns) / 1000 + len(parts.columns)
    return int(packed * sum(f.stat().st_size for f in parts.files) / written)
