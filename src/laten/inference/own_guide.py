r"""A guide of a row's own: where one question is worth some steps of gradient (Kim et al. 2018, semi-amortised).

It starts at the guide: the constants of each guide node, which are added to what its net puts out, are optimised for
the row by Adam. A single `Normal` node becomes any diagonal normal; of several nodes, each keeps following those drawn
before it. `Refined` keeps it where its bound is higher, by draws that it has not learned from.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import LatenError
from laten.common.types import Array, Key, Masks, Values
from laten.network.log_weights import by_node
from laten.network.model import Model

RATE = 0.03
EACH = 8  # draws of a step
JUDGED = 64  # draws by which two guides are compared


def constants_of(model: Model) -> Values:
    """Return what a row's own guide may change: the constants of each latent's factor."""
    return {n: c for n in model.latents if (c := model.q[n].constants) is not None}


def with_constants(model: Model, constants: Values) -> Model:
    """Put other constants into the guide of a model."""
    return eqx.tree_at(lambda m: [m.q[n].constants for n in constants], model, list(constants.values()))


def own_guide(model: Model, key: Key, values: Values, masks: Masks, steps: int, draws: int) -> Model:
    """Find the guide that is best for one example, by Adam, its rate falling to nothing along half a cosine."""
    import optax

    optimiser = optax.adam(optax.cosine_decay_schedule(RATE, steps))

    def loss(constants: Values, k: Key) -> Array:
        return -mean_bound(with_constants(model, constants), k, values, masks, draws)

    def descend(carry, k: Key):
        constants, state = carry
        update, state = optimiser.update(jax.grad(loss)(constants, k), state)
        return (optax.apply_updates(constants, update), state), None

    start = constants_of(model)
    (constants, _), _ = jax.lax.scan(descend, (start, optimiser.init(start)), random.split(key, steps))
    return with_constants(model, constants)


def mean_bound(model: Model, key: Key, values: Values, masks: Masks, draws: int) -> Array:
    """Estimate the ELBO of one example, in nats."""

    def one(k: Key) -> Array:
        return by_node(*model.draws(k, values, masks), masks, True).bound

    return jax.vmap(one)(random.split(key, draws)).mean()


class Refined(eqx.Module):
    """A question that is put to the guide of the row's own, where that has the higher bound.

    Args:
        question: Any question (`inference/questions.py`).
        steps: Of gradient.
    """

    question: Any
    steps: int = eqx.field(static=True)

    @property
    def draws(self) -> int:
        """How much work it is."""
        return max(self.question.draws, JUDGED)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        if not constants_of(model):
            raise LatenError("refine: the guide has no constants to fit to a row; leave it out")
        fit_key, judge_key = random.split(random.beside(key))
        own = own_guide(model, fit_key, values, masks, self.steps, EACH)
        new, old = (mean_bound(m, judge_key, values, masks, JUDGED) for m in (own, model))
        kept = jax.tree.map(lambda a, b: jnp.where(new > old, a, b), constants_of(own), constants_of(model))
        return self.question(with_constants(model, kept), key, values, masks)
