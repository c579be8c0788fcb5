"""Column moments of data with holes, on the host: where raw parameters start."""

from typing import NamedTuple

import numpy as np


class Moments(NamedTuple):
    """Per site, flat `(n_sites,)`: observed cells, their mean (0 if none) and standard deviation (1 if none)."""

    rows: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


def observed(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """True where a cell is seen: unmasked and finite; `(rows, *shape)`."""
    seen = np.isfinite(values)
    return seen if mask is None else seen & np.asarray(mask, bool)


def moments(values: np.ndarray, mask: np.ndarray | None = None) -> Moments:
    """Moments of each site over the rows, hidden or non-finite cells left out.

    Args:
        values: `(rows, *shape)`.
        mask: `(rows, *shape)`, True where observed.
    """
    values = np.asarray(values)
    seen = observed(values, mask)
    count = seen.sum(axis=0)
    shown = np.maximum(count, 1)
    mean = np.sum(values, axis=0, where=seen, dtype=np.float64) / shown
    centre = mean.astype(values.dtype) if values.dtype.kind == "f" else mean  # no float64 copy of large data
    square = np.square(np.where(seen, values - centre, 0))
    sd = np.sqrt(np.sum(square, axis=0, dtype=np.float64) / shown)
    return Moments(count.ravel(), mean.ravel(), np.where(count > 0, sd, 1.0).ravel())
