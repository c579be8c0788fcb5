r"""Probability tables as a declaration and its weights.

A row $p$ of a table becomes logits $\log p - \log p_\text{max} + c$, with $c$ half of the row's range: centred where
`Categorical` bounds them, at ±30, so that a probability of zero, the least that fits, becomes $e^{-60}$.
"""

from collections.abc import Iterable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common.numerics import LOGIT_LIMIT, unbound
from laten.families import Categorical
from laten.network.conditional import Conditional
from laten.network.nets.table import Table
from laten.network.network import Network

LEAST = -2 * LOGIT_LIMIT * 0.998  # log of what a zero becomes, relative to the row's largest


def declaration(sizes: Mapping[str, int], parents: Mapping[str, tuple[str, ...]], order: Iterable[str]) -> Network:
    """Declare `Categorical` nodes, each a table over the joint state of its parents."""
    nodes = {}
    for name in order:
        family, above = Categorical(sizes[name]), tuple(sizes[p] for p in parents[name])
        via = Table(above[0] if len(above) == 1 else above) if above else None
        nodes[name] = family.given(*parents[name], via=via) if above else family.learned()
    return Network(**nodes)


def conditionals(network: Network, tables: Mapping[str, np.ndarray]) -> dict[str, Conditional]:
    """Return weights of a `declaration` that hold these tables `(*sizes of the parents, states)`."""
    weights = network.init(jax.random.key(0))
    for name, c in weights.items():
        logits = jnp.asarray(logits_of(tables[name]), jnp.float32)
        if c.net is None:
            weights[name] = eqx.tree_at(lambda c: c.constants, c, logits)
        else:
            rows = logits.reshape(-1, logits.shape[-1])
            blank = jnp.zeros(logits.shape[-1], jnp.float32)
            weights[name] = eqx.tree_at(lambda c: (c.net.rows, c.constants), c, (rows, blank))
    return weights


def logits_of(table: np.ndarray) -> np.ndarray:
    """Return raw parameters of `Categorical` whose probabilities are the table's, along the last axis."""
    with np.errstate(divide="ignore"):
        log_p = np.log(table)
    log_p = np.maximum(log_p - log_p.max(-1, keepdims=True), LEAST)
    return unbound(log_p - log_p.min(-1, keepdims=True) / 2, LOGIT_LIMIT)
