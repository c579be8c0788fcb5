"""One column: cells of a frame to what a model sees, and back. `tables.py` does whole frames.

    cells --read--> numbers in the column's own scale --encode--> values ... numbers --restore--> series
    cells --read--> positions of classes ........................................... --restore_classes--> series

Where the codec is a histogram (`Schema.binned`) a number's value is the code of its bin, and a rare level's that of its
group. On the way back a code is a number drawn inside its bin, or the bin's centre; a level of the group, or its most
frequent.

Where there are no bins, a number further than `FAR` spreads from the fitted ones reaches the model as one at that
distance: squares of it stay float32. What lies beyond counts in float64, in the log-determinant, as under a normal of
one spread: very improbable, finite, and the further the less probable.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.cells import Cells
from laten.data.columns.codecs import Identity
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.columns.later_cells import as_fitted
from laten.data.columns.rare_levels import Groups
from laten.data.columns.restore import restore, restore_classes
from laten.data.columns.unseen_levels import from_other, log_left
from laten.data.histogram.histogram import Histogram
from laten.data.messages import shown, where

FAR = 1e4  # spreads
LEAST = -1e100  # nats; squares and sums of it stay finite


class Within(NamedTuple):
    """What a column's draws keep to: an interval in its own scale, or some of its numbers (or positions of classes)."""

    ends: tuple[float, float] = (-np.inf, np.inf)
    values: tuple[float, ...] | None = None


