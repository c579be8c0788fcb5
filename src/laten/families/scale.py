r"""The scale of a family: given by the net, learned, or fixed.

`"net"`: the net gives a raw number for each site; `"site"`: a learned constant for each; `"shared"`: one for all sites
(probabilistic PCA); a number $c > 0$: fixed. Raw vectors are laid out location first, then scale, so that what a net
supplies always comes first:

$$\text{raw} = (\mu_1,\dots,\mu_n,\; s_1,\dots,s_n), \qquad \log\sigma = 7\tanh(s/7) \ \text{ or }\ \log c .$$
"""

import math
from numbers import Real

import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError
from laten.common.numerics import LOG_SCALE_LIMIT, log_scale, unbound
from laten.common.types import Array
from laten.families.sizes import Shape

SMALLEST_SD = 1e-3  # where a constant column starts


def check_scale(scale: str | float, family: str) -> str | float:
    """Return `scale` as "net", "site", "shared" or a plain positive number.

    Raises:
        DeclarationError: anything else.
    """
    if isinstance(scale, str) and scale in ("net", "site", "shared"):
        return scale
    if isinstance(scale, Real) and not isinstance(scale, bool) and 0 < float(scale) < math.inf:
        return float(scale)
    raise DeclarationError(f"{family}: scale must be 'net', 'site', 'shared' or a positive number, not {scale!r}")


def check_source(source: str, family: str, name: str) -> None:
    """Raise a DeclarationError unless `source` is "net" or "site"."""
    if not isinstance(source, str) or source not in ("net", "site"):
        raise DeclarationError(f"{family}: {name} must be 'net' or 'site', not {source!r}")


def n_scale(scale: str | float, n_sites: int) -> int:
    """Return the number of raw numbers that the scale takes."""
    return 0 if not isinstance(scale, str) else 1 if scale == "shared" else n_sites


def location_scale(raw: Array, shape: Shape, scale: str | float) -> tuple[Array, Array]:
    """Return location and log-scale, each of `shape`, from the first raw numbers."""
    n = math.prod(shape)
    # split and not cut: the gradient of a cut is padded with zeros, by a loop that the compiler does not vectorise
    if scale == "shared":
        loc, one, _ = jnp.split(raw, [n, n + 1])
        return loc.reshape(shape), jnp.full(shape, log_scale(one[0]))
    if isinstance(scale, str):
        loc, spread, _ = jnp.split(raw, [n, 2 * n])
        return loc.reshape(shape), log_scale(spread.reshape(shape))
    return jnp.split(raw, [n])[0].reshape(shape), jnp.full(shape, math.log(scale), raw.dtype)


def raw_location_scale(loc: np.ndarray, spread: np.ndarray, scale: str | float) -> np.ndarray:
    """Invert `location_scale` on the host, float64; `spread` is the scale itself, floored at `SMALLEST_SD`."""
    if not isinstance(scale, str):
        return loc
    if scale == "shared":
        spread = np.sqrt(np.mean(np.square(spread), keepdims=True).reshape(1))
    return np.concatenate([loc, unbound(np.log(np.maximum(spread, SMALLEST_SD)), LOG_SCALE_LIMIT)])
