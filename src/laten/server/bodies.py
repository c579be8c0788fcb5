"""What comes and goes over the wire: rows as JSON or as an Arrow stream, answers likewise.

An empty cell is `null`, in JSON both ways: JSON has no NaN. Arrow bodies are checked before they are believed: a short
stream can say that it holds very much.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic_core

from laten.common.errors import known
from laten.data.containers.arrow import as_arrow as to_arrow
from laten.data.rows.views import ArrayView, TableView
from laten.estimator.plain_vae import PlainVAE
from laten.server.safety import Refused

JSON, ARROW = "application/json", "application/vnd.apache.arrow.stream"
BIGGEST = 2**63
LISTED = 40  # letters of a value that a message shows


class Data(NamedTuple):
    """Rows of a request, as a model takes them."""

    data: Any
    rows: int


def decoded(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Refused: 400 it is none.
    """
    try:
        found = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        hint = ". JSON has no NaN or Infinity: an empty cell is null" if b"NaN" in body or b"Infinity" in body else ""
        raise Refused(400, f"the body is no JSON: {error}{hint}") from None
    if not isinstance(found, dict):
        raise Refused(400, 'the body is no JSON object, such as {"rows": [{"age": 40}]}')
    return found


def of_json(vae: PlainVAE, rows: Any, most: int) -> Data:
    """Return rows of JSON as the model takes them.

    Args:
        rows: A list of objects (column or node -> value), or of lists for a model of one array or a matrix.
        most: Rows in a request.
    Raises:
        Refused: 413 too many rows, 422 what is no row.
    """
    if not isinstance(rows, list) or not rows:
        raise Refused(422, 'rows: expected a list of at least one row, such as [{"age": 40}]')
    check_count(len(rows), most)
    if isinstance(vae.view_, ArrayView):
        return Data(arrays(vae.view_, rows), len(rows))
    view = vae.view_
    wanted: Any = list if view.matrix else dict
    row: Any
    for i, row in enumerate(rows):
        if not isinstance(row, wanted):
            form = "a list of cells" if view.matrix else "an object, column -> value"
            raise Refused(422, f"rows[{i}]: expected {form}, not {row!r:.{LISTED}}")
        cells: Any = enumerate(row) if view.matrix else row.items()
        for name, cell in cells:
            check_cell(cell, f"rows[{i}], {name!r}")
    if view.matrix:
        wide = len(view.schema.names)
        odd = next((i for i, row in enumerate(rows) if len(row) != wide), None)
        if odd is not None:
            raise Refused(422, f"rows[{odd}]: has {len(rows[odd])} cells, the model has {wide} columns")
        return Data(np.array([[np.nan if c is None else c for c in row] for row in rows]), len(rows))
    names = {str(n): n for n in view.schema.names}
    if not any(key in names for row in rows for key in row):
        raise Refused(422, f"rows: none of their columns is one of the model's: {known(names)}")
    return Data([{names.get(key, key): cell for key, cell in row.items()} for row in rows], len(rows))


def check_count(rows: int, most: int) -> None:
    """Check how many rows a request has."""
    if rows > most:
        raise Refused(413, f"{rows} rows; a request has at most {most} here: send them in several")


def check_cell(cell: Any, where: str) -> None:
    """Check that a value of JSON can be a cell."""
    if isinstance(cell, list | dict):
        raise Refused(422, f"{where}: a cell is text, a number, true, false or null, not {cell!r:.{LISTED}}")
    if isinstance(cell, int) and abs(cell) >= BIGGEST:
        raise Refused(422, f"{where}: {str(cell)[:LISTED]} has more than 63 bits; send it as text, or as 1e30")


def arrays(view: ArrayView, rows: list[Any]) -> dict[str, np.ndarray]:
    """Return rows of JSON as arrays by node; null is a hidden place."""
    single = len(view.nodes) == 1
    found: dict[str, list[Any]] = {}
    for i, row in enumerate(rows):
        by_node = row if isinstance(row, dict) else {view.nodes[0]: row} if single else None
        if by_node is None or set(by_node) - set(view.specs) or set(by_node) != set(found or by_node):
            raise Refused(422, f"rows[{i}]: expected an object with arrays of the nodes {known(view.nodes)}")
        for node, value in by_node.items():
            found.setdefault(node, []).append(value)
    made = {}
    for node, values in found.items():
        try:
            array = np.array(values, dtype=object)
            empty = array == None  # noqa: E711  (by element)
            x = np.where(empty, np.nan, array).astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            raise Refused(422, f"node {node!r}: expected numbers, as many in each row") from None
        shape = tuple(view.specs[node].shape)
        if x.shape[1:] != shape:
            raise Refused(422, f"node {node!r}: expected rows of shape {list(shape)}, got {list(x.shape[1:])}")
        whole = not empty.any() and bool(np.all(np.mod(x, 1) == 0)) and bool(np.all(np.abs(x) < 2**31))
        grey = view.visit.get(node) == "intensity" or (node in view.units and view.units[node].dtype == "uint8")
        small = whole and grey and bool(np.all((x >= 0) & (x <= 255)))
        made[node] = x.astype(np.uint8 if small else np.int64) if whole else x
    return made


