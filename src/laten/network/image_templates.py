"""Ready-made networks of images, built of tokens: squares of pixels."""

import numpy as np

from laten.common.errors import DeclarationError, whole
from laten.families import (
    Bernoulli,
    Deterministic,
    DiscretizedLogistic,
    Family,
    Mixture,
    Node,
    Normal,
    NormalMixture,
    Relative,
)
from laten.network.nets.grids import divided
from laten.network.nets.tokens import Residual
from laten.network.network import Network


def deep_image(
    x: Family,
    depth: int = 2,
    width: int = 48,
    latent: int = 32,
    channels: int = 2,
    patch: int = 4,
    blocks: int = 1,
    components: int = 64,
) -> tuple[Network, Network]:
    """Declare p(zL) ... p(z1 | z2, ..., zL) p(x | all), and its guide from the top down (Child 2021, VDVAE).

    One deep net on a grid of tokens runs from the top to the image, and each latent below the top is told of it and
    adds to it. The guide reads the image from below, shares that net, and starts from what it says of each latent.

    Args:
        x: Family of the image, `(height, width)` or `(height, width, channels)`, such as `lt.Bernoulli((28, 28))`;
            `pixels` chooses one.
        depth: Number of latents; the top is a vector, the others lie on the grid.
        width: Channels of a token.
        latent: Length of the top.
        channels: Of each other latent, at each token.
        patch: Side of the square of pixels that makes a token.
        blocks: Residual blocks between two latents.
        components: Normals in the mixture that is the prior of the top.
    Raises:
        DeclarationError: an image whose sides `patch` does not divide, or sizes below 1.
    """
    whole("deep_image: depth", depth, error=DeclarationError)
    side, net = tokens_of(x, patch), Residual(width, blocks)
    layer, say = Deterministic((*side, width)), Residual(width, 0)
    p: dict[str, Family | Node] = {f"z{depth}": NormalMixture(latent, components)}
    p[f"h{depth}"] = layer.given(f"z{depth}", via=net)
    q: dict[str, Family | Node] = {"e1": layer.given("x", via=net)}
    for level in range(2, depth + 1):
        q[f"e{level}"] = layer.given(f"e{level - 1}", via=net)
    q[f"z{depth}"] = Normal(latent).given(f"e{depth}", via=say)
    for level in range(depth - 1, 0, -1):
        above, z = f"h{level + 1}", f"z{level}"
        p[z] = Normal((*side, channels)).given(above, via=say)
        p[f"h{level}"] = layer.given(above, z, via=net)
        q[z] = Relative((*side, channels)).given(above, f"e{level}", via=Residual(width, 1, kernel=1))
    p["x"] = x.given("h1", via=say)
    return Network(**p), Network(**q)


def tokens_of(x: Family, patch: int) -> tuple[int, int]:
    """Return the grid of tokens of an image.

    Raises:
        DeclarationError: no image, or sides that `patch` does not divide.
    """
    whole("deep_image: patch", patch, error=DeclarationError)
    if not isinstance(x, Family) or len(x.shape) not in (2, 3):
        raise DeclarationError(f"deep_image: {x!r} is no image (height, width) or (height, width, channels)")
    try:
        return divided((x.shape[0], x.shape[1]), patch, f"deep_image: patch={patch}")
    except ValueError as error:
        raise DeclarationError(str(error)) from None


def pixels(images: np.ndarray) -> Family:
    """Choose the family of images `(rows, height, width)` or `(rows, height, width, channels)` by their values.

    Zeros and ones: `Bernoulli`; whole numbers: a discretised logistic a pixel, of several channels a mixture of five
    that choose together (Salimans et al. 2017); others: `Normal` with one scale, learned, for all pixels (Rybkin et al.
    2021).

    NaN is a hidden pixel.

    Raises:
        DeclarationError: an array of another shape, without numbers, or empty.
    """
    images, shape = np.asarray(images), np.shape(images)[1:]
    if images.dtype.kind not in "biuf":
        raise DeclarationError(f"pixels: images must be numbers, not of type {images.dtype}")
    seen = images[~np.isnan(images)]
    if len(shape) not in (2, 3) or not seen.size:
        raise DeclarationError(
            "pixels: images must be an array (rows, height, width) or (rows, height, width, channels), "
            f"not {images.shape}{' without a pixel that is seen' if images.size else ''}"
        )
    low, high = np.min(seen), np.max(seen)
    if low >= 0 and high <= 1 and np.isin(seen, (0, 1)).all():
        return Bernoulli(shape)
    if not np.issubdtype(images.dtype, np.integer):
        return Normal(shape, scale="shared")
    levels = DiscretizedLogistic(shape) if low >= 0 and high < 256 else DiscretizedLogistic(shape, high - low + 1, low)
    return Mixture(levels, 5, together=True) if len(shape) == 3 and shape[-1] > 1 else levels
