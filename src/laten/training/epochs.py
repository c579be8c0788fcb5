r"""The epochs around the compiled loop: validation, early stopping, best weights, roll-backs, progress, Ctrl-C.

Once an epoch a few numbers come up from the device. The weights with the best held-out bound are kept. A run of steps
that are not finite rolls back to the last good epoch at half the learning rate; after three roll-backs training gives
up and names the node and the column.

With several starts, trained side by side, the best weights are those of the best start; training goes on while any of
them improves on the best so far, and rolls back when none has finite steps left.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.types import Array
from laten.data.rows.presentation import Presentation, Store
from laten.network.model import Model
from laten.training.divergence import diverged
from laten.training.loop import MOST_BAD, EpochSums, Loop, shuffled
from laten.training.objectives import Objective
from laten.training.settings import Settings
from laten.training.step import State
from laten.training.validation import Evaluation

MOST_ROLLBACKS = 3
CALL_SECONDS = 1.0

Record = dict[str, Any]
OnCall = Callable[[Loop, tuple], None]


class Task(NamedTuple):
    """A model to train, and the rows to train it on.

    Args:
        store: All rows: those of training and those held out, which no copy tells apart.
        train: Numbers of the rows to train on, int32; None: all.
        valid: Numbers of the rows held out, int32; None: none are.
        offset: Nats a row that the codecs' log-determinants add to reported bounds.
        labels: Node -> names of its sites, for messages.
        others: The same model with other weights to start from, trained side by side with it.
        row_weights: Of the training rows, `(rows,)`; None: all count alike.
    """

    model: Model
    objective: Objective
    store: Store
    presentation: Presentation
    offset: float
    labels: dict[str, tuple[str, ...]]
    train: np.ndarray | None = None
    valid: np.ndarray | None = None
    others: tuple[Model, ...] = ()
    row_weights: np.ndarray | None = None

    @property
    def rows(self) -> int:
        """Number of training rows."""
        return len(next(iter(self.store.values.values())) if self.train is None else self.train)

    def order(self, seed: int, turn: int, batch_size: int, passes: int) -> np.ndarray:
        """Return row numbers `(steps, batch_size)` of one or several passes, int32."""
        order = shuffled(seed, turn, self.rows, batch_size, passes, self.row_weights)
        return order if self.train is None else self.train[order]


@dataclass
class Outcome:
    """A trained model and how it went."""

    model: Model
    history: list[Record]
    stopped: str  # "plan", "early" or "interrupted"
    best_epoch: int
    retraces: int
    starts: list[Record]  # the last record of each start


def train(
    task: Task,
    settings: Settings,
    report: Callable[[Record], bool | None] = lambda record: None,
    *,
    on_call: OnCall = lambda loop, arguments: None,
    call_seconds: float = CALL_SECONDS,
) -> Outcome:
    """Train until the plan is done, the held-out bound stops improving, or Ctrl-C.

    Args:
        report: Called once an epoch (a round of several when they are short) with the record for the history; what it
            returns is true to end training there, as Ctrl-C does.
        on_call: Called before each compiled call with the loop and the call's arguments, of which the first is gone
            after the call: for measuring (`loop.run.lower(*arguments)` is the program).
        call_seconds: How long one compiled call may keep Ctrl-C waiting.
    Raises:
        TrainingDiverged: steps stayed non-finite after three roll-backs.
    """
    run = Training(task, settings, on_call, call_seconds)
    with interruptible() as interrupted:
        while run.epoch < run.plan.epochs and not run.stopped:
            began = time.perf_counter()
            sums = run.round(interrupted)
            if run.lost:
                run.roll_back(sums)
                continue
            record = run.record(sums)
            run.seconds.append(time.perf_counter() - began)
            if report(record | {"seconds": run.seconds[-1]}) or interrupted.is_set():
                run.stopped = "interrupted"
    return run.outcome()


class Training:
    """One training under way: the state on the device, the last good epoch, the best weights."""

    def __init__(
        self,
        task: Task,
        settings: Settings,
        on_call: OnCall = lambda loop, arguments: None,
        call_seconds: float = CALL_SECONDS,
    ):
        self.task, self.rows = task, task.rows
        self.on_call, self.call_seconds = on_call, call_seconds
        self.plan = settings.planned(self.rows)
        weights, self.static = eqx.partition(task.model, eqx.is_inexact_array)
        dropout, planned_steps = has_dropout(task.model), self.plan.epochs * self.plan.steps
        others = [eqx.filter(model, eqx.is_inexact_array) for model in task.others]
        self.copies = 1 + len(others)
        self.loop = Loop(
            weights, self.static, task.objective, task.presentation, settings, planned_steps, dropout, self.copies
        )
        self.evaluation = None
        if task.valid is not None:
            rows = task.valid, np.arange(task.rows, dtype=np.int32) if task.train is None else task.train
            judged = task.objective.judge, task.presentation
            self.evaluation = Evaluation(self.static, weights, task.store, *rows, *judged)
        self.state = self.loop.init(weights, *others)
        self.empty = self.loop.empty_sums(task.store, self.plan.batch_size)
        self.unpacked = jax.jit(self.loop.packing.unpack)
        self.good = copied(self.state)
        self.best, self.best_copy = self.one(self.good, 0), 0
        self.key = random.key(settings.seed)
        # while an objective warms up, its loss is not the bound yet, and no epoch can be the best
        self.settled = math.ceil(task.objective.warmup * self.plan.epochs)
        self.epoch = self.best_epoch = self.rollbacks = 0
        self.best_bound, self.stopped = -math.inf, ""
        self.history, self.seconds = list[list[Record]](), list[float]()  # by round; records by copy
        self.chunk, self.order = 50, np.zeros((0, 0), np.int32)

    def one(self, tree: Any, copy: int) -> Any:
        """Return what a tree of the loop holds of one copy."""
        return tree if self.copies == 1 else picked(tree, np.int32(copy))

    @property
    def lost(self) -> bool:
        """No copy has finite steps left."""
        return int(np.asarray(self.state.bad_run).min()) >= MOST_BAD

    def round(self, interrupted: threading.Event) -> EpochSums:
        """Run an epoch, or a few short ones, in compiled calls of about a second, so that Ctrl-C need not wait."""
        plan, turn = self.plan, self.epoch + self.plan.epochs * self.rollbacks
        self.order = self.task.order(plan.settings.seed, turn, plan.batch_size, plan.passes)
        sums, start, steps = self.empty, 0, len(self.order)
        order = jax.device_put(np.pad(self.order, ((0, max(plan.longest - steps, 0)), (0, 0))))
        while start < steps and not (start and interrupted.is_set()):
            stop, called = min(start + self.chunk, steps), time.perf_counter()
            bounds = np.int32(turn), np.int32(start), np.int32(stop)
            arguments = self.state, sums, self.task.store, order, self.key, *bounds
            self.on_call(self.loop, arguments)
            self.state, sums = self.loop.run(*arguments)
            sums = jax.device_get(sums)
            if self.lost:
                break
            if self.epoch or start:  # the first call also compiles
                seconds = max(time.perf_counter() - called, 1e-6)
                self.chunk = max(1, int((stop - start) * self.call_seconds / seconds))
            start = stop
        return sums

    def roll_back(self, sums: EpochSums) -> None:
        """Return to the last good epoch at half the rate; the fourth time raise `TrainingDiverged`."""
        self.rollbacks += 1
        if self.rollbacks > MOST_ROLLBACKS:
            model = eqx.combine(self.unpacked(self.one(self.good.weights, 0)), self.static)
            index = self.order[int(self.one(sums, 0).bad_index)]
            raise diverged(model, self.task.store, index, self.task.presentation, self.key, self.task.labels)
        none = jnp.zeros_like(self.good.bad_run)
        self.state = copied(self.good)._replace(rate=self.good.rate / 2, bad_run=none)
        self.good = copied(self.state)

    def record(self, sums: EpochSums) -> Record:
        """Note a good round: history, best weights, whether to stop; return the record of the copy that is ahead."""
        plan = self.plan
        self.epoch = min(self.epoch + plan.passes, plan.epochs)
        self.good = copied(self.state)
        records = [self.measured(sums, copy) for copy in range(self.copies)]
        self.history.append(records)
        judged = "bound" if self.evaluation is None else "valid_bound"
        ahead = int(np.argmax(np.nan_to_num([r[judged] for r in records], nan=-np.inf)))
        record = records[ahead]
        if self.evaluation is None:
            self.best_copy = ahead
            return record
        if self.epoch >= self.settled and record["valid_bound"] > self.best_bound:
            self.best, self.best_copy = self.one(self.good, ahead), ahead
            self.best_bound, self.best_epoch = record["valid_bound"], self.epoch
        if plan.patience and self.epoch - max(self.best_epoch, self.settled) >= plan.patience:
            self.stopped = "early"
        return record

    def measured(self, sums: EpochSums, copy: int) -> Record:
        """Say what is known of one copy after a round."""
        state, plan, offset = self.one(self.state, copy), self.plan, self.task.offset
        record = summary(self.epoch, state, self.one(sums, copy), offset) | {"rollbacks": self.rollbacks}
        record |= {"rows": self.rows * plan.passes, "epochs": plan.epochs}
        if self.evaluation is not None:
            held_out, trained, kl, active = self.evaluation(self.unpacked(state.weights))
            record |= {"valid_bound": held_out + offset, "kl": kl, "active_units": active}
            record |= {} if math.isnan(trained) and not math.isnan(held_out) else {"train_bound": trained + offset}
        return record

    def outcome(self) -> Outcome:
        """Return the best weights, or the last ones when nothing was held out."""
        state = self.best if self.best_epoch else self.one(self.state, self.best_copy)
        model = eqx.combine(self.unpacked(state.weights), self.static)
        history = [r[self.best_copy] | {"seconds": s} for r, s in zip(self.history, self.seconds, strict=True)]
        for record in history:
            record["kept"] = record["epoch"] == (self.best_epoch or self.epoch)
        starts = self.history[-1] if self.history else []
        return Outcome(model, history, self.stopped or "plan", self.best_epoch, self.loop.traces - 1, starts)


def summary(epoch: int, state: State, sums: EpochSums, offset: float) -> Record:
    """Average over finite steps; the bound is NaN where there was none."""
    steps = max(int(sums.steps), 1)
    bound = float(sums.bound) / steps + offset if int(sums.steps) else math.nan
    record: Record = {"epoch": epoch, "step": int(state.step), "bound": bound}
    record |= {f"term_{name}": float(total) / steps for name, total in sums.terms.items()}
    record["skipped"] = int(sums.skipped)
    return record


@jax.jit
def copied(tree: Any) -> Any:
    """Copy a tree into buffers of its own."""
    return jax.tree.map(jnp.copy, tree)


@jax.jit
def picked(tree: Any, copy: Array) -> Any:
    """Pick one of several copies."""
    return jax.tree.map(lambda x: x[copy], tree)


def has_dropout(model: Model) -> bool:
    """Say whether any net of the model leaves units out while training."""
    nodes = [*model.network.nodes.values(), *model.guide.nodes.values()]
    return any(getattr(node.via, "dropout", 0) for node in nodes)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Set the event that is handed out on the first Ctrl-C; a second one interrupts as usual."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.getsignal(signal.SIGINT)

    def handler(number, frame):
        event.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, handler)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)
