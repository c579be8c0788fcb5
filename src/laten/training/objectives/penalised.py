r"""Penalties on what the latents of all rows look like together, beside any objective of rows.

$$\mathcal J = \mathcal L - \lambda\,\Omega\big(q(z)\big),\qquad q(z) = \tfrac1n\sum_i q(z\mid x_i),$$

with the rows of a batch for the aggregate posterior. The bound that is reported, and what held-out rows are judged by,
stay as they are. A penalty looks at the latents that are numbers and that no row shows.
"""

import abc
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import DeclarationError
from laten.common.types import Array, Key, Masks, Values
from laten.families.normal import NormalSites
from laten.families.same_density import has_density_of
from laten.network.model import Model
from laten.network.sampling import Discrete, Sampling
from laten.training.objectives.around import Weighted
from laten.training.objectives.objective import Batch, Estimate, Share, over_rows


@dataclass(frozen=True)
class Penalised(Weighted):
    """An objective of rows and a penalty; heirs say which.

    Args:
        of_rows: Such as `lt.Elbo()`, or another penalty.
        weight: λ.
    Raises:
        DeclarationError: when it is asked, a batch of one row.
    """

    @abc.abstractmethod
    def penalty(self, model: Model, batch: Batch, key: Key, dropout: bool) -> Array:
        """Return what is added to the loss, a scalar.

        Raises:
            DeclarationError: the model has no latents of the kind that the penalty is defined for.
        """

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        if len(next(iter(batch.values.values()))) < 2:
            raise DeclarationError(
                f"{type(self).__name__} compares the rows of a batch, and a batch has one row; use a larger batch_size"
            )
        found = self.of_rows(model, batch, key, progress, dropout)
        return found._replace(loss=found.loss + self.penalty(model, batch, key, dropout))


def numbers_of(model: Model, batch: Batch, name: str) -> tuple[str, ...]:
    """Return the latents that are numbers and that no row of the batch shows.

    Args:
        name: Of the penalty, for messages.
    Raises:
        DeclarationError: there is none, or the guide gives it a class that is drawn.
    """
    found = tuple(n for n in model.latents if n not in model.discrete and n not in batch.values)
    if not found:
        raise DeclarationError(f"{name}: there is no latent of numbers, such as lt.Normal(10); use lt.Elbo()")
    for latent in found:
        for parent in model.guide.stochastic_parents(latent):
            if parent in model.discrete and (parent not in batch.values or parent in batch.masks):
                raise DeclarationError(
                    f"{name}: the guide's {latent!r} is given {parent!r}, a class that is drawn, through which no "
                    f"gradient passes; use lt.Elbo(), or a guide of {latent!r} that sees evidence alone"
                )
    return found


def normals_of(model: Model, batch: Batch, name: str) -> tuple[str, ...]:
    """Return the latents of `numbers_of`, each normal with independent sites given the row.

    Raises:
        DeclarationError: one is not, or its guide looks at other latents.
    """
    found = numbers_of(model, batch, name)
    for latent in found:
        family, looked = model.guide.nodes[latent].family, model.guide.stochastic_parents(latent)
        if not has_density_of(family, NormalSites):  # type: ignore[type-abstract]
            raise DeclarationError(
                f"{name} needs sites that are normal and independent given the row, but the guide's {latent!r} is "
                f"{family!r}; use lt.Normal({family.n_sites}) in the guide, or lt.Mmd, which compares draws"
            )
        others = [p for p in looked if p in model.latents]
        if others:
            raise DeclarationError(
                f"{name} compares rows by q({latent} | row), but the guide's {latent!r} looks at {others[0]!r}; "
                "use lt.Mmd, which compares draws"
            )
    return found


def drawn(
    model: Model, batch: Batch, key: Key, dropout: bool, names: tuple[str, ...]
) -> tuple[Array, dict[str, Array]]:
    """Return draws of the latents of each row, `(rows, sites)` side by side, and their raw parameters by node.

    They are those of `lt.Elbo()`, which the compiler then makes once.
    """

    def one(k: Key, net_key: Key | None, values: Values, masks: Masks) -> tuple[Array, dict[str, Array]]:
        draw = model.draw(k, values, masks, net_key=net_key, sampling=Sampling(Discrete.SAMPLED))
        return side_by_side([draw.values[n] for n in names]), {n: draw.q_raw[n] for n in names}

    return over_rows(one, batch, key, dropout)


def parameters(model: Model, names: tuple[str, ...], raw: dict[str, Array]) -> tuple[Array, Array]:
    """Return means and log standard deviations of normal latents, each `(rows, sites)`."""

    def one(raw: dict[str, Array]) -> tuple[Array, Array]:
        found = [model.q[n].distribution.parameters(raw[n]) for n in names]  # type: ignore[attr-defined]
        return side_by_side([loc for loc, _ in found]), side_by_side([log_sd for _, log_sd in found])

    return jax.vmap(one)(raw)


def side_by_side(values: list[Array]) -> Array:
    """Return the sites of several nodes as one vector."""
    return jnp.concatenate([jnp.ravel(x) for x in values])


def from_prior(model: Model, batch: Batch, key: Key, names: tuple[str, ...]) -> Array:
    """Return a draw of the latents from the network for each row, `(rows, sites)`, given what the row shows."""

    def one(k: Key, net_key: Key | None, values: Values, masks: Masks) -> Array:
        above = {n: v for n, v in values.items() if n not in masks}
        full = model.network.sample(model.conditionals, random.stream(k, "prior"), above)
        return side_by_side([full[n] for n in names])

    return jax.lax.stop_gradient(over_rows(one, batch, key, False))
