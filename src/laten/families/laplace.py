r"""The Laplace family: values near their centre, and now and then far from it.

$$\log p(x) = -\frac{|x-\mu|}{b} - \log 2b .$$

As a prior of many latents it is that of sparse coding (Olshausen & Field 1996): few of them are far from zero at once.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.types import Array, Key
from laten.families.base import Family
from laten.families.column_moments import moments
from laten.families.normal import Normal
from laten.families.scale import location_scale, raw_location_scale
from laten.families.sized import LocationScale

LOG_2 = float(np.log(2))


@dataclass(frozen=True, repr=False)
class Laplace(LocationScale):
    """Independent Laplace sites.

    Args:
        size: Number of sites, or their shape.
        scale: `"net"`: the net puts out a log-scale a site; `"site"`: a learned constant a site;
            `"shared"`: one for all sites; a number: fixed.
    Raises:
        DeclarationError: a size or scale that cannot be.
    """

    standard_root: ClassVar[bool] = True

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        """Return centre and log-scale, each of `shape`."""
        return location_scale(raw, self.shape, self.scale)

    def log_prob(self, raw: Array, value: Array) -> Array:
        loc, log_b = self.parameters(raw)
        return -jnp.abs(value - loc) * jnp.exp(-log_b) - log_b - LOG_2

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        loc, log_b = self.parameters(raw)
        side = 2 * random.uniform(key, self.shape) - 1
        far = -jnp.log1p(-jnp.abs(side))
        return loc + jnp.exp(log_b) * jnp.sign(side) * far, -far - log_b - LOG_2

    def mean(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def mode(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def cdf(self, raw: Array, value: Array) -> Array:
        loc, log_b = self.parameters(raw)
        far = (value - loc) * jnp.exp(-log_b)
        tail = 0.5 * jnp.exp(-jnp.abs(far))
        return jnp.where(far < 0, tail, 1 - tail)

    def quantile(self, raw: Array, p: Array) -> Array:
        loc, log_b = self.parameters(raw)
        side = 2 * jnp.broadcast_to(p, self.shape) - 1
        return loc - jnp.exp(log_b) * jnp.sign(side) * jnp.log1p(-jnp.abs(side))

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        _, mean, sd = moments(values, mask)
        return raw_location_scale(mean, sd / np.sqrt(2), self.scale).astype(np.float32)

    def guide(self) -> Family:
        return Normal(self.shape)
