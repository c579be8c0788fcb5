"""A net, a family and an objective declared outside the package: fitted, scored, saved and asked as laten's own."""

from dataclasses import dataclass, replace
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st
from scipy.special import logsumexp

import laten as lt
from laten.common import random
from laten.common.numerics import log_scale
from laten.common.types import Array, Key
from laten.families import Family
from laten.network.log_weights import by_node, total
from laten.training.objectives import Batch, Estimate, Objective, over_rows

pytestmark = pytest.mark.trains


class Waves(eqx.Module):
    """W2 sin(W1 x)."""

    inner: eqx.nn.Linear
    outer: eqx.nn.Linear

    def __call__(self, x: Array) -> Array:
        return self.outer(jnp.sin(self.inner(x)))


@dataclass(frozen=True)
class Sine:
    """A recipe; in a guide it has twice the units."""

    units: int

    @property
    def size(self) -> tuple[int, int]:
        return self.units, 1

    def mirrored(self) -> "Sine":
        return replace(self, units=2 * self.units)

    def __call__(self, n_in: int, n_out: int, key: Key) -> Waves:
        inner, outer = jax.random.split(key)
        return Waves(eqx.nn.Linear(n_in, self.units, key=inner), eqx.nn.Linear(self.units, n_out, key=outer))


@dataclass(frozen=True, repr=False)
class Laplace(Family):
    """log p(x) = -|x - m| / b - log 2b; raw numbers are all m, then all log b."""

    reparameterised: ClassVar[bool] = True

    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.size,)

    @property
    def n_raw(self) -> int:
        return 2 * self.size

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        return raw[: self.size], log_scale(raw[self.size :])

    def log_prob(self, raw: Array, value: Array) -> Array:
        m, log_b = self.parameters(raw)
        return -jnp.abs(value - m) * jnp.exp(-log_b) - log_b - jnp.log(2.0)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        m, log_b = self.parameters(raw)
        u = 2 * random.uniform(key, self.shape) - 1
        value = m - jnp.exp(log_b) * jnp.sign(u) * jnp.log1p(-jnp.abs(u))
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def mode(self, raw: Array) -> Array:
        return self.parameters(raw)[0]

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        seen = np.where(np.isfinite(values) if mask is None else mask, values, np.nan)
        m = np.nanmedian(seen, axis=0)
        return np.concatenate([m, np.log(np.nanmean(np.abs(seen - m), axis=0))]).astype(np.float32)


@dataclass(frozen=True)
class HeavyKl(Objective):
    """The ELBO, in the loss its KL counts `weight` times."""

    weight: float = 2.0

    def __call__(
        self, model: lt.Model, batch: Batch, key: Key, progress: Array | float = 1.0, dropout: bool = False
    ) -> Estimate:
        def one(key, net_key, values, masks):
            log_r, draw = model.draws(key, values, masks, net_key)
            parts = by_node(log_r, draw, masks, closed=True)
            return parts.bound, parts.terms, total(parts.kl)

        bound, terms, kl = jax.tree.map(jnp.mean, over_rows(one, batch, key, dropout))
        return Estimate(loss=-bound + (self.weight - 1) * kl, bound=bound, terms=terms, kl=kl)


OWN = {"Sine": Sine, "Laplace": Laplace, "HeavyKl": HeavyKl}


@pytest.fixture(scope="module")
def network():
    return lt.Network(z=lt.Normal(1), x=Laplace(3).given("z", via=Sine(6)))


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 1))
    x = z * [1.0, -2.0, 0.5] + rng.laplace(size=(400, 3))
    x[rng.random(x.shape) < 0.1] = np.nan
    return x.astype(np.float32)


@pytest.fixture(scope="module")
def vae(network, rows):
    return lt.VAE(network, objective=HeavyKl(1.5), epochs=40, batch_size=20, learning_rate=0.01, patience=0).fit(
        {"x": rows}
    )


