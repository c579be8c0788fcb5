r"""A logistic variable rounded to whole numbers (Salimans et al. 2017): pixels, ratings, rounded measurements.

The levels $v = a, a+1, \dots, a+L-1$ are put on $u = (v - c)/h \in (-1, 1)$, $c$ the middle and $h = L/2$, where a
level is $2/L$ wide. With location $\mu$ and scale $s = 0.3\,\sigma$ there,

$$P(v) = \mathrm{sigmoid}\Big(\frac{u + \frac1L - \mu}s\Big) - \mathrm{sigmoid}\Big(\frac{u - \frac1L - \mu}s\Big),$$

the two levels at the ends taking the tails, so that the masses sum to one exactly. `common/numerics.py` has it in
logarithms.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError
from laten.common.numerics import log_logistic_cell
from laten.common.types import Array, Key
from laten.families.base import Support
from laten.families.column_moments import moments
from laten.families.scale import check_source, location_scale, raw_location_scale
from laten.families.sized import Sized
from laten.families.sizes import as_count

FAR = 1e9  # an open end: finite, so that gradients are
UNIT = 0.3  # scale at raw zero, on (-1, 1): nearly flat over the levels
SD = math.pi / math.sqrt(3)  # of the standard logistic


@dataclass(frozen=True, repr=False)
class DiscretizedLogistic(Sized):
    """Independent whole numbers `low, ..., low + levels - 1`, as float32.

    Args:
        size: Number of sites, or their shape.
        levels: Number of values that a site can take, at least 2.
        low: The smallest of them.
        scale: `"net"`: the net puts out a log-scale a site; `"site"`: a learned constant a site.
    Raises:
        DeclarationError: a size, levels, low or scale that cannot be.
    """

    levels: int = 256
    low: int = 0
    scale: str = "net"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "levels", as_count(self.levels, "DiscretizedLogistic", "levels", least=2))
        object.__setattr__(self, "low", as_count(self.low, "DiscretizedLogistic", "low"))
        if max(abs(self.low), abs(self.high)) >= 2**24:
            raise DeclarationError(
                f"DiscretizedLogistic: levels {self.low} to {self.high} are not exact in float32; stay below 2**24"
            )
        check_source(self.scale, "DiscretizedLogistic", "scale")

    @property
    def high(self) -> int:
        """The largest value."""
        return self.low + self.levels - 1

    @property
    def centre(self) -> float:
        """The middle of the levels."""
        return 0.5 * (self.low + self.high)

    @property
    def support(self) -> Support:
        return Support("levels", (self.low, self.high))

    @property
    def n_raw(self) -> int:
        return 2 * self.n_sites

    @property
    def n_net(self) -> int:
        return self.n_raw if self.scale == "net" else self.n_sites

    @property
    def neutral(self) -> float:
        return float(self.low + self.levels // 2)

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        """Return location and scale on (-1, 1), each of `shape`."""
        loc, log_scale = location_scale(raw, self.shape, self.scale)
        return loc, UNIT * jnp.exp(log_scale)

    def unit(self, value: Array) -> Array:
        """Map levels to (-1, 1), of the same shape."""
        return (value - self.centre) * (2 / self.levels)

    def log_prob(self, raw: Array, value: Array) -> Array:
        loc, scale = self.parameters(raw)
        distance, half = self.unit(value) - loc, 1 / self.levels
        bottom, top = value <= self.low, value >= self.high
        lower = jnp.where(bottom, -FAR, (distance - half) / scale)
        upper = jnp.where(top, FAR, (distance + half) / scale)
        width = jnp.where(bottom | top, FAR, 2 * half / scale)
        return log_logistic_cell(lower, upper, width)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        loc, scale = self.parameters(raw)
        value = self._level(loc + scale * random.logistic(key, self.shape))
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        """Return low + Σ_k P(v >= low + k), of `shape`, exact: a sum over the levels."""
        loc, scale = self.parameters(raw)
        edges = jnp.asarray(np.arange(1, self.levels) * (2 / self.levels) - 1, raw.dtype)
        passed = jax.nn.sigmoid((loc[..., None] - edges.reshape((1,) * loc.ndim + (-1,))) / scale[..., None])
        return self.low + jnp.sum(passed, axis=-1)

    def point(self, mean: Array) -> Array:
        return jnp.clip(jnp.round(mean), self.low, self.high)

    def mode(self, raw: Array) -> Array:
        inner = self._level(self.parameters(raw)[0])
        levels = jnp.stack([inner, jnp.full_like(inner, self.low), jnp.full_like(inner, self.high)])
        best = jnp.argmax(jax.vmap(lambda v: self.log_prob(raw, v))(levels), axis=0)
        return jnp.take_along_axis(levels, best[None], axis=0)[0]

    def cdf(self, raw: Array, value: Array) -> Array:
        loc, scale = self.parameters(raw)
        value = jnp.floor(value)
        below = jax.nn.sigmoid((self.unit(value) + 1 / self.levels - loc) / scale)
        return jnp.where(value >= self.high, 1.0, jnp.where(value < self.low, 0.0, below))

    def quantile(self, raw: Array, p: Array) -> Array:
        loc, scale = self.parameters(raw)
        p = jnp.broadcast_to(p, self.shape)
        exact = (loc + scale * (jnp.log(p) - jnp.log1p(-p))) * (self.levels / 2) + self.centre
        return jnp.clip(jnp.ceil(exact - 0.5), self.low, self.high)

    def features(self, value: Array) -> Array:
        return self.unit(jnp.ravel(value)) / UNIT

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Match the columns' moments, as if no tail fell on the end levels: a start `(n_raw,)`, not a fit."""
        count, mean, sd = moments(values, mask)
        loc = np.where(count > 0, (mean - self.centre) * 2 / self.levels, 0.0)
        spread = np.where(count > 0, sd * 2 / self.levels / (UNIT * SD), 1.0)
        return raw_location_scale(loc, spread, self.scale).astype(np.float32)

    def _level(self, unit: Array) -> Array:
        """Return the level nearest to a point of (-1, 1); points outside go to the end levels."""
        return self.point(unit * (self.levels / 2) + self.centre)
