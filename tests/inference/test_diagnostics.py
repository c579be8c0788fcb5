"""Effective sample size, Monte Carlo error and Pareto k against what they should be; keys from content."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from laten.inference.asking import content_key
from laten.inference.diagnostics import LogLikelihood, digest, effective_sample_size, monte_carlo_error, pareto_k

RNG = np.random.default_rng(0)


def test_effective_sample_size_between_one_and_all():
    assert effective_sample_size(np.zeros((1, 50)))[0] == pytest.approx(50)
    lone = np.full((1, 50), -100.0)
    lone[0, 3] = 0
    assert effective_sample_size(lone)[0] == pytest.approx(1)


def test_monte_carlo_error_is_the_spread_of_the_estimate():
    """Log-normal weights: the estimate's spread over repetitions against the error each repetition states."""
    log_w = RNG.normal(scale=0.5, size=(2000, 400))
    estimates = np.log(np.exp(log_w).mean(1))
    assert monte_carlo_error(log_w).mean() == pytest.approx(estimates.std(), rel=0.1)
    assert monte_carlo_error(log_w[:, :100]).mean() != pytest.approx(estimates.std(), rel=0.1)  # control: fewer draws


def test_a_digest_keeps_no_log_weights_alive():
    """Kept for every row of a table: a view of the weights would make memory grow with rows times draws."""
    log_w = RNG.normal(size=(4, 1000))
    assert log_w[:, :3].base is not None  # control
    assert all(x.base is None or x.base.nbytes < 200 for x in digest(log_w))


@pytest.mark.parametrize("k", [0.2, 0.5, 1.0])
def test_pareto_k_finds_the_tail(k):
    """Weights u^-k, u uniform, have exactly that tail; the estimator's weak prior pulls towards 0.5."""
    log_w = -k * np.log(RNG.uniform(size=(300, 5000)))
    found = pareto_k(log_w)
    assert np.mean(found) == pytest.approx(k, abs=0.06)
    assert np.mean(found) != pytest.approx(k + 0.3, abs=0.06)  # control


def test_pareto_k_of_a_row_does_not_depend_on_the_others():
    log_w = RNG.normal(size=(300, 60))
    log_w[7] = 0.0
    assert np.array_equal(pareto_k(log_w), np.concatenate([pareto_k(row[None]) for row in log_w]))


def test_pareto_k_of_equal_weights_and_of_few():
    assert pareto_k(np.zeros((2, 100)))[0] == -np.inf
    assert np.isnan(pareto_k(RNG.normal(size=(2, 10)))).all()


def test_an_estimate_adds_the_codecs_and_averages_rows():
    log_w = np.log(np.array([[1.0, 3.0], [2.0, 2.0]]))
    found = LogLikelihood.of(digest(log_w), 2, np.array([0.5, -0.5]), warn=False)
    assert np.allclose(found.per_row, [np.log(2) + 0.5, np.log(2) - 0.5])
    assert found.value == pytest.approx(np.log(2))


def test_a_key_depends_on_observed_content_alone():
    def bits(x, mask) -> np.ndarray:
        return np.asarray(
            jax.random.key_data(content_key(jax.random.key(0), {"x": jnp.asarray(x)}, {"x": jnp.asarray(mask)}))
        )

    x, seen = np.array([1.0, 2.0, 3.0], np.float32), np.array([True, False, True])
    assert np.array_equal(bits(x, seen), bits(np.array([1.0, 9.0, 3.0], np.float32), seen))  # hidden: does not count
    others = [bits(np.array([1.0, 2.0, 3.5], np.float32), seen), bits(x[::-1].copy(), seen), bits(x, ~seen)]
    assert all(not np.array_equal(bits(x, seen), other) for other in others)
    copies = [
        content_key(jax.random.key(0), {"x": jnp.asarray(x)}, {"x": jnp.asarray(seen)}, jnp.uint32(i))
        for i in (0, 1, 2)
    ]
    assert [np.array_equal(jax.random.key_data(k), bits(x, seen)) for k in copies] == [True, False, False]
    assert not np.array_equal(*(jax.random.key_data(k) for k in copies[1:]))
    many = {bits(RNG.normal(size=3).astype(np.float32), seen).tobytes() for _ in range(200)}
    assert len(many) == 200
