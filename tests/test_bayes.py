"""Weights as latent variables, against linear regression, whose posterior of the weights is known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.common.errors import LatenError
from laten.network.model import build_model
from laten.network.nets.layers import Affine
from laten.network.nets.noisy import noisy
from laten.network.uncertain_weights import is_uncertain, kl_of_weights, uncertain

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


@pytest.mark.filterwarnings("ignore:log-likelihood")  # far out it proposes badly, and says so
def test_the_predictive_density_averages_over_weights(data, fits):
    x = np.array([[2.0, 1.0]], np.float32)
    rows = {"x": np.repeat(x, 200, 0), "y": np.linspace(-6, 9, 200, dtype=np.float32)[:, None]}
    found = fits["bayes"].log_likelihood(rows, 4000).per_row
    precision = np.square(data["x"]).sum(0) + 1
    mean = x @ ((data["x"] * data["y"]).sum(0) / precision)
    scale = np.sqrt(1 + np.square(x) @ (1 / precision))
    y, root = rows["y"].ravel(), -0.5 * np.square(x).sum() - np.log(2 * np.pi)
    exact = -0.5 * np.square((y - mean) / scale) - np.log(scale) - 0.5 * np.log(2 * np.pi) + root
    near, away = np.abs(y - mean) < 1.5 * scale, np.abs(y - mean) > 3 * scale
    assert np.abs(found - exact)[near].max() < 0.1
    point = fits["map"].log_likelihood(rows, 10).per_row
    assert (np.abs(found - exact) < np.abs(point - exact))[away].all()  # control: points are too sure


def test_kl_is_that_of_draws():
    p = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z", via=lt.MLP(4)))
    weights = uncertain(build_model(p, lt.guide_for(p), jax.random.key(0)).p)
    rng, ratios = np.random.default_rng(0), np.zeros(4000)
    net, spread = (jax.tree.leaves(eqx.filter(t, eqx.is_array)) for t in (weights["x"].net, weights["x"].spread))
    for mean, log_sd in zip(net, spread, strict=True):
        noise = rng.normal(size=(4000, *mean.shape))
        w = np.asarray(mean) + np.exp(log_sd) * noise
        ratios += (-0.5 * noise**2 - np.asarray(log_sd) + 0.5 * w**2).reshape(4000, -1).sum(1)
    assert ratios.mean() == pytest.approx(float(kl_of_weights(weights)), abs=4 * ratios.std() / np.sqrt(4000))


def test_drawing_what_a_layer_puts_out_is_drawing_its_weights():
    """Means and variances of a layer's output over draws of the weights, by both ways."""
    rng = np.random.default_rng(0)
    layer = Affine(jnp.asarray(rng.normal(size=(3, 2)), jnp.float32), jnp.ones(2))
    spread = Affine(jnp.asarray(rng.normal(size=(3, 2)), jnp.float32), jnp.zeros(2))
    x = jnp.array([1.0, -2.0, 0.5])
    local = np.asarray(jax.vmap(lambda k: noisy(layer, spread, k)(x))(jax.random.split(jax.random.key(0), 40_000)))
    w = np.asarray(layer.weight) + np.exp(spread.weight) * rng.normal(size=(40_000, 3, 2))
    direct = np.einsum("i,nij->nj", x, w) + 1 + rng.normal(size=(40_000, 2))
    assert np.allclose(local.mean(0), direct.mean(0), atol=4 * direct.std(0).max() / 200)
    assert np.allclose(local.std(0), direct.std(0), rtol=0.03)
    still = np.asarray(layer(x))
    assert np.abs(local - still).max() > 1  # control: there is noise


def test_samples_draw_the_weights_and_files_keep_them(data, fits, tmp_path):
    vae = fits["bayes"]
    vae.save(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten")
    assert is_uncertain(again.model_.p)
    one, two = vae.sample(70), again.sample(70)
    assert np.array_equal(one["y"], two["y"])
    assert one["y"].std() > 0 and np.array_equal(vae.reconstruct(data)["y"], again.reconstruct(data)["y"])
    slopes, offset = np.asarray(vae.model_.p["y"].net.layers[0].weight), np.asarray(vae.model_.p["y"].constants)
    assert np.allclose(vae.reconstruct(data)["y"], data["x"] @ slopes + offset, atol=1e-5)
    assert np.array_equal(one["y"][:5], vae.sample(5)["y"])  # a row does not depend on how many
    assert not is_uncertain(fits["map"].model_.p)
    assert "at their means" in vae.audit(data, only="exact", rows=4).note
    with pytest.raises(LatenError, match="'bayes'"):
        lt.VAE(vae.network, weights="all").fit(data)
