r"""A hidden layer as a node: its value is the output of its net.

$$\text{value} = \text{raw}, \qquad \log p = 0 .$$

Several children may share it; it has no density, so it is neither observed nor inferred.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from laten.common.types import Array, Key
from laten.families.sized import Sized


@dataclass(frozen=True, repr=False)
class Deterministic(Sized):
    """Real numbers fixed by their parents.

    Args:
        size: Number of sites, or their shape.
    Raises:
        DeclarationError: a size that is no whole number of at least 1, or is no shape.
    """

    has_density: ClassVar[bool] = False

    def log_prob(self, raw: Array, value: Array) -> Array:
        """Return zeros of `shape`, in nats: there is no density."""
        return jnp.zeros(self.shape, raw.dtype)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        return self.mean(raw), jnp.zeros(self.shape, raw.dtype)

    def mean(self, raw: Array) -> Array:
        return raw.reshape(self.shape)

    def mode(self, raw: Array) -> Array:
        return self.mean(raw)
