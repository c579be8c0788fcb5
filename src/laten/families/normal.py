r"""The normal family.

$$\log p(x) = -\tfrac12\Big(\frac{x-\mu}{\sigma}\Big)^2 - \log\sigma - \tfrac12\log 2\pi,\qquad
\mathrm{KL} = \log\frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1-\mu_2)^2}{2\sigma_2^2} - \tfrac12 .$$

Draws are $\mu + \sigma\varepsilon$, $\varepsilon\sim N(0, 1)$: the reparameterisation of Kingma & Welling
(2014), section 2.4. The KL to the standard normal is their appendix B.
"""

import abc
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np

from laten.common import random
from laten.common.numerics import LOG_2PI
from laten.common.types import Array, Key
from laten.families.base import Family
from laten.families.column_moments import moments
from laten.families.same_density import has_density_of
from laten.families.scale import location_scale, raw_location_scale
from laten.families.sized import LocationScale


class NormalSites(Family):
    """Independent normal sites, however their raw numbers say mean and log standard deviation."""

    @abc.abstractmethod
    def parameters(self, raw: Array) -> tuple[Array, Array]:
        """Return mean and log standard deviation, each of `shape`."""

    def log_prob(self, raw: Array, value: Array) -> Array:
        loc, log_sd = self.parameters(raw)
        return -0.5 * jnp.square((value - loc) * jnp.exp(-log_sd)) - log_sd - 0.5 * LOG_2PI

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        loc, log_sd = self.parameters(raw)
        noise = random.normal(key, self.shape)
        return loc + jnp.exp(log_sd) * noise, -0.5 * jnp.square(noise) - log_sd - 0.5 * LOG_2PI

    def mean(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def mode(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def cdf(self, raw: Array, value: Array) -> Array:
        loc, log_sd = self.parameters(raw)
        return jsp.ndtr((value - loc) * jnp.exp(-log_sd))

    def quantile(self, raw: Array, p: Array) -> Array:
        loc, log_sd = self.parameters(raw)
        return loc + jnp.exp(log_sd) * jsp.ndtri(jnp.broadcast_to(p, self.shape))


@dataclass(frozen=True, repr=False)
class Normal(NormalSites, LocationScale):
    """Independent normal sites.

    Args:
        size: Number of sites, or their shape.
        scale: `"net"`: the net puts out a log-scale a site; `"site"`: a learned constant a site;
            `"shared"`: one for all sites; a number: fixed.
    Raises:
        DeclarationError: a size or scale that cannot be.
    """

    standard_root: ClassVar[bool] = True

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        """Return mean and log standard deviation, each of `shape`."""
        return location_scale(raw, self.shape, self.scale)

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        if not (has_density_of(self, Normal) and has_density_of(other, Normal)):
            return None
        return normal_kl(self.parameters(raw), other.parameters(other_raw))

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        _, mean, sd = moments(values, mask)
        return raw_location_scale(mean, sd, self.scale).astype(np.float32)

    def guide(self) -> Family:
        return Normal(self.shape)


def normal_kl(one: tuple[Array, Array], other: tuple[Array, Array]) -> Array:
    """Return KL(one ‖ other) per site, in nats; each is a mean and a log standard deviation, of one shape."""
    (loc, log_sd), (other_loc, other_log_sd) = one, other
    precision = jnp.exp(-2 * other_log_sd)
    square = (jnp.exp(2 * log_sd) + jnp.square(loc - other_loc)) * precision
    return other_log_sd - log_sd + 0.5 * (square - 1)
