r"""Normals of a guide that start from what the network says of the same node: ladders share their conditionals.

With $\mu_p, \sigma_p$ of $p(z\mid\text{parents})$, and $\mu, \sigma$ from the guide's net:

- `Relative` adds (Vahdat & Kautz 2020): $q = N(\mu_p + \sigma_p\,\mu,\ \sigma_p\,\sigma)$; a net that says nothing
  leaves the prior;
- `Combined` weighs by precisions (Sønderby et al. 2016): $q\propto N(\mu_p, \sigma_p)\,N(\mu, \sigma)$, the product
  of two experts.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from laten.common.errors import DeclarationError
from laten.common.numerics import log_scale
from laten.common.types import Array
from laten.families.base import Family
from laten.families.normal import Normal, NormalSites, normal_kl
from laten.families.same_density import has_density_of
from laten.families.sized import Sized


@dataclass(frozen=True, repr=False)
class Relative(NormalSites, Sized):
    """Independent normal sites of a guide, whose net says how far to move and to stretch what P says of the node.

    Args:
        size: Number of sites, or their shape.
    Raises:
        DeclarationError: a size that is no whole number of at least 1, or is no shape.
    """

    reparameterised: ClassVar[bool] = True
    starts_from_p: ClassVar[bool] = True
    precisions: ClassVar[bool] = False

    @property
    def n_raw(self) -> int:
        return 2 * self.n_sites

    def finish(self, raw: Array, p: Family, p_raw: Array) -> Array:
        """Return means and log standard deviations, `(n_raw,)`.

        Raises:
            DeclarationError: P's family is no `Normal`.
        """
        if not has_density_of(p, Normal):
            raise DeclarationError(f"{self!r} starts from a Normal of P, not from {p!r}; use Normal in the guide")
        (loc, log_sd), (own, own_sd) = p.parameters(p_raw), jnp.split(raw, 2)
        loc, log_sd, own_sd = jnp.ravel(loc), jnp.ravel(log_sd), self.stretch(own_sd)
        if self.precisions:
            share = jax.nn.sigmoid(2 * (log_sd - own_sd))  # of the guide's own expert
            return jnp.concatenate([loc + share * (own - loc), -0.5 * jnp.logaddexp(-2 * log_sd, -2 * own_sd)])
        return jnp.concatenate([loc + jnp.exp(log_sd) * own, log_sd + own_sd])

    def stretch(self, own: Array) -> Array:
        """Return the log standard deviation `(sites,)` of the net's own normal, in P's units."""
        return log_scale(own)

    def can_start_from(self, p: Family) -> bool:
        return has_density_of(p, Normal)

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        """Return mean and log standard deviation, each of `shape`, as `finish` left them."""
        loc, log_sd = jnp.split(raw, 2)
        return loc.reshape(self.shape), log_sd.reshape(self.shape)

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        if not has_density_of(other, Normal):
            return None
        return normal_kl(self.parameters(raw), other.parameters(other_raw))


@dataclass(frozen=True, repr=False)
class Combined(Relative):
    """Independent normal sites of a guide: the product of P's normal and of one that the net gives, by precisions.

    Args:
        size: Number of sites, or their shape.
    Raises:
        DeclarationError: a size that is no whole number of at least 1, or is no shape.
    """

    precisions: ClassVar[bool] = True