@pytest.fixture(scope="module")
def path(vae, tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "own.laten"
    vae.save(path)
    return path


def by_quadrature(vae, x: np.ndarray, stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """log p(x) of the sites that are there, and E[x | those], by sums over a grid of z and SciPy's densities."""
    grid = np.linspace(-6, 6, 4001, dtype=np.float32)

    def raw_at(z: Array) -> Array:
        walk = vae.network_.walk(vae.model_.p, {"z": z, "x": jnp.zeros(3)})
        return {name: raw for name, _, raw in walk}["x"]

    raw = np.asarray(jax.jit(jax.vmap(raw_at))(grid[:, None]), np.float64)
    m, b = raw[:, :3], stretch * np.exp(7 * np.tanh(raw[:, 3:] / 7))
    sites = st.laplace.logpdf(x[:, None], m, b)
    log_joint = np.nansum(sites, axis=2) + st.norm.logpdf(grid) + np.log(grid[1] - grid[0])
    log_p = logsumexp(log_joint, axis=1)
    return log_p, np.exp(log_joint - log_p[:, None]) @ m


def test_density_and_draws_are_scipys():
    raw = np.array([0.3, -1.0, 0.5, -0.7], np.float32)
    family = Laplace(2)
    reference = st.laplace(raw[:2], np.exp(7 * np.tanh(raw[2:] / 7)))
    x = np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32)
    assert np.allclose(jax.vmap(family.log_prob, (None, 0))(raw, x), reference.logpdf(x), atol=1e-5)
    draws, log_p = jax.vmap(family.sample_and_log_prob, (None, 0))(raw, jax.random.split(jax.random.key(0), 2000))
    assert np.allclose(log_p, reference.logpdf(draws), atol=1e-4)
    assert np.allclose(np.mean(np.asarray(draws) < raw[:2], axis=0), 0.5, atol=0.05)
    assert np.allclose(np.std(draws, axis=0), reference.std(), rtol=0.1)


def test_a_family_of_ones_own_is_shown(network):
    assert "x ~ Laplace(3) given z via Sine(units=6)" in str(network)


def test_the_guide_turns_the_net_as_its_author_says(network):
    assert lt.guide_for(network).nodes["z"].via == Sine(12)


def test_the_weight_counts_in_the_loss_alone(vae, rows):
    seen = np.isfinite(rows)
    batch = Batch({"x": jnp.asarray(np.where(seen, rows, 0))}, {"x": jnp.asarray(seen)})
    heavy, elbo = (eqx.filter_jit(f)(vae.model_, batch, jax.random.key(0)) for f in (HeavyKl(3.0), lt.Elbo()))
    assert np.isclose(heavy.bound, elbo.bound) and np.isclose(elbo.loss, -elbo.bound)
    assert heavy.kl > 0.01 and np.isclose(heavy.loss, elbo.loss + 2 * elbo.kl)


def test_scores_are_those_of_quadrature(vae, rows):
    log_p, _ = by_quadrature(vae, rows[:40])
    scores = vae.score_samples({"x": rows[:40]}, draws=2000)
    assert np.allclose(scores, log_p, atol=0.05)
    wrong, _ = by_quadrature(vae, rows[:40], stretch=1.2)
    assert np.abs(wrong - log_p).max() > 0.1


def test_hidden_sites_are_filled_with_their_posterior_means(vae, rows):
    holes = rows[:40].copy()
    holes[0] = np.nan
    filled = vae.impute({"x": holes})["x"]
    seen = np.isfinite(holes)
    _, mean = by_quadrature(vae, holes)
    assert np.array_equal(filled[seen], holes[seen])
    assert np.allclose(filled[~seen], mean[~seen], atol=0.2)


def test_the_file_gives_the_same_scores(vae, rows, path):
    again = lt.load(path, parts=OWN)
    assert np.array_equal(again.score_samples({"x": rows}), vae.score_samples({"x": rows}))
    assert again.objective == HeavyKl(1.5)


@pytest.mark.parametrize("name", OWN)
def test_a_file_says_which_part_it_lacks(path, name):
    with pytest.raises(lt.ModelFileError, match=f"uses '{name}', which is not of laten") as error:
        lt.load(path, parts={n: part for n, part in OWN.items() if n != name})
    assert "damaged" not in str(error.value)
