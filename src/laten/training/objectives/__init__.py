"""Objectives: what training minimises, as functions of log-weights.

An objective is `(model, batch, key, progress, dropout) -> Estimate(loss, bound, terms, kl)`. It returns the loss to
differentiate *and* the bound to report, which differ when the loss is tempered; `terms` are the bound by node. All are
means over the batch, in nats a row.
"""

from laten.training.objectives.covariance import Dip
from laten.training.objectives.cyclical import Cyclical
from laten.training.objectives.elbo import Elbo
from laten.training.objectives.factor_vae import FactorVae
from laten.training.objectives.importance_weighted import Cubo, Iwae, Renyi
from laten.training.objectives.mmd import Mmd
from laten.training.objectives.monte_carlo_em import MonteCarloEm
from laten.training.objectives.objective import Batch, Estimate, Objective, over_rows
from laten.training.objectives.penalised import Penalised
from laten.training.objectives.total_correlation import TotalCorrelation
from laten.training.objectives.wake_sleep import ReweightedWakeSleep, WakeSleep
from laten.training.objectives.weight_prior import WithWeights
from laten.training.objectives.with_labels import WithLabels

OBJECTIVES: dict[str, type] = {
    o.__name__: o
    for o in (
        Elbo, Iwae, Renyi, Cubo, WakeSleep, ReweightedWakeSleep, MonteCarloEm, WithLabels, Cyclical, TotalCorrelation,
        FactorVae, Dip, Mmd,
    )
}  # fmt: skip

__all__ = [
    "OBJECTIVES",
    "Batch",
    "Cubo",
    "Cyclical",
    "Dip",
    "Elbo",
    "Estimate",
    "FactorVae",
    "Iwae",
    "Mmd",
    "MonteCarloEm",
    "Objective",
    "Penalised",
    "Renyi",
    "ReweightedWakeSleep",
    "TotalCorrelation",
    "WakeSleep",
    "WithLabels",
    "WithWeights",
    "over_rows",
]
