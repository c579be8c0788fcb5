r"""DIP-VAE: the covariance of the latents over all rows is held near the identity (Kumar et al. 2018).

$$\Omega = \lambda\sum_{d\ne e} C_{de}^2 + \lambda_0\sum_d (C_{dd} - 1)^2,$$

with C the covariance of the posterior means (DIP-VAE I), or of draws, $\mathrm{Cov}[\mu(x)] + \mathbb E[\Sigma(x)]$
(DIP-VAE II), over the rows of a batch.
"""

from dataclasses import dataclass

import jax.numpy as jnp

from laten.common.errors import DeclarationError, number
from laten.common.types import Array, Key
from laten.network.model import Model
from laten.training.objectives.objective import Batch
from laten.training.objectives.penalised import Penalised, drawn, normals_of, parameters


@dataclass(frozen=True)
class Dip(Penalised):
    """An objective of rows, and latents whose covariance over all rows is near the identity (DIP-VAE).

    Args:
        of_rows: Such as `lt.Elbo()`.
        weight: λ, of squares off the diagonal.
        diagonal: λ0, of squares on it.
        of: `"means"`: of the posterior (DIP-VAE I), or `"draws"` (II).
    Raises:
        DeclarationError: an objective that is none, a weight below 0, or another `of`.
    """

    weight: float = 10.0
    diagonal: float = 10.0
    of: str = "draws"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (number(self.diagonal) and self.diagonal >= 0):
            raise DeclarationError(f"Dip: diagonal must be finite and at least 0, not {self.diagonal!r}")
        if self.of not in ("means", "draws"):
            raise DeclarationError(f"Dip: of must be 'means' or 'draws', not {self.of!r}")

    def penalty(self, model: Model, batch: Batch, key: Key, dropout: bool) -> Array:
        names = normals_of(model, batch, "Dip")
        loc, log_sd = parameters(model, names, drawn(model, batch, key, dropout, names)[1])
        centred = loc - jnp.mean(loc, axis=0, keepdims=True)
        covariance = centred.T @ centred / len(loc)
        if self.of == "draws":
            covariance += jnp.diag(jnp.mean(jnp.exp(2 * log_sd), axis=0))
        own = jnp.diag(covariance)
        others = jnp.sum(jnp.square(covariance)) - jnp.sum(jnp.square(own))
        return self.weight * others + self.diagonal * jnp.sum(jnp.square(own - 1))
