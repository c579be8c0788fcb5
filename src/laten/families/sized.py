"""Families declared by how many sites they have; and those of them that have a location and a scale."""

from dataclasses import dataclass
from typing import ClassVar

from laten.families.base import Family
from laten.families.scale import check_scale, n_scale
from laten.families.sizes import Shape, as_shape


@dataclass(frozen=True, repr=False)
class Sized(Family):
    """A family that is given its shape, with one raw number a site unless it says otherwise.

    Args:
        size: Number of sites, or their shape.
    """

    size: int | Shape

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", as_shape(self.size, type(self).__name__))

    @property
    def shape(self) -> Shape:
        return self.size if isinstance(self.size, tuple) else (self.size,)

    @property
    def n_raw(self) -> int:
        return self.n_sites


@dataclass(frozen=True, repr=False)
class LocationScale(Sized):
    """Independent real sites with a location and a scale, or what a map makes of them.

    Args:
        size: Number of sites, or their shape.
        scale: `"net"`: the net puts out a log-scale a site; `"site"`: a learned constant a site;
            `"shared"`: one for all sites; a number: fixed.
    """

    reparameterised: ClassVar[bool] = True

    scale: str | float = "net"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "scale", check_scale(self.scale, type(self).__name__))

    @property
    def moves(self) -> bool:
        return isinstance(self.scale, str)  # a number is in the unit of the data

    @property
    def one_unit(self) -> bool:
        return self.scale == "shared"

    @property
    def n_raw(self) -> int:
        return self.n_sites + n_scale(self.scale, self.n_sites)

    @property
    def n_net(self) -> int:
        return self.n_sites * (2 if self.scale == "net" else 1)
