r"""Directions: the von Mises–Fisher distribution on the sphere, and the uniform one (Davidson et al. 2018).

Of unit vectors x in d dimensions, with mean direction $\mu$ and concentration $\kappa$,

$$\log p(x) = -\kappa(1-\mu^\top x) - \log A_{d-2} - \log I(\kappa),\qquad
I(\kappa) = \int_0^\pi \sin^{d-2}\theta\; e^{-\kappa(1-\cos\theta)}\,d\theta,$$

where $A_{d-2}$ is the area of the sphere of directions at one angle $\theta$ from $\mu$. The integral is a sum over
Gauss–Legendre points around the mode of the integrand: it holds float32's digits for every d and κ, where Bessel
functions overflow. The angle of a draw is Wood's (1994), the first of 16 proposals that is taken. Its gradient is
implicit (Figurnov et al. 2018): with F the distribution function of the angle and p its density,

$$\frac{d\theta}{d\kappa} = -\frac{\partial F/\partial\kappa}{p(\theta)} =
-\frac1{p(\theta)}\int_0^\theta(\cos s - \mathbb E\cos)\,p(s)\,ds .$$
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.numerics import log_scale
from laten.common.types import Array, Key
from laten.families.base import Family, Support
from laten.families.same_density import has_density_of
from laten.families.sized import Sized
from laten.families.sizes import as_count

PROPOSALS = 16  # fewer than one draw in 10^7 has none that is taken
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(64)
FAR = 10.0  # standard deviations around the mode that are integrated over
TINY = 1e-12
START = 0.1  # of the first axis, that raw numbers of zero have a direction; small, so that a new net can say any


class Angle(NamedTuple):
    """What is known of the angle from the mean direction.

    Args:
        low, high: Between which it lies, but for nothing that float32 sees.
        mode: Of its density.
        log_integral: log I(κ).
        loss: E[1 - cos θ].
    """

    low: Array
    high: Array
    mode: Array
    log_integral: Array
    loss: Array


def log_density(angle: Array, kappa: Array, d: int) -> Array:
    """Return the integrand's logarithm."""
    return (d - 2) * jnp.log(jnp.maximum(jnp.sin(angle), TINY)) - 2 * kappa * jnp.square(jnp.sin(angle / 2))


def angle_of(kappa: Array, d: int) -> Angle:
    """Integrate over the angle; the gradient of `log_integral` is minus `loss`."""
    m, k = d - 2, jax.lax.stop_gradient(kappa)
    root = jnp.sqrt(m**2 + 4 * jnp.square(k))
    versine = m * (1 + m / jnp.maximum(root + 2 * k, TINY)) / jnp.maximum(m + root, TINY)  # 1 - cos of the mode
    mode = 2 * jnp.arcsin(jnp.sqrt(jnp.minimum(versine / 2, 1.0)))
    sd = 1 / jnp.sqrt((m + root) / 2 + k * (1 - versine) + 1e-2)
    low, high = jnp.maximum(mode - FAR * sd, 0.0), jnp.minimum(mode + FAR * sd, math.pi)
    angles = low + (high - low) * jnp.asarray((POINTS + 1) / 2, kappa.dtype)
    parts = log_density(angles, kappa, d) + jnp.asarray(np.log(WEIGHTS / 2), kappa.dtype) + jnp.log(high - low)
    share = jax.nn.softmax(parts)
    loss = jnp.sum(share * 2 * jnp.square(jnp.sin(angles / 2)))
    return Angle(low, high, mode, jax.nn.logsumexp(parts), loss)


def slope(angle: Array, kappa: Array, d: int, about: Angle) -> Array:
    """Return dθ/dκ of a draw, integrated on the side of the angle where less of the mass lies."""
    below = angle < about.mode
    start, end = jnp.where(below, about.low, angle), jnp.where(below, angle, about.high)
    angles = start + (end - start) * jnp.asarray((POINTS + 1) / 2, kappa.dtype)
    ratio = jnp.exp(log_density(angles, kappa, d) - log_density(angle, kappa, d))
    parts = (about.loss - 2 * jnp.square(jnp.sin(angles / 2))) * ratio
    integral = jnp.sum(parts * jnp.asarray(WEIGHTS / 2, kappa.dtype)) * (end - start)
    return jnp.where(below, -integral, integral)


def drawn_angle(key: Key, kappa: Array, d: int) -> Array:
    """Draw an angle by rejection (Wood 1994), without a gradient."""
    normal_key, uniform_key = random.split(key)
    noise = random.normal(normal_key, (PROPOSALS, d))
    z = (1 + noise[:, 0] / jnp.sqrt(jnp.sum(jnp.square(noise), axis=1))) / 2  # Beta((d - 1) / 2, (d - 1) / 2)
    b = (d - 1) / (2 * kappa + jnp.sqrt(4 * jnp.square(kappa) + (d - 1) ** 2))
    versine = 2 * b * z / (1 - (1 - b) * z)
    x, rest = (1 - b) / (1 + b), 2 * b / (1 + b)  # and 1 - x
    ratio = kappa * (rest - versine) + (d - 1) * jnp.log((rest + x * versine) / (rest * (1 + x)))
    first = jnp.argmax(ratio >= jnp.log(random.uniform(uniform_key, (PROPOSALS,))))
    return 2 * jnp.arcsin(jnp.sqrt(jnp.clip(versine[first] / 2, 0.0, 1.0)))


def log_area(d: int) -> float:
    """Return the logarithm of the area of the unit sphere in d dimensions."""
    return math.log(2) + d / 2 * math.log(math.pi) - math.lgamma(d / 2)


