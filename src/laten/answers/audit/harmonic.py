r"""The marginal-likelihood estimator of Kingma & Welling (2014), appendix D, for fewer than five latent coordinates.

Draw from the posterior by HMC, fit a density $q$ to the draws, draw afresh, and with $\mathbb E_{u\mid
x}[q(u)/p(x,u)]=1/p(x)$,

$$p(x)\approx\Big(\frac1L\sum_l\frac{q(u_l)}{p(x,u_l)}\Big)^{-1}.$$

The first half of each chain's draws fits $q$, the second half is averaged; chains are independent, so that their means
tell the standard error. $q$ is one normal density a chain, mixed evenly (Gelfand & Dey 1994 recommend a $q$ no wider
than the posterior).

Chains stay in the mode that they begin in. Where a share $f_k$ of them is in mode $k$, which holds $\pi_k$ of the
posterior, the mean over draws and over $q$ gives

$$\hat p(x)=p(x)\Big/\sum_k f_k^2/\pi_k\le p(x)$$

by Cauchy and Schwarz: wrong shares, and modes that no chain found, only lower it. (A $q$ fitted to some chains and
averaged over others has no such bound: where they are in different modes, $q$ vanishes and $\hat p$ is infinite.) That
chains are in different places is seen from R-hat (Gelman & Rubin 1992), which compares the variance between them with
the variance within.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.numerics import LOG_2PI, log_mean_exp
from laten.common.types import Array, Key
from laten.inference import hmc
from laten.inference.posterior import Posterior

MOST = 4  # coordinates
SAMPLERS = ("hmc", "nuts")
SHARED = 0.1  # of each normal's covariance
DISAGREE = 1.1  # R-hat above which chains are in different places (Gelman & Rubin 1992)


class HarmonicPlan(NamedTuple):
    """The chains and their length."""

    chains: int = 32  # a row, from as many draws of the guide
    draws: int = 100  # of each chain; half of them fit q
    warmup: int = 200  # trajectories before them
    sampler: str = "hmc"  # or "nuts" (blackjax)

    @property
    def work(self) -> int:
        """Evaluations of the log-density and its gradient, roughly."""
        return self.chains * (self.draws + self.warmup) * hmc.LEAPFROGS


class Reciprocal(NamedTuple):
    """Of one example: minus log p(x) as each chain sees it, and how the walk went."""

    log_r: Array  # (chains,) log of the chain's mean of q(u) / p(x, u), in nats
    acceptance: Array
    r_hat: Array  # of the coordinate in which chains differ most


def reciprocal(posterior: Posterior, key: Key, plan: HarmonicPlan) -> Reciprocal:
    """Estimate by appendix D: minus the log-mean-exp of `log_r` estimates log p(x)."""
    start_key, spread_key, walk_key = random.split(key, 3)
    starts = jax.vmap(posterior.from_guide)(random.split(start_key, plan.chains))
    scale = posterior.spread(spread_key)

    def one(k: Key, start: Array) -> hmc.Walk:
        if plan.sampler == "nuts":
            return hmc.nuts(posterior.log_joint, k, start, plan.draws, warmup=plan.warmup)
        return hmc.sample(posterior.log_joint, k, start, plan.draws, warmup=plan.warmup, scale=scale)

    walks = jax.vmap(one)(random.split(walk_key, plan.chains), starts)
    half = plan.draws // 2
    q = even_normals(walks.draws[:, :half], 1e-4 * scale)
    afresh = walks.draws[:, half:]
    log_r = jax.lax.map(lambda chain: jax.vmap(lambda u: q.log_prob(u) - posterior.log_joint(u))(chain), afresh)
    return Reciprocal(log_mean_exp(log_r), walks.acceptance.mean(), r_hat(walks.draws).max())


class EvenNormals(NamedTuple):
    """Normal densities of equal weight."""

    mean: Array  # (components, d)
    whiten: Array  # (components, d, d) inverse of each covariance's Cholesky factor

    def log_prob(self, u: Array) -> Array:
        """Return the log-density of a point `(d,)`, nats."""
        white = jnp.einsum("cij,cj->ci", self.whiten, u[None] - self.mean)
        log_det = jnp.log(jnp.diagonal(self.whiten, axis1=1, axis2=2)).sum(1)
        return log_mean_exp(log_det - 0.5 * jnp.square(white).sum(1) - 0.5 * u.size * LOG_2PI)


def even_normals(draws: Array, floor: Array) -> EvenNormals:
    """Fit a normal density to each chain's draws `(chains, draws, d)`.

    A tenth of each covariance is that of all chains, so that one which hardly moved becomes no spike.

    Args:
        floor: `(d,)` standard deviations to be had at least.
    """
    mean = draws.mean(1)
    away = draws - mean[:, None]
    own = jnp.einsum("cni,cnj->cij", away, away) / draws.shape[1]
    covariance = (1 - SHARED) * own + (SHARED * own.mean(0) + jnp.diag(jnp.square(floor)))[None]
    factor, one = jnp.linalg.cholesky(covariance), jnp.eye(draws.shape[2])
    return EvenNormals(mean, jax.vmap(lambda f: jax.scipy.linalg.solve_triangular(f, one, lower=True))(factor))


def r_hat(draws: Array) -> Array:
    """Return `(d,)`: how much wider all chains `(chains, draws, d)` are than each (Gelman & Rubin 1992); 1: not."""
    n = draws.shape[1]
    within, between = draws.var(1, ddof=1).mean(0), draws.mean(1).var(0, ddof=1)
    return jnp.sqrt((n - 1) / n + between / jnp.maximum(within, jnp.finfo(jnp.float32).tiny))
