r"""Which periods of the calendar dates can show: the hours of a day, the days of a week, the seasons of a year.

A bin of dates shows a period when it is short beside it. So the line is cut at the calendar's own edges, at hours, days
or half months, as finely as the rows allow, and each bin has waves of the period as features,

$$\cos(2\pi h\,t/P),\quad \sin(2\pi h\,t/P),\qquad h = 1 \dots H,$$

with P the period and t the bin's centre, both in days. All Januaries have the same ones, whatever their year.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

YEAR = 365.2425  # days
HARMONICS = {1.0: 4, 7.0: 3, YEAR: 4}  # of each period; three tell the days of a week apart
ROUNDS = {1.0: 4, 7.0: 8, YEAR: 2}  # of each period that must have been seen
PARTS = {1.0: 24, 7.0: 7, YEAR: 24}  # of a period, each seen as often
MOST_CELLS = 512
ROWS_A_CELL = 4  # on average


class Unit(NamedTuple):
    """A unit of time: number of it since 1970 of days `(n,)`, its first day, how many a day, the periods it shows."""

    number: Callable[[np.ndarray], np.ndarray]
    start: Callable[[np.ndarray], np.ndarray]
    rate: float
    periods: tuple[float, ...]


class Calendar(NamedTuple):
    """Where dates are cut, in days, and the periods that the bins between show, in days."""

    edges: np.ndarray
    periods: tuple[float, ...]


def half_month(x: np.ndarray) -> np.ndarray:
    """Return which half month since 1970 each day lies in; the second begins with the 16th."""
    day = np.floor(x).astype(np.int64)
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return 2 * month + (day >= half_month_start(2 * month + 1))


def half_month_start(number: np.ndarray) -> np.ndarray:
    """Return the first day of each half month."""
    return (number // 2).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + 15 * (number % 2)


def unit_of(rate: float, *periods: float) -> Unit:
    """Return a unit of which `rate` make a day."""
    return Unit(lambda x: np.floor(x * rate).astype(np.int64), lambda n: n / rate, rate, periods)


UNITS = (unit_of(24.0, 1.0, 7.0), unit_of(1.0, 7.0, YEAR), Unit(half_month, half_month_start, 1 / 15, (YEAR,)))


def fit_calendar(value: np.ndarray, count: np.ndarray, grid: float | None) -> Calendar | None:
    """Find the shortest unit that the rows fill and that shows a period; None where there is none.

    Args:
        value: Distinct days since 1970-01-01, ascending.
        count: Rows of each.
        grid: As in `fit_histogram`.
    """
    shift = 0.0 if grid is None else 0.5 / grid
    for unit in UNITS:
        if grid is not None and unit.rate > grid:
            continue
        cells = np.unique(unit.number(value + shift))
        if not count.sum() / ROWS_A_CELL >= len(cells) <= MOST_CELLS:
            continue
        periods = tuple(p for p in unit.periods if comes_round(unit.start(cells), p))
        if periods:
            return Calendar(unit.start(np.union1d(cells, cells + 1)) - shift, periods)
    return None


def comes_round(start: np.ndarray, period: float) -> bool:
    """Say whether three in four parts of a period that have rows have them in enough of its rounds."""
    turn, rest = np.divmod(start, period)
    part = np.floor(rest * (PARTS[period] / period) + 1e-6).astype(np.int64)
    pair = np.unique(np.stack([turn.astype(np.int64), part]), axis=1)
    rounds = np.bincount(pair[1])
    return bool(np.quantile(rounds[rounds > 0], 0.25) >= ROUNDS[period] and np.sum(rounds > 0) >= 3)


def waves(centres: np.ndarray, periods: tuple[float, ...]) -> list[np.ndarray]:
    """Return the features of bins, one after the other."""
    angles = [2 * np.pi * h * np.mod(centres / p, 1) for p in periods for h in range(1, HARMONICS[p] + 1)]
    return [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
