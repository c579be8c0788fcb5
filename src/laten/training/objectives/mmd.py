r"""InfoVAE: the latents of all rows are drawn near the prior by maximum mean discrepancy (Zhao et al. 2019).

$$\mathrm{MMD}^2 = \mathbb E\,k(z, z') - 2\,\mathbb E\,k(z, u) + \mathbb E\,k(u, u'),\qquad z\sim q(z),\ u\sim p(z),$$

without pairs of a draw with itself, so that the estimate has no bias. The kernel is a sum of inverse multiquadratics,
$k(a, b) = \sum_c c\,D/(c\,D + \lVert a - b\rVert^2)$ in D dimensions (Tolstikhin et al. 2018), wide and narrow ones.
Draws of the prior carry no gradient: the network learns its prior from the bound alone.
"""

from dataclasses import dataclass

import jax.numpy as jnp

from laten.common.types import Array, Key
from laten.network.model import Model
from laten.training.objectives.objective import Batch
from laten.training.objectives.penalised import Penalised, drawn, from_prior, numbers_of

WIDTHS = (0.2, 0.4, 1.0, 2.0, 4.0, 10.0, 20.0)  # c


@dataclass(frozen=True)
class Mmd(Penalised):
    """An objective of rows, and latents that are distributed as the prior (InfoVAE).

    With `lt.Elbo(beta=1 - alpha)` it is the InfoVAE of that α; `lt.Elbo(beta=0.0)` is its MMD-VAE.

    Args:
        of_rows: Such as `lt.Elbo()`.
        weight: Of the squared discrepancy, which lies between 0 and about 7.
    Raises:
        DeclarationError: an objective that is none, or a weight that is no number of at least 0.
    """

    weight: float = 100.0

    def penalty(self, model: Model, batch: Batch, key: Key, dropout: bool) -> Array:
        names = numbers_of(model, batch, "Mmd")
        z, _ = drawn(model, batch, key, dropout, names)
        return self.weight * discrepancy(z, from_prior(model, batch, key, names))


def discrepancy(z: Array, u: Array) -> Array:
    """Estimate the squared maximum mean discrepancy of two samples, each `(rows, sites)`."""
    n = len(z)
    within = kernel(z, z) + kernel(u, u)
    own = (jnp.sum(within) - jnp.sum(jnp.diag(within))) / (n * (n - 1))
    return own - 2 * jnp.mean(kernel(z, u))


def kernel(a: Array, b: Array) -> Array:
    """Return the kernel of each pair, `(rows, rows)`."""
    far = jnp.sum(jnp.square(a[:, None] - b[None]), axis=2)
    scales = [c * a.shape[1] for c in WIDTHS]
    return sum((c / (c + far) for c in scales), jnp.zeros_like(far))
