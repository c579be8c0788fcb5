r"""The log-normal family: positive numbers whose logarithm is normal.

$$\log p(x) = \log N(\log x;\, \mu, \sigma) - \log x,\qquad
\mathrm{E}\,x = e^{\mu+\sigma^2/2},\qquad \text{mode} = e^{\mu-\sigma^2}.$$

The KL is that of the normals, for it does not change under an invertible map. Everything is said through `Normal`.
Draws and means stay within $e^{\pm 80}$, so that no raw parameter makes them leave float32.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from laten.common.types import Array, Key
from laten.families.base import Family, Support
from laten.families.column_moments import observed
from laten.families.normal import Normal
from laten.families.scale import check_scale
from laten.families.sizes import Shape, as_shape, shape_of

LOG_LIMIT = 80.0


def _exp(log_value: Array) -> Array:
    return jnp.exp(jnp.clip(log_value, -LOG_LIMIT, LOG_LIMIT))


@dataclass(frozen=True, repr=False)
class LogNormal(Family):
    """Independent positive sites.

    Args:
        size: Number of sites, or their shape.
        scale: Of log x, as in `Normal`: `"net"`, `"site"` or a number.
    """

    reparameterised: ClassVar[bool] = True

    size: int | Shape
    scale: str | float = "net"

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", as_shape(self.size, "LogNormal"))
        object.__setattr__(self, "scale", check_scale(self.scale, "LogNormal"))

    @property
    def log_family(self) -> Normal:
        """The family of log x, with the same raw parameters."""
        return Normal(self.size, self.scale)

    @property
    def shape(self) -> Shape:
        return shape_of(self.size)

    @property
    def support(self) -> Support:
        return Support("positive")

    @property
    def n_raw(self) -> int:
        return self.log_family.n_raw

    @property
    def n_net(self) -> int:
        return self.log_family.n_net

    @property
    def neutral(self) -> float:
        return 1.0

    def log_prob(self, raw: Array, value: Array) -> Array:
        log_value = jnp.log(value)
        return self.log_family.log_prob(raw, log_value) - log_value

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        log_value, log_p = self.log_family.sample_and_log_prob(raw, key)
        return _exp(log_value), log_p - log_value

    def mean(self, raw: Array) -> Array:
        loc, log_sd = self.log_family.parameters(raw)
        return _exp(loc + 0.5 * jnp.exp(2 * log_sd))

    def mode(self, raw: Array) -> Array:
        loc, log_sd = self.log_family.parameters(raw)
        return _exp(loc - jnp.exp(2 * log_sd))

    def cdf(self, raw: Array, value: Array) -> Array:
        return self.log_family.cdf(raw, jnp.log(jnp.maximum(value, 0)))

    def quantile(self, raw: Array, p: Array) -> Array:
        return _exp(self.log_family.quantile(raw, p))

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        if not isinstance(other, LogNormal):
            return None
        return self.log_family.kl(raw, other.log_family, other_raw)

    def to_real(self, value: Array) -> Array:
        return jnp.log(value)

    def from_real(self, u: Array) -> tuple[Array, Array]:
        return jnp.exp(u), u

    def features(self, value: Array) -> Array:
        return jnp.log(jnp.ravel(value))

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        seen = observed(values, mask) & (np.nan_to_num(values) > 0)
        return self.log_family.fit_raw(np.log(np.where(seen, values, 1.0)), seen)

    def guide(self) -> Family:
        return LogNormal(self.shape)
