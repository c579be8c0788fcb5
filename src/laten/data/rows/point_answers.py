r"""From a model's probabilities to one answer a cell of the frame: a point, an interval, the probabilities of levels.

Of a number with bin probabilities $p_k$: the mean is $\sum_k p_k c_k$ with the bins' centres $c_k$, quantiles and the
mode are those of the whole density. Between ordinary dates and an open end in 9999 the mean is a year that no row has:
there the point is the median. Of an ordinal column the median, of a category the mode.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.data.columns.column import CLASSES, Column
from laten.data.columns.encode import decode_column
from laten.data.columns.restore import like_dtype, restore
from laten.data.histogram.histogram import Histogram, shares
from laten.data.records import replace
from laten.data.rows.tables import framed, rows_of
from laten.data.schema.contract import Name
from laten.data.schema.schema import Schema

MOST_CELLS = 10**8  # of a frame of probabilities
GAP, DATE_GAP = 0.75, 0.25  # share of a column's range that is empty, in which no mean of numbers, of dates, is taken
STATISTICS = ("auto", "mean", "median", "mode")


def expected(
    schema: Schema,
    probabilities: Mapping[str, np.ndarray],
    *,
    like: pd.DataFrame | None = None,
    statistic: str = "auto",
) -> pd.DataFrame:
    """Return one point for each cell.

    Args:
        probabilities: Node -> `(n, total)` probabilities of classes or bins, packed column after column; of binary
            nodes `(n, *shape)`, P(second level); of other nodes `(n, *shape)`, the values themselves.
        like: A frame whose row labels and column dtypes are taken over where they can hold the values.
        statistic: Of numbers: `mean`, `median` or `mode`; `auto` is the mean, rounded as the column's values are, or
            the median where the mean lies in a wide gap of the column, in which nothing was seen. Of ordinal columns
            the median unless `mode`; of categories always the mode.
    Returns:
        Modelled columns and constants, in the fitted order.
    Raises:
        DataError: another statistic, or an array of the wrong shape.
    """
    if statistic not in STATISTICS:
        raise DataError(f"statistic must be one of {known(STATISTICS)}, not {statistic!r}")
    n = rows_of(probabilities)
    index = pd.RangeIndex(n) if like is None else like.index
    made = {}
    for column, p in _columns(schema, probabilities, n):
        dtype = like_dtype(column, like)
        if isinstance(codec := column.codec, Histogram):
            if statistic in ("auto", "mean"):
                x = shares(p) @ np.array(codec.centres)
                if statistic == "auto":
                    lost = gaps(codec, DATE_GAP if column.kind == "date" else GAP)[codec.places(x)[0]]
                    x = np.where(lost, codec.quantile(p, 0.5), x)
            else:
                x = codec.quantile(p, 0.5) if statistic == "median" else codec.mode(p)
            exact = statistic == "mean" and column.kind != "date"  # a mean is on no grid
            shown = replace(column, seen=replace(column.seen, decimals=None, digits=None)) if exact else column
            made[column.name] = restore(shown, x if exact else codec.snap(x), index, dtype)
        else:
            made[column.name] = decode_column(column, _point(column, p, statistic), index, dtype)
    return framed(schema, made, index, like)


def gaps(codec: Histogram, least: float) -> np.ndarray:
    """Mark pieces in which hardly anything was seen and that are at least the share `least` of the range wide."""
    edges, rows = np.array(codec.edges), np.array(codec.mass)
    wide = np.diff(edges) >= least * max(edges[-1] - edges[0], np.finfo(np.float64).tiny)
    return np.concatenate([[False], wide & (rows[1:-1] <= 0.01 * rows.sum()), [False]])


def intervals(
    schema: Schema, probabilities: Mapping[str, np.ndarray], coverage: float = 0.9, *, like: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return central intervals: as much probability is left out below as above.

    Args:
        probabilities: As in `expected`.
        coverage: Probability inside, at least.
        like: As in `expected`.
    Returns:
        Lower and upper ends, frames of binned and ordinal columns; other columns are left out.
    Raises:
        DataError: coverage that is not between 0 and 1, or an array of the wrong shape.
    """
    if not 0 < coverage < 1:
        raise DataError(f"coverage is a probability between 0 and 1, not {coverage!r}")
    n = rows_of(probabilities)
    index = pd.RangeIndex(n) if like is None else like.index
    found = []
    for q in ((1 - coverage) / 2, (1 + coverage) / 2):
        made = {}
        for column, p in _columns(schema, probabilities, n):
            dtype = like_dtype(column, like)
            if isinstance(codec := column.codec, Histogram):
                made[column.name] = restore(column, codec.snap(codec.quantile(p, q)), index, dtype)
            elif column.kind == "ordinal":
                made[column.name] = decode_column(column, _at(p, q), index, dtype)
        found.append(pd.DataFrame({name: made[name] for name in schema.names if name in made}, index=index))
    return found[0], found[1]


def level_probabilities(schema: Schema, probabilities: Mapping[str, np.ndarray], name: Name) -> pd.DataFrame:
    """Return probabilities of each level of a column of classes, `(n, levels)`.

    Raises:
        DataError: the column has no levels, or is not among the nodes.
    """
    for column, p in _columns(schema, probabilities, rows_of(probabilities)):
        if column.name != name:
            continue
        if column.kind not in CLASSES:
            raise DataError(f"column {name!r} is {column.kind} and has no levels; ask for its mean or an interval")
        p = np.stack([1 - p, p], axis=1) if p.ndim == 1 else shares(p)
        if column.groups is not None:
            if len(p) * len(column.classes) > MOST_CELLS:
                raise DataError(
                    f"column {name!r} has {len(column.classes)} levels: {len(p)} rows of their probabilities are too "
                    "many to hold at once; ask for fewer rows"
                )
            p = column.groups.spread(p)
        return pd.DataFrame(p, columns=pd.Index(list(column.classes), dtype=object))
    raise DataError(f"column {name!r} is in none of the nodes {known(probabilities)}")


def _columns(schema: Schema, arrays: Mapping[str, np.ndarray], n: int) -> Iterator[tuple[Column, np.ndarray]]:
    """Iterate over columns with their parts of arrays: `(n, size)` for classes and bins, `(n,)` for single numbers."""
    for block in schema.blocks:
        if block.node not in arrays:
            continue
        packed = block.family_kind in ("categorical", "ordinal", "bins")
        array, shape = np.asarray(arrays[block.node]), (n, sum(block.sizes)) if packed else (n, *block.shape)
        if array.shape != shape:
            raise DataError(f"node {block.node!r}: expected shape {shape}, got {array.shape}")
        array = array.reshape(n, -1)
        start = 0
        for i, column in enumerate(block.columns):
            if packed:
                yield column, array[:, start : start + block.sizes[i]]
                start += block.sizes[i]
            else:
                yield column, array[:, i]


def _point(column: Column, p: np.ndarray, statistic: str) -> Any:
    """Return a class for each row, or the value that stands there already."""
    if column.kind == "binary":
        return (p > 0.5).astype(np.int64)
    if column.kind == "ordinal" and statistic != "mode":
        return _at(p, 0.5)
    if column.groups is not None:  # decoding takes the most frequent level of an entry: of the entry whose level it is
        return column.groups.encode(column.groups.best(p))
    return np.argmax(p, axis=1) if column.kind in CLASSES else p


def _at(p: np.ndarray, q: float) -> np.ndarray:
    """Return the first class at which the probability of it and those before reaches `q`."""
    return np.minimum((np.cumsum(shares(p), axis=1) < q - 1e-12).sum(axis=1), p.shape[1] - 1)
