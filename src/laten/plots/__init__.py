"""Pictures of a fitted `VAE` by matplotlib: each function draws what `laten.report` computed and returns a Figure."""

from laten.plots.audit import plot_audit
from laten.plots.figures import plot_history, plot_latents, plot_manifold, plot_reconstructions, plot_samples
from laten.plots.quality import plot_quality

__all__ = [
    "plot_audit",
    "plot_history",
    "plot_latents",
    "plot_manifold",
    "plot_quality",
    "plot_reconstructions",
    "plot_samples",
]
