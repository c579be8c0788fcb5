r"""From a frame to `Rows` and back, by the schema that was fitted.

    frame --encode--> Rows (values, mask) ... model ... values --decode--> frame of the original dtypes

The codecs' log-determinants come from `log_det`: for block columns $y = f(x)$,
$\log p(\text{row}) = \log p(y) + \sum_c \log|f_c'(x_c)|$ over observed cells (nats). A frame is checked against the
schema: each error names the column, the rows (from 0), what was expected and the way out.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from laten.data import cells
from laten.data.checks import check_frame, did_you_mean, shown, where
from laten.data.codecs import Date, Log
from laten.data.columns import CLASSES, Column
from laten.data.rows import Rows
from laten.data.schema import Schema
from laten.errors import DataError, known


def encode(schema: Schema, frame: pd.DataFrame, *, partial: bool = False) -> Rows:
    """Turns a frame into one array a block.

    Args:
        schema: As fitted.
        frame: Its columns by name, in any order; columns the schema does not know are ignored.
        partial: Columns that are lacking count as hidden instead of being an error.
    Returns:
        Rows with `values[node]` of `(rows, columns)`, or `(rows,)` for scalar nodes.
    Raises:
        DataError: no frame, no rows, a column lacking, of another type, a class never seen, infinities.
    """
    check_frame(frame)
    if not partial:
        _check_columns(schema, frame)
    values, mask, n = {}, {}, len(frame)
    for block in schema.blocks:
        array = np.zeros((n, len(block.columns)), block.dtype)
        seen = np.ones(array.shape, bool)
        for i, column in enumerate(block.columns):
            if column.name not in frame.columns:
                seen[:, i] = False
                continue
            array[:, i], seen[:, i] = _encode_column(column, frame[column.name])
        values[block.node] = array[:, 0] if block.scalar else array
        if not seen.all():
            mask[block.node] = seen[:, 0] if block.scalar else seen
    labels = {b.node: tuple(map(str, b.names)) for b in schema.blocks}
    return Rows(values, n, mask, labels, dict.fromkeys(values, "none"))


def _check_columns(schema: Schema, frame: pd.DataFrame) -> None:
    lacking = [name for b in schema.blocks for name in b.names if name not in frame.columns]
    if lacking:
        s = "s" if len(lacking) > 1 else ""
        raise DataError(
            f"the frame lacks the fitted column{s} {known(lacking)}{did_you_mean(lacking[0], frame.columns)}; "
            "rename it, or add it with empty cells to have it treated as missing"
        )


def _encode_column(column: Column, series: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Values `(rows,)` with 0 in hidden cells, and a bool array that is True where observed."""
    if column.kind in CLASSES:
        at = cells.codes(series, column.name, column.classes)
        return np.maximum(at, 0), at >= 0
    x = _numbers(column, series)
    seen = ~np.isnan(x)
    y = column.map.encode(x)
    with np.errstate(over="ignore"):
        y = np.where(seen, y, 0.0).astype(np.float32)
    bad = ~np.isfinite(y)
    if bad.any():
        raise DataError(
            f"column {column.name!r}: {where(bad)}: {shown(x[bad])} lies too far from the fitted range "
            f"{column.describe()} to be a float32; correct it or leave the cell empty"
        )
    return y, seen


def _numbers(column: Column, series: pd.Series) -> np.ndarray:
    """Cells `(rows,)` in the column's own scale (days for dates), NaN where hidden, checked against its kind."""
    if isinstance(column.codec, Date):
        return cells.days(series, column.name, column.codec.style, column.codec.whole)
    x = cells.numbers(series, column.name)
    bad = np.zeros(len(x), bool)
    expected = ""
    if column.kind == "count":
        bad = (x < 0) | ((x != np.round(x)) & ~np.isnan(x))
        expected = "whole numbers of at least 0"
    elif isinstance(column.codec, Log):
        bad = x < 0 if column.codec.shift > 0 else x <= 0
        expected = "numbers of at least 0" if column.codec.shift > 0 else "numbers above 0"
    if bad.any():
        raise DataError(
            f"column {column.name!r} was fitted as {column.kind}: expected {expected}, got {shown(x[bad].tolist())} "
            f"({where(bad)}); correct the cells, or fit again with schema.with_kind({column.name!r}, 'real')"
        )
    return x


