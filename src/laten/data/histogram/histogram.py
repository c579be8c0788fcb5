r"""A column of numbers as a histogram: the model says in which bin, a density learned once says where inside it.

The real line is tiled by *pieces*: a lower tail $(-\infty, e_0)$, intervals $[e_{i-1}, e_i)$, atoms $\{v\}$ (two equal
edges; a value that repeats among numbers that are on no grid) and an upper tail $[e_m, \infty)$. A *bin* is a run of
consecutive pieces. With $m_j$ the mass of piece $j$ and $M_k$ that of its bin $k$,

$$\log p(x) = \log P(\text{bin } k) + \log\frac{m_j}{M_k} + \log f_j(x),$$

with $f_j = 1/\text{width}$ in intervals and $e^{-d/s}/s$ in the tails at distance $d$ from the edge. An atom has no
density: its mass counts as spread over half the width of its two neighbours, so that atoms and other numbers compare,
and the column's unit changes no ranking of rows. The network gives $P(\text{bin})$; the last two terms are the codec's
log-determinant (nats, per unit of the column).

On a grid of step $\delta$ (numbers of equally many decimals, whole hours) edges lie half a step beside the values: a
value owns $[x-\delta/2, x+\delta/2)$, and log p(x) is the log of its mass less $\log\delta$.
Every piece has mass above zero (`find_bins.py` says how much).
"""

from functools import cached_property
from statistics import NormalDist

import numpy as np

from laten.common.errors import DataError, known
from laten.data.histogram.bounds import on_grid
from laten.data.histogram.calendar import Cycle
from laten.data.histogram.periods import HARMONICS, YEAR, waves
from laten.data.records import Finite, Record

_HUGE = 1e300  # numbers beyond are scaled by a quarter, so that widths stay finite


