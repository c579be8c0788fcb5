r"""The log-weight of a draw, and the parts of a bound by node: what every bound, score and posterior is made of.

$$\log w = \log\sum_s r_s\,w_s,\qquad
\mathrm{ELBO} = \sum_{i\text{ observed}} \mathbb E_q[\log p(\text{node}_i)] - \sum_{i\in Q}\mathrm{KL}_i,$$

with $s$ the joint states of the discrete latents that are enumerated, and $r_s$ their probability under q
(`Model.draws`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from laten.common.types import Array, Masks, Values
from laten.network.model import Draw


class BoundParts(NamedTuple):
    """One draw's parts of the ELBO: scalars by node, in nats, averaged over the enumerated states."""

    fit: Values  # node -> log p of its observed sites
    kl: Values  # latent node -> its KL from the prior

    @property
    def bound(self) -> Array:
        """The ELBO of this draw."""
        return total(self.fit) - total(self.kl)

    @property
    def terms(self) -> Values:
        """Node -> its share of the bound: `fit - kl`."""
        zero = jnp.zeros(())
        return {name: self.fit.get(name, zero) - self.kl.get(name, zero) for name in {**self.kl, **self.fit}}


def by_state(log_r: Array, draw: Draw) -> Array:
    """Return the log-weight `(states,)` of each enumerated state, in nats: their logarithm of a sum is the draw's.

    Args:
        log_r: `(states,)`, as `Model.draws` returns it.
        draw: With a leading axis of states.
    """
    return log_r + jax.vmap(lambda d: d.log_weight)(draw)


def log_weight(log_r: Array, draw: Draw) -> Array:
    """Return the log-weight of one draw, in nats, its enumerated states summed over."""
    return jax.nn.logsumexp(by_state(log_r, draw))


def by_node(log_r: Array, draw: Draw, masks: Masks, closed: bool) -> BoundParts:
    """Return one draw's parts of the ELBO; `closed` takes the KL in closed form where there is one."""
    share = jnp.exp(log_r)
    fit: Values = {}
    kl: Values = {}
    for name, log_p in draw.log_p.items():
        if name not in draw.log_q:
            fit[name] = over_states(share, log_p)
            continue
        log_q = draw.log_q[name]
        seen = masks.get(name)
        hidden_p = log_p if seen is None else jnp.where(seen, 0.0, log_p)
        kl[name] = over_states(share, draw.kl[name] if closed and name in draw.kl else log_q - hidden_p)
        if seen is not None:
            fit[name] = over_states(share, jnp.where(seen, log_p, 0.0))
    return BoundParts(fit, kl)


def over_states(share: Array, per_site: Array) -> Array:
    """Return the sum over sites, averaged over the enumerated states."""
    per_state = per_site.reshape(len(share), -1).sum(1)
    return per_state[0] if len(share) == 1 else jnp.sum(share * per_state)


def node_terms(draw: Draw) -> Values:
    """Return log p - log q by node, of one draw."""
    return {
        name: log_p.sum() - draw.log_q[name].sum() if name in draw.log_q else log_p.sum()
        for name, log_p in draw.log_p.items()
    }


def total(parts: Values) -> Array:
    """Return the sum of a dictionary's arrays, of one shape each."""
    return sum(parts.values(), jnp.zeros(()))


def all_sites(parts: Values) -> Array:
    """Return the sum of a dictionary's arrays over all their sites."""
    return sum(map(jnp.sum, parts.values()), jnp.zeros(()))
