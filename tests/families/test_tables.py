"""Families of proposed tables: cells of numbers, the mixture that is a prior, and evidence that is not one value."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st

import laten.families as lf
from laten.common.errors import DeclarationError
from laten.families.of_normals import distances

POINTS = (((0.0, 1.0), (0.5, 2.0), (3.0, 4.0)), ((-1.0,), (1.0,)))


def test_binned_is_categorical_but_for_its_features() -> None:
    binned, plain = lf.Binned((3, 2), POINTS), lf.Categorical((3, 2))
    raw, value = jnp.asarray([0.3, -1.0, 2.0, 0.1, 0.7], jnp.float32), jnp.array([2, 0])
    np.testing.assert_array_equal(binned.log_prob(raw, value), plain.log_prob(raw, value))
    np.testing.assert_array_equal(binned.features(value), np.array([3.0, 4.0, -1.0], np.float32))
    np.testing.assert_array_equal(binned.features(jnp.array([1, 1])), np.array([0.5, 2.0, 1.0], np.float32))
    np.testing.assert_array_equal(binned.feature_sites, [0, 0, 1])
    assert binned.n_features == 3


def test_a_rank_tilts_the_columns_own_shape() -> None:
    """Coefficients of zero give back the constants; R = 2 tilts by the normal score and its square; R = K is free."""
    t = np.linspace(-2, 2, 9)
    points = (tuple((float(x),) for x in t), ((-1.0,), (1.0,)))
    family = lf.Binned((9, 2), points, rank=2)
    assert (family.n_net, family.n_raw, family.ranks) == (4, 15, (2, 2))
    rng = np.random.default_rng(0)
    values = np.stack([rng.integers(0, 9, 500), rng.integers(0, 2, 500)], 1)
    start = family.fit_raw(values)
    own = np.concatenate([np.bincount(values[:, 0], minlength=9) + 0.5, np.bincount(values[:, 1], minlength=2) + 0.5])
    np.testing.assert_allclose(family.mean(jnp.asarray(start)), own / np.repeat([504.5, 501.0], [9, 2]), rtol=1e-4)
    tilted = start.copy()
    tilted[:4] = [0.7, -0.3, 1.0, 0.0]
    found = np.asarray(family.mean(jnp.asarray(tilted)), np.float64)
    wanted = own[:9] * np.exp(0.7 * t - 0.3 * (t**2 - 1) / np.sqrt(2))
    np.testing.assert_allclose(found[:9], wanted / wanted.sum(), atol=1e-4)  # logits are bounded smoothly
    wanted = own[9:] * np.exp([1.0, 0.0])  # as many cells as coefficients: one logit each
    np.testing.assert_allclose(found[9:], wanted / wanted.sum(), atol=1e-4)
    with pytest.raises(DeclarationError, match="rank"):
        lf.Binned((9, 2), points, rank=0)


def test_waves_tilt_bins_of_one_season_alike() -> None:
    """Two years of six bins: a coefficient of a wave moves both years' bins alike; a column of two bins is free."""
    angle = 2 * np.pi * np.arange(12) / 6
    t = np.linspace(-1.5, 1.5, 12)
    points = (tuple(zip(t, t, np.sin(angle), np.cos(angle), strict=True)), ((-1.0,) * 4, (1.0,) * 4))
    family = lf.Binned((12, 2), points, rank=3, waves=(2, 0))
    assert (family.ranks, family.n_net, family.n_raw) == ((5, 2), 7, 21)
    raw = np.zeros(21, np.float32)
    raw[3:5] = 0.8, -0.5
    found = np.asarray(family.mean(jnp.asarray(raw)), np.float64)[:12]
    wanted = np.exp(np.sqrt(2) * (0.8 * np.sin(angle) - 0.5 * np.cos(angle)))
    np.testing.assert_allclose(found, wanted / wanted.sum(), rtol=2e-3)  # logits are bounded smoothly
    np.testing.assert_allclose(found[:6], found[6:], rtol=1e-5)
    for waves, rank in (((2, 0), None), ((2,), 3)):
        with pytest.raises(DeclarationError, match="waves"):
            lf.Binned((12, 2), points, rank=rank, waves=waves)


