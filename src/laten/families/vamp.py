r"""VampPrior: the mean of the guide's own densities at rows that are learned (Tomczak & Welling 2018).

$$p(z) = \frac1k\sum_{j=1}^k q(z\mid u_j),$$

with $u_j$ pseudo-rows of the data, as nets see them: of classes and bins, weights that may lie between two of them. So
the prior follows the aggregate posterior while both are learned. The raw parameters are those that the guide gives at
the pseudo-rows, one after the other; they do not depend on the row, and are computed once a batch.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from laten.common.numerics import log_scale
from laten.common.types import Array
from laten.families.of_normals import OfNormals
from laten.families.sizes import as_count


@dataclass(frozen=True, repr=False)
class Vamp(OfNormals):
    """A root whose density is the mean of the guide's at `k` learned pseudo-rows; its guide is a `Normal`.

    Args:
        size: Number of sites, or their shape.
        k: Number of pseudo-rows; they start at rows of the data.
    Raises:
        DeclarationError: a size or `k` that is no whole number of at least 1.
    """

    made_of_guide: ClassVar[bool] = True

    k: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "k", as_count(self.k, "Vamp", "k", least=1))

    @property
    def n_raw(self) -> int:
        return self.k * 2 * self.n_sites

    def parameters(self, raw: Array) -> tuple[Array, Array, Array]:
        """Return log-weights `(k,)`, means and log-scales `(k, sites)`, of the guide's normals."""
        means, scales = jnp.split(raw.reshape(self.k, 2 * self.n_sites), 2, axis=1)
        return jnp.full(self.k, -math.log(self.k), raw.dtype), means, log_scale(scales)
