"""Tables written a part at a time, whole or not at all: the same file as if all rows had been written at once.

with appending(path) as put: for part in ...: put(part)
"""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from laten.common.atomic_file import atomic
from laten.common.errors import DataError, known
from laten.data.files.write import csv_parts

GROUP = 2**20  # rows of a row group, as pyarrow has them
MOST = 2**28  # bytes that are gathered before they are written
TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
WRITTEN = (*TEXT, ".parquet", ".json", ".json.gz")
Put = Callable[[pd.DataFrame], None]


@contextmanager
def appending(path: str | Path, sep: str = ",") -> Iterator[Put]:
    """Open a table for writing; it takes its name when the block ends without an error.

    Args:
        path: `.csv`, `.tsv`, `.json` (also `.gz`), `.parquet`.
        sep: Between the cells of `.csv`.
    Yields:
        What writes a part.
    Raises:
        DataError: an unknown extension, or a file that cannot be written.
    """
    name = Path(path).name.lower()
    if not name.endswith(WRITTEN):
        raise DataError(f"{path}: cannot be written a part at a time; known: {known(WRITTEN)}")
    with ExitStack() as stack:
        file: Any = stack.enter_context(atomic(path))
        if name.endswith(".gz"):
            file = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0))
        if name.endswith(".parquet"):
            grouped = Grouped(cast(IO[bytes], file))
            yield grouped.put
            grouped.close()
        elif name.removesuffix(".gz").endswith(".json"):
            yield lambda part: put_texts(file, [records(part)])
        else:
            write = texts("\t" if ".tsv" in name else sep)
            yield lambda part: put_texts(file, write(part))


def put_texts(file: IO[bytes], lines: Iterable[str]) -> None:
    """Write texts."""
    for text in lines:
        file.write(text.encode())


def texts(sep: str = ",") -> Callable[[pd.DataFrame], Iterator[str]]:
    """Return what makes parts the text of one file: the names stand over the first."""
    first = True

    def write(part: pd.DataFrame) -> Iterator[str]:
        nonlocal first
        lines = csv_parts(part, sep)
        names = next(lines)
        if first:
            yield names
        first = False
        yield from lines

    return write


def records(part: pd.DataFrame) -> str:
    """Return one JSON object a row, as `write` does."""
    text: str = part.to_json(orient="records", date_format="iso", double_precision=15, lines=True)
    return text


class Grouped:
    """Parts gathered into row groups."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.writer = file, cast(parquet.ParquetWriter | None, None)
        self.held: list[pa.Table] = []

    def put(self, part: pd.DataFrame) -> None:
        """Take a part."""
        part = part.set_axis([str(c) for c in part.columns], axis=1)
        table = pa.Table.from_pandas(part, preserve_index=False)
        if self.writer is None:
            more = {b"PANDAS_ATTRS": json.dumps(part.attrs).encode()} if part.attrs else {}
            schema = table.schema.with_metadata((table.schema.metadata or {}) | more)
            self.writer = parquet.ParquetWriter(self.file, schema)
        schema = self.writer.schema
        self.held.append(table.cast(schema) if table.schema.types != schema.types else table)
        while sum(map(len, self.held)) >= GROUP:
            self.write(GROUP)
        if sum(t.nbytes for t in self.held) > MOST:
            self.write(GROUP)

    def write(self, rows: int) -> None:
        """Write a row group."""
        assert self.writer is not None
        joined = pa.concat_tables([t.replace_schema_metadata(self.writer.schema.metadata) for t in self.held])
        self.writer.write_table(joined.slice(0, rows).unify_dictionaries().combine_chunks(), row_group_size=rows)
        self.held = [joined.slice(rows)] if len(joined) > rows else []

    def close(self) -> None:
        """Write what is left."""
        if self.writer is not None:
            if self.held:
                self.write(GROUP)
            self.writer.close()
