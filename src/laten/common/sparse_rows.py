r"""Rows of which most sites are zero: the others alone, one row after the other (CSR).

    values   3 1 | 2 | | 7 1 4      what is not zero
    sites    0 5 | 2 | | 1 2 6      where in its row
    starts   0     2   3 3     6    where each row begins

A batch of rows is made dense where it is used, on the device: of each row as many entries are looked at as the longest
row has, and those past its own end fall outside of the sites, so that they are dropped. The whole is never dense.
"""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from laten.common.types import Array


class SparseRows(eqx.Module):
    """Rows, as arrays of NumPy on the host or of JAX on the device.

    Args:
        values: `(entries,)` what is not zero.
        sites: `(entries,)` where it stands in its row, all sites in one line.
        starts: `(rows + 1,)` where each row begins, and the end of the last.
        shape_of_row: Shape of one row's sites.
        longest: Entries of the row that has most.
    """

    values: Any
    sites: Any
    starts: Any
    shape_of_row: tuple[int, ...] = eqx.field(static=True)
    longest: int = eqx.field(static=True)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as if it were dense, `(rows, *sites)`."""
        return len(self), *self.shape_of_row

    @property
    def dtype(self) -> np.dtype:
        """Type of the dense rows."""
        return np.dtype(np.float32)

    @property
    def width(self) -> int:
        """Number of sites of a row."""
        return math.prod(self.shape_of_row)

    def __getitem__(self, index: Any) -> "SparseRows":
        """Return the rows of these numbers, or of a slice or mask, in their order; on the host."""
        rows = np.arange(len(self))[index]
        starts = np.asarray(self.starts, np.int64)
        lengths = starts[rows + 1] - starts[rows]
        ends = np.cumsum(lengths)
        places = np.repeat(starts[rows] - (ends - lengths), lengths) + np.arange(lengths.sum())
        values, sites = np.asarray(self.values)[places], np.asarray(self.sites)[places]
        begins = np.concatenate([[0], ends]).astype(np.int32)
        return SparseRows(values, sites, begins, self.shape_of_row, int(lengths.max(initial=1)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return all rows dense, `(rows, *sites)`: for few of them."""
        dense = np.zeros((len(self), self.width), np.float32)
        rows = np.repeat(np.arange(len(self)), np.diff(np.asarray(self.starts)))
        dense[rows, np.asarray(self.sites)] = np.asarray(self.values)
        return dense.reshape(self.shape).astype(dtype or np.float32, copy=False)

    def dense(self, index: Array) -> Array:
        """Return rows `(batch, *sites)` of the numbers `index (batch,)`, float32, on the device."""
        start, stop = self.starts[index], self.starts[index + 1]
        place = start[:, None] + jnp.arange(self.longest, dtype=start.dtype)[None]  # (batch, longest)
        site = jnp.where(place < stop[:, None], self.sites[place].astype(jnp.int32), self.width)
        row = jnp.arange(len(index), dtype=jnp.int32)[:, None]
        values = self.values[place].astype(jnp.float32)
        blank = jnp.zeros((len(index), self.width), jnp.float32)
        full = blank.at[row, site].set(values, mode="drop")
        return full.reshape(len(index), *self.shape_of_row)

    def totals(self) -> np.ndarray:
        """Return the sum of each row `(rows,)`, float64."""
        rows = np.repeat(np.arange(len(self)), np.diff(np.asarray(self.starts)))
        return np.bincount(rows, np.asarray(self.values, np.float64), len(self))

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each site's mean and standard deviation over the rows, flat `(sites,)`, float64."""
        n, sites, values = max(len(self), 1), np.asarray(self.sites), np.asarray(self.values, np.float64)
        filled = np.bincount(sites, minlength=self.width)
        mean = np.bincount(sites, values, self.width) / n
        squares = np.bincount(sites, np.square(values - mean[sites]), self.width)
        return mean, np.sqrt((squares + (n - filled) * np.square(mean)) / n)


def sparse_rows(values: np.ndarray, sites: np.ndarray, starts: np.ndarray, shape_of_row: tuple[int, ...]) -> SparseRows:
    """Return rows in the smallest types that hold them; zeros that stand among the entries stay.

    Args:
        values: Whole numbers of at least 0.
    """
    small = np.min_scalar_type(int(values.max(initial=0)))
    values = values.astype(small if small.itemsize <= 2 else np.float32)
    sites = sites.astype(np.uint16 if math.prod(shape_of_row) <= 2**16 else np.int32)
    longest = int(np.diff(starts).max(initial=1))
    return SparseRows(values, sites, starts.astype(np.int32), shape_of_row, longest)


def is_sparse(given: object) -> bool:
    """Say whether this is a sparse matrix of SciPy."""
    return hasattr(given, "tocsr")
