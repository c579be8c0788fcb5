r"""The held-out bound, once an epoch, and how many latent units carry information.

Beside it stands the bound of as many training rows at most, in the same presentation: whole, without dropout, under
the same weights. The bound that training itself reports is of rows with hidden cells, while the weights change.

The same random key is used every time, so that differences between epochs are differences between weights. A unit $u$
is active when $\mathrm{Var}_x(\mathbb E_q[u\mid x]) > 0.01$ (Burda et al. 2016, section 2.4). The KL of each latent
node is of one draw of the guide a row, in closed form where there is one.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from laten.common import random
from laten.common.types import Array, Key
from laten.data.rows.presentation import Presentation, Store, present
from laten.inference.diagnostics import ACTIVE
from laten.inference.questions import unit_means
from laten.network.log_weights import by_node
from laten.network.model import Model
from laten.training.devices import AXIS, everywhere, on_each
from laten.training.objectives import Batch, Objective

ROWS = 256
TRAINED = 2048  # training rows, at most, that are judged as the held-out ones are


class Judged(NamedTuple):
    """Held-out rows after an epoch; bounds and KL in nats a row.

    Args:
        trained: The bound of training rows.
        kl: Of all latents, as the objective estimates it.
        active_units: How many vary with the row.
        by_node: `kl_z`, `active_z`: the same of each latent node.
    """

    bound: float
    trained: float
    kl: float
    active_units: int
    by_node: dict[str, float | int]


class Evaluation:
    """Bound, KL and active units of a model on held-out rows.

    Compiled once, in a thread of its own, so that it is ready when the training loop has been compiled too.

    Args:
        static: The model without its arrays.
        weights: Its arrays; only their shapes are looked at.
        store: All rows.
        held: Numbers of those held out, int32.
        trained: Numbers of those trained on, int32.
        presentation: How rows were presented in training; held-out rows are shown whole.
        mesh: The devices that share the rows; None: one.
    """

    def __init__(
        self,
        static: Model,
        weights: Model,
        store: Store,
        held: np.ndarray,
        trained: np.ndarray,
        objective: Objective,
        presentation: Presentation,
        mesh: Mesh | None = None,
    ):
        whole, self.store, rows = presentation._replace(hide=()), store, len(held)
        size = rows // -(-rows // ROWS)  # equal parts; at most a few rows are left out
        parts, some = rows // size, min(rows // size, max(1, TRAINED // size), len(trained) // size)
        again = trained[np.linspace(0, len(trained) - 1, some * size).astype(np.int64)]
        indices = np.concatenate([held[: parts * size], again]).reshape(-1, size)
        self.indices, self.key = everywhere(indices, mesh), random.key(0)

        numbers = [n for n in static.latents if n not in static.discrete]
        self.ends = dict(zip(numbers, np.cumsum([static.guide.nodes[n].family.n_sites for n in numbers]), strict=True))

        def one(weights: Model, store: Store, index: Array, key: Key) -> tuple[Any, ...]:
            model = eqx.combine(weights, static)
            batch = Batch(*present(random.beside(key), store, index, whole))
            estimate = objective(model, batch, key, 1.0)
            means = jax.vmap(lambda v, m: unit_means(model, key, v, m))(batch.values, batch.masks)  # (rows, units)
            keys = random.split(key, size)
            kl = jax.vmap(lambda k, v, m: by_node(*model.draws(k, v, m), m, True).kl)(keys, batch.values, batch.masks)
            nodes = {n: x.mean() for n, x in kl.items()}
            return estimate.bound, estimate.kl, means.sum(0), jnp.square(means).sum(0), nodes

        def all_rows(weights: Model, store: Store, indices: Array, key: Key) -> tuple[Array, Array]:
            keys = random.split(key, parts + some)
            bound, kl, first, second, nodes = mapped(one, mesh)(weights, store, indices, keys)
            n = parts * size
            variance = second[:parts].sum(0) / n - jnp.square(first[:parts].sum(0) / n)
            self.names = tuple(nodes)  # now that it is traced
            each = [x[:parts].mean() for x in nodes.values()]
            return jnp.stack([bound[:parts].mean(), bound[parts:].mean(), kl[:parts].mean(), *each]), variance

        layout = None if mesh is None else on_each(mesh)
        shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=layout), weights)
        lowered = jax.jit(all_rows, out_shardings=layout).lower(shapes, store, self.indices, self.key)
        pool = ThreadPoolExecutor(1)
        # it runs once an epoch: quickly compiled is better than well compiled
        self.compiled = pool.submit(lowered.compile, {"xla_backend_optimization_level": "1"})
        pool.shutdown(wait=False)

    def __call__(self, weights: Model) -> Judged:
        """Return what is known of held-out rows under these weights."""
        found = self.compiled.result()(weights, self.store, self.indices, self.key)
        (bound, trained, kl, *nodes), variance = jax.device_get(found)
        active = variance > ACTIVE
        nodes_of: dict[str, float | int] = {f"kl_{n}": float(x) for n, x in zip(self.names, nodes, strict=True)}
        begin = 0
        for name, end in self.ends.items():
            nodes_of[f"active_{name}"], begin = int(active[begin:end].sum()), end
        return Judged(float(bound), float(trained), float(kl), int(active.sum()), nodes_of)


def mapped(one: Callable[..., Any], mesh: Mesh | None) -> Callable[..., Any]:
    """Map `one(weights, store, index, key)` over indices and keys, which devices share out among them."""

    def own(weights: Model, store: Store, indices: Array, keys: Key) -> Any:
        return jax.lax.map(lambda a: one(weights, store, *a), (indices, keys))

    if mesh is None:
        return own
    shares, each = PartitionSpec(AXIS), PartitionSpec()
    spread = jax.shard_map(own, mesh=mesh, in_specs=(each, each, shares, shares), out_specs=shares, check_vma=False)

    def padded(weights: Model, store: Store, indices: Array, keys: Key) -> Any:
        n = len(indices)
        full = jnp.arange(-(-n // mesh.size) * mesh.size) % n
        found = spread(weights, store, indices[full], keys[full])
        return jax.tree.map(lambda x: x[:n], found)

    return padded
