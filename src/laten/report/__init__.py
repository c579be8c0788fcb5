"""The arrays behind every picture, computed from a fitted `VAE`. Plots and the studio draw them and compute nothing."""

from laten.report.columns import Agreement, Colour, Marginal
from laten.report.pictures import (
    Fitted,
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
    "Fitted",
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
