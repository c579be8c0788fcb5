r"""From the numbers of a column to its pieces and bins (`histogram.Histogram`).

1. `edges.py` cuts the line into about B pieces. B is the one of $K, 2K, 4K, \dots, 256$ (and, on a grid with at most
   256 values, every value a piece) with the best leave-one-out log-density: with $m_j$ rows in piece $j$ of width
   $w_j$, $\sum_j m_j \log((m_j - 1)/w_j)$, where the one row of a piece, left out, falls into a gap.
2. A tail has half a row more than were seen in it; all gaps together half a row, and half a row more for each piece
   with one row (Good and Turing: about as much is still to be seen as was seen once).
   Beyond a hard edge (`bounds.py`) lies next to nothing. A tail in which nothing was seen falls off as the outermost
   twentieth of the rows does.
3. At most $K = \min(64, \max(8, \sqrt n))$ bins are runs of pieces of about equal mass, $\sqrt n$ rows or more. Heavy
   values of at least half a bin's mass are bins of their own: they share theirs with gaps and tails, never with data.
   Dates that show a period (`periods.py`) have a bin for each hour, day or half month instead.
"""

import numpy as np

from laten.data.histogram.bounds import LEAK, bounds_of, closed, tail_scale
from laten.data.histogram.calendar import Cycle, fit_cycle
from laten.data.histogram.edges import PIECES, Layout, Tally, layouts
from laten.data.histogram.histogram import Histogram, locate
from laten.data.histogram.periods import YEAR, fit_calendar
from laten.data.records import replace

BINS = 64


def day_grid(x: np.ndarray) -> float | None:
    """Return how many steps a day has of which all days `x` are whole multiples: 1, 24, 1440 (minutes) or 86 400."""
    return next((g for g in (1.0, 24.0, 1440.0, 86_400.0) if np.all(np.abs(x * g - np.round(x * g)) < 1e-5)), None)


