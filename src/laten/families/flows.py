r"""Flows: invertible maps of a vector with weights of their own, and the log-determinant of their slope.

A recipe is a frozen dataclass; called with the length of the vector, the length of a context and a key it builds a
module, whose two directions are `module(u, context)` and `module.inverse(x, context)`. Both return the mapped vector
and log |dx/du|. Any callable of that signature is a recipe.

- `Spline`: coupling layers (Durkan et al. 2019). Half of the sites stay as they are and decide, through a small net,
  the monotone rational-quadratic splines of the others on [-5, 5]; outside, the map is the identity. Both directions
  are equally fast.
- `Autoregressive`: $x_i = u_i\,e^{s_i(u_{<i})} + m_i(u_{<i})$ by masked nets (Kingma et al. 2016; Germain et al. 2015),
  each layer in the reverse order of the last. Fast towards draws; its inverse takes a pass for each site, as an
  equation after the other is solved. `fast="density"` is the other way round (Papamakarios et al. 2017).

All weights start so that the map is nearly the identity.
"""

import math
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError, whole
from laten.common.numerics import bound, host_keys, host_rng, on_device, softplus
from laten.common.types import Array, Key

EDGE = 5.0  # splines live on [-EDGE, EDGE]
LEAST = 1e-2  # share of the width and height, and slope, of a piece of a spline: float32 inverts no flatter one
MOST_BINS = 64
MOST_SCALE = 3.0  # of a layer's log-scale
Mapped = tuple[Array, Array]  # a vector, and log |dx/du|


class Hidden(eqx.Module):
    """Two layers with a rectifier between: `(n_in,)` -> `(n_out,)`; a mask takes connections away."""

    inner: Array  # (n_in, width)
    offset: Array  # (width,)
    outer: Array  # (width, n_out)
    start: Array  # (n_out,)

    def __call__(self, x: Array, masks: tuple[np.ndarray, np.ndarray] | None = None) -> Array:
        inner, outer = self.inner, self.outer
        if masks is not None:
            inner, outer = inner * masks[0], outer * masks[1]
        return jax.nn.relu(x @ inner + self.offset) @ outer + self.start


def hidden(n_in: int, width: int, n_out: int, key: Key) -> Hidden:
    """Draw the weights of two layers; the last starts small."""
    rng = host_rng(key)

    def normal(a: int, b: int, variance: float) -> Array:
        if rng is None:  # shapes alone are wanted
            return jnp.zeros((a, b), jnp.float32)
        return on_device(rng.standard_normal((a, b), np.float32) * np.float32(math.sqrt(variance / max(a, 1))))

    zeros = [jnp.zeros(n, jnp.float32) if rng is None else on_device(np.zeros(n, np.float32)) for n in (width, n_out)]
    return Hidden(normal(n_in, width, 2.0), zeros[0], normal(width, n_out, 1e-4), zeros[1])


def check_flow(flow: "Spline | Autoregressive") -> None:
    """Check the fields that both recipes have."""
    for name in ("layers", "width"):
        whole(f"{type(flow).__name__}: {name}", getattr(flow, name), error=DeclarationError)


# -- coupling by splines ----------------------------------------------------------


@dataclass(frozen=True)
class Spline:
    """Coupling layers of monotone splines: fast in both directions, for priors and guides.

    Args:
        layers: Number of layers; two move each site once.
        width: Units of each layer's net.
        bins: Pieces of a spline.
    Raises:
        DeclarationError: a number below 1, a single bin, or more than 64.
    """

    layers: int = 4
    width: int = 64
    bins: int = 8

    def __post_init__(self) -> None:
        check_flow(self)
        if whole("Spline: bins", self.bins, 2, DeclarationError) > MOST_BINS:
            raise DeclarationError(f"Spline: bins must be at most {MOST_BINS}, not {self.bins}")

    def __call__(self, n: int, n_context: int, key: Key) -> "Coupling":
        keys, nets = host_keys(key, self.layers), []
        for layer, k in enumerate(keys):
            moved = int(splitting(n, layer).sum())
            nets.append(hidden(n - moved + n_context, self.width, moved * (3 * self.bins - 1), k))
        return Coupling(tuple(nets), self.bins)


