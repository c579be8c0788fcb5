"""One column: cells of a frame to what a model sees, and back. `tables.py` does whole frames.

    series --numbers_of--> numbers in the column's own scale --codec--> values ... numbers --restore--> series
    series --codes_of--> classes ................................................. --restore_classes--> series

Where the codec is a histogram (`Schema.binned`) a number's value is the code of its bin, and a rare level's that of its
group. On the way back a code is a number drawn inside its bin, or the bin's centre; a level of the group, or its most
frequent.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns import parse
from laten.data.columns.codecs import Log
from laten.data.columns.column import CLASSES, Column
from laten.data.columns.dtypes import dtype_text
from laten.data.columns.durations import restore_durations, seconds
from laten.data.columns.rare_levels import Groups
from laten.data.columns.unseen_levels import from_other
from laten.data.histogram.histogram import Histogram
from laten.data.messages import shown, where


class Within(NamedTuple):
    """What a column's draws keep to: an interval in its own scale, or some of its numbers (or positions of classes)."""

    ends: tuple[float, float] = (-np.inf, np.inf)
    values: tuple[float, ...] | None = None


def encode_column(column: Column, series: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Values `(rows,)` with 0 in hidden cells, and a bool array that is True where observed."""
    if column.kind in CLASSES:
        at = codes_of(column, series)
        seen, at = at >= 0, np.maximum(at, 0)
        return at if column.groups is None else column.groups.encode(at), seen
    x = numbers_of(column, series)
    seen = ~np.isnan(x)
    if column.binned:
        y = np.zeros(len(x), np.int64)
        y[seen] = column.map.encode(x[seen])
        return y, seen
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


def codes_of(column: Column, series: pd.Series) -> np.ndarray:
    """Positions of cells among the column's classes, `(rows,)`, −1 where missing."""
    levels, other = column.classes, None
    if column.unseen == "other":
        levels, other = levels[:-1], len(levels) - 1
    return parse.codes(series, column.name, levels, other)


def numbers_of(column: Column, series: pd.Series) -> np.ndarray:
    """Cells `(rows,)` in the column's own scale (days for dates), NaN where hidden, checked against its kind."""
    if column.kind == "date":
        return parse.days(series, column.name, column.date.style, column.date.whole)
    if column.kind == "duration":
        return seconds(series, column.name)
    x = parse.numbers(series, column.name)
    bad = np.zeros(len(x), bool)
    expected = ""
    if column.kind == "count":
        bad = (x < 0) | ((x != np.round(x)) & ~np.isnan(x))
        expected = "whole numbers of at least 0"
    elif column.kind == "positive":
        above = isinstance(column.codec, Log) and column.codec.shift == 0
        bad = x <= 0 if above else x < 0
        expected = "numbers above 0" if above else "numbers of at least 0"
    if bad.any():
        raise DataError(
            f"column {column.name!r} was fitted as {column.kind}: expected {expected}, got {shown(x[bad].tolist())} "
            f"({where(bad)}); correct the cells, or fit again with schema.with_kind({column.name!r}, 'real')"
        )
    return x


def log_det_column(column: Column, series: pd.Series) -> np.ndarray:
    """The codec's log-determinant at each cell, `(rows,)` nats; 0 where hidden."""
    if column.groups is not None:
        at = codes_of(column, series)
        return np.where(at >= 0, column.groups.log_det(np.maximum(at, 0)), 0.0)
    x = numbers_of(column, series)
    seen, total = ~np.isnan(x), np.zeros(len(x))
    total[seen] = column.map.log_det(x[seen])
    return total


def decode_column(
    column: Column,
    y: np.ndarray,
    index: pd.Index,
    dtype: Any = None,
    *,
    rng: np.random.Generator | None = None,
    within: Within | None = None,
) -> pd.Series:
    """Values `(rows,)` back to cells of the original dtype.

    Args:
        dtype: Another dtype to come back in, where it can hold the values.
        rng: Draws numbers inside their bins; None takes the bins' centres.
        within: What draws and centres keep to inside their bin or group.
    """
    u = None if rng is None else rng.random(len(y))
    if column.kind in CLASSES:
        at = np.asarray(y).astype(np.int64)
        if column.groups is not None:
            at = _ungrouped(column.groups, at, u, within)
        at = at if column.unseen == "error" else from_other(column, at, rng)
        return parse.restore_classes(column, at, index, dtype)
    codec = column.map
    if not isinstance(codec, Histogram):
        return restore(column, codec.decode(y), index, dtype)
    codes = np.clip(np.asarray(y).astype(np.int64), 0, codec.size - 1)
    return restore(column, _inside(codec, codes, u, within), index, dtype)


def _inside(codec: Histogram, codes: np.ndarray, u: np.ndarray | None, within: Within | None) -> np.ndarray:
    """A number in each bin: drawn, or the centre."""
    if within is not None and within.values is not None:
        values = np.array(within.values, np.float64)
        shares = np.stack([codec.within(v, v) for v in values])
        return values[_pick(shares[:, codes], u)]
    low, high = (-np.inf, np.inf) if within is None else within.ends
    if u is None:
        x = codec.decode(codes)
    else:
        x = codec.draw(codes, u) if within is None else codec.draw_within(codes, u, low, high)
    return codec.snap(x, low, high)


def _ungrouped(groups: Groups, entry: np.ndarray, u: np.ndarray | None, within: Within | None) -> np.ndarray:
    """A class of each entry: drawn, or the most frequent."""
    if within is None or within.values is None:
        return groups.decode(entry) if u is None else groups.draw(entry, u)
    classes = np.array(within.values, np.int64)
    shares = np.where(groups.encode(classes)[:, None] == entry, groups.shares[classes][:, None], 0.0)
    return classes[_pick(shares, u)]


def _pick(shares: np.ndarray, u: np.ndarray | None) -> np.ndarray:
    """Which of m alternatives, for shares `(m, rows)`: drawn in their proportion, or the largest."""
    if u is None:
        return np.argmax(shares, axis=0)
    upto = np.cumsum(shares, axis=0)
    return np.minimum((upto <= u * upto[-1]).sum(axis=0), len(shares) - 1)


def restore(column: Column, x: np.ndarray, index: pd.Index, dtype: Any = None) -> pd.Series:
    """Numbers `(rows,)` in the column's own scale back to cells."""
    if column.kind == "date":
        return parse.restore_dates(column, x, index, dtype)
    if column.kind == "duration":
        return restore_durations(column, x, index, dtype)
    return parse.restore_numbers(column, x, index, dtype)


def like_dtype(column: Column, like: pd.DataFrame | None) -> Any:
    """The dtype of `like`'s column; None when it is lacking, or empty and so of no certain type."""
    if like is None or column.name not in like.columns:
        return None
    series = like[column.name]
    return series.dtype if series.notna().any() or dtype_text(series) == column.dtype else None


def constant(column: Column, index: pd.Index, dtype: Any) -> pd.Series:
    """A column that holds its one value throughout."""
    if column.seen.form == "duration":
        return restore_durations(column, np.full(len(index), column.low), index, dtype)
    if column.seen.form == "date":
        return parse.restore_dates(column, np.full(len(index), column.low), index, dtype)
    return parse.restore_classes(column, np.zeros(len(index)), index, dtype)
