"""Families of classes: codes 0, 1, ... in ragged columns, with a probability for each."""

import abc
import math
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError
from laten.common.types import Array, Key
from laten.families.base import SMALLEST, Family, Support
from laten.families.ragged import Packing, all_codes, packing
from laten.families.sizes import Shape, as_shape


@dataclass(frozen=True, repr=False)
class Classes(Family):
    """A code a column, as int32.

    Args:
        sizes: Number of classes. `10`: one code, shape `()`; `(8, 3, 41)`: three codes, shape `(3,)`.
    """

    least: ClassVar[int] = 1  # classes of a column

    sizes: int | tuple[int, ...]

    def __post_init__(self) -> None:
        name = type(self).__name__
        checked = as_shape(self.sizes, name)
        if not checked or min(checked) < self.least:
            raise DeclarationError(f"{name}: each column needs at least {self.least} classes, not {self.sizes!r}")
        object.__setattr__(self, "sizes", checked if isinstance(self.sizes, tuple | list) else checked[0])

    @property
    def packing(self) -> Packing:
        """How the classes of all columns lie one after the other."""
        return packing(self.sizes)

    @property
    def shape(self) -> Shape:
        return () if isinstance(self.sizes, int) else (len(self.sizes),)

    @property
    def n_states(self) -> int:
        return math.prod(self.packing.sizes)

    @property
    def support(self) -> Support:
        return Support("classes", self.classes)

    @property
    def classes(self) -> tuple[int, ...]:
        return self.packing.sizes

    @property
    def dtype(self) -> type:
        return np.int32

    @abc.abstractmethod
    def log_probs(self, raw: Array) -> Array:
        """Return the log-probability of every class, packed `(total,)`, in nats."""

    def mean(self, raw: Array) -> Array:
        return jnp.exp(self.log_probs(raw))

    def certain(self, value: Array) -> Array:
        return self.packing.one_hot(value.reshape(-1), jnp.float32)

    def log_mass(self, raw: Array, allowed: Array) -> Array:
        mass = self.packing.column_sums(jnp.exp(self.log_probs(raw)) * allowed)
        return jnp.log(jnp.maximum(mass, SMALLEST)).reshape(self.shape)

    def sample_allowed(self, raw: Array, key: Key, allowed: Array) -> Array:
        log_p = self.log_probs(raw)
        noise = random.gumbel(key, log_p.shape)
        height = jnp.where(allowed > 0, log_p + jnp.log(jnp.maximum(allowed, SMALLEST)) + noise, -jnp.inf)
        return self.packing.argmax(height).reshape(self.shape)

    def states(self) -> np.ndarray:
        return all_codes(self.packing.sizes, self).reshape(-1, *self.shape)
