"""Parts of a table to encoded rows on the disk: the second pass over data that are larger than memory.

    Parts --frame--> view --Rows--> spool; a few rows stay in memory: those held out, and some of the others

What a sample could not settle is settled here, from all rows: how many there are, holes and levels are counted, and a
rule that was found in the sample and that a row breaks is dropped.
"""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from laten.common.errors import DataError
from laten.data.columns.cells import cells_of
from laten.data.columns.column import CLASSES, Column
from laten.data.files.in_parts import Parts
from laten.data.files.survey import READ, Survey
from laten.data.records import replace
from laten.data.rows.rows import Rows
from laten.data.rows.spool import PART, Spool, SpoolWriter, full, open_spool
from laten.data.rows.views import TableView
from laten.data.schema.schema import Schema

HELD_OUT, SHOWN = 2**16, 1000  # rows held out at most, and kept as they were given
LEAST = 10  # rows below which none are held out
SMALL, CELLS = "small.npz", "held.arrow"


class Filled(NamedTuple):
    """Encoded rows on the disk, and what of the table was seen on the way.

    Args:
        spool: The rows to train on.
        view: Of the table, with what all rows say of it.
        small: Rows in memory: those held out, then some of the others, evenly spread.
        held: How many of these are held out.
        log_det: Mean over all rows, in nats.
        shown: Some of the rows held out, as they lie in the file.
    """

    spool: Spool
    view: TableView
    small: Rows
    held: int
    log_det: float
    shown: pa.Table


def fill(
    parts: Parts, view: TableView, found: Survey, folder: Path, validation: float, seed: int, some: int,
    declared: Collection[str] = (), inputs: Collection[str] = (),
) -> Filled:  # fmt: skip
    """Encode a table, or take what was encoded of it before.

    Args:
        parts: The table, with what is known of its columns.
        view: Of the sample.
        found: In the first pass.
        folder: Where the spool stands, or shall.
        validation: Share of rows to hold out; of many at most 65 536.
        some: How many of the other rows stay in memory.
        declared: Constraints that all rows must keep.
        inputs: Nodes without a density, whose log-determinants do not count.
    Raises:
        DataError: rows that do not fit the view, files that changed since the first pass, a full disk.
    """
    state = parts.state()
    about = [view.to_json(), state, found.rows, validation, seed, some, *sorted(inputs)]
    key = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
    spool = open_spool(folder, key)
    if spool is None:
        spool = written(parts, view, found, folder, (validation, seed, some), declared, inputs, key)
        parts.check_unchanged(state)
    told = spool.about
    try:
        with np.load(spool.folder / SMALL) as arrays:
            held = {name: arrays[name] for name in arrays.files}
        shown = pa.ipc.open_file(str(spool.folder / CELLS)).read_all()
    except (OSError, ValueError) as error:
        raise DataError(f"{spool.folder}: is damaged ({error}); remove it, and begin again") from None
    values = {n.name: held[f"values/{i}"] for i, n in enumerate(spool.nodes)}
    masks = {n.name: held[f"masks/{i}"] for i, n in enumerate(spool.nodes) if n.masked}
    labels = {b.node: tuple(map(str, b.names)) for b in view.schema.blocks}
    small = Rows(values, int(told["small"]), masks, labels, dict.fromkeys(values, "none"))
    exact = counted(view.schema, found.rows, told)
    log_det = float(told["log_det"])
    return Filled(spool, replace(view, schema=exact), small, int(told["held"]), log_det, shown)


def written(
    parts: Parts, view: TableView, found: Survey, folder: Path, told: tuple[float, int, int],
    declared: Collection[str], inputs: Collection[str], key: str,
) -> Spool:  # fmt: skip
    """Encode all rows."""
    (validation, seed, some), rows = told, found.rows
    held = held_out(rows, validation, seed)
    trained = rows - len(held)
    sample = np.unique(np.linspace(0, trained - 1, min(trained, some)).astype(np.int64))
    shown = held[np.linspace(0, len(held) - 1, min(len(held), SHOWN)).astype(np.int64)]
    writer, tally = SpoolWriter(folder, types_of(view)), Tally(view.schema)
    apart: tuple[list[Rows], list[Rows]] = [], []
    cells_shown: list[pa.Table] = []
    total, at = 0.0, 0
    try:
        for start, frame, cells in parts.frames(READ):
            part, log_det = encoded(parts, view, frame, start, inputs)
            at, total = start + part.n, total + log_det
            if at > rows:
                break
            tally.add(part, view, frame, start, parts.name, declared)
            out = held[np.searchsorted(held, start) : np.searchsorted(held, at)] - start
            rest = np.setdiff1d(np.arange(part.n), out, assume_unique=True)
            own = sample[np.searchsorted(sample, writer.rows) : np.searchsorted(sample, writer.rows + len(rest))]
            apart[0].append(part.take(out))
            apart[1].append(part.take(rest[own - writer.rows]))
            mine = shown[np.searchsorted(shown, start) : np.searchsorted(shown, at)] - start
            cells_shown.append(cells.take(pa.array(mine)))
            writer.append(part.take(rest))
        if at != rows:
            raise DataError(f"{parts.name}: was changed while it was read; begin again when it is complete")
        small, held_rows = [*apart[0], *apart[1]], sum(r.n for r in apart[0])
        keep(small, pa.concat_tables(cells_shown).unify_dictionaries(), writer)
        about = {"key": key, "log_det": total / rows, "held": held_rows, "small": sum(r.n for r in small)}
        return writer.finish(about | tally.told())
    except BaseException:
        writer.drop()
        raise


