r"""Objectives of several draws: power means of weights.

With weights $w_k = p(x,z_k)/q(z_k\mid x)$ of $K$ draws,

$$\mathcal L^{(\gamma)}_K = \frac1\gamma\log\frac1K\sum_k w_k^\gamma.$$

- $\gamma = 1$: the importance-weighted bound, below log p(x) in expectation, and nearer with each draw (Burda et al.
  2016, eq. 8);
- $\gamma = 1-\alpha$: the variational Rényi bound (Li & Turner 2016, eq. 6 and 11): for $\alpha\ge0$ a lower bound; for
  $\alpha<0$ its limit of many draws is an upper one;
- $\gamma = n \ge 1$: CUBO, the $\chi^n$ upper bound (Dieng et al. 2017). $\mathbb E[w^n]$ is estimated without bias,
  its logarithm from below: only with many draws is the estimate an upper bound.

The gradient of $\mathcal L^{(1)}_K$ with respect to the guide's weights gets noisier with $K$ (Rainforth et al. 2018);
that of DReG (Tucker et al. 2019, eq. 6) does not: $\sum_k \bar w_k^2\,\partial_{z}\log w_k\,\nabla_\phi z_k$, unbiased,
where $\log w_k$ moves by the draws alone.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import DeclarationError, number
from laten.common.numerics import log_mean_exp
from laten.common.types import Array, Key, Masks, Values
from laten.network.log_weights import by_node, by_state, node_terms, total
from laten.network.model import Model
from laten.network.sampling import PLAIN, Discrete, Sampling
from laten.training.objectives.objective import (
    Batch,
    Estimate,
    Objective,
    Share,
    check_density,
    check_drawing,
    discrete_of,
    nothing_but_gradient,
    over_rows,
    score,
)


class Weighed(NamedTuple):
    """Several draws of one example, with their log-weights."""

    log_w: Array  # (draws,) enumerated states summed over
    terms: Values  # by node, averaged by normalised weights
    kl: Array  # mean KL from the prior
    log_q: Array  # (draws,) of discrete latents that were sampled


def weigh(
    model: Model, key: Key, net_key: Key | None, values: Values, masks: Masks, draws: int, sampling: Sampling = PLAIN
) -> Weighed:
    """Draw from the guide, with log-weights."""

    def draw(k):
        log_r, found = model.draws(k, values, masks, net_key, sampling)
        kl = total(by_node(log_r, found, masks, True).kl)
        return by_state(log_r, found), jax.vmap(node_terms)(found), kl, score(model, found)

    log_w, terms, kl, log_q = jax.vmap(draw)(random.split(key, draws))  # (draws, states)
    share = jax.lax.stop_gradient(jax.nn.softmax(log_w.ravel())).reshape(log_w.shape)
    shared = jax.tree.map(lambda t: jnp.sum(share * t), terms)
    return Weighed(jax.nn.logsumexp(log_w, axis=1), shared, kl.mean(), log_q)


def power_mean(log_w: Array, power: float) -> Array:
    """Return the logarithm of the power mean of weights, along the last axis."""
    return log_mean_exp(power * log_w) / power


def through_classes(log_w: Array, log_q: Array, power: float) -> Array:
    """Return zero, with what draws of classes add to the gradient of `power_mean`: VIMCO (Mnih & Rezende 2016).

    The baseline of a draw is the bound with its log-weight replaced by the mean of the others'.
    """
    n = len(log_w)
    others = (jnp.sum(log_w) - log_w) / (n - 1)
    without = jnp.where(jnp.eye(n, dtype=bool), others[:, None], log_w)
    return nothing_but_gradient(power_mean(log_w, power) - power_mean(without, power), log_q)


@dataclass(frozen=True)
class Iwae(Objective):
    r"""The importance-weighted bound with `draws` draws a row (Burda et al. 2016, eq. 8).

    `terms` are averages under the normalised weights; they do not add up to the bound.

    Args:
        draws: K.
        gradient: `"total"`: of the bound as it is written; `"dreg"`: doubly reparameterised (Tucker et al. 2019), for
            continuous latents only.
        discrete: `"enumerated"` (sampled where there are too many states), `"sampled"` (VIMCO) or `"relaxed"`
            (Gumbel-softmax straight through, biased): what becomes of discrete latents.
    Raises:
        DeclarationError: an option out of range, or one that the model does not allow.
    """

    draws: int = 50
    gradient: str = "total"
    discrete: str = "enumerated"

    def __post_init__(self):
        check_drawing(self)
        if self.gradient not in ("total", "dreg"):
            raise DeclarationError(f"Iwae: gradient must be 'total' or 'dreg', not {self.gradient!r}")

    @property
    def by_row(self) -> bool:
        return True

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        if self.gradient == "dreg":
            return doubly_reparameterised(self, model, batch, key, dropout)
        return lower_bound(self, 1.0, model, batch, key, dropout)


@dataclass(frozen=True)
class Renyi(Objective):
    r"""The variational Rényi bound (Li & Turner 2016): $\frac1{1-\alpha}\log\frac1K\sum_k w_k^{1-\alpha}$.

    $\alpha=0$ is `Iwae`; towards 1 it becomes the ELBO; below 0 it leans to covering all of the posterior.

    Args:
        alpha: Not 1: that is `Elbo`.
        draws: K.
        discrete: As for `Iwae`.
    Raises:
        DeclarationError: an option out of range.
    """

    alpha: float = 0.5
    draws: int = 50
    discrete: str = "enumerated"

    def __post_init__(self):
        check_drawing(self)
        if not number(self.alpha):
            raise DeclarationError(f"Renyi: alpha must be a finite number, not {self.alpha!r}")
        if self.alpha == 1:
            raise DeclarationError("Renyi: alpha=1 is the ELBO; use lt.Elbo()")

    @property
    def by_row(self) -> bool:
        return True

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        return lower_bound(self, 1.0 - self.alpha, model, batch, key, dropout)


@dataclass(frozen=True)
class Cubo(Objective):
    r"""Two bounds: the network raises the importance-weighted bound, the guide lowers CUBO (Dieng et al. 2017).

    The loss is the width of the sandwich, upper less lower estimate, from the same draws; the bound is the lower one. A
    guide that sinks the upper bound covers the posterior rather than one of its modes.

    Args:
        order: $n > 1$ of $\frac1n\log\mathbb E_q[w^n]$.
        draws: Draws a row.
        discrete: As for `Iwae`.
    Raises:
        DeclarationError: an option out of range.
    """

    order: float = 2.0
    draws: int = 50
    discrete: str = "enumerated"

    def __post_init__(self):
        check_drawing(self)
        if not (number(self.order) and self.order > 1):
            raise DeclarationError(
                f"Cubo: order must be finite and above 1, not {self.order!r}; of order 1 it is lt.Iwae"
            )

    @property
    def by_row(self) -> bool:
        return True

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        sampling = Sampling(discrete_of(self, model))
        check_density(model, "Cubo")

        def one(k, net_key, values, masks):
            lower = weigh(model.frozen_guide(), k, net_key, values, masks, self.draws, sampling)
            upper = weigh(model.frozen_network(), k, net_key, values, masks, self.draws, sampling)
            height = power_mean(upper.log_w, self.order)
            if sampling.discrete is Discrete.SAMPLED:
                height += through_classes(upper.log_w, upper.log_q, self.order)
            bound = power_mean(lower.log_w, 1.0)
            return height - bound, bound, lower.terms, lower.kl

        return Estimate(*jax.tree.map(jnp.mean, over_rows(one, batch, key, dropout)))


def lower_bound(objective: Iwae | Renyi, power: float, model: Model, batch: Batch, key: Key, dropout: bool) -> Estimate:
    """Climb a power mean of weights."""
    sampling = Sampling(discrete_of(objective, model))

    def one(k, net_key, values, masks):
        found = weigh(model, k, net_key, values, masks, objective.draws, sampling)
        bound = power_mean(found.log_w, power)
        sampled = sampling.discrete is Discrete.SAMPLED
        extra = through_classes(found.log_w, found.log_q, power) if sampled else 0.0
        return -bound - extra, bound, found.terms, found.kl

    return Estimate(*jax.tree.map(jnp.mean, over_rows(one, batch, key, dropout)))


def doubly_reparameterised(objective: Iwae, model: Model, batch: Batch, key: Key, dropout: bool) -> Estimate:
    """Climb the importance-weighted bound, with the guide's gradient by DReG; draws of classes carry none."""
    if model.discrete:
        raise DeclarationError(
            f"Iwae: gradient='dreg' goes through the draws, and {list(model.discrete)} are classes; use 'total'"
        )
    check_density(model, "Iwae(gradient='dreg')")

    def one(k, net_key, values, masks):
        # the same draws twice, which the compiler makes once: gradients flow to the network, and to the guide
        for_p = weigh(model.frozen_guide(), k, net_key, values, masks, objective.draws)
        for_q = weigh(model.frozen_network(), k, net_key, values, masks, objective.draws, Sampling(path=True))
        share = jax.lax.stop_gradient(jax.nn.softmax(for_p.log_w))
        moved = jnp.sum(share * for_p.log_w + jnp.square(share) * for_q.log_w)
        bound = jax.lax.stop_gradient(power_mean(for_p.log_w, 1.0))
        return jax.lax.stop_gradient(moved) - moved - bound, bound, for_p.terms, for_p.kl

    return Estimate(*jax.tree.map(jnp.mean, over_rows(one, batch, key, dropout)))
