"""What mixtures of diagonal normals over a whole vector share, whatever their components are made of.

Coordinates are not independent: the log-density belongs to the vector, and is spread evenly over its sites so that
their sum is right.
"""

import abc
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.numerics import LOG_2PI
from laten.common.types import Array, Key
from laten.families.base import Family
from laten.families.normal import Normal
from laten.families.sized import Sized


@dataclass(frozen=True, repr=False)
class OfNormals(Sized):
    """A vector from one of `k` diagonal normals; heirs say how many and what they are."""

    k: int

    @property
    def joint(self) -> bool:
        return True

    @abc.abstractmethod
    def parameters(self, raw: Array) -> tuple[Array, Array, Array]:
        """Return log-weights `(k,)`, means and log-scales `(k, sites)`."""

    def log_prob(self, raw: Array, value: Array) -> Array:
        log_w, means, log_scales = self.parameters(raw)
        far = distances(means, jnp.exp(-2 * log_scales), value.reshape(-1))
        parts = log_w - 0.5 * far - jnp.sum(log_scales, axis=1) - self.n_sites * LOG_2PI / 2
        return jnp.full(self.shape, jax.nn.logsumexp(parts) / self.n_sites)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        log_w, means, log_scales = self.parameters(raw)
        choice_key, draw_key = random.split(key)
        chosen = jax.random.categorical(choice_key, log_w)
        noise = random.normal(draw_key, (self.n_sites,))
        value = (means[chosen] + jnp.exp(log_scales[chosen]) * noise).reshape(self.shape)
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        log_w, means, _ = self.parameters(raw)
        return (jnp.exp(log_w) @ means).reshape(self.shape)

    def mode(self, raw: Array) -> Array:
        """Return the best of the components' means, of `shape` (exact when components are well apart)."""
        means = self.parameters(raw)[1].reshape(self.k, *self.shape)
        return means[jnp.argmax(jax.vmap(lambda m: jnp.sum(self.log_prob(raw, m)))(means))]

    def cdf(self, raw: Array, value: Array) -> Array:
        """Return P(coordinate <= value) of each coordinate alone, of `shape`."""
        log_w, means, log_scales = self.parameters(raw)
        below = jax.scipy.special.ndtr((value.reshape(1, -1) - means) * jnp.exp(-log_scales))
        return (jnp.exp(log_w) @ below).reshape(self.shape)

    def guide(self) -> Family:
        return Normal(self.shape)


def distances(means: Array, weights: Array, value: Array) -> Array:
    """Return weighted squared distances `(k,)` of a value `(sites,)` from means `(k, sites)`, as products of matrices.

    Of many values at once, differences would be k numbers for each site of each value, written and read again for the
    gradient; the products take a seventh of the time. Their rounding is that of weight times value squared, 1e-7 of it,
    and weights are at most exp(6).
    """
    exact = jax.lax.Precision.HIGHEST  # large terms cancel: never with rounded operands
    squares = jnp.matmul(weights, jnp.square(value), precision=exact)
    crossed = jnp.matmul(weights * means, value, precision=exact)
    return squares - 2 * crossed + jnp.sum(weights * jnp.square(means), axis=1)
