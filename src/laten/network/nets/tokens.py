r"""Gated residual blocks on a grid of tokens, between images and vectors of any kind.

Squares of pixels become tokens at the way in, and tokens squares of pixels at the way out. With $u$ a token's channels
at mean zero and variance one, a block is

$$h \leftarrow h + K * \big(a\odot\sigma(b)\big),\qquad (a, b) = u\,W,$$

$a$ and $b$ half as wide as $h$, $K$ a convolution. No statistics of a batch: a row's answer is its own.
"""

import math
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError, whole
from laten.common.numerics import host_rng, on_device
from laten.common.types import Array, Key
from laten.network.nets.convolution import cells, pixels, same
from laten.network.nets.grids import divided, grid_of, image_of, joined, split, written
from laten.network.nets.image_layers import Kernel, as_call, check_numbers, each, kernel
from laten.network.nets.layers import Affine, affine
from laten.network.nets.recipe import Ends


@dataclass(frozen=True)
class Residual:
    """Gated residual blocks on a grid of tokens, between images and vectors of any kind.

    The grid is that of the smallest image at either end, or what `patch` makes of the largest; larger ones are cut into
    squares, one a token. A parent of `width` channels on the grid goes through unchanged, and the blocks add to it; a
    hidden layer of `width` channels on the grid is what they leave. So nets that follow one another are one deep net.

    Args:
        width: Channels of a token.
        depth: Number of blocks.
        kernel: Side of the square of tokens that a block looks at.
        patch: Side of the square of pixels, of the largest image, that makes a token; None: as above.
    Raises:
        DeclarationError: a width, kernel or patch below 1, or a depth below 0.
    """

    width: int = 64
    depth: int = 2
    kernel: int = 3
    patch: int | None = None

    __repr__ = as_call

    def __post_init__(self) -> None:
        patch = {} if self.patch is None else {"patch": self.patch}
        check_numbers(self, {"width": self.width, "kernel": self.kernel, **patch})
        whole("Residual: depth", self.depth, 0, DeclarationError)

    @property
    def size(self) -> tuple[int, int]:
        """Channels of a token, number of blocks."""
        return self.width, self.depth

    def mirrored(self) -> "Residual":
        """Return the same."""
        return self

    def between(self, ends: Ends, key: Key) -> "Trunk":
        """Build the blocks, which map features `(n_in,)` to raw numbers `(n_out,)`.

        Raises:
            ValueError: neither end has an image, or one cannot be cut into the tokens.
        """
        rng, width = host_rng(key), self.width
        end, grids = grid_of(ends.shape, ends.n_out), [image_of(slot) for slot in ends.inputs]
        sides = [grid.side for grid in [*grids, end] if grid is not None]
        if not sides:
            raise ValueError("neither a parent nor the child is an image (height, width)")
        side = min(sides) if self.patch is None else divided(max(sides), self.patch, f"patch={self.patch}")
        through = next((i for i, grid in enumerate(grids) if grid == (*side, width)), None)
        cut = [grid.channels * times(grid.side, side) ** 2 for i, grid in enumerate(grids) if grid and i != through]
        n_vectors = sum(slot.n for slot, grid in zip(ends.inputs, grids, strict=True) if grid is None)
        spread = width if any(grids) else math.prod(side) * width
        tokens = affine(sum(cut), width, 1.0, rng, False) if cut else None
        vectors = affine(n_vectors, spread, 1.0, rng, False) if n_vectors else None
        place = places((*side, width), rng if through is None else None)
        half = max(width // 2, 1)
        blocks = tuple(
            Block(affine(width, 2 * half, 1.0, rng), kernel(self.kernel, half, width, 0.1, rng))
            for _ in range(self.depth)
        )
        if end == (*side, width):
            last = None
        elif end is None:
            last = affine(math.prod(side) * width, ends.n_out, 0.1 * math.prod(side), rng)
        else:
            last = affine(width, end.channels * times(end.side, side) ** 2, 0.1, rng)
        return Trunk(tokens, vectors, place, blocks, last, ends, through)


def times(side: tuple[int, int], tokens: tuple[int, int]) -> int:
    """Return the side of the squares that cut an image into a grid of tokens.

    Raises:
        ValueError: there are none.
    """
    by = side[0] // tokens[0]
    if by < 1 or side != (by * tokens[0], by * tokens[1]):
        raise ValueError(
            f"an image of {side[0]} × {side[1]} pixels cannot be cut into squares for {tokens[0]} × {tokens[1]} "
            "tokens; choose sizes of which one is a multiple of the other, or another patch"
        )
    return by


def places(shape: tuple[int, int, int], rng: np.random.Generator | None) -> Array:
    """Draw what each token begins with: of an empty square of pixels too, something that has a spread."""
    if rng is None:
        return jnp.zeros(shape, jnp.float32)
    return on_device(np.float32(0.5) * rng.standard_normal(shape, np.float32))


class Block(eqx.Module):
    """One gated residual block."""

    inner: Affine  # to two halves
    outer: Kernel  # from one

    def __call__(self, h: Array) -> Array:
        """Map tokens `(height, width, channels)` to as many."""
        a, b = jnp.split(each(self.inner, jax.nn.standardize(h)), 2, axis=-1)
        return h + same(a * jax.nn.sigmoid(b), self.outer.weight) + self.outer.bias[None, None]


class Trunk(eqx.Module):
    """The blocks of a `Residual`."""

    tokens: Affine | None
    vectors: Affine | None
    place: Array  # (height, width, channels): what each token begins with
    blocks: tuple[Block, ...]
    last: Affine | None
    ends: Ends = eqx.field(static=True)
    through: int | None = eqx.field(static=True)  # the parent that the blocks add to

    def __call__(self, x: Array) -> Array:
        images, vectors = split(x, self.ends.inputs)
        side, h = self.place.shape[:2], self.place
        numbers = [i for i, slot in enumerate(self.ends.inputs) if image_of(slot)]
        others = [image for i, image in zip(numbers, images, strict=True) if i != self.through]
        cut = [cells(image, image.shape[0] // side[0]) for image in others]
        if self.through is not None:
            h += images[numbers.index(self.through)]
        if self.tokens is not None:
            h += each(self.tokens, joined(cut))
        if self.vectors is not None:
            added = self.vectors(vectors)
            h += added[None, None] if images else added.reshape(h.shape)
        for block in self.blocks:
            h = block(h)
        if self.last is None:
            return jnp.ravel(h)
        h = jax.nn.standardize(h)
        if len(self.ends.shape) not in (2, 3):  # scaled: one step of Adam moves the sum of so many numbers far
            return self.last(jnp.ravel(h) / math.sqrt(math.prod(side)))
        made = each(self.last, h)
        return written(pixels(made, self.ends.shape[0] // side[0]), self.ends.shape)
