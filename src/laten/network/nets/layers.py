r"""Nets of this library: linear, several layers, residual; frozen dataclasses that can be compared, printed and saved.

Weights start normal with variance $2/n_{in}$ before a rectifier (He et al. 2015), $1/n_{in}$ otherwise; the last layer
at a tenth of that variance, as the constants of `conditional.Conditional` already put the output where the data are.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError, known, number, whole
from laten.common.numerics import host_rng, on_device, softplus
from laten.common.random import random_bytes
from laten.common.types import Array, Key

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "tanh": jnp.tanh,
    "silu": jax.nn.silu,
    "gelu": jax.nn.gelu,
    "elu": jax.nn.elu,
    "softplus": softplus,
    "sigmoid": jax.nn.sigmoid,
}
RECTIFIERS = ("relu", "leaky_relu", "silu", "gelu", "elu")


class Affine(eqx.Module):
    """y = x W + b, or x W where the offset is added elsewhere (`conditional.py`: the constants)."""

    weight: Array  # (n_in, n_out): mapped over rows it is one product, with nothing to transpose
    bias: Array | None  # (n_out,)

    def __call__(self, x: Array) -> Array:
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


def affine(n_in: int, n_out: int, variance: float, rng: np.random.Generator | None, bias: bool = True) -> Affine:
    """Build a layer with normal weights of variance `variance / n_in` and no offset.

    Drawn by NumPy, which needs no compilation; without a generator there are shapes alone.
    """
    if rng is None:
        return Affine(jnp.zeros((n_in, n_out), jnp.float32), jnp.zeros(n_out, jnp.float32) if bias else None)
    weight = rng.standard_normal((n_in, n_out), np.float32) * np.float32(math.sqrt(variance / max(n_in, 1)))
    return Affine(on_device(weight), on_device(np.zeros(n_out, np.float32)) if bias else None)


def least_of(rate: float) -> np.ndarray:
    """Return the byte from which on a unit is kept."""
    return np.asarray(min(round(256 * rate), 255), np.uint32)


def keepers(net: "Layers | Residual", key: Key | None, widths: Sequence[int]) -> list[Array | None]:
    """Draw inverted dropout of layers of these widths: a factor for each unit; none without a key (outside training).

    The random bytes of all layers come from one call. A byte decides: the share is right to within 1/512, the mean of
    what a layer puts out exactly.
    """
    if key is None or net.dropout == 0:
        return [None] * len(widths)
    least = jnp.asarray(least_of(net.dropout)) if net.least is None else net.least
    factors = jnp.where(random_bytes(key, (sum(widths),)) >= least, 256 / (256 - least.astype(jnp.float32)), 0.0)
    return list(jnp.split(factors, np.cumsum(widths)[:-1]))


def dropped(x: Array, keep: Array | None) -> Array:
    """Multiply a layer's units by their factors."""
    return x if keep is None else x * keep


@dataclass(frozen=True)
class Linear:
    """No hidden layer."""

    @property
    def size(self) -> tuple[int, int]:
        """No layers."""
        return 0, 0

    def mirrored(self) -> "Linear":
        """Return the same."""
        return self

    def __call__(self, n_in: int, n_out: int, key: Key) -> "Layers":
        return Layers((affine(n_in, n_out, 0.1, host_rng(key), False),), "relu", 0.0, False)


def check_net(net: "MLP | ResMLP") -> None:
    """Check the fields that the nets share."""
    name = type(net).__name__
    widths = net.width if isinstance(net, MLP) and isinstance(net.width, tuple) else (net.width,)
    if widths is net.width and net.depth != 1:
        raise DeclarationError(f"{name}: width={net.width!r} says how many layers there are; leave depth out")
    for width in widths:
        whole(f"{name}: width", width, error=DeclarationError)
    whole(f"{name}: depth", net.depth, 0, DeclarationError)
    if net.activation not in ACTIVATIONS:
        raise DeclarationError(f"{name}: unknown activation {net.activation!r}; known: {known(ACTIVATIONS)}")
    if not (number(net.dropout) and 0 <= net.dropout < 1):
        raise DeclarationError(f"{name}: dropout must be in [0, 1), not {net.dropout!r}")


def as_call(net: "MLP | ResMLP") -> str:
    """Write a net as the call that makes it, without default options."""
    options = [f"{f.name}={getattr(net, f.name)!r}" for f in fields(net)[1:] if getattr(net, f.name) != f.default]
    return f"{type(net).__name__}({', '.join([str(net.width), *options])})"


