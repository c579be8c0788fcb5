"""Convolutions that shrink an image and enlarge it: `Conv` and `Deconv`, each other's mirror; what image nets share."""

import math
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError, known, whole
from laten.common.numerics import host_rng, on_device
from laten.common.types import Array, Key
from laten.network.nets.convolution import strided, transposed
from laten.network.nets.grids import divided, grid_of, image_of, joined, only_image, split, written
from laten.network.nets.layers import ACTIVATIONS, RECTIFIERS, Affine, affine
from laten.network.nets.recipe import Ends


class Kernel(eqx.Module):
    """Weights of a convolution."""

    weight: Array  # (k, k, n_in, n_out), of a transposed one (k, k, n_out, n_in)
    bias: Array  # (n_out,)


def kernel(k: int, n_in: int, n_out: int, variance: float, rng: np.random.Generator | None) -> Kernel:
    """Build weights of variance `variance` over the numbers that a pixel is made of, and no offset."""
    layer = affine(k * k * n_in, n_out, variance, rng)
    return Kernel(layer.weight.reshape(k, k, n_in, n_out), on_device(np.zeros(n_out, np.float32)))


def each(layer: Affine, image: Array) -> Array:
    """Apply an affine layer to each pixel of an image `(height, width, channels)`."""
    y = image @ layer.weight
    return y if layer.bias is None else y + layer.bias[None, None]


def check_numbers(net: object, numbers: dict[str, int]) -> None:
    """Check whole numbers of at least 1, by the names of their options."""
    for option, value in numbers.items():
        whole(f"{type(net).__name__}: {option}", value, error=DeclarationError)


def as_call(net: Any) -> str:
    """Write a net as the call that makes it, without default options."""
    first, *rest = fields(net)
    options = [f"{f.name}={getattr(net, f.name)!r}" for f in rest if getattr(net, f.name) != f.default]
    return f"{type(net).__name__}({', '.join([repr(getattr(net, first.name)), *options])})"


def gain(activation: str) -> float:
    """Return the variance with which weights before an activation start."""
    return 2.0 if activation in RECTIFIERS else 1.0


# -- layers that halve or double ----------------------------------------------------


@dataclass(frozen=True)
class Strided:
    """Convolutions one after the other, each of which changes the size of the image."""

    channels: tuple[int, ...]
    kernel: int = 4
    stride: int = 2
    activation: str = "silu"

    __repr__ = as_call

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not (isinstance(self.channels, tuple) and self.channels):
            raise DeclarationError(f"{name}: channels are those of each layer, such as (32, 64), not {self.channels!r}")
        by_layer = {f"channels[{i}]": c for i, c in enumerate(self.channels)}
        check_numbers(self, {**by_layer, "kernel": self.kernel, "stride": self.stride})
        if self.kernel % self.stride:
            raise DeclarationError(
                f"{name}: kernel={self.kernel} must be a multiple of stride={self.stride}, such as 4 of 2"
            )
        if self.activation not in ACTIVATIONS:
            raise DeclarationError(f"{name}: unknown activation {self.activation!r}; known: {known(ACTIVATIONS)}")

    @property
    def size(self) -> tuple[int, int]:
        """Channels of the widest layer, and the number of layers."""
        return max(self.channels), len(self.channels)


@dataclass(frozen=True, repr=False)
class Conv(Strided):
    """Convolutions from an image down, each `stride` times smaller, then a linear layer: an encoder.

    The child is a vector, or an image of the size that the last layer leaves. Parents that are vectors are added, by
    weights of their own, to each channel of the first layer.

    Args:
        channels: Of each layer, from the image on.
        kernel: Side of the squares that a layer looks at, a multiple of the stride.
        stride: How much smaller each layer makes the image.
        activation: A name in `laten.network.nets.layers.ACTIVATIONS`.
    Raises:
        DeclarationError: channels, kernel, stride or activation that cannot be.
    """

    channels: tuple[int, ...] = (32, 64)

    def mirrored(self) -> "Deconv":
        """Return the layers that enlarge."""
        return Deconv(self.channels[::-1], self.kernel, self.stride, self.activation)

    def between(self, ends: Ends, key: Key) -> "Shrinking":
        """Build the layers, which map features `(n_in,)` to raw numbers `(n_out,)`.

        Raises:
            ValueError: parents that are no images of one size, strides that do not divide it, or another child.
        """
        start, rng = only_image(ends), host_rng(key)
        n_vectors = sum(slot.n for slot in ends.inputs if image_of(slot) is None)
        side = divided(start.side, self.stride ** len(self.channels), f"{self!r}")
        channels, variance = [start.channels, *self.channels], gain(self.activation)
        layers = [kernel(self.kernel, a, b, variance, rng) for a, b in pairwise(channels)]
        beside = affine(n_vectors, self.channels[0], 1.0, rng, False) if n_vectors else None
        end = grid_of(ends.shape, ends.n_out)
        if end is not None and end.side != side:
            raise ValueError(f"it ends in {side[0]} × {side[1]} pixels, but the child has shape {ends.shape}")
        sizes = (math.prod(side) * channels[-1], ends.n_out) if end is None else (channels[-1], end.channels)
        return Shrinking(tuple(layers), beside, affine(*sizes, 0.1, rng), self, ends)


