r"""What a table is, from one pass over its parts in bounded memory: a sample of rows, and witnesses of what is rare.

Each row draws a number $u$; the $k$ rows of smallest $u$ are a sample without replacement, and two such samples merge
to the sample of both tables (Cohen & Kaplan 2007, bottom-k). Beside them stand *witnesses*: of each column the first
row with a value that none before had (up to a number of them), with no value, with the smallest and the largest number,
with more digits after the point. Levels, holes, ranges and digits of sample and witnesses together are those of the
table; shares come from the sample alone. A table of at most $k$ rows is its own sample.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from laten.common.atomic_file import atomic
from laten.data.files.in_parts import Parts

SAMPLE = 100_000  # rows
READ = 65_536  # rows looked at together
TEXTS, NUMBERS, WORDS = 100_000, 1001, 1000  # distinct values of a column that are kept track of
DIGITS = 10
NUMBER = r"^\s*[-+]?(\d[\d\s.,']*|[.,]\d+)([eE][-+]?\d+)?\s*$"


class Survey(NamedTuple):
    """What one pass over a table found.

    Args:
        rows: Of the table.
        cells: Sample and witnesses, in the order of the table.
        places: `(those rows,)` their numbers.
        drawn: `(those rows,)` True: of the sample.
        many: Columns with more distinct values than were kept track of.
    """

    rows: int
    cells: pa.Table
    places: np.ndarray
    drawn: np.ndarray
    many: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether the sample is the table."""
        return len(self.places) == self.rows


def survey(parts: Parts, most: int = SAMPLE, seed: int = 0) -> Survey:
    """Read a table once."""
    rng, watches = np.random.default_rng((seed, 1)), {n: Watch() for n in parts.columns}
    kept: list[pa.Table] = []
    draws: list[np.ndarray] = []
    places: list[np.ndarray] = []
    seen: list[np.ndarray] = []  # which are witnesses
    rows, bar, held = 0, np.inf, 0
    for cells in parts.cells(READ):
        u = rng.random(len(cells))
        witness = np.zeros(len(cells), bool)
        for name, watch in watches.items():
            witness[watch.new(cells.column(name))] = True
        take = np.flatnonzero((u < bar) | witness)
        if len(take):
            kept.append(cells.take(pa.array(take)))
            draws.append(u[take])
            places.append(rows + take)
            seen.append(witness[take])
        rows, held = rows + len(cells), held + len(take)
        if held > 3 * most:
            bar = float(np.partition(np.concatenate(draws), most - 1)[most - 1]) + 1e-300
            some = [np.flatnonzero((d < bar) | w) for d, w in zip(draws, seen, strict=True)]
            kept = [t.take(pa.array(k)) for t, k in zip(kept, some, strict=True)]
            draws, places, seen = ([x[k] for x, k in zip(xs, some, strict=True)] for xs in (draws, places, seen))
            held = sum(map(len, draws))
    u, at, witness = np.concatenate(draws), np.concatenate(places), np.concatenate(seen)
    drawn = np.ones(len(u), bool) if len(u) <= most else u <= np.partition(u, most - 1)[most - 1]
    keep = drawn | witness
    cells = pa.concat_tables(kept).filter(pa.array(keep)).unify_dictionaries().combine_chunks()
    many = tuple(n for n, watch in watches.items() if watch.many)
    return Survey(rows, cells, at[keep], drawn[keep], many)


