"""Families whose sites are normal once they are mapped to the real line."""

import abc
from dataclasses import dataclass

import jax.numpy as jnp

from laten.common.types import Array
from laten.families.base import Family
from laten.families.normal import Normal
from laten.families.same_density import has_density_of
from laten.families.sized import LocationScale


@dataclass(frozen=True, repr=False)
class MappedNormal(LocationScale):
    """A family said through `Normal`: `to_real` of a value is normal."""

    @property
    def moves(self) -> bool:
        return False  # moved values are mapped to other ones

    @property
    def inner(self) -> Normal:
        """The family of the mapped values, with the same raw parameters."""
        return Normal(self.size, self.scale)

    @abc.abstractmethod
    def to_real(self, value: Array) -> Array:
        """Map a value to the real line, of the same shape."""

    @abc.abstractmethod
    def back(self, u: Array) -> Array:
        """Map real numbers to values of the same shape, those far out to the ends of what float32 tells apart."""

    def quantile(self, raw: Array, p: Array) -> Array:
        return self.back(self.inner.quantile(raw, p))

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        """Return the KL of the normals per site, of `shape`, in nats: it does not change under an invertible map."""
        kind = next(c for c in type(self).__mro__ if c.__base__ is MappedNormal)
        if not (isinstance(other, MappedNormal) and has_density_of(self, kind) and has_density_of(other, kind)):
            return None
        return self.inner.kl(raw, other.inner, other_raw)

    def features(self, value: Array) -> Array:
        return self.to_real(jnp.ravel(value))

    def guide(self) -> Family:
        return type(self)(self.shape)
