"""Pair trends: how far each pair of columns is from going together as it does in the real table.

    two numbers           |rho - rho'| / 2, Pearson's correlations over the rows that have both
    two classes           total variation distance of the two contingency tables; missing is a class
    a number and a class  the same, the number cut into ten bins of equal width

The bins of the last are cut in two ways.

- *Own*: as in sdmetrics (1 - ColumnPairTrends; checked against 0.11.1), with which published figures were made. Each
  table is cut over its own range, its largest value has a bin to itself, and missing numbers share that bin. One
  largest value more or less therefore moves every bin of a heavy-tailed column.
- *Same*: all tables are cut over the real range, what lies beyond falls into the outer bins, and missing is a bin.

One thing differs from sdmetrics in both. A constant column has no correlation; sdmetrics leaves its pairs out, which
rewards a generator that collapses; here its correlation counts as 0.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from laten.synthetic.coded_tables import CodedTable, Coding

BINS = 10
SIZE = BINS + 2  # own: 0 .. 11, same: 0 .. 10
DENSE = 2**22  # cells of a contingency table held in full


class PairErrors(NamedTuple):
    """`(columns, columns)` errors in the schema's order, NaN on the diagonal."""

    own: np.ndarray
    same: np.ndarray


def correlations(x: np.ndarray) -> np.ndarray:
    """Return Pearson's correlations of `(rows, columns)` numbers, each over the rows that have both; 0 where undefined.

    Returns:
        `(columns, columns)`.
    """
    there = ~np.isnan(x)
    count = np.maximum(there.sum(0), 1)
    mean = np.where(there, x, 0).sum(0) / count
    z = np.where(there, x - mean, 0.0)
    scale = np.sqrt(np.square(z).sum(0) / count)
    z = z / np.where(scale > 1e-12 * np.abs(mean), scale, np.inf)
    m = there.astype(np.float64)
    n = np.maximum(m.T @ m, 1)  # rows that have both
    total, square = z.T @ m / n, np.square(z).T @ m / n  # [i, j]: of column i over the rows that have j too
    variance = np.maximum(square - total**2, 0.0)
    variance = np.where(variance > 1e-9, variance, np.inf)
    return (z.T @ z / n - total * total.T) / np.sqrt(variance) / np.sqrt(variance.T)


def edges(x: np.ndarray) -> np.ndarray:
    """Return the `(11,)` edges of ten bins of equal width over the range of numbers."""
    return np.histogram_bin_edges(x[~np.isnan(x)], BINS)


def own_bins(x: np.ndarray) -> np.ndarray:
    """Put `(rows,)` numbers into bins 1 .. 11 over their own range; the last is for their maximum and for holes."""
    return np.digitize(x, edges(x))


def same_bins(x: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Put `(rows,)` numbers into bins 0 .. 9 over the real range; 10 is for holes."""
    return np.where(np.isnan(x), BINS, np.digitize(x, edges(real)[1:-1]))


def contingency_errors(tables: Sequence[tuple[np.ndarray, np.ndarray]], sizes: tuple[int, int]) -> list[float]:
    """Return total variation distances of the first contingency table to each other one.

    Args:
        tables: For each table two columns of codes, from 0.
        sizes: How many codes each column may have.
    """
    joint = [a.astype(np.int64) * sizes[1] + b for a, b in tables]
    cells = sizes[0] * sizes[1]
    if cells > DENSE:
        values, at = np.unique(np.concatenate(joint), return_inverse=True)
        joint, cells = np.split(at, np.cumsum([len(x) for x in joint])[:-1]), len(values)
    first, *others = (np.bincount(x, minlength=cells) / len(x) for x in joint)
    return [float(np.abs(first - other).sum() / 2) for other in others]


def pair_errors(coding: Coding, real: CodedTable, others: Sequence[CodedTable]) -> list[PairErrors]:
    """Say for each other table how far its pairs are from the real ones."""
    tables, count = (real, *others), len(coding.numbers)
    codes = [[c.astype(np.int64) + 1 for c in t.classes.T] for t in tables]
    own = [[own_bins(x) for x in t.numbers.T] for t in tables]
    same = [[same_bins(x, r) for x, r in zip(t.numbers.T, real.numbers.T, strict=True)] for t in tables]
    total, sizes = len(coding.names), [k + 1 for k in coding.sizes]
    out = np.full((2, len(others), total, total), np.nan)
    rho = [correlations(t.numbers) for t in tables]
    out[:, :, :count, :count] = np.stack([np.abs(r - rho[0]) / 2 for r in rho[1:]])
    for i, j in combinations(range(len(sizes)), 2):
        pairs = [(c[i], c[j]) for c in codes]
        out[:, :, count + i, count + j] = contingency_errors(pairs, (sizes[i], sizes[j]))
    for way, bins in enumerate((own, same)):
        for i in range(count):
            for j, size in enumerate(sizes):
                pairs = [(b[i], c[j]) for b, c in zip(bins, codes, strict=True)]
                out[way, :, i, count + j] = contingency_errors(pairs, (SIZE, size))
    upper = np.triu(np.ones((total, total), bool), 1)
    out = np.where(upper, out, np.where(upper.T, out.swapaxes(2, 3), np.nan))
    out = out[:, :, coding.order][:, :, :, coding.order]
    return [PairErrors(*errors) for errors in out.swapaxes(0, 1)]
