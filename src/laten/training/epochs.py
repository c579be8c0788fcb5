r"""The epochs around the compiled loop: validation, early stopping, best weights, roll-backs, progress, Ctrl-C.

Once an epoch a few numbers come up from the device. The weights with the best held-out bound are kept. A run of steps
that are not finite rolls back to the last good epoch at half the learning rate; after three roll-backs training gives
up and names the node and the column.

With several starts the best weights are those of the best one; training goes on while any improves on the best so far.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from signal import Signals
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from laten.common import random
from laten.common.errors import DataError, TrainingDiverged
from laten.training.checkpoints import Checkpoints, Snapshot, begun
from laten.training.cluster import at_work, waiting
from laten.training.device_bytes import from_bytes, to_bytes
from laten.training.devices import alone, everywhere, mesh_of, shapes_on, size
from laten.training.divergence import diverged
from laten.training.fingerprint import fingerprint
from laten.training.interrupts import CTRL_C, Interruption, interruptible, settled
from laten.training.loop import MOST_BAD, EpochSums, Loop, summary
from laten.training.settings import Settings
from laten.training.step import copied, picked
from laten.training.task import Outcome, Record, Task
from laten.training.validation import Evaluation
from laten.training.windows import Window

MOST_ROLLBACKS = 3
CALL_SECONDS = 1.0
# what a training is on the host, beside what its arrays hold
ON_HOST = (
    "epoch", "best_epoch", "rollbacks", "best_bound", "best_copy", "stopped", "history", "seconds", "start",
)  # fmt: skip

OnCall = Callable[[Loop, tuple], None]
Keep = Callable[[bool], None]  # a checkpoint, if it is time for one, or now


def train(
    task: Task,
    settings: Settings,
    report: Callable[[Record], bool | None] = lambda record: None,
    *,
    on_call: OnCall = lambda loop, arguments: None,
    call_seconds: float = CALL_SECONDS,
    checkpoints: Checkpoints | None = None,
    signals: Sequence[Signals] = CTRL_C,
    devices: int | None = None,
) -> Outcome:
    """Train until the plan is done, the held-out bound stops improving, or Ctrl-C.

    Args:
        report: Called once an epoch (a round of several when they are short) with its record; true ends training there.
        on_call: Called before each compiled call with the loop and its arguments, of which the first is gone after it.
        call_seconds: How long a call may keep Ctrl-C waiting.
        checkpoints: Where the run is kept, and from where it goes on; open.
        signals: What ends training early.
        devices: How many of this process share the rows of a batch (`mesh_of`).
    Raises:
        TrainingDiverged: steps stayed non-finite after three roll-backs, or none was finite.
        DataError: the checkpoints are of another run.
    """
    run, ended, enough = Training(task, settings, on_call, call_seconds, mesh_of(devices)), False, False
    with at_work(None if checkpoints is None else checkpoints.folder), interruptible(signals) as interrupted:
        keep = run.kept_in(checkpoints)
        while run.epoch < run.plan.epochs and not run.stopped:
            began = time.perf_counter()
            sums = run.round(interrupted, keep)
            if run.lost:
                run.roll_back(sums)
                continue
            if cut := interrupted.is_set():
                keep(True)  # before a round that was cut short is taken for a whole one
            record = run.record(sums)
            run.seconds.append(time.perf_counter() - began)
            enough = bool(settled(interrupted, bool(report(record | {"seconds": run.seconds[-1]}))))
            ended = interrupted.is_set()
            if not cut:
                keep(ended or enough)  # the signal may have come after the round; who ends a run can go on with it
            if ended or enough:
                run.stopped = interrupted.way if ended else "interrupted"
    if not ended and not enough:
        keep(True)
    return run.outcome()


class Training:
    """One training under way: the state on the device, the last good epoch, the best weights."""

    def __init__(
        self,
        task: Task,
        settings: Settings,
        on_call: OnCall = lambda loop, arguments: None,
        call_seconds: float = CALL_SECONDS,
        mesh: Mesh | None = None,
    ):
        self.task = task if mesh is None else task._replace(store=everywhere(task.store, mesh))
        self.rows, self.mesh = task.rows, mesh
        self.on_call, self.call_seconds = on_call, call_seconds
        self.plan = settings.planned(self.rows, size(mesh))
        weights, self.static = eqx.partition(task.model, eqx.is_inexact_array)
        dropout, planned_steps = task.dropout, self.plan.epochs * self.plan.steps
        others = [eqx.filter(model, eqx.is_inexact_array) for model in task.others]
        self.copies = 1 + len(others)
        self.loop = Loop(
            weights, self.static, task.objective, task.presentation, settings, planned_steps, dropout, self.copies,
            mesh, task.windows is not None,
        )  # fmt: skip
        self.evaluation = None
        if task.valid is not None:
            rows = task.valid, np.arange(task.rows, dtype=np.int32) if task.train is None else task.train
            judged = task.objective.judge, task.presentation
            self.evaluation = Evaluation(self.static, weights, self.task.store, *rows, *judged, mesh)
        self.state = everywhere(self.loop.init(weights, *others), mesh)
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
        self.sums, self.start = self.empty, 0  # of the round under way, and the steps of it that are made
        self.chunk, self.window = 50, Window(task.store, np.empty((0, 0)), np.empty((0, 0)), 0, 0)

    def one(self, tree: Any, copy: int) -> Any:
        """Return what a tree of the loop holds of one copy."""
        return tree if self.copies == 1 else picked(tree, np.int32(copy))

    @property
    def lost(self) -> bool:
        """No copy has finite steps left."""
        return int(np.asarray(self.state.bad_run).min()) >= MOST_BAD

    def round(self, interrupted: Interruption, keep: Keep = lambda now: None) -> EpochSums:
        """Run an epoch, or a few short ones, in compiled calls of about a second, so that Ctrl-C need not wait.

        Args:
            keep: Called between two calls.
        """
        plan, turn = self.plan, self.epoch + self.plan.epochs * self.rollbacks
        for window in self.task.round(plan.settings.seed, turn, plan, self.start, self.mesh):
            self.window = window
            self.calls(window, plan.steps * plan.passes, interrupted, keep)
            if self.lost or interrupted.is_set():
                break
        return self.sums

    def calls(self, window: Window, every: int, interrupted: Interruption, keep: Keep) -> None:
        """Make the steps of a window, of a round of `every` steps."""
        steps = len(window.numbers)
        while self.start < window.first + steps and not (self.start and interrupted.is_set()):
            start, called = self.start - window.first, time.perf_counter()
            stop = min(start + self.chunk, steps)
            bounds = np.int32(window.turn), np.int32(start), np.int32(stop)
            arguments = self.state, self.sums, window.store, window.order, self.key, *bounds
            self.on_call(self.loop, arguments)
            with waiting("steps"):
                self.state, sums = self.loop.run(*arguments)
                self.sums = jax.device_get(sums)
            if self.lost:
                break
            if self.epoch or self.start:  # the first call also compiles
                seconds = max(time.perf_counter() - called, 1e-6)
                self.chunk = max(1, int((stop - start) * self.call_seconds / seconds))
            self.start, self.chunk = window.first + stop, settled(interrupted, self.chunk)
            if self.start < every:
                keep(False)

    def roll_back(self, sums: EpochSums) -> None:
        """Return to the last good epoch at half the rate; the fourth time raise `TrainingDiverged`."""
        self.rollbacks += 1
        if self.rollbacks > MOST_ROLLBACKS:
            raise self.diverged(int(self.one(sums, 0).bad_index))
        self.sums, self.start = self.empty, 0
        none = jnp.zeros_like(self.good.bad_run)
        self.state = copied(self.good)._replace(rate=self.good.rate / 2, bad_run=none)
        self.good = copied(self.state)

    def diverged(self, step: int, after: Literal["rollbacks", "plan"] = "rollbacks") -> TrainingDiverged:
        """Return the error that names what made this step of the last round fail."""
        model = eqx.combine(alone(self.unpacked(self.one(self.good.weights, 0)), self.mesh), self.static)
        task = self.task
        store, batch = task.failed(self.plan.settings.seed, self.plan, self.window, step)
        return diverged(model, alone(store, self.mesh), batch, task.presentation, self.key, task.labels, after)

    def record(self, sums: EpochSums) -> Record:
        """Note a good round: history, best weights, whether to stop; return the record of the copy that is ahead."""
        plan = self.plan
        self.sums, self.start = self.empty, 0
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
            with waiting("held-out rows"):
                held_out, trained, kl, active, by_node = self.evaluation(self.unpacked(state.weights))
            record |= {"valid_bound": held_out + offset, "kl": kl, "active_units": active, **by_node}
            record |= {} if math.isnan(trained) and not math.isnan(held_out) else {"train_bound": trained + offset}
        return record

    # -- keeping ------------------------------------------------------------

    def kept_in(self, checkpoints: Checkpoints | None) -> Keep:
        """Go on from the run's checkpoint, if there is one; return what keeps the run where it stands."""
        if checkpoints is None and jax.process_count() == 1:
            return lambda now: None
        task, plan = self.task, self.plan
        store, order = shapes_on(task.handed_over(plan, self.mesh), self.mesh, task.windows is not None)
        arguments = self.state, self.empty, store, order, self.key, *(np.int32(0),) * 3
        parts = {"trained on": task.train, "held out": task.valid, "weights": task.row_weights}
        program = self.loop.run.lower(*arguments).as_text()
        head = fingerprint(task.store, parts, plan.settings, self.copies, program, size(self.mesh))
        head = head if task.windows is None else task.windows.told(head, plan.batch_size)
        found = begun(checkpoints, head, task.labels)
        try:
            if found is not None:
                self.restore(found)
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{checkpoints and checkpoints.folder}: the checkpoint lacks {error}; begin anew in another folder"
            ) from None
        return lambda now: None if checkpoints is None else checkpoints.offer(self.snapshot, now)

    def snapshot(self) -> Snapshot:
        """Return all that a later process needs to go on as if there had been no break."""
        held: dict[str, Any] = {"state": self.state}
        if self.start:  # within a round; between two, the last good state is the state
            held |= {"good": self.good, "sums": self.sums}
        if self.best_epoch:
            held["best"] = self.best.weights
        return Snapshot(to_bytes(held), {name: getattr(self, name) for name in ON_HOST})

    def restore(self, kept: Snapshot) -> None:
        """Undo `snapshot`, in a training of the same task and settings that has made no step."""
        host = {name: kept.host[name] for name in ON_HOST}
        held: dict[str, Any] = {"state": self.state}
        if host["start"]:
            held |= {"good": self.good, "sums": self.empty}
        if host["best_epoch"]:
            held["best"] = self.best.weights
        held = everywhere(from_bytes(kept.arrays, held), self.mesh)
        for name, value in host.items():
            setattr(self, name, value)
        self.state, self.sums = held["state"], jax.device_get(held.get("sums", self.empty))
        self.good = held["good"] if "good" in held else copied(self.state)
        if "best" in held:
            self.best = self.best._replace(weights=held["best"])

    def outcome(self) -> Outcome:
        """Return the best weights, or the last ones when nothing was held out.

        Raises:
            TrainingDiverged: no step was finite.
        """
        if self.history and all(math.isnan(records[self.best_copy]["bound"]) for records in self.history):
            raise self.diverged(0, "plan")
        state = self.best if self.best_epoch else self.one(self.state, self.best_copy)
        model = replace(eqx.combine(alone(self.unpacked(state.weights), self.mesh), self.static), extra=None)
        history = [r[self.best_copy] | {"seconds": s} for r, s in zip(self.history, self.seconds, strict=True)]
        for record in history:
            record["kept"] = record["epoch"] == (self.best_epoch or self.epoch)
        starts = self.history[-1] if self.history else []
        return Outcome(model, history, self.stopped or "plan", self.best_epoch, self.loop.traces - 1, starts)
