r"""Counts: the Poisson family, and the negative binomial for counts that spread more.

With rate $\lambda = e^\eta$ and $x = v + 1$, $\delta = \eta - \log x$, the Poisson mass is

$$\log p(v) = v\eta - \lambda - \log v! = x\,(\delta - (e^\delta - 1)) - \delta - \tfrac12\log(2\pi x) - S(x),$$

where $S$ is the error of Stirling's formula: the second form has no large terms to cancel, so a count of a million
keeps its digits in float32. The negative binomial with mean $\mu$ and dispersion $r$ has variance $\mu + \mu^2/r$ (is
Poisson with a rate drawn from a gamma of shape $r$ and mean $\mu$) and, treated likewise,

$$\log p(v) = r\log\frac{v+r}{\mu+r} + v\log\frac{v+r}{x + re^{-\delta}} + \tfrac12\log\frac r{2\pi(v+r)x} + 1
+ S(v+r) - S(r) - S(x).$$

Its derivatives, with $D(w) = \psi(w) - \log w$,

$$\frac{\partial\log p}{\partial\log\mu} = r\frac{v-\mu}{\mu+r},\qquad
\frac{\partial\log p}{\partial\log r} = r\Big(\log\frac{v+r}{\mu+r} - \frac{v-\mu}{\mu+r} + D(v+r) - D(r)\Big).$$

Log-rates are smoothly bounded to $\pm20$, log-dispersions to $\pm7$.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from laten.common import random
from laten.common.numerics import (
    LOG_2PI,
    LOG_SCALE_LIMIT,
    bisect,
    digamma_error,
    log_ratio,
    log_scale,
    stirling_error,
    unbound,
)
from laten.common.types import Array, Key
from laten.families.base import Family
from laten.families.column_moments import moments
from laten.families.of_total import OfTotal, spread_of_totals
from laten.families.same_density import has_density_of
from laten.families.scale import check_source

MOST = 1e9  # a drawn rate stays below it: counts are drawn as int32


def _quantile(cdf, p: Array, mean: Array, variance: Array) -> Array:
    """Return the smallest count with cdf >= p, within Cantelli's bound mean + sd sqrt(p / (1 - p))."""
    p = jnp.broadcast_to(p, mean.shape)
    high = mean + jnp.sqrt(variance * p / (1 - p)) + 1
    return jnp.round(bisect(cdf, p, jnp.zeros_like(mean), high))


@dataclass(frozen=True, repr=False)
class Poisson(OfTotal):
    """Independent counts 0, 1, 2, ... as float32; variance = mean.

    Args:
        size: Number of sites, or their shape.
        total: Name of the parent that gives the row's total, of which the net then says shares; None: it says means.
    Raises:
        DeclarationError: a size that is no whole number of at least 1, or is no shape.
    """

    @property
    def n_raw(self) -> int:
        return self.n_sites + (self.total is not None)

    @property
    def n_net(self) -> int:
        return self.n_sites

    def log_rate(self, raw: Array) -> Array:
        """Return the log of the rate, of `shape`."""
        return self.log_means(*jnp.split(raw, [self.n_sites]))

    def log_prob(self, raw: Array, value: Array) -> Array:
        x = value + 1
        log_x = jnp.log(x)
        delta = self.log_rate(raw) - log_x
        return x * (delta - jnp.expm1(delta)) - delta - 0.5 * (LOG_2PI + log_x) - stirling_error(x)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        value = jax.random.poisson(key, self.mean(raw), self.shape).astype(raw.dtype)
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        return jnp.exp(self.log_rate(raw))

    def mode(self, raw: Array) -> Array:
        return jnp.floor(self.mean(raw))

    def cdf(self, raw: Array, value: Array) -> Array:
        return jsp.gammaincc(jnp.floor(value) + 1, self.mean(raw))

    def quantile(self, raw: Array, p: Array) -> Array:
        rate = self.mean(raw)
        return _quantile(lambda v: self.cdf(raw, v), p, rate, rate)

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        if not (has_density_of(self, Poisson) and has_density_of(other, Poisson)):
            return None
        log_rate, other_log_rate = self.log_rate(raw), other.log_rate(other_raw)
        rate = jnp.exp(log_rate)
        return rate * (log_rate - other_log_rate) - rate + jnp.exp(other_log_rate)

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        count, mean, _ = moments(values, mask)
        return self.raw_of(mean, count)


