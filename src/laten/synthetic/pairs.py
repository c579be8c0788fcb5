"""Pair trends: how far each pair of columns is from going together as it does in the real table.

    two numbers           |rho - rho'| / 2, Pearson's correlations over the rows that have both
    two classes           total variation distance of the two contingency tables; missing is a class
    a number and a class  the same, the number cut into ten bins of equal width

The bins of the last are cut in two ways.

- *Own*: as in sdmetrics (1 - ColumnPairTrends; checked against 0.11.1), with which published figures were made. Each
  table is cut over its own range, its largest value has a bin to itself, and missing numbers share that bin. One
  largest value more or less therefore moves every bin of a heavy-tailed column.
- *Same*: all tables are cut over the real range, what lies beyond falls into the outer bins, and missing is a bin.

sdmetrics 0.32 averages over *strong* pairs alone, of which the real table says |rho| > 0.5, or of whose contingency
table Cramér's V > 0.3 (`strong_pairs`); its errors are those of the own bins.

One thing differs from sdmetrics in all. A constant column has no correlation; sdmetrics leaves its pairs out, which
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
STRONG, STRONG_CLASSES = 0.5, 0.3  # a correlation, and Cramér's V, above which a pair is strong in sdmetrics 0.32


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


def cramer(a: np.ndarray, b: np.ndarray) -> float:
    """Return Cramér's V of two columns of codes `(rows,)`; 0 where one of them is constant."""
    rows, first = np.unique(a, return_inverse=True)
    columns, second = np.unique(b, return_inverse=True)
    least = min(len(rows), len(columns)) - 1
    if least == 0:
        return 0.0
    p, q = np.bincount(first) / len(a), np.bincount(second) / len(a)
    cells, count = np.unique(first * len(columns) + second, return_counts=True)
    joint, alone = count / len(a), p[cells // len(columns)] * q[cells % len(columns)]
    chi2 = np.sum(joint**2 / alone) - 1  # over the rows; cells without rows count p q each
    return float(np.sqrt(max(chi2, 0.0) / least))


def strong_pairs(coding: Coding, real: CodedTable) -> np.ndarray:
    """Say which pairs sdmetrics 0.32 looks at, `(columns, columns)` in the schema's order."""
    count = len(coding.numbers)
    codes = [own_bins(x) for x in real.numbers.T] + list(real.classes.T)
    out = np.zeros((len(coding.names),) * 2, bool)
    out[:count, :count] = np.abs(correlations(real.numbers)) > STRONG
    for i, j in combinations(range(len(codes)), 2):
        if j >= count:
            out[i, j] = out[j, i] = cramer(codes[i], codes[j]) > STRONG_CLASSES
    np.fill_diagonal(out, False)
    return out[coding.order][:, coding.order]


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
