r"""Ragged columns packed in one vector.

Columns of sizes $K_1,\dots,K_m$ lie one after the other in a vector of $\sum K_c$ entries. Entry $i$ belongs to
column $c(i)$ and has rank $r(i)$ in it. With the constant 0/1 matrix $A_{ic} = [c(i)=c]$, sums by column are $xA$ and
spreading is $yA^\top$: matrix products, quick forwards and backwards on any device, with no loop over columns, no
gather, no scatter. When all sizes are equal both are a reshape.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from laten.common.errors import DeclarationError
from laten.common.types import Array
from laten.families.base import Family
from laten.families.column_moments import observed

MOST_STATES = 2**20


@dataclass(frozen=True, eq=False)
class Packing:
    """Where each entry of the packed vector belongs. Build with `packing(sizes)`."""

    sizes: tuple[int, ...]

    @property
    def columns(self) -> int:
        return len(self.sizes)

    @property
    def total(self) -> int:
        return sum(self.sizes)

    @property
    def equal(self) -> bool:
        """Whether all columns have one size."""
        return len(set(self.sizes)) == 1

    @property
    def sites(self) -> np.ndarray:
        """`(total,)` column of each entry."""
        return np.repeat(np.arange(self.columns, dtype=np.int32), self.sizes)

    @property
    def ranks(self) -> np.ndarray:
        """`(total,)` position of each entry in its column."""
        return np.concatenate([np.arange(n, dtype=np.int32) for n in self.sizes])

    def indicator(self, dtype: DTypeLike) -> Array:
        """Return the matrix A, `(total, columns)`."""
        return jnp.asarray(self.sites[:, None] == np.arange(self.columns), dtype)

    def column_sums(self, x: Array) -> Array:
        """Sum each column, `(..., total) -> (..., columns)`."""
        if self.equal:
            return jnp.sum(x.reshape(*x.shape[:-1], self.columns, self.sizes[0]), axis=-1)
        return jnp.matmul(x, self.indicator(x.dtype), precision=jax.lax.Precision.HIGHEST)

    def spread(self, y: Array) -> Array:
        """Give each entry its column's number, `(columns,) -> (total,)`."""
        if self.equal:
            return jnp.broadcast_to(y[:, None], (self.columns, self.sizes[0])).ravel()
        return jnp.matmul(y, self.indicator(y.dtype).T, precision=jax.lax.Precision.HIGHEST)

    def one_hot(self, code: Array, dtype: DTypeLike) -> Array:
        """Turn codes `(columns,)` to `(total,)`, 1 at each column's code; a code out of range gives zeros."""
        code = self.spread(code.astype(jnp.float32))  # whole numbers, exact in float32
        return (code == self.ranks.astype(np.float32)).astype(dtype)

    def cumulative(self, x: Array) -> Array:
        """Sum up within each column, `(total,) -> (total,)`."""
        if self.equal:
            return jnp.cumsum(x.reshape(self.columns, self.sizes[0]), axis=1).ravel()
        same = self.sites[:, None] == self.sites
        before = same & (self.ranks[:, None] <= self.ranks)
        return jnp.matmul(x, jnp.asarray(before, x.dtype), precision=jax.lax.Precision.HIGHEST)

    def argmax(self, x: Array) -> Array:
        """Return the rank of the largest entry of each column, `(total,) -> (columns,)` int32."""
        if self.equal:
            return jnp.argmax(x.reshape(self.columns, self.sizes[0]), axis=1).astype(jnp.int32)
        widest = max(self.sizes)
        starts = np.cumsum((0, *self.sizes[:-1]))
        rank = np.arange(widest)
        index = np.where(rank < np.array(self.sizes)[:, None], starts[:, None] + rank, self.total)
        padded = jnp.append(x, jnp.asarray([-jnp.inf], x.dtype))[index]
        return jnp.argmax(padded, axis=1).astype(jnp.int32)

    def frequencies(self, values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        """Return class frequencies `(total,)` with half a count added to each class; codes are `(rows, *shape)`."""
        values = np.asarray(values)
        seen = observed(values, mask).reshape(-1, self.columns)
        values = values.reshape(-1, self.columns)
        packed = []
        for c, size in enumerate(self.sizes):
            counts = 0.5 + np.bincount(values[seen[:, c], c].astype(np.int64), minlength=size)[:size]
            packed.append(counts / counts.sum())
        return np.concatenate(packed)


@lru_cache(maxsize=256)
def packing(sizes: int | tuple[int, ...]) -> Packing:
    """Return the packing of `sizes`; a whole number is one column."""
    return Packing((sizes,) if isinstance(sizes, int) else sizes)


def all_codes(sizes: tuple[int, ...], family: Family) -> np.ndarray:
    """List every combination of codes, `(product of sizes, columns)` int32.

    Raises:
        DeclarationError: more combinations than can be listed.
    """
    count = math.prod(sizes)
    if count > MOST_STATES:
        raise DeclarationError(f"{family!r} has more than {MOST_STATES} states; they cannot be listed")
    return np.indices(sizes, dtype=np.int32).reshape(len(sizes), count).T