class Shrinking(eqx.Module):
    """The layers of a `Conv`."""

    layers: tuple[Kernel, ...]
    beside: Affine | None
    last: Affine
    recipe: Conv = eqx.field(static=True)
    ends: Ends = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        images, vectors = split(x, self.ends.inputs)
        image, f = joined(images), ACTIVATIONS[self.recipe.activation]
        for i, layer in enumerate(self.layers):
            image = strided(image, layer.weight, self.recipe.stride) + layer.bias[None, None]
            image = f(image if i or self.beside is None else image + self.beside(vectors)[None, None])
        if grid_of(self.ends.shape, self.ends.n_out) is None:
            return self.last(jnp.ravel(image))
        return written(each(self.last, image), self.ends.shape)


@dataclass(frozen=True, repr=False)
class Deconv(Strided):
    """A linear layer to a small image, then transposed convolutions, each `stride` times larger: a decoder.

    The child is an image. Parents are vectors, or images of the size of the small one.

    Args:
        channels: Of each image on the way, from the small one on; the last layer puts out raw numbers.
        kernel: Side of the squares that a pixel is spread over, a multiple of the stride.
        stride: How much larger each layer makes the image.
        activation: A name in `laten.network.nets.layers.ACTIVATIONS`.
    Raises:
        DeclarationError: channels, kernel, stride or activation that cannot be.
    """

    channels: tuple[int, ...] = (64, 32)

    def mirrored(self) -> Conv:
        """Return the layers that shrink."""
        return Conv(self.channels[::-1], self.kernel, self.stride, self.activation)

    def between(self, ends: Ends, key: Key) -> "Enlarging":
        """Build the layers, which map features `(n_in,)` to raw numbers `(n_out,)`.

        Raises:
            ValueError: a child that is no image or that strides do not divide, or parents that are other images.
        """
        end, rng = grid_of(ends.shape, ends.n_out), host_rng(key)
        if end is None:
            raise ValueError(f"the child must be an image (height, width[, channels]), not {ends.shape}")
        side = divided(end.side, self.stride ** len(self.channels), f"{self!r}")
        images = [only_image(ends)] if any(image_of(slot) for slot in ends.inputs) else []
        if images and images[0].side != side:
            raise ValueError(f"it begins with {side[0]} × {side[1]} pixels, but a parent has {images[0].side}")
        n_vectors = sum(slot.n for slot in ends.inputs if image_of(slot) is None)
        first, variance = self.channels[0], gain(self.activation)
        vectors = affine(n_vectors, math.prod(side) * first, 1.0, rng) if n_vectors else None
        beside = affine(images[0].channels, first, 1.0, rng) if images else None
        channels = [*self.channels, end.channels]
        layers = []
        for i, (a, b) in enumerate(pairwise(channels), 1):
            made = kernel(self.kernel, a, b, (0.1 if i == len(self.channels) else variance) * self.stride**2, rng)
            layers.append(Kernel(jnp.swapaxes(made.weight, 2, 3), made.bias))
        return Enlarging(vectors, beside, tuple(layers), self, ends, side)


class Enlarging(eqx.Module):
    """The layers of a `Deconv`."""

    vectors: Affine | None
    beside: Affine | None
    layers: tuple[Kernel, ...]
    recipe: Deconv = eqx.field(static=True)
    ends: Ends = eqx.field(static=True)
    side: tuple[int, int] = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        images, vectors = split(x, self.ends.inputs)
        image, f = jnp.zeros((*self.side, self.recipe.channels[0]), x.dtype), ACTIVATIONS[self.recipe.activation]
        if self.vectors is not None:
            image = self.vectors(vectors).reshape(image.shape)
        if self.beside is not None:
            image += each(self.beside, joined(images))
        for layer in self.layers:
            image = transposed(f(image), layer.weight, self.recipe.stride) + layer.bias[None, None]
        return written(image, self.ends.shape)
