r"""The net of a classical network: a row of numbers for each joint state of discrete parents.

With the parents one-hot, $x = (x_1, \dots, x_m)$, the joint state is one-hot too, $x_1\otimes\dots\otimes x_m$, and
the row is one product with the table of rows.
"""

import math
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError
from laten.common.numerics import host_rng, on_device
from laten.common.types import Array, Key
from laten.network.nets.layers import Linear


@dataclass(frozen=True)
class Table:
    """No net: a row of learned numbers for each joint state of discrete parents.

    Args:
        sizes: Number of states of each parent, in order; parents are `Categorical` nodes of one site.
    Raises:
        DeclarationError: a number of states below 1.

    >>> import laten as lt
    >>> lt.Network(rain=lt.Categorical(2), wet=lt.Categorical(3).given("rain", via=lt.Table(2)))
    Network[p(rain) p(wet | rain)]
    """

    sizes: int | tuple[int, ...]

    def __post_init__(self):
        for size in self.parts:
            if not isinstance(size, int) or size < 1:
                raise DeclarationError(f"Table: sizes must be whole numbers of at least 1, not {self.sizes!r}")

    @property
    def parts(self) -> tuple[int, ...]:
        """Number of states of each parent."""
        return self.sizes if isinstance(self.sizes, tuple) else (self.sizes,)

    @property
    def size(self) -> tuple[int, int]:
        """No layers."""
        return 0, 0

    def mirrored(self) -> Linear:
        """Return a linear net: evidence has no rows of its own."""
        return Linear()

    def __call__(self, n_in: int, n_out: int, key: Key) -> "TableRows":
        if n_in != sum(self.parts):
            raise ValueError(
                f"the parents have {n_in} features, but states of {self.parts} have {sum(self.parts)}; "
                "the parents of a table are Categorical nodes that are not hidden"
            )
        rows, rng = math.prod(self.parts), host_rng(key)
        if rng is None:
            return TableRows(jnp.zeros((rows, n_out), jnp.float32), self.parts)
        start = rng.standard_normal((rows, n_out), np.float32)
        return TableRows(on_device(np.float32(0.1) * start), self.parts)

    def __repr__(self) -> str:
        return f"Table({self.sizes})"


class TableRows(eqx.Module):
    """The row of the parents' joint state, the last parent changing fastest."""

    rows: Array  # (states of all parents, n_out)
    sizes: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        state, start = jnp.ones(1, x.dtype), 0
        for size in self.sizes:
            state = (state[:, None] * x[None, start : start + size]).ravel()  # one-hot of the joint state so far
            start += size
        return jnp.matmul(state, self.rows, precision=jax.lax.Precision.HIGHEST)
