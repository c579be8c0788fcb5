"""Objectives: bounds in order, tempering of the loss but not of the bound, terms that add up, unbiased sampled KL."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.network.model import Model, build_model
from laten.training.objectives import Batch, Estimate

NETWORK = lt.Network(
    z=lt.Normal(3),
    h=lt.Deterministic(8).given("z", via=lt.MLP(8)),
    x=lt.Bernoulli(6).given("h"),
    y=lt.Normal(2).given("h"),
)
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model() -> Model:
    built = build_model(NETWORK, lt.guide_for(NETWORK), jax.random.key(0))
    keys = iter(jax.random.split(jax.random.key(1), 99))
    return jax.tree.map(lambda w: w + 0.1 * jax.random.normal(next(keys), w.shape), built)


@pytest.fixture(scope="module")
def batch() -> Batch:
    x, y = RNG.integers(0, 2, (256, 6)), RNG.normal(size=(256, 2))
    return Batch({"x": jnp.asarray(x, jnp.float32), "y": jnp.asarray(y, jnp.float32)}, {})


def estimate(objective, model: Model, batch: Batch, seed: int = 0, progress: float = 1.0) -> Estimate:
    return estimated(objective, model, batch, jax.random.key(seed), jnp.float32(progress))


@eqx.filter_jit
def estimated(objective, model: Model, batch: Batch, key, progress) -> Estimate:
    return objective(model, batch, key, progress)


def test_bounds_rise_with_draws(model, batch):
    elbo = np.mean([estimate(lt.Elbo(draws=20), model, batch, s).bound for s in range(3)])
    five, fifty = (np.mean([estimate(lt.Iwae(k), model, batch, s).bound for s in range(3)]) for k in (5, 50))
    assert elbo < five < fifty
    assert not fifty < elbo  # control


def test_terms_add_up(model, batch):
    found = estimate(lt.Elbo(), model, batch)
    assert set(found.terms) == {"x", "y", "z"}
    assert sum(found.terms.values()) == pytest.approx(float(found.bound), abs=1e-4)
    assert found.terms["z"] < 0
    assert found.loss == pytest.approx(-float(found.bound), abs=1e-4)


def test_sampled_and_closed_kl_agree_on_average(model, batch):
    closed, sampled = (
        [estimate(objective, model, batch, s) for s in range(3)]
        for objective in (lt.Elbo(draws=50), lt.Elbo(kl="sampled", draws=50))
    )
    assert np.mean([e.bound for e in sampled]) == pytest.approx(np.mean([e.bound for e in closed]), abs=0.05)
    kl = [[float(e.terms["z"]) for e in found] for found in (closed, sampled)]
    assert np.std(kl[0]) < 1e-5 < np.std(kl[1])  # in closed form the KL is no random number


def test_weights_temper_the_loss_and_not_the_bound(model, batch):
    plain = estimate(lt.Elbo(), model, batch)
    kl = -float(plain.terms["z"])
    for objective, progress, weight in [
        (lt.Elbo(beta=4), 1.0, 4),
        (lt.Elbo(warmup=0.5), 0.25, 0.5),
        (lt.Elbo(warmup=0.5), 0.9, 1),
    ]:
        found = estimate(objective, model, batch, progress=progress)
        assert found.bound == pytest.approx(float(plain.bound), abs=1e-4)
        assert found.loss == pytest.approx(float(plain.loss) + (weight - 1) * kl, rel=1e-4)
    free = estimate(lt.Elbo(free_bits=kl + 2), model, batch)
    assert free.loss == pytest.approx(float(plain.loss) + 2, rel=1e-4)


def test_hidden_rows_cost_nothing(model, batch):
    """A bound on rows with nothing observed is zero minus the gap; with an uninformed guide it is exactly zero."""
    uninformed = build_model(NETWORK, lt.guide_for(NETWORK, latent=[]), jax.random.key(0), hidden=("x", "y"))
    none = {"x": jnp.zeros((256, 6), bool), "y": jnp.zeros((256, 2), bool)}
    assert estimate(lt.Iwae(3), uninformed, Batch(batch.values, none)).bound == pytest.approx(0, abs=1e-6)
    assert estimate(lt.Iwae(3), uninformed, batch).bound < -1  # control


def test_trimmed_rows_teach_nothing(model, batch):
    """Odd rows among the lowest share leave loss, bound and gradient as they are without them."""
    odd = np.arange(256) < 64
    spoiled = Batch({"x": batch.values["x"], "y": jnp.where(odd[:, None], 1e3, batch.values["y"])}, {})
    keys = jax.random.split(jax.random.key(0), 256)
    rest = Batch({n: x[~odd] for n, x in batch.values.items()}, {})

    def gradient(objective, rows, key):
        value, g = jax.jit(jax.value_and_grad(lambda p: objective(model_with(model, p), rows, key).loss))(model.p)
        return value, jax.tree.leaves(g)

    trimmed, plain = lt.Elbo(trim=0.25), lt.Elbo()
    value, g = gradient(trimmed, spoiled, keys)
    expected, g_expected = gradient(plain, rest, keys[~odd])
    assert value == pytest.approx(float(expected), rel=1e-5)
    assert all(np.allclose(a, b, rtol=1e-3, atol=1e-5) for a, b in zip(g, g_expected, strict=True))
    assert gradient(plain, spoiled, keys)[0] > 10 * expected  # control


def model_with(model: Model, p) -> Model:
    return Model(model.network, model.guide, p, model.q)
