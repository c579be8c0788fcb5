"""The shares of a total that a row's latents say, also under other inputs than its own: another batch, for one."""

from typing import Any

import equinox as eqx
import jax

from laten.common import random
from laten.common.types import Array, Key, Masks, Values
from laten.inference.importance import posterior_draws, weighted_mean
from laten.network.model import Model


class MeanShares(eqx.Module):
    """Posterior mean of the shares of a leaf of counts, of its shape.

    Args:
        node: The leaf, counts of shares of a total.
        inputs: Inputs that take the place of the row's own, once its latents are known.
    """

    draws: int = eqx.field(static=True)
    node: str = eqx.field(static=True)
    inputs: Values = eqx.field(default_factory=dict)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        family = model.network.nodes[self.node].family
        own = not self.inputs  # what the draw says already

        def shares(draw: Any) -> Array:
            return family.shares(draw.raw[self.node] if own else raw_under(model, self.node, draw.values, self.inputs))

        found = weighted_mean(model, key, values, masks, self.draws, shares)
        return found.mean, found.log_w


class DrawnShares(eqx.Module):
    """One posterior draw of the shares of a leaf of counts, of its shape; arguments as of `MeanShares`."""

    draws: int = eqx.field(static=True)
    node: str = eqx.field(static=True)
    inputs: Values = eqx.field(default_factory=dict)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        inner, _ = posterior_draws(model, random.fold_in(key, 0), values, masks, self.draws, 1)
        one = jax.tree.map(lambda x: x[0], inner)
        return model.network.nodes[self.node].family.shares(raw_under(model, self.node, one, self.inputs))


def raw_under(model: Model, node: str, values: Values, inputs: Values) -> Array:
    """Return the raw parameters `(n_raw,)` of a leaf given the inner nodes of a draw, some inputs replaced."""
    inner = {n: values[n] for n in model.network.stochastic if n not in model.network.leaves}
    return model.network.ask(model.conditionals, node, inner | inputs, {})
