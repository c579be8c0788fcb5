r"""How densely rows lie in a plane: a density on a grid, and the lines inside which shares of the rows lie.

The density is that of normals around the n points (a kernel density), whose deviation along each axis is half of
Scott's rule, $\frac12 s\,n^{-1/6}$ with s the smaller of the points' deviation and of their quartile range / 1.349:
points of a latent space come in groups, which the whole rule would smear. A share of the rows lies inside the line
whose height is that quantile of the density at the points themselves (Hyndman 1996).
"""

from dataclasses import dataclass

import numpy as np

SIDE = 64  # bins of the grid along each axis
SHARES = (0.9, 0.5)
NARROW = 0.5  # of Scott's rule
REACH = 3.0  # deviations of a normal beyond the outermost points


@dataclass(frozen=True)
class Density:
    """A density in the plane.

    Args:
        values: `(SIDE, SIDE)` in the middle of each bin, per unit of area; row 0 is the lowest.
        x: Ends of the grid.
        y: Ends of the grid.
        heights: Of the lines inside which `SHARES` of the points lie.
    """

    values: np.ndarray
    x: tuple[float, float]
    y: tuple[float, float]
    heights: tuple[float, ...]


def density(points: np.ndarray) -> Density:
    """Return the density of points `(n, 2)`."""
    near, ends, bins = [], [], []
    for x in points.T.astype(float):
        deviation = width(x)
        low, high = x.min() - REACH * deviation, x.max() + REACH * deviation
        step = (high - low) / SIDE
        middles = low + (np.arange(SIDE) + 0.5) * step
        kernel = np.exp(-0.5 * ((middles[:, None] - middles) / max(deviation, step / 2)) ** 2)
        near.append(kernel / kernel.sum(0) / step)
        ends.append((float(low), float(high)))
        bins.append(np.minimum(((x - low) / step).astype(int), SIDE - 1))
    count = np.zeros((SIDE, SIDE))
    np.add.at(count, (bins[1], bins[0]), 1 / len(points))
    values = near[1] @ count @ near[0].T
    heights = np.quantile(values[bins[1], bins[0]], [1 - share for share in SHARES])
    return Density(values, ends[0], ends[1], tuple(map(float, heights)))


def width(x: np.ndarray) -> float:
    """Return the deviation of the normals along one axis."""
    low, high = np.quantile(x, [0.25, 0.75])
    spread = min(x.std(), (high - low) / 1.349) or x.std() or 1.0
    return float(NARROW * spread * len(x) ** (-1 / 6))
