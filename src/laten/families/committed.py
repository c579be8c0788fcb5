r"""A guide's normal that cannot come to the prior: each site says at least so many nats (Razavi et al. 2019, δ-VAE).

With the mean moved by $m$ and the standard deviation stretched by $s$, in P's own units, a site's KL is

$$-\log s + \tfrac12(s^2 + m^2 - 1)\ \ge\ -\log s_\delta + \tfrac12(s_\delta^2 - 1) = \delta
\quad\text{where}\quad s\le s_\delta < 1 .$$

So the latents cannot collapse: a decoder that ignores them pays the rate all the same.
"""

import functools
import math
from dataclasses import dataclass

from laten.common.errors import DeclarationError, number
from laten.common.numerics import bound, softplus
from laten.common.types import Array
from laten.families.relative import Relative

LIMIT = 7.0  # of the logarithm of a stretch


@dataclass(frozen=True, repr=False)
class Committed(Relative):
    """Independent normal sites of a guide, each at least `rate` nats of KL away from the normal of P.

    Args:
        size: Number of sites, or their shape.
        rate: Nats a site.
    Raises:
        DeclarationError: a size that is no shape, or a rate that is not between 0 and 5.
    """

    rate: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (number(self.rate) and 0 < self.rate <= 5):
            raise DeclarationError(f"Committed: rate is nats a site, above 0 and at most 5, not {self.rate!r}")

    def stretch(self, own: Array) -> Array:
        return widest(self.rate) - softplus(bound(own, LIMIT))


@functools.cache
def widest(rate: float) -> float:
    """Return the logarithm of the standard deviation below 1 at which the KL to a standard normal is `rate`."""
    low, high = -rate - 1.0, 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if -middle + math.expm1(2 * middle) / 2 > rate else (low, middle)
    return low
