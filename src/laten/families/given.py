r"""An input: a node that is always given, and has no density of its own.

$$\log p(\text{value}) = 0 .$$

What depends on it is a conditional density p(x | c): a batch, a site, a treatment, the coordinates of a place. It is
seen in every row, costs no weights, and nothing draws it.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError
from laten.common.types import Array, Key
from laten.families.base import Family, Support
from laten.families.normal import Normal
from laten.families.sizes import Shape, as_shape


@dataclass(frozen=True, repr=False)
class Given(Family):
    """Values that every row gives: `lt.Given(3)` numbers, `lt.Given(lt.Categorical(10))` a class.

    Args:
        of: Number of sites or their shape, of real numbers; or a family whose values they are.
    Raises:
        DeclarationError: neither of these.
    """

    is_input: ClassVar[bool] = True
    standard_root: ClassVar[bool] = True

    of: Family | int | Shape

    def __post_init__(self) -> None:
        if isinstance(self.of, Family):
            if not self.of.has_density or self.of.models_missing or self.of.is_input:
                raise DeclarationError(f"Given: values must be of a family such as lt.Categorical(10), not {self.of!r}")
        else:
            shape = as_shape(self.of, "Given")
            object.__setattr__(self, "of", shape[0] if len(shape) == 1 else shape)

    @property
    def inner(self) -> Family:
        """A family of these values."""
        return self.of if isinstance(self.of, Family) else Normal(self.of)

    @property
    def shape(self) -> Shape:
        return self.inner.shape

    @property
    def n_raw(self) -> int:
        return 0

    @property
    def n_features(self) -> int:
        return self.inner.n_features

    @property
    def feature_sites(self) -> np.ndarray | None:
        return self.inner.feature_sites

    @property
    def support(self) -> Support:
        return self.inner.support

    @property
    def classes(self) -> tuple[int, ...] | None:
        return self.inner.classes

    @property
    def dtype(self) -> type:
        return self.inner.dtype

    @property
    def neutral(self) -> float:
        return self.inner.neutral

    def log_prob(self, raw: Array, value: Array) -> Array:
        """Return zeros of `shape`, in nats: there is no density."""
        return jnp.zeros(self.shape)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        """Draw nothing: a value of `shape` has to be given.

        Raises:
            DeclarationError: always: the value must be given.
        """
        raise DeclarationError(
            f"a node is {self!r}: every row must give its value, all of it, for nothing draws it; hand it over, as in "
            "sample(n, given={'node': value}), or declare it a family such as lt.Normal or lt.Categorical"
        )

    def mean(self, raw: Array) -> Array:
        return self.certain(jnp.full(self.shape, self.neutral, self.dtype))

    def mode(self, raw: Array) -> Array:
        return jnp.full(self.shape, self.neutral, self.dtype)

    def certain(self, value: Array) -> Array:
        return self.inner.certain(value)

    def point(self, mean: Array) -> Array:
        return self.inner.point(mean)

    def chances(self, mean: Array) -> Array:
        return self.inner.chances(mean)

    def features(self, value: Array) -> Array:
        return self.inner.features(value)
