r"""A schedule that repeats: what warms up does so again and again (Fu et al. 2019, "Cyclical annealing schedule").

With t the share of the steps made, the objective is told $t' = \mathrm{frac}(n\,t)$ in each of n cycles. Of
`lt.Elbo(warmup=0.5)` the weight of the KL then rises in the first half of each cycle, and stays in the second.
"""

from dataclasses import dataclass

import jax.numpy as jnp

from laten.common.errors import DeclarationError, whole
from laten.common.types import Key
from laten.network.model import Model
from laten.training.objectives.around import Around
from laten.training.objectives.objective import Batch, Estimate, Share


@dataclass(frozen=True)
class Cyclical(Around):
    """An objective whose warm-up is repeated.

    Args:
        of_rows: One that warms up, such as `lt.Elbo(warmup=0.5)`: for half of each cycle.
        cycles: How often. The last one ends with the bound itself.
    Raises:
        DeclarationError: an objective without a warm-up, or cycles that are no whole number of at least 1.
    """

    cycles: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("Cyclical: cycles", self.cycles, error=DeclarationError)
        if not self.of_rows.warmup:
            raise DeclarationError(
                f"Cyclical repeats a warm-up, and {self.of_rows!r} has none; use one such as lt.Elbo(warmup=0.5)"
            )

    @property
    def warmup(self) -> float:
        return (self.cycles - 1 + self.of_rows.warmup) / self.cycles

    @property
    def by_row(self) -> bool:
        return self.of_rows.by_row

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        turns = jnp.asarray(progress, jnp.float32) * self.cycles
        within = jnp.where(turns < self.cycles, turns - jnp.floor(turns), 1.0)
        return self.of_rows(model, batch, key, within, dropout)