@dataclass(frozen=True, repr=False)
class OnSphere(Sized):
    """Unit vectors of one site after the other; heirs say how they are distributed."""

    walks: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", as_count(self.size, type(self).__name__, "size", least=2))

    @property
    def support(self) -> Support:
        return Support("directions", (self.n_sites,))

    @property
    def joint(self) -> bool:
        return True

    @property
    def neutral(self) -> float:
        return 1 / math.sqrt(self.n_sites)

    def point(self, mean: Array) -> Array:
        """Return the direction of a mean, of `shape`; of a mean that has none, the first axis."""
        length = jnp.sqrt(jnp.sum(jnp.square(mean)) + TINY**2)
        return jnp.where(length > TINY, mean / jnp.maximum(length, TINY), self.first(mean.dtype))

    def first(self, dtype: Any) -> Array:
        """Return the first axis, of `shape`."""
        return jnp.asarray(np.eye(self.n_sites)[0], dtype)

    def spread(self, log_p: Array) -> Array:
        """Return the log-density of a vector, evenly over its sites, of `shape`."""
        return jnp.full(self.shape, log_p / self.n_sites)

    def guide(self) -> Family:
        return VonMisesFisher(self.size)


@dataclass(frozen=True, repr=False)
class Sphere(OnSphere):
    """The uniform distribution of unit vectors: a prior, whose guide is `lt.VonMisesFisher`.

    Args:
        size: Number of coordinates, at least 2.
    Raises:
        DeclarationError: another size.
    """

    standard_root: ClassVar[bool] = True

    @property
    def n_raw(self) -> int:
        return 0

    def log_prob(self, raw: Array, value: Array) -> Array:
        return self.spread(jnp.asarray(-log_area(self.n_sites), value.dtype))

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        noise = random.normal(key, self.shape)
        value = noise / jnp.sqrt(jnp.sum(jnp.square(noise)))
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        return jnp.zeros(self.shape)

    def mode(self, raw: Array) -> Array:
        return self.point(self.mean(raw))


@dataclass(frozen=True, repr=False)
class VonMisesFisher(OnSphere):
    r"""Unit vectors around a mean direction: for latents on a sphere, or observed directions.

    The net says the direction and the concentration, which lies between $(d-1)/1100$ and $1100(d-1)$.

    Args:
        size: Number of coordinates d, at least 2.
    Raises:
        DeclarationError: another size.
    """

    reparameterised: ClassVar[bool] = True

    @property
    def n_raw(self) -> int:
        return self.n_sites + 1

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        """Return the mean direction `(d,)` and the concentration κ, a scalar."""
        d = self.n_sites
        return self.point(raw[:d] + START * self.first(raw.dtype)), (d - 1) * jnp.exp(log_scale(raw[d]))

    def log_prob(self, raw: Array, value: Array) -> Array:
        mu, kappa = self.parameters(raw)
        about = angle_of(kappa, self.n_sites)
        near = -0.5 * kappa * jnp.sum(jnp.square(value - mu))
        return self.spread(near - about.log_integral - log_area(self.n_sites - 1))

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        (mu, kappa), d = self.parameters(raw), self.n_sites
        angle_key, side_key = random.split(key)
        about, still = angle_of(kappa, d), jax.lax.stop_gradient(kappa)
        drawn = drawn_angle(angle_key, still, d)
        moved = jax.lax.stop_gradient(slope(drawn, still, d, about))
        angle = jax.lax.stop_gradient(drawn) + moved * (kappa - still)
        noise = random.normal(side_key, (d,))
        across = noise
        for _ in range(2):  # once leaves rounding, where the noise lies near the mean direction
            across = across - jnp.sum(across * mu) * mu
            across = across / jnp.sqrt(jnp.sum(jnp.square(across)))
        value = jnp.cos(angle) * mu + jnp.sin(angle) * across
        near = -2 * kappa * jnp.square(jnp.sin(angle / 2))
        return value, self.spread(near - about.log_integral - log_area(d - 1))

    def mean(self, raw: Array) -> Array:
        mu, kappa = self.parameters(raw)
        return (1 - angle_of(kappa, self.n_sites).loss) * mu

    def mode(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        (mu, kappa), d = self.parameters(raw), self.n_sites
        about = angle_of(kappa, d)
        own = -kappa * about.loss - about.log_integral - log_area(d - 1)
        if has_density_of(other, Sphere):
            return self.spread(own + log_area(d))
        if not has_density_of(other, VonMisesFisher):
            return None
        theirs, other_kappa = other.parameters(other_raw)
        far = 1 - (1 - about.loss) * jnp.sum(mu * theirs)
        return self.spread(own + other_kappa * far + angle_of(other_kappa, d).log_integral + log_area(d - 1))

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        rows = np.asarray(values, np.float64).reshape(-1, self.n_sites)
        if mask is not None:
            rows = rows[np.asarray(mask).reshape(rows.shape).all(axis=1)]
        rows = rows[np.isfinite(rows).all(axis=1)]
        mean, d = rows.mean(axis=0) if len(rows) else np.zeros(self.n_sites), self.n_sites
        length = float(np.clip(np.linalg.norm(mean), 1e-3, 0.999))
        kappa = length * (d - length**2) / (1 - length**2)  # Banerjee et al. 2005
        direction = mean / max(float(np.linalg.norm(mean)), TINY)
        direction[0] -= START
        log_kappa = np.clip(math.log(kappa / (d - 1)), -6.9, 6.9)
        return np.append(direction, 7 * np.arctanh(log_kappa / 7)).astype(np.float32)
