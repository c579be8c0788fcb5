"""Small weights packed in one vector, so that a small net's optimiser is a few kernels and not a few for each array.

Large arrays stay as they are: copying them into a vector would cost more than it saves.
"""

from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.types import Array

SMALL = 2**14  # entries up to which an array is packed


class Packed(NamedTuple):
    """Weights as the optimiser sees them."""

    small: Array  # all small arrays, one after the other
    large: list[Array]


class WeightPacking:
    """Where each array of a tree of float32 arrays lies; those of at most `limit` entries are packed (0: none)."""

    def __init__(self, tree: Any, limit: int = SMALL):
        leaves, self.structure = jax.tree.flatten(tree)
        self.shapes = [leaf.shape for leaf in leaves]
        self.small = [0 < leaf.size <= limit and leaf.dtype == jnp.float32 for leaf in leaves]

    def pack(self, tree: Any, xp: ModuleType = jnp) -> Packed:
        """Pack the tree's arrays into a vector and a list, by `jax.numpy`, or by `numpy` on the host."""
        leaves = jax.tree.leaves(tree)
        small = [xp.ravel(x) for x, s in zip(leaves, self.small, strict=True) if s]
        large = [x for x, s in zip(leaves, self.small, strict=True) if not s]
        return Packed(xp.concatenate(small) if small else xp.zeros(0, xp.float32), large)

    def unpack(self, packed: Packed) -> Any:
        """Undo `pack`."""
        large, start, leaves = iter(packed.large), 0, []
        for shape, small in zip(self.shapes, self.small, strict=True):
            size = int(np.prod(shape, dtype=int))
            leaves.append(packed.small[start : start + size].reshape(shape) if small else next(large))
            start += size if small else 0
        return jax.tree.unflatten(self.structure, leaves)
