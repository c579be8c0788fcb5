"""What a variable may be. `FAMILIES` finds a family's class by the name that a saved file holds."""

from laten.families.base import Family
from laten.families.bernoulli import Bernoulli
from laten.families.categorical import Categorical
from laten.families.counts import NegativeBinomial, Poisson
from laten.families.deterministic import Deterministic
from laten.families.discretized import DiscretizedLogistic
from laten.families.lognormal import LogNormal
from laten.families.mixture import Mixture
from laten.families.node import Node
from laten.families.normal import Normal
from laten.families.ordinal import Ordinal
from laten.families.student import StudentT

FAMILIES: dict[str, type[Family]] = {
    family.__name__: family
    for family in (
        Bernoulli,
        Categorical,
        Deterministic,
        DiscretizedLogistic,
        LogNormal,
        Mixture,
        NegativeBinomial,
        Normal,
        Ordinal,
        Poisson,
        StudentT,
    )
}

__all__ = [
    "FAMILIES",
    "Bernoulli",
    "Categorical",
    "Deterministic",
    "DiscretizedLogistic",
    "Family",
    "LogNormal",
    "Mixture",
    "NegativeBinomial",
    "Node",
    "Normal",
    "Ordinal",
    "Poisson",
    "StudentT",
]
