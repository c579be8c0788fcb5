r"""Convolutions of one image, by products of matrices on a CPU and by XLA's own convolution elsewhere.

$$y_{ab} = \sum_{i,j<k} x_{a+i,\,b+j}\,K_{ij},\qquad x\ (h + k - 1,\ w + k - 1,\ c),\quad K\ (k, k, c, n),\quad
y\ (h, w, n).$$

In a compiled loop on a CPU, XLA's convolution runs at a few Gflop/s; the sum above, of $k^2$ products of shifted
images, at nearly the speed of a product, forward and backward (`benchmarks/images/convolution.py`).

Everything else is this one and a rearrangement. A square of $s\times s$ pixels becomes the channels of one cell
(`cells`), and back (`pixels`); a stride is a convolution of cells, a transposed convolution ends in `pixels`.
"""

import jax
import jax.numpy as jnp

from laten.common.types import Array

FEW = 32  # channels up to which the shifted images are put beside one another, for one product


def convolve(x: Array, kernel: Array) -> Array:
    """Correlate an image `(h + k - 1, w + k - 1, c)` with a kernel `(k, k, c, n)`: `(h, w, n)`.

    The way is chosen by JAX's default backend.
    """
    return by_products(x, kernel) if jax.default_backend() == "cpu" else by_library(x, kernel)


def by_products(x: Array, kernel: Array) -> Array:
    """Correlate as a sum of products of shifted images with slices of the kernel."""
    k, _, c, n = kernel.shape
    h, w = x.shape[0] - k + 1, x.shape[1] - k + 1
    shifted = [x[i : i + h, j : j + w] for i in range(k) for j in range(k)]
    if len(shifted) > 1 and c <= FEW:  # products of few numbers are slow
        return jnp.concatenate(shifted, axis=-1) @ kernel.reshape(-1, n)
    slices = kernel.reshape(-1, c, n)
    return sum((part @ slices[i] for i, part in enumerate(shifted[1:], 1)), shifted[0] @ slices[0])


def by_library(x: Array, kernel: Array) -> Array:
    """Correlate by `jax.lax.conv_general_dilated`."""
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x[None], kernel, (1, 1), "VALID", dimension_numbers=layout)[0]


def same(x: Array, kernel: Array) -> Array:
    """Correlate an image `(h, w, c)` with zeros around it: `(h, w, n)`."""
    k = len(kernel)
    return convolve(around(x, (k - 1) // 2, k // 2), kernel)


def strided(x: Array, kernel: Array, stride: int) -> Array:
    """Correlate an image `(h, w, c)` with zeros around it, at every `stride`-th pixel: `(h / stride, w / stride, n)`.

    Args:
        kernel: `(k, k, c, n)`, k a multiple of the stride.
    """
    k, _, c, n = kernel.shape
    if stride == 1:
        return same(x, kernel)
    r = k // stride
    by_cell = kernel.reshape(r, stride, r, stride, c, n).transpose(0, 2, 1, 3, 4, 5).reshape(r, r, -1, n)
    return convolve(cells(around(x, (k - stride) // 2, (k - stride + 1) // 2), stride), by_cell)


def transposed(x: Array, kernel: Array, stride: int) -> Array:
    """Spread each pixel of an image `(h, w, c)` over k × k pixels, `stride` apart: `(h stride, w stride, n)`.

    The transpose of `strided`, with the kernel `(k, k, n, c)` of that; k is a multiple of the stride.
    """
    k, _, n, c = kernel.shape
    r, (h, w) = k // stride, x.shape[:2]
    turned = kernel.reshape(r, stride, r, stride, n, c)[::-1, :, ::-1]
    by_cell = turned.transpose(0, 2, 5, 1, 3, 4).reshape(r, r, c, -1)
    wide = pixels(convolve(around(x, r - 1, r - 1), by_cell), stride)
    start = (k - stride) // 2
    return wide[start : start + h * stride, start : start + w * stride]


def around(x: Array, before: int, after: int) -> Array:
    """Put zeros around an image `(h, w, c)`, so many rows and columns before it and after it."""
    return jnp.pad(x, ((before, after), (before, after), (0, 0))) if before or after else x


def cells(x: Array, s: int) -> Array:
    """Turn squares of s × s pixels into channels: `(h s, w s, c)` to `(h, w, s s c)`."""
    if s == 1:
        return x
    h, w, c = x.shape[0] // s, x.shape[1] // s, x.shape[2]
    return x.reshape(h, s, w, s, c).transpose(0, 2, 1, 3, 4).reshape(h, w, s * s * c)


def pixels(x: Array, s: int) -> Array:
    """Undo `cells`: `(h, w, s s c)` to `(h s, w s, c)`."""
    if s == 1:
        return x
    h, w, c = x.shape[0], x.shape[1], x.shape[2] // (s * s)
    return x.reshape(h, w, s, s, c).transpose(0, 2, 1, 3, 4).reshape(h * s, w * s, c)