@pytest.mark.parametrize("points", [POINTS[:1], (POINTS[0], ((1.0,),)), (((0.0,), (1.0, 2.0), (1.0,)), POINTS[1]),
                                    (POINTS[0], ((np.nan,), (1.0,)))])  # fmt: skip
def test_binned_refuses_points_that_do_not_fit(points) -> None:
    with pytest.raises(DeclarationError, match="Binned"):
        lf.Binned((3, 2), points)


def reference(raw: np.ndarray, k: int, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    w = np.exp(raw[:k] - np.logaddexp.reduce(raw[:k]))
    means, s = raw[k:].reshape(2, k, d)
    return w, means, np.exp(3 * np.tanh(s / 3))


def test_normal_mixture_agrees_with_scipy_and_integrates_to_one() -> None:
    family, rng = lf.NormalMixture(2, 3), np.random.default_rng(0)
    raw = rng.normal(size=family.n_raw)
    w, means, scales = reference(raw, 3, 2)
    side = np.linspace(-25, 25, 401)
    grid = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    parts = [st.multivariate_normal(m, np.diag(s**2)).pdf(grid) for m, s in zip(means, scales, strict=True)]
    expected = np.log(np.maximum(w @ parts, 1e-300))
    found = jax.jit(jax.vmap(lambda x: family.log_prob(jnp.asarray(raw, jnp.float32), x).sum()))(
        jnp.asarray(grid, jnp.float32)
    )
    clear = expected > -80
    np.testing.assert_allclose(np.asarray(found)[clear], expected[clear], rtol=1e-4, atol=2e-4)
    total = np.exp(np.asarray(found, np.float64)).reshape(401, 401)
    assert abs(np.trapezoid(np.trapezoid(total, side), side) - 1) < 5e-3


def test_distances_as_products_keep_their_digits() -> None:
    """At the narrowest scale, and with values far out: to the rounding of weight times value squared."""
    rng = np.random.default_rng(3)
    means, value = rng.normal(size=(5, 16)), rng.normal(size=16)
    for scale, far in ((1.0, 1.0), (math.exp(-3), 1.0), (1.0, 50.0)):
        weights, at = np.full(means.shape, scale**-2), far * value

        def expected(v, means=means, weights=weights):
            return (weights * (v - means) ** 2).sum(1)

        found = distances(*(jnp.asarray(x, jnp.float32) for x in (means, weights, at)))
        size = (weights * (at**2 + means**2)).sum(1)
        assert (np.abs(found - expected(at)) < 3e-7 * size).all()
        # a slope of twice the differences, which are what the products must not lose
        slope = jax.jacobian(distances, 2)(*(jnp.asarray(x, jnp.float32) for x in (means, weights, at)))
        np.testing.assert_allclose(slope, 2 * weights * (at - means), rtol=1e-4, atol=1e-4 * scale**-2)


def test_normal_mixture_draws_have_its_moments() -> None:
    family, rng = lf.NormalMixture(2, 3), np.random.default_rng(1)
    raw = rng.normal(size=family.n_raw).astype(np.float32)
    w, means, scales = reference(raw.astype(float), 3, 2)
    keys = jax.random.split(jax.random.key(0), 20_000)
    draws, log_p = jax.jit(jax.vmap(family.sample_and_log_prob, (None, 0)))(raw, keys)
    mean = w @ means
    sd = np.sqrt(w @ (scales**2 + means**2) - mean**2)
    np.testing.assert_allclose(family.mean(raw), mean, rtol=1e-4, atol=1e-5)
    assert np.abs((np.asarray(draws).mean(0) - mean) / sd * np.sqrt(len(keys))).max() < 4.5
    assert np.abs(np.asarray(draws).std(0) / sd - 1).max() < 0.05
    below = np.mean(np.asarray(draws) <= mean, axis=0)
    np.testing.assert_allclose(below, family.cdf(raw, jnp.asarray(mean, jnp.float32)), atol=0.015)
    # the entropy by draws is that of the density: a density off by a factor would not be
    assert log_p.sum(1).mean() < 0 and np.isfinite(log_p).all()


def test_components_start_apart() -> None:
    family = lf.NormalMixture(4, 8)
    means = family.parameters(jnp.asarray(family.fresh_raw(np.random.default_rng(0))))[1]
    assert np.unique(np.asarray(means), axis=0).shape == (8, 4)
    assert not family.standard().learn and family.joint


CLASSES = [lf.Categorical((3, 2)), lf.Ordinal((3, 2)), lf.Binned((3, 2), POINTS)]


@pytest.mark.parametrize("family", CLASSES, ids=repr)
def test_allowed_classes(family) -> None:
    """The mass of shares is their sum under the probabilities, and draws keep to them in proportion."""
    raw = jnp.asarray(np.random.default_rng(2).normal(size=family.n_raw), jnp.float32)
    p, allowed = np.asarray(family.mean(raw), np.float64), np.array([1.0, 0.0, 0.25, 1.0, 1.0], np.float32)
    wanted = np.log([p[0] + 0.25 * p[2], 1.0])
    np.testing.assert_allclose(family.log_mass(raw, allowed), wanted, atol=1e-5)
    keys = jax.random.split(jax.random.key(1), 4000)
    draws = np.asarray(jax.jit(jax.vmap(lambda k: family.sample_allowed(raw, k, allowed)))(keys))
    assert (draws[:, 0] != 1).all()
    assert abs((draws[:, 0] == 2).mean() - 0.25 * p[2] / np.exp(wanted[0])) < 0.03
    assert abs((draws[:, 1] == 1).mean() - p[4]) < 0.03


def test_allowed_bernoulli() -> None:
    family, raw = lf.Bernoulli(2), jnp.asarray([0.5, -1.0], jnp.float32)
    p = np.asarray(family.mean(raw))
    allowed = jnp.asarray([0.5, 1.0, 1.0, 0.0], jnp.float32)
    np.testing.assert_allclose(family.log_mass(raw, allowed), np.log([0.5 + 0.5 * p[0], 1 - p[1]]), atol=1e-6)
    keys = jax.random.split(jax.random.key(1), 4000)
    draws = np.asarray(jax.jit(jax.vmap(lambda k: family.sample_allowed(raw, k, allowed)))(keys))
    assert (draws[:, 1] == 0).all()
    assert abs(draws[:, 0].mean() - p[0] / (0.5 + 0.5 * p[0])) < 0.03


def test_allowed_interval_of_numbers() -> None:
    family, raw = lf.Normal(2), jnp.asarray([0.3, 0.0, 0.2, 0.0], jnp.float32)
    low, high = np.array([-0.5, -np.inf], np.float32), np.array([1.0, np.inf], np.float32)
    ends = st.norm(0.3, np.exp(7 * np.tanh(0.2 / 7)))
    np.testing.assert_allclose(
        family.log_mass(raw, jnp.stack([low, high])), [np.log(ends.cdf(1) - ends.cdf(-0.5)), 0.0], atol=1e-5
    )
    keys = jax.random.split(jax.random.key(1), 4000)
    draws = jax.jit(jax.vmap(lambda k: family.sample_allowed(raw, k, jnp.stack([low, high]))))(keys)
    inside = np.asarray(draws)[:, 0]
    assert inside.min() >= -0.5 and inside.max() <= 1.0
    truth = st.truncnorm((-0.5 - 0.3) / ends.std(), (1 - 0.3) / ends.std(), 0.3, ends.std())
    assert st.kstest(inside, truth.cdf).pvalue > 1e-3
    assert st.kstest(inside, ends.cdf).pvalue < 1e-10  # without the interval it would not fit
