"""Distances between rows, after Gower (1971): the mean over the columns of a difference between 0 and 1.

    numbers   |r(a) - r(b)|, r the share of training rows that are smaller (ties in the middle), linear in between
    classes   0 when equal, else 1
    holes     0 when both are missing, 1 when one is

Ranks, not ranges: one huge value would make all others equal.
"""

from dataclasses import dataclass

import numpy as np

from laten.synthetic.coded_tables import CodedTable

TILE = (32, 4096)  # rows times rows at once: fits the processor's cache
HOLE = 2.0  # a missing number's rank; at least 1 from every other


@dataclass(frozen=True, eq=False)
class Points:
    """Rows ready to be compared; columns first, so that one column lies together.

    Args:
        ranks: `(numbers, rows)` float32 in [0, 1]; 2 where missing.
        codes: `(classes, rows)`.
    """

    ranks: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return self.ranks.shape[1]


@dataclass(frozen=True, eq=False)
class Nearest:
    """Distances to the closest real row, in [0, 1].

    Args:
        synthetic: `(queries,)` of synthetic rows.
        holdout: `(queries,)` of rows of the hold-out; empty without one.
    """

    synthetic: np.ndarray
    holdout: np.ndarray


def points(train: CodedTable, tables: list[CodedTable]) -> list[Points]:
    """Turn tables into points, numbers ranked among the training rows."""
    steps = []
    for column in train.numbers.T:
        values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)
        steps.append((values, middle) if len(values) else (np.zeros(1), np.zeros(1)))
    widest = max((int(t.classes.max(initial=0)) for t in (train, *tables)), default=0)
    dtype = np.uint8 if widest < 254 else np.int32
    out = []
    for table in tables:
        ranks = np.empty(table.numbers.T.shape, np.float32)
        for k, (values, middle) in enumerate(steps):
            x = table.numbers[:, k]
            ranks[k] = np.where(np.isnan(x), HOLE, np.interp(x, values, middle))
        out.append(Points(ranks, np.ascontiguousarray(table.classes.T + 1).astype(dtype)))
    return out


def nearest(queries: Points, references: Points) -> np.ndarray:
    """Return the `(queries,)` distance of each query to the closest reference, in [0, 1]."""
    best = np.full(len(queries), np.inf, np.float32)
    holes = [bool((q > 1).any() or (r > 1).any()) for q, r in zip(queries.ranks, references.ranks, strict=True)]
    for i in range(0, len(queries), TILE[0]):
        rows = slice(i, i + TILE[0])
        for j in range(0, len(references), TILE[1]):
            apart = _apart(queries, references, rows, slice(j, j + TILE[1]), holes)
            best[rows] = np.minimum(best[rows], apart.min(1))
    return best / max(len(queries.ranks) + len(queries.codes), 1)


def _apart(a: Points, b: Points, rows: slice, columns: slice, holes: list[bool]) -> np.ndarray:
    """Return `(rows, columns)` sums of differences."""
    width = (len(range(len(a))[rows]), len(range(len(b))[columns]))
    total, step = np.zeros(width, np.float32), np.empty(width, np.float32)
    unlike = np.zeros(width, np.uint8 if len(a.codes) < 256 else np.int32)
    for x, y in zip(a.codes, b.codes, strict=True):
        np.add(unlike, x[rows, None] != y[None, columns], out=unlike, casting="unsafe")
    for x, y, hole in zip(a.ranks, b.ranks, holes, strict=True):
        np.subtract(x[rows, None], y[None, columns], out=step)
        np.abs(step, out=step)
        if hole:
            np.minimum(step, np.float32(1), out=step)
        np.add(total, step, out=total)
    return np.add(total, unlike, out=total, casting="unsafe")
