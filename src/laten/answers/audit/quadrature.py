r"""log p(x) of one example with one or two latent coordinates, by the trapezoidal rule on a grid that finds its place.

With centre $c$ and $LL^\top$ the posterior's covariance, points $u_g=c+Lg$ on a grid $g\in[-8,8]^d$ of spacing $h$,

$$\log p(x)\approx\log\sum_g p(x,u_g)+d\log h+\log|\det L|.$$

For a smooth integrand that has vanished at the edges the rule converges faster than any power of $h$ (Trefethen &
Weideman 2014). Centre and covariance start at the guide's and are then taken from the rule itself on a coarse grid,
several times over, as in adaptive quadrature (Naylor & Smith 1982); a grid too coarse for what it holds narrows by its
own spacing each time, one too small widens. The finest grid holds one of half its points, so that two orders come of
one evaluation. The stated error is how far apart they are, plus how much lies in the outer quarter of the grid.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.types import Array, Key
from laten.inference.posterior import Posterior

REACH = 8.0  # standard deviations each way
COARSE, FINE = 33, 129
PASSES = 8
MOST = 2  # coordinates
AT_ONCE = 512


class Integral(NamedTuple):
    """log p(x) of one example, in nats."""

    log_p: Array
    error: Array


def grid(points: int, d: int) -> np.ndarray:
    """Return `(points ** d, d)` coordinates in [-REACH, REACH]."""
    axis = np.linspace(-REACH, REACH, points)
    return np.array(list(itertools.product(*[axis] * d)), np.float32)


def integrate(posterior: Posterior, key: Key) -> Integral:
    """Integrate p(x, u) over u of one or two coordinates."""
    d = posterior.size
    found = jax.vmap(posterior.from_guide)(random.split(key, 64))
    centre, factor = found.mean(0), jnp.diag(2 * jnp.maximum(found.std(0), 1e-3))  # twice as wide, to be sure

    def heights(g: np.ndarray, centre: Array, factor: Array) -> Array:
        return jax.lax.map(lambda at: posterior.log_joint(centre + factor @ at), jnp.asarray(g), batch_size=AT_ONCE)

    coarse, h = grid(COARSE, d), 2 * REACH / (COARSE - 1)

    def refine(_: int, place: tuple[Array, Array]) -> tuple[Array, Array]:
        centre, factor = place
        w = jax.nn.softmax(heights(coarse, centre, factor))
        mean = w @ coarse
        away = coarse - mean[None]
        covariance = (w[:, None] * away).T @ away + jnp.eye(d) * (h**2 / 12)  # what rounding to the grid hides
        return centre + factor @ mean, factor @ jnp.linalg.cholesky(covariance)

    centre, factor = jax.lax.fori_loop(0, PASSES, refine, (centre, factor))
    fine, spacing = grid(FINE, d), 2 * REACH / (FINE - 1)
    height = heights(fine, centre, factor)
    volume = jnp.sum(jnp.log(jnp.abs(jnp.diagonal(factor))))
    every = np.all(np.round((fine + REACH) / spacing).astype(int) % 2 == 0, axis=1)
    inner = np.all(np.abs(fine) <= 0.75 * REACH, axis=1)
    total = jax.nn.logsumexp(height)
    log_p = total + d * np.log(spacing) + volume
    half = jax.nn.logsumexp(height[every]) + d * np.log(2 * spacing) + volume
    outside = total - jax.nn.logsumexp(height[inner])
    return Integral(log_p, jnp.abs(log_p - half) + outside)