PLAIN_TYPES = (
    pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_string,
    pa.types.is_large_string, pa.types.is_date, pa.types.is_timestamp, pa.types.is_duration, pa.types.is_null,
)  # fmt: skip


def of_arrow(vae: PlainVAE, body: bytes, most: int) -> Data:
    """Return the table in an Arrow stream.

    Raises:
        Refused: 400 it is none, 413 too many rows, 415 the model is of arrays, 422 columns of other types.
    """
    if not isinstance(vae.view_, TableView) or vae.view_.matrix:
        raise Refused(415, f"this model takes rows as {JSON}")
    try:
        refuse_compressed(body)
        with pa.ipc.open_stream(body) as stream:
            check_types(stream.schema)
            batches, rows = [], 0
            for batch in stream:
                rows += batch.num_rows
                check_count(rows, most)
                batch.validate(full=True)
                batches.append(batch)
            table = pa.Table.from_batches(batches, stream.schema)
    except (pa.ArrowException, OSError, struct.error, ValueError, EOFError) as error:
        raise Refused(400, f"the body is no Arrow stream: {str(error).splitlines()[0]}") from None
    if not rows:
        raise Refused(422, "the Arrow stream holds no row; send at least one")
    return Data(table, rows)


def check_types(schema: pa.Schema) -> None:
    """Check that columns are of types that can be cells."""
    twice = [n for n in set(schema.names) if schema.names.count(n) > 1]
    if twice:
        raise Refused(422, f"two columns are called {twice[0]!r}; rename one")
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not any(is_kind(kind) for is_kind in PLAIN_TYPES):
            raise Refused(422, f"column {field.name!r} is of Arrow's type {field.type}; cast it to text or numbers")


def refuse_compressed(body: bytes) -> None:
    """Check that no record batch is compressed: a few bytes could be gigabytes.

    The flag stands in the message's flatbuffer (`BodyCompression` of `RecordBatch`), which no public function shows:
    https://github.com/apache/arrow/blob/main/format/Message.fbs
    """
    reader = pa.ipc.MessageReader.open_stream(body)
    for message in reader:
        data = message.metadata.to_pybytes()
        header = child(data, struct.unpack_from("<I", data)[0], 2)
        if message.type == "dictionary" and header is not None:
            header = child(data, header, 1)
        if message.type in ("record batch", "dictionary") and header is not None and child(data, header, 3) is not None:
            raise Refused(415, "the Arrow stream is compressed; write it without compression")


def child(data: bytes, table: int, field: int) -> int | None:
    """Return where the table stands that is a field of a flatbuffer's table; None where there is none."""
    layout = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * field >= struct.unpack_from("<H", data, layout)[0]:
        return None
    offset = struct.unpack_from("<H", data, layout + 4 + 2 * field)[0]
    return table + offset + struct.unpack_from("<I", data, table + offset)[0] if offset else None


def as_json(found: Mapping[str, Any]) -> bytes:
    """Write an answer as JSON; what is no finite number is null."""
    return msgspec.json.encode(found, enc_hook=plain)


def plain(value: Any) -> Any:
    """Return what JSON knows of a value that it does not know."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, pd.DataFrame):
        return value.astype(object).where(value.notna(), None).to_dict("records")
    if value is pd.NA or value is pd.NaT:
        return None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def as_arrow(found: Mapping[str, Any]) -> bytes:
    """Write the table of an answer as an Arrow stream; copies below one another, numbered by `sample`."""
    table = next((x for x in found.values() if isinstance(x, pa.Table)), None)
    frame = next((x for x in found.values() if isinstance(x, pd.DataFrame)), None)
    table = table if frame is None else to_arrow(frame, "")
    copies = next((x for x in found.values() if is_copies(x)), None)
    if copies is not None:
        numbered = [t.add_column(0, "sample", pa.array(np.full(len(t), i))) for i, t in enumerate(copies)]
        table = pa.concat_tables(numbered)
    if table is None:
        table = pa.table({name: x for name, x in found.items() if isinstance(x, np.ndarray)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def is_copies(x: Any) -> bool:
    """Say whether a part of an answer is a list of tables."""
    return isinstance(x, Sequence) and bool(x) and isinstance(x[0], pa.Table)
