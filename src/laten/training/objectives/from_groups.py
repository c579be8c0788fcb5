r"""A careful start for latent classes: at first the guide is taught to tell groups of rows apart.

A class that nobody shows has no reason to become one thing rather than another, and many ends are bad: a continuous
latent below it learns to do without, and all rows end in a few classes. So the rows are first sorted into groups
around centres, and while training begins the loss holds, with $g(x)$ the nearest group,

$$\mathcal J = \mathcal L - \alpha\,\max(0, 1 - t/t_0)\,\log q(c = g(x)\mid x),$$

with t the share of the steps made. After $t_0$ nothing of it is left: the classes are the model's own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.types import Array, Key, Masks, Values
from laten.network.model import Model
from laten.training.objectives.around import Around
from laten.training.objectives.objective import Batch, Estimate, Share, over_rows

UNTIL = 0.5  # t0
WEIGHT = 10.0  # α


@dataclass(frozen=True, eq=False)
class FromGroups(Around):
    """An objective of rows whose guide starts from groups of them.

    Args:
        of_rows: Such as `lt.Elbo()`.
        centres: Latent class -> `(classes, n_features)`, of what its guide sees (`seen_features`).
    """

    centres: Mapping[str, np.ndarray]

    @property
    def warmup(self) -> float:
        return max(self.of_rows.warmup, UNTIL)

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        found = self.of_rows(model, batch, key, progress, dropout)

        def one(k: Key, net_key: Key | None, values: Values, masks: Masks) -> Array:
            total = jnp.zeros(())
            for name, centres in self.centres.items():
                x, seen = seen_features(model, name, values, masks)
                group = jnp.argmin(jnp.sum(seen[None] * jnp.square(x[None] - centres), axis=1)).astype(jnp.int32)
                family = model.q[name].distribution
                raw = model.guide.ask(model.q, name, dict(values), {}, lambda n: net_key, masks=masks)
                total += jnp.sum(family.log_prob(raw, group.reshape(family.shape)))
            return total

        weight = WEIGHT * jnp.maximum(0.0, 1.0 - progress / UNTIL)
        return found._replace(loss=found.loss - weight * jnp.mean(over_rows(one, batch, key, dropout)))


def seen_features(model: Model, name: str, values: Values, masks: Masks) -> tuple[Array, Array]:
    """Return the features of one example that the guide of a node sees, and 1 where they are seen, `(n_features,)`."""
    features, seen = [], []
    for parent in model.guide.stochastic_parents(name):
        family = model.network.nodes[parent].family
        x = family.features(values[parent]).astype(jnp.float32)
        there = jnp.ones(family.n_sites)
        if parent in masks:
            there = jnp.ravel(masks[parent]).astype(jnp.float32)
        features.append(x)
        seen.append(there if family.feature_sites is None else there[family.feature_sites])
    return jnp.concatenate(features), jnp.concatenate(seen)


def can_start(model: Model, known: Collection[str]) -> tuple[str, ...]:
    """Return the latent classes that no row shows, and whose guide sees nothing but what rows show.

    Args:
        known: Nodes that rows show.
    """
    found = []
    for name in model.discrete:
        family, parents = model.guide.nodes[name].family, model.guide.stochastic_parents(name)
        one_class = family.n_sites == 1 and family.support.kind == "classes"
        evidence = bool(parents) and all(p in known and p not in model.latents for p in parents)
        if name not in known and one_class and evidence:
            found.append(name)
    return tuple(found)


def grouped(x: np.ndarray, seen: np.ndarray, k: int, rng: np.random.Generator, turns: int = 20) -> np.ndarray:
    """Return `k` centres `(k, n)` of rows `(rows, n)`: k-means++ (Arthur & Vassilvitskii 2007)."""
    mean = (x * seen).sum(0) / np.maximum(seen.sum(0), 1)
    x = np.where(seen > 0, x, mean)
    centres = x[rng.integers(len(x))][None]
    while len(centres) < k:
        near = distances(x, centres).min(1)
        total = near.sum()
        centres = np.concatenate([centres, x[rng.choice(len(x), p=near / total if total > 0 else None)][None]])
    for _ in range(turns):
        group = distances(x, centres).argmin(1)
        centres = np.stack([x[group == j].mean(0) if (group == j).any() else centres[j] for j in range(k)])
    return centres.astype(np.float32)


def distances(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return squared distances `(rows, k)`."""
    found = (x**2).sum(1)[:, None] - 2 * x @ centres.T + (centres**2).sum(1)
    return np.maximum(found, 0)


def centres_of(
    model: Model, names: tuple[str, ...], values: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray], seed: int
) -> dict[str, np.ndarray]:
    """Return centres `(classes, n_features)` of each latent class, of some rows by node `(rows, *shape)`."""
    rng, found = np.random.default_rng(seed), {}
    for name in names:
        x, seen = jax.jit(jax.vmap(lambda v, m, name=name: seen_features(model, name, v, m)))(dict(values), dict(masks))
        n_states = model.guide.nodes[name].family.n_states
        assert n_states is not None
        found[name] = grouped(np.asarray(x, np.float64), np.asarray(seen, np.float64), n_states, rng)
    return found
