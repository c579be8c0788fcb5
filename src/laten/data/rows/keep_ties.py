"""Make drawn rows keep the ties of a schema, without touching cells that are known.

1. Backwards, from the last equation to the first: where a total is known, its unknown terms are solved for (one:
   exactly; several: in the proportions in which they were drawn), and where a follower is known, what it follows from
   is drawn among the combinations that were seen with it. What is solved for counts as known from then on.
2. Forwards: totals and followers that are not known are computed from what they follow from.
3. Two columns of numbers in the wrong order exchange their values; where one is known, the other is mirrored in it. Of
   two dates or durations the later one (the other, where it is known) is put a difference away that fitted rows have;
   so are those farther apart than any fitted row has them.

The network gives p(row) of all columns as if there were no ties, and latents that are right for what is known; here
its draws are brought to the nearest row that can be.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from laten.data.columns.cells import Cells
from laten.data.columns.column import NUMBERS
from laten.data.columns.restore import restore, restore_classes
from laten.data.constraints import (
    Bounds,
    Constraint,
    FixedCombinations,
    Follows,
    Inequality,
    Name,
    Product,
    Sum,
    columns_of,
)
from laten.data.records import Plain
from laten.data.rows.steps import step_of, to_grid, unbounded
from laten.data.schema.schema import Schema
from laten.data.schema.ties import DAY, broken, coded, comparable, follower, result_of

Known = Mapping[Name, np.ndarray]  # column -> bool (rows,): cells that stay as they are


def keep(schema: Schema, drawn: pd.DataFrame, known: Known, rng: np.random.Generator | None = None) -> pd.DataFrame:
    """Return drawn rows that keep the ties of a schema, as far as what is known allows.

    Args:
        drawn: Columns of the schema; ties of columns that are not there are passed over.
        known: Cells that stay as they are; columns left out are not known.
        rng: Draws among combinations; None takes the most frequent.
    """
    ties = [t for t in schema.ties if not isinstance(t, Bounds) and all(n in drawn.columns for n in columns_of(t))]
    if not ties or not len(drawn):
        return drawn
    work = _Work(schema, drawn, known, rng)
    equations = [t for t in ties if not isinstance(t, Inequality)]
    orders = [t for t in ties if isinstance(t, Inequality)]
    computed = {n for t in equations if (n := follower(t)) is not None}
    for tie in reversed(equations):
        work.solve(tie)
    work.compute(equations)
    for tie in reversed(equations):
        work.give_way(tie)
    work.compute(equations)
    for round_ in range(len(orders) + 2):
        changed = [work.order(tie, computed, not round_) for tie in orders]
        if not any(changed):
            break
        work.compute(equations)
    return work.frame


def keep_given(
    schema: Schema, drawn: pd.DataFrame, given: Collection[Name], rng: np.random.Generator
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows that keep the ties, with the columns `given` as they are.

    Where ranges were given of several columns of a tie a row may not be able to: another row stands in for it.

    Returns:
        The rows; and the ties that no row keeps.
    """
    frame = keep(schema, drawn, {name: np.ones(len(drawn), bool) for name in given}, rng)
    broken_by = torn(schema, frame) if given else {}
    bad = np.any([np.zeros(len(frame), bool), *broken_by.values()], axis=0)
    if bad.all():
        return frame, tuple(broken_by)
    rows = np.arange(len(frame))
    rows[bad] = rng.choice(rows[~bad], bad.sum())
    return frame.iloc[rows].set_axis(frame.index), ()


