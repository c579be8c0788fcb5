r"""What the weights themselves cost: a prior on them (maximum a posteriori), or full variational Bayes.

Both are spread over the N training rows, since an objective is a mean over rows:

$$\mathcal L_{\text{MAP}} = \mathcal L + \tfrac1N\log p(\theta),\qquad
\mathcal L_{\text{VB}} = \mathbb E_{q(\theta)}[\mathcal L] - \tfrac1N\mathrm{KL}(q(\theta)\,\Vert\,p(\theta)).$$

Held-out rows are judged by $\mathcal L$ alone.
"""

from dataclasses import dataclass

from laten.common.types import Key
from laten.network.model import Model
from laten.network.uncertain_weights import is_uncertain, kl_of_weights, minus_log_prior
from laten.training.objectives.around import Around
from laten.training.objectives.objective import Batch, Estimate, Share


@dataclass(frozen=True)
class WithWeights(Around):
    """An objective of rows, less what the weights cost: of a model with spread weights their KL, else a prior."""

    rows: int  # N

    @property
    def by_row(self) -> bool:
        return self.of_rows.by_row

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        found = self.of_rows(model, batch, key, progress, dropout)
        if not is_uncertain(model.p):  # a prior is no part of a bound of log p(x)
            return found._replace(loss=found.loss + minus_log_prior(model.p) / self.rows)
        cost = kl_of_weights(model.p) / self.rows
        terms = {**found.terms, "weights": -cost}
        return Estimate(found.loss + cost, found.bound - cost, terms, found.kl)