def read(column: Column, cells: Cells, odd: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Read the cells of a column.

    Args:
        odd: A class that the fit never saw, or a number that the kind does not allow, is no error: the model knows
            nothing of it.
    Returns:
        Positions of classes or numbers in the column's own scale `(rows,)`; where they are seen, not in odd cells; and
        the log of the probability left for odd cells `(rows,)`, nats, 0 elsewhere, or None where there are none.
    Raises:
        DataError: a cell does not fit the column.
    """
    if column.kind not in CLASSES:
        x = numbers_of(column, cells, odd)
        strange = misfits(column.kind, column.above, x)[0] if odd and not column.binned else np.zeros(len(x), bool)
        x, seen = np.where(strange, np.nan, x), ~np.isnan(x) & ~strange
    else:
        unseen = len(column.classes)
        x = cells.codes(column.classes, unseen) if odd and column.unseen == "error" else codes_of(column, cells)
        strange = x == unseen
        x, seen = np.where(strange, 0, np.maximum(x, 0)), (x >= 0) & ~strange
    if not strange.any():
        return x, seen, None
    left = np.zeros(len(x))
    left[strange] = log_left(column, cells.series[strange])
    return x, seen, left


def encode_column(column: Column, x: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return what `read` gave as values `(rows,)` of a model, 0 in hidden cells."""
    if column.kind in CLASSES:
        return x if column.groups is None else column.groups.encode(x)
    if column.binned:
        y = np.zeros(len(x), np.int64)
        y[seen] = column.map.encode(x[seen])
        return y
    far = FAR * _spread(column)
    with np.errstate(over="ignore"):
        y = column.map.encode(x)
    return np.where(seen, np.clip(y, -far, far), 0.0).astype(np.float32)


def _spread(column: Column) -> float:
    """Return what counts as one spread in what a model sees of a column without bins."""
    return 1.0 + max(column.seen.high or 0.0, 0.0) if isinstance(column.codec, Identity) else 1.0


def has_log_det(column: Column) -> bool:
    """Say whether a column's log-determinants may be other than zero: it has groups, or holds numbers."""
    return column.groups is not None or column.kind in NUMBERS


def log_det_column(column: Column, x: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return the codec's log-determinant at what `read` gave, `(rows,)` nats; 0 where hidden."""
    if column.groups is not None:
        return np.where(seen, column.groups.log_det(x), 0.0)
    total = np.zeros(len(x))
    if column.kind in CLASSES:
        return total
    with np.errstate(over="ignore"):
        total[seen] = column.map.log_det(x[seen])
        if not column.binned:
            y = np.where(seen, column.map.encode(x), 0.0) / _spread(column)
            total -= 0.5 * np.maximum(np.square(y) - FAR**2, 0.0)
    return np.maximum(total, LEAST)


def codes_of(column: Column, cells: Cells) -> np.ndarray:
    """Return positions of cells among the column's classes, `(rows,)`, −1 where missing."""
    levels, other = column.classes, None
    if column.unseen == "other":
        levels, other = levels[:-1], len(levels) - 1
    return as_fitted(column, cells).codes(levels, other)


def numbers_of(column: Column, cells: Cells, odd: bool = False) -> np.ndarray:
    """Return cells `(rows,)` in the column's own scale (days for dates), NaN where hidden.

    Args:
        odd: Take also numbers that the column's kind does not allow.
    """
    cells = as_fitted(column, cells)
    if column.kind == "date":
        return cells.days(column.date.style, column.date.whole)
    if column.kind == "duration":
        return cells.seconds
    x = cells.numbers
    if odd:
        return x
    bad, expected = misfits(column.kind, column.above, x)
    if bad.any():
        raise DataError(
            f"column {column.name!r} was fitted as {column.kind}: expected {expected}, got {shown(x[bad].tolist())} "
            f"({where(bad)}); correct the cells, or fit again with schema.with_kind({column.name!r}, 'real')"
        )
    return x


def decode_column(
    column: Column,
    y: np.ndarray,
    index: pd.Index,
    dtype: Any,
    *,
    rng: np.random.Generator | None = None,
    within: Within | None = None,
) -> pd.Series:
    """Turn values `(rows,)` back into cells.

    Args:
        dtype: Of the cells (`like_dtype`).
        rng: Draws numbers inside their bins; None takes the bins' centres.
        within: What draws and centres keep to inside their bin or group.
    """
    u = None if rng is None else rng.random(len(y))
    if column.kind in CLASSES:
        at = np.asarray(y).astype(np.int64)
        if column.groups is not None:
            at = _ungrouped(column.groups, at, u, within)
        at = at if column.unseen == "error" else from_other(column, at, rng)
        return restore_classes(column, at, index, dtype)
    codec = column.map
    if not isinstance(codec, Histogram):
        return restore(column, codec.decode(y), index, dtype)
    codes = np.clip(np.asarray(y).astype(np.int64), 0, codec.size - 1)
    return restore(column, _inside(codec, codes, u, within), index, dtype)


def _inside(codec: Histogram, codes: np.ndarray, u: np.ndarray | None, within: Within | None) -> np.ndarray:
    """Place a number in each bin: drawn, or the centre."""
    if within is not None and within.values is not None:
        values = np.array(within.values, np.float64)
        shares = np.stack([codec.within(v, v) for v in values])
        return values[_pick(shares[:, codes], u)]
    low, high = codec.kept(*(Within().ends if within is None else within.ends))
    return codec.snap(codec.decode(codes) if u is None else codec.draw(codes, u, low, high), low, high)


def _ungrouped(groups: Groups, entry: np.ndarray, u: np.ndarray | None, within: Within | None) -> np.ndarray:
    """Choose a class of each entry: drawn, or the most frequent."""
    if within is None or within.values is None:
        return groups.decode(entry) if u is None else groups.draw(entry, u)
    classes = np.array(within.values, np.int64)
    shares = np.where(groups.encode(classes)[:, None] == entry, groups.shares[classes][:, None], 0.0)
    return classes[_pick(shares, u)]


def _pick(shares: np.ndarray, u: np.ndarray | None) -> np.ndarray:
    """Choose one of m alternatives, for shares `(m, rows)`: drawn in their proportion, or the largest."""
    if u is None:
        return np.argmax(shares, axis=0)
    upto = np.cumsum(shares, axis=0)
    return np.minimum((upto <= u * upto[-1]).sum(axis=0), len(shares) - 1)


def misfits(kind: str, above: bool, x: np.ndarray) -> tuple[np.ndarray, str]:
    """Mark numbers `(rows,)` that a kind does not allow (with `above` zeros too), and say what it expects."""
    if kind == "count":
        return (x < 0) | ((x != np.round(x)) & ~np.isnan(x)), "whole numbers of at least 0"
    if kind != "positive":
        return np.zeros(len(x), bool), ""
    return (x <= 0, "numbers above 0") if above else (x < 0, "numbers of at least 0")
