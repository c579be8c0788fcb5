"""The view of a table: a frame, or a matrix whose columns are called 0, 1, ....

Whatever rows come in (`containers/`), here they are a frame under the fitted names; `taken` knows the way back.
"""

import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, LatenWarning, known
from laten.data.columns.cells import Cells
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.columns.dtypes import dtype_of
from laten.data.columns.intervals import level_of
from laten.data.columns.restore import restore
from laten.data.containers.containers import ARRAY, PANDAS, Container, Taken, as_frame, back, taken_table
from laten.data.messages import unknown
from laten.data.records import Record
from laten.data.rows import tables
from laten.data.rows.between import Between, Missing
from laten.data.rows.evidence import likelihood, number, single
from laten.data.rows.evidence_text import understood
from laten.data.rows.holes import Holes
from laten.data.rows.impossible import refuse_impossible, refuse_torn
from laten.data.rows.keep_ties import keep_given, torn
from laten.data.rows.point_answers import expected, level_probabilities
from laten.data.rows.rows import Rows
from laten.data.schema.schema import Schema

Arrays = dict[str, np.ndarray]
Limits = dict[Any, Any]  # column -> evidence of any sort


class TableView(Record, frozen=True, tag_field="kind", tag="table"):
    """A table: a frame, or a matrix whose columns are called 0, 1, ....

    Args:
        schema: What each column is.
        matrix: Whether the fitted columns had no names.
        lossy: Nodes of classes or bins in which a missing cell is a value of its own: the number of classes.
        holes: Which cells of the fitted rows were empty; None: none was, or the model is of an earlier version.
        container: What the fitted rows came in, if they had names.
    """

    schema: Schema
    matrix: bool = False
    lossy: tuple[str, ...] = ()
    holes: Holes | None = None
    container: Container = PANDAS

    def taken(self, data: Any) -> Taken:
        """Return the user's data as a frame under the fitted names, with the way back.

        Columns are found by name; where the fit had names and the data have none, or the reverse, by position, and
        scikit-learn's own warning says so.

        Raises:
            DataError: no table, or another number of columns than fitted where they go by position.
        """
        found = taken_table(data)
        names, frame = self.schema.names, found.data
        if isinstance(frame, pd.DataFrame) and (not self.matrix or set(frame.columns) <= set(names)):
            return found
        named = isinstance(frame, pd.DataFrame)
        frame = frame if named else as_frame(frame)
        if frame.shape[1] != len(names):
            way = "" if self.matrix else f": best a DataFrame with the fitted columns {known(names)}"
            raise DataError(
                f"X has {frame.shape[1]} features, but VAE is expecting {len(names)} features as input{way}"
            )
        if not self.matrix and all(isinstance(name, str) for name in names):
            warnings.warn("X does not have valid feature names, but VAE was fitted with feature names", stacklevel=5)
        elif named and all(isinstance(name, str) for name in frame.columns):
            warnings.warn("X has feature names, but VAE was fitted without feature names", stacklevel=5)
        own = dict(zip(names, frame.columns, strict=True)) if named else {}
        return Taken(frame.set_axis(list(names), axis=1), found.container, found.given, own)

    def opened(self, data: Any) -> pd.DataFrame:
        """Return the user's data as a frame under the fitted names, as `taken`."""
        frame: pd.DataFrame = self.taken(data).data
        return frame

    def returned(self, frame: pd.DataFrame) -> Any:
        """Return new rows in the container of the fit."""
        return back(ARRAY if self.matrix else self.container, frame)

    def rows(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> Rows:
        """Return rows for the model; `partial` takes columns that are lacking as hidden, whatever is `optional`."""
        frame = self.opened(data)
        return self.with_missing(tables.encode(self.schema, frame, partial=partial), frame)

    def scored(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> tuple[Rows, Arrays]:
        """Return `rows`, and node -> log-determinants of the codecs at observed sites, in nats."""
        frame = self.opened(data)
        rows, log_det = tables.encode_with_log_det(self.schema, frame, partial=partial)
        return self.with_missing(rows, frame, {n: x != 0 for n, x in log_det.items()}), log_det

    def prepared(
        self, frame: pd.DataFrame, cells: Mapping[Any, Cells], inputs: Collection[str] = ()
    ) -> tuple[Rows, float]:
        """Return rows of a frame whose cells were parsed before, and the sum of all log-determinants, in nats.

        Args:
            inputs: Nodes whose log-determinants do not count.
        """
        rows, total = tables.encode_with_total(self.schema, frame, cells, inputs)
        return self.with_missing(rows, frame), total

    def with_missing(self, rows: Rows, frame: pd.DataFrame, scored: Mapping[str, np.ndarray] | None = None) -> Rows:
        """Make empty cells of lossy nodes values; columns that the frame lacks, and odd cells, stay unknown.

        Args:
            scored: Node -> where cells have a log-determinant: a hidden one is not empty then, but odd.
        """
        if not self.lossy:
            return rows
        values, mask = dict(rows.values), dict(rows.mask)
        for block in self.schema.blocks:
            if block.node not in self.lossy or block.node not in mask:
                continue
            there = np.array([name in frame.columns for name in block.names])
            gone = ~mask[block.node] & there & ~(scored or {}).get(block.node, np.False_)
            wide = values[block.node].astype(np.min_scalar_type(max(block.sizes)))
            values[block.node] = np.where(gone, np.array(block.sizes, wide.dtype), wide)
            mask[block.node] = mask[block.node] | gone
            if mask[block.node].all():
                del mask[block.node]
        return Rows(values, rows.n, mask, rows.labels, rows.visit)

    def column(self, name: Any) -> Column:
        """Return the modelled column called `name`.

        Raises:
            DataError: an unknown column, or one that was set aside.
        """
        if name not in self.schema:
            raise unknown("column", name, self.schema.names)
        found = self.schema[name]
        if name not in {n for b in self.schema.blocks for n in b.names}:
            raise DataError(
                f"column {name!r} was not modelled in the fit ({found.kind}: {found.reason}); "
                "you cannot give it or ask for it"
            )
        return found

    def evidence(self, given: Mapping[Any, Any], n: int = 1) -> tuple[Rows, Arrays, Limits]:
        """Build `n` equal rows in which only the columns in `given` are observed.

        Args:
            given: Column -> a value, `lt.between(low, high)`, a list of values any of which it may be, `lt.missing`, or
                text that says one of these (`evidence_text.py`).
        Returns:
            Rows with the values; what is allowed of each node by ranges and lists (`Family.log_mass`); and the
            intervals of columns, which draws inside a bin keep to.
        Raises:
            DataError: an unknown column, one that was set aside, a value that cannot be, or values of several columns
                that break a tie.
        """
        given = {name: self.understood(name, v) for name, v in given.items()}
        soft = {name: v for name, v in given.items() if isinstance(v, Between | list | tuple | set | frozenset)}
        gone = [name for name, v in given.items() if isinstance(v, Missing)]
        hard = {name: v for name, v in given.items() if name not in soft and name not in gone}
        empty = pd.Series([None] * n)
        cells = {name: self.cells(name, v, n) for name, v in hard.items()} | dict.fromkeys(gone, empty)
        frame = pd.DataFrame(cells or {self.schema.blocks[0].names[0]: empty})  # ranges or lists alone: no values
        rows = tables.encode(self.schema, frame, partial=True)
        rows = self.with_missing(rows, frame[gone])
        for name, v in hard.items():
            column = self.schema[name]
            if column.kind in NUMBERS and not column.low <= number(column, v) <= (column.seen.high or 0.0):
                warnings.warn(
                    f"given: {name}={v!r} lies outside the values seen, {column.describe()}; the answer is a guess",
                    LatenWarning,
                    stacklevel=5,
                )
        refuse_impossible(self.schema, given)
        grouped = {c: [v] for c, v in hard.items() if self.schema[c].kind in CLASSES}  # a rare level is one of a group
        return rows, likelihood(self.schema, soft), {**soft, **grouped}

    def understood(self, name: Any, given: Any) -> Any:
        """Return evidence on a column; text is read (`evidence_text.py`).

        Raises:
            DataError: an unknown column, one that was set aside, or what cannot be evidence.
        """
        column = self.column(name)
        if column.kind in CLASSES:
            several = isinstance(given, list | tuple | set | frozenset)
            given = [level_of(v, column.classes) for v in given] if several else level_of(given, column.classes)
        if isinstance(given, str) and not (column.kind in CLASSES and given in column.classes):
            return understood(column, given)
        if isinstance(given, Between | Missing | list | tuple | set | frozenset):
            return given
        if np.ndim(given) != 0:
            raise DataError(f"given: column {name!r} takes a value, lt.between(low, high) or a list, not {given!r:.80}")
        if pd.isna(given):
            raise DataError(f"given: no value for column {name!r}; leave it out, or give one; lt.missing: it has none")
        return given

    def cells(self, name: Any, given: Any, n: int) -> pd.Series:
        """Return one value `n` times, in the column's own type.

        Raises:
            DataError: a value that the column cannot hold.
        """
        column, index = self.schema[name], pd.RangeIndex(n)
        if column.kind in CLASSES:
            return pd.Series([given] * n, index)
        found, dtype = np.full(n, single(column, given)), dtype_of(column.dtype)
        plain = column.seen.form == "number" and isinstance(dtype, np.dtype) and dtype.kind == "f"
        return pd.Series(found, index).astype(dtype) if plain else restore(column, found, index, dtype)

    def held(self, drawn: pd.DataFrame, given: Mapping[Any, Any]) -> pd.DataFrame:
        """Put the numbers, dates and durations that were given as single values back into draws."""
        return self.with_given(drawn, {name: v for name, v in given.items() if self.schema[name].kind not in CLASSES})

    def with_given(self, frame: pd.DataFrame, given: Mapping[Any, Any]) -> pd.DataFrame:
        """Return a frame with the columns that were given as single values, in their own types."""
        frame = frame.copy()
        for name, v in given.items():
            value = self.understood(name, v)
            if not isinstance(value, Between | Missing | list | tuple | set | frozenset):
                frame[name] = self.cells(name, value, len(frame)).set_axis(frame.index)
        return frame

    def refuse_torn(self, frame: pd.DataFrame, given: Mapping[Any, Any]) -> None:
        """Refuse rows whose own cells break a tie of the schema with what was given."""
        if self.schema.ties and given:
            known = {name: self.understood(name, v) for name, v in given.items()}
            refuse_torn(self.schema, self.with_given(frame, given), known)

    def sometimes(self, names: Collection[str]) -> tuple[str, ...]:
        """Return those of the nodes `names` that had data when fitting."""
        return tuple(b.node for b in self.schema.blocks if b.node in names)

    def drawn(self, values: Arrays, seed: Any, within: Limits | None = None, like: Any = None) -> pd.DataFrame:
        """Return draws of nodes in the user's units and types, those of `like`; `seed` places numbers inside bins."""
        rng = np.random.default_rng(seed)
        return tables.decode(self.schema, values, like=like, rng=rng, within=within)

    def pointed(self, means: Arrays, like: Any = None, statistic: str = "auto") -> pd.DataFrame:
        """Turn means of nodes (`Family.mean`) into the points that `statistic` names, in the types of `like`."""
        return expected(self.schema, self.blocks_of(means), like=like, statistic=statistic)

    def probabilities(self, means: Arrays, name: Any) -> pd.DataFrame:
        """Return probabilities by level of one column of classes."""
        return level_probabilities(self.schema, self.blocks_of(means), name)

    def blocks_of(self, values: Arrays) -> Arrays:
        """Return what a model says of the schema's own nodes."""
        return {b.node: values[b.node] for b in self.schema.blocks if b.node in values}

    def kept(self, frame: pd.DataFrame, given: Mapping[Any, Any], seed: Any) -> pd.DataFrame:
        """Return draws that keep the ties of the schema; what was given stays as it is.

        Rows in which that cannot be, since ranges were given of several columns, are replaced by others.
        """
        if not self.schema.ties:
            return frame
        frame, left = keep_given(self.schema, frame, given, np.random.default_rng((seed, 1)))
        if left:
            warnings.warn(f"sample: with this evidence, no row obeys {known(left)}", LatenWarning, stacklevel=5)
        return frame

    def emptied(self, frame: pd.DataFrame, given: Collection[Any], seed: Any) -> pd.DataFrame:
        """Return draws in which cells are empty as they were in the fitted rows, whole patterns; not what was given."""
        if self.holes is None:
            return frame
        return self.holes.cut(frame, self.schema.names, given, np.random.default_rng((seed, 2)))

    def filled(self, frame: pd.DataFrame, found: pd.DataFrame, seed: Any = None) -> pd.DataFrame:
        """Return a frame with hidden cells taken from `found`, so that rows keep the schema's ties."""
        return tables.completed(self.schema, frame, found, seed)

    def between(self, frame: pd.DataFrame, low: pd.DataFrame, high: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return a frame filled with each of two ends of intervals."""
        return tables.between(self.schema, frame, low, high)

    def torn(self, data: Any) -> dict[str, np.ndarray]:
        """Return, for each tie that some rows `(rows,)` break, which do."""
        return torn(self.schema, self.opened(data)) if self.schema.ties else {}
