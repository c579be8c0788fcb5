"""What single families promise beyond the contract."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats as st

import laten.families as lf
from cases import float64
from laten.common import numerics
from laten.families import column_moments


def test_raw_zero_is_the_standard() -> None:
    zero = lambda family: jnp.zeros(family.n_raw)  # noqa: E731
    for family in (lf.Normal(2), lf.Mixture(lf.Normal(2), 3)):
        values = jnp.asarray([0.3, -2.0])
        np.testing.assert_allclose(jax.jit(family.log_prob)(zero(family), values), st.norm.logpdf(values), rtol=1e-5)
    for family in (lf.Categorical((3, 5)), lf.Ordinal((3, 5))):
        np.testing.assert_allclose(jax.jit(family.mean)(zero(family)), [1 / 3] * 3 + [1 / 5] * 5, rtol=1e-5)
    for family in (lf.Poisson(2), lf.NegativeBinomial(2)):
        np.testing.assert_allclose(jax.jit(family.mean)(zero(family)), 1, rtol=1e-6)


def test_bernoulli_is_the_cross_entropy_of_fractions() -> None:
    logits, values = np.float32([-3, 0.5, 90]), np.float32([0.25, 0.9, 1.0])
    p = sp.expit(logits.astype(np.float64))
    expected = values[:2] * np.log(p[:2]) + (1 - values[:2]) * np.log1p(-p[:2])
    found = lf.Bernoulli(3).log_prob(jnp.asarray(logits), jnp.asarray(values))
    np.testing.assert_allclose(found, [*expected, 0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("family", [lf.Categorical((3, 2, 6)), lf.Ordinal((3, 2, 6)), lf.Categorical((4, 4))], ids=repr)
def test_packed_log_prob_neither_gathers_nor_scatters(family: lf.Family) -> None:
    def total(raw: jax.Array, value: jax.Array) -> jax.Array:
        return jnp.sum(jax.vmap(family.log_prob)(raw, value))

    raw, value = jnp.zeros((5, family.n_raw)), jnp.zeros((5, *family.shape), jnp.int32)
    text = str(jax.make_jaxpr(jax.grad(total))(raw, value))
    assert "gather" not in text
    assert "scatter" not in text
    assert "gather" in str(jax.make_jaxpr(lambda x, i: x[i])(raw, value))  # the control: we look for the right word


def test_equal_and_ragged_columns_agree() -> None:
    raw = np.random.default_rng(0).normal(size=8).astype(np.float32)
    ragged = np.concatenate([raw, [0.3]]).astype(np.float32)  # a third column of one class
    equal, other = lf.Categorical((4, 4)), lf.Categorical((4, 4, 1))
    np.testing.assert_allclose(equal.mean(raw), other.mean(ragged)[:8], rtol=1e-6)
    codes = jnp.asarray([3, 1], jnp.int32)
    found = other.log_prob(jnp.asarray(ragged), jnp.append(codes, 0))
    np.testing.assert_allclose(equal.log_prob(jnp.asarray(raw), codes), found[:2], rtol=1e-6)
    np.testing.assert_allclose(found[2], 0, atol=1e-6)


def test_averaged_means_become_values() -> None:
    means = jnp.asarray([0.1, 0.5, 0.4, 0.3, 0.3, 0.4])
    np.testing.assert_array_equal(lf.Categorical((3, 3)).point(means), [1, 2])
    np.testing.assert_array_equal(lf.Ordinal((3, 3)).point(means), [1, 1])  # medians
    np.testing.assert_array_equal(lf.Bernoulli(3).point(jnp.asarray([0.2, 0.5, 0.51])), [0, 0, 1])
    np.testing.assert_array_equal(
        lf.DiscretizedLogistic(3, levels=5, low=1).point(jnp.asarray([-2, 3.4, 9.0])), [1, 3, 5]
    )


def test_ordinal_starts_at_the_frequencies() -> None:
    codes = np.repeat([0, 1, 2, 3], [10, 400, 90, 500])[:, None]
    family = lf.Ordinal((4,))
    np.testing.assert_allclose(jax.jit(family.mean)(family.fit_raw(codes)), [0.01, 0.4, 0.09, 0.5], atol=2e-3)
    np.testing.assert_allclose(
        family.features(jnp.asarray([2], jnp.int32)), np.array([1, 1, 0]) / np.sqrt(3), rtol=1e-6
    )


def test_ordinal_location_moves_the_classes_up() -> None:
    family = lf.Ordinal(5)
    raws = np.zeros((5, 5), np.float32)
    raws[:, 0] = -3, -1, 0, 1, 3
    ranks = np.asarray(jax.jit(jax.vmap(family.mean))(raws)) @ np.arange(5.0)
    assert (np.diff(ranks) > 0).all()
    assert ranks[0] < 0.5 < 3.5 < ranks[-1]


@pytest.mark.parametrize("count", [0, 3, 1000, 1e5, 1e6])
def test_big_counts_keep_their_digits(count: float) -> None:
    log_rate = np.float64(np.float32(np.log(count + 1) + 0.01))
    rate, r = np.exp(20 * np.tanh(log_rate / 20)), np.exp(7 * np.tanh(3 / 7))
    raw, value = jnp.asarray([log_rate, 3.0], jnp.float32), jnp.asarray([count], jnp.float32)
    found = lf.Poisson(1).log_prob(raw[:1], value)[0]
    np.testing.assert_allclose(found, st.poisson.logpmf(count, rate), rtol=3e-3 if count > 1e4 else 2e-5)
    found = lf.NegativeBinomial(1).log_prob(raw, value)[0]
    np.testing.assert_allclose(found, st.nbinom.logpmf(count, r, r / (r + rate)), rtol=2e-5)


def test_negative_binomial_of_great_dispersion_is_poisson() -> None:
    values = jnp.arange(6.0)
    wide = jax.jit(lf.NegativeBinomial(6).log_prob)(jnp.repeat(jnp.asarray([0.5, 100.0]), 6), values)
    np.testing.assert_allclose(wide, lf.Poisson(6).log_prob(jnp.full(6, 0.5), values), atol=2e-2)


def test_discretized_far_tails_are_exact() -> None:
    family, raw = lf.DiscretizedLogistic(1), jnp.asarray([0.9, -6.0])
    found = np.asarray(jax.vmap(family.log_prob, (None, 0))(raw, jnp.arange(256.0)[:, None])[:, 0], np.float64)
    scale = 0.3 * np.exp(7 * np.tanh(-6 / 7))
    upper = (np.arange(1, 256) * 2 / 256 - 1 - np.float32(0.9)) / scale  # all but the last lie in the lower tail
    expected = np.concatenate(
        [[-np.logaddexp(0, -upper[0])], -np.logaddexp(0, -upper[1:]) - np.logaddexp(0, upper[:-1])]
    )
    expected[1:] += np.log(-np.expm1(-2 / 256 / scale))
    np.testing.assert_allclose(found[:255], expected, rtol=2e-4)
    assert found[0] < -300


def test_mixture_components_start_apart_and_find_two_heaps() -> None:
    rng = np.random.default_rng(0)
    heaps = np.concatenate([rng.normal(-4, 0.5, 700), rng.normal(3, 0.2, 700)]).astype(np.float32)[:, None]
    family = lf.Mixture(lf.Normal(1), 2)
    raw = jnp.asarray(family.fit_raw(heaps))
    np.testing.assert_allclose(np.sort(np.asarray(family.parameters(raw)[1])[:, 0]), [-4, 3], atol=0.1)
    np.testing.assert_allclose(family.mean(raw), heaps.mean(), atol=1e-3)
    np.testing.assert_allclose(jax.jit(family.mode)(raw), 3, atol=0.1)  # the sharper heap
    found = np.asarray(jax.jit(family.log_prob)(raw, jnp.asarray([-4.0])))
    np.testing.assert_allclose(found, np.log(0.5) + st.norm(-4, 0.5).logpdf(-4), atol=0.1)


def test_normal_kl_knows_every_scale() -> None:
    net, fixed = lf.Normal(2), lf.Normal(2, scale=2.0)
    found = net.kl(jnp.asarray([1.0, 0.0, 0.0, 0.0]), fixed, jnp.zeros(2))
    np.testing.assert_allclose(found, [np.log(2) + 2 / 8 - 0.5, np.log(2) + 1 / 8 - 0.5], rtol=1e-6)


def test_deterministic_is_its_raw() -> None:
    family, raw = lf.Deterministic((2, 2)), jnp.arange(4.0)
    value, log_p = family.sample_and_log_prob(raw, jax.random.key(0))
    np.testing.assert_array_equal(value, raw.reshape(2, 2))
    np.testing.assert_array_equal(log_p, np.zeros((2, 2)))
    np.testing.assert_array_equal(family.features(value), raw)


def test_numerics() -> None:
    x = np.geomspace(1, 1e6, 50)
    with float64():
        np.testing.assert_allclose(numerics.log_gamma(jnp.asarray(x)), sp.gammaln(x), rtol=1e-7, atol=3e-7)
    y = np.array([1e-3, 0.5, 3.0, 50.0])
    np.testing.assert_allclose(np.logaddexp(0, numerics.softplus_inverse(y)), y)
    np.testing.assert_allclose(
        numerics.bound(jnp.asarray(numerics.unbound(y[:3], 7.0), jnp.float32), 7.0), y[:3], rtol=1e-5
    )
    step = numerics.bisect(lambda v: (v >= 3).astype(jnp.float32), jnp.asarray([0.5]), jnp.zeros(1), jnp.full(1, 1e9))
    np.testing.assert_allclose(step, 3)


def test_log_ratio_keeps_the_digits_of_the_difference() -> None:
    b = np.geomspace(1e-3, 1e6, 601).astype(np.float32)
    for off in (1e-6, 1e-3, 0.3, 0.6, 0.9, 5.0, 1e4, -1e-6, -0.3, -0.5, -0.9, -0.999):
        difference = np.float32(off) * b
        a = b + difference
        expected = np.log1p(difference.astype(np.float64) / b)
        found = jax.jit(numerics.log_ratio)(a, b, difference)
        np.testing.assert_allclose(found, expected, rtol=3e-6 if off > -0.9 else 1e-3)  # there a itself has lost them
    lost = np.log(np.float32(1e6) + np.float32(1e-2)) - np.log(np.float32(1e6))  # the control
    assert abs(lost / 1e-8 - 1) > 0.1


def test_there_are_no_negative_counts() -> None:
    log_p = lf.NegativeBinomial(2).log_prob(jnp.zeros(4), jnp.asarray([-1.0, 0.0]))
    np.testing.assert_allclose(log_p, [-np.inf, st.nbinom.logpmf(0, 1, 0.5)], rtol=1e-6)


def test_digamma_is_scipys() -> None:
    x = np.geomspace(1e-3, 1e9, 2001).astype(np.float32)
    expected = sp.digamma(x.astype(np.float64)) - np.log(x.astype(np.float64))
    np.testing.assert_allclose(jax.jit(numerics.digamma_error)(x), expected, rtol=1e-5)


def test_the_slopes_of_negative_binomials_are_those_of_their_density() -> None:
    """Written out by hand: against digamma functions in float64, and the second derivative against differences."""
    n, rng = 4000, np.random.default_rng(0)
    family, log_mean, log_r = lf.NegativeBinomial(n), rng.uniform(-8, 8, n), rng.uniform(-6, 6, n)
    raw = np.concatenate([numerics.unbound(log_mean, 20.0), numerics.unbound(log_r, 7.0)]).astype(np.float32)
    log_mean, log_r = (np.asarray(x, np.float64) for x in family.parameters(jnp.asarray(raw)))
    mean, r = np.exp(log_mean), np.exp(log_r)
    value = np.where(rng.random(n) < 0.5, rng.poisson(rng.gamma(r) / r * mean), rng.integers(0, 30, n))
    value = value.astype(np.float32)
    v = value.astype(np.float64)

    def by_parameters(log_mean, log_r, value):
        raw = jnp.concatenate([20 * jnp.arctanh(log_mean / 20), 7 * jnp.arctanh(log_r / 7)])
        return family.log_prob(raw, value)

    slopes = jax.jit(jax.grad(lambda *a: by_parameters(*a).sum(), (0, 1, 2)))
    found = slopes(*(jnp.asarray(x, jnp.float32) for x in (log_mean, log_r, value)))
    expected = (
        r * (v - mean) / (mean + r),
        r * (sp.digamma(v + r) - sp.digamma(r) + np.log(r / (r + mean)) + (mean - v) / (r + mean)),
        sp.digamma(v + r) - sp.digamma(v + 1) + log_mean - np.log(r + mean),
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-4, atol=5e-4)  # r up to 400: a digit of log-mean moves them so
    few = jnp.asarray([0.3, -0.2], jnp.float32)
    curve = jax.grad(lambda t: jax.grad(lambda u: lf.NegativeBinomial(1).log_prob(few + u, jnp.ones(1)).sum())(t))
    slope = jax.grad(lambda u: lf.NegativeBinomial(1).log_prob(few + u, jnp.ones(1)).sum())
    step = jnp.float32(1e-2)
    np.testing.assert_allclose(curve(jnp.float32(0)), (slope(step) - slope(-step)) / (2 * step), rtol=1e-3)


def test_moments_do_not_depend_on_how_many_rows_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values, mask = rng.normal(5, 2, (100, 3)).astype(np.float32), rng.random((100, 3)) < 0.7
    values[3, 1], mask[:, 2] = np.nan, False
    whole = column_moments.moments(values, mask)
    monkeypatch.setattr(column_moments, "ROWS", 7)
    for one, other in zip(whole, column_moments.moments(values, mask), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    seen = mask[:, 0]
    np.testing.assert_allclose(whole.mean[0], values[seen, 0].mean(), rtol=1e-6)
    np.testing.assert_allclose(whole.sd[0], values[seen, 0].std(), rtol=1e-6)
    assert (whole.rows[2], whole.mean[2], whole.sd[2]) == (0, 0, 1)


def test_moments_of_no_rows() -> None:
    assert column_moments.moments(np.zeros((0, 2), np.float32)).sd.tolist() == [1, 1]


class Leaning(lf.Normal):
    """A normal by name alone: its two sites are correlated."""

    def log_prob(self, raw: jax.Array, value: jax.Array) -> jax.Array:
        return super().log_prob(raw, value.at[1].add(-0.9 * value[0]))


class Renamed(lf.Normal):
    """A normal that changes nothing."""


def test_a_closed_form_is_trusted_where_the_density_is_unchanged() -> None:
    raw, other = jnp.asarray([0.0, 0.5, 0.1, -0.3]), jnp.zeros(4)
    closed = lf.Normal(2).kl(raw, lf.Normal(2), other)
    np.testing.assert_array_equal(lf.Normal(2).kl(raw, Renamed(2), other), closed)
    assert lf.Normal(2).kl(raw, Leaning(2), other) is None
    assert Leaning(2).kl(raw, lf.Normal(2), other) is None
    assert lf.LogNormal(2).kl(raw, lf.LogitNormal(2), other) is None
