r"""The held-out bound, once an epoch, and how many latent units carry information.

The same random key is used every time, so that differences between epochs are differences between weights. A unit $u$ is active when
$\mathrm{Var}_x(\mathbb E_q[u\mid x]) > 0.01$ (Burda et al. 2016, section 2.4).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.data.batches import Presentation, Store, present
from laten.model import Model
from laten.objectives import Batch, Objective
from laten.types import Array, Key

ROWS = 256
ACTIVE = 0.01


class Evaluation:
    """Bound, KL and active units of a model on held-out rows; compiled once."""

    def __init__(self, static: Model, objective: Objective, how: Presentation):
        how = how._replace(hide=())  # held-out rows are shown whole

        def one(weights: Model, store: Store, index: Array, key: Key):
            model = eqx.combine(weights, static)
            batch = Batch(*present(key, store, index, how))
            estimate = objective(model, batch, key, 1.0)
            kl = -sum((estimate.terms.get(n, jnp.zeros(())) for n in model.latents), jnp.zeros(()))
            means = jax.vmap(lambda v, m: unit_means(model, key, v, m))(batch.values, batch.masks)  # (rows, units)
            return estimate.bound, kl, means.sum(0), jnp.square(means).sum(0)

        def all_rows(weights: Model, store: Store, indices: Array, key: Key):
            keys = jax.random.split(key, len(indices))
            bound, kl, first, second = jax.lax.map(lambda a: one(weights, store, *a), (indices, keys))
            n = indices.size
            return bound.mean(), kl.mean(), second.sum(0) / n - jnp.square(first.sum(0) / n)

        self.run = jax.jit(all_rows)

    def __call__(self, weights: Model, store: Store) -> tuple[float, float, int]:
        """Mean bound (nats a row), mean KL (nats a row), number of active units."""
        rows = len(next(iter(store.values.values())))
        size = min(ROWS, rows)
        indices = np.arange(rows // size * size, dtype=np.int32).reshape(-1, size)
        bound, kl, variance = jax.device_get(self.run(weights, store, indices, jax.random.key(0)))
        return float(bound), float(kl), int((variance > ACTIVE).sum())


def unit_means(model: Model, key: Key, values, masks) -> Array:
    """`(units,)` posterior means of the continuous guide nodes of one example."""
    _, draw = model.draws(key, values, masks)
    names = [n for n in draw.q_raw if n not in model.discrete]
    means = [model.guide.nodes[n].family.mean(draw.q_raw[n][0]).ravel() for n in names]
    return jnp.concatenate(means) if means else jnp.zeros(0)
