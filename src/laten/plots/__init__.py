"""Draw pictures by matplotlib: each function draws what `contents/` computed, or the fields of a result.

Nothing is computed here, and no result class is imported: results import their picture, when it is asked for.
"""

from laten.plots.audit import plot_audit as plot_audit
from laten.plots.model import plot_history as plot_history
from laten.plots.model import plot_latents as plot_latents
from laten.plots.model import plot_manifold as plot_manifold
from laten.plots.model import plot_reconstructions as plot_reconstructions
from laten.plots.model import plot_samples as plot_samples
from laten.plots.quality import plot_quality as plot_quality
from laten.plots.traversal import plot_traversal as plot_traversal
