"""The view of a table: a pandas frame, or a matrix whose columns are called 0, 1, ...."""

import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, LatenWarning, known
from laten.data.columns.cells import Cells
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.messages import unknown
from laten.data.records import Record
from laten.data.rows import tables
from laten.data.rows.calendar_names import named_days
from laten.data.rows.evidence import Between, likelihood, number
from laten.data.rows.point_answers import expected, level_probabilities
from laten.data.rows.rows import Rows
from laten.data.schema.schema import Schema

Arrays = dict[str, np.ndarray]
Limits = dict[Any, Any]  # column -> evidence of any sort


class TableView(Record, frozen=True, tag_field="kind", tag="table"):
    """A table: a pandas frame, or a matrix whose columns are called 0, 1, ....

    Args:
        schema: What each column is.
        matrix: Whether the user's container is a NumPy matrix.
        lossy: Nodes of classes or bins in which a missing cell is a value of its own: the number of classes.
    """

    schema: Schema
    matrix: bool = False
    lossy: tuple[str, ...] = ()

    def opened(self, data: Any) -> pd.DataFrame:
        """Return the user's data as a frame.

        Raises:
            DataError: neither a frame nor a matrix, or another number of columns than fitted.
        """
        refuse_sparse(data)
        if isinstance(data, pd.DataFrame):
            return data
        if isinstance(data, Mapping):
            return pd.DataFrame(dict(data))
        found = as_matrix(data)
        if self.matrix and found.shape[1] != len(self.schema.names):
            raise DataError(
                f"X has {found.shape[1]} features, but VAE is expecting {len(self.schema.names)} features as input"
            )
        if not self.matrix:
            raise DataError(
                f"expected a DataFrame with the fitted columns {known(self.schema.names)}, "
                f"got an array of shape {found.shape}"
            )
        return pd.DataFrame(found)

    def rows(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> Rows:
        """Return rows for the model; `partial` takes columns that are lacking as hidden, whatever is `optional`."""
        frame = self.opened(data)
        return self.with_missing(tables.encode(self.schema, frame, partial=partial), frame)

    def scored(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> tuple[Rows, Arrays]:
        """Return `rows`, and node -> log-determinants of the codecs at observed sites, in nats."""
        frame = self.opened(data)
        rows, log_det = tables.encode_with_log_det(self.schema, frame, partial=partial)
        return self.with_missing(rows, frame), log_det

    def prepared(self, frame: pd.DataFrame, cells: Mapping[Any, Cells]) -> tuple[Rows, float]:
        """Return rows of a frame whose cells were parsed before, and the sum of all log-determinants, in nats."""
        rows, total = tables.encode_with_total(self.schema, frame, cells)
        return self.with_missing(rows, frame), total

    def with_missing(self, rows: Rows, frame: pd.DataFrame) -> Rows:
        """Make empty cells of lossy nodes values; columns that the frame lacks stay unknown."""
        if not self.lossy:
            return rows
        values, mask = dict(rows.values), dict(rows.mask)
        for block in self.schema.blocks:
            if block.node not in self.lossy or block.node not in mask:
                continue
            there = np.array([name in frame.columns for name in block.names])
            gone = ~mask[block.node] & there
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
                f"column {name!r} was set aside when fitting ({found.kind}: {found.reason}) and is not modelled; "
                "it can be neither given nor asked for"
            )
        return found

    def evidence(self, given: Mapping[Any, Any], n: int = 1) -> tuple[Rows, Arrays, Limits]:
        """Build `n` equal rows in which only the columns in `given` are observed.

        Args:
            given: Column -> a value, `lt.between(low, high)`, or a list of values any of which it may be; of dates also
                a month or a weekday of any year, such as `January`.
        Returns:
            Rows with the values; what is allowed of each node by ranges and lists (`Family.log_mass`); and the
            intervals of columns, which draws inside a bin keep to.
        Raises:
            DataError: an unknown column, one that was set aside, or a value that cannot be.
        """
        given = {name: self.by_calendar(name, v) for name, v in given.items()}
        soft = {name: v for name, v in given.items() if isinstance(v, Between | list | tuple | set | frozenset)}
        hard = {name: self.value(name, v) for name, v in given.items() if name not in soft}
        empty = [name for name, value in hard.items() if pd.isna(value)]
        if empty:
            raise DataError(f"given: no value for column {empty[0]!r}; leave it out, or give one")
        some = hard or {self.schema.blocks[0].names[0]: None}  # ranges or lists alone: nothing has a value
        frame = pd.DataFrame({name: [value] * n for name, value in some.items()}, index=range(n))
        rows = tables.encode(self.schema, frame, partial=True)
        for name, v in hard.items():
            column = self.schema[name]
            if column.kind in NUMBERS and not column.low <= number(column, v) <= (column.seen.high or 0.0):
                warnings.warn(
                    f"given: {name}={v!r} lies outside what was seen, {column.describe()}; what follows from it is a "
                    "guess",
                    LatenWarning,
                    stacklevel=5,
                )
        grouped = {c: [v] for c, v in hard.items() if self.schema[c].kind in CLASSES}  # a rare level is one of a group
        return rows, likelihood(self.schema, soft), {**soft, **grouped}

    def by_calendar(self, name: Any, given: Any) -> Any:
        """Return evidence in which the name of a month or a weekday is a list of its days.

        Raises:
            DataError: an unknown column, one that was set aside, or a name without days.
        """
        days = named_days(self.column(name), given) if isinstance(given, str) else None
        return given if days is None else days

    def value(self, name: Any, given: Any) -> Any:
        """Return one value for a column; a date may be text.

        Raises:
            DataError: several values in something that is no list, or text that is no date.
        """
        if np.ndim(given) != 0:
            raise DataError(f"given: column {name!r} takes a value, lt.between(low, high) or a list, not {given!r:.80}")
        column = self.schema[name]
        if column.kind == "date" and isinstance(given, str) and "%" not in column.date.style:
            return pd.Timestamp(number(column, given), unit="D") if column.date.whole else pd.Timestamp(given)
        return given

    def held(self, drawn: Any, given: Mapping[Any, Any]) -> Any:
        """Put the numbers, dates and durations that were given as single values back into draws."""
        for name, v in given.items():
            v = self.by_calendar(name, v)
            if np.ndim(v) or isinstance(v, Between | set | frozenset) or self.schema[name].kind in CLASSES:
                continue
            if self.matrix:
                drawn[:, self.schema.names.index(name)] = v
            else:
                drawn[name] = pd.Series([self.value(name, v)] * len(drawn), drawn.index).astype(drawn[name].dtype)
        return drawn

    def sometimes(self, names: Collection[str]) -> tuple[str, ...]:
        """Return those of the nodes `names` that had data when fitting."""
        return tuple(b.node for b in self.schema.blocks if b.node in names)

    def drawn(self, values: Arrays, seed: Any, within: Limits | None = None, like: Any = None) -> Any:
        """Return draws of nodes in the user's units, types and container; `seed` places numbers inside bins."""
        frame, rng = None if like is None else self.opened(like), np.random.default_rng(seed)
        return self.container(tables.decode(self.schema, values, like=frame, rng=rng, within=within))

    def pointed(self, means: Arrays, like: Any = None, statistic: str = "auto") -> Any:
        """Turn means of nodes (`Family.mean`) into the points that `statistic` names, in the user's container."""
        frame = None if like is None else self.opened(like)
        return self.container(expected(self.schema, self.blocks_of(means), like=frame, statistic=statistic))

    def probabilities(self, means: Arrays, name: Any) -> pd.DataFrame:
        """Return probabilities by level of one column of classes."""
        return level_probabilities(self.schema, self.blocks_of(means), name)

    def blocks_of(self, values: Arrays) -> Arrays:
        """Return what a model says of the schema's own nodes."""
        return {b.node: values[b.node] for b in self.schema.blocks if b.node in values}

    def container(self, frame: pd.DataFrame) -> Any:
        """Return a frame as what was fitted."""
        if not self.matrix:
            return frame
        array = frame.to_numpy()
        return array.astype(np.float64) if array.dtype == object else array

    def filled(self, data: Any, found: Any) -> Any:
        """Return the user's data with hidden cells taken from `found`; observed cells come back bit for bit."""
        frame = self.opened(data)
        decoded = self.opened(found).set_axis(frame.index)
        full = frame.reindex(columns=[*frame.columns, *[n for n in decoded.columns if n not in frame.columns]])
        hidden = full[list(decoded.columns)].isna()
        return self.container(tables.fill(full, decoded, hidden))


def refuse_sparse(data: Any) -> None:
    """Refuse sparse matrices."""
    if hasattr(data, "tocsr"):
        raise DataError(
            "sparse input is not supported: a sparse matrix or array was given; call .toarray() on it first"
        )


def as_matrix(data: Any) -> np.ndarray:
    """Return a two-dimensional array of numbers.

    Raises:
        DataError: anything else.
    """
    refuse_sparse(data)
    array = np.asarray(data)
    if array.ndim != 2:
        raise DataError(
            f"expected a table with two dimensions (rows, columns), got an array of shape {array.shape}. "
            "Reshape your data: X.reshape(-1, 1) makes one column"
        )
    if array.shape[1] == 0:
        raise DataError(f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "c":
            raise DataError("Complex data not supported: take real and imaginary parts as columns")
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"expected a matrix of numbers: {error}. For text and mixed types use a DataFrame"
            ) from error
    return array
