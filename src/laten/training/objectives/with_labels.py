r"""Labels that some rows have teach the guide to classify (Kingma et al. 2014, section 3.3).

A bound of rows with a label holds no $q(y\mid x)$: there is nothing to infer. So the guide would learn to classify from
rows without labels alone, whose bound is as good with the classes called otherwise. The loss gets a term,

$$\mathcal J = \mathcal L - \frac{\alpha}{n}\sum_{i\text{ labelled}}\log q(y_i\mid x_i),$$

with n the labelled rows of the batch. The bound that is reported, and what held-out rows are judged by, stay as they
are.
"""

from collections.abc import Collection
from dataclasses import dataclass

import jax.numpy as jnp

from laten.common.types import Array, Key, Masks, Values
from laten.network.model import Model
from laten.training.objectives.around import Around, Weighted
from laten.training.objectives.objective import Batch, Estimate, Objective, Share, over_rows


@dataclass(frozen=True)
class WithLabels(Weighted):
    """An objective of rows, and a guide that also learns from labels: nodes of classes that some rows show.

    Args:
        of_rows: Such as `lt.Elbo()`.
        weight: α.
    Raises:
        DeclarationError: an objective that is none, or a weight that is no number of at least 0.
    """

    weight: float = 10.0

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        found = self.of_rows(model, batch, key, progress, dropout)

        def one(k: Key, net_key: Key | None, values: Values, masks: Masks) -> tuple[Array, Array]:
            return said_of_labels(model, net_key, values, masks)

        log_q, seen = over_rows(one, batch, key, dropout)
        mean = jnp.sum(log_q) / jnp.maximum(jnp.sum(seen), 1.0)
        return found._replace(loss=found.loss - self.weight * mean)


def said_of_labels(model: Model, net_key: Key | None, values: Values, masks: Masks) -> tuple[Array, Array]:
    """Return log q of the labels that one example shows, in nats, and whether it shows any, as 0 or 1."""
    log_q, seen = jnp.zeros(()), jnp.zeros(())
    for name in labels_of(model, masks):
        raw = model.guide.ask(model.q, name, dict(values), {}, lambda n: net_key, masks=masks)
        per_site = model.q[name].distribution.log_prob(raw, values[name])
        log_q += jnp.sum(jnp.where(masks[name], per_site, 0.0))
        seen = jnp.maximum(seen, jnp.max(masks[name].astype(jnp.float32)))
    return log_q, seen


def labels_of(model: Model, partly: Collection[str]) -> tuple[str, ...]:
    """Return the guide's nodes of classes, seen in part of the rows, whose factor looks at other evidence alone.

    Args:
        partly: Nodes that are seen in part.
    """
    found = []
    for name in model.discrete:
        parents = model.guide.stochastic_parents(name)
        if name in partly and parents and not set(parents) & set(model.latents):
            found.append(name)
    return tuple(found)


def taught_labels(objective: Objective | None, model: Model, partly: Collection[str]) -> tuple[str, ...]:
    """Return the nodes whose labels an objective lets teach the guide; None is the default, which does.

    Args:
        partly: Nodes that are seen in part.
    """
    while isinstance(objective, Around) and not isinstance(objective, WithLabels):
        objective = objective.of_rows
    return labels_of(model, partly) if objective is None or isinstance(objective, WithLabels) else ()
