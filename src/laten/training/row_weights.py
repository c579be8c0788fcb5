r"""Weights of rows, by how often a row is visited.

A loss of weighted rows is $\sum_i w_i\ell_i / \sum_i w_i$. A pass over N rows visits row i $N w_i/\sum_j w_j$ times on
average, by systematic sampling: with $u$ uniform in [0, 1) and $c_i = N\sum_{j\le i} w_j/\sum_j w_j$ it is
$\lfloor c_i + u\rfloor - \lfloor c_{i-1} + u\rfloor$ times, never more than one off. So weights are unbiased in any
objective that is a mean over rows, a row of weight k is as k equal ones, and one of weight 0 is not there; the compiled
step knows nothing of it.
"""

from typing import Any

import numpy as np

from laten.common.errors import DataError


def checked(weights: Any, rows: int) -> np.ndarray | None:
    """Return weights as `(rows,)` float64; None where all are equal, which changes nothing.

    Raises:
        DataError: no numbers, another number of them, a negative or infinite one, or nothing but zeros.
    """
    if weights is None:
        return None
    try:
        array = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"sample_weight holds numbers, one a row, not {weights!r:.60}") from None
    if array.shape != (rows,):
        raise DataError(f"sample_weight has shape {array.shape}; expected one weight for each of the {rows} rows")
    bad = np.flatnonzero(~np.isfinite(array) | (array < 0))
    if len(bad):
        raise DataError(f"sample_weight of row {bad[0]} is {array[bad[0]]}; weights are finite and at least 0")
    if not array.any():
        raise DataError("all weights in sample_weight are zero; at least one row must count")
    return None if (array == array[0]).all() else array


def visited(weights: np.ndarray, start: float = 0.5) -> np.ndarray:
    """Return row numbers `(rows,)`, int32, ascending, each as often as its weight asks.

    Args:
        weights: `(rows,)`, not all zero.
        start: u, in [0, 1).
    """
    ends = np.cumsum(weights)
    ends = np.floor(len(weights) * (ends / ends[-1]) + start).astype(np.int64)
    return np.repeat(np.arange(len(weights), dtype=np.int32), np.diff(ends, prepend=0))