class Watch:
    """What a column held so far."""

    def __init__(self) -> None:
        self.known: Any = None  # its distinct values
        self.hole = self.many = False
        self.low, self.high, self.digits = np.inf, -np.inf, 0

    def new(self, cells: pa.ChunkedArray) -> np.ndarray:
        """Return the places of cells that show something new."""
        found: list[int] = []
        if not self.hole:
            holes = cells.is_null(nan_is_null=True)
            if pc.any(holes).as_py():
                self.hole = True
                found.append(pc.index(holes, True).as_py())
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        try:
            code = cells.combine_chunks().dictionary_encode()
        except pa.ArrowNotImplementedError:
            return np.array(found, np.int64)
        values, at = code.dictionary, code.indices.fill_null(len(code.dictionary)).to_numpy()
        first = np.zeros(len(values) + 1, np.int64)
        first[at[::-1]] = np.arange(len(at))[::-1]
        texts = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        kept = self._distinct(values, TEXTS if texts else NUMBERS)
        if texts and self.many:
            number = pc.match_substring_regex(values, NUMBER)
            kept = [*kept, *self._words(values, np.flatnonzero(~number.to_numpy(zero_copy_only=False)))]
        return np.concatenate([found, first[[*kept, *self._ends(values, texts)]]]).astype(np.int64)

    def _distinct(self, values: pa.Array, most: int) -> list[int]:
        if self.many:
            return []
        fresh = values if self.known is None else values.filter(pc.invert(pc.is_in(values, value_set=self.known)))
        if not len(fresh):
            return []
        self.known = fresh if self.known is None else pa.concat_arrays([self.known, fresh])
        self.many = len(self.known) > most
        if self.many:  # numbers of any size, or words of a text: none is rarer than the others
            self.known = values.slice(0, 0)
            return []
        return pc.index_in(fresh, value_set=values).to_numpy().tolist()

    def _words(self, values: pa.Array, at: np.ndarray) -> list[int]:
        """Of a column of many texts: those that are no numbers, such as codes for missing."""
        if not len(at) or 2 * len(at) > len(values) or len(self.known) >= WORDS:
            return []
        words = values.take(pa.array(at))
        there = pc.is_in(words, value_set=self.known).to_numpy(zero_copy_only=False)
        new = at[~there][: WORDS - len(self.known)]
        self.known = pa.concat_arrays([self.known, values.take(pa.array(new))])
        return new.tolist()

    def _ends(self, values: pa.Array, texts: bool) -> list[int]:
        x = numbers_of(values, texts)
        if x is None or not np.isfinite(x).any():
            return []
        found = []
        low, high = int(np.nanargmin(x)), int(np.nanargmax(x))
        if x[low] < self.low:
            self.low = x[low]
            found.append(low)
        if x[high] > self.high:
            self.high = x[high]
            found.append(high)
        while self.digits < DIGITS:
            scaled = x * 10.0**self.digits
            odd = np.abs(scaled - np.round(scaled)) > 1e-6
            if not odd.any():
                break
            found.append(int(np.argmax(odd)))
            self.digits += 1
        return found


def numbers_of(values: pa.Array, texts: bool) -> np.ndarray | None:
    """Return distinct values as numbers, NaN where one is none; None: they are of another kind."""
    kind = values.type
    if texts:
        return pd.to_numeric(values.to_pandas(), errors="coerce").to_numpy(np.float64)
    if (
        pa.types.is_timestamp(kind)
        or pa.types.is_duration(kind)
        or pa.types.is_time64(kind)
        or pa.types.is_date64(kind)
    ):
        return values.cast(pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64)
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return values.cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.float64)
    if pa.types.is_decimal(kind):
        values, kind = values.cast(pa.float64(), safe=False), pa.float64()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return values.to_numpy(zero_copy_only=False).astype(np.float64)
    return None


def keep(found: Survey, path: Path, about: Any) -> None:
    """Write a survey to a file; `about` says of what it is."""
    told = {"rows": found.rows, "many": list(found.many), "about": about}
    like = (found.cells.schema.metadata or {}) | {b"laten": json.dumps(told).encode()}
    table = found.cells.append_column("\0place", pa.array(found.places))
    table = table.append_column("\0drawn", pa.array(found.drawn)).replace_schema_metadata(like)
    with atomic(path) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def kept(path: Path, about: Any) -> Survey | None:
    """Read a survey that is about the same; None: there is none."""
    try:
        with path.open("rb") as file:
            table = pa.ipc.open_file(file).read_all()
        told = json.loads(table.schema.metadata[b"laten"])
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException):
        return None
    if told["about"] != about:
        return None
    like = {k: v for k, v in table.schema.metadata.items() if k != b"laten"}
    places, drawn = (table.column(n).to_numpy() for n in ("\0place", "\0drawn"))
    cells = table.drop_columns(["\0place", "\0drawn"]).replace_schema_metadata(like or None)
    return Survey(told["rows"], cells, places, drawn, tuple(told["many"]))
