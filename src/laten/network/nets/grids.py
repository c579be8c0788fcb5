r"""Where nets of images stand: flat features become images `(height, width, channels)`, and images raw numbers.

A node of shape (28, 28) is an image of one channel, one of (32, 32, 3) has three; where it may be hidden, its mask
gives as many more. A node of any other shape is a vector. Raw numbers lie as families read them: all sites of the
first, then all sites of the second, and so on.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp

from laten.common.types import Array
from laten.network.nets.recipe import Ends, Slot


class Grid(NamedTuple):
    """An image's size."""

    height: int
    width: int
    channels: int

    @property
    def side(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width


def grid_of(shape: tuple[int, ...], numbers: int) -> Grid | None:
    """Return the image that `numbers` make at the sites of a shape; None: they are a vector.

    Raises:
        ValueError: they are not the same number at each pixel.
    """
    if len(shape) not in (2, 3):
        return None
    height, width = shape[:2]
    if numbers % (height * width):
        raise ValueError(f"{numbers} numbers are no image of {height} × {width} pixels")
    return Grid(height, width, numbers // (height * width))


def image_of(slot: Slot) -> Grid | None:
    """Return the image that a parent is; None: it is a vector."""
    return grid_of(slot.shape, slot.n)


def only_image(ends: Ends) -> Grid:
    """Return the size that all parents that are images have, with their channels together.

    Raises:
        ValueError: none is an image, or sizes differ.
    """
    found = [grid for slot in ends.inputs if (grid := image_of(slot))]
    sides = {grid.side for grid in found}
    if len(sides) != 1:
        shapes = {slot.name: slot.shape for slot in ends.inputs}
        what = f"are images of different sizes: {shapes}" if sides else f"are no image (height, width): {shapes}"
        raise ValueError(f"its parents {what}")
    return Grid(*found[0].side, sum(grid.channels for grid in found))


def split(x: Array, slots: tuple[Slot, ...]) -> tuple[list[Array], Array]:
    """Return the parents that are images, `(height, width, channels)` each, and all numbers of the others, `(n,)`."""
    images, vectors, start = [], [], 0
    pieces = jnp.split(x, [start := start + slot.n for slot in slots[:-1]])
    for slot, piece in zip(slots, pieces, strict=True):
        if image_of(slot) is None:
            vectors.append(piece)
            continue
        height, width = slot.shape[:2]
        seen = math.prod(slot.shape) * slot.hidden
        parts = jnp.split(piece, [slot.n - seen]) if seen else [piece]
        images.append(jnp.concatenate([part.reshape(height, width, -1) for part in parts], axis=-1))
    return images, jnp.concatenate(vectors) if vectors else jnp.zeros(0, x.dtype)


def joined(images: list[Array]) -> Array:
    """Put the channels of images of one size beside one another."""
    return images[0] if len(images) == 1 else jnp.concatenate(images, axis=-1)


def written(image: Array, shape: tuple[int, ...]) -> Array:
    """Return raw numbers `(n,)` for sites of a shape `(height, width)` or `(height, width, channels)`."""
    height, width = shape[:2]
    by_kind = image.reshape(height, width, -1, math.prod(shape[2:]))
    return jnp.ravel(jnp.moveaxis(by_kind, 2, 0))


def divided(side: tuple[int, int], by: int, what: str) -> tuple[int, int]:
    """Return the size of an image whose squares of `by` × `by` pixels become one.

    Raises:
        ValueError: sides are no multiples of it.
    """
    height, width = side
    if height % by or width % by:
        low, high = ([n // by * by for n in side], [-(-n // by) * by for n in side])
        up, left = ((b - n) // 2 for n, b in zip(side, high, strict=True))
        pad = f"(({up}, {high[0] - height - up}), ({left}, {high[1] - width - left}))"
        crop = f"crop to {low[0]} × {low[1]}, or " if min(low) else ""
        raise ValueError(
            f"{what} needs sides that are multiples of {by}, but the image has {height} × {width} pixels; {crop}pad to "
            f"{high[0]} × {high[1]}: np.pad(image, {pad})"
        )
    return height // by, width // by