def splitting(n: int, layer: int) -> np.ndarray:
    """Return which of `n` sites a layer moves: odd or even ones, then a half; of one site that one."""
    sites = np.arange(n)
    group = sites % 2 if layer // 2 % 2 == 0 else (sites >= n / 2).astype(int)
    return np.ones(1, bool) if n == 1 else group == layer % 2


class Coupling(eqx.Module):
    """Layers of a `Spline`."""

    nets: tuple[Hidden, ...]
    bins: int = eqx.field(static=True)

    def __call__(self, u: Array, context: Array) -> Mapped:
        total = jnp.zeros(())
        for layer in range(len(self.nets)):
            u, slope = self.moved(layer, u, context, False)
            total += slope
        return u, total

    def inverse(self, x: Array, context: Array) -> Mapped:
        total = jnp.zeros(())
        for layer in reversed(range(len(self.nets))):
            x, slope = self.moved(layer, x, context, True)
            total += slope
        return x, total

    def moved(self, layer: int, x: Array, context: Array, back: bool) -> Mapped:
        """Move the sites of one layer by their splines, or move them back."""
        moves = splitting(len(x), layer)
        sites = np.eye(len(x), dtype=np.float32)
        there, rest = sites[moves], sites[~moves]  # (moved, n), (kept, n): products choose without a loop
        left = exactly(rest, x)
        raw = self.nets[layer](jnp.concatenate([left, context])).reshape(len(there), -1)
        y, slope = jax.vmap(spline, (0, 0, None))(exactly(there, x), raw, back)
        return exactly(there.T, y) + exactly(rest.T, left), jnp.sum(slope)


def exactly(chosen: np.ndarray, x: Array) -> Array:
    """Return the product of a matrix of zeros and ones and a vector, which is never rounded."""
    return jnp.matmul(jnp.asarray(chosen), x, precision=jax.lax.Precision.HIGHEST)


def spline(x: Array, raw: Array, back: bool) -> Mapped:
    """Map a number by a rational-quadratic spline (Gregory & Delbourgo 1982), or back; and the log-slope forward.

    Args:
        raw: `(3 bins - 1,)` widths, heights and inner slopes; of zeros it is the identity.
    """
    bins = (len(raw) + 1) // 3
    widths, heights, slopes = jnp.split(raw, [bins, 2 * bins])
    knots = [2 * EDGE * (LEAST + (1 - LEAST * bins) * jax.nn.softmax(part)) for part in (widths, heights)]
    at, to = (jnp.concatenate([jnp.zeros(1), jnp.cumsum(part)[:-1], jnp.full(1, 2 * EDGE)]) - EDGE for part in knots)
    one = jnp.ones(1)
    slopes = jnp.concatenate([one, LEAST + (1 - LEAST) * softplus(slopes + math.log(math.e - 1)), one])
    inside = jnp.clip(x, -EDGE, EDGE)
    k = jnp.clip(jnp.sum(inside >= (to if back else at)) - 1, 0, bins - 1)
    low, left, width, height = at[k], to[k], at[k + 1] - at[k], to[k + 1] - to[k]
    s, d0, d1 = height / width, slopes[k], slopes[k + 1]
    if back:
        y = inside - left
        bend = y * (d0 + d1 - 2 * s)
        a, b, c = height * (s - d0) + bend, height * d0 - bend, -s * y
        t = 2 * c / (-b - jnp.sqrt(jnp.maximum(b * b - 4 * a * c, 0.0)))
        t = jnp.clip(t, 0.0, 1.0)
        value = low + t * width
    else:
        t = jnp.clip((inside - low) / width, 0.0, 1.0)
        value = left + height * (s * t * t + d0 * t * (1 - t)) / (s + (d0 + d1 - 2 * s) * t * (1 - t))
    below = s + (d0 + d1 - 2 * s) * t * (1 - t)
    slope = 2 * jnp.log(s) + jnp.log(d1 * t * t + 2 * s * t * (1 - t) + d0 * jnp.square(1 - t)) - 2 * jnp.log(below)
    outside = jnp.abs(x) > EDGE
    return jnp.where(outside, x, value), jnp.where(outside, 0.0, slope)


