r"""Student's t: a real family with heavy tails, for columns with outliers.

With $z = (x-\mu)/\sigma$ and $\nu$ degrees of freedom,

$$\log p(x) = \log\Gamma(\tfrac{\nu+1}2) - \log\Gamma(\tfrac\nu2) - \tfrac12\log(\pi\nu) - \log\sigma
- \tfrac{\nu+1}2\log\Big(1 + \frac{z^2}\nu\Big),\qquad \nu = 2.1 + 97.9\,\mathrm{sigmoid}(r - 2.5).$$

$\nu$ is a learned constant a site; it stays above 2, so that the variance $\sigma^2\nu/(\nu-2)$ exists, and $r=0$
gives 9.5. Draws are Bailey's (1994): $\sqrt{\nu(u^{-2/\nu}-1)}\,\cos 2\pi v$ with $u, v$ uniform, smooth in all
parameters. The quantile lies between the normal's and that of two degrees of freedom, $(2p-1)/\sqrt{2p(1-p)}$;
bisection does the rest.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np

from laten.common import random
from laten.common.numerics import bisect, log_gamma
from laten.common.types import Array, Key
from laten.families.base import Family
from laten.families.column_moments import moments
from laten.families.normal import Normal
from laten.families.scale import location_scale, raw_location_scale
from laten.families.sized import LocationScale

DF_LOW, DF_HIGH, DF_SHIFT = 2.1, 100.0, 2.5


@dataclass(frozen=True, repr=False)
class StudentT(LocationScale):
    """Independent Student-t sites; the degrees of freedom are learned a site.

    Args:
        size: Number of sites, or their shape.
        scale: As in `Normal`: `"net"`, `"site"` or a number.
    Raises:
        DeclarationError: a size or scale that cannot be.
    """

    @property
    def n_raw(self) -> int:
        return super().n_raw + self.n_sites

    def parameters(self, raw: Array) -> tuple[Array, Array, Array]:
        """Return location, log-scale and degrees of freedom, each of `shape`."""
        loc, log_scale = location_scale(raw, self.shape, self.scale)
        unit = jax.nn.sigmoid(raw[self.n_raw - self.n_sites :].reshape(self.shape) - DF_SHIFT)
        return loc, log_scale, DF_LOW + (DF_HIGH - DF_LOW) * unit

    def log_prob(self, raw: Array, value: Array) -> Array:
        loc, log_scale, df = self.parameters(raw)
        z = (value - loc) * jnp.exp(-log_scale)
        constant = log_gamma(0.5 * df + 0.5) - log_gamma(0.5 * df) - 0.5 * jnp.log(math.pi * df)
        return constant - log_scale - 0.5 * (df + 1) * jnp.log1p(jnp.square(z) / df)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        loc, log_scale, df = self.parameters(raw)
        radius_key, angle_key = random.split(key)
        u = random.uniform(radius_key, self.shape)
        angle = 2 * math.pi * random.uniform(angle_key, self.shape)
        z = jnp.sqrt(df * jnp.expm1(-2 / df * jnp.log(u))) * jnp.cos(angle)
        value = loc + jnp.exp(log_scale) * z
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def mode(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def cdf(self, raw: Array, value: Array) -> Array:
        loc, log_scale, df = self.parameters(raw)
        return _standard_cdf((value - loc) * jnp.exp(-log_scale), df)

    def quantile(self, raw: Array, p: Array) -> Array:
        loc, log_scale, df = self.parameters(raw)
        p = jnp.broadcast_to(p, self.shape)
        normal, two = jsp.ndtri(p), (2 * p - 1) / jnp.sqrt(2 * p * (1 - p))
        z = bisect(lambda z: _standard_cdf(z, df), p, jnp.minimum(normal, two) - 1e-3, jnp.maximum(normal, two) + 1e-3)
        return loc + jnp.exp(log_scale) * z

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        _, mean, sd = moments(values, mask)
        df = DF_LOW + (DF_HIGH - DF_LOW) / (1 + math.exp(DF_SHIFT))
        start = raw_location_scale(mean, sd * math.sqrt((df - 2) / df), self.scale)
        return np.concatenate([start, np.zeros(self.n_sites)]).astype(np.float32)

    def guide(self) -> Family:
        return Normal(self.shape)


def _standard_cdf(z: Array, df: Array) -> Array:
    """Return P(t <= z) by the incomplete beta function, of the smaller argument: exact in the middle and far out."""
    square, half = jnp.square(z), jnp.full_like(df, 0.5)
    near = square < df
    a, b = jnp.where(near, half, 0.5 * df), jnp.where(near, 0.5 * df, half)
    beta = 0.5 * jsp.betainc(a, b, jnp.where(near, square, df) / (df + square))
    upper = jnp.where(near, 0.5 + beta, 1 - beta)
    return jnp.where(z < 0, jnp.where(near, 0.5 - beta, beta), upper)
