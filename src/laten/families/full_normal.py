r"""A normal vector with a full covariance.

With a triangular factor $L = \mathrm{diag}(e^s)(I + B)$, B below the diagonal and smoothly bounded to $\pm 30$,

$$z = \mu + L\varepsilon,\qquad \log p(z) = -\tfrac12\lVert L^{-1}(z-\mu)\rVert^2 - \textstyle\sum_i s_i
- \tfrac d2\log 2\pi .$$

In a guide it follows a posterior whose latents depend on one another, as those of a linear network do: there it is
exact (`KL` to a diagonal normal has a closed form). It takes $d(d+3)/2$ raw numbers. The log-density belongs to the
vector, and is spread evenly over its sites so that their sum is right.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.numerics import LOG_2PI, LOG_SCALE_LIMIT, bound, log_scale, unbound
from laten.common.types import Array, Key
from laten.families.base import Family
from laten.families.column_moments import moments, observed
from laten.families.normal import Normal
from laten.families.same_density import has_density_of
from laten.families.scale import SMALLEST_SD
from laten.families.sized import Sized

STEEPEST = 30.0  # of B


@dataclass(frozen=True, repr=False)
class FullNormal(Sized):
    """A normal vector whose sites depend on one another: for guides of few latents, or observed vectors.

    Args:
        size: Number of sites, or their shape.
    Raises:
        DeclarationError: a size that is no whole number of at least 1, or is no shape.
    """

    reparameterised: ClassVar[bool] = True
    standard_root: ClassVar[bool] = True

    @property
    def n_raw(self) -> int:
        return self.n_sites * (self.n_sites + 3) // 2

    @property
    def moves(self) -> bool:
        return True

    @property
    def joint(self) -> bool:
        return True

    def parameters(self, raw: Array) -> tuple[Array, Array, Array]:
        """Return the mean `(sites,)`, the factor L `(sites, sites)`, and the log of its diagonal `(sites,)`."""
        n = self.n_sites
        loc, diagonal, below = jnp.split(raw, [n, 2 * n])
        spread = log_scale(diagonal)
        place = np.zeros((n, n, len(below)), np.float32)  # a product puts the numbers where they belong
        rows, columns = np.tril_indices(n, -1)
        place[rows, columns, np.arange(len(below))] = 1
        exact = jax.lax.Precision.HIGHEST
        lower = jnp.matmul(jnp.asarray(place, raw.dtype), bound(below, STEEPEST), precision=exact)
        return loc, jnp.exp(spread)[:, None] * (lower + jnp.eye(n, dtype=raw.dtype)), spread

    def log_prob(self, raw: Array, value: Array) -> Array:
        loc, factor, spread = self.parameters(raw)
        white = jax.scipy.linalg.solve_triangular(factor, jnp.ravel(value) - loc, lower=True)
        return self.shared(white, spread)

    def shared(self, white: Array, spread: Array) -> Array:
        """Return the log-density of a vector, by its whitened form, evenly over the sites, of `shape`."""
        total = -0.5 * jnp.sum(jnp.square(white)) - jnp.sum(spread) - 0.5 * self.n_sites * LOG_2PI
        return jnp.full(self.shape, total / self.n_sites)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        loc, factor, spread = self.parameters(raw)
        white = random.normal(key, (self.n_sites,))
        return (loc + factor @ white).reshape(self.shape), self.shared(white, spread)

    def mean(self, raw: Array) -> Array:
        return self.parameters(raw)[0].reshape(self.shape)

    def mode(self, raw: Array) -> Array:
        return self.mean(raw)

    def cdf(self, raw: Array, value: Array) -> Array:
        """Return P(coordinate <= value) of each coordinate alone, of `shape`."""
        loc, factor, _ = self.parameters(raw)
        sd = jnp.sqrt(jnp.sum(jnp.square(factor), axis=1))
        return jax.scipy.special.ndtr((jnp.ravel(value) - loc) / sd).reshape(self.shape)

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        """Return KL to a diagonal normal, of `shape`, in nats: the sum over sites is what counts."""
        if not has_density_of(other, Normal):
            return None
        loc, factor, spread = self.parameters(raw)
        other_loc, other_log_sd = (jnp.ravel(x) for x in other.parameters(other_raw))
        square = jnp.sum(jnp.square(factor), axis=1) + jnp.square(loc - other_loc)
        kl = other_log_sd - spread + 0.5 * (square * jnp.exp(-2 * other_log_sd) - 1)
        return jnp.full(self.shape, jnp.sum(kl) / self.n_sites)

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        _, mean, sd = moments(values, mask)
        rows = np.asarray(values, np.float64).reshape(-1, self.n_sites)
        rows = rows[observed(values, mask).reshape(rows.shape).all(axis=1)]
        covariance = np.diag(np.maximum(np.ravel(sd), SMALLEST_SD) ** 2)
        if len(rows) > self.n_sites:  # shrunk a little, so that a factor exists
            covariance = 0.99 * np.cov(rows.T).reshape(covariance.shape) + 0.01 * covariance
        factor = np.linalg.cholesky(covariance)
        start = unbound(np.log(np.diag(factor)), LOG_SCALE_LIMIT)
        below = (factor / np.diag(factor)[:, None])[np.tril_indices(self.n_sites, -1)]
        below = unbound(np.clip(below, -0.99 * STEEPEST, 0.99 * STEEPEST), STEEPEST)
        return np.concatenate([np.ravel(mean), start, below]).astype(np.float32)

    def guide(self) -> Family:
        return Normal(self.shape)
