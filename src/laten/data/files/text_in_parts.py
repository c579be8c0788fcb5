"""Text tables read a part at a time: the layout is taken from the first bytes, the rest is split as it comes.

Cells are texts. What they are is said later, by `laten.data.text`, as for a table that is read at once. Two things that
need the whole file are not seen here: a last row of totals, and labels in quotes that look like codes for missing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from laten.common.errors import DataError
from laten.data.files.layout import records
from laten.data.files.options import Options
from laten.data.files.text_table import open_text

HEAD = 2**20  # bytes from which the layout is taken
BLOCK = 2**22  # bytes that are split at once
FAULT = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): ?(.*)", re.DOTALL)
PACKINGS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}


@dataclass(frozen=True)
class TextFile:
    """How a text file is laid out.

    Args:
        path: The file.
        names: Of its columns.
        width: Cells in a row: a separator at the end of all rows makes one more than there are names.
        sep, quote: Between cells, and around them.
        skip: Lines before the first row.
        header: Line of the names, counted from 1; 0: there is none.
        encoding: Of the file.
        notes: What was assumed.
    """

    path: Path
    names: tuple[str, ...]
    width: int
    sep: str
    quote: str
    skip: int
    header: int
    encoding: str
    notes: tuple[Any, ...]

    def tables(self) -> Iterator[pa.Table]:
        """Read its cells.

        Raises:
            DataError: rows of other lengths than the names.
        """
        names = [*self.names, *(f"\0{i}" for i in range(self.width - len(self.names)))]

        with self.faults(), opened(self.path) as stream:
            reader = arrow_csv.open_csv(
                stream,
                read_options=arrow_csv.ReadOptions(
                    column_names=names, skip_rows=self.skip, block_size=BLOCK, encoding=self.encoding, use_threads=False
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self.sep, quote_char=self.quote, newlines_in_values=True
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types={n: pa.string() for n in names}, strings_can_be_null=False
                ),
            )
            for batch in reader:
                yield pa.Table.from_batches([batch]).select(list(self.names))

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Say which row has other cells than the first."""
        try:
            yield
        except pa.ArrowInvalid as error:
            found = FAULT.search(str(error))
            if found is None:
                raise
            row, wanted, got, text = found.groups()
            raise DataError(
                f"{self.path}: row {row} of the file has {got} cells instead of {wanted}: {text!r:.80}; correct it: a "
                f"cell that holds {self.sep!r} needs {self.quote} around it"
            ) from None


def opened(path: Path) -> Any:
    """Open a file, unpacked."""
    packing = next((p for end, p in PACKINGS.items() if path.name.lower().endswith(end)), None)
    return pa.input_stream(str(path), compression=packing)


def open_file(path: Path, options: Options) -> TextFile:
    """Find out how a text file is laid out.

    Raises:
        DataError: it is none, or not laid out so that it could be read in parts.
    """
    with opened(path) as stream:
        raw = stream.read_buffer(HEAD).to_pybytes()  # `read` loses memory where the file is damaged
    if not raw:
        raise DataError(f"{path}: the file is empty (0 bytes)")
    if len(raw) == HEAD:
        raw = raw[: raw.rfind(b"\n") + 1] or raw
    found = open_text(raw, str(path), options)
    to = found.layout
    if to.sep == " " or to.blanks or found.comments:
        raise DataError(
            f"{path}: its rows are parted by blanks, or have comments among them, and cannot be read in parts; "
            "write it as Parquet"
        )
    names = tuple(found.cells.column_names)
    rows = (r for r in records(found.text, to.sep, to.quote, False, to.skip + 5) if r.line > to.skip)
    first = next(rows, None)
    width = len(names) if first is None else max(len(first.cells), len(names))
    return TextFile(path, names, width, to.sep, to.quote, to.skip, to.header, found.encoding, found.notes)
