r"""Hard edges: where a column ends because nothing lies beyond, and how fast a tail falls off where nothing was seen.

A column ends at

- its smallest or largest value, where that repeats far more often than its neighbours (a scale that was cut off);
- 0, where no number lies on the other side;
- 1, where all are fractions from 0 to 1, the largest above a half; 100, where all lie from 0 to 100 and touch it: it is
  among them, or the five largest are no farther apart than three times what the largest tenth is.

Beyond an edge lies `LEAK` of a row, so that every number keeps a density; it is never drawn.
"""

import numpy as np

LEAK = 0.01  # rows beyond an edge
LEAST_ROOM = 1e-300  # a piece is not narrower
NEAR = 3.0  # scales of a tail: an edge farther away cuts nothing off
TAIL, LEAST = 20, 8  # the outermost twentieth of the rows, or eight of them, says how fast a tail falls off
_SPIKE, _TOUCH = 3.0, 5

Ends = tuple[float | None, float | None]


def bounds_of(value: np.ndarray, count: np.ndarray, grid: float | None) -> Ends:
    """Find the hard edges of a column; None where there is none.

    Args:
        value: Its distinct numbers in order.
        count: How often each occurs.
        grid: All are whole multiples of 1 / grid; None: no grid.
    """
    low: float | None = 0.0 if value[0] >= 0 else None
    high: float | None = 0.0 if value[-1] <= 0 else None
    if value[0] >= 0 and 0.5 < value[-1] <= 1 and np.any(value % 1):
        high = 1.0
    elif value[0] >= 0 and value[-1] <= 100 and _touches(value, count, 100.0):
        high = 100.0
    if _spike(count, grid):
        low = float(value[0])
    if _spike(count[::-1], grid):
        high = float(value[-1])
    return low, high


def _spike(count: np.ndarray, grid: float | None) -> bool:
    """Say whether the first value repeats far more often than the next three."""
    least = 3 if grid is None else 5  # on a grid values repeat by chance
    return bool(len(count) >= 5 and count[0] >= max(least, _SPIKE * count[1:4].max()))


def _touches(value: np.ndarray, count: np.ndarray, edge: float) -> bool:
    """Say whether the numbers are as dense at the edge as near it."""
    if value[-1] == edge:
        return True
    tenth = int(count.sum()) // 10
    if tenth < 2 * _TOUCH or edge - value[-1] > 0.1 * edge:
        return False
    upper = np.cumsum(count[::-1])
    five, all_of = (value[::-1][np.searchsorted(upper, rows)] for rows in (_TOUCH, tenth))
    return bool((edge - five) / _TOUCH <= 3 * (edge - all_of) / tenth)


def tail_scale(value: np.ndarray, count: np.ndarray) -> float:
    """Return the mean distance of the outermost twentieth of the rows from the others; `value` begins at the end."""
    if len(value) < 2:
        return 0.0
    rows = np.cumsum(count)
    inner = min(max(int(np.searchsorted(rows, max(LEAST, rows[-1] / TAIL))), 1), len(value) - 1)
    return float(np.sum(np.abs(value[:inner] - value[inner]) * (count[:inner] / rows[inner - 1])))


def closed(
    edges: np.ndarray, heavy: np.ndarray, ends: Ends, scales: tuple[float, float], step: float
) -> tuple[np.ndarray, np.ndarray, tuple[bool, bool]]:
    """Let the outermost pieces begin at hard edges that are not far off.

    Args:
        edges: Between pieces; like `ends` and `scales` (of the tails) in steps, where there are some.
        heavy: Which pieces are heavy values.
        step: 1 on a grid, else 0.
    Returns:
        Edges and heavy pieces with those between the hard edges and the data; and which tails have only `LEAK`.
    """
    low, high = ends
    shut_low = shut_high = False
    if low is not None:
        at = low - step / 2
        room = edges[0] - at
        shut_low = bool(room <= 0 or LEAST_ROOM < room <= NEAR * scales[0])
        if shut_low and room > 0:
            edges, heavy = np.concatenate([[at], edges]), np.concatenate([[False], heavy])
    if high is not None:
        at = high + step / 2 if step else float(np.nextafter(high, np.inf))
        shut_high = bool(at - edges[-1] <= NEAR * scales[1])
        if shut_high and at - edges[-1] > 4 * np.spacing(abs(at)):
            edges, heavy = np.concatenate([edges, [at]]), np.concatenate([heavy, [False]])
    return edges, heavy, (shut_low, shut_high)


def on_grid(low: float, high: float, grid: float) -> tuple[float, float]:
    """Return the values of the grid next to an interval's ends, inside it; what is off by rounding counts as equal."""
    slack = [1e-9 + 4 * float(np.spacing(abs(v * grid))) if np.isfinite(v) else 0.0 for v in (low, high)]
    first, last = np.ceil(low * grid - slack[0]), np.floor(high * grid + slack[1])
    return float(first) / grid, float(last) / grid