def locate(edges: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the piece of each number, of `len(edges) + 1`; the first and the last are the tails."""
    at = np.searchsorted(edges, x, side="right")
    one, two = edges[np.maximum(at - 1, 0)], edges[np.maximum(at - 2, 0)]
    return at - ((at >= 2) & (one == x) & (two == x))


class Histogram(Record, frozen=True, tag_field="codec", tag="histogram"):
    """Pieces of the real line, and the bins they belong to.

    Args:
        edges: Between pieces, ascending; two equal ones enclose an atom.
        mass: Of each piece, in rows; one more than edges.
        starts: First piece of each bin.
        centres: Mean of the training values of each bin.
        tails: Scales of the lower and the upper tail.
        grid: All values are whole multiples of 1 / grid (100 for cents, 24 for hours in days); None: no grid.
        yearly: The numbers are days since 1970-01-01 and cover more than a year, so that the season is a feature.
        cycle: The rhythm of dates: pieces and tails have their shape on its calendar (`calendar.py`).
        low, high: Hard edges beyond which nothing is drawn (`bounds.py`); None: there is none.
        shut: Which of the two tails lie beyond one.
        periods: The periods that bins of dates show, in days (`periods.py`).
    """

    edges: tuple[Finite, ...]
    mass: tuple[Finite, ...]
    starts: tuple[int, ...]
    centres: tuple[Finite, ...]
    tails: tuple[Finite, Finite]
    grid: Finite | None = None
    yearly: bool = False
    cycle: Cycle | None = None
    low: Finite | None = None
    high: Finite | None = None
    shut: tuple[bool, bool] = (False, False)
    periods: tuple[Finite, ...] = ()

    def __post_init__(self) -> None:
        edges, mass, starts = np.array(self.edges), np.array(self.mass), np.array(self.starts)
        pieces = len(edges) + 1
        faults = {
            "edges must be finite, ascending, at most two of them equal": not len(edges)
            or not np.isfinite(edges).all()
            or bool(np.any(edges[1:] < edges[:-1]) or np.any(edges[2:] == edges[:-2])),
            "mass must be one more than edges, finite and above zero": len(mass) != pieces
            or not np.all((mass > 0) & (mass < _HUGE)),
            "starts must ascend from 0 to less than the number of pieces": not len(starts)
            or bool(starts[0] != 0 or np.any(starts[1:] <= starts[:-1]) or starts[-1] >= pieces),
            "centres must be finite, one a bin": len(self.centres) != len(starts)
            or not np.isfinite(self.centres).all(),
            "tails must be two finite scales above zero": len(self.tails) != 2
            or not (np.isfinite(self.tails).all() and min(self.tails) > 0),
            "grid must be finite and above zero": self.grid is not None
            and not (np.isfinite(self.grid) and 0 < self.grid < 1e18),
            "low must not be above high": self.kept()[0] > self.kept()[1],
            f"periods must be some of {known(HARMONICS)} days": not set(self.periods) <= set(HARMONICS),
        }
        if any(faults.values()):
            raise DataError(f"codec Histogram: {next(fault for fault, found in faults.items() if found)}")

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self.starts)

    @cached_property
    def _unit(self) -> float:
        return 0.25 if max(abs(self.edges[0]), abs(self.edges[-1]), *self.tails) > _HUGE else 1.0

    @cached_property
    def _edges(self) -> np.ndarray:
        return self._enter(np.array(self.edges))

    def _enter(self, x: np.ndarray) -> np.ndarray:
        """Return numbers as they are computed with: scaled where they are huge, on the calendar of a cycle."""
        x = np.asarray(x, np.float64)
        return x * self._unit if self.cycle is None else self.cycle.enter(x)

    def _leave(self, y: np.ndarray) -> np.ndarray:
        return y / self._unit if self.cycle is None else self.cycle.leave(y)

    @cached_property
    def _scale(self) -> np.ndarray:
        """Width of each piece; of the tails their scale, of atoms 0."""
        lower, upper = self.tails
        return np.concatenate([[lower * self._unit], np.diff(self._edges), [upper * self._unit]])

    @cached_property
    def _room(self) -> np.ndarray:
        """Half the width of the two neighbours of each piece: over so much the mass of an atom counts as spread."""
        wide = np.concatenate([[0.0], self._scale, [0.0]])
        return (wide[:-2] + wide[2:]) / 2

    @cached_property
    def _rows(self) -> np.ndarray:
        """Mass before each piece, and at the end all of it."""
        return np.concatenate([[0.0], np.cumsum(self.mass)])

    @cached_property
    def _bounds(self) -> np.ndarray:
        """Mass before each bin, and at the end all of it."""
        return self._rows[[*self.starts, len(self.mass)]]

    @cached_property
    def _bin(self) -> np.ndarray:
        """Bin of each piece."""
        return np.repeat(np.arange(self.size), np.diff([*self.starts, len(self.mass)]))

    @cached_property
    def points(self) -> tuple[tuple[float, ...], ...]:
        """Features of each bin, of order one: standardised centre, normal score; of long spans of dates the season."""
        centre, rows = np.array(self.centres) * self._unit, np.diff(self._bounds)
        share = rows / rows.sum()
        size = np.abs(centre).max() or 1.0
        centre = centre / size
        mean = share @ centre
        spread = np.sqrt(share @ (centre - mean) ** 2)
        z = np.clip((centre - mean) / (spread or 1.0), -5, 5)
        rank = (np.cumsum(share) - share / 2).clip(3.2e-5, 1 - 3.2e-5)
        score = np.clip([NormalDist().inv_cdf(r) for r in rank], -4, 4)
        days = np.array(self.centres)
        season = waves(days, (YEAR,))[:2] if self.yearly else []
        columns = [z, score, *season, *waves(days, self.periods)]
        return tuple(tuple(row) for row in np.stack(columns, axis=1).tolist())

    def places(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return piece and bin of each number, int64."""
        piece = locate(self._edges, self._enter(x))
        return piece, self._bin[piece]

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Return the bin of each number, int64."""
        return self.places(x)[1]

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the centre of each bin."""
        return np.array(self.centres)[np.asarray(codes, np.int64).clip(0, self.size - 1)]

    def log_det(self, x: np.ndarray) -> np.ndarray:
        """Return the log density of each number inside its bin, nats per unit."""
        slope = np.log(self._unit) if self.cycle is None else self.cycle.log_weight(np.asarray(x, np.float64))
        x = self._enter(x)
        at = locate(self._edges, x)
        share = np.array(self.mass)[at] / np.diff(self._bounds)[self._bin[at]]
        scale = self._scale[at]
        beyond = np.where(at == 0, self._edges[0] - x, np.where(at == len(self.edges), x - self._edges[-1], 0.0))
        scale = np.where(scale == 0, self._room[at], scale)
        return np.log(share) - np.log(scale) - beyond / scale + slope

    def _below(self, x: np.ndarray, equal: bool) -> np.ndarray:
        """Return mass below scaled numbers; with `equal`, at or below them."""
        at = locate(self._edges, x)
        a, scale = self._edges[np.maximum(at - 1, 0)], self._scale[at]
        atom = scale == 0
        scale = np.where(atom, 1.0, scale)
        with np.errstate(over="ignore", invalid="ignore"):
            inside = np.where(atom, float(equal), (x - a) / scale)
            lower = np.exp(np.minimum((x - self._edges[0]) / self._scale[0], 0.0))
            upper = -np.expm1(-np.maximum((x - self._edges[-1]) / self._scale[-1], 0.0))
        inside = np.where(at == 0, lower, np.where(at == len(self.edges), upper, inside))
        return self._rows[at] + np.array(self.mass)[at] * np.clip(inside, 0.0, 1.0)

    def _at_mass(self, target: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return the number below which there is mass `target`, of pieces `first` to `last`."""
        at = np.clip(np.searchsorted(self._rows, target, side="right") - 1, first, last)
        t = np.clip((target - self._rows[at]) / np.array(self.mass)[at], 0.0, 1.0)
        a, scale = self._edges[np.maximum(at - 1, 0)], self._scale[at]
        top = np.nextafter(self._edges[np.minimum(at, len(self.edges) - 1)], -np.inf)
        tiny = 2.0**-53
        inside = np.where(scale == 0, a, np.minimum(a + t * scale, top))
        lower = self._edges[0] + self._scale[0] * np.log(np.maximum(t, tiny))
        lower = np.minimum(lower, np.nextafter(self._edges[0], -np.inf))
        upper = self._edges[-1] - self._scale[-1] * np.log1p(-np.minimum(t, 1 - tiny))
        x = np.where(at == 0, lower, np.where(at == len(self.edges), upper, inside))
        limit = np.finfo(np.float64).max * self._unit
        return self._leave(np.clip(x, -limit, limit))

    def kept(self, low: float = -np.inf, high: float = np.inf) -> tuple[float, float]:
        """Return the part of an interval that lies between the hard edges."""
        low = low if self.low is None else max(low, self.low)
        return low, high if self.high is None else min(high, self.high)

    def _ends(self, low: float, high: float) -> tuple[float, float]:
        """Scale a closed interval; on a grid it holds its values with all of their steps."""
        if self.grid is not None:
            low, high = on_grid(low, high, self.grid)
            low, high = low - 0.5 / self.grid, high + 0.5 / self.grid
        low, high = (float(self._enter(np.array([v]))[0]) if np.isfinite(v) else v for v in (low, high))
        return low, high

    def within(self, low: float, high: float) -> np.ndarray:
        """Return the share of each bin's mass in `[low, high]`, `(K,)`; either end may be infinite."""
        low, high = self._ends(low, high)
        if high < low:
            return np.zeros(self.size)
        first, last, scale = self._edges[0], self._edges[-1], np.where(self._scale == 0, 1.0, self._scale)
        left, right = self._edges[:-1], self._edges[1:]
        inside = np.clip(right, low, high) - np.clip(left, low, high)
        whole = (left >= low) & (right <= high)
        parts = np.where(whole, 1.0, np.where(left == right, 0.0, inside / scale[1:-1]))
        depths = np.maximum([first - high, first - low], 0), np.maximum([low - last, high - last], 0)
        lower, upper = (np.exp(-d[0] / s) - np.exp(-d[1] / s) for d, s in zip(depths, scale[[0, -1]], strict=True))
        mass = np.array(self.mass) * np.concatenate([[lower], parts, [upper]])
        return np.minimum(np.add.reduceat(mass, self.starts) / np.diff(self._bounds), 1.0)

    def draw(self, codes: np.ndarray, u: np.ndarray, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
        """Return the number in each bin below which lies the share `u` of the bin's mass in `[low, high]`.

        Where a bin has none there, it is the nearest of the two.
        """
        codes = np.asarray(codes, np.int64)
        ends_at = np.array(self._ends(low, high))
        below, upto = self._below(ends_at[:1], equal=False)[0], self._below(ends_at[1:], equal=True)[0]
        start, end = (np.clip(v, self._bounds[codes], self._bounds[codes + 1]) for v in (below, upto))
        ends = np.array([*self.starts[1:], len(self.mass)]) - 1
        x = self._at_mass(start + u * (end - start), np.array(self.starts)[codes], ends[codes])
        if self.grid is not None:
            low, high = on_grid(low, high, self.grid)
            low, high = low - 0.5 / self.grid, np.nextafter(high + 0.5 / self.grid, -np.inf)
        return np.clip(x, low, max(low, high))

    def snap(self, x: np.ndarray, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
        """Move numbers to the values of the grid that own them (if there is one), and into `[low, high]`."""
        x = np.asarray(x, np.float64)
        low, high = self.kept(low, high)
        if self.grid is not None:
            low, high = on_grid(low, high, self.grid)
            x = np.floor(x * self.grid + 0.5) / self.grid
        return np.clip(x, low, max(low, high))

    def cdf(self, p: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return P(number ≤ x), `(n,)`, for bin probabilities `(n, K)` and numbers `(n,)`."""
        (p, before), x = _cumulative(p), np.broadcast_to(self._enter(x), np.shape(p)[:1])
        bin = self._bin[locate(self._edges, x)]
        inside = (self._below(x, equal=True) - self._bounds[bin]) / np.diff(self._bounds)[bin]
        row = np.arange(len(p))
        return before[row, bin] + p[row, bin] * np.clip(inside, 0.0, 1.0)

    def quantile(self, p: np.ndarray, q: np.ndarray | float) -> np.ndarray:
        """Return the smallest number with P(number ≤ x) ≥ q, `(n,)`, for bin probabilities `(n, K)`."""
        p, before = _cumulative(p)
        q = np.broadcast_to(np.asarray(q, np.float64), p.shape[:1])
        bin = np.maximum((before < q[:, None]).sum(axis=1) - 1, 0)
        row = np.arange(len(p))
        u = (q - before[row, bin]) / np.maximum(p[row, bin], np.finfo(np.float64).tiny)
        return self.draw(bin, np.clip(u, 0.0, 1.0))

    def mode(self, p: np.ndarray) -> np.ndarray:
        """Return the middle of the densest piece, `(n,)`, for bin probabilities `(n, K)`.

        Pieces narrower than most count as wide as these, or chance would choose the narrowest.
        """
        least = np.average(self._scale[1:-1], weights=self.mass[1:-1]) or self._scale[0]
        height = np.array(self.mass) / np.diff(self._bounds)[self._bin] / np.maximum(self._scale, least)
        best = np.argmax(np.asarray(p, np.float64)[:, self._bin] * height, axis=1)
        return self._at_mass(self._rows[best] + np.array(self.mass)[best] / 2, best, best)


def shares(p: np.ndarray) -> np.ndarray:
    """Return probabilities that sum to one exactly enough."""
    p = np.asarray(p, np.float64)
    return p / p.sum(axis=1, keepdims=True)


def _cumulative(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities, and what stands before each bin."""
    p = shares(p)
    return p, np.cumsum(p, axis=1) - p
