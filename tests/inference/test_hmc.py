"""HMC against a normal density that is known, its step size against what was asked for, NUTS against both."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from laten.common.errors import LatenError
from laten.inference import hmc

pytestmark = pytest.mark.trains  # blackjax mixes dtypes

MEAN = np.array([1.0, -2.0, 0.5], np.float32)
FACTOR = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0.0, -3.0, 2.0]], np.float32)
COVARIANCE = FACTOR @ FACTOR.T


def log_density(u):
    return -0.5 * jnp.sum(jnp.square(jax.scipy.linalg.solve_triangular(jnp.asarray(FACTOR), u - MEAN, lower=True)))


@pytest.fixture(scope="module")
def walks() -> hmc.Walk:
    def one(key):
        return hmc.sample(log_density, key, jnp.zeros(3), 400, warmup=300, scale=jnp.array([1, 1, 3.0]), target=0.9)

    return jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 32))


def off(draws: np.ndarray, covariance: np.ndarray = COVARIANCE, mean: np.ndarray = MEAN) -> float:
    """How many standard errors the worst mean or second moment is off, chains being independent."""
    away = draws - mean
    moments = np.concatenate(
        [away.mean(1), np.einsum("csi,csj->cij", away, away).reshape(len(draws), -1) / draws.shape[1]], 1
    )
    wanted = np.concatenate([np.zeros(3), covariance.ravel()])
    return float((np.abs(moments.mean(0) - wanted) / (moments.std(0, ddof=1) / np.sqrt(len(draws)))).max())


def test_hmc_leaves_a_normal_as_it_is(walks):
    draws = np.asarray(walks.draws, np.float64)
    assert off(draws) < 4
    assert off(draws, 1.15 * COVARIANCE) > 4 and off(draws, mean=MEAN + 0.2) > 4  # controls


def test_a_step_that_is_never_refused_is_caught():
    """Control of the check above: leapfrog alone, at a coarse step, does not leave the density as it is."""

    def one(key):
        def move(u, k):
            chain = hmc.init(log_density, u)
            noise = jax.random.normal(k, (3,))
            v = noise + 0.5 * 0.5 * chain.gradient
            u = u + 0.5 * v
            return u, u

        return jax.lax.scan(move, jnp.asarray(MEAN), jax.random.split(key, 400))[1]

    draws = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(1), 32))
    assert off(np.asarray(draws, np.float64)) > 4


def test_the_step_size_gives_the_acceptance_asked_for(walks):
    assert float(walks.acceptance.mean()) == pytest.approx(0.9, abs=0.05)


def test_what_is_not_finite_is_refused():
    def cliff(u):
        return jnp.where(u[0] > 0, -0.5 * jnp.sum(jnp.square(u)), jnp.nan)

    chain = hmc.init(cliff, jnp.array([0.1, 0.0, 0.0]))
    step = jax.jit(jax.vmap(lambda k: hmc.step(cliff, k, chain, jnp.float32(0.3), jnp.ones(3))))
    ends, acceptance = step(jax.random.split(jax.random.key(2), 200))
    assert np.isfinite(np.asarray(ends.log_density)).all() and (np.asarray(ends.position)[:, 0] > 0).all()
    assert 0 < np.mean(np.asarray(acceptance) == 0) < 1


@pytest.mark.slow
def test_nuts_agrees():
    pytest.importorskip("blackjax")
    run = jax.jit(jax.vmap(lambda k: hmc.nuts(log_density, k, jnp.zeros(3), 150, warmup=200)))
    walks = run(jax.random.split(jax.random.key(3), 16))
    assert off(np.asarray(walks.draws, np.float64)) < 4
    assert off(np.asarray(walks.draws, np.float64), mean=MEAN + 0.5) > 4  # control


def test_nuts_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "blackjax", None)
    with pytest.raises(LatenError, match=r"pip install 'laten\[lab\]'"):
        hmc.nuts(log_density, jax.random.key(0), jnp.zeros(3), 2)
