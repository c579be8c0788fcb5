"""Draw pictures by matplotlib: each function draws what `contents/` computed, or the fields of a result.

Nothing is computed here, and no result class is imported: results import their picture, when it is asked for.
"""

from laten.plots.audit import plot_audit
from laten.plots.model import plot_history, plot_latents, plot_manifold, plot_reconstructions, plot_samples
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
