"""Our Threefry is Threefry, and its numbers have the distributions they should."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from laten.common import random

KEY = jax.random.key(7)
N = 20_000

# known answers of the authors' reference implementation (Random123), Threefry-2x32, 20 rounds
KNOWN = [
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("key", "counter", "answer"), KNOWN)
def test_known_answers(key, counter, answer):
    found = random.threefry(*(tuple(jnp.uint32(x) for x in pair) for pair in (key, counter)))
    assert tuple(int(x) for x in found) == answer


@pytest.mark.parametrize(
    ("draw", "law"),
    [
        (random.uniform, stats.uniform()),
        (random.normal, stats.norm()),
        (random.gumbel, stats.gumbel_r()),
        (random.logistic, stats.logistic()),
    ],
)
def test_distributions(draw, law):
    x = np.asarray(draw(KEY, (N,)), float)
    assert stats.kstest(x, law.cdf).pvalue > 1e-3
    assert stats.kstest(1.1 * x, law.cdf).pvalue < 1e-3  # control: a tenth too wide
    assert np.isfinite(x).all()


def test_bytes_are_uniform():
    counts = np.bincount(np.asarray(random.random_bytes(KEY, (3, N))).ravel(), minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert len(counts) == 256


def test_the_ends_are_never_reached(monkeypatch):
    ends = jnp.asarray([0, 2**32 - 1], jnp.uint32)
    monkeypatch.setattr(random, "words", lambda key, n: ends)
    u = random.uniform(KEY, (2,))
    assert 0 < u[0] < u[1] < 1
    assert all(np.isfinite(f(KEY, (2,))).all() for f in (random.normal, random.gumbel, random.logistic))


def test_neighbours_are_independent():
    """Numbers of one key, of keys side by side, and of the keys made from a key."""
    keys = jax.random.split(KEY, 200)
    x = np.asarray(jax.vmap(lambda k: random.normal(k, (200,)))(keys))
    assert abs(np.corrcoef(x[:-1].ravel(), x[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(x[:, :-1].ravel(), x[:, 1:].ravel())[0, 1]) < 0.02
    made = {int(w) for k in keys for w in np.asarray(jax.random.key_data(k))}
    assert not made & {int(w) for w in np.asarray(random.words(KEY, 400))}


@pytest.mark.parametrize("seed", [0, 7, 2**31 - 1, 2**31 + 5, -3])
def test_keys_of_seeds_are_jaxs_own(seed):
    assert random.key(seed) == jax.random.key(seed)
    assert random.key(seed) != jax.random.key(seed + 1)


@pytest.mark.parametrize("seed", [0, 2**31 + 5])
def test_folding_and_splitting_are_jaxs_own(seed):
    key = jax.random.key(seed)
    for n in (0, 5, 2**31 + 3, 2**32 - 1):
        assert random.fold_in(key, n) == jax.random.fold_in(key, n)
    assert (random.split(key) == jax.random.split(key)).all()
    assert (random.split(key, 7) == jax.random.split(key, 7)).all()
    assert (random.split(key, (2, 3)) == jax.random.split(key, (2, 3))).all()
    assert (random.fold_in(key, jnp.arange(7)) == jax.random.split(key, 7)).all()
    assert (random.split(key, 7) != jax.random.split(jax.random.key(1), 7)).all()


def test_keys_are_keys_of_their_own():
    """The same for a number alone as among others; none twice, and none of JAX's own."""
    many = random.keys(KEY, jnp.arange(1000, dtype=jnp.uint32))
    data = np.asarray(jax.random.key_data(many))
    np.testing.assert_array_equal(data[17], jax.random.key_data(random.keys(KEY, jnp.uint32(17))))
    assert len(np.unique(data, axis=0)) == 1000
    jaxs = np.asarray(jax.random.key_data(jax.random.split(KEY, 1000)))
    assert not set(map(tuple, data)) & set(map(tuple, jaxs))
    longer = random.keys(jax.random.key(7, impl="rbg"), jnp.arange(3, dtype=jnp.uint32))
    assert jax.random.key_data(longer).shape == (3, 4)


def test_every_number_depends_on_the_whole_key():
    data = jax.random.key_data(KEY)
    for i in (0, 1):
        other = jax.random.wrap_key_data(data.at[i].add(jnp.uint32(1)))
        assert (random.words(KEY, 100) != random.words(other, 100)).all()
    longer = jax.random.key(7, impl="rbg")
    assert len(np.unique(np.asarray(random.words(longer, 1000)))) > 990
