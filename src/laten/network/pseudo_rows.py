"""Pseudo-rows of a prior that is made of the guide (`lt.Vamp`): where they start, and what the guide says at them.

They are features of the guide's evidence, as nets see them, a row for each component; nothing of them is hidden.
"""

from collections.abc import Mapping
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.numerics import host_rng, on_device
from laten.common.types import Array, Key
from laten.families.vamp import Vamp
from laten.network.conditional import AsFeatures, Conditional
from laten.network.network import Network


def pseudo_rows(
    guide: Network, q: Mapping[str, Conditional], name: str, family: Vamp, rows: Mapping[str, np.ndarray], key: Key
) -> dict[str, Array]:
    """Return features `(k, n_features)` of each node that the guide of `name` sees: of rows, or noise without any."""
    found, rng = {}, host_rng(key)
    for node in guide.stochastic_parents(name):
        parent = next(p.family for c in q.values() for p in c.parents if p.name == node)
        shape = (family.k, parent.n_features)
        if rng is None:  # shapes alone are wanted
            found[node] = jnp.zeros(shape, jnp.float32)
        elif node in rows:
            values = rows[node]
            some = values[np.linspace(0, len(values) - 1, family.k).astype(int)].astype(parent.dtype)
            found[node] = jax.vmap(parent.features)(some).astype(jnp.float32)
        else:
            found[node] = on_device(rng.standard_normal(shape, np.float32))
    return found


def of_guide(guide: Network, q: Mapping[str, Conditional], name: str, prior: Conditional) -> Conditional:
    """Return a prior with the raw parameters that the guide gives the node at its pseudo-rows, one after the other."""

    def at(features: dict[str, Array]) -> Array:
        return guide.ask(q, name, {n: AsFeatures(x) for n, x in features.items()}, {})

    return replace(prior, constants=jnp.ravel(jax.vmap(at)(prior.body)))