# -- one site after the other -----------------------------------------------------


@dataclass(frozen=True)
class Autoregressive:
    """Scales and shifts of each site by those before it: many weights, one fast direction.

    Args:
        layers: Number of layers, each in the reverse order of the last.
        width: Units of each layer's net.
        fast: `"draws"`: draws are fast, the density of a given value is slow (an inverse autoregressive flow, for
            guides); `"density"`: the other way round (a masked autoregressive flow, for observed nodes).
    Raises:
        DeclarationError: a number below 1, or another word.
    """

    layers: int = 2
    width: int = 128
    fast: str = "draws"

    def __post_init__(self) -> None:
        check_flow(self)
        if self.fast not in ("draws", "density"):
            raise DeclarationError(f"Autoregressive: fast must be 'draws' or 'density', not {self.fast!r}")

    def __call__(self, n: int, n_context: int, key: Key) -> "Ordered":
        keys = host_keys(key, self.layers)
        nets = tuple(hidden(n + n_context, self.width, 2 * n, k) for k in keys)
        return Ordered(nets, self.fast == "density")


class Ordered(eqx.Module):
    """Layers of an `Autoregressive`; where `turned`, all of them run backwards."""

    nets: tuple[Hidden, ...]
    turned: bool = eqx.field(static=True)

    def __call__(self, u: Array, context: Array) -> Mapped:
        return self.backward(u, context, -1.0) if self.turned else self.forward(u, context, 1.0)

    def inverse(self, x: Array, context: Array) -> Mapped:
        return self.forward(x, context, -1.0) if self.turned else self.backward(x, context, 1.0)

    def forward(self, u: Array, context: Array, sign: float) -> Mapped:
        """Map in one pass a layer; the log-slopes are counted with a sign."""
        total = jnp.zeros(())
        for layer in range(len(self.nets)):
            scale, shift = self.said(layer, u, context)
            u, total = u * jnp.exp(scale) + shift, total + sign * jnp.sum(scale)
        return u, total

    def backward(self, x: Array, context: Array, sign: float) -> Mapped:
        """Undo `forward`: a pass for each site, after which that site is right."""
        total = jnp.zeros(())
        for layer in reversed(range(len(self.nets))):

            def better(u: Array, _: None, x: Array = x, layer: int = layer) -> tuple[Array, None]:
                scale, shift = self.said(layer, u, context)
                return (x - shift) * jnp.exp(-scale), None

            u = jax.lax.scan(better, x, None, length=len(x))[0]
            total, x = total + sign * jnp.sum(self.said(layer, u, context)[0]), u
        return x, total

    def said(self, layer: int, u: Array, context: Array) -> Mapped:
        """Return log-scale and shift of each site, `(n,)` each, by the sites before it."""
        net = self.nets[layer]
        masks = connections(len(u), len(context), net.offset.shape[0], layer % 2 == 1)
        scale, shift = jnp.split(net(jnp.concatenate([u, context]), masks), 2)
        return bound(scale, MOST_SCALE), shift


def connections(n: int, n_context: int, width: int, backwards: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the masks of two layers, by which a site is told of the context and of the sites before it alone."""
    order = np.arange(1, n + 1)[:: -1 if backwards else 1]
    reached = np.arange(width) % max(n, 1)  # a unit sees the sites up to this place
    seen = np.concatenate([order, np.zeros(n_context)])
    inner = seen[:, None] <= reached
    outer = reached[:, None] < np.concatenate([order, order])
    return inner.astype(np.float32), outer.astype(np.float32)


FLOWS: dict[str, Any] = {flow.__name__: flow for flow in (Spline, Autoregressive)}  # by name, for model files