@dataclass(frozen=True)
class MLP:
    """`depth` hidden layers of `width` units, or a hidden layer of each of several widths.

    Args:
        width: Units of a hidden layer; a tuple, e.g. (128, 64, 32), gives those of each, from the input on.
        depth: Number of hidden layers; left out when `width` says it.
        activation: A name in `laten.network.nets.layers.ACTIVATIONS`.
        dropout: Share of hidden units left out while training.
        activate_output: Apply the activation to the output as well (for hidden nodes shared by several children).
    Raises:
        DeclarationError: a width or depth below 1, an unknown activation, or a dropout outside [0, 1).
    """

    width: int | tuple[int, ...] = 128
    depth: int = 1
    activation: str = "relu"
    dropout: float = 0.0
    activate_output: bool = False

    __repr__ = as_call

    def __post_init__(self):
        check_net(self)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return self.width if isinstance(self.width, tuple) else (self.width,) * self.depth

    @property
    def size(self) -> tuple[int, int]:
        """Units of the widest hidden layer, and their number."""
        return max(self.widths, default=0), len(self.widths)

    def mirrored(self) -> "MLP":
        """Return widths reversed; an activated output becomes a hidden layer."""
        if not isinstance(self.width, tuple):
            return replace(self, depth=self.depth + self.activate_output, activate_output=False)
        widths = self.width[::-1]
        return replace(self, width=widths[:1] * self.activate_output + widths, activate_output=False)

    def __call__(self, n_in: int, n_out: int, key: Key) -> "Layers":
        sizes, depth = [n_in, *self.widths, n_out], len(self.widths)
        rng = host_rng(key)
        hidden = 2.0 if self.activation in RECTIFIERS else 1.0
        gains = [hidden] * depth + [hidden if self.activate_output else 0.1]
        offset = [True] * depth + [self.activate_output]
        layers = [affine(a, b, g, rng, o) for a, b, g, o in zip(sizes[:-1], sizes[1:], gains, offset, strict=True)]
        return Layers(tuple(layers), self.activation, self.dropout, self.activate_output)


@dataclass(frozen=True)
class ResMLP:
    """`depth` residual blocks: x + W2 f(W1 norm(x)), all of `width` units, between two linear layers (He et al. 2016).

    Args:
        width: Units of the trunk and of each block's hidden layer.
        depth: Number of blocks.
        activation: A name in `laten.network.nets.layers.ACTIVATIONS`.
        dropout: Share of hidden units left out while training.
        activate_output: Apply the activation to the output as well.
    Raises:
        DeclarationError: a width or depth below 1, an unknown activation, or a dropout outside [0, 1).
    """

    width: int = 128
    depth: int = 2
    activation: str = "relu"
    dropout: float = 0.0
    activate_output: bool = False

    __repr__ = as_call

    def __post_init__(self):
        check_net(self)

    @property
    def size(self) -> tuple[int, int]:
        """Units of the trunk, number of blocks."""
        return self.width, self.depth

    def mirrored(self) -> "ResMLP":
        """Return the same; an activated output becomes a block."""
        return replace(self, depth=self.depth + self.activate_output, activate_output=False)

    def __call__(self, n_in: int, n_out: int, key: Key) -> "Residual":
        rng, w = host_rng(key), self.width
        blocks = tuple((affine(w, w, 2.0, rng), affine(w, w, 0.1, rng)) for _ in range(self.depth))
        first = affine(n_in, w, 1.0, rng)
        last = affine(w, n_out, 2.0 if self.activate_output else 0.1, rng, self.activate_output)
        return Residual(first, blocks, last, self.activation, self.dropout, self.activate_output)


class Layers(eqx.Module):
    """Linear layers with an activation between."""

    layers: tuple[Affine, ...]
    activation: str = eqx.field(static=True)
    dropout: float = eqx.field(static=True)
    activate_output: bool = eqx.field(static=True)
    least: Array | None = None  # what `least_of` says, told by `network.dropout`

    def __call__(self, x: Array, key: Key | None = None) -> Array:
        f = ACTIVATIONS[self.activation]
        dropping = self.layers if self.activate_output else self.layers[:-1]
        keep = keepers(self, key, [layer.weight.shape[1] for layer in dropping])
        for layer, factor in zip(self.layers[:-1], keep, strict=False):
            x = dropped(f(layer(x)), factor)
        x = self.layers[-1](x)
        return dropped(f(x), keep[-1]) if self.activate_output else x


class Residual(eqx.Module):
    """A residual trunk between two linear layers; each block's input is brought to mean zero and variance one."""

    first: Affine
    blocks: tuple[tuple[Affine, Affine], ...]
    last: Affine
    activation: str = eqx.field(static=True)
    dropout: float = eqx.field(static=True)
    activate_output: bool = eqx.field(static=True)
    least: Array | None = None  # what `least_of` says, told by `network.dropout`

    def __call__(self, x: Array, key: Key | None = None) -> Array:
        f = ACTIVATIONS[self.activation]
        dropping = [inner for inner, _ in self.blocks] + [self.last] * self.activate_output
        keep = keepers(self, key, [layer.weight.shape[1] for layer in dropping])
        x = self.first(x)
        for (inner, outer), factor in zip(self.blocks, keep, strict=False):
            x = x + outer(dropped(f(inner(jax.nn.standardize(x))), factor))
        x = self.last(f(x))
        return dropped(f(x), keep[-1]) if self.activate_output else x


def leaves_out(part: object) -> bool:
    """Say whether a part of a model is a net that leaves units out."""
    return isinstance(part, Layers | Residual) and part.dropout > 0
