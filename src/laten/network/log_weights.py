r"""The parts of a bound by node, from one draw: what everything that is a sum of log-weights is made of.

$$\mathrm{ELBO} = \sum_{i\text{ observed}} \mathbb E_q[\log p(\text{node}_i)] - \sum_{i\in Q}\mathrm{KL}_i.$$
"""

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.types import Array, Key, Masks, Values
from laten.network.model import Draw, Model


def total(parts: Values) -> Array:
    """The sum of a dictionary's arrays, of one shape each."""
    return sum(parts.values(), jnp.zeros(()))


def by_node(log_r: Array, draw: Draw, masks: Masks, closed: bool) -> tuple[Values, Values]:
    """One draw's parts of the ELBO as two dictionaries of scalars, averaged over the enumerated states.

    Args:
        closed: Take the KL in closed form where there is one.
    Returns:
        Node -> log p of its observed sites; latent node -> its KL from the prior.
    """
    share = jnp.exp(log_r)
    fit: Values = {}
    kl: Values = {}
    for name, log_p in draw.log_p.items():
        if name not in draw.log_q:
            fit[name] = by_state(share, log_p)
            continue
        log_q = draw.log_q[name]
        seen = masks.get(name)
        hidden_p = log_p if seen is None else jnp.where(seen, 0.0, log_p)
        kl[name] = by_state(share, draw.kl[name] if closed and name in draw.kl else log_q - hidden_p)
        if seen is not None:
            fit[name] = by_state(share, jnp.where(seen, log_p, 0.0))
    return fit, kl


def by_state(share: Array, per_site: Array) -> Array:
    """Sum over sites, averaged over the enumerated states."""
    per_state = per_site.reshape(len(share), -1).sum(1)
    return per_state[0] if len(share) == 1 else jnp.sum(share * per_state)


def node_terms(draw: Draw) -> dict[str, Array]:
    """log p - log q by node, of one draw."""
    return {
        name: log_p.sum() - draw.log_q[name].sum() if name in draw.log_q else log_p.sum()
        for name, log_p in draw.log_p.items()
    }


def log_weights(model: Model, key: Key, values: Values, masks: Masks, draws: int) -> Array:
    """Log-importance-weights of guide draws for one example, discrete latents summed over.

    Args:
        values: Observed node -> array of that node's event shape.
        masks: Node -> True at observed sites.
    Returns:
        `(draws,)` of log w, in nats; E[w] = p(x).
    """

    def one(k: Key) -> Array:
        log_r, draw = model.draws(k, values, masks)
        return jax.nn.logsumexp(log_r + jax.vmap(lambda d: d.log_weight)(draw))

    return jax.vmap(one)(random.split(key, draws))
