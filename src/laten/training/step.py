r"""One step of training, as a function of the state and a batch.

    weights → objective → gradient → optimiser → weights

A step whose loss or gradient is not finite changes nothing but the count of such steps.

Several copies of a model, which differ in where their weights start and in their draws, are trained side by side on the
same batches: the step is mapped over them, and its small products become fewer large ones. Everything carried then has
a leading axis of copies.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from laten.common import random
from laten.common.types import Array, Key
from laten.network.dropout import with_dropout
from laten.network.model import Model
from laten.training.devices import averaged
from laten.training.learning_rate import Pace, learning_rate, pace_of
from laten.training.objectives import Batch, Estimate, Objective
from laten.training.optimizer import Optimizer
from laten.training.settings import Settings
from laten.training.weight_packing import Packed, WeightPacking


class State(NamedTuple):
    """Carried from step to step."""

    weights: Packed  # the arrays of the model
    optimizer: Any  # the optimiser's own state
    step: Array  # () steps made since the start of training
    rate: Array  # () factor on the learning rate, halved at each roll-back
    bad_run: Array  # () steps in a row that were not finite
    pace: Pace  # no step changes it, nor
    dropout: tuple[Array, ...]  # () of each net that leaves units out (`with_dropout`)


class Info(NamedTuple):
    """Looked at after a step."""

    estimate: Estimate
    good: Array  # () False: the loss or a gradient was not finite, and the weights stayed as they were


class StepParts(NamedTuple):
    """The parts of a step; the same for all steps."""

    loss: Callable[..., tuple[Array, Estimate]]  # see `loss_of`
    optimizer: Optimizer
    packing: WeightPacking
    settings: Settings
    planned_steps: int  # for which the schedule is laid out
    dropout: tuple[np.ndarray, ...] = ()  # of each net that leaves units out
    mesh: Mesh | None = None  # devices, each of which differentiates the loss of its own rows


def loss_of(objective: Objective, static: Model, dropout: bool) -> Callable:
    """Return the loss as a function of the model's arrays (`static` is the rest), traced once wherever it is called."""

    @jax.jit
    def loss(
        weights: Model, batch: Batch, key: Key, progress: Array, least: tuple[Array, ...] = ()
    ) -> tuple[Array, Estimate]:
        model = with_dropout(eqx.combine(weights, static), least)
        estimate = objective(model, batch, key, progress, dropout)
        return estimate.loss, estimate

    return loss


def init(parts: StepParts, *weights: Model) -> State:
    """Return the state before the first step from each copy's weights, in buffers of its own: they are donated."""
    # packed by NumPy, which needs no compilation
    packed = [parts.packing.pack(jax.tree.map(np.asarray, w), np) for w in weights]
    begun: Any = (np.zeros((), np.int32), np.ones((), np.float32), np.zeros((), np.int32))
    begun += (pace_of(parts.settings, parts.planned_steps), parts.dropout)
    optimizer = parts.optimizer.init
    if len(weights) > 1:
        packed, begun, optimizer = [stacked(packed)], stacked([begun] * len(weights)), jax.vmap(optimizer)
    own = partial(jax.device_put, may_alias=False)
    held = own(packed[0])
    return State(held, jax.jit(optimizer)(held), *own(begun))


def step(parts: StepParts, state: State, batch: Batch, keys: Key) -> tuple[State, Info]:
    """Make one step of one model; `keys (rows,)`."""
    pace = state.pace
    progress = state.step.astype(jnp.float32) * pace.step
    arrays = parts.packing.unpack(state.weights)
    slope = slope_of(parts) if parts.mesh is None else averaged(slope_of(parts), parts.mesh)
    loss, estimate, gradient = slope(batch, keys, arrays, progress, state.dropout)
    norm = gradient_norm(gradient)
    good = jnp.isfinite(loss) & jnp.isfinite(norm)
    shrink = jnp.minimum(1.0, pace.clip / norm)
    rate = state.rate * learning_rate(pace, progress)
    weights, optimizer = parts.optimizer.update(gradient, state.optimizer, state.weights, good, shrink, rate)
    bad_run = jnp.where(good, 0, state.bad_run + 1)
    made = state._replace(weights=weights, optimizer=optimizer, step=state.step + 1, bad_run=bad_run)
    return made, Info(estimate, good)


def slope_of(parts: StepParts) -> Callable[..., tuple[Array, Estimate, Packed]]:
    """Return loss, estimate and gradient as a function of rows, their keys, and what all rows share."""

    def slope(batch: Batch, keys: Key, arrays: Model, progress: Array, dropout: tuple[Array, ...]) -> Any:
        (loss, estimate), gradient = jax.value_and_grad(parts.loss, has_aux=True)(
            arrays, batch, keys, progress, dropout
        )
        return loss, estimate, parts.packing.pack(gradient)

    return slope


def side_by_side(parts: StepParts, state: State, batch: Batch, keys: Key, copies: int) -> tuple[State, Info]:
    """Make one step of several copies of a model on the same batch; of one copy, `step`."""
    if copies == 1:
        return step(parts, state, batch, keys)
    return jax.vmap(partial(step, parts), (0, None, 0))(state, batch, apart(keys, copies))


def apart(keys: Key, copies: int) -> Key:
    """Make keys `(copies, rows)`: the first copy's are the keys themselves."""
    numbers = jnp.arange(1, copies, dtype=jnp.uint32)
    others = jax.vmap(lambda key: random.keys(key, numbers), out_axes=1)(keys)
    return jnp.concatenate([keys[None], others])


def gradient_norm(gradient: Packed) -> Array:
    """Return the Euclidean norm over all weights; not finite when any entry is not.

    Summed down the columns first: the compiler turns that into vector instructions.
    """
    return jnp.sqrt(sum(jnp.sum(jnp.sum(jnp.square(jnp.atleast_1d(g)), axis=0)) for g in jax.tree.leaves(gradient)))


def stacked(trees: list[Any]) -> Any:
    """Stack trees of NumPy arrays into one, with a leading axis."""
    return jax.tree.map(lambda *xs: np.stack(xs), *trees)


@jax.jit
def picked(tree: Any, copy: Array) -> Any:
    """Pick one of several copies."""
    return jax.tree.map(lambda x: x[copy], tree)


@jax.jit
def copied(tree: Any) -> Any:
    """Copy a tree into buffers of its own."""
    return jax.tree.map(jnp.copy, tree)
