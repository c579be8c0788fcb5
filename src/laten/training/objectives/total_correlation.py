r"""Total correlation of the latents: how far they are from independent of one another, over all rows.

$$\mathrm{TC} = \mathrm{KL}\Big(q(z)\,\Big\Vert\,\prod_d q(z_d)\Big),\qquad
\log q(z_i)\approx\log\frac1M\sum_{j=1}^M q(z_i\mid x_j)$$

over the rows of a batch: the minibatch-weighted estimate of Chen et al. (2018, "Isolating sources of disentanglement"),
except for a constant that has no gradient. With weight $\beta - 1$ beside the ELBO it is their β-TCVAE.
"""

from dataclasses import dataclass

import jax.numpy as jnp

from laten.common.numerics import LOG_2PI, log_mean_exp
from laten.common.types import Array, Key
from laten.network.model import Model
from laten.training.objectives.objective import Batch
from laten.training.objectives.penalised import Penalised, drawn, normals_of, parameters


@dataclass(frozen=True)
class TotalCorrelation(Penalised):
    """An objective of rows, less what the latents tell about one another (β-TCVAE: weight β - 1).

    Args:
        of_rows: Such as `lt.Elbo()`.
        weight: Of the total correlation, which is in nats.
    Raises:
        DeclarationError: an objective that is none, or a weight that is no number of at least 0.
    """

    weight: float = 5.0

    def penalty(self, model: Model, batch: Batch, key: Key, dropout: bool) -> Array:
        names = normals_of(model, batch, "TotalCorrelation")
        z, raw = drawn(model, batch, key, dropout, names)
        return self.weight * total_correlation(z, *parameters(model, names, raw))


def total_correlation(z: Array, loc: Array, log_sd: Array) -> Array:
    """Estimate the total correlation of the mean of normals, in nats.

    Args:
        z: `(rows, sites)`, a draw of each.
        loc, log_sd: `(rows, sites)` of the normals.
    """
    white = (z[:, None] - loc[None]) * jnp.exp(-log_sd)[None]
    log_q = -0.5 * jnp.square(white) - log_sd[None] - 0.5 * LOG_2PI  # (draws, rows, sites)
    joint = log_mean_exp(jnp.sum(log_q, axis=2), axis=1)
    return jnp.mean(joint - jnp.sum(log_mean_exp(log_q, axis=1), axis=1))
