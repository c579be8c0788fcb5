r"""FactorVAE: total correlation by a net that tells draws of the latents from shuffled ones (Kim & Mnih 2018).

The net learns the odds that a vector comes from $q(z)$ and not from $\prod_d q(z_d)$, of which draws are had by
shuffling each coordinate over the rows of a batch. Then

$$\mathrm{TC}\approx\mathbb E_{q(z)}[\log\text{odds}(z)].$$

Both learn in the same step: the guide sees a net that stays as it is, and the net draws that stay as they are. The net
belongs to the objective (`Objective.extra`), and is gone when training ends.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import DeclarationError, whole
from laten.common.numerics import softplus, stopped
from laten.common.types import Array, Key
from laten.network.model import Model
from laten.network.nets.layers import MLP
from laten.training.objectives.objective import Batch
from laten.training.objectives.penalised import Penalised, drawn, numbers_of

DEPTH = 2  # hidden layers of the net


@dataclass(frozen=True)
class FactorVae(Penalised):
    """An objective of rows, less what the latents tell about one another, as a net of its own learns it.

    It holds for every guide whose latents are numbers; `lt.TotalCorrelation` needs no net, where guides are normal.

    Args:
        of_rows: Such as `lt.Elbo()`.
        weight: Of the total correlation, which is in nats.
        width: Units of the net's hidden layers.
    Raises:
        DeclarationError: an objective that is none, or a number out of range.
    """

    weight: float = 10.0
    width: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("FactorVae: width", self.width, error=DeclarationError)

    def extra(self, model: Model, key: Key) -> Any:
        """Build the net, from latents `(sites,)` to log-odds `(1,)`.

        Raises:
            DeclarationError: the objective within has a net as well.
        """
        if self.of_rows.extra(model, key) is not None:
            raise DeclarationError("FactorVae: an objective keeps one net of its own; name lt.FactorVae once")
        sites = sum(model.guide.nodes[n].family.n_sites for n in model.latents if n not in model.discrete)
        return MLP(self.width, DEPTH, "leaky_relu")(sites, 1, key)

    def penalty(self, model: Model, batch: Batch, key: Key, dropout: bool) -> Array:
        names = numbers_of(model, batch, "FactorVae")
        shown = [n for n in model.latents if n in batch.values and n not in model.discrete]
        if shown:
            raise DeclarationError(f"FactorVae: some rows show the latent {shown[0]!r}; use lt.TotalCorrelation")
        z, _ = drawn(model, batch, key, dropout, names)
        own = random.stream(key if key.ndim == 0 else key[0], "shuffled")
        correlation = jnp.mean(odds(stopped(model.extra), z))
        return self.weight * correlation + told_apart(model.extra, jax.lax.stop_gradient(z), own)


def odds(net: Any, z: Array) -> Array:
    """Return the net's log-odds `(rows,)` that vectors `(rows, sites)` are draws of the latents."""
    return jax.vmap(net)(z)[:, 0]


def told_apart(net: Any, z: Array, key: Key) -> Array:
    """Return the net's cross-entropy, in nats: vectors `(rows, sites)` from those with their coordinates shuffled."""
    order = jnp.argsort(random.uniform(key, z.shape), axis=0)
    shuffled = jnp.take_along_axis(z, order, axis=0)
    return jnp.mean(softplus(-odds(net, z)) + softplus(odds(net, shuffled)))
