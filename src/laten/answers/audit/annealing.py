r"""Annealed importance sampling of one example, there and back: bounds on log p(x) from below and above.

Between a start $f_0$ (the guide, or the prior) and $f_1(u)=p(x,u)$ lie the bridges $f_\beta=f_0^{1-\beta}f_1^\beta$.
Along $\beta_0,\beta_1,\dots,\beta_T$ a chain gains $(\beta_t-\beta_{t-1})\log\frac{f_1(u)}{f_0(u)}$ and then moves by
HMC under $f_{\beta_t}$, $t=1..T$; its weight $w$ is the exponential of all it gained (Neal 2001).

- From 0 to 1, beginning at $u\sim f_0$: $\mathbb E[w]=p(x)$, and the log of a mean of weights is below log p(x) on
  average.
- From 1 to 0, beginning at $u\sim p(u\mid x)$: $\mathbb E[w]=1/p(x)$, and minus the log is above log p(x) on average.
  An exact posterior draw is known for a row that was simulated: the latents that it was simulated from.

The two together are bidirectional Monte Carlo (Grosse, Ghahramani & Adams 2015; Grosse, Ancha & Roy 2016); for guides
as starts see Wu et al. (2017). $\beta$ is spaced by a logistic curve, dense at both ends (Grosse et al. 2015).

Step sizes are adapted by pilot chains that walk ahead of the others and do not count: steps that followed the very
chains they move would spoil both expectations. Memory does not grow with T.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from laten.common import random
from laten.common.numerics import log_mean_exp
from laten.common.types import Array, Key
from laten.inference import hmc
from laten.inference.posterior import Posterior

TARGET = 0.65  # acceptance at which HMC's cost for a given accuracy is least (Neal 2011, section 4.4)
GAIN = 0.2  # of the log-step, a unit of acceptance
SCALE_DRAWS = 64
STARTS = ("guide", "prior")


class AnnealingPlan(NamedTuple):
    """The bridges and the chains that cross them."""

    start: str = "guide"  # or "prior"
    bridges: int = 200  # T
    chains: int = 8  # independent ones, a row
    leapfrogs: int = hmc.LEAPFROGS  # steps of each trajectory
    pilots: int = 4  # chains besides, which find the step sizes

    @property
    def work(self) -> int:
        """Evaluations of the log-density and its gradient."""
        return self.bridges * (self.chains + self.pilots) * (self.leapfrogs + 1)


class Annealed(NamedTuple):
    """The outcome of an annealing run."""

    log_w: Array  # (chains,)
    points: Array  # (chains, d) where the chains ended
    acceptance: Array  # mean over chains and bridges
    steps: Array  # (bridges,) step sizes


def bridges(count: int, slope: float = 4.0) -> np.ndarray:
    """Return `(count + 1,)` inverse temperatures from 0 to 1."""
    s = 1 / (1 + np.exp(-slope * np.linspace(-1, 1, count + 1)))
    return ((s - s[0]) / (s[-1] - s[0])).astype(np.float32)


def anneal(
    posterior: Posterior,
    key: Key,
    points: Float[Array, "chains d"],
    scale: Float[Array, " d"],
    plan: AnnealingPlan,
    betas: np.ndarray,
    steps: Float[Array, " bridges"] | None = None,
) -> Annealed:
    """Walk chains along `betas`.

    Args:
        points: Draws of the density that `betas` begin at.
        scale: Rough standard deviations of the coordinates.
        steps: Step size of each move; None: the first `plan.pilots` of the chains find them for all.
    """

    def log_density(u: Array, beta: Array) -> tuple[Array, Array]:
        found = posterior.densities(u)
        start = found.guide if plan.start == "guide" else found.prior
        return (1 - beta) * start + beta * found.joint, found.joint - start

    def move(key: Key, u: Array, beta: Array, step_size: Array) -> tuple[Array, Array, Array]:
        (height, ratio), gradient = jax.value_and_grad(log_density, has_aux=True)(u, beta)
        chain = hmc.Chain(u, height, gradient)
        chain, acceptance = hmc.step(lambda at: log_density(at, beta)[0], key, chain, step_size, scale, plan.leapfrogs)
        return chain.position, acceptance, ratio

    def bridge(carry: tuple[Array, Array, Array], xs: tuple[Array, Array, Array, Key]):
        u, log_w, log_step = carry
        before, beta, given, k = xs
        step_size = jnp.exp(log_step) if steps is None else given
        keys = random.split(k, len(u))
        u, acceptance, ratio = jax.vmap(move, (0, 0, None, None))(keys, u, beta, step_size)
        log_step += GAIN * (acceptance[: plan.pilots].mean() - TARGET)
        return (u, log_w + (beta - before) * ratio, log_step), (acceptance.mean(), step_size)

    path = jnp.asarray(betas)
    given = jnp.zeros(len(betas) - 1) if steps is None else steps
    first = jnp.log(jnp.asarray(points.shape[1] ** -0.25, jnp.float32))
    keys = random.split(key, len(betas) - 1)
    carry = points, jnp.zeros(len(points)), first
    (points, log_w, _), (acceptance, used) = jax.lax.scan(bridge, carry, (path[:-1], path[1:], given, keys))
    return Annealed(log_w, points, acceptance.mean(), used)


def forward(posterior: Posterior, key: Key, plan: AnnealingPlan) -> tuple[Annealed, Array]:
    """Anneal from the start to the posterior: log-mean-exp of `log_w (chains,)` is below log p(x) on average.

    Returns:
        The run without its pilots, and the scales `(d,)` of the walk.
    """
    start_key, walk_key = random.split(key)
    start = posterior.from_guide if plan.start == "guide" else posterior.from_prior
    drawn = jax.vmap(start)(random.split(start_key, SCALE_DRAWS + plan.pilots + plan.chains))
    scale = jnp.maximum(drawn[:SCALE_DRAWS].std(0), 1e-4)
    found = anneal(posterior, walk_key, drawn[SCALE_DRAWS:], scale, plan, bridges(plan.bridges))
    return found._replace(log_w=found.log_w[plan.pilots :], points=found.points[plan.pilots :]), scale


class Sandwich(NamedTuple):
    """Bounds on log p of one row, in nats."""

    lower: Array
    upper: Array
    acceptance: Array  # of the run that was worse


def sandwich(posterior: Posterior, key: Key, exact: Float[Array, " d"], plan: AnnealingPlan) -> Sandwich:
    """Bound log p from both sides, with the same step sizes; chains back begin at `exact`, a draw of the posterior."""
    there, back = random.split(key)
    up, scale = forward(posterior, there, plan)
    steps = jnp.concatenate([up.steps[:-1][::-1], up.steps[:1]])
    points = jnp.broadcast_to(exact[None], up.points.shape)
    down = anneal(posterior, back, points, scale, plan, bridges(plan.bridges)[::-1], steps)
    return Sandwich(log_mean_exp(up.log_w), -log_mean_exp(down.log_w), jnp.minimum(up.acceptance, down.acceptance))
