r"""A careful start for classes: at first the guide is taught to tell groups of rows apart.

A class that nobody shows has no reason to become one thing rather than another, and many ends are bad: a continuous
latent below it learns to do without, and all rows end in a few classes. A class that few rows show is learned from
these alone, though rows that lie together mostly have one label. So the rows are first sorted into groups (`groups`),
and for most of training, ever less, the loss holds, with $g(x)$ the group of a row,

$$\mathcal J = \mathcal L - \alpha\,\max(0, 1 - t/t_0)\,\log q(c = g(x)\mid x),$$

with t the share of the steps made. After $t_0$ nothing of it is left: the classes are the model's own. Where some rows
show labels the term stays as it is, beside that of `with_labels`: there the guide is a classifier.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy.ndimage import gaussian_filter

from laten.common.types import Array, Key, Masks, Values
from laten.families import Family
from laten.network.model import Model
from laten.training.objectives.around import Around
from laten.training.objectives.groups import Groups, groups_of
from laten.training.objectives.objective import Batch, Estimate, Share, over_rows

UNTIL = 0.9  # t0
WEIGHT = 10.0  # α
SMOOTHED = 28  # pixels of a side for one of the standard deviation of the normal curve that smooths an image


@dataclass(frozen=True, eq=False)
class FromGroups(Around):
    """An objective of rows whose guide starts from groups of them.

    Args:
        of_rows: Such as `lt.Elbo()`.
        groups: Node of classes -> its groups, by what its guide sees (`seen_features`). Rows that show it are not
            taught.
        lasting: Those of them that are taught to the end.
    """

    groups: Mapping[str, Groups]
    lasting: tuple[str, ...] = ()

    @property
    def warmup(self) -> float:
        return self.of_rows.warmup if set(self.groups) <= set(self.lasting) else max(self.of_rows.warmup, UNTIL)

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        found = self.of_rows(model, batch, key, progress, dropout)
        fading = jnp.maximum(0.0, 1.0 - progress / UNTIL)

        def one(k: Key, net_key: Key | None, values: Values, masks: Masks) -> Array:
            total = jnp.zeros(())
            for name, groups in self.groups.items():
                group = groups.of(*seen_features(model, name, values, masks))
                family = model.q[name].distribution
                raw = model.guide.ask(model.q, name, dict(values), {}, lambda n: net_key, masks=masks)
                said = jnp.sum(family.log_prob(raw, group.reshape(family.shape)))
                said = jnp.where(jnp.all(masks[name]), 0.0, said) if name in masks else said
                total += said if name in self.lasting else fading * said
            return total

        return found._replace(loss=found.loss - WEIGHT * jnp.mean(over_rows(one, batch, key, dropout)))


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


def smoothing(model: Model, name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return what smooths the features `(rows, n_features)` that the guide of a node sees.

    Two strokes a pixel apart are far from each other by their pixels, and alike: images are smoothed along their two
    sides, all else stays.
    """
    families = [model.network.nodes[p].family for p in model.guide.stochastic_parents(name)]
    ends = np.cumsum([f.n_features for f in families])[:-1]

    def one(x: np.ndarray, family: Family) -> np.ndarray:
        if len(family.shape) < 2 or family.n_features != family.n_sites:
            return x
        sides = [0, *(side / SMOOTHED for side in family.shape[:2]), *[0] * (len(family.shape) - 2)]
        return gaussian_filter(x.reshape(-1, *family.shape), sides, mode="constant").reshape(x.shape)

    def smooth(x: np.ndarray) -> np.ndarray:
        return np.concatenate([one(*pair) for pair in zip(np.split(x, ends, axis=1), families, strict=True)], axis=1)

    return smooth


def can_start(model: Model, shown: Collection[str], partly: Collection[str] = ()) -> tuple[str, ...]:
    """Return the nodes of one class that may start from groups: their guide sees nothing but what rows show.

    Args:
        shown: Nodes that rows show.
        partly: Those that some rows show alone, and which may start too.
    """
    found = []
    for name in model.discrete:
        family, parents = model.guide.nodes[name].family, model.guide.stochastic_parents(name)
        one_class = family.n_sites == 1 and family.support.kind == "classes"
        evidence = bool(parents) and all(p in shown and p not in model.latents for p in parents)
        if one_class and evidence and (name in partly or name not in shown):
            found.append(name)
    return tuple(found)


def groups_of_nodes(
    model: Model, names: Collection[str], values: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray], seed: int
) -> dict[str, Groups]:
    """Return the groups from which nodes of classes start, of some rows by node `(rows, *shape)`.

    A node that some rows show is left out where neighbours say less of it than a straight line does.
    """
    rng, found = np.random.default_rng(seed), {}
    for name in names:
        x, seen = jax.jit(jax.vmap(lambda v, m, name=name: seen_features(model, name, v, m)))(dict(values), dict(masks))
        shown = np.where(masks[name], values[name].astype(int), -1).reshape(-1) if name in values else None
        n_states = model.guide.nodes[name].family.n_states
        assert n_states is not None
        groups = groups_of(np.asarray(x), np.asarray(seen), n_states, rng, shown, smoothing(model, name))
        if groups is not None:
            found[name] = groups
    return found
