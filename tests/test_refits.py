"""A second stage for the prior, and guides of a row's own: bounds rise, everything else stays as it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
import oracles
from laten.common import random
from laten.inference.own_guide import Refined, constants_of, mean_bound, own_guide, with_constants
from linear_worlds import model_of, world

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Three clusters in the plane, seen in four columns."""
    rng = np.random.default_rng(0)
    z = np.array([[-3, 0], [3, 0], [0, 4.0]])[rng.integers(3, size=600)] + 0.3 * rng.normal(size=(600, 2))
    x = z @ rng.normal(size=(2, 4)) + 0.3 * rng.normal(size=(600, 4))
    return x.astype(np.float32)


@pytest.fixture(scope="module")
def fitted(rows) -> lt.VAE:
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(4, scale="site").given("z"))
    return lt.VAE(network, epochs=40, batch_size=50, learning_rate=1e-2).fit({"x": rows[:500]})


PRIORS = [
    lt.NormalMixture(2, 6),
    lt.Vamp(2, 10),
    lt.Transformed(lt.Normal(2), lt.Spline(2, 16)),
    lt.Mixture(lt.Normal(2), 3),
]


@pytest.mark.parametrize("prior", PRIORS[:1] + [pytest.param(p, marks=pytest.mark.slow) for p in PRIORS[1:]], ids=repr)
def test_a_prior_that_follows_the_latents_raises_the_bound(fitted, rows, prior):
    test = {"x": rows[500:]}
    found = fitted.refit_prior({"x": rows[:500]}, prior, epochs=30)
    before, after = fitted.log_likelihood(test, draws=500), found.log_likelihood(test, draws=500)
    assert after.value > before.value + 0.2
    for a, b in zip(jax.tree.leaves((fitted.model_.p["x"], fitted.model_.q)),
                    jax.tree.leaves((found.model_.p["x"], found.model_.q)), strict=True):  # fmt: skip
        np.testing.assert_array_equal(a, b)
    assert fitted.network_.nodes["z"].family == lt.Normal(2) == fitted.network.nodes["z"].family
    assert found.network_.nodes["z"].family == prior == found.network.nodes["z"].family
    assert found.history_["valid_bound"].iloc[-1] > found.history_["valid_bound"].iloc[0] - 0.05


def test_the_same_prior_is_no_better(fitted, rows):
    """The control: a standard normal, fitted again, is what it was."""
    test = {"x": rows[500:]}
    found = fitted.refit_prior({"x": rows[:500]}, lt.Normal(2).standard(), epochs=2)
    np.testing.assert_array_equal(found.score_samples(test), fitted.score_samples(test))


@pytest.mark.slow
def test_a_refitted_model_is_saved(fitted, rows, tmp_path):
    found = fitted.refit_prior({"x": rows[:200]}, lt.NormalMixture(2, 3), epochs=1)
    found.save(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten")
    np.testing.assert_array_equal(again.score_samples({"x": rows[:5]}), found.score_samples({"x": rows[:5]}))
    assert again.sample(3)["x"].shape == (3, 4)


@pytest.mark.parametrize("prior, node, words", [
    (lt.Normal(3), None, r"guide node 'z' has shape \(2,\), but the network's has \(3,\)"),
    (lt.LogNormal(2), None, r"whose values are not those of P's LogNormal\(2\); use lt\."),
    (lt.Normal(2).given("x"), None, "prior must be a family such as"),
    ("mixture", None, "prior must be a family such as"),
    (lt.Normal(2), "x", r"'x' is no latent without parents; known names: \['z'\]"),
])  # fmt: skip
def test_priors_that_do_not_fit(fitted, rows, prior, node, words):
    with pytest.raises(lt.DeclarationError, match=words):
        fitted.refit_prior({"x": rows}, prior, node=node)


def test_a_guide_that_moves_with_the_prior_is_refused(rows):
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(4).given("z"))
    vae = lt.VAE(network, guide=lt.Network(z=lt.Relative(2).given("x")), epochs=1).fit({"x": rows[:100]})
    with pytest.raises(lt.DeclarationError, match=r"the guide's 'z' is Relative\(2\), which would move with the prior"):
        vae.refit_prior({"x": rows}, lt.Normal(2).learned())


# -- guides of a row's own -------------------------------------------------------


@pytest.mark.slow
def test_a_row_gets_the_best_guide():
    """Where the posterior is known: the bound comes near log p, from a guide that is off; rows that are right stay."""
    given = world(2, 4, rows=8)
    for off in ({"slope": 0.3, "shift": 0.5, "log_sd": 0.7}, {}):
        model = model_of(given, **off)

        def bounds(x, model=model):
            own = own_guide(model, random.key(1), {"x": x}, {}, 200, 8)
            question = Refined(constants_asked, 200)
            kept = with_constants(model, question(model, random.key(1), {"x": x}, {}))
            return [mean_bound(m, random.key(2), {"x": x}, {}, 400) for m in (model, own, kept)]

        before, _, kept = (np.asarray(b) for b in jax.jit(jax.vmap(bounds))(jnp.asarray(given.x)))
        assert (kept > before - 0.02).all()
        assert np.abs(kept - given.log_p).mean() < 0.12
        assert (before < given.log_p - 0.2).all() == bool(off)  # control


class ConstantsAsked:
    draws = 1

    def __call__(self, model, key, values, masks):
        return constants_of(model)


constants_asked = ConstantsAsked()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
def test_a_model_that_is_asked_with_more_care(rows):
    """A guide that has hardly learned: log p of few draws comes near the truth; the model is the same."""
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(4, scale=0.3).given("z"))
    vae = lt.VAE(network, epochs=2, batch_size=50, learning_rate=1e-2, validation=0).fit({"x": rows[:200]})
    few = {"x": rows[:30]}
    careful = vae.refined(200)
    before, after = vae.score_samples(few, draws=5), careful.score_samples(few, draws=5)
    p = vae.model_.p["x"]
    weight = np.asarray(p.net.layers[0].weight, np.float64).T
    truth = oracles.linear_gaussian_log_prob(few["x"], weight, np.asarray(p.constants), 0.3)
    assert np.abs(after - truth).mean() < 0.5 * np.abs(before - truth).mean()
    assert careful.transform(few).shape == (30, 2) and careful.sample(2)["x"].shape == (2, 4)
    np.testing.assert_array_equal(vae.refined(0).score_samples(few, draws=5), before)
    with pytest.raises(lt.LatenError, match="steps must be a whole number"):
        vae.refined(-1)
