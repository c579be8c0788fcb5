"""The node and the column that made training diverge: looked up once, after it gave up."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common.errors import TrainingDiverged
from laten.common.types import Array, Key
from laten.data.rows.presentation import Presentation, Store, present
from laten.network.model import Model

AFTER = {
    "rollbacks": "loss, gradient or weights stayed non-finite after 3 roll-backs at half the rate each",
    "plan": "no step of the plan had a finite loss and gradient",
}


def diverged(
    model: Model, store: Store, index: Array, presentation: Presentation, key: Key, labels: dict[str, tuple[str, ...]],
    after: Literal["rollbacks", "plan"] = "rollbacks",
) -> TrainingDiverged:  # fmt: skip
    """Return the error to raise: it names the node and column whose density is not finite, or the steepest.

    Args:
        model: Weights of the last good epoch.
        index: Row numbers of a batch that failed.
        labels: Node -> names of its sites.
        after: What training gave up after.
    """
    values, masks = present(key, store, index, presentation)
    families = model.guide.families
    # latents held at their neutral value: what is not finite in one column does not spread to the others through them
    held = {n: jnp.full(families[n].shape, families[n].neutral, families[n].dtype) for n in model.latents}

    def log_p(model: Model) -> dict[str, Array]:
        found = jax.vmap(lambda v, m: model.draw(key, v, m, held).log_p)(values, masks)
        return {n: x.sum(0) for n, x in found.items()}

    per_site = jax.device_get(eqx.filter_jit(log_p)(model))
    worst, where = -np.inf, ("", 0)
    for name in sorted(per_site, key=lambda n: n in held):  # observed nodes before latent ones
        flat = np.abs(np.ravel(per_site[name])) / len(index)
        badness = np.where(np.isfinite(flat), flat, np.inf)
        if badness.size and badness.max() > worst:
            worst, where = badness.max(), (name, int(badness.argmax()))
    name, site = where
    columns = labels.get(name, ())
    column = f", column {columns[site]!r}" if site < len(columns) else f", site {site}"
    size = "is not finite" if not np.isfinite(worst) else f"is the steepest ({worst:.3g} nats a row)"
    return TrainingDiverged(
        f"training diverged: {AFTER[after]}. "
        f"The log-density of node {name!r}{column} {size}. Look at its values (scale, outliers, infinities), "
        "choose another family or kind for it, or lower learning_rate"
    )
