r"""Which constraints the rows of a table keep: found by looking at all rows, never by names.

A relation that holds in every row may still be chance. It counts when many rows would break it if its columns had
nothing to do with one another:

- *B from A* (`city -> state`): A has classes. Each row that repeats a level of A is a trial, which chance passes with
  the probability that two rows agree in B. At least `BREAKS` breaks must be expected. So an identifier, of which
  nothing repeats, settles nothing, and a column that is nearly constant is settled by nothing. Of several columns that
  settle B the one with the fewest levels counts, of two that settle each other the first in the table.
- *C = k A + c*: A has five distinct values or more; k and c are the shortest decimals that fit.
- *C = A + B, C = A × B*, and sums of three (in tables of at most 40 numbers) or of up to twelve columns that stand
  side by side: 20 rows, five distinct values of C, three of each term, which more than five rows have other than 0 (or
  1, in a product).
- *A ≤ B*: both dates, both durations, or both numbers of equally many decimals. `BREAKS` breaks must be expected, in
  at least 2 % of the rows, 10 % for numbers.

A column follows from one relation at most, and none from itself. What all rows but one in a hundred keep is a *near*
tie, where it has less than a tenth of the breaks expected: it is mentioned, not kept. Numbers in order are no near tie.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from laten.data.columns.cells import Cells
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.constraints import Constraint, Follows, Inequality, Name, columns_of
from laten.data.schema.find_equations import NEAR, Numbers, lines, numbers_of, sums_and_products
from laten.data.schema.ties import MOST_SEEN, ancestors, broken, factor, follower, is_number

BREAKS = 30.0  # that chance would make
FEW = 0.1  # of these, at most, that a near tie has
MOST_NUMBERS = 200  # columns among which equations are sought
_ODD = 2  # rows of the few looked at that may break an inequality


class Found(NamedTuple):
    """A relation, and which rows break it."""

    constraint: Constraint
    bad: np.ndarray

    @property
    def exact(self) -> bool:
        """No row breaks it."""
        return not self.bad.any()


@np.errstate(all="ignore")  # numbers near the float limit; holes
def find_ties(columns: Sequence[Column], cells: Mapping[Name, Cells], told: Sequence[Constraint] = ()) -> list[Found]:
    """Find what all rows keep, and what nearly all do.

    Args:
        told: Constraints that were declared; what is found is beside them.
    Returns:
        Equations in an order in which they can be computed, then inequalities, then near ties; without `told`.
    """
    by_name = {c.name: c for c in columns}
    modelled = [c for c in columns if c.kind in (*CLASSES, *NUMBERS)]
    numbers = numbers_of([c for c in modelled if is_number(c)][:MOST_NUMBERS], cells)
    found: list[Found] = []
    of = {n: set(columns_of(c)) - {n} for c in told if (n := follower(c)) is not None}
    for search in (lines, sums_and_products):
        for constraint in search(numbers.without(set(of))):
            names = columns_of(constraint)
            if any(n in of for n in names):
                continue
            bad = broken(constraint, by_name, cells)
            if bad.mean() <= NEAR:
                found.append(Found(constraint, bad))
                if not bad.any():
                    of[names[0]] = set(names[1:])
    for f in _follows(modelled, cells, set(of)):
        name, source = columns_of(f.constraint)[-1], columns_of(f.constraint)[0]
        if name not in ancestors(source, of):
            found.append(f)
            if f.exact:
                of[name] = {source}
    tied = [set(columns_of(f)) for f in (*(f.constraint for f in found), *told)]
    found += [f for f in _inequalities(numbers) if not any({*columns_of(f.constraint)} <= t for t in tied)]
    return [f for f in found if f.exact] + [f for f in found if not f.exact]


def _follows(columns: list[Column], cells: Mapping[Name, Cells], taken: set[Name]) -> list[Found]:
    """Find columns that have one value for each level of another."""
    codes = {c.name: factor(c, cells[c.name])[0] for c in columns}
    levels = {n: int(at.max(initial=-1)) + 1 for n, at in codes.items()}
    agree = {n: float(np.sum((np.bincount(at[at >= 0]) / max((at >= 0).sum(), 1)) ** 2)) for n, at in codes.items()}
    sources = sorted(
        (c.name for c in columns if c.kind in CLASSES and levels[c.name] <= MOST_SEEN), key=lambda n: levels[n]
    )
    rank = {c.name: i for i, c in enumerate(columns)}
    stack = np.stack([codes[c.name] for c in columns], axis=1) if columns else np.zeros((0, 0), int)
    few = np.unique(np.linspace(0, max(len(stack) - 1, 0), min(len(stack), 2000)).astype(int))
    found: list[Found] = []
    parent: set[Name] = set()
    for source in sources:
        candidates = _settled(stack[few], stack[few, rank[source]], 0.02) if len(stack) else []
        order = None
        for j in candidates:
            name = columns[j].name
            if name == source or name in taken or name in parent or levels[name] < 2 or levels[name] > levels[source]:
                continue
            if levels[name] == levels[source] and rank[name] < rank[source]:
                continue
            if order is None:
                order = np.argsort(codes[source], kind="stable")
                order = order[codes[source][order] >= 0]
            trials = len(order) - levels[source]
            expected = trials * (1 - agree[name])
            if expected < BREAKS:
                continue
            bad = _odd_ones(codes[source][order], codes[name][order], order, len(stack))
            if bad.mean() <= NEAR and bad.sum() <= FEW * expected:
                found.append(Found(Follows(name, (source,)), bad))
                if not bad.any():
                    parent.add(name)
    return [f for f in found if f.exact or f.constraint.column not in parent]  # type: ignore[union-attr]


def _settled(stack: np.ndarray, source: np.ndarray, most: float) -> list[int]:
    """Return the columns of `stack (rows, columns)` that change in few of the steps between rows of one level."""
    order = np.argsort(source, kind="stable")
    order = order[source[order] >= 0]
    a, b = order[:-1], order[1:]
    same = source[a] == source[b]
    a, b = a[same], b[same]
    both = (stack[a] >= 0) & (stack[b] >= 0)
    changed = ((stack[a] != stack[b]) & both).sum(axis=0)
    return np.flatnonzero(changed <= np.maximum(2 * most * both.sum(axis=0), 0)).tolist()


def _odd_ones(source: np.ndarray, other: np.ndarray, order: np.ndarray, rows: int) -> np.ndarray:
    """Mark rows whose value is not that of most rows of their level; `source` is sorted, `order` are their numbers."""
    bad = np.zeros(rows, bool)
    there = other >= 0
    source, other, order = source[there], other[there], order[there]
    if not np.any((source[1:] == source[:-1]) & (other[1:] != other[:-1])):
        return bad
    pair, inverse, counts = np.unique(source * (other.max() + 1) + other, return_inverse=True, return_counts=True)
    level = pair // (other.max() + 1)
    best = np.zeros(level.max() + 1, np.int64)
    np.maximum.at(best, level, counts)
    bad[order] = (counts < best[level])[inverse]
    return bad


def _inequalities(numbers: Numbers) -> list[Found]:
    """Find pairs of which one is never above the other, without those that follow from two others."""
    columns, x, few, _ = numbers
    found: dict[tuple[int, int], Found] = {}
    rolls = [np.roll(few, r, axis=1) for r in range(1, min(9, few.shape[1]))]
    for i, column in enumerate(columns):
        if column.kind not in NUMBERS or not rolls:
            continue
        above = (few[i] > few).sum(axis=1)
        chance = np.mean([(few[i] > r).mean(axis=1) for r in rolls], axis=0)
        for j in np.flatnonzero((above <= _ODD) & (chance >= 0.02)).tolist():
            other = columns[j]
            alike = other.kind in NUMBERS and column.seen.form == other.seen.form
            alike = alike and column.seen.decimals == other.seen.decimals
            least = 0.1 if column.seen.form == "number" else 0.02
            if i == j or not alike or chance[j] < least or chance[j] * np.isfinite(x[i] + x[j]).sum() < BREAKS:
                continue
            with np.errstate(invalid="ignore"):
                bad = x[i] > x[j]
            if bad.mean() <= (0 if column.seen.form == "number" else NEAR):
                found[i, j] = Found(Inequality(column.name, other.name), bad)
    exact = {pair for pair, f in found.items() if f.exact}
    implied = {(a, c) for a, b in exact for b2, c in exact if b == b2 and (a, c) in exact}
    return [f for pair, f in found.items() if pair not in implied]
