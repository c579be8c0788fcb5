"""Weights as latent variables, against linear regression, whose posterior of the weights is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.bayes import drawn, is_uncertain, kl_of_weights, uncertain
from laten.errors import LatenError
from laten.infer.importance import WEIGHTS
from laten.model import build_model

pytestmark = pytest.mark.trains
ROWS, SLOPES = 40, np.array([1.5, -0.4])


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    """Orthogonal columns, so that the exact posterior is a product of normals; all means zero."""
    rng = np.random.default_rng(0)
    x = np.linalg.qr(np.c_[np.ones(ROWS), rng.normal(size=(ROWS, 2))])[0][:, 1:] * np.array([2.0, 4.0])
    y = x @ SLOPES + rng.normal(size=ROWS)
    return {"x": x.astype(np.float32), "y": (y - y.mean())[:, None].astype(np.float32)}


@pytest.fixture(scope="module")
def fits(data) -> dict[str, lt.VAE]:
    p = lt.Network(x=lt.Normal(2).standard(), y=lt.Normal(1, scale=1.0).given("x"))
    options = {"epochs": 1500, "batch_size": ROWS, "validation": 0, "learning_rate": 0.02}
    return {w: lt.VAE(p, weights=w, **options).fit(data) for w in ("point", "map", "bayes")}


def test_the_posterior_of_the_weights_is_found(data, fits):
    precision = np.square(data["x"]).sum(0) + 1
    mean = (data["x"] * data["y"]).sum(0) / precision
    learned = fits["bayes"].model_.p["y"]
    assert np.allclose(learned.net.layers[0].weight.ravel(), mean, atol=0.03)
    assert np.allclose(np.exp(learned.spread.layers[0].weight.ravel()), precision**-0.5, rtol=0.1)
    maximum = fits["map"].model_.p["y"].net.layers[0].weight.ravel()
    assert np.allclose(maximum, mean, atol=0.01)
    least_squares = (data["x"] * data["y"]).sum(0) / (precision - 1)
    assert np.allclose(fits["point"].model_.p["y"].net.layers[0].weight.ravel(), least_squares, atol=0.01)
    assert np.abs(maximum - least_squares).max() > 0.05  # control: the prior matters


@pytest.mark.filterwarnings("ignore:log-likelihood")  # 32 draws of the weights are few for y far out, and it says so
def test_the_predictive_density_averages_over_weights(data, fits):
    x = np.array([[2.0, 1.0]], np.float32)
    rows = {"x": np.repeat(x, 200, 0), "y": np.linspace(-6, 9, 200, dtype=np.float32)[:, None]}
    found = fits["bayes"].log_likelihood(rows, 3200).per_row
    precision = np.square(data["x"]).sum(0) + 1
    mean = x @ ((data["x"] * data["y"]).sum(0) / precision)
    scale = np.sqrt(1 + np.square(x) @ (1 / precision))
    y, root = rows["y"].ravel(), -0.5 * np.square(x).sum() - np.log(2 * np.pi)
    exact = -0.5 * np.square((y - mean) / scale) - np.log(scale) - 0.5 * np.log(2 * np.pi) + root
    near, away = np.abs(y - mean) < 1.5 * scale, np.abs(y - mean) > 3 * scale
    assert np.abs(found - exact)[near].max() < 0.2  # of 32 draws of the weights
    point = fits["map"].log_likelihood(rows, 10).per_row
    assert (np.abs(found - exact) < np.abs(point - exact))[away].all()  # control: points are too sure


def test_kl_is_that_of_draws():
    p = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z", via=lt.MLP(4)))
    weights = uncertain(build_model(p, lt.guide_for(p), jax.random.key(0)).p)
    kl = float(kl_of_weights(weights))

    def log_ratio(key):
        total = jnp.zeros(())
        new = drawn(weights, key)["x"].net
        for old, w, s in zip(*(jax.tree.leaves(t) for t in (weights["x"].net, new, weights["x"].spread)), strict=True):
            if hasattr(w, "shape"):
                total += jnp.sum(-0.5 * jnp.square((w - old) / jnp.exp(s)) - s + 0.5 * jnp.square(w))
        return total

    ratios = np.asarray(jax.vmap(log_ratio)(jax.random.split(jax.random.key(1), 4000)))
    assert ratios.mean() == pytest.approx(kl, abs=4 * ratios.std() / np.sqrt(4000))


def test_samples_use_many_draws_of_the_weights_and_files_keep_them(data, fits, tmp_path):
    vae = fits["bayes"]
    vae.save(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten")
    assert is_uncertain(again.model_.p)
    one, two = vae.sample(2 * WEIGHTS + 3), again.sample(2 * WEIGHTS + 3)
    assert np.array_equal(one["y"], two["y"])
    assert np.array_equal(one["y"][:5], vae.sample(5)["y"])  # a row does not depend on how many
    assert not is_uncertain(fits["map"].model_.p)
    assert "at their means" in vae.audit(data, only="exact", rows=4).note
    with pytest.raises(LatenError, match="'bayes'"):
        lt.VAE(vae.network, weights="all").fit(data)
