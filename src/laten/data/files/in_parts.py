"""Tables that are read a part at a time, so that memory does not grow with their rows.

    Parts --cells--> Arrow tables --frame--> frames

Parquet, Arrow (Feather) and text. All files of a folder have the same columns. A part is the same frame as the same
rows of the whole table would be: what a column is (its type, how it is written) is learned once, by `knowing`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from laten.common.bounded_reading import door
from laten.common.errors import DataError
from laten.data.files.options import Options
from laten.data.files.text_in_parts import TextFile, open_file
from laten.data.files.unpack import ARCHIVES
from laten.data.text.notation import Assumed, Notation, attach
from laten.data.text.table import read_columns

PART = 16_384  # rows of a part, unless told otherwise
DAMAGE = (
    AttributeError, EOFError, LookupError, MemoryError, OSError, OverflowError, RuntimeError, TypeError, ValueError,
    *ARCHIVES,
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """A table that is read a part at a time.

    Args:
        name: As it was called.
        files: Its files, in order.
        kind: `parquet`, `arrow` or `text`.
        columns: Names, without those to drop.
        options: Of reading.
        rows: Number of rows; None: it is not known before all are read.
        layout: Of text.
        notations: Column -> how its cells are written, of text.
        dtypes: Column -> its type in a frame of all rows; empty: not known.
        notes: What was assumed of text.
    """

    name: str
    files: tuple[Path, ...]
    kind: str
    columns: tuple[str, ...]
    options: Options
    rows: int | None = None
    layout: TextFile | None = None
    notations: dict[str, Notation] = field(default_factory=dict)
    dtypes: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Any, ...] = ()

    def cells(self, size: int = PART) -> Iterator[pa.Table]:
        """Read the cells as they lie in the files, `size` rows at a time."""
        yield from of_size((t for file in self.files for t in tables(self, file, size)), size)

    def frame(self, cells: pa.Table, start: int = 0) -> pd.DataFrame:
        """Return a part as a frame; `start` is the number of its first row, for messages."""
        if self.kind == "text":
            frame, _, _ = read_columns(cells, self.options, self.notations, self.where(start), self.commas)
        else:
            frame = self._plain(cells)
            frame.attrs.clear()
        for name, dtype in self.dtypes.items():
            if frame[name].dtype != dtype:
                frame[name] = as_type(frame[name], dtype, self.name)
        return attach(frame, self.record)

    def frames(self, size: int = PART) -> Iterator[tuple[int, pd.DataFrame, pa.Table]]:
        """Read frames of `size` rows; each with the number of its first row, and its cells as they lie in the file."""
        start = 0
        for cells in self.cells(size):
            yield start, self.frame(cells, start), cells
            start += len(cells)

    def knowing(self, cells: pa.Table) -> "Parts":
        """Return these parts with what some of the rows, which show all that there is, say of each column."""
        if self.kind == "text":
            frame, notations, notes = read_columns(cells, self.options, self.options.like, self.where(0), self.commas)
            layout = self.layout
            assert layout is not None
            return replace(self, notations=notations, dtypes=dict(frame.dtypes), notes=(*layout.notes, *notes))
        return replace(self, dtypes=dict(self._plain(cells).dtypes))

    def _plain(self, cells: pa.Table) -> pd.DataFrame:
        """Return cells of known types as a frame: what Arrow says of its own of pandas may be damaged too."""
        with door(f"{self.name}: cannot be read as {self.kind}: {{}}; is it damaged or cut off?", *DAMAGE):
            return cells.to_pandas()

    @property
    def commas(self) -> bool:
        """Whether commas are decimal marks where nothing tells."""
        return self.layout is not None and self.layout.sep == ";"

    @property
    def record(self) -> Assumed:
        """What was assumed of the files."""
        ids = tuple(self.options.id)
        if self.layout is None:
            return Assumed(self.name, self.kind, ids=ids)
        to = self.layout
        return Assumed(self.name, "text", to.encoding, to.sep, to.quote, to.header, self.notations, ids, self.notes)

    def where(self, start: int) -> Callable[[np.ndarray], str]:
        """Return what names some rows of a part in a message."""
        return lambda rows: f"{self.name}, row {start + int(rows[0])} (counted from 0)"

    def state(self) -> list[list[Any]]:
        """Return name, size and time of change of each file: where all agree, they were not changed."""
        try:
            stats = [(file, file.stat()) for file in self.files]
        except OSError as error:
            raise DataError(f"{error.filename}: cannot be read any more: {error.strerror}") from None
        return [[str(file.absolute()), s.st_size, s.st_mtime_ns] for file, s in stats]

    def check_unchanged(self, before: list[list[Any]]) -> None:
        """Refuse files that changed since.

        Raises:
            DataError: names the first that did.
        """
        for old, new in zip(before, self.state(), strict=True):
            if old != new:
                raise DataError(f"{new[0]}: was changed while it was read; begin again when it is complete")


def arrow_reader(source: Any) -> Any:
    """Open Arrow's file, or its stream."""
    try:
        return pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source)


def batches(reader: Any) -> Iterator[pa.RecordBatch]:
    """Read the batches of an Arrow file or stream."""
    many = getattr(reader, "num_record_batches", None)
    yield from reader if many is None else (reader.get_batch(i) for i in range(many))


def tables(parts: Parts, file: Path, size: int) -> Iterator[pa.Table]:
    """Read the cells of one file; a row group is decoded as it comes, not at once."""
    wanted = list(parts.columns)
    with door(f"{file}: cannot be read as {parts.kind}: {{}}; is it damaged or cut off?", *DAMAGE):
        if parts.kind == "text":
            assert parts.layout is not None
            for table in open_file(file, parts.options).tables():
                yield table.select(wanted)
            return
        if parts.kind == "parquet":
            with parquet.ParquetFile(file, pre_buffer=False) as opened:
                like = opened.schema_arrow
                for batch in opened.iter_batches(size, columns=wanted, use_threads=False):
                    yield validated(pa.Table.from_batches([batch]), wanted, like)
            return
        with pa.OSFile(str(file)) as source:
            reader = arrow_reader(source)
            for batch in batches(reader):
                yield validated(pa.Table.from_batches([batch]), wanted, reader.schema)


def validated(table: pa.Table, columns: list[str], like: pa.Schema) -> pa.Table:
    """Return checked cells: offsets that point out of a damaged buffer would crash the process."""
    table.validate(full=True)
    return table.select(columns).replace_schema_metadata(like.metadata)


def of_size(found: Iterator[pa.Table], size: int) -> Iterator[pa.Table]:
    """Cut tables anew, into such of `size` rows."""
    held: list[pa.Table] = []
    rows = 0
    for table in found:
        held.append(table)
        rows += len(table)
        if rows >= size:
            joined = pa.concat_tables(held)
            for start in range(0, rows - size + 1, size):
                yield joined.slice(start, size).unify_dictionaries()
            held = [joined.slice(rows - rows % size)] if rows % size else []
            rows %= size
    if rows:
        yield pa.concat_tables(held).unify_dictionaries()


def as_type(cells: pd.Series, dtype: Any, name: str) -> pd.Series:
    """Return cells in the type that the column has in a frame of all rows."""
    found = cells.astype(dtype)
    lost = found.isna() & cells.notna()
    if lost.any():
        raise DataError(
            f"{name}: column {cells.name!r} has too many levels to be read in parts, such as "
            f"{cells[lost].iloc[0]!r:.40}; leave it out, or write it as text"
        )
    return found
