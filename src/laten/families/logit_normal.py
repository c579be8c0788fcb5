r"""The logit-normal family: fractions between 0 and 1 whose logit is normal (Aitchison & Shen 1980).

$$\log p(x) = \log N(t;\,\mu,\sigma) - \log x - \log(1-x),\qquad t = \mathrm{logit}\,x .$$

The KL is that of the normals, for it does not change under an invertible map. The mean has no closed form; with the
logistic function as a sum of normal ones, $\mathrm{sigmoid}(t) = \sum_i p_i\,\Phi(s_i t)$ to $10^{-7}$ (Monahan &
Stefanski 1992), it is, for every scale,

$$\mathrm E\,x = \sum_i p_i\,\Phi\Big(\frac{s_i\,\mu}{\sqrt{1 + s_i^2\sigma^2}}\Big).$$

The mode solves $t = \mu + \sigma^2\tanh(t/2)$. Where $\mu \ge 0$ the highest of its solutions is the largest, and the
only positive one if $\mu > 0$: bisection finds it. A value counts as at least $2^{-24}$ away from both ends, which is
what float32 can tell from 1, so that exact zeros and ones are finite.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np

from laten.common.numerics import bisect
from laten.common.types import Array, Key
from laten.families.base import Support
from laten.families.mapped_normal import MappedNormal

EDGE = 2.0**-24
WEIGHTS = np.array([3.246343272134e-3, 5.1517477033972e-2, 0.195077912673858, 0.315569823632818, 0.274149576158423,
                    0.131076880695470, 2.7912418727972e-2, 1.449567805354e-3], np.float32)  # fmt: skip
SLOPES = np.array([1.365340806296348, 1.059523971016916, 0.830791313765644, 0.650732166639391, 0.508135425366489,
                   0.396313345166341, 0.308904252267995, 0.238212616409306], np.float32)  # fmt: skip


@dataclass(frozen=True, repr=False)
class LogitNormal(MappedNormal):
    """Independent fractions between 0 and 1.

    Args:
        size: Number of sites, or their shape.
        scale: Of logit x, as in `Normal`: `"net"`, `"site"` or a number.
    Raises:
        DeclarationError: a size or scale that cannot be.
    """

    @property
    def support(self) -> Support:
        return Support("fraction")

    @property
    def neutral(self) -> float:
        return 0.5

    def log_prob(self, raw: Array, value: Array) -> Array:
        value = jnp.clip(value, EDGE, 1 - EDGE)
        return self.inner.log_prob(raw, self.to_real(value)) - jnp.log(value) - jnp.log1p(-value)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        value = self.back(self.inner.sample(raw, key))
        return value, self.log_prob(raw, value)  # of the value as rounded: near 1 its logit has few digits

    def mean(self, raw: Array) -> Array:
        loc, log_sd = self.inner.parameters(raw)
        slopes = jnp.asarray(SLOPES, raw.dtype).reshape((1,) * loc.ndim + (-1,))
        ratio = slopes / jnp.sqrt(1 + jnp.square(slopes * jnp.exp(log_sd)[..., None]))
        return jsp.ndtr(ratio * loc[..., None]) @ jnp.asarray(WEIGHTS, raw.dtype)

    def mode(self, raw: Array) -> Array:
        loc, log_sd = self.inner.parameters(raw)
        size, variance = jnp.abs(loc), jnp.exp(2 * log_sd)
        above = lambda t: (t > size + variance * jnp.tanh(0.5 * t)).astype(t.dtype)  # noqa: E731
        root = bisect(above, jnp.full_like(size, 0.5), size, size + variance)
        return self.back(jnp.where(loc < 0, -root, root))

    def cdf(self, raw: Array, value: Array) -> Array:
        inner = self.inner.cdf(raw, self.to_real(value))
        return jnp.where(value <= 0, 0.0, jnp.where(value >= 1, 1.0, inner))

    def to_real(self, value: Array) -> Array:
        x = jnp.clip(value, EDGE, 1 - EDGE)
        return jnp.log(x) - jnp.log1p(-x)

    def back(self, u: Array) -> Array:
        return jnp.clip(jax.nn.sigmoid(u), EDGE, 1 - EDGE)

    def from_real(self, u: Array) -> tuple[Array, Array]:
        value = self.back(u)
        return value, jnp.log(value) + jnp.log1p(-value)

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        inside = np.clip(np.asarray(values, np.float64), EDGE, 1 - EDGE)
        return self.inner.fit_raw(np.log(inside) - np.log1p(-inside), mask)
