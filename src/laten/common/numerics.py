r"""Numerically safe pieces shared by families and estimators.

A scale is bounded by construction: with raw number $s$, $\log\sigma = 7\tanh(s/7)$, so that
$9\cdot10^{-4} < \sigma < 1.1\cdot10^3$, $\sigma(0) = 1$, and gradients stay finite everywhere.

Mass of a logistic variable between $a < b$, stable in both tails:
$\log(\sigma(b)-\sigma(a)) = \log\sigma(b) + \log\sigma(-a) + \log(1-e^{-(b-a)})$.

Log-factorials go through Stirling's formula and its error $S$, so that big counts keep their digits:
$\log\Gamma(x) = (x-\tfrac12)\log x - x + \tfrac12\log 2\pi + S(x)$, $S$ by Stieltjes' continued fraction.
"""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common.types import Array, Key

LOG_SCALE_LIMIT = 7.0
LOGIT_LIMIT = 30.0
LOG_2PI = math.log(2 * math.pi)
LOG_2_HIGH = 0.693359375  # nine bits
LOG_2_LOW = math.log(2) - LOG_2_HIGH


def bound(x: Array, limit: float) -> Array:
    """Squash `x` smoothly into (-limit, limit), with slope one at zero."""
    return limit * jnp.tanh(x / limit)


def unbound(y: np.ndarray, limit: float) -> np.ndarray:
    """Undo `bound` on the host; values past the limit are moved just inside it."""
    return limit * np.arctanh(np.clip(y / limit, -0.999, 0.999))


def log_scale(s: Array) -> Array:
    """Return the log of a bounded scale from its raw number; `log_scale(0) = 0`."""
    return bound(s, LOG_SCALE_LIMIT)


def log_mean_exp(x: Array, axis: int = -1) -> Array:
    """Return the log of the mean of exp(x) along `axis`, without overflow."""
    return jax.nn.logsumexp(x, axis=axis) - math.log(x.shape[axis])


@jax.custom_jvp
def log_minus(x: Array, a: Array) -> Array:
    """Return log(x) - a for x > 0, with its digits where log(x) is large and near `a`.

    x = m 2^e, and log 2 in two parts, of which e times the first is exact (Cody and Waite, 1980).
    """
    m, e = jnp.frexp(x)
    small = m < math.sqrt(0.5)
    m, e = jnp.where(small, 2 * m, m), jnp.where(small, e - 1, e).astype(x.dtype)
    return (e * LOG_2_HIGH - a) + (e * LOG_2_LOW + jnp.log(m))


@log_minus.defjvp
def _log_minus_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    return log_minus(*primals), tangents[0] / primals[0] - tangents[1]


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), without overflow."""
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


def softplus_inverse(y: np.ndarray) -> np.ndarray:
    """Undo `softplus` for positive `y`, on the host."""
    return y + np.log(-np.expm1(-y))


def log_logistic_cell(lower: Array, upper: Array, width: Array) -> Array:
    """Return the log of the logistic mass in (lower, upper); `width` is upper - lower, apart to keep its digits.

    Use a large finite number (1e9), not infinity, for an open end and its width: gradients stay finite.
    """
    return jnp.log(-jnp.expm1(-width)) - softplus(-upper) - softplus(lower)


def stirling_error(x: Array) -> Array:
    """Return log Gamma(x) minus Stirling's formula, for x >= 1, within 3e-7.

    Stieltjes' fraction, x + 1 in place of its rest, as the quotient of its convergents in t = 1 / x: two divisions.
    """
    t = 1 / x
    below, above = jnp.ones_like(t), 1 + t
    for numerator in (29944523 / 19733142, 22999 / 22737, 195 / 371, 53 / 210, 1 / 30):  # innermost first
        below, above = above, above + numerator * jnp.square(t) * below
    return below * t / (12 * above)


def digamma_error(x: Array) -> Array:
    r"""Return $\psi(x) - \log x$ for x > 0: three steps of $\psi(x) = \psi(x+1) - 1/x$, then its asymptotic series."""
    top = x + 3
    t = 1 / jnp.square(top)
    series = t * (1 / 12 - t * (1 / 120 - t * (1 / 252 - t / 240)))
    steps = (3 * x * (x + 2) + 2) / (x * (x + 1) * (x + 2))
    return jnp.log1p(3 / x) - 0.5 / top - series - steps


def log_gamma(x: Array) -> Array:
    """Return log Gamma(x) for x >= 1."""
    return (x - 0.5) * jnp.log(x) - x + 0.5 * LOG_2PI + stirling_error(x)


def log_ratio(a: Array, b: Array, difference: Array) -> Array:
    """Return log(a / b) of positive numbers whose `difference` a - b is known to full precision.

    Where they are near, 2 artanh((a - b) / (a + b)) by its series: two logarithms less.
    """
    s = difference / (a + b)
    near = jnp.abs(s) < 0.25
    square = jnp.square(jnp.where(near, s, 0.0))  # what is not taken stays finite, and its gradient
    series = 2 * s * (1 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square * (1 / 9 + square / 11)))))
    return jnp.where(near, series, jnp.log(a / b))


def bisect(cdf: Callable[[Array], Array], p: Array, low: Array, high: Array, steps: int = 100) -> Array:
    """Find the smallest x in [low, high] with cdf(x) >= p, elementwise; `cdf` may be a step function.

    Args:
        cdf: Non-decreasing, elementwise.
        steps: Halvings; 100 reach float32 resolution from any bracket.
    """

    def halve(_: int, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = low + 0.5 * (high - low)
        below = cdf(middle) < p
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    return jax.lax.fori_loop(0, steps, halve, (low, high))[1]


def stopped(tree: Any) -> Any:
    """Let no gradient flow through weights."""
    return jax.tree.map(lambda x: jax.lax.stop_gradient(x) if eqx.is_inexact_array(x) else x, tree)


def is_abstract(key: Key) -> bool:
    """Say whether shapes alone are wanted: under `jax.eval_shape` nothing is drawn, and no memory taken."""
    return host_rng(key) is None


def host_rng(key: Key) -> Any:
    """Seed a NumPy generator by a JAX key; None where shapes alone are wanted."""
    try:
        return np.random.default_rng(np.asarray(jax.random.key_data(key)))
    except jax.errors.TracerArrayConversionError:
        return None


def host_keys(key: Key, n: int) -> list[Key]:
    """Make `n` independent keys on the host: nothing to compile."""
    if is_abstract(key):
        return [key] * n
    words = host_rng(key).integers(0, 2**32, (n, jax.random.key_data(key).size), np.uint32)
    return [jax.random.wrap_key_data(on_device(w)) for w in words]


def on_device(x: np.ndarray) -> Array:
    """Turn a host array into JAX's; nothing to compile, where `jnp.asarray` wants a program for each shape."""
    return jax.device_put(x)