@dataclass(frozen=True, repr=False)
class NegativeBinomial(OfTotal):
    """Independent counts 0, 1, 2, ... as float32; variance = mean + mean² / dispersion.

    Args:
        size: Number of sites, or their shape.
        dispersion: `"net"`: the net puts out a log-dispersion a site; `"site"`: a learned constant a site.
        total: As in `Poisson`.
    Raises:
        DeclarationError: a size or dispersion that cannot be.
    """

    dispersion: str = "net"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_source(self.dispersion, "NegativeBinomial", "dispersion")

    @property
    def n_raw(self) -> int:
        return 2 * self.n_sites + (self.total is not None)

    @property
    def n_net(self) -> int:
        return 2 * self.n_sites if self.dispersion == "net" else self.n_sites

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        """Return log-mean and log-dispersion, each of `shape`."""
        # not cut: see `scale.location_scale`
        first, log_r, last = jnp.split(raw, [self.n_sites, 2 * self.n_sites])
        return self.log_means(first, last), log_scale(log_r.reshape(self.shape))

    def log_prob(self, raw: Array, value: Array) -> Array:
        return _log_mass(*self.parameters(raw), value)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        log_mean, log_r = self.parameters(raw)
        gamma_key, count_key = random.split(key)
        log_rate = jax.random.loggamma(gamma_key, jnp.exp(log_r), self.shape, raw.dtype) - log_r + log_mean
        rate = jnp.minimum(jnp.exp(log_rate), MOST)
        value = jax.random.poisson(count_key, rate, self.shape).astype(raw.dtype)
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        return jnp.exp(self.parameters(raw)[0])

    def mode(self, raw: Array) -> Array:
        log_mean, log_r = self.parameters(raw)
        return jnp.floor(jnp.maximum(jnp.exp(log_mean) * -jnp.expm1(-log_r), 0))  # mean (r - 1) / r

    def cdf(self, raw: Array, value: Array) -> Array:
        log_mean, log_r = self.parameters(raw)
        return jsp.betainc(jnp.exp(log_r), jnp.floor(value) + 1, jax.nn.sigmoid(log_r - log_mean))

    def quantile(self, raw: Array, p: Array) -> Array:
        log_mean, log_r = self.parameters(raw)
        mean = jnp.exp(log_mean)
        return _quantile(lambda v: self.cdf(raw, v), p, mean, mean + jnp.exp(2 * log_mean - log_r))

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        count, mean, sd = moments(values, mask)
        spread = np.square(sd) - (0 if self.total is None else np.square(mean) * spread_of_totals(values))
        extra = np.maximum(spread - mean, 1e-2 * (mean + 1))  # what a Poisson of this mean would not have
        r = np.where(count > 0, np.square(mean) / extra, 1.0)
        log_r = np.log(np.clip(r, 1e-2, 1e2))
        return self.raw_of(mean, count, unbound(log_r, LOG_SCALE_LIMIT))


@jax.custom_jvp
def _log_mass(log_mean: Array, log_r: Array, value: Array) -> Array:
    """Return log p of a negative binomial.

    Its derivatives are written out below: those that JAX derives, most of them quotients, took two fifths of a training
    step.
    """
    r, x, y = jnp.exp(log_r), value + 1, value + jnp.exp(log_r)
    log_x = jnp.log(x)
    delta = log_mean - log_x
    mean, inverse = x * jnp.exp(delta), r * jnp.exp(-delta)
    failures = r * log_ratio(y, mean + r, -1 - x * jnp.expm1(delta))
    successes = value * log_ratio(y, x + inverse, -1 - r * jnp.expm1(-delta))
    error = stirling_error(y + 1) + _shift(y) - stirling_error(r + 1) - _shift(r) - stirling_error(x)
    out = failures + successes + 0.5 * (log_r - jnp.log(y) - log_x - LOG_2PI) + 1 + error
    # with this choice XLA computes the terms before their sum over sites; without, both at once, and on one core
    return jnp.where(value >= 0, out, -jnp.inf)


def _log_mass_jvp(primals: tuple[Array, ...], tangents: tuple[Any, ...]) -> tuple[Array, Any]:
    log_mean, log_r, value = primals
    r, x = jnp.exp(log_r), value + 1
    delta = log_mean - jnp.log(x)
    y, total, off = value + r, x * jnp.exp(delta) + r, -1 - x * jnp.expm1(delta)  # off: value - mean
    gap = log_ratio(y, total, off)
    slopes = (
        lambda: r * off / total,
        lambda: r * (gap - off / total + digamma_error(y) - digamma_error(r)),
        lambda: gap + delta + digamma_error(y) - digamma_error(x),
    )
    moved = [slope() * t for slope, t in zip(slopes, tangents, strict=True) if not isinstance(t, SymbolicZero)]
    return _log_mass(*primals), sum(moved[1:], moved[0]) if moved else tangents[0]


_log_mass.defjvp(_log_mass_jvp, symbolic_zeros=True)


def _shift(x: Array) -> Array:
    """Return S(x) - S(x + 1), which carries Stirling's error below one."""
    return (x + 0.5) * jnp.log1p(1 / x) - 1