def held_out(rows: int, share: float, seed: int) -> np.ndarray:
    """Return numbers of rows to hold out, ascending."""
    if not share or rows < LEAST:
        return np.zeros(0, np.int64)
    number = min(max(round(share * rows), 1), rows - 1, HELD_OUT)
    return np.sort(np.random.default_rng(seed).choice(rows, number, replace=False, shuffle=False))


def types_of(view: TableView) -> dict[str, np.dtype]:
    """Return types that hold all values of each node: of lossy ones a missing cell too."""
    return {b.node: np.min_scalar_type(max(b.sizes)) if b.node in view.lossy else b.dtype for b in view.schema.blocks}


def encoded(parts: Parts, view: TableView, frame: Any, start: int, inputs: Collection[str]) -> tuple[Rows, float]:
    """Encode a part; an error says which rows it is about."""
    try:
        return view.prepared(frame, cells_of(frame), inputs)
    except DataError as error:
        raise DataError(f"{parts.name}, from row {start} on: {error}") from None


def keep(small: list[Rows], cells: pa.Table, writer: SpoolWriter) -> None:
    """Write the rows that stay in memory beside the spool."""
    arrays: dict[str, Any] = {}
    for i, (name, dtype) in enumerate(writer.dtypes.items()):
        arrays[f"values/{i}"] = np.concatenate([r.values[name] for r in small]).astype(dtype)
        masks = [r.mask.get(name, np.ones(r.values[name].shape, bool)) for r in small]
        arrays[f"masks/{i}"] = np.concatenate(masks)
        writer.masked |= set() if arrays[f"masks/{i}"].all() else {name}
    try:
        np.savez(writer.folder / PART / SMALL, **arrays)
        with pa.OSFile(str(writer.folder / PART / CELLS), "wb") as file, pa.ipc.new_file(file, cells.schema) as to:
            to.write_table(cells)
    except OSError as error:
        raise full(writer.folder, error) from None


class Tally:
    """Counts over all rows."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.holes = {c.name: 0 for c in schema.columns}
        self.codes = {c.name: np.zeros(c.size, np.int64) for b in schema.blocks for c in b.columns if settled(c)}
        self.torn: set[str] = set()

    def add(self, rows: Rows, view: TableView, frame: Any, start: int, name: str, declared: Collection[str]) -> None:
        """Add a part."""
        for column, holes in frame[list(self.holes)].isna().sum().items():
            self.holes[column] += int(holes)
        for block in self.schema.blocks:
            values = rows.values[block.node].reshape(rows.n, -1)
            seen = rows.mask.get(block.node)
            for i, column in enumerate(block.columns):
                if column.name in self.codes:
                    codes = values[:, i] if seen is None else values[:, i][seen.reshape(rows.n, -1)[:, i]]
                    self.codes[column.name] += np.bincount(codes, minlength=column.size)[: column.size]
        for text, bad in view.torn(frame).items():
            if text in declared:
                row = start + int(np.argmax(bad))
                raise DataError(
                    f"{name}: row {row} (counted from 0) does not keep the constraint {text!r}; leave it out"
                )
            self.torn.add(text)

    def told(self) -> dict[str, Any]:
        """Return the counts in plain JSON types."""
        codes = [[str(n), x.tolist()] for n, x in self.codes.items()]
        return {"holes": list(self.holes.values()), "codes": codes, "torn": sorted(self.torn)}


def settled(column: Column) -> bool:
    """Say whether the codes of a column are its levels."""
    return column.kind in CLASSES and column.groups is None and column.unseen == "error"


def counted(schema: Schema, rows: int, told: dict[str, Any]) -> Schema:
    """Return a schema with what was counted in all rows, without the rules that some row breaks."""
    codes, columns = dict(told["codes"]), []
    for column, holes in zip(schema.columns, told["holes"], strict=True):
        seen = replace(column.seen, rows=rows, missing=holes)
        if str(column.name) in codes and column.levels is not None and set(column.levels) == set(seen.values or ()):
            counts = dict(zip(column.levels, codes[str(column.name)], strict=False))
            seen = replace(seen, counts=tuple(counts[v] for v in seen.values or ()))
        columns.append(replace(column, seen=seen))
    exact = replace(schema, columns=tuple(columns))
    return exact.without_constraints(*told["torn"]) if told["torn"] else exact
