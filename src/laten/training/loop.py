r"""The compiled loop.

    epoch:  permutation → while step < stop:  present rows → step (`step.py`) → sums

One call runs many steps over rows that lie on the device; nothing in Python happens per step. After three steps in a
row that are not finite, or with weights that are not, the loop leaves at once and the caller rolls back.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from laten.common import random
from laten.common.types import Array, Key
from laten.data.rows.presentation import Presentation, Store, present
from laten.network.dropout import dropout_of
from laten.network.model import Model
from laten.training.devices import by_number, drawn_alike, on_each
from laten.training.objectives import Batch, Objective
from laten.training.optimizer import adam, wrapped
from laten.training.row_weights import visited
from laten.training.settings import PRODUCTS, Settings
from laten.training.step import Info, State, StepParts, init, loss_of, side_by_side
from laten.training.weight_packing import SMALL, Packed, WeightPacking

MOST_BAD = 3


class EpochSums(NamedTuple):
    """Looked at once an epoch: sums over finite steps, and what went wrong.

    Handed from call to call within an epoch, so that the sums do not depend on where it was cut.
    """

    bound: Array
    terms: dict[str, Array]
    steps: Array  # finite steps
    skipped: Array
    bad_index: Array  # where in the order the last step that was not finite stands


class Loop:
    """Compiled training of one model on one store. Calling `run` again never retraces.

    Args:
        weights: The arrays of the model, None elsewhere.
        static: The model without its arrays.
        presentation: How rows are presented.
        planned_steps: Steps the schedule is laid out for.
        copies: How many models are trained side by side.
        mesh: The devices that share the rows of a batch; None: one.
        own: Each device has rows of its own (`joined`), not all of them.
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
        mesh: Mesh | None = None,
        own: bool = False,
    ):
        optimizer = adam() if settings.optimizer is None else wrapped(settings.optimizer)
        # an optimiser of the user's may look at whole arrays, so that they are left to it as they are
        self.packing = WeightPacking(weights, SMALL if settings.optimizer is None else 0)
        loss = loss_of(objective, static, dropout)
        shared = mesh if objective.by_row else None
        self.parts = StepParts(loss, optimizer, self.packing, settings, planned_steps, dropout_of(static), shared)
        self.weights = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), weights)
        self.presentation, self.copies = presentation, copies
        self.traces = 0  # how often the epoch was traced: a retrace is a bug
        self.drawn, self.taken = drawn_alike(mesh), by_number(mesh if own else None)
        self.run = jax.jit(self.epoch, donate_argnums=0, out_shardings=None if mesh is None else on_each(mesh))

    def init(self, *weights: Model) -> State:
        """Return the state before the first step, from each copy's weights."""
        return init(self.parts, *weights)

    def empty_sums(self, store: Store, batch_size: int) -> EpochSums:
        """Return zeros, shaped like what the objective reports."""

        def terms(weights: Model, store: Store) -> dict[str, Array]:
            keys = random.split(jax.random.key(0), batch_size)
            batch = Batch(*present(keys[0], store, jnp.zeros(batch_size, jnp.int32), self.presentation))
            return self.parts.loss(weights, batch, keys, jnp.zeros(()), self.parts.dropout)[1].terms

        names = jax.eval_shape(terms, self.weights, store)
        shape = () if self.copies == 1 else (self.copies,)
        real: Any = np.zeros(shape, np.float32)
        whole: Any = np.zeros(shape, np.int32)
        return EpochSums(real, dict.fromkeys(names, real), whole, whole, whole)

    def epoch(
        self, state: State, sums: EpochSums, store: Store, order: Array, seed: Key, turn: Array, start: Array,
        stop: Array,
    ) -> tuple[State, EpochSums]:  # fmt: skip
        """Make many steps; `run` is its compiled form.

        Args:
            order: `(steps, batch_size)` row numbers.
            turn: Which epoch it is: no two have the same random numbers.
            start: The first step to make.
            stop: The step to stop before.
        """
        self.traces += 1
        row_key = random.fold_in(seed, turn)
        step_key, size = random.beside(row_key), order.shape[1]

        def body(carry):
            i, state, sums = carry
            number, rows = i.astype(jnp.uint32), jnp.arange(size, dtype=jnp.uint32)
            key = random.keys(step_key, number)
            keys = random.keys(row_key, number * jnp.uint32(size) + rows)
            batch = Batch(*present(key, store, order[i], self.presentation, self.drawn, self.taken))
            state, info = side_by_side(self.parts, state, batch, keys, self.copies)
            return i + 1, state, added(sums, info, i)

        def going(carry):
            return (carry[0] < stop) & (jnp.min(carry[1].bad_run) < MOST_BAD)

        with jax.default_matmul_precision(PRODUCTS[self.parts.settings.precision]):
            _, state, sums = jax.lax.while_loop(going, body, (start, state, sums))
        # the last step's weights are not seen by any loss
        sound = finite(state.weights) if self.copies == 1 else jax.vmap(finite)(state.weights)
        return state._replace(bad_run=jnp.where(sound, state.bad_run, MOST_BAD)), sums


def finite(weights: Packed) -> Array:
    """Say whether all weights are finite."""
    return jnp.all(jnp.stack([jnp.isfinite(w).all() for w in jax.tree.leaves(weights)]))


def added(sums: EpochSums, info: Info, index: Array) -> EpochSums:
    """Add one step to the sums."""
    estimate, good = info
    count = good.astype(jnp.int32)
    return EpochSums(
        sums.bound + jnp.where(good, estimate.bound, 0.0),
        jax.tree.map(lambda total, x: total + jnp.where(good, x, 0.0), sums.terms, estimate.terms),
        sums.steps + count,
        sums.skipped + 1 - count,
        jnp.where(good, sums.bad_index, index),
    )


def shuffled(
    seed: int, turn: int, rows: int, batch_size: int, passes: int = 1, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return row numbers in random order, `(steps, batch_size)`, made on the host for one or several passes.

    Rows that do not fill a batch wait for another pass. With weights `(rows,)` a pass visits rows as often as they ask.
    """
    rng, steps = np.random.default_rng((seed, turn)), rows // batch_size

    def order() -> np.ndarray:
        # half of what `permutation` takes: of 10^9 rows, 4 GB
        numbers = np.arange(rows, dtype=np.int32) if weights is None else visited(weights, rng.random())
        rng.shuffle(numbers)
        return numbers[: steps * batch_size].reshape(steps, batch_size)

    return order() if passes == 1 else np.concatenate([order() for _ in range(passes)])


def summary(epoch: int, state: State, sums: EpochSums, offset: float) -> dict[str, Any]:
    """Average over finite steps; the bound is NaN where there was none."""
    steps = max(int(sums.steps), 1)
    bound = float(sums.bound) / steps + offset if int(sums.steps) else math.nan
    record: dict[str, Any] = {"epoch": epoch, "step": int(state.step), "bound": bound}
    record |= {f"term_{name}": float(total) / steps for name, total in sums.terms.items()}
    record["skipped"] = int(sums.skipped)
    return record
