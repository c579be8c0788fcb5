"""The formula that judges all sides of a benchmark, against scipy, exact log p(x) and the library's own bound."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from benchmarks.peers import bounds, train_laten

import laten as lt
import oracles
from laten.network.model import build_model
from laten.training.objectives import Batch

pytestmark = pytest.mark.trains

RNG = np.random.default_rng(0)
ROWS = 600


def test_log_probabilities_are_scipys():
    raw, x = RNG.normal(size=(7, 5)), RNG.integers(0, 2, (7, 5))
    expected = scipy.stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-raw))).sum(1)
    np.testing.assert_allclose(bounds.bernoulli(x, raw), expected)
    sd = np.exp(RNG.normal(size=5))
    expected = scipy.stats.norm.logpdf(raw, 0.3, sd).sum(1)
    np.testing.assert_allclose(bounds.normal(raw, np.full((7, 5), 0.3), sd), expected)
    codes, p = RNG.integers(0, 5, 7), np.exp(raw) / np.exp(raw).sum(1, keepdims=True)
    np.testing.assert_allclose(bounds.classes(codes, raw), np.log(p[np.arange(7), codes]))


def test_spans_of_a_table_add_up():
    layout, raw = np.array([(1, 0), (3, 1), (1, 0)]), RNG.normal(size=(4, 5))
    codes, numbers = RNG.integers(0, 3, 4), RNG.normal(size=(4, 2))
    matrix = np.hstack([numbers[:, :1], np.eye(3)[codes], numbers[:, 1:]])
    sd = np.array([0.5, 1, 1, 1, 2.0])
    expected = bounds.classes(codes, raw[:, 1:4])
    expected += scipy.stats.norm.logpdf(numbers, np.tanh(raw[:, [0, 4]]), sd[[0, 4]]).sum(1)
    np.testing.assert_allclose(bounds.spans(matrix, layout, raw, np.tanh(raw), sd), expected)


def test_logits_without_end_stay_finite():
    assert bounds.bernoulli(np.array([[1, 0]]), np.array([[900.0, -900.0]]))[0] == 0
    assert bounds.bernoulli(np.array([[0, 1]]), np.array([[900.0, -900.0]]))[0] == -1800


@pytest.mark.parametrize("wider", [1.0, 1.5])
def test_the_bound_is_log_p_less_the_gap_of_the_guide(wider):
    sigma, rng = 0.7, np.random.default_rng(1)
    w = np.linalg.qr(rng.normal(size=(6, 2)))[0] * [2.0, 0.5]
    b, n = rng.normal(size=6), 4000
    x = rng.normal(size=(n, 2)) @ w.T + b + sigma * rng.normal(size=(n, 6))
    mean, covariance = oracles.linear_gaussian_posterior(x, w, b, sigma)
    sd = wider * np.sqrt(np.diag(covariance))
    each = [
        bounds.bound(mean, np.broadcast_to(sd, mean.shape), lambda z: bounds.normal(x, z @ w.T + b, sigma), seed)
        for seed in range(20)
    ]
    gap = np.sum(0.5 * (wider**2 - 1) - np.log(wider)) * 2  # KL(q ‖ posterior), the same for each row and latent
    off = np.mean(each) - (oracles.linear_gaussian_log_prob(x, w, b, sigma).mean() - gap)
    assert abs(off) < 4.5 * np.std(each) / np.sqrt(len(each))
    assert 20 * np.std(each) / np.sqrt(len(each)) < 0.44  # the check has teeth: the gap of the wider guide is 0.44


LAYOUT = np.array([(1, 0), (3, 1), (1, 0), (4, 1)])
CODES = RNG.integers(0, 3, (2, ROWS))
MATRIX = np.hstack([RNG.normal(size=(ROWS, 1)), np.eye(3)[CODES[0]], RNG.normal(size=(ROWS, 1)), np.eye(4)[CODES[1]]])
WORLDS = {
    "pixels": (RNG.integers(0, 2, (ROWS, 12)).astype(np.uint8), {"layers": [8], "latent": 3}),
    "numbers": (RNG.normal(size=(ROWS, 6)).astype(np.float32), {"layers": [8, 4], "latent": 2, "dropout": 0.2}),
    "table": (MATRIX.astype(np.float32), {"layers": [8, 8], "latent": 3}),
    "counts": (RNG.poisson(3.0, (ROWS, 9)).astype(np.float32), {"layers": [8], "latent": 2, "dropout": 0.1}),
}


@pytest.mark.parametrize("world", WORLDS)
def test_a_models_bound_is_the_librarys(world):
    rows, sizes = WORLDS[world]
    declared = train_laten.CASES[world]({"train": rows, "layout": LAYOUT}, sizes)
    values, rng = declared.data_of(rows), np.random.default_rng(3)
    model = build_model(declared.network, declared.guide, jax.random.key(0))
    shaken = {"p": 0.05, "q": 0.3}  # draws hardly matter, and the KL is large
    for side, by in shaken.items():
        moved = jax.tree.map(
            lambda w, by=by: w + jnp.asarray(by * rng.normal(size=w.shape), w.dtype), getattr(model, side)
        )
        model = eqx.tree_at(lambda m, side=side: getattr(m, side), model, moved)
    wide = {n: jnp.asarray(v, jnp.int32 if v.dtype == np.int32 else jnp.float32) for n, v in values.items()}

    @jax.jit
    def own(key):
        estimate = lt.Elbo()(model, Batch(wide, {}), key)
        return estimate.bound - estimate.terms.get("library", 0.0), estimate.kl  # a known node is no part of it

    each, kl = np.array([own(jax.random.key(seed)) for seed in range(40)]).T
    found, spread = train_laten.held_out_bound(model, values), each.std() * np.sqrt(1 + 1 / len(each))
    assert abs(found - each.mean()) < 4.5 * spread
    assert kl.mean() > 10 * spread  # the check has teeth: without the KL it would fail
