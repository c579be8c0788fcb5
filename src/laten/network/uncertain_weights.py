r"""Weights as latent variables: full variational Bayes (Kingma & Welling 2014, appendix F).

Each weight $\theta$ of P's nets has the prior $N(0, 1)$ and a normal of its own, $q(\theta) = N(\mu, \sigma^2)$, drawn
anew for each example and draw of its latents (`laten.network.nets.noisy`). Over N rows,

$$\log p(D) \ge \mathbb E_{q(\theta)}\Big[\sum_i \mathcal L(x_i;\theta)\Big] - \mathrm{KL}(q(\theta)\,\Vert\,N(0, I)),
\qquad \mathrm{KL} = \tfrac12\sum \sigma^2 + \mu^2 - 1 - \log\sigma^2 \quad\text{(eq. 24)}.$$

The constants of each site, which stand for what the data are without latents, stay points, and so do the guide's
weights. A conditional keeps $\mu$ as its weights and $\log\sigma$ beside them as `spread`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from laten.common.types import Array
from laten.network.conditional import Conditional

START = -4.0  # log standard deviation of a weight before the data have spoken

Conditionals = dict[str, Conditional]


def uncertain(p: Mapping[str, Conditional]) -> Conditionals:
    """Return the same weights, each with a spread."""
    spread = {n: jax.tree.map(lambda w: jnp.full_like(w, START), learned(c.net)) for n, c in p.items()}
    return {n: replace(c, spread=spread[n]) for n, c in p.items()}


def certain(p: Mapping[str, Conditional]) -> Conditionals:
    """Return the same weights at their means, as points."""
    return {name: replace(c, spread=None) for name, c in p.items()}


def kl_of_weights(p: Mapping[str, Conditional]) -> Array:
    """Return KL(q ‖ N(0, I)) of all weights that have a spread, in nats."""
    total = jnp.zeros(())
    for c in p.values():
        means, log_sds = jax.tree.leaves(learned(c.net)), jax.tree.leaves(c.spread)
        for mean, log_sd in zip(means, log_sds, strict=False):
            total += 0.5 * jnp.sum(jnp.exp(2 * log_sd) + jnp.square(mean) - 1 - 2 * log_sd)
    return total


def minus_log_prior(p: Mapping[str, Conditional]) -> Array:
    """Return -log N(weights; 0, I), up to a constant, in nats."""
    weights = [w for c in p.values() for w in jax.tree.leaves(learned(c.net))]
    return sum((0.5 * jnp.sum(jnp.square(w)) for w in weights), jnp.zeros(()))


def is_uncertain(p: Mapping[str, Conditional]) -> bool:
    """Say whether weights have a spread."""
    return any(c.spread is not None for c in p.values())


def learned(net: object) -> Any:
    """Return the weights of a net, None elsewhere."""
    return eqx.filter(net, eqx.is_inexact_array)
