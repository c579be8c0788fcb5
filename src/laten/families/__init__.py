"""The families: what a variable may be, one file each, and the pieces that several of them share.

A family knows one node's values and nothing of networks, nets, tables or training; it imports from `common` alone.
`FAMILIES` is the one table of them, all that are imported here: model files find a class by its name there.
"""

from laten.families.base import Family as Family
from laten.families.base import Node as Node
from laten.families.bernoulli import Bernoulli as Bernoulli
from laten.families.binned import Binned as Binned
from laten.families.categorical import Categorical as Categorical
from laten.families.committed import Committed as Committed
from laten.families.counts import NegativeBinomial as NegativeBinomial
from laten.families.counts import Poisson as Poisson
from laten.families.deterministic import Deterministic as Deterministic
from laten.families.discretized import DiscretizedLogistic as DiscretizedLogistic
from laten.families.full_normal import FullNormal as FullNormal
from laten.families.given import Given as Given
from laten.families.informative import Informative as Informative
from laten.families.laplace import Laplace as Laplace
from laten.families.log_normal import LogNormal as LogNormal
from laten.families.logit_normal import LogitNormal as LogitNormal
from laten.families.mixture import Mixture as Mixture
from laten.families.normal import Normal as Normal
from laten.families.normal_mixture import NormalMixture as NormalMixture
from laten.families.ordinal import Ordinal as Ordinal
from laten.families.quantised import Nearest as Nearest
from laten.families.quantised import Quantised as Quantised
from laten.families.relative import Combined as Combined
from laten.families.relative import Relative as Relative
from laten.families.sphere import Sphere as Sphere
from laten.families.sphere import VonMisesFisher as VonMisesFisher
from laten.families.student_t import StudentT as StudentT
from laten.families.transformed import Transformed as Transformed
from laten.families.vamp import Vamp as Vamp
from laten.families.zero_inflated import ZeroInflated as ZeroInflated

FAMILIES: dict[str, type[Family]] = {
    name: found
    for name, found in sorted(globals().items())
    if isinstance(found, type) and issubclass(found, Family) and found is not Family
}