def loc_and_scale(x: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of finite values, the latter never zero, also near the float limit."""
    size = float(np.max(np.abs(x), initial=0.0)) or 1.0
    loc, scale = float(np.mean(x / size)), float(np.std(x / size))
    if scale <= 1e-12 * max(abs(loc), 1e-300):
        return loc * size, 1.0
    return loc * size, min(max(scale * size, 1e-300), 1e300)


def fit_histogram(x: np.ndarray, grid: float | None = None, dates: bool = False) -> Histogram:
    """Fit pieces and bins to the finite numbers `x`, `(rows,)`, one or more, in any order.

    Args:
        grid: All are whole multiples of 1 / grid (100 for cents); None: no grid.
        dates: They are days since 1970-01-01.
    """
    ordered = np.sort(np.asarray(x, np.float64))
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    value, count = ordered[first], np.diff(first, append=len(ordered))
    size = float(max(-value[0], value[-1]))
    if grid is not None and size * grid >= 2**50:
        grid = None  # half a step is no float there
    unit = grid if grid is not None else 0.25 if size > 1e300 else 1.0  # no difference overflows
    scaled = value * unit if grid is None else np.round(value * unit)
    tally = Tally(scaled, count, float(grid is not None), len(x))
    most = min(BINS, max(8, round(np.sqrt(len(x)))))
    limit = min(PIECES, max(most, len(x) / 2))  # not more than one for every two rows
    budgets = [b for b in (most, 2.0 * most, 4.0 * most, 8.0 * most, 16.0 * most) if b <= limit]
    if tally.step and len(value) <= PIECES:
        budgets.append(np.inf)
    cycle = fit_cycle(x, grid) if dates and size < 4e6 else None
    edges, heavy = best_of(tally, budgets, cycle, unit)
    ends = (None, None) if dates else bounds_of(value, count, grid)
    scales = tail_scales(tally, edges, unit)
    scaled_ends = (None if ends[0] is None else ends[0] * unit, None if ends[1] is None else ends[1] * unit)
    edges, heavy, shut = closed(edges, heavy, scaled_ends, scales, tally.step)
    calendar = fit_calendar(value, count, grid) if dates and size < 4e6 else None
    own = np.zeros(0) if calendar is None else calendar.edges * unit
    own = np.round(own + 0.5) - 0.5 if tally.step else own  # hours are no floats
    own = own[(own > edges[0]) & (own < edges[-1]) & ~np.isin(own, edges)]
    edges = np.sort(np.concatenate([edges, own]))
    at = locate(edges, scaled)
    rows = np.bincount(at, count, len(edges) + 1)
    if calendar is None:
        bin_of = group(rows, heavy, most)
    else:
        bin_of = alike(at, np.searchsorted(calendar.edges, value, "right"), len(rows))
    per_bin = np.bincount(bin_of[at], count)
    centres = np.bincount(bin_of[at], value * (count / per_bin[bin_of[at]]))
    return Histogram(
        edges=tuple((edges / unit).tolist()),
        mass=tuple(masses(rows, shut).tolist()),
        starts=(0, *(np.flatnonzero(np.diff(bin_of)) + 1).tolist()),
        centres=tuple(np.clip(centres, value[0], value[-1]).tolist()),
        tails=(scales[0] / unit, scales[1] / unit),
        grid=grid,
        cycle=cycle,
        yearly=bool(dates and calendar is None and 400 < value[-1] - value[0] < 400 * YEAR),
        low=ends[0],
        high=ends[1],
        shut=shut,
        periods=() if calendar is None else calendar.periods,
    )


def recounted(bins: Histogram, x: np.ndarray) -> Histogram:
    """Return the same pieces and bins with the masses of other numbers `x`, where each bin has some."""
    at, bin = bins.places(x)
    rows, per_bin = np.bincount(at, minlength=len(bins.mass)), np.bincount(bin, minlength=bins.size)
    if not per_bin.all():
        return bins
    centres = np.bincount(bin, x / per_bin[bin])
    return replace(bins, mass=tuple(masses(rows, bins.shut).tolist()), centres=tuple(centres.tolist()))


def best_of(tally: Tally, budgets: list[float], cycle: Cycle | None, unit: float) -> Layout:
    """Choose the layout of best leave-one-out log-density. Off a grid it falls once there are too many pieces."""
    best, top = None, -np.inf
    for layout in layouts(tally, budgets):
        width = np.diff(layout.edges if cycle is None else cycle.enter(layout.edges / unit) * unit)
        score = left_out(tally, layout, width)
        if best is None or score > top:
            best, top = layout, score
        elif not tally.step:
            break
    assert best is not None
    return best


def masses(rows: np.ndarray, shut: tuple[bool, bool] = (False, False)) -> np.ndarray:
    """Return mass of each piece: its rows, and a little for what was not seen; next to nothing in a shut tail."""
    mass = rows.astype(np.float64)
    first, last = int(shut[0]), len(mass) - 1 - int(shut[1])
    mass[[first, last]] += 0.5
    mass[:first] += LEAK
    mass[last + 1 :] += LEAK
    gaps = np.flatnonzero(mass == 0)
    if len(gaps):
        mass[gaps] = 0.5 * (1 + np.sum(rows == 1)) / len(gaps)
    return mass


def excess(tally: Tally, edges: np.ndarray) -> tuple[float, float]:
    """Return mean distance from the outermost edges of the rows in each tail, 0 where there are none."""
    found = []
    for out, edge in ((tally.value < edges[0], edges[0]), (tally.value >= edges[-1], edges[-1])):
        weight = tally.times[out] / max(tally.times[out].sum(), 1)
        found.append(float(np.sum(np.abs(tally.value[out] - edge) * weight)))
    return found[0], found[1]


def tail_scales(tally: Tally, edges: np.ndarray, unit: float) -> tuple[float, float]:
    """Return how far from the outermost edges rows of the two tails lie, or would lie where none was seen."""
    seen = excess(tally, edges)
    found = (tail_scale(tally.value, tally.times), tail_scale(tally.value[::-1], tally.times[::-1]))
    below, above = (s or max(f, tally.step, 1e-300 * bool(f)) or unit for s, f in zip(seen, found, strict=True))
    return below, above


def left_out(tally: Tally, layout: Layout, width: np.ndarray) -> float:
    """Return the leave-one-out log-density of the rows, less what all layouts share; `width` without tails."""
    edges = layout.edges
    rows = np.bincount(locate(edges, tally.value), tally.times, len(edges) + 1)
    inner, width = rows[1:-1], np.where(width > 0, width, 1.0)  # atoms are the same in all layouts
    many, one, gap = inner >= 2, inner == 1, inner == 0
    score = np.sum(inner[many] * (np.log(inner[many] - 1) - np.log(width[many])))
    if one.any():
        left, right = np.concatenate([[False], gap[:-1]]), np.concatenate([gap[1:], [False]])  # gaps its place joins
        room = width + np.roll(width, 1) * left + np.roll(width, -1) * right
        gaps = gap.sum() + 1 - left.astype(int) - right
        score += np.sum(np.log(0.5 * one.sum() / gaps[one]) - np.log(room[one]))
    for r, scale in zip(rows[[0, -1]], excess(tally, edges), strict=True):
        score += r * (np.log(r) - np.log(scale) - 1) if r else 0.0
    return float(score)


def group(rows: np.ndarray, heavy: np.ndarray, most: int) -> np.ndarray:
    """Return the bin of each piece: at most `most` bins, those that are not heavy of about equal mass."""
    index = np.flatnonzero(rows)
    m = rows[index]
    label = np.arange(len(index))
    target = np.sqrt(m.sum())
    least = target / 2
    while label[-1] >= most:
        alone = heavy[index] & (m >= least)
        run = np.cumsum(np.concatenate([[False], (alone[1:] | alone[:-1])]))
        mass = np.bincount(run, m)
        parts = np.where(np.bincount(run, alone) > 0, 1, np.maximum(1, np.round(mass / target)))
        before = np.cumsum(m) - m - (np.cumsum(mass) - mass)[run]
        part = np.floor((before + m / 2) * (parts / mass)[run])
        label = np.cumsum(np.concatenate([[0], (np.diff(run) > 0) | (np.diff(part) > 0)]))
        least, target = least * 1.05, target * 1.05
    return spread(index, label, len(rows))


def alike(piece: np.ndarray, part: np.ndarray, pieces: int) -> np.ndarray:
    """Return the bin of each piece, for the ascending pieces of numbers and the parts of the calendar they lie in."""
    index, first = np.unique(piece, return_index=True)
    return spread(index, np.cumsum(np.diff(part[first], prepend=part[0]) > 0), pieces)


def spread(index: np.ndarray, label: np.ndarray, pieces: int) -> np.ndarray:
    """Return the bin of each piece, where those of pieces `index` are known: empty ones go with the one before."""
    latest, bin = np.zeros(pieces, np.int64), np.zeros(pieces, np.int64)
    latest[index], bin[index] = index, label
    return bin[np.maximum.accumulate(latest)]
