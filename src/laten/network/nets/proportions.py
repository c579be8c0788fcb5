"""A net without weights: shares that add up to one."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax

from laten.common.errors import DeclarationError
from laten.common.types import Array, Key


@dataclass(frozen=True)
class Proportions:
    """The softmax of the inputs: `lt.Deterministic(20).given("z", via=lt.Proportions())` of 20 latents.

    Raises:
        DeclarationError: when it is built, for another number of outputs than inputs.
    """

    @property
    def size(self) -> tuple[int, int]:
        """No layers."""
        return 0, 0

    def mirrored(self) -> Any:
        """Return None: it fits one way alone."""
        return None

    def __call__(self, n_in: int, n_out: int, key: Key) -> "Softmax":
        if n_in != n_out:
            raise DeclarationError(f"shares of {n_in} numbers are {n_in} numbers, not {n_out}")
        return Softmax()


class Softmax(eqx.Module):
    """Numbers `(n,)` to shares `(n,)`."""

    def __call__(self, x: Array) -> Array:
        return jax.nn.softmax(x)
