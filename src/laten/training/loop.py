r"""The compiled loop.

    epoch:  permutation → while step < stop:  present rows → objective → gradient → optimiser

One call runs many steps over rows that lie on the device; nothing in Python happens per step. A step whose loss or
gradient is not finite changes nothing and is counted; after three in a row the loop leaves at once and the caller rolls
back.

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

from laten.common import random
from laten.common.types import Array, Key
from laten.data.rows.presentation import Presentation, Store, present
from laten.network.model import Model
from laten.training.objectives import Batch, Estimate, Objective
from laten.training.optimizer import adam, wrapped
from laten.training.settings import PRODUCTS, Settings
from laten.training.weight_packing import SMALL, Packed, Packing

MOST_BAD = 3


class State(NamedTuple):
    """Carried from step to step."""

    weights: Packed  # the arrays of the model
    optimizer: Any  # the optimiser's own state
    step: Array  # () steps made since the start of training
    rate: Array  # () factor on the learning rate, halved at each roll-back
    bad_run: Array  # () steps in a row that were not finite


class Tally(NamedTuple):
    """Looked at once an epoch: sums over finite steps, and what went wrong.

    Handed from call to call within an epoch, so that the sums do not depend on where it was cut.
    """

    bound: Array
    terms: dict[str, Array]
    steps: Array  # finite steps
    skipped: Array
    bad_index: Array  # where in the order the last step that was not finite stands


class Loop:
    """Compiled training of one model on one store. Calling it never retraces.

    Args:
        weights: The arrays of the model, None elsewhere.
        static: The model without its arrays.
        how: How rows are presented.
        planned_steps: Steps the schedule is laid out for.
        copies: How many models are trained side by side.
    """

    def __init__(
        self,
        weights: Model,
        static: Model,
        objective: Objective,
        presentation: Presentation,
        settings: Settings,
        planned_steps: int,
        dropout: bool,
        copies: int = 1,
    ):
        self.optimizer = adam() if settings.optimizer is None else wrapped(settings.optimizer)
        # an optimiser of the user's may look at whole arrays, so that they are left to it as they are
        self.packing = Packing(weights, SMALL if settings.optimizer is None else 0)
        self.presentation, self.weights = (
            presentation,
            jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), weights),
        )
        self.copies = copies
        self.traces = 0  # how often the epoch was traced: a retrace is a bug

        @jax.jit  # traced once, for the tally and for the step
        def loss(weights: Model, batch: Batch, key: Key, progress: Array) -> tuple[Array, Estimate]:
            estimate = objective(eqx.combine(weights, static), batch, key, progress, dropout)
            return estimate.loss, estimate

        def one(state: State, batch: Batch, each: Key) -> tuple[State, Estimate, Array]:
            progress = state.step / planned_steps
            arrays = self.packing.unpack(state.weights)
            (value, estimate), gradients = jax.value_and_grad(loss, has_aux=True)(arrays, batch, each, progress)
            gradient = self.packing.pack(gradients)
            norm = gradient_norm(gradient)
            good = jnp.isfinite(value) & jnp.isfinite(norm)
            shrink = 1.0 if settings.clip is None else jnp.minimum(1.0, settings.clip / norm)
            pace = state.rate * settings.rate(progress)
            weights, optimizer = self.optimizer.update(gradient, state.optimizer, state.weights, good, shrink, pace)
            bad_run = jnp.where(good, 0, state.bad_run + 1)
            return State(weights, optimizer, state.step + 1, state.rate, bad_run), estimate, good

        many = jax.vmap(one, (0, None, 0))

        def step(state: State, store: Store, index: Array, key: Key, each: Key) -> tuple[State, Estimate, Array]:
            batch = Batch(*present(key, store, index, presentation))
            return one(state, batch, each) if copies == 1 else many(state, batch, apart(each, copies))

        epoch = epoch_of(step)

        def run(*arguments: Any) -> tuple[State, Tally]:
            self.traces += 1
            with jax.default_matmul_precision(PRODUCTS[settings.precision]):
                return epoch(*arguments)

        self.loss, self.run = loss, jax.jit(run, donate_argnums=0)

    def empty_tally(self, store: Store, batch_size: int) -> Tally:
        """Zeros, shaped like what the objective reports."""

        def terms(weights: Model, store: Store) -> dict[str, Array]:
            each = random.split(jax.random.key(0), batch_size)
            batch = Batch(*present(each[0], store, jnp.zeros(batch_size, jnp.int32), self.presentation))
            return self.loss(weights, batch, each, jnp.zeros(()))[1].terms

        names = jax.eval_shape(terms, self.weights, store)
        shape = () if self.copies == 1 else (self.copies,)
        real: Any = np.zeros(shape, np.float32)
        whole: Any = np.zeros(shape, np.int32)
        return Tally(real, dict.fromkeys(names, real), whole, whole, whole)

    def init(self, *weights: Model) -> State:
        """The state before the first step, in buffers of its own: they are donated.

        Args:
            weights: Of each copy.
        """
        # packed by NumPy, which needs no compilation
        packed = [self.packing.pack(jax.tree.map(np.asarray, w), np) for w in weights]
        begun: Any = (np.zeros((), np.int32), np.ones((), np.float32), np.zeros((), np.int32))
        if self.copies > 1:
            packed, begun = [stacked(packed)], stacked([begun] * self.copies)
        own = partial(jax.device_put, may_alias=False)
        held = own(packed[0])
        optimizer = self.optimizer.init if self.copies == 1 else jax.vmap(self.optimizer.init)
        return State(held, jax.jit(optimizer)(held), *own(begun))


def epoch_of(step: Callable) -> Callable:
    """Many steps as one function of state, tally, store, order, seed, turn, and the steps to start and stop at."""

    def epoch(
        state: State, tally: Tally, store: Store, order: Array, seed: Key, turn: Array, start: Array, stop: Array
    ) -> tuple[State, Tally]:  # fmt: skip
        row_key = random.fold_in(seed, turn)
        step_key, size = random.beside(row_key), order.shape[1]

        def body(carry):
            i, state, tally = carry
            step_number, rows = i.astype(jnp.uint32), jnp.arange(size, dtype=jnp.uint32)
            own, each = (
                random.keys(step_key, step_number),
                random.keys(row_key, step_number * jnp.uint32(size) + rows),
            )
            state, estimate, good = step(state, store, order[i], own, each)
            return i + 1, state, tallied(tally, estimate, good, i)

        def going(carry):
            return (carry[0] < stop) & (jnp.min(carry[1].bad_run) < MOST_BAD)

        return jax.lax.while_loop(going, body, (start, state, tally))[1:]

    return epoch


def stacked(trees: list[Any]) -> Any:
    """Trees of NumPy arrays as one, with a leading axis."""
    return jax.tree.map(lambda *xs: np.stack(xs), *trees)


def apart(each: Key, copies: int) -> Key:
    """Keys `(copies, rows)`: the first copy's are the keys themselves."""
    numbers = jnp.arange(1, copies, dtype=jnp.uint32)
    others = jax.vmap(lambda key: random.keys(key, numbers), out_axes=1)(each)
    return jnp.concatenate([each[None], others])


