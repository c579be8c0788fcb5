"""Column moments of data with holes, on the host: where raw parameters start."""

from typing import NamedTuple

import numpy as np

from laten.common.sparse_rows import SparseRows

ROWS = 2**16  # in one step


class ColumnMoments(NamedTuple):
    """Per site, flat `(n_sites,)`: observed cells, their mean (0 if none) and standard deviation (1 if none)."""

    rows: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


def observed(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return True where a cell is seen: unmasked and finite; `(rows, *shape)`."""
    seen = np.isfinite(values)
    return seen if mask is None else seen & np.asarray(mask, bool)


def moments(values: np.ndarray | SparseRows, mask: np.ndarray | None = None) -> ColumnMoments:
    """Return the moments of each site over the rows, without hidden or non-finite cells.

    Args:
        values: `(rows, *shape)`; sparse ones are observed everywhere.
        mask: `(rows, *shape)`, True where observed.
    """
    if isinstance(values, SparseRows):
        mean, sd = values.moments()
        return ColumnMoments(np.full(values.width, len(values)), mean, sd if len(values) else np.ones(values.width))
    values = np.asarray(values)
    parts = [slice(i, i + ROWS) for i in range(0, max(len(values), 1), ROWS)]  # no copy of large data

    def seen(part: slice) -> np.ndarray:
        return observed(values[part], None if mask is None else mask[part])

    count = np.sum([seen(p).sum(axis=0) for p in parts], axis=0)
    shown = np.maximum(count, 1)
    mean = np.sum([np.sum(values[p], axis=0, where=seen(p), dtype=np.float64) for p in parts], axis=0) / shown
    centre = mean.astype(values.dtype) if values.dtype.kind == "f" else mean
    squares = [np.sum(np.square(values[p] - centre), axis=0, where=seen(p), dtype=np.float64) for p in parts]
    sd = np.sqrt(np.sum(squares, axis=0) / shown)
    return ColumnMoments(count.ravel(), mean.ravel(), np.where(count > 0, sd, 1.0).ravel())
