r"""Where a column's numbers are cut into pieces, for a budget of about B of them (`fit.py` chooses the budget).

1. *Heavy* values are pieces of their own: on a grid those with at least $n/B$ of the $n$ rows; off a grid, as atoms,
   those that repeat at least $\max(3, n/256)$ times.
2. The others form *segments*, cut where a heavy value lies or where nothing was seen for more than ten times the mean
   distance of the eight values on either side. A segment covers the room up to a near neighbour; what is left between
   far ones is a *gap*. A handful of values apart from the rest is no shape to learn: at the ends of the column they
   belong to a tail, elsewhere they are one piece with the room around them.
3. Segments are cut into intervals of about $n/B$ rows, and ever finer towards both ends of the column.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

PIECES = 256  # the largest budget
WIDE, WINDOW = 10.0, 8  # a gap is WIDE times wider than the mean distance of WINDOW values
MOST_GAPS = 32
HANDFUL = 4  # rows; also the least in the outermost intervals


class Tally(NamedTuple):
    """Distinct values in order, how often each occurs; on a grid (`step` 1) whole numbers of steps, else `step` 0."""

    value: np.ndarray
    times: np.ndarray
    step: float
    rows: int


class Run(NamedTuple):
    """First and last of values without a wide gap or a heavy value between them, and whether they are but a handful."""

    first: int
    last: int
    small: bool


class Runs(NamedTuple):
    """Values that are not heavy, how often each occurs, and the runs they form."""

    value: np.ndarray
    times: np.ndarray
    runs: list[Run]


class Stretch(NamedTuple):
    """A heavy value or a segment: where it lies, how far apart its values are at both ends, where it is cut."""

    left: float
    right: float
    heavy: bool = True
    small: bool = False
    near: tuple[float, float] = (0.0, 0.0)
    cuts: tuple[float, ...] = ()


class Layout(NamedTuple):
    """Edges between pieces, and which pieces are heavy values."""

    edges: np.ndarray
    heavy: np.ndarray


def layouts(tally: Tally, budgets: list[float]) -> Iterator[Layout]:
    """Cut the line into pieces, for each budget B."""
    heavy, runs = np.zeros(0, bool), Runs(np.zeros(0), np.zeros(0), [])
    for budget in budgets:
        found = heavy_values(tally, budget)
        if not np.array_equal(found, heavy):
            heavy, runs = found, runs_of(tally, found)
        edges: list[float] = []
        flags: list[bool] = []
        half = tally.step / 2
        parts = [Stretch(v - half, v + half) for v in tally.value[heavy].tolist()] + segments(tally, runs, budget)
        for part in spread_out(sorted(parts, key=lambda p: p.left), tally.step):
            if not edges or part.left > edges[-1]:
                edges.append(part.left)
                flags.append(False)  # the tail or gap before it
            edges += [*part.cuts, part.right]
            flags += [part.heavy] * (len(part.cuts) + 1)
        yield Layout(np.array(edges), np.array([*flags, False]))


def heavy_values(tally: Tally, budget: float) -> np.ndarray:
    """Say which values are pieces of their own."""
    if len(tally.value) == 1:
        return np.ones(1, bool)
    if tally.step:
        return tally.times >= (max(2.0, tally.rows / budget) if np.isfinite(budget) else 1.0)
    return tally.times >= max(3.0, tally.rows / PIECES)


def runs_of(tally: Tally, heavy: np.ndarray) -> Runs:
    """Find runs of values that are not heavy; leave out a handful far outside the others."""
    u, c = tally.value[~heavy], tally.times[~heavy]
    if len(u) == 0:
        return Runs(u, c, [])
    index, last = np.arange(len(u)), len(u) - 1
    low, high = np.maximum(index - WINDOW, 0), np.minimum(index + WINDOW, last)
    before, after = (u - u[low]) / np.maximum(index - low, 1), (u[high] - u) / np.maximum(high - index, 1)
    if len(u) > 2 * HANDFUL:
        before[:HANDFUL] = after[-HANDFUL:] = 0  # how far apart outliers are says nothing
    near, apart = np.maximum(before[:-1], after[1:]), np.diff(u) - tally.step
    wide = (apart > WIDE * near) & (near > 0)
    if wide.sum() > MOST_GAPS:
        ratio = np.where(wide, apart / np.maximum(near, np.finfo(float).tiny), 0.0)
        wide &= ratio >= np.partition(ratio, -MOST_GAPS)[-MOST_GAPS]
    blocked = np.diff(np.cumsum(heavy)[~heavy]) > 0
    few = min(HANDFUL, tally.rows // 8)
    total = np.concatenate([[0], np.cumsum(c)])
    cut = np.flatnonzero(wide | blocked)
    runs: list[Run] = []
    for a, b in zip([0, *(cut + 1).tolist()], [*cut.tolist(), last], strict=True):
        small = bool(total[b + 1] - total[a] <= few) or (not tally.step and b - a < 2 and len(cut) > 0)
        if small and runs and runs[-1].small and not blocked[a - 1]:
            a = runs.pop().first
        runs.append(Run(a, b, small))
    if len(runs) > 1 and runs[-1].small and not blocked[runs[-1].first - 1]:
        runs.pop()
    if len(runs) > 1 and runs[0].small and not blocked[runs[0].last]:
        runs.pop(0)
    return Runs(u, c, runs)


def segments(tally: Tally, found: Runs, budget: float) -> list[Stretch]:
    """Say of each run where it is cut into intervals."""
    u, c, runs = found
    target = max(tally.rows / budget, 2.0)
    out = []
    for a, b, small in runs:
        ends = (a == runs[0].first, b == runs[-1].last)
        cuts = () if small else inner_cuts(u[a : b + 1], c[a : b + 1], target, ends, tally.step)
        width = max(min(WINDOW, b - a), 1)
        near = float(u[min(a + WINDOW, b)] - u[a]) / width, float(u[b] - u[max(b - WINDOW, a)]) / width
        right = u[b] + 0.5 if tally.step else np.nextafter(u[b], np.inf)
        out.append(Stretch(float(u[a]) - tally.step / 2, float(right), False, small, near, cuts))
    return out


def inner_cuts(
    value: np.ndarray, count: np.ndarray, target: float, ends: tuple[bool, bool], step: float
) -> tuple[float, ...]:
    """Cut a segment into intervals of about `target` rows, finer towards the ends that are the column's."""
    rows = float(count.sum())
    k = max(1, round(rows / target))
    each = rows / k
    halves = [each / 2**i for i in range(1, 20) if each / 2**i >= HANDFUL]
    wanted = [each * i for i in range(1, k)] + halves * ends[0] + [rows - h for h in halves] * ends[1]
    at = np.sort(np.searchsorted(np.cumsum(count) - count / 2, wanted))
    at = at[(at > 0) & (at < len(value)) & (np.diff(at, prepend=0) > 0)]
    below, above = value[at - 1], value[at]
    if step:
        return tuple((below + 0.5 + np.floor((above - below - 1) / 2)).tolist())
    middle = below + (above - below) / 2
    return tuple(np.where(middle > below, middle, above).tolist())


def spread_out(parts: list[Stretch], step: float) -> list[Stretch]:
    """Grow segments into the room beside them: all of it when the neighbour is near, else about half a distance."""
    out = [parts[0]]
    for new in parts[1:]:
        old, room = out[-1], new.left - out[-1].right
        if room > 0 and not (old.heavy and new.heavy):
            margins = []
            for part, near, other in ((old, old.near[1], new), (new, new.near[0], old)):
                whole = part.small or (room <= WIDE * near and other.heavy)
                margins.append(0.0 if part.heavy else room if whole else near / 2)
            if step:
                margins = [float(np.floor(m)) for m in margins]
            if old.small or (margins[0] == room):
                margins[1] = 0.0
            elif new.small or margins[1] == room:
                margins[0] = 0.0
            out[-1] = old._replace(right=new.left if margins[0] == room else old.right + margins[0])
            new = new._replace(left=out[-1].right if margins[1] == room else new.left - margins[1])
        out.append(new)
    return out
