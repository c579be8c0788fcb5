r"""A mixture of normals over a whole vector: a prior that is learned.

$$\log p(z) = \log\sum_{k=1}^K w_k \prod_d \mathcal N(z_d;\, m_{kd}, s_{kd}^2),\qquad w = \mathrm{softmax}(l),$$

with $\log s$ smoothly bounded to $\pm 3$. The aggregate posterior of a table has clusters and edges; a prior that
follows them leaves no holes between, from which samples would be wrong (Tomczak & Welling 2018). Coordinates are
not independent: the log-density belongs to the vector, and is spread evenly over its sites so that their sum is right.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.numerics import bound, unbound
from laten.common.types import Array
from laten.families.column_moments import moments, observed
from laten.families.of_normals import OfNormals
from laten.families.sizes import as_count

SPREAD = 3.0


@dataclass(frozen=True, repr=False)
class NormalMixture(OfNormals):
    """A vector from one of `k` diagonal normals.

    Args:
        size: Length of the vector, or a shape.
        k: Number of components.
    Raises:
        DeclarationError: a size or `k` that is no whole number of at least 1.
    """

    k: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "k", as_count(self.k, "NormalMixture", "k", least=1))

    @property
    def n_raw(self) -> int:
        return self.k * (1 + 2 * self.n_sites)

    @property
    def moves(self) -> bool:
        return True

    def parameters(self, raw: Array) -> tuple[Array, Array, Array]:
        """Return log-weights `(k,)`, means and log-scales `(k, sites)`."""
        n = self.k * self.n_sites
        logits, means, log_scales = jnp.split(raw, [self.k, self.k + n])  # not cut: see `scale.location_scale`
        means, log_scales = (x.reshape(self.k, self.n_sites) for x in (means, log_scales))
        return jax.nn.log_softmax(logits), means, bound(log_scales, SPREAD)

    def fresh_raw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw means from the standard normal, `(n_raw,)`: components that start equal stay so."""
        means = rng.standard_normal((self.k, self.n_sites))
        return np.concatenate([np.zeros(self.k), means.ravel(), np.zeros(means.size)]).astype(np.float32)

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Put components at rows spread over the data, as wide as the columns: a start `(n_raw,)`, not a fit."""
        _, mean, sd = moments(values, mask)
        centre, scale = np.ravel(mean), np.maximum(np.ravel(sd), 1e-3)
        rows = np.asarray(values, np.float64).reshape(-1, self.n_sites)
        rows = rows[observed(values, mask).reshape(rows.shape).all(axis=1)]
        places = np.linspace(0, len(rows) - 1, self.k).astype(int)
        rows = rows[places] if len(rows) else np.tile(centre, (self.k, 1))
        means = centre + 0.7 * (rows - centre)  # means and scales together have the data's variance
        log_scales = np.broadcast_to(np.log(0.7 * scale), means.shape)
        start = unbound(np.clip(log_scales, -0.99 * SPREAD, 0.99 * SPREAD), SPREAD)
        return np.concatenate([np.zeros(self.k), means.ravel(), np.ravel(start)]).astype(np.float32)
