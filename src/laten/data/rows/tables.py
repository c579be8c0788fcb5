r"""From a frame to `Rows` and back, by the schema that was fitted.

    frame --encode--> Rows (values, mask) ... model ... values --decode--> frame of the original dtypes

The codecs' log-determinants come with the rows: for block columns $y = f(x)$,
$\log p(\text{row}) = \log p(y) + \sum_c \log|f_c'(x_c)|$ over observed cells (nats). A frame is checked against the
schema: each error names the column, the rows (from 0), what was expected and the way out.
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.data.columns.cells import Cells, cells_of, check_frame
from laten.data.columns.encode import decode_column, encode_column, has_log_det, log_det_column, read
from laten.data.columns.restore import constant, like_dtype
from laten.data.messages import did_you_mean
from laten.data.rows.evidence import Between, limits
from laten.data.rows.keep_ties import keep
from laten.data.rows.rows import Rows
from laten.data.schema.contract import Name
from laten.data.schema.schema import Schema


def encode(
    schema: Schema,
    frame: pd.DataFrame,
    *,
    partial: bool = False,
    cells: Mapping[Name, Cells] | None = None,
    note: Callable[[str, int, np.ndarray], None] | None = None,
    odd: bool = False,
) -> Rows:
    """Turn a frame into one array a block.

    Args:
        schema: As fitted.
        frame: Its columns by name, in any order; columns the schema does not know are ignored.
        partial: Columns that are lacking count as hidden instead of being an error.
        cells: The frame's cells, where they were parsed before (`cells_of`).
        note: Told node, place of the column and its log-determinants `(rows,)`, where they are not all zero.
        odd: Classes never seen, and numbers that a kind does not allow, are hidden instead of being an error; their
            log-determinant is the log of the probability that is left for them (`unseen_levels`).
    Returns:
        Rows with `values[node]` of `(rows, columns)`, or `(rows,)` for scalar nodes.
    Raises:
        DataError: no frame, no rows, a column lacking, of another type, a class never seen, infinities.
    """
    check_frame(frame)
    extra = [name for name in frame.columns if name not in schema] if schema.extra == "error" else []
    if extra:
        raise DataError(
            f"the frame has columns that the schema does not know: {known(extra)}; drop them, or let them pass with "
            "extra = 'ignore' in the schema"
        )
    lacking = [name for b in schema.blocks for name in b.names if name not in frame.columns]
    if lacking and not partial:
        s = "s" if len(lacking) > 1 else ""
        raise DataError(
            f"the frame lacks the fitted column{s} {known(lacking)}{did_you_mean(lacking[0], frame.columns)}; "
            "rename it, or add it with empty cells to treat it as missing"
        )
    cells = cells_of(frame) if cells is None else cells
    values, mask, n = {}, {}, len(frame)
    for block in schema.blocks:
        array = np.zeros((n, len(block.columns)), block.dtype)
        seen = np.ones(array.shape, bool)
        for i, column in enumerate(block.columns):
            if column.name not in frame.columns:
                seen[:, i] = False
                continue
            x, seen[:, i], left = read(column, cells[column.name], odd)
            array[:, i] = encode_column(column, x, seen[:, i])
            if note is not None and (left is not None or has_log_det(column)):
                log_det = log_det_column(column, x, seen[:, i]) + (0.0 if left is None else left)
                if log_det.any():
                    note(block.node, i, log_det)
        values[block.node] = array[:, 0] if block.scalar else array
        if not seen.all():
            mask[block.node] = seen[:, 0] if block.scalar else seen
    labels = {b.node: tuple(map(str, b.names)) for b in schema.blocks}
    return Rows(values, n, mask, labels, dict.fromkeys(values, "none"))


def encode_with_log_det(
    schema: Schema, frame: pd.DataFrame, *, partial: bool = False
) -> tuple[Rows, dict[str, np.ndarray]]:
    """Encode what is to be scored, and return the codecs' log-determinants, to be added to log-densities per site.

    Returns:
        Rows as of `encode`, and node -> `(rows, columns)` (or `(rows,)`), float64 nats: log |dy/dx|, of bins the log
        density inside them; 0 where hidden, discrete or not in the frame.
    """
    found: dict[str, np.ndarray] = {}
    shapes = {b.node: (len(frame), len(b.columns)) for b in schema.blocks}

    def note(node: str, i: int, log_det: np.ndarray) -> None:
        found.setdefault(node, np.zeros(shapes[node]))[:, i] = log_det

    rows = encode(schema, frame, partial=partial, note=note, odd=True)
    every = {n: found.get(n, np.broadcast_to(np.float64(0), shape)) for n, shape in shapes.items()}  # a 0 takes no room
    return rows, {b.node: every[b.node][:, 0] if b.scalar else every[b.node] for b in schema.blocks}


def encode_with_total(
    schema: Schema, frame: pd.DataFrame, cells: Mapping[Name, Cells] | None = None, inputs: Collection[str] = ()
) -> tuple[Rows, float]:
    """Encode, and return the sum of all log-determinants, nats: of a column at a time, so that memory stays small.

    Args:
        inputs: Nodes that do not count.
    """
    sums: list[float] = []

    def note(node: str, i: int, log_det: np.ndarray) -> None:
        if node not in inputs:
            sums.append(log_det.sum())

    return encode(schema, frame, cells=cells, note=note), math.fsum(sums)


def decode(
    schema: Schema,
    values: Mapping[str, np.ndarray],
    *,
    like: pd.DataFrame | None = None,
    rng: np.random.Generator | None = None,
    within: Mapping[Name, Between | Collection[Any]] | None = None,
) -> pd.DataFrame:
    """Turn arrays of a model back into a frame in the user's units, types and labels.

    Args:
        values: Node -> `(rows, columns)` or `(rows,)`; nodes left out leave their columns out.
        like: A frame whose row labels and column dtypes are taken over where they can hold the values.
        rng: Draws numbers inside their bins, and levels inside their groups; None takes centres and the most frequent.
        within: Column -> `between(...)` or a list of values, as in `likelihood`: what is drawn inside bins and groups
            keeps to it.
    Returns:
        Modelled columns and constants, in the fitted order. Identifiers and free text are not invented.
    Raises:
        DataError: an array of the wrong shape.
    """
    n = rows_of(values)
    index = pd.RangeIndex(n) if like is None else like.index
    made = {}
    for block in schema.blocks:
        if block.node in values:
            array = np.asarray(values[block.node])
            if array.shape != (n, *block.shape):
                raise DataError(f"node {block.node!r}: expected shape {(n, *block.shape)}, got {array.shape}")
            array = array.reshape(n, -1)
            for i, column in enumerate(block.columns):
                found = (within or {}).get(column.name)
                ends = None if found is None else limits(column, found)
                made[column.name] = decode_column(
                    column, array[:, i], index, like_dtype(column, like), rng=rng, within=ends
                )
    return framed(schema, made, index, like)


def rows_of(values: Mapping[str, np.ndarray]) -> int:
    """Return the number of rows that all arrays share."""
    sizes = {len(v) for v in values.values()}
    if len(sizes) != 1:
        raise DataError(f"all nodes must have the same number of rows, got {sorted(sizes)}")
    return sizes.pop()


def framed(schema: Schema, made: dict[Any, pd.Series], index: pd.Index, like: pd.DataFrame | None) -> pd.DataFrame:
    """Return decoded columns and constants as a frame, in the fitted order."""
    made = made | {c.name: constant(c, index, like_dtype(c, like)) for c in schema.columns if c.kind == "constant"}
    return pd.DataFrame({name: made[name] for name in schema.names if name in made}, index=index)


def hidden_cells(schema: Schema, frame: pd.DataFrame) -> pd.DataFrame:
    """Return which cells of the modelled columns of `frame` have no value: bool, True where missing."""
    names = [name for b in schema.blocks for name in b.names if name in frame.columns]
    return frame[[name for name in frame.columns if name in set(names)]].isna()


def fill(frame: pd.DataFrame, decoded: pd.DataFrame, hidden: pd.DataFrame) -> pd.DataFrame:
    """Copy `frame` with only the cells that `hidden` marks replaced by those of `decoded`, row by row.

    Args:
        frame: `(rows, …)`; its dtypes and every cell not marked come back bit for bit.
        decoded: Same number of rows; columns by name (`decode(schema, values, like=frame)`).
        hidden: Bool, True where to write; same number of rows, columns by name (`hidden_cells(schema, frame)`).
    Raises:
        DataError: other row counts, or a column of `hidden` that is not in the other two.
    """
    if not len(frame) == len(decoded) == len(hidden):
        raise DataError(f"row counts differ: frame {len(frame)}, decoded {len(decoded)}, hidden {len(hidden)}")
    out = frame.copy()
    for name in hidden.columns:
        write = hidden[name].to_numpy(bool)
        if not write.any():
            continue
        if name not in frame.columns or name not in decoded.columns:
            raise DataError(f"column {name!r} is to be filled but is not in the frame or not among the decoded columns")
        old, new = frame[name], decoded[name].set_axis(frame.index)
        if not old.notna().any() and old.dtype != new.dtype:
            out[name] = new.where(write)  # an empty column has no dtype of its own
            continue
        if isinstance(old.dtype, pd.CategoricalDtype) and isinstance(new.dtype, pd.CategoricalDtype):
            old = _with_categories(old, new[write])
        new = new if new.dtype == old.dtype else new.astype(old.dtype)
        out[name] = old.where(~write, new)
    return out


def _with_categories(old: pd.Series, written: pd.Series) -> pd.Series:
    """Add the categories that written cells need and the column lacks, where they stand among those of `written`."""
    needed = {*old.cat.categories, *written.unique().dropna()}
    names = [c for c in written.cat.categories if c in needed]
    return old if len(names) == len(old.cat.categories) else old.cat.set_categories(names)


def completed(schema: Schema, frame: pd.DataFrame, found: pd.DataFrame, seed: Any = None) -> pd.DataFrame:
    """Return a frame with hidden cells taken from `found`, so that rows keep the ties.

    Args:
        seed: Of draws among combinations; None takes the most frequent.
    """
    full, hidden, decoded = beside(frame, found)
    out = fill(full, decoded, hidden)
    if not schema.ties:
        return out
    there = {n: ~hidden[n].to_numpy() if n in hidden else np.ones(len(full), bool) for n in full.columns}
    return keep(schema, out, there, None if seed is None else np.random.default_rng(seed))


def between(
    schema: Schema, frame: pd.DataFrame, low: pd.DataFrame, high: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a frame filled with each of two ends of intervals; cells that ties settle have one value in both."""
    tied = completed(schema, frame, low), completed(schema, frame, high)
    columns = [n for n in low.columns if n in tied[0]]
    same = (tied[0][columns] == tied[1][columns]).fillna(False).to_numpy(bool)
    settled = tied[0][columns].set_axis(low.index)
    full, hidden, _ = beside(frame, low[columns])
    first, last = (fill(full, end[columns].where(~same, settled), hidden) for end in (low, high))
    return first, last


def beside(frame: pd.DataFrame, found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the frame with the columns that it lacks, which cells of `found`'s columns are hidden, and `found`."""
    decoded = found.set_axis(frame.index)
    full = frame.reindex(columns=[*frame.columns, *[n for n in decoded.columns if n not in frame.columns]])
    return full, full[list(decoded.columns)].isna(), decoded
