"""Tables whose cells have types: spreadsheets, JSON, databases, Arrow and Parquet.

Numbers are numbers; text is read as in a text file where the format has no dates of its own (JSON, SQLite) or where
people type it (spreadsheets); of Arrow and Parquet the types are the truth.
"""

import io
import json
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather, parquet

from laten.common.bounded_reading import afford, budget, check_members
from laten.common.errors import DataError, known
from laten.data.files.layout import named
from laten.data.files.options import Options, check_names
from laten.data.messages import did_you_mean
from laten.data.text.column import ColumnText
from laten.data.text.notation import Assumed, Notation, Note, attach
from laten.data.text.stored import read_as
from laten.data.text.typed import Around, read_column


def read_xlsx(raw: bytes, name: str, options: Options, sheet: str | None) -> pd.DataFrame:
    """Read a sheet of a workbook, the first unless one is named."""
    try:
        import openpyxl
    except ImportError:
        raise DataError(f"{name}: reading workbooks needs openpyxl: pip install 'laten[xlsx]'") from None
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        check_members(archive, archive.infolist(), len(raw), name)
    book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    if sheet is not None and sheet not in book.sheetnames:
        raise DataError(
            f"{name}: has no sheet {sheet!r}{did_you_mean(sheet, book.sheetnames)}; it has {known(book.sheetnames)}"
        )
    chosen = sheet or book.sheetnames[0]
    rows = _rows(book[chosen], len(raw), name)
    other = [s for s in book.sheetnames if s != chosen]
    notes = [Note(f"sheet {chosen!r}; {known(other)} left out: {Path(name).name}::SHEET")] if other else []
    while rows and not any(v is not None for v in rows[-1]):
        rows.pop()
    width = max((i + 1 for r in rows for i, v in enumerate(r) if v is not None), default=0)
    afford(CELL * len(rows) * width, len(raw), name, f"{len(rows)} rows of {width} cells")
    rows = [(r + [None] * width)[:width] for r in rows]
    top = next((i for i, r in enumerate(rows) if 2 * sum(v is not None for v in r) >= width), 0)
    if top:
        notes.append(Note(f"{top} row{'s' if top > 1 else ''} above the names left out", "header"))
    rows = rows[top:]
    if not rows:
        raise DataError(f"{name}: sheet {chosen!r} is empty")
    if isinstance(options.header, Sequence):
        names = list(options.header)
        rows = rows[1:] if all(isinstance(v, str) for v in rows[0]) else rows
    elif options.header is False or (options.header is None and not any(isinstance(v, str) for v in rows[0])):
        names = [f"column_{i}" for i in range(width)]
    else:
        names, rows = ["" if v is None else str(v) for v in rows[0]], rows[1:]
    if len(names) != width:
        raise DataError(f"{name}: header gives {len(names)} names, and sheet {chosen!r} has {width} columns")
    names, unnamed = named(names, top + 1, name)
    columns = {n: [r[i] for r in rows] for i, n in enumerate(names)}
    return _frame(columns, name, "xlsx", options, (*notes, *unnamed), typed_by_hand=True, first=top + 2)


def _rows(sheet: Any, held: int, name: str) -> list[list[Any]]:
    """Return the rows of a sheet as they are written, whatever range it declares."""
    sheet.reset_dimensions()
    rows: list[list[Any]] = []
    cells = 0
    for row in sheet.iter_rows(values_only=True):
        cells += len(row) + 1 if row else EMPTY
        afford(CELL * cells, held, name, f"its first {len(rows)} rows")
        rows.append(list(row))
    return rows


def read_json(raw: bytes, name: str, options: Options, lines: bool) -> pd.DataFrame:
    """Read records, columns, or one record a line."""
    text = raw.decode("utf-8-sig")
    try:
        value: Any = json.loads(text) if not lines else _json_lines(text, name)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and not lines:
            value = _json_lines(text, name)
        else:
            raise DataError(
                f"{name}, line {error.lineno}: cannot be read as JSON: {error.msg}; is it cut off?"
            ) from None
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        sizes = {k: len(v) for k, v in value.items()}
        if len(set(sizes.values())) > 1:
            raise DataError(f"{name}: columns of different lengths: {sizes!r:.200}")
        columns = value
    elif isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
        columns = {k: list(v.values()) for k, v in value.items()}
    elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        names = list(dict.fromkeys(k for row in value for k in row))
        afford(CELL * len(names) * len(value), len(raw), name, f"{len(value)} records of {len(names)} keys in all")
        columns = {k: [row.get(k) for row in value] for k in names}
    else:
        raise DataError(f"{name}: holds no table; expected a list of records, or columns by name")
    return _frame({str(k): v for k, v in columns.items()}, name, "json", options, ())


def _json_lines(text: str, name: str) -> list[Any]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise DataError(f"{name}, line {number}: cannot be read as JSON: {error.msg}; is it cut off?") from None
    return rows


