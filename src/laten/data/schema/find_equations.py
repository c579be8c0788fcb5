"""Equations among columns of numbers that nearly all rows of a few keep: proposals, to be checked on all rows.

Sixty-four rows reject nearly all pairs and triples, so that time grows with the square of the columns (of triples with
the cube, in products of arrays). `find_ties.py` says what counts as no chance.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from laten.data.columns.cells import Cells
from laten.data.columns.column import Column
from laten.data.constraints import Constraint, Name, Product, Sum
from laten.data.schema.ties import comparable, slack

NEAR = 0.01  # of the rows, that may break what is proposed
MOST_TRIPLES, RUN = 40, 12  # columns among which sums of three are sought; terms of one that stand side by side
_ROWS, _LOOK = 20, 64
_ODD = 2  # rows of those looked at that may break it


class Numbers(NamedTuple):
    """Columns of numbers: all rows, and a few of them `(columns, rows)`."""

    columns: list[Column]
    x: list[np.ndarray]
    few: np.ndarray
    slack: np.ndarray  # of the few

    def without(self, names: set[Name]) -> "Numbers":
        """Return all but the columns of these names."""
        keep = [i for i, c in enumerate(self.columns) if c.name not in names]
        return Numbers([self.columns[i] for i in keep], [self.x[i] for i in keep], self.few[keep], self.slack[keep])


def numbers_of(columns: list[Column], cells: Mapping[Name, Cells]) -> Numbers:
    """Return columns of numbers, dates and durations as numbers that can be added."""
    x = [comparable(c, cells[c.name]) for c in columns]
    n = len(x[0]) if x else 0
    at = np.unique(np.linspace(0, n - 1, min(n, _LOOK)).astype(int)) if n else np.zeros(0, int)
    few = np.stack([v[at] for v in x]) if x else np.zeros((0, 0))
    varied = [i for i, v in enumerate(few) if _off_mode(v) > _ODD]  # what hardly varies would be a term of anything
    columns, x, few = [columns[i] for i in varied], [x[i] for i in varied], few[varied]
    widths = [slack(c, np.abs(v)) for c, v in zip(columns, few, strict=True)]
    return Numbers(columns, x, few, np.stack(widths) if widths else few)


def _off_mode(x: np.ndarray) -> int:
    """Return how many numbers differ from the most frequent."""
    counts = np.unique(x[np.isfinite(x)], return_counts=True)[1]
    return int(counts.sum() - counts.max(initial=0))


def lines(numbers: Numbers) -> Iterator[Constraint]:
    """Propose C = k A + c where the few rows lie on a line."""
    columns, x, few, _ = numbers
    if len(columns) < 2:
        return
    seen = np.isfinite(few)
    z = np.where(seen, few, 0.0) - np.where(seen, few, 0.0).mean(axis=1, keepdims=True) * seen
    z /= np.maximum(np.abs(z).max(axis=1, keepdims=True, initial=0.0), 1e-300)
    w = seen.astype(float)
    rows = w @ w.T
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, square = z @ w.T / rows, (z * z) @ w.T / rows
        cov = z @ z.T / rows - mean * mean.T
        r2 = cov**2 / ((square - mean**2) * (square - mean**2).T)
    for i, j in zip(*np.nonzero(np.triu(r2 > 0.99, 1) & (rows >= 8)), strict=True):
        if columns[i].seen.form != columns[j].seen.form:
            continue
        both = np.isfinite(x[i]) & np.isfinite(x[j])
        if both.sum() < _ROWS or min(len(np.unique(x[k][both][:10_000])) for k in (i, j)) < 5:
            continue
        for a, c in ((i, j), (j, i)):  # the later follows from the earlier, unless it is the coarser
            line = _line(x[a][both], x[c][both], columns[c])
            if line is not None:
                k, constant = line
                yield Sum(columns[c].name, (columns[a].name,), () if k == 1 else (k,), constant)
                break


def _line(a: np.ndarray, c: np.ndarray, column: Column) -> tuple[float, float] | None:
    """Return the shortest k and constant with c = k a + constant in nearly all rows."""
    centre = a.mean()
    spread = np.sum((a - centre) ** 2)
    if spread == 0:
        return None
    k = float(np.sum((a - centre) * (c - c.mean())) / spread)
    size = float(np.abs(c).max()) or 1.0
    for half in (0.0, slack(column, 0.0)):  # exact before rounded: n and n + 0.5 are no copies
        for digits in (1, 2, 3, 4, 6, 9, 12):
            short = float(f"{k:.{digits}g}")
            rest = float(np.median(c - short * a))
            width = half + slack(column, np.abs(c) + np.abs(short * a)) - slack(column, 0.0)
            for constant in (round(rest), float(f"{rest:.{digits}g}"), rest):
                constant = 0.0 if abs(constant) < 1e-9 * size else float(constant)
                off = np.abs(c - short * a - constant) > width
                if short and off.mean() <= NEAR:
                    return short, constant
    return None


def sums_and_products(numbers: Numbers) -> Iterator[Constraint]:
    """Propose totals of two columns, of three, of many side by side; and products of two."""
    columns, _, few, _ = numbers
    m = len(columns)
    with np.errstate(invalid="ignore", over="ignore"):
        for i in range(m):
            rest = few[i + 1 :]
            for made, kind in ((few[i] + rest, Sum), (few[i] * rest, Product)):
                for j, k in _matches(made, numbers):
                    if _real(numbers, (i, i + 1 + j), k, kind is Product):
                        yield kind(columns[k].name, (columns[i].name, columns[i + 1 + j].name))
        for start in range(m):
            total = few[start].copy()
            for end in range(start + 1, min(start + RUN, m)):
                total = total + few[end]
                if end - start >= 2:
                    for _, k in _matches(total[None], numbers):
                        if _real(numbers, tuple(range(start, end + 1)), k, False):
                            yield Sum(columns[k].name, tuple(c.name for c in columns[start : end + 1]))
        for i in range(m if m <= MOST_TRIPLES else 0):
            for j in range(i + 1, m):
                for at, k in _matches(few[i] + few[j] + few[j + 1 :], numbers):
                    terms = (i, j, j + 1 + at)
                    if _real(numbers, terms, k, False):
                        yield Sum(columns[k].name, tuple(columns[t].name for t in terms))


def _matches(made: np.ndarray, numbers: Numbers) -> list[tuple[int, int]]:
    """Return which of the numbers `made (n, few rows)` are which column, in nearly all of the few rows."""
    first = min(8, made.shape[1])
    close = np.zeros((len(made), len(numbers.columns)), bool)
    for part in (slice(0, first), slice(first, None)):
        if part.start and not close.any():
            break
        which = np.flatnonzero(close.any(axis=1)) if part.start else np.arange(len(made))
        off = np.abs(made[which, None, part] - numbers.few[None, :, part]) > numbers.slack[
            None, :, part
        ] + 1e-9 * np.abs(made[which, None, part])
        good = off.sum(axis=2) <= _ODD
        close[which] = good & close[which] if part.start else good
    return [(int(a), int(b)) for a, b in zip(*np.nonzero(close), strict=True)]


def _real(numbers: Numbers, terms: tuple[int, ...], total: int, product: bool) -> bool:
    """Say whether there is enough in a total and its terms that a relation between them is no chance."""
    if total in terms:
        return False
    x = np.stack([numbers.x[i] for i in (total, *terms)])
    x = x[:, np.isfinite(x).all(axis=0)]
    if x.shape[1] < _ROWS or len(np.unique(x[0][:10_000])) < 5:
        return False
    neutral = 1.0 if product else 0.0
    plain = [v[(v != neutral) & (v != 0)] for v in x[1:]]
    return all(len(v) > 5 and len(np.unique(v[:10_000])) >= (3 if product or len(terms) == 2 else 2) for v in plain)
