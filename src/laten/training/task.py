"""What is trained, a model and its rows; and what comes out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from laten.data.rows.presentation import Presentation, Store
from laten.network.model import Model
from laten.training.devices import shared_out
from laten.training.loop import shuffled
from laten.training.objectives import Objective
from laten.training.settings import Plan
from laten.training.windows import Window, Windows

Record = dict[str, Any]


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
        windows: The rows to train on, where they lie on the disk; `store` then has those held out, and some of these.
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
    windows: Windows | None = None

    @property
    def rows(self) -> int:
        """Number of training rows."""
        if self.windows is not None:
            return self.windows.rows
        return len(next(iter(self.store.values.values())) if self.train is None else self.train)

    def order(self, seed: int, turn: int, batch_size: int, passes: int) -> np.ndarray:
        """Return row numbers `(steps, batch_size)` of one or several passes, int32."""
        order = shuffled(seed, turn, self.rows, batch_size, passes, self.row_weights)
        return order if self.train is None else self.train[order]

    def round(self, seed: int, turn: int, plan: Plan, start: int, mesh: Mesh | None = None) -> Iterator[Window]:
        """Go through the windows of a round: one, where all rows lie on the device.

        Args:
            turn: Number of its first pass.
            start: Steps of it that are made already.
            mesh: The devices that share the rows of a batch.
        """
        if self.windows is not None:
            yield from self.windows.round(seed, turn, plan.passes, plan.batch_size, start, mesh)
            return
        numbers = self.order(seed, turn, plan.batch_size, plan.passes)
        order = np.pad(numbers, ((0, max(plan.longest - len(numbers), 0)), (0, 0)))
        yield Window(self.store, shared_out(order, mesh), numbers, turn, 0)

    def failed(self, seed: int, plan: Plan, window: Window, step: int) -> tuple[Store, Any]:
        """Return rows, and which of them are the batch of a step of a window."""
        store, numbers = self.store, window.numbers
        if self.windows is not None:  # this process may have some of them alone
            store, numbers = self.windows.whole(seed, window.turn, plan.batch_size)
        return store, numbers[min(step, len(numbers) - 1)]

    def handed_over(self, plan: Plan, mesh: Mesh | None = None) -> tuple[Store, Any]:
        """Return a store and an order of the shapes and types that the loop is called with."""
        if self.windows is not None:
            return self.windows.like(plan.batch_size, mesh)
        steps = max(plan.longest, plan.steps * plan.passes)
        return self.store, jax.ShapeDtypeStruct((steps, plan.batch_size), np.int32)

    @property
    def dropout(self) -> bool:
        """Whether any net of the model leaves units out while training."""
        nodes = [*self.model.network.nodes.values(), *self.model.guide.nodes.values()]
        return any(getattr(node.via, "dropout", 0) for node in nodes)


@dataclass
class Outcome:
    """A trained model and how it went."""

    model: Model
    history: list[Record]
    stopped: str  # "plan", "early", "interrupted" or "terminated"
    best_epoch: int
    retraces: int
    starts: list[Record]  # the last record of each start
