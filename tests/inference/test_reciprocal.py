"""The estimator of appendix D on densities whose integral is known: one normal, and two far apart."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

from laten.answers.audit.harmonic import HarmonicPlan, Reciprocal, r_hat, reciprocal

pytestmark = pytest.mark.trains

LOG_P, PLAN = -3.7, HarmonicPlan()


class Two(NamedTuple):
    """p(x, u) = exp(LOG_P) times two normals of different width, the second of weight `weight`, `apart` away."""

    weight: float
    apart: float
    start: float  # share of chains that begin in the second
    size: int = 2

    def log_joint(self, u):
        first = -0.5 * jnp.sum(jnp.square(u)) - jnp.log(2 * jnp.pi)
        second = -0.5 * jnp.sum(jnp.square((u - self.apart) / 0.4)) - jnp.log(2 * jnp.pi * 0.16)
        return LOG_P + jnp.logaddexp(jnp.log1p(-self.weight) + first, jnp.log(self.weight) + second)

    def from_guide(self, key):
        which, near = jax.random.split(key)
        return self.apart * jax.random.bernoulli(which, self.start) + 0.4 * jax.random.normal(near, (2,))

    def spread(self, key):
        return jnp.ones(2)


@jax.jit
def found(weight: float, apart: float, start: float) -> Reciprocal:
    return reciprocal(Two(weight, apart, start), jax.random.key(0), PLAN)


def estimate(walked: Reciprocal) -> float:
    return float(np.log(PLAN.chains) - logsumexp(np.asarray(walked.log_r, np.float64)))


def test_one_mode_is_found_to_a_hundredth():
    walked = found(1e-12, 0.0, 0.0)
    assert estimate(walked) == pytest.approx(LOG_P, abs=0.01) and float(walked.r_hat) < 1.05


def test_two_modes_are_never_too_much():
    even = found(0.5, 9.0, 0.5)
    assert estimate(even) == pytest.approx(LOG_P, abs=0.15) and float(even.r_hat) > 2
    one = found(0.5, 9.0, 0.0)  # a mode that no chain found is missed, and nothing says so
    assert estimate(one) == pytest.approx(LOG_P - np.log(2), abs=0.02) and float(one.r_hat) < 1.05
    off = found(0.1, 9.0, 0.5)  # half of the chains where a tenth of the posterior is
    assert LOG_P - 1.5 < estimate(off) < LOG_P - 0.5


def test_r_hat_is_the_ratio_written_down():
    draws = np.random.default_rng(0).normal(size=(8, 400, 2)) + np.arange(8)[:, None, None] * np.array([0.0, 1.0])
    same, apart = np.asarray(r_hat(jnp.asarray(draws, jnp.float32)))
    assert same == pytest.approx(1, abs=0.01)
    assert apart == pytest.approx(np.sqrt(1 + np.var(np.arange(8), ddof=1)), abs=0.1)
