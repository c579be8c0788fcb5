"""The families: what a variable may be, one file each, and the pieces that several of them share.

A family knows one node's values and nothing of networks, nets, tables or training; it imports from `common` alone.
`FAMILIES` is the one table of them: model files find a family's class by its name there.
"""

from laten.families.base import Family, Node
from laten.families.bernoulli import Bernoulli
from laten.families.binned import Binned
from laten.families.categorical import Categorical
from laten.families.counts import NegativeBinomial, Poisson
from laten.families.deterministic import Deterministic
from laten.families.discretized import DiscretizedLogistic
from laten.families.informative import Informative
from laten.families.log_normal import LogNormal
from laten.families.mixture import Mixture
from laten.families.normal import Normal
from laten.families.normal_mixture import NormalMixture
from laten.families.ordinal import Ordinal
from laten.families.student_t import StudentT

FAMILIES: dict[str, type[Family]] = {
    family.__name__: family
    for family in (
        Bernoulli,
        Binned,
        Categorical,
        Deterministic,
        DiscretizedLogistic,
        Informative,
        LogNormal,
        Mixture,
        NegativeBinomial,
        Normal,
        NormalMixture,
        Ordinal,
        Poisson,
        StudentT,
    )
}

__all__ = [
    "FAMILIES",
    "Bernoulli",
    "Binned",
    "Categorical",
    "Deterministic",
    "DiscretizedLogistic",
    "Family",
    "Informative",
    "LogNormal",
    "Mixture",
    "NegativeBinomial",
    "Node",
    "Normal",
    "NormalMixture",
    "Ordinal",
    "Poisson",
    "StudentT",
]