def gradient_norm(gradient: Packed) -> Array:
    """Euclidean norm over all weights; not finite when any entry is not.

    Summed down the columns first: that the compiler turns into vector instructions.
    """
    return jnp.sqrt(sum(jnp.sum(jnp.sum(jnp.square(jnp.atleast_1d(g)), axis=0)) for g in jax.tree.leaves(gradient)))


def tallied(tally: Tally, estimate: Estimate, good: Array, index: Array) -> Tally:
    """Adds one step to a tally."""
    count = good.astype(jnp.int32)
    return Tally(
        tally.bound + jnp.where(good, estimate.bound, 0.0),
        jax.tree.map(lambda total, x: total + jnp.where(good, x, 0.0), tally.terms, estimate.terms),
        tally.steps + count,
        tally.skipped + 1 - count,
        jnp.where(good, tally.bad_index, index),
    )


def shuffled(seed: int, turn: int, rows: int, batch_size: int, passes: int = 1) -> np.ndarray:
    """Row numbers in random order, `(steps, batch_size)`, made on the host for one or several passes.

    Rows that do not fill a batch wait for another pass.
    """
    rng, steps = np.random.default_rng((seed, turn)), rows // batch_size

    def order() -> np.ndarray:
        numbers = np.arange(rows, dtype=np.int32)  # half of what `permutation` takes: of 10^9 rows, 4 GB
        rng.shuffle(numbers)
        return numbers[: steps * batch_size].reshape(steps, batch_size)

    return order() if passes == 1 else np.concatenate([order() for _ in range(passes)])