def torn(schema: Schema, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return, for each tie that some rows `(rows,)` break, which do."""
    columns = {c.name: c for c in schema.columns}
    cells = {n: Cells(n, frame[n]) for n in frame.columns if n in columns}
    found = {str(t): broken(t, columns, cells) for t in schema.ties if all(n in cells for n in columns_of(t))}
    return {text: bad for text, bad in found.items() if bad.any()}


class _Work:
    """Rows on their way: cells, and which of them are known."""

    def __init__(self, schema: Schema, frame: pd.DataFrame, known: Known, rng: np.random.Generator | None) -> None:
        self.columns = {c.name: c for c in schema.columns}
        self.frame, self.rng = frame.copy(), rng
        self.known = {n: np.array(known[n], bool) if n in known else np.zeros(len(frame), bool) for n in frame.columns}
        self.cells: dict[Name, Cells] = {}

    def cells_of(self, name: Name) -> Cells:
        if name not in self.cells:
            self.cells[name] = Cells(name, self.frame[name])
        return self.cells[name]

    def numbers(self, name: Name) -> np.ndarray:
        return comparable(self.columns[name], self.cells_of(name))

    def put(self, name: Name, rows: np.ndarray, x: np.ndarray) -> None:
        """Write numbers into the cells `rows`."""
        if not rows.any():
            return
        column, old = self.columns[name], self.frame[name]
        own = x * DAY if column.seen.form == "duration" else x
        index = old.index[rows]
        if column.kind in NUMBERS:
            new = restore(unbounded(column), own, index, old.dtype)
        else:
            new = pd.Series(own, index=index).astype(old.dtype)
        self.write(name, rows, new)

    def write(self, name: Name, rows: np.ndarray, new: pd.Series) -> None:
        series = self.frame[name].copy()
        series.iloc[np.flatnonzero(rows)] = new.to_numpy() if new.dtype == object else new.array
        self.frame[name] = series
        self.cells.pop(name, None)

    def solve(self, tie: Constraint) -> None:
        """Find what is not known of a tie whose total or follower is."""
        if isinstance(tie, FixedCombinations | Follows):
            known = self.known[tie.column] if isinstance(tie, Follows) else np.ones(len(self.frame), bool)
            self.combine(tie, known)
            if isinstance(tie, Follows):
                for name in tie.of:
                    self.known[name] = self.known[name] | known
        elif isinstance(tie, Sum | Product):
            free = np.stack([~self.known[n] for n in tie.terms], axis=1)
            some = self.known[tie.total] & free.any(axis=1)
            for pattern in np.unique(free[some], axis=0):
                rows = some & (free == pattern).all(axis=1)
                unknown = [n for n, f in zip(tie.terms, pattern, strict=True) if f]
                rows &= self.off(tie)
                if rows.any() and isinstance(tie, Product):
                    self.divide(tie, unknown, rows)
                elif rows.any() and isinstance(tie, Sum):
                    self.share(tie, unknown, rows)
            for name in tie.terms:
                self.known[name] = self.known[name] | some

    def give_way(self, tie: Constraint) -> None:
        """Let the terms follow a total that cannot be what they come to, such as a negative count."""
        if isinstance(tie, Sum | Product):
            bad = self.off(tie) & ~self.known[tie.total]
            if bad.any():
                self.known[tie.total] = self.known[tie.total] | bad
                self.solve(tie)

    def off(self, tie: Constraint) -> np.ndarray:
        """Mark rows that break a tie."""
        names = columns_of(tie)
        return broken(tie, self.columns, {n: self.cells_of(n) for n in names})

    def share(self, tie: Sum, unknown: list[Name], rows: np.ndarray) -> None:
        """Share what is left of a total among the terms that are not known, in `rows`."""
        weight = dict(zip(tie.terms, tie.weights, strict=True))
        part = {n: weight[n] * self.numbers(n)[rows] for n in tie.terms}
        left = self.numbers(tie.total)[rows] - tie.constant - sum(part[n] for n in tie.terms if n not in unknown)
        drawn = sum((part[n] for n in unknown), np.zeros(rows.sum()))
        amounts = all(weight[n] > 0 and self.columns[n].low >= 0 for n in unknown)
        for name in unknown[:-1]:
            even = (left - drawn) / len(unknown)
            scaled = np.where(drawn > 0, part[name] * left / np.where(drawn > 0, drawn, 1.0), left / len(unknown))
            x = np.where(amounts & (left >= 0), scaled, part[name] + even) / weight[name]
            digits = self.columns[name].seen.decimals
            if digits is not None and amounts:  # rounded down, so that something is left for the last
                x = np.floor(x * 10.0**digits + 1e-6) / 10.0**digits
            self.put(name, rows, x)
            part[name] = weight[name] * self.numbers(name)[rows]
        others = sum((part[n] for n in unknown[:-1]), np.zeros(rows.sum()))
        self.put(unknown[-1], rows, (left - others) / weight[unknown[-1]])

    def divide(self, tie: Product, unknown: list[Name], rows: np.ndarray) -> None:
        """Divide a product by its known terms; of several that are not known all but the finest stay, or become 1."""
        unknown = sorted(unknown, key=lambda n: step_of(self.columns[n]), reverse=True)
        total, last = self.numbers(tie.total)[rows], unknown[-1]

        def rest() -> np.ndarray:
            product = np.prod([self.numbers(n)[rows] for n in tie.terms if n != last], axis=0)
            return np.where(total == 0, 0.0, total / np.where(product == 0, 1.0, product))

        self.put(last, rows, rest())
        bad = self.off(tie) & rows
        for name in unknown[:-1]:
            self.put(name, bad, np.ones(bad.sum()))
        if len(unknown) > 1 and bad.any():
            self.put(last, rows, rest())

    def compute(self, equations: Sequence[Constraint]) -> None:
        """Compute what is not known from what it follows from."""
        for tie in equations:
            if isinstance(tie, FixedCombinations | Follows):
                self.combine(tie, np.ones(len(self.frame), bool))
            elif isinstance(tie, Sum | Product):
                x = result_of(tie, [self.numbers(n) for n in tie.terms])
                rows = ~self.known[tie.total] & np.isfinite(x)
                if rows.any():
                    self.put(tie.total, rows, x[rows])

    def combine(self, tie: FixedCombinations | Follows, rows: np.ndarray) -> None:
        """Replace combinations that were not seen by the likest that were: known cells stay, then the first columns."""
        if not tie.seen:
            return
        names = tie.columns
        place = [{v: i for i, v in enumerate(dict.fromkeys(row[j] for row in tie.seen))} for j in range(len(names))]
        seen = np.array([[place[j][v] for j, v in enumerate(row)] for row in tie.seen])
        at = np.stack([self.codes(n, p) for n, p in zip(names, place, strict=True)], axis=1)
        fixed = np.stack([self.known[n] for n in names], axis=1)
        size = [len(p) + 1 for p in place]
        number = np.ravel_multi_index(tuple((at + 1).T), size)
        bad = rows & ~np.isin(number, np.ravel_multi_index(tuple((seen + 1).T), size)) & ~fixed.all(axis=1)
        if not bad.any():
            return
        groups, inverse = np.unique(np.concatenate([at, fixed], axis=1)[bad], axis=0, return_inverse=True)
        chosen = np.full(bad.sum(), -1)
        counts = np.array(tie.counts, np.float64)
        for g, group in enumerate(groups):
            codes, held = group[: len(names)], group[len(names) :].astype(bool)
            fits = (seen[:, held] == codes[held]).all(axis=1)
            if not fits.any():
                continue  # what is known was never seen together
            like = (seen == codes) @ 2.0 ** np.arange(len(names))[::-1]
            best = np.flatnonzero(fits & (like == like[fits].max()))
            mine = inverse.reshape(-1) == g
            p = counts[best] / counts[best].sum()
            chosen[mine] = best[np.argmax(p)] if self.rng is None else self.rng.choice(best, mine.sum(), p=p)
        rows_of = np.flatnonzero(bad)[chosen >= 0]
        for j, name in enumerate(names):
            new = seen[chosen[chosen >= 0], j]
            change = (new != at[rows_of, j]) & ~fixed[rows_of, j]
            if change.any():
                self.put_plain(name, rows_of[change], [list(place[j])[i] for i in new[change]])

    def codes(self, name: Name, place: dict[Plain, int]) -> np.ndarray:
        """Return where cells stand among values, −1 for others."""
        at, values = coded(self.columns[name], self.cells_of(name))
        return np.append([place.get(v, -1) for v in values], -1).astype(np.int64)[at]

    def put_plain(self, name: Name, places: np.ndarray, values: list[Plain]) -> None:
        """Write levels, or numbers in the column's own scale, into the rows at `places`."""
        column, old = self.columns[name], self.frame[name]
        rows = np.zeros(len(old), bool)
        rows[places] = True
        if column.kind in NUMBERS:
            new = restore(unbounded(column), np.array(values, np.float64), old.index[rows], old.dtype)
        else:
            where = {v: i for i, v in enumerate(column.levels or ())}
            at = np.array([where.get(v, 0) for v in values])
            new = restore_classes(column, at, old.index[rows], old.dtype)
        self.write(name, rows, new)

    def order(self, tie: Inequality, computed: set[Name], first: bool) -> bool:
        """Bring two columns into order; say whether that changed anything.

        Args:
            computed: Columns that are known as others are.
            first: The first time; later a column is only brought to the other, so that chains of three settle.
        """
        low, high = self.numbers(tie.low), self.numbers(tie.high)
        columns = self.columns[tie.low], self.columns[tie.high]
        bad, step = self.off(tie), max(map(step_of, columns)) if tie.strict else 0.0
        if first and tie.gaps:
            bad |= high - low > tie.gaps[-1]  # no fitted row has such a difference
        free = [~self.known[n] & (n not in computed) for n in (tie.low, tie.high)]
        up, down = bad & free[1], bad & ~free[1] & free[0]
        if first and tie.gaps:
            u = np.full(len(low), 0.5) if self.rng is None else self.rng.random(len(low))
            gap = np.maximum(np.interp(u, np.linspace(0, 1, len(tie.gaps)), tie.gaps), step)
            new_low, new_high = high - gap, low + gap
        elif first:
            swap = up & free[0]
            self.put(tie.low, swap, to_grid(columns[0], high[swap], np.floor))
            ends = [c.bounds if c.seen.form == "number" else (-np.inf, np.inf) for c in columns]
            new_low = np.minimum(np.maximum(2 * high - low, ends[0][0]), high - step)
            new_high = np.maximum(np.minimum(2 * low - high, ends[1][1]), low + step)
            new_high = np.where(swap, np.maximum(low, high + step), new_high)
        else:
            new_low, new_high = high - step, low + step
        self.put(tie.high, up, to_grid(columns[1], new_high[up], np.ceil))
        self.put(tie.low, down, to_grid(columns[0], new_low[down], np.floor))
        return bool((up | down).any())
