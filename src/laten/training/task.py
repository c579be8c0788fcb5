"""What is trained, a model and its rows; and what comes out."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from laten.data.rows.presentation import Presentation, Store
from laten.network.model import Model
from laten.training.loop import shuffled
from laten.training.objectives import Objective

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
