"""The arrays behind every picture, computed from a fitted `VAE`; plots draw them and compute nothing.

No matplotlib here.
"""

from laten.plots.contents.columns import Agreement, Colour, Marginal
from laten.plots.contents.model import (
    FittedModel,
    History,
    LatentMap,
    Manifold,
    Reconstructions,
    Samples,
    history,
    latent_map,
    manifold,
    reconstructions,
    samples,
)

__all__ = [
    "Agreement",
    "Colour",
    "FittedModel",
    "History",
    "LatentMap",
    "Manifold",
    "Marginal",
    "Reconstructions",
    "Samples",
    "history",
    "latent_map",
    "manifold",
    "reconstructions",
    "samples",
]
