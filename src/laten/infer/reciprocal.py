r"""The marginal-likelihood estimator of Kingma & Welling (2014), appendix D, for fewer than five latent coordinates.

Draw from the posterior by HMC, fit a density $q$ to the draws, draw afresh, and with $\mathbb E_{u\mid
x}[q(u)/p(x,u)]=1/p(x)$,

$$p(x)\approx\Big(\frac1L\sum_l\frac{q(u_l)}{p(x,u_l)}\Big)^{-1}.$$

Here $q$ is the normal density with the draws' mean and covariance (Gelfand & Dey 1994 recommend one no wider than the
posterior). Half of the chains fit it, the other half are averaged; chains are independent, so that their means tell
the standard error.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from laten import threefry
from laten.infer import hmc
from laten.infer.posterior import Posterior
from laten.numerics import LOG_2PI, log_mean_exp
from laten.types import Array, Key

MOST = 4  # coordinates
SAMPLERS = ("hmc", "nuts")


class Plan(NamedTuple):
    """How long to walk.

    Args:
        chains: A row, from as many draws of the guide; half of them fit q.
        draws: Of each chain.
        warmup: Trajectories before them.
        sampler: "hmc" or "nuts" (blackjax).
    """

    chains: int = 32
    draws: int = 100
    warmup: int = 200
    sampler: str = "hmc"

    @property
    def work(self) -> int:
        """Evaluations of the log-density and its gradient, roughly."""
        return self.chains * (self.draws + self.warmup) * hmc.LEAPFROGS


class Reciprocal(NamedTuple):
    """Of one example: minus log p(x) as each chain sees it, and how the walk went."""

    log_r: Array  # (chains / 2,) log of the chain's mean of q(u) / p(x, u), in nats
    acceptance: Array


def reciprocal(posterior: Posterior, key: Key, plan: Plan) -> Reciprocal:
    """Appendix D: minus the log-mean-exp of `log_r` estimates log p(x)."""
    start_key, spread_key, walk_key = threefry.split(key, 3)
    starts = jax.vmap(posterior.from_guide)(threefry.split(start_key, plan.chains))
    scale = posterior.spread(spread_key)

    def one(k: Key, start: Array) -> hmc.Walk:
        if plan.sampler == "nuts":
            return hmc.nuts(posterior.log_joint, k, start, plan.draws, warmup=plan.warmup)
        return hmc.sample(posterior.log_joint, k, start, plan.draws, warmup=plan.warmup, scale=scale)

    walks = jax.vmap(one)(threefry.split(walk_key, plan.chains), starts)
    half, d = plan.chains // 2, posterior.size
    known = walks.draws[:half].reshape(-1, d)
    mean = known.mean(0)
    away = known - mean[None]
    factor = jnp.linalg.cholesky(away.T @ away / len(away) + 1e-8 * jnp.diag(jnp.square(scale)))

    def log_ratio(u: Array) -> Array:
        white = jax.scipy.linalg.solve_triangular(factor, u - mean, lower=True)
        log_q = -0.5 * jnp.sum(jnp.square(white)) - jnp.sum(jnp.log(jnp.diagonal(factor))) - 0.5 * d * LOG_2PI
        return log_q - posterior.log_joint(u)

    log_r = jax.lax.map(lambda chain: jax.vmap(log_ratio)(chain), walks.draws[half:])
    return Reciprocal(log_mean_exp(log_r), walks.acceptance.mean())