def read_sqlite(raw: bytes, name: str, options: Options, table: str | None) -> pd.DataFrame:
    """Read a table of an SQLite database; which one must be said where there are several."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.sqlite"
        path.write_bytes(raw)
        base = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            kinds = "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite_%'"
            tables = [t for (t,) in base.execute(kinds)]
            if table is not None and table not in tables:
                raise DataError(f"{name}: has no table {table!r}{did_you_mean(table, tables)}; it has {known(tables)}")
            if table is None and len(tables) != 1:
                raise DataError(
                    f"{name}: has the tables {known(tables)}; name one: {name}::{tables[0] if tables else 'TABLE'}"
                )
            quoted = (table or tables[0]).replace('"', '""')
            _bound(base, len(raw))
            cursor = base.execute(f'select * from "{quoted}"')
            names = [d[0] for d in cursor.description]
            rows = []
            while part := cursor.fetchmany(10_000):
                rows += part
                afford(CELL * len(rows) * len(names), len(raw), name, f"{len(rows)} rows of {len(names)} cells")
        finally:
            base.close()
    return _frame({n: [r[i] for r in rows] for i, n in enumerate(names)}, name, "sqlite", options, ())


def _bound(base: sqlite3.Connection, held: int) -> None:
    """Let a query end: a view of a stranger's database may compute without end, and make cells of any length."""
    left = iter(range(STEPS + held // 1000))
    base.execute("pragma trusted_schema = off")
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(budget(held), 10**9))
    base.set_progress_handler(lambda: next(left, None) is None, 10_000)


def read_parquet(raw: bytes, name: str, options: Options) -> pd.DataFrame:
    """Read Parquet. A column of one value takes nothing in the file: its cells are counted first.

    Of row groups only sizes are asked: what says more of a damaged column ends the process (Arrow 26 throws in
    `RowGroupMetaData.column`, which may not).
    """
    file = parquet.ParquetFile(io.BytesIO(raw))
    said = file.metadata
    groups = [said.row_group(i) for i in range(said.num_row_groups)]
    cells = CELL * sum(max(g.num_rows, 0) for g in groups) * said.num_columns
    needed = max(cells, sum(g.total_byte_size for g in groups))
    afford(needed, len(raw), name, f"{said.num_rows} rows of {said.num_columns} cells", COLUMNS)
    return _arrow(file.read(), name, options, "parquet")


def read_feather(raw: bytes, name: str, options: Options) -> pd.DataFrame:
    """Read Feather, or Arrow's file or stream."""
    try:
        table = feather.read_table(io.BytesIO(raw))
    except pa.ArrowInvalid:
        table = pa.ipc.open_stream(io.BytesIO(raw)).read_all()
    return _arrow(table, name, options, "arrow")


def _arrow(table: pa.Table, name: str, options: Options, what: str) -> pd.DataFrame:
    table.validate(full=True)  # offsets that point out of a damaged buffer would crash the process
    check_names(options, table.column_names, name)
    table = table.drop_columns(list(options.drop))
    nested = [f.name for f in table.schema if pa.types.is_nested(f.type)]
    if nested:
        raise DataError(f"{name}: the cells of {known(nested)} are lists or records; leave them out: drop={nested!r}")
    frame = table.to_pandas()
    frame.attrs.clear()
    return attach(frame, Assumed(name, what, ids=tuple(options.id)))


def _frame(
    columns: dict[str, list], name: str, what: str, options: Options, notes: Sequence[Note],
    typed_by_hand: bool = False, first: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """Build a frame of Python values; text is read as in a text file where people typed it, else for dates alone."""
    check_names(options, list(columns), name)
    nested = [k for k, v in columns.items() if k not in options.drop and any(isinstance(c, list | dict) for c in v)]
    if nested:
        raise DataError(f"{name}: the cells of {known(nested)} are lists or records; leave them out: drop={nested!r}")
    found: dict[str, pd.Series] = {}
    notations: dict[str, Notation] = {}
    more: list[Note] = []

    def where(rows: np.ndarray) -> str:
        return f"{name}, row {int(rows[0]) + first}"

    for column, cells in columns.items():
        if column in options.drop:
            continue
        texts = [c for c in cells if isinstance(c, str)]
        filled = sum(c is not None for c in cells)
        if not texts or column in options.id:
            found[column] = pd.Series(cells, dtype=object if column in options.id else None).infer_objects()
            continue
        mixed = len(texts) < filled
        like = options.like.get(column)
        codes = options.always(column) if typed_by_hand else (options.codes(column) or ())
        as_text = pa.array([None if c is None else str(c) for c in cells], pa.string())
        if like is not None and not mixed:
            codes = tuple(c for c in codes if c not in like.words)
            reading = read_as(ColumnText(column, as_text, codes), like, where, options.told(column))
        else:
            reading = read_column(ColumnText(column, as_text, codes), options.told(column), Around(where=where))
        if like is None and not typed_by_hand and not mixed and reading.notation.form in ("number", "bool"):
            found[column] = pd.Series(cells)  # text that looks like numbers was meant as text
            continue
        found[column], notations[column] = reading.series, reading.notation
        more += reading.notes
    record = Assumed(name, what, columns=notations, ids=tuple(options.id), notes=(*notes, *more))
    return attach(pd.DataFrame(found), record)


CELL = 8  # bytes that a cell takes at least
EMPTY = 256  # cells as which an empty row counts: a damaged number of a row makes millions of them
COLUMNS = 1000  # how many bytes a byte of a columnar format may become
STEPS = 2_000  # of 10 000 instructions of SQLite, beside one for each 1000 bytes of a database

READERS: dict[str, Callable[[bytes, str, Options, str | None], pd.DataFrame]] = {
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".json": lambda raw, name, options, part: read_json(raw, name, options, False),
    ".jsonl": lambda raw, name, options, part: read_json(raw, name, options, True),
    ".ndjson": lambda raw, name, options, part: read_json(raw, name, options, True),
    ".sqlite": read_sqlite,
    ".sqlite3": read_sqlite,
    ".db": read_sqlite,
    ".parquet": lambda raw, name, options, part: read_parquet(raw, name, options),
    ".pq": lambda raw, name, options, part: read_parquet(raw, name, options),
    ".feather": lambda raw, name, options, part: read_feather(raw, name, options),
    ".arrow": lambda raw, name, options, part: read_feather(raw, name, options),
    ".ipc": lambda raw, name, options, part: read_feather(raw, name, options),
}
