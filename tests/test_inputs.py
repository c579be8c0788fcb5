"""Inputs without a density, one scale for all sites, and a guide with a full covariance: against closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.stats as st
from sklearn.decomposition import PCA

import laten as lt
from laten.network.model import build_model
from laten.training.objectives import Batch

N = lt.Normal


def test_a_full_covariance_is_exact_for_a_linear_network():
    """At the exact posterior every draw has the weight p(x), and the KL in closed form closes the bound."""
    network = lt.Network(z=N(3), x=N(4, scale="site").given("z"))
    model = build_model(network, lt.Network(z=lt.FullNormal(3).learned()), jax.random.key(0))
    rng = np.random.default_rng(0)
    w = jnp.asarray(rng.normal(size=(3, 4)), jnp.float32)
    model = eqx.tree_at(lambda m: m.p["x"].net.layers[0].weight, model, w)
    x = jnp.asarray(rng.normal(size=4), jnp.float32)
    w = np.asarray(w, np.float64)
    covariance = np.linalg.inv(np.eye(3) + w @ w.T)
    mean = covariance @ w @ np.asarray(x, np.float64)
    factor = np.linalg.cholesky(covariance)
    below = (factor / np.diag(factor)[:, None])[np.tril_indices(3, -1)]
    raw = np.concatenate([mean, 7 * np.arctanh(np.log(np.diag(factor)) / 7), 30 * np.arctanh(below / 30)])
    model = eqx.tree_at(lambda m: m.q["z"].constants, model, jnp.asarray(raw, jnp.float32))
    expected = st.multivariate_normal(np.zeros(4), np.eye(4) + w.T @ w).logpdf(x)
    drawn = eqx.filter_jit(lambda key: model.draw(key, {"x": x}, {}))
    for seed in range(3):
        draw = drawn(jax.random.key(seed))
        np.testing.assert_allclose(draw.log_weight, expected, atol=2e-4)
        mahalanobis = np.trace(np.eye(3) @ covariance) + mean @ mean
        kl = 0.5 * (mahalanobis - 3 - np.linalg.slogdet(covariance)[1])
        np.testing.assert_allclose(draw.kl["z"].sum(), kl, rtol=1e-4)


@pytest.mark.trains
def test_one_scale_for_all_sites_is_probabilistic_pca():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 5)) + 0.3 * rng.normal(size=(400, 5))
    network = lt.Network(z=N(2), x=N(5, scale="shared").given("z"))
    guide = lt.Network(z=lt.FullNormal(2).given("x"))
    vae = lt.VAE(network, guide=guide, epochs=200, batch_size=100, learning_rate=0.02, validation=0).fit({"x": x})
    exact = PCA(2).fit(x).score(x)  # Tipping & Bishop 1999
    assert abs(vae.score({"x": x}) - exact) < 0.03
    wrong = PCA(1).fit(x).score(x)
    assert abs(vae.score({"x": x}) - wrong) > 0.3


@pytest.mark.trains
def test_an_input_has_no_density_and_must_be_given():
    rng = np.random.default_rng(0)
    c, b = rng.normal(size=(300, 1)), rng.integers(0, 3, 300)
    x = 2 * c + np.array([-3.0, 0.0, 3.0])[b][:, None] + 0.5 * rng.normal(size=(300, 2))
    network = lt.Network(
        c=lt.Given(1), b=lt.Given(lt.Categorical(3)), z=N(1), x=N(2, scale="site").given("z", "c", "b")
    )
    assert network.factors() == "p(z) p(x | z, c, b)"
    assert lt.guide_for(network).factors("q") == "q(z | c, b, x)"
    data = {"c": c, "b": b, "x": x}
    vae = lt.VAE(network, epochs=60, batch_size=50, learning_rate=0.02, validation=0).fit(data)
    mean = 2 * c + np.array([-3.0, 0.0, 3.0])[b][:, None]
    assert abs(vae.score(data) - st.norm(mean, 0.5).logpdf(x).sum(1).mean()) < 0.15
    drawn = vae.sample(400, given={"c": np.array([1.0]), "b": 2})["x"]
    assert np.abs(drawn.mean(0) - 5).max() < 0.3
    assert (drawn.shape, vae.sample(2, given={"c": np.array([0.0]), "b": 0})["c"].tolist()) == ((400, 2), [[0.0]] * 2)
    with pytest.raises(lt.DeclarationError, match=r"node 'c' is .* every row must give its value.*sample\(n, given="):
        vae.sample(2)
    with pytest.raises(lt.LatenError, match="'c'"):
        vae.score({"b": b, "x": x})
    with pytest.raises(
        lt.DataError, match=r"node 'b' is .*every row must give it, .*give only \['c', 'x'\]; hand over"
    ):
        lt.VAE(network, epochs=1).fit({"c": c, "x": x})
    with pytest.raises(lt.LatenError, match="no node of the network has a density"):
        lt.VAE(lt.Network(c=lt.Given(1)), epochs=1).fit({"c": c})
    holes = data | {"c": np.where(np.arange(300)[:, None] < 5, np.nan, c)}
    with pytest.raises(lt.DataError, match=r"node 'c' is Given\(1\): every row must give all of it; 5 rows do not"):
        vae.score(holes)
    with pytest.raises(lt.DataError, match="every row must give all of it"):
        lt.VAE(network, epochs=1).fit(holes)


@pytest.mark.trains
@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
def test_an_input_of_a_table_adds_no_log_determinant():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"c": np.exp(rng.normal(size=200) * 2), "x": rng.normal(size=200)})
    network = lt.Network(c=lt.Given(()), z=N(1), x=N((), scale="site").given("z", "c"))
    vae = lt.VAE(network, epochs=2, validation=0).fit(frame)
    scores = vae.score_samples(frame)
    other = vae.score_samples(frame.assign(c=frame["c"].to_numpy()))
    np.testing.assert_array_equal(scores, other)
    assert abs(scores.mean() - st.norm(0, 1).logpdf(frame["x"]).mean()) < 1.0  # and nothing of c's logarithm
    assert np.abs(np.log(frame["c"])).mean() > 1.0


@pytest.mark.parametrize("objective", [lt.WakeSleep(), lt.ReweightedWakeSleep(2, guide="both")], ids=repr)
def test_dreams_are_given_what_a_row_gives(objective):
    """Inputs are not dreamt: the guide of a dream sees those of the row."""
    network = lt.Network(c=lt.Given(1), z=N(1), x=N(2).given("z", "c"))
    model = build_model(network, lt.guide_for(network), jax.random.key(0))

    def slope(c):
        batch = Batch({"c": jnp.full((3, 1), c), "x": jnp.ones((3, 2))}, {})
        loss = lambda m: objective(m, batch, jax.random.key(0)).loss  # noqa: E731
        return np.concatenate([np.ravel(g) for g in jax.tree.leaves(eqx.filter_grad(loss)(model).q)])

    at_one, at_two = slope(1.0), slope(2.0)
    assert np.isfinite(at_one).all() and not np.allclose(at_one, at_two)


WRONG = [
    (lambda: lt.Given(lt.Deterministic(3)), r"Given: values must be of a family such as lt\.Categorical\(10\), not"),
    (lambda: lt.Given("three"), r"Given: size must be a whole number"),
    (lambda: lt.guide_for(lt.Network(z=N(1), c=lt.Given(2).given("z"))), r"node 'c' is Given\(2\), an input"),
    (
        lambda: build_model(lt.Network(c=lt.Given(2), x=N(1).given("c")), lt.Network(c=lt.Given(2)), jax.random.key(0)),
        r"guide node 'c': no gradient passes through draws of Given\(2\)",
    ),
]


@pytest.mark.parametrize("declare, words", WRONG, ids=[words[:30] for _, words in WRONG])
def test_inputs_that_cannot_be(declare, words):
    with pytest.raises(lt.DeclarationError, match=words):
        declare()
