"""Draws from guide and prior together, against exact linear-Gaussian posteriors and enumerated classes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
import oracles
from laten.answers.sample_and_predict import spread
from laten.common import random
from laten.inference.defence import FROM_PRIOR, defensible
from laten.inference.importance import posterior_draws
from laten.network.model import build_model
from linear_worlds import model_of, world

WORLD = world(2, 3, rows=2, sigma=2.0)
FAR = {"shift": 3.0, "log_sd": -1.5}  # a guide that is narrow and lies beside the posterior


@eqx.filter_jit
def drawn(model, key, values, masks, draws: int, kept: int, prior: float):
    return posterior_draws(model, key, values, masks, draws, kept, prior=prior)


def asked(model, prior: float, values=None, masks=None):
    values = {"x": jnp.asarray(WORLD.x[0])} if values is None else values
    found, log_w = drawn(model, random.key(1), values, masks or {}, 256 * 32, 2000, prior)
    log_w = np.asarray(log_w, np.float64)
    top = log_w.max()
    return found, top + np.log(np.exp(log_w - top).mean())


def test_what_the_guide_misses_is_found():
    mean, covariance = oracles.linear_gaussian_posterior(WORLD.x[:1], WORLD.w, WORLD.b, WORLD.sigma)
    found, log_p = asked(model_of(WORLD, **FAR), FROM_PRIOR)
    z = np.asarray(found["z"])
    assert np.abs(z.mean(0) - mean[0]).max() < 0.12
    np.testing.assert_allclose(z.std(0), np.sqrt(np.diag(covariance)), atol=0.1)
    assert log_p == pytest.approx(WORLD.log_p[0], abs=0.05)
    found, log_p = asked(model_of(WORLD, **FAR), 0.0)  # control: the guide alone
    assert np.abs(np.asarray(found["z"]).mean(0) - mean[0]).max() > 0.5 and log_p < WORLD.log_p[0] - 0.3


def test_a_good_guide_loses_no_more_than_its_share():
    _, log_p = asked(model_of(WORLD), FROM_PRIOR)
    assert log_p == pytest.approx(WORLD.log_p[0], abs=0.02)
    _, log_w = drawn(model_of(WORLD), random.key(0), {"x": jnp.asarray(WORLD.x[0])}, {}, 256, 1, FROM_PRIOR)
    w = np.exp(np.asarray(log_w, np.float64))
    assert w.sum() ** 2 / np.square(w).sum() > 0.7 * len(w)


def test_enumerated_classes_and_partly_seen_latents():
    """c picks the place of z; x is seen, and one of the two sites of z: p(c | x, z_0) by quadrature over the other."""
    p = lt.Network(c=lt.Categorical(3), z=lt.Normal(2).given("c"), x=lt.Normal(1, scale=0.5).given("z"))
    model = build_model(p, lt.guide_for(p, ("c", "z"), {"x", "z"}), random.key(3), ("x", "z"))
    x, z0 = 0.7, -0.4
    values = {"x": jnp.array([x]), "z": jnp.array([z0, 0.0])}
    masks = {"x": jnp.array([True]), "z": jnp.array([True, False])}
    grid = np.linspace(-12, 12, 2001)
    points = jnp.stack([jnp.full(grid.shape, z0), jnp.asarray(grid, jnp.float32)], axis=1)

    def joint(c, z):
        parts = p.log_prob(model.p, {"c": c, "z": z, "x": values["x"]})
        return sum(jnp.sum(v) for v in parts.values())

    table = jax.jit(jax.vmap(lambda c: jax.vmap(lambda z: joint(c, z))(points)))(jnp.arange(3, dtype=jnp.int32))
    table = np.trapezoid(np.exp(np.asarray(table, np.float64)), grid, axis=1)
    found, log_p = asked(model, FROM_PRIOR, values, masks)
    shares = np.bincount(np.ravel(found["c"]), minlength=3) / 2000
    assert log_p == pytest.approx(np.log(table.sum()), abs=0.03)
    assert np.abs(shares - table / table.sum()).max() < 0.05
    assert (np.asarray(found["z"])[:, 0] == np.float32(z0)).all()


def test_where_the_guide_leaves_something_open_it_draws_alone():
    p = lt.Network(a=lt.Normal(1), z=lt.Normal(1).given("a"), x=lt.Normal(1).given("z"))
    model = build_model(p, lt.Network(z=lt.Normal(1).given("x")), random.key(0))
    assert not defensible(model, {"x": jnp.zeros(1)}, {}) and defensible(model, {"a": jnp.zeros(1)}, {})


def test_rows_are_spread_over_groups_by_their_weights():
    taken = spread(np.log([1.0, 2.0, 1.0]) + 500, 400, np.random.default_rng(0))
    assert np.abs(taken - [100, 200, 100]).max() <= 1 and taken.sum() == 400
    several = [spread(np.log([0.9, 0.1]), 1, np.random.default_rng(i))[1] for i in range(400)]
    assert np.mean(several) == pytest.approx(0.1, abs=0.05)
