r"""The rhythm of dates: which weekdays and which hours are frequent, as a stretched calendar.

Time is cut into parts of equal length, days or hours, that come round every week or every day. With weights $w_i$ of
mean one, the map

$$y = C(x),\qquad C'(x) = w_{i(x)},$$

is strictly ascending and piecewise linear, and moves no date by more than a period. What is uniform in $y$ has, in
$x$, the rhythm of the weights: pieces of a histogram that are longer than a day keep empty Sundays and nights empty,
and the density gains the factor $w_{i(x)}$.
"""

from functools import cached_property

import numpy as np

from laten.common.errors import DataError
from laten.data.records import Finite, Record

MOST_PARTS = 168  # hours of a week
PERIODS = 6  # that must have been seen
CLEAR = 10.0  # nats that a rhythm must gain over none, beyond its number of weights


class Cycle(Record, frozen=True):
    """Weights of the parts of a period; parts count from the start of 1970-01-01.

    Args:
        weights: Of each part of the period, above zero, of mean one.
        rate: Parts a day.
        shift: Days by which parts start early: half a step of the dates' grid.
    """

    weights: tuple[Finite, ...]
    rate: Finite
    shift: Finite = 0.0

    def __post_init__(self) -> None:
        w = np.array(self.weights)
        if not 2 <= len(w) <= MOST_PARTS or not np.all((w > 0) & (w <= len(w))) or abs(w.mean() - 1) > 1e-6:
            raise DataError("cycle: weights must be 2 to 168 numbers above zero of mean one")
        if not (0 < self.rate <= 24 and 0 <= self.shift <= 0.5):
            raise DataError("cycle: rate must lie in 0..24 and shift in 0..0.5")

    @cached_property
    def _before(self) -> np.ndarray:
        """Weight before each part of a period, and at the end all of it."""
        upto = np.concatenate([[0.0], np.cumsum(self.weights)])
        upto[-1] = len(self.weights)
        return upto

    def enter(self, x: np.ndarray) -> np.ndarray:
        """Return y = C(x), both in days."""
        t = (x + self.shift) * self.rate
        part = np.floor(t)
        turn, i = np.divmod(part, len(self.weights))
        i = i.astype(np.int64)
        return (turn * len(self.weights) + self._before[i] + (t - part) * np.array(self.weights)[i]) / self.rate

    def leave(self, y: np.ndarray) -> np.ndarray:
        """Return x with C(x) = y."""
        turn, rest = np.divmod(y * self.rate, len(self.weights))
        i = np.clip(np.searchsorted(self._before, rest, side="right") - 1, 0, len(self.weights) - 1)
        t = turn * len(self.weights) + i + np.minimum((rest - self._before[i]) / np.array(self.weights)[i], 1.0)
        return t / self.rate - self.shift

    def log_weight(self, x: np.ndarray) -> np.ndarray:
        """Return log dy/dx."""
        part = np.floor((x + self.shift) * self.rate)
        return np.log(self.weights)[np.mod(part, len(self.weights)).astype(np.int64)]


def fit_cycle(x: np.ndarray, grid: float | None) -> Cycle | None:
    """Find the clearest of three rhythms of days `(rows,)` since 1970-01-01; None where there is none.

    They are the weekdays; the hours of a day; the hours of a week. The last two are for dates with a time of day. Each
    part is compared with how often it came round between the first date and the last.
    """
    best: Cycle | None = None
    top = CLEAR
    shift = 0.0 if grid is None else 0.5 / grid
    for parts, rate in ((7, 1.0), (24, 24.0), (168, 24.0)):
        if x.max() - x.min() < PERIODS * parts / rate or (grid is not None and rate > grid):
            continue
        part = np.floor((x + shift) * rate).astype(np.int64)
        times = np.bincount(np.mod(part, parts), minlength=parts)
        first, last = int(part.min()), int(part.max())
        round_ = np.bincount(np.mod(first + np.arange((last - first + 1) % parts), parts), minlength=parts)
        shown = (round_ + (last - first + 1) // parts) / (last - first + 1)
        seen = times > 0
        gain = np.sum(times[seen] * np.log(times[seen] / (len(x) * shown[seen]))) - (parts - 1)
        if gain > top:
            weight = (times + 0.5) / shown
            best, top = Cycle(tuple((weight / weight.mean()).tolist()), rate, shift), float(gain)
    return best
