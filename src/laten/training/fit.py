r"""The epochs around the compiled loop: validation, early stopping, best weights, roll-backs, progress, Ctrl-C.

Once an epoch a few numbers come up from the device. The weights with the best held-out bound are kept. A run of steps that are not finite rolls back to
the last good epoch at half the learning rate; after three roll-backs training gives up and names the node and the column.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.data.batches import Presentation, Store
from laten.model import Model
from laten.objectives import Objective
from laten.training.blame import diverged
from laten.training.evaluate import Evaluation
from laten.training.loop import MOST_BAD, Loop, State, shuffled
from laten.training.settings import Settings

MOST_ROLLBACKS = 3
CHUNK_SECONDS = 1.0  # how long one compiled call may keep Ctrl-C waiting

Record = dict[str, Any]


class Task(NamedTuple):
    """What is trained on what.

    Args:
        offset: Nats a row that the codecs' log-determinants add to reported bounds.
        labels: Node -> names of its sites, for messages.
    """

    model: Model
    objective: Objective
    train: Store
    valid: Store | None
    how: Presentation
    offset: float
    labels: dict[str, tuple[str, ...]]


@dataclass
class Outcome:
    """A trained model and how it went."""

    model: Model
    history: list[Record] = field(default_factory=list)
    stopped: str = "plan"  # "plan", "early" or "interrupted"
    best_epoch: int = 0
    retraces: int = 0


def n_rows(store: Store) -> int:
    return len(next(iter(store.values.values())))


def train(task: Task, settings: Settings, report: Callable[[Record], None] = lambda record: None) -> Outcome:
    """Trains until the plan is done, the held-out bound stops improving, or Ctrl-C.

    Args:
        report: Called once an epoch with the record that goes into the history.
    Raises:
        TrainingDiverged: steps stayed non-finite after three roll-backs.
    """
    rows = n_rows(task.train)
    settings = settings.planned(rows)
    steps = rows // settings.batch_size
    weights, static = eqx.partition(task.model, eqx.is_inexact_array)
    weights = jax.tree.map(jnp.array, weights)  # the loop donates its state; the caller's model stays
    loop = Loop(static, task.objective, task.how, settings, settings.epochs * steps, has_dropout(task.model))
    evaluation = Evaluation(static, task.objective, task.how)
    state = loop.init(weights)
    good, best, best_bound = copied(state), copied(state.weights), -np.inf
    outcome = Outcome(task.model)
    key = jax.random.key(settings.seed)
    settled = math.ceil(getattr(task.objective, "warmup", 0.0) * settings.epochs)  # before, the loss is not yet the bound
    epoch, rollbacks, chunk = 0, 0, min(steps, 50)

    with interruptible() as interrupted:
        while epoch < settings.epochs:
            began = time.perf_counter()
            turn = epoch + settings.epochs * rollbacks
            order = shuffled(settings.seed, turn, rows, settings.batch_size)
            tallies, start = [], 0
            while start < steps and not interrupted.is_set():
                stop = min(start + chunk, steps)
                called = time.perf_counter()
                state, tally = loop.run(state, task.train, order, key, np.int32(turn), np.int32(start), np.int32(stop))
                tallies.append(jax.device_get(tally))
                if tallies[-1].bad_run >= MOST_BAD:
                    break
                if epoch or start:  # the first call also compiles
                    chunk = next_chunk(stop - start, time.perf_counter() - called, steps)
                start = stop
            if tallies and tallies[-1].bad_run >= MOST_BAD:
                rollbacks += 1
                if rollbacks > MOST_ROLLBACKS:
                    index = order[(int(tallies[-1].bad_step) - int(good.step)) % steps]
                    weights = good.weights
                    raise diverged(eqx.combine(weights, static), task.train, index, task.how, key, task.labels)
                state = copied(good)._replace(rate=good.rate / 2)
                good = copied(state)
                continue
            epoch += 1
            good = copied(state)
            record = summary(epoch, state, tallies, task.offset, settings, rollbacks)
            if task.valid is not None:
                bound, kl, active = evaluation(state.weights, task.valid)
                record |= {"valid_bound": bound + task.offset, "kl": kl, "active_units": active}
            score = record.get("valid_bound", record["bound"])
            record |= {"rows": rows, "epochs": settings.epochs, "seconds": time.perf_counter() - began}
            if epoch >= settled and score > best_bound:
                best, best_bound, outcome.best_epoch = copied(state.weights), score, epoch
            outcome.history.append(record)
            report(record)
            if interrupted.is_set():
                outcome.stopped = "interrupted"
                break
            waited = epoch - max(outcome.best_epoch, settled)
            if task.valid is not None and settings.patience and waited >= settings.patience:
                outcome.stopped = "early"
                break
    kept = best if task.valid is not None and outcome.best_epoch else state.weights
    outcome.model = eqx.combine(kept, static)
    outcome.retraces = loop.traces - 1
    return outcome


def summary(epoch: int, state: State, tallies: list, offset: float, settings: Settings, rollbacks: int) -> Record:
    """Means over an epoch's finite steps."""
    steps = max(sum(int(t.steps) for t in tallies), 1)
    record = {"epoch": epoch, "step": int(state.step), "bound": sum(float(t.bound) for t in tallies) / steps + offset}
    for name in tallies[0].terms if tallies else ():
        record[f"term_{name}"] = sum(float(t.terms[name]) for t in tallies) / steps
    record["skipped"] = sum(int(t.skipped) for t in tallies)
    record["rollbacks"] = rollbacks
    return record


def next_chunk(done: int, seconds: float, steps: int) -> int:
    """Steps that fit into one call."""
    return max(1, min(steps, int(done * CHUNK_SECONDS / max(seconds, 1e-6))))


@jax.jit
def copied(tree):
    return jax.tree.map(jnp.copy, tree)


def has_dropout(model: Model) -> bool:
    """Whether any net of the model leaves units out while training."""
    nodes = [*model.network.nodes.values(), *model.guide.nodes.values()]
    return any(getattr(node.via, "dropout", 0) for node in nodes)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """While open, a first Ctrl-C sets the event that is handed out; a second one interrupts as usual."""
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
