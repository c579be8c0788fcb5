"""A text table as text: the cell of each row and column as it is written, before anything is taken for a number.

bytes --decode--> text --layout--> names, separator --open_text--> TextTable --frame--> DataFrame
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from laten.common.errors import DataError
from laten.data.files.encoding import decode
from laten.data.files.layout import Layout, Record, layout, named, records
from laten.data.files.options import Options, check_names
from laten.data.files.quoted_labels import Quoted, quoted_labels
from laten.data.text.notation import Assumed, Note, attach
from laten.data.text.table import read_columns

_LISTED = 5  # lines that an error lists
_TOTALS = re.compile(r"(grand |sub)?(total|totals|sum|summe|gesamt|total général|somme|suma|totaal)s?:?", re.IGNORECASE)


@dataclass(frozen=True)
class TextTable:
    """The cells of a file as they are written.

    Args:
        source: The file.
        cells: Column -> its texts, `(rows,)`.
        layout: How the file is laid out.
        encoding: Of the file.
        text: The whole file.
        notes: What was assumed.
        comments: Whether lines that begin with `#` among the rows were left out.
        quoted: Column -> codes for missing that are labels if it is text.
    """

    source: str
    cells: pa.Table
    layout: Layout
    encoding: str
    text: str
    notes: tuple[Note, ...] = ()
    comments: bool = False
    quoted: Mapping[str, Quoted] = field(default_factory=dict)

    @cached_property
    def _records(self) -> list[Record]:
        found = [r for r in _all_records(self.text, self.layout) if r.line > self.layout.skip]
        return [r for r in found if not (self.comments and _is_comment(r, self.layout))]

    def lines(self, rows: np.ndarray) -> str:
        """Name the lines of some rows: `t.csv, lines 3, 7`."""
        some = [str(self._records[int(i)].line) for i in rows[:_LISTED] if int(i) < len(self._records)]
        more = f", … ({len(rows)} in all)" if len(rows) > _LISTED else ""
        return f"{self.source}, line{'s' if len(rows) > 1 else ''} {', '.join(some)}{more}"

    def frame(self, options: Options) -> tuple[pd.DataFrame, pa.Table]:
        """Read the columns as what they are.

        Returns:
            The frame, and its cells as they are written.
        Raises:
            DataError: cells that are none of what the rest of their column is.
        """
        check_names(options, self.cells.column_names, self.source)
        cells, notes = self.cells.drop_columns(list(options.drop)), self.notes
        total = _totals(cells)
        if total is not None and not options.like:
            cells = cells.slice(0, len(cells) - 1)
            line = self.lines(np.array([len(cells)]))
            notes = (*notes, Note(f"the last row ({line.partition(', ')[2]}) is sums of the others and left out"))
        around = self.layout.sep == ";"
        frame, notations, more = read_columns(cells, options, options.like, self.lines, around, self.quoted)
        record = Assumed(
            self.source, "text", self.encoding, self.layout.sep, self.layout.quote, self.layout.header, notations,
            tuple(options.id), (*notes, *more),
        )  # fmt: skip
        return attach(frame, record), cells


def open_text(raw: bytes, name: str, options: Options) -> TextTable:
    """Split a text table into its cells.

    Raises:
        DataError: no text, no rows, rows of other lengths than the names, an open quote; with the lines.
    """
    text, encoding, notes = decode(raw, name, options.encoding)
    if not text.strip():
        raise DataError(f"{name}: the file is empty")
    found = layout(text, name, options)
    cells, comments, labels = _split(text, found, name)
    names, cells, more = _trailing(list(found.names), cells, found, "" in options.like)
    names, unnamed = named(names, found.header, name)
    if cells and comments:
        more = (*more, Note(f"{comments} lines that begin with # left out"))
    table = pa.table(cells, names=names) if cells else pa.table({n: pa.array([], pa.string()) for n in names})
    by_name = {names[i]: held for i, held in labels.items() if i < len(names)}
    notes = (*notes, *found.notes, *more, *unnamed)
    return TextTable(name, table, found, encoding, text, notes, bool(comments), by_name)


_Split = tuple[list[pa.ChunkedArray], int, dict[int, Quoted]]


def _split(text: str, found: Layout, name: str) -> _Split:
    """Return the columns of a text, all cells as text, how many comment lines were among them, and quoted labels."""
    if found.sep == " " or found.blanks:
        return _checked(text, found, name)
    body = text[_start(text, found.skip) :]
    raw = io.BytesIO(body.encode("utf-8", "surrogatepass"))
    if not raw.getbuffer().nbytes:
        return [], 0, {}
    names = [str(i) for i in range(max(len(found.names), 1))]
    try:
        table = arrow_csv.read_csv(
            raw,
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=max(1 << 20, min(1 << 30, len(text)))),
            parse_options=arrow_csv.ParseOptions(
                delimiter=found.sep, quote_char=found.quote, newlines_in_values=found.quote in text
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={n: pa.string() for n in names}, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return _checked(text, found, name)  # with line numbers
    if _open_quote(text, found):
        return _checked(text, found, name)
    return table.columns, 0, quoted_labels(body, table.columns, found.sep, found.quote)


def _checked(text: str, found: Layout, name: str) -> _Split:
    """Split row by row, and refuse rows that are longer or shorter than the names, by line."""
    if _open_quote(text, found):
        raise DataError(_open(text, found, name))
    rows = [r for r in _all_records(text, found) if r.line > found.skip]
    commented = [r for r in rows if _is_comment(r, found)]
    rows = [r for r in rows if not _is_comment(r, found)]
    width = len(found.names)
    sizes = {len(r.cells) for r in rows}
    longer = len(sizes) == 1 and sizes != {width}
    if longer and max(sizes) == width + 1 and all(r.cells[-1] == "" for r in rows):
        width += 1
    elif longer and rows:
        (size,) = sizes
        line = f"line {found.header} has {width} names" if found.header else f"there are {width} names"
        raise DataError(
            f"{name}: {line}, and every row from line {rows[0].line} on has {size} cells; name all of them: "
            f"header={[*found.names, *(f'column_{i}' for i in range(width, size))][:size]!r:.300}, or correct the file"
        )
    wrong = [r for r in rows if len(r.cells) != width]
    if wrong:
        some = ", ".join(f"line {r.line} has {len(r.cells)}" for r in wrong[:_LISTED])
        more = f", … ({len(wrong)} rows in all)" if len(wrong) > _LISTED else ""
        raise DataError(
            f"{name}: rows have {width} cells, but {some}{more}; correct them: a cell that holds {found.sep!r} needs "
            f"{found.quote} around it"
        )
    cells = [pa.chunked_array([pa.array([r.cells[i] for r in rows], pa.string())]) for i in range(width)]
    return cells, len(commented), {}


def _all_records(text: str, found: Layout) -> list[Record]:
    csv.field_size_limit(2**31 - 1)
    return records(text, found.sep, found.quote, found.blanks)


def _is_comment(record: Record, found: Layout) -> bool:
    return record.cells[0].lstrip().startswith("#") and len(record.cells) != len(found.names)


def _start(text: str, lines: int) -> int:
    """Return where a number of lines ends."""
    at = 0
    for _ in range(lines):
        found = _END.search(text, at)
        at = len(text) if found is None else found.end()
    return at


_END = re.compile(r"\r\n|\n|\r")


def _open_quote(text: str, found: Layout) -> bool:
    """Say whether the text ends inside quotes."""
    if text.count(found.quote) % 2 == 0:
        return False
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=found.sep, quotechar=found.quote, strict=True)
    try:
        for _ in reader:
            pass
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _open(text: str, found: Layout, name: str) -> str:
    line = _all_records(text, found)[-1].line
    return f"{name}: cannot be read: the quote {found.quote} that opens in line {line} is never closed; is it cut off?"


def _trailing(
    names: list[str], cells: list[pa.ChunkedArray], found: Layout, known: bool
) -> tuple[list[str], list[pa.ChunkedArray], tuple[Note, ...]]:
    """Leave out a last column without name and cells, unless it is known: a separator ends every row."""
    if len(cells) > len(names):
        names = [*names, ""]
    if (
        not known
        and len(names) > 1
        and not names[-1].strip()
        and cells
        and not pc.any(pc.not_equal(cells[-1], "")).as_py()
    ):
        return names[:-1], cells[:-1], (Note(f"{found.sep!r} at the end of every row does not count"),)
    return names, cells, ()


def _totals(cells: pa.Table) -> int | None:
    """Return the place of the last row when it holds the sums of the others; None when it does not."""
    n = len(cells)
    if n < 4:
        return None
    last = [cells.column(i)[n - 1].as_py().strip() for i in range(cells.num_columns)]
    if not any(_TOTALS.fullmatch(t) for t in last if t):
        return None
    for i, text in enumerate(last):
        x = pd.to_numeric(cells.column(i).to_pandas(), errors="coerce").to_numpy(np.float64)
        if text and np.isfinite(x[-1]) and np.isclose(np.nansum(x[:-1]), x[-1], rtol=1e-4):
            return n - 1
    return None
