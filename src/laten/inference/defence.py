r"""Draws from guide and prior together: what a guide misses is found.

A guide that lies in a part of the posterior alone gives weights that look even, and answers that are wrong. Of S draws
a share $1-\alpha$ comes from the prior; all are weighted by the density of the mixture (balance heuristic, Veach &
Guibas 1995; defensive importance sampling, Hesterberg 1995):

$$w = \frac{p(x, z)}{\alpha\,q(z\mid x) + (1-\alpha)\,p(z)},\qquad \mathbb E\Big[\frac1S\sum_k w_k\Big] = p(x),$$

and no weight exceeds $p(x\mid z)/(1-\alpha)$. Discrete latents that are enumerated are held in both. With a good guide
a share $1-\alpha$ of the draws is lost, at most.
"""

import math
from collections.abc import Collection

import jax.numpy as jnp

from laten.common import random
from laten.common.types import Array, Key, Masks, Values
from laten.network.model import Draw, Model

FROM_PRIOR = 0.25


def defensible(model: Model, values: Values, masks: Masks) -> bool:
    """Say whether all that the guide does not draw is known, so that the prior can be drawn node by node."""
    rest = [n for n in model.network.stochastic if n not in model.network.leaves and n not in model.latents]
    return not model.members and all(n in values and n not in masks for n in rest)


def from_prior(model: Model, key: Key, values: Values, masks: Masks, states: Values) -> Values:
    """Draw all guide nodes but those in `states` from the network given what is observed above them."""
    weights = random.folded(key)  # uncertain weights are drawn as `Model.draw` does when all guide nodes are held
    key_of = random.folded(random.stream(key, "prior", 0))
    families = model.network.families
    full = {
        n: jnp.where(masks[n], v, jnp.asarray(families[n].neutral, v.dtype)) if n in masks else v
        for n, v in values.items()
    } | states
    own: Values = {}
    for name, family, raw in model.network.walk(model.conditionals, full, noise=lambda n: weights("weights of " + n)):
        if name in model.latents and name not in states and (name not in values or name in masks):
            drawn = family.sample(raw, key_of(name))
            own[name] = full[name] = jnp.where(masks[name], values[name], drawn) if name in values else drawn
    return own


def states_of(model: Model, values: Values, masks: Masks) -> list[str]:
    """Return the guide nodes whose joint states are enumerated."""
    return [n for n in model.discrete if n not in values or n in masks] if model.enumerable else []


def log_share(draw: Draw, masks: Masks, states: Collection[str], prior: float) -> Array:
    r"""Return $\log q - \log(\alpha q + (1-\alpha) p)$ of one draw: what its log-weight changes by, in nats."""
    names = [n for n in draw.log_q if n not in states]
    log_q = sum((jnp.sum(draw.log_q[n]) for n in names), jnp.zeros(()))
    hidden = [jnp.where(masks[n], 0.0, draw.log_p[n]) if n in masks else draw.log_p[n] for n in names]
    log_p = sum(map(jnp.sum, hidden), jnp.zeros(()))
    return log_q - jnp.logaddexp(math.log1p(-prior) + log_q, math.log(prior) + log_p)