def log_det(schema: Schema, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Log-determinants of the codecs, to be added to a model's log-densities per site.

    Returns:
        Node -> `(rows, columns)` (or `(rows,)`), float64 nats: log |dy/dx|; 0 where hidden, discrete or not in the
        frame.
    """
    check_frame(frame)
    found = {}
    for block in schema.blocks:
        shape = (len(frame), len(block.columns))
        if block.family_kind != "real":
            total = np.broadcast_to(np.float64(0), shape)  # takes no room
        else:
            total = np.zeros(shape)
            for i, column in enumerate(block.columns):
                if column.name in frame.columns:
                    x = _numbers(column, frame[column.name])
                    seen = ~np.isnan(x)
                    total[seen, i] = column.map.log_det(x[seen])
        found[block.node] = total[:, 0] if block.scalar else total
    return found


def decode(
    schema: Schema, values: Mapping[str, np.ndarray], *, index: pd.Index | None = None, like: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Turns arrays of a model back into a frame in the user's units, types and labels.

    Args:
        values: Node -> `(rows, columns)` or `(rows,)`; nodes left out leave their columns out.
        index: Row labels; 0, 1, … by default.
        like: A frame whose row labels and column dtypes are taken over where they can hold the values.
    Returns:
        Modelled columns and constants, in the fitted order. Identifiers and free text are not invented.
    Raises:
        DataError: an array of the wrong shape.
    """
    sizes = {len(v) for v in values.values()}
    if len(sizes) != 1:
        raise DataError(f"all nodes must have the same number of rows, got {sorted(sizes)}")
    n = sizes.pop()
    index = like.index if like is not None else pd.RangeIndex(n) if index is None else index
    made = {}
    for block in schema.blocks:
        if block.node in values:
            array = np.asarray(values[block.node])
            if array.shape != (n, *block.shape):
                raise DataError(f"node {block.node!r}: expected shape {(n, *block.shape)}, got {array.shape}")
            array = array.reshape(n, -1)
            for i, column in enumerate(block.columns):
                made[column.name] = _decode_column(column, array[:, i], index, _like_dtype(column, like))
    made |= {c.name: _constant(c, index, _like_dtype(c, like)) for c in schema.columns if c.kind == "constant"}
    return pd.DataFrame({name: made[name] for name in schema.names if name in made}, index=index)


def _decode_column(column: Column, y: np.ndarray, index: pd.Index, dtype: Any) -> pd.Series:
    if column.kind in CLASSES:
        return cells.restore_classes(column, y, index, dtype)
    codec = column.map
    if isinstance(codec, Date):
        return cells.restore_dates(column, codec.decode(y), index, dtype)
    return cells.restore_numbers(column, codec.decode(y), index, dtype)


def _like_dtype(column: Column, like: pd.DataFrame | None) -> Any:
    """The dtype of `like`'s column; None when it is lacking, or empty and so of no certain type."""
    if like is None or column.name not in like.columns:
        return None
    series = like[column.name]
    return series.dtype if series.notna().any() or cells.dtype_text(series) == column.dtype else None


def _constant(column: Column, index: pd.Index, dtype: Any) -> pd.Series:
    if column.seen.form == "date" or (column.seen.codecs and isinstance(column.seen.codecs[0], Date)):
        as_date = replace(column, kind="date", codec=column.seen.codecs[0], levels=None)
        return cells.restore_dates(as_date, np.full(len(index), column.low), index, dtype)
    return cells.restore_classes(column, np.zeros(len(index)), index, dtype)


def column_mask(schema: Schema, mask: Mapping[str, np.ndarray], n: int, index: pd.Index | None = None) -> pd.DataFrame:
    """Masks of nodes as a frame: `(n, modelled columns)` bool, True where observed, as are nodes without a mask."""
    made: dict[Any, np.ndarray] = {}
    for block in schema.blocks:
        array = np.asarray(mask.get(block.node, np.ones((n, *block.shape), bool))).reshape(n, len(block.columns))
        made |= {name: array[:, i] for i, name in enumerate(block.names)}
    return pd.DataFrame({name: made[name] for name in schema.names if name in made}, index=index)


def hidden_cells(schema: Schema, frame: pd.DataFrame) -> pd.DataFrame:
    """Which cells of the modelled columns of `frame` have no value: bool, True where missing."""
    names = [name for b in schema.blocks for name in b.names if name in frame.columns]
    return frame[[name for name in frame.columns if name in set(names)]].isna()


def fill(frame: pd.DataFrame, decoded: pd.DataFrame, hidden: pd.DataFrame) -> pd.DataFrame:
    """A copy of `frame` in which only the cells that `hidden` marks are replaced by those of `decoded`, row by row.

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
        new = new if new.dtype == old.dtype else new.astype(old.dtype)
        out[name] = old.where(~write, new)
    return out
