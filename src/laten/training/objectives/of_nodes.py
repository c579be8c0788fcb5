"""An objective of a few nodes: all other weights stay as they are, bit for bit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from laten.common.numerics import stopped
from laten.common.types import Key
from laten.network.conditional import Conditional
from laten.network.model import Model
from laten.training.objectives.around import Around
from laten.training.objectives.objective import Batch, Estimate, Share


@dataclass(frozen=True)
class OfNodes(Around):
    """An objective whose gradient reaches the weights of some nodes of the network alone.

    Args:
        of_rows: Such as `lt.Elbo()`.
        nodes: Whose weights learn.
    """

    nodes: tuple[str, ...]

    @property
    def by_row(self) -> bool:
        return self.of_rows.by_row

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        held: Mapping[str, Conditional] = stopped(model.p)
        p = {n: weights if n in self.nodes else held[n] for n, weights in model.p.items()}
        return self.of_rows(replace(model, p=p, q=stopped(model.q)), batch, key, progress, False)
