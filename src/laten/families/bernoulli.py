r"""The Bernoulli family: zeros and ones, with logit $l$.

$$\log p(x) = x\,l - \log(1+e^l),\qquad
\mathrm{KL} = p\,(l-l') - \log(1+e^l) + \log(1+e^{l'}),\quad p = \mathrm{sigmoid}(l).$$

For a fractional $x$ the same expression is the (negative) cross-entropy. It is finite for every logit: no clamps.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.numerics import LOGIT_LIMIT, softplus
from laten.common.types import Array, Key
from laten.families.base import SMALLEST, TEMPERATURE, Family, Support
from laten.families.column_moments import moments
from laten.families.ragged import all_codes
from laten.families.same_density import has_density_of
from laten.families.sized import Sized


@dataclass(frozen=True, repr=False)
class Bernoulli(Sized):
    """Independent 0/1 sites, as float32.

    Args:
        size: Number of sites, or their shape.
    Raises:
        DeclarationError: a size that is no whole number of at least 1, or is no shape.
    """

    @property
    def n_states(self) -> int:
        return 2**self.n_sites

    @property
    def support(self) -> Support:
        return Support("binary")

    @property
    def classes(self) -> tuple[int, ...]:
        return (2,) * self.n_sites

    def log_prob(self, raw: Array, value: Array) -> Array:
        # flat, and only then in the sites' shape: over short rows of pixels vector instructions find little to do
        return (jnp.ravel(value) * raw - softplus(raw)).reshape(self.shape)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        chance = random.uniform(key, self.shape)
        value = (chance < self.mean(raw)).astype(raw.dtype)
        return value, self.log_prob(raw, value)

    def sample_relaxed(self, raw: Array, key: Key) -> Array:
        height = raw.reshape(self.shape) + random.logistic(key, self.shape)
        soft, hard = jax.nn.sigmoid(height / TEMPERATURE), (height > 0).astype(raw.dtype)
        return hard + soft - jax.lax.stop_gradient(soft)

    def mean(self, raw: Array) -> Array:
        return jax.nn.sigmoid(raw.reshape(self.shape))

    def chances(self, mean: Array) -> Array:
        p = jnp.ravel(mean)
        return jnp.stack([1 - p, p], axis=1).ravel()

    def point(self, mean: Array) -> Array:
        return (mean > 0.5).astype(mean.dtype)

    def mode(self, raw: Array) -> Array:
        return self.point(self.mean(raw))

    def log_mass(self, raw: Array, allowed: Array) -> Array:
        """Return log P(site is allowed) per site, of `shape`, in nats.

        Args:
            allowed: As for classes: shares of 0 and of 1, site after site, `(2 * n_sites,)`.
        """
        shares, p = allowed.reshape(self.n_sites, 2), jnp.ravel(self.mean(raw))
        mass = (1 - p) * shares[:, 0] + p * shares[:, 1]
        return jnp.log(jnp.maximum(mass, SMALLEST)).reshape(self.shape)

    def sample_allowed(self, raw: Array, key: Key, allowed: Array) -> Array:
        shares, p = allowed.reshape(self.n_sites, 2), jnp.ravel(self.mean(raw))
        off, on = (1 - p) * shares[:, 0], p * shares[:, 1]
        chance = random.uniform(key, p.shape) * (off + on)
        return (chance < on).astype(p.dtype).reshape(self.shape)

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        if not (has_density_of(self, Bernoulli) and has_density_of(other, Bernoulli)):
            return None
        logit, other_logit = raw.reshape(self.shape), other_raw.reshape(self.shape)
        return jax.nn.sigmoid(logit) * (logit - other_logit) - softplus(logit) + softplus(other_logit)

    def states(self) -> np.ndarray:
        return all_codes((2,) * self.n_sites, self).reshape(-1, *self.shape).astype(np.float32)

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        count, mean, _ = moments(values, mask)
        p = (count * mean + 0.5) / (count + 1)
        return np.clip(np.log(p) - np.log1p(-p), -LOGIT_LIMIT, LOGIT_LIMIT).astype(np.float32)
