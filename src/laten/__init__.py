"""Variational autoencoders seen as Bayesian networks.

    import laten as lt

    vae = lt.VAE().fit(df)

Names are imported when first used (PEP 562), so that `import laten` itself costs nothing and `laten --help` does not
wait for JAX. `docs/decisions.md` says why.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from laten import templates
    from laten.classical.discrete import DiscreteNetwork, read_bif
    from laten.classical.explain import explain
    from laten.data import datasets
    from laten.data.evidence import between
    from laten.data.impose import read_schema
    from laten.data.infer import infer_schema
    from laten.data.read import read
    from laten.data.schema import Schema
    from laten.errors import DataError, DeclarationError, LatenError, LatenWarning, ModelFileError, TrainingDiverged
    from laten.estimator import VAE, load
    from laten.families import (
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
    from laten.guides import guide_for
    from laten.imputer import Imputer
    from laten.lookup import Table
    from laten.measures.judge import quality
    from laten.model import Model
    from laten.nets import MLP, Linear, ResMLP
    from laten.network import Network
    from laten.objectives import Cubo, Elbo, Iwae, MonteCarloEm, Renyi, ReweightedWakeSleep, WakeSleep

# Module -> the public names found in it.
_NAMES = {
    "laten.classical.discrete": ("DiscreteNetwork", "read_bif"),
    "laten.classical.explain": ("explain",),
    "laten.data.impose": ("read_schema",),
    "laten.data.evidence": ("between",),
    "laten.data.infer": ("infer_schema",),
    "laten.data.read": ("read",),
    "laten.data.schema": ("Schema",),
    "laten.errors": (
        "DataError",
        "DeclarationError",
        "LatenError",
        "LatenWarning",
        "ModelFileError",
        "TrainingDiverged",
    ),
    "laten.estimator": ("VAE", "load"),
    "laten.families": (
        "Bernoulli",
        "Binned",
        "Categorical",
        "Deterministic",
        "DiscretizedLogistic",
        "Informative",
        "LogNormal",
        "Mixture",
        "NegativeBinomial",
        "Normal",
        "NormalMixture",
        "Ordinal",
        "Poisson",
        "StudentT",
    ),
    "laten.guides": ("guide_for",),
    "laten.imputer": ("Imputer",),
    "laten.lookup": ("Table",),
    "laten.measures.judge": ("quality",),
    "laten.model": ("Model",),
    "laten.nets": ("MLP", "Linear", "ResMLP"),
    "laten.network": ("Network",),
    "laten.objectives": ("Cubo", "Elbo", "Iwae", "MonteCarloEm", "Renyi", "ReweightedWakeSleep", "WakeSleep"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}
_MODULES = {"datasets": "laten.data.datasets", "templates": "laten.templates"}  # public names that are modules

__all__ = [
    "MLP",
    "VAE",
    "Bernoulli",
    "Binned",
    "Categorical",
    "Cubo",
    "DataError",
    "DeclarationError",
    "Deterministic",
    "DiscreteNetwork",
    "DiscretizedLogistic",
    "Elbo",
    "Imputer",
    "Informative",
    "Iwae",
    "LatenError",
    "LatenWarning",
    "Linear",
    "LogNormal",
    "Mixture",
    "Model",
    "ModelFileError",
    "MonteCarloEm",
    "NegativeBinomial",
    "Network",
    "Normal",
    "NormalMixture",
    "Ordinal",
    "Poisson",
    "Renyi",
    "ResMLP",
    "ReweightedWakeSleep",
    "Schema",
    "StudentT",
    "Table",
    "TrainingDiverged",
    "WakeSleep",
    "between",
    "datasets",
    "explain",
    "guide_for",
    "infer_schema",
    "load",
    "quality",
    "read",
    "read_bif",
    "read_schema",
    "templates",
]


def __getattr__(name: str) -> Any:
    """Imports a public name from its home on first use."""
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(_MODULES[name])
    else:
        raise AttributeError(f"module 'laten' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *__all__})
