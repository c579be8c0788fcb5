"""Minutes to a height: the estimator that judges all sides against quadrature, nets apart, and what is read off."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats
from benchmarks.peers import train_laten
from benchmarks.reach import Look, log_likelihood, reached

import laten as lt
from laten.network.model import build_model

pytestmark = pytest.mark.trains

RNG = np.random.default_rng(0)


def test_log_p_is_the_integral():
    x, mean = RNG.integers(0, 2, (5, 6)).astype(np.uint8), np.full((5, 1), 0.2, np.float32)
    layers = [(RNG.normal(size=(4, 1)), RNG.normal(size=4)), (RNG.normal(size=(6, 4)), RNG.normal(size=6))]
    grid = np.linspace(-8, 8, 2001)
    (w0, b0), (w1, b1) = layers
    logits = np.maximum(grid[:, None] * w0[:, 0] + b0, 0) @ w1.T + b1  # (points, sites)
    inside = x @ logits.T - np.logaddexp(0, logits).sum(1) + scipy.stats.norm.logpdf(grid)
    exact = scipy.special.logsumexp(inside, axis=1) + math.log(grid[1] - grid[0])
    given = [(jnp.asarray(w, jnp.float32), jnp.asarray(b, jnp.float32)) for w, b in layers]
    for sd in (1.0, 1.4):  # whatever q is
        found = log_likelihood(jnp.asarray(x), jnp.asarray(mean), jnp.full((5, 1), sd), given, 20_000)
        np.testing.assert_allclose(found, exact, atol=0.03)
    one = log_likelihood(jnp.asarray(x), jnp.asarray(mean), jnp.ones((5, 1)), given, 1)  # control: a bound, no more
    assert np.abs(np.asarray(one) - exact).max() > 0.03


def test_nets_are_taken_apart_as_they_are():
    p = lt.Network(z=lt.Normal(2), x=lt.Bernoulli(6).given("z", via=lt.MLP(4, depth=2)))
    starts = {"x": RNG.normal(size=6).astype(np.float32)}
    model = build_model(p, lt.guide_for(p), jax.random.key(0), starts=starts)
    parts = train_laten.parts(model, RNG.integers(0, 2, (3, 6)))
    z = h = RNG.normal(size=2).astype(np.float32)
    for i in range(3):
        h = parts[f"weight{i}"] @ (np.maximum(h, 0) if i else h) + parts[f"bias{i}"]
    np.testing.assert_allclose(h, model.p["x"].raw({"z": jnp.asarray(z)}, {}), rtol=1e-5)
    assert parts["mean"].shape == parts["sd"].shape == (3, 2) and (parts["sd"] > 0).all()


def test_minutes_are_read_off_between_looks_but_not_between_plans():
    looks = [Look("a", 20, 2.0, -90.0), Look("a", 10, 1.0, -95.0), Look("a", 30, 4.0, -86.0)]
    assert reached(looks, -88.0, planned=False) == pytest.approx(3.0)
    assert reached(looks, -88.0, planned=True) == 4.0
    assert reached(looks, -95.0, planned=False) == 1.0 and reached(looks, -80.0, planned=False) == math.inf
