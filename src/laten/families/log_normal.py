r"""The log-normal family: positive numbers whose logarithm is normal.

$$\log p(x) = \log N(\log x;\, \mu, \sigma) - \log x,\qquad
\mathrm{E}\,x = e^{\mu+\sigma^2/2},\qquad \text{mode} = e^{\mu-\sigma^2}.$$

The KL is that of the normals, for it does not change under an invertible map. Everything is said through `Normal`.
Draws and means stay within $e^{\pm 80}$, so that no raw parameter makes them leave float32.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from laten.common.numerics import LOG_2PI, log_minus
from laten.common.types import Array, Key
from laten.families.base import Support
from laten.families.column_moments import observed
from laten.families.mapped_normal import MappedNormal

LOG_LIMIT = 80.0


@dataclass(frozen=True, repr=False)
class LogNormal(MappedNormal):
    """Independent positive sites.

    Args:
        size: Number of sites, or their shape.
        scale: Of log x, as in `Normal`: `"net"`, `"site"` or a number.
    Raises:
        DeclarationError: a size or scale that cannot be.
    """

    @property
    def support(self) -> Support:
        return Support("positive")

    @property
    def neutral(self) -> float:
        return 1.0

    def log_prob(self, raw: Array, value: Array) -> Array:
        loc, log_sd = self.inner.parameters(raw)
        z = log_minus(value, loc) * jnp.exp(-log_sd)  # not log(value) - loc: few digits are left where sd is small
        return -0.5 * jnp.square(z) - log_sd - 0.5 * LOG_2PI - jnp.log(value)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        log_value, log_p = self.inner.sample_and_log_prob(raw, key)
        return self.back(log_value), log_p - log_value

    def mean(self, raw: Array) -> Array:
        loc, log_sd = self.inner.parameters(raw)
        return self.back(loc + 0.5 * jnp.exp(2 * log_sd))

    def mode(self, raw: Array) -> Array:
        loc, log_sd = self.inner.parameters(raw)
        return self.back(loc - jnp.exp(2 * log_sd))

    def cdf(self, raw: Array, value: Array) -> Array:
        return self.inner.cdf(raw, jnp.log(jnp.maximum(value, 0)))

    def to_real(self, value: Array) -> Array:
        return jnp.log(value)

    def back(self, u: Array) -> Array:
        return jnp.exp(jnp.clip(u, -LOG_LIMIT, LOG_LIMIT))

    def from_real(self, u: Array) -> tuple[Array, Array]:
        return jnp.exp(u), u

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        seen = observed(values, mask) & (np.nan_to_num(values) > 0)
        return self.inner.fit_raw(np.log(np.where(seen, values, 1.0)), seen)
