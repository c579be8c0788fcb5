"""The posterior over one vector, against densities written down by hand; quadrature and exact log p(x) likewise."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats as st
from scipy.special import logsumexp

import laten as lt
import linear_worlds
import oracles
from laten.answers.audit.quadrature import integrate
from laten.common.errors import LatenError
from laten.inference.linear_gaussian import joint_normal, marginal, not_linear
from laten.inference.posterior import Posterior, dimensions
from laten.network.model import build_model

WORLD = linear_worlds.world(2, 5)
MODEL = linear_worlds.model_of(WORLD, slope=0.9, shift=0.1, log_sd=0.2)


def log_p_by_grid(model, values, masks=None):
    """Quadrature of rows."""
    keys = jax.random.split(jax.random.key(0), len(next(iter(values.values()))))
    run = jax.jit(jax.vmap(lambda k, v, m: integrate(Posterior(model, v, m), k)))
    return run(keys, values, masks or {})


def log_p_by_hand(model, values, masks=None, points: int = 4001) -> np.ndarray:
    """`(rows,)` log of the sum of p(x, u) over a wide grid of one coordinate."""
    grid = jnp.linspace(-9, 9, points)[:, None]
    run = jax.jit(jax.vmap(lambda v, m: jax.vmap(Posterior(model, v, m).log_joint)(grid)))
    return logsumexp(np.asarray(run(values, masks or {}), np.float64), axis=1) + np.log(18 / (points - 1))


def test_densities_are_those_written_down():
    x, u = WORLD.x[0].astype(np.float64), np.array([0.3, -1.2])
    found = Posterior(MODEL, {"x": jnp.asarray(WORLD.x[0])}, {}).densities(jnp.asarray(u, jnp.float32))
    prior = st.norm.logpdf(u).sum()
    likelihood = st.norm.logpdf(x, WORLD.w @ u + WORLD.b, WORLD.sigma).sum()
    mean, covariance = oracles.linear_gaussian_posterior(x[None], WORLD.w, WORLD.b, WORLD.sigma)
    mean0 = oracles.linear_gaussian_posterior(np.zeros((1, 5)), WORLD.w, WORLD.b, WORLD.sigma)[0]
    slope = 0.9 * (mean - mean0) + 0.9 * mean0 + 0.1
    guide = st.norm.logpdf(u, slope[0], np.sqrt(np.diag(covariance)) * np.exp(0.2)).sum()
    np.testing.assert_allclose(np.array(found), [prior + likelihood, guide, prior], rtol=1e-5)


def test_quadrature_and_the_joint_normal_agree_with_the_oracle():
    found = log_p_by_grid(MODEL, {"x": jnp.asarray(WORLD.x)})
    np.testing.assert_allclose(found.log_p, WORLD.log_p, atol=1e-4)
    assert (np.asarray(found.error) < 1e-4).all()
    exact = joint_normal(MODEL.network, MODEL.p)
    np.testing.assert_allclose(exact.log_prob({"x": WORLD.x}, {}), WORLD.log_p, atol=1e-5)
    seen = np.random.default_rng(0).random(WORLD.x.shape) < 0.5
    wanted = oracles.linear_gaussian_log_prob(WORLD.x, WORLD.w, WORLD.b, WORLD.sigma, seen)
    np.testing.assert_allclose(exact.log_prob({"x": WORLD.x}, {"x": seen}), wanted, atol=1e-5)
    assert np.abs(exact.log_prob({"x": WORLD.x}, {"x": ~seen}) - wanted).max() > 0.1  # control


def test_a_latent_in_between_and_a_hidden_layer_are_linear_too():
    p = lt.Network(
        a=lt.Normal(2).learned(),
        h=lt.Deterministic(3).given("a"),
        b=lt.Normal(1, scale="site").given("h"),
        x=lt.Normal(2, scale=0.5).given("b", "a"),
    )
    model = build_model(p, lt.guide_for(p), jax.random.key(1), starts={"a": np.array([1, -1, 0.2, -0.3], np.float32)})
    draws = jax.jit(jax.vmap(lambda k: p.sample(model.p, k)))(jax.random.split(jax.random.key(2), 40_000))
    stacked = np.concatenate([np.asarray(draws[n], np.float64) for n in ("a", "b", "x")], axis=1)
    joint = joint_normal(p, model.p)
    found = marginal(joint.normals, np.concatenate([joint.places[n] for n in ("a", "b", "x")]))
    error = np.sqrt(np.diag(found.covariance) / 40_000)
    assert (np.abs(stacked.mean(0) - found.mean) < 4.5 * error).all()
    np.testing.assert_allclose(np.cov(stacked.T), found.covariance, atol=0.05 * found.covariance.max())


def test_positive_latents_walk_as_logarithms():
    """A rate is log-normal, a count Poisson; the integral by SciPy."""
    p = lt.Network(rate=lt.LogNormal(1).learned(), x=lt.Normal(1, scale=0.3).given("rate"))
    model = build_model(p, lt.guide_for(p), jax.random.key(3), starts={"rate": np.array([0.4, -0.6], np.float32)})
    layer = lambda m: m.p["x"].net.layers[0].weight  # noqa: E731
    model = eqx.tree_at(layer, model, jnp.array([[1.5]]))
    x = np.array([[0.2], [1.0]], np.float32)
    found = log_p_by_hand(model, {"x": jnp.asarray(x)})
    sd = np.exp(7 * np.tanh(-0.6 / 7))
    for value, log_p in zip(x[:, 0], found, strict=True):
        wanted = scipy.integrate.quad(
            lambda u, v=value: st.norm.pdf(u, 0.4, sd) * st.norm.pdf(v, 1.5 * u, 0.3), -8, 8, points=[0.0, 0.5]
        )[0]
        assert log_p == pytest.approx(np.log(wanted), abs=1e-4)


def test_discrete_latents_are_summed_out_and_observed_ones_kept():
    """A mixture of two regressions on z, whose class is seen in the second row alone."""
    p = lt.Network(c=lt.Categorical(2), z=lt.Normal(1), x=lt.Normal(3, scale=0.5).given("c", "z"))
    model = build_model(p, lt.guide_for(p, observed=["c"]), jax.random.key(4), hidden=["c"])
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(3, 3)).astype(np.float32)  # features: two classes, z
    model = eqx.tree_at(lambda m: m.p["x"].net.layers[0].weight, model, jnp.asarray(weight))
    x = rng.normal(size=(2, 3)).astype(np.float32)
    values = {"x": jnp.asarray(x), "c": jnp.array([0, 1], jnp.int32)}
    found = log_p_by_hand(model, values, {"c": jnp.array([False, True])})
    prior = np.asarray(jax.nn.log_softmax(model.p["c"].raw({}, {})), np.float64)

    def given(row: int, c: int) -> float:
        covariance = 0.25 * np.eye(3) + np.outer(weight[2], weight[2])
        return float(prior[c] + st.multivariate_normal.logpdf(x[row], weight[c].astype(float), covariance))

    wanted = [logsumexp([given(0, 0), given(0, 1)]), given(1, 1)]
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert abs(wanted[1] - logsumexp([given(1, 0), given(1, 1)])) > 0.01  # control: the class does count


def test_an_observed_latent_site_is_idle():
    """With z0 seen, the integral over both coordinates is log p(x, z0)."""
    z0 = np.linspace(-1, 1, len(WORLD.x)).astype(np.float32)
    z = np.stack([z0, np.zeros_like(z0)], 1)
    masks = {"z": jnp.tile(jnp.array([True, False]), (len(z), 1))}
    model = build_model(MODEL.network, lt.guide_for(MODEL.network, observed=["z"]), jax.random.key(5), hidden=["z"])
    model = eqx.tree_at(lambda m: m.p["x"], model, MODEL.p["x"])
    found = log_p_by_grid(model, {"x": jnp.asarray(WORLD.x), "z": jnp.asarray(z)}, masks)
    rest = oracles.linear_gaussian_log_prob(WORLD.x - z0[:, None] * WORLD.w[:, 0], WORLD.w[:, 1:], WORLD.b, WORLD.sigma)
    np.testing.assert_allclose(np.asarray(found.log_p), rest + st.norm.logpdf(z0), atol=1e-4)


def test_quadrature_finds_two_modes_and_states_its_error():
    """x = tanh-like fold of z: posterior mass on both sides of zero."""
    p = lt.Network(
        z=lt.Normal(1),
        h=lt.Deterministic(2).given("z", via=lt.MLP(2, activate_output=True)),
        x=lt.Normal(1, scale=0.2).given("h"),
    )
    model = build_model(p, lt.guide_for(p), jax.random.key(6))
    first, second = model.p["h"].net.layers
    first = eqx.tree_at(lambda a: (a.weight, a.bias), first, (jnp.array([[1.0, -1.0]]), jnp.zeros(2)))
    second = eqx.tree_at(lambda a: (a.weight, a.bias), second, (jnp.eye(2), jnp.zeros(2)))
    net = eqx.tree_at(lambda n: n.layers, model.p["h"].net, (first, second))
    model = eqx.tree_at(lambda m: (m.p["h"].net, m.p["x"].net.layers[0].weight), model, (net, jnp.ones((2, 1))))
    found = log_p_by_grid(model, {"x": jnp.array([[1.5]])})  # |z| is about 1.5
    wanted = scipy.integrate.quad(lambda z: st.norm.pdf(z) * st.norm.pdf(1.5, abs(z), 0.2), -8, 8, points=[-1.5, 1.5])[
        0
    ]
    off = abs(float(found.log_p[0]) - np.log(wanted))
    assert off < 1e-3 and off < 10 * float(found.error[0]) + 1e-5


def test_what_is_not_linear_or_not_inferred_says_so():
    bent = lt.Network(z=lt.Normal(2), x=lt.Normal(3, scale="site").given("z", via=lt.MLP(4)))
    loose = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z"))
    counts = lt.Network(z=lt.Normal(2), x=lt.Bernoulli(3).given("z"))
    for network, words in (
        (bent, "not linear in its parents"),
        (loose, "the spread of node 'x'"),
        (counts, "not Normal"),
    ):
        model = build_model(network, lt.guide_for(network), jax.random.key(0))
        assert words in not_linear(network)
        with pytest.raises(LatenError, match="not linear-Gaussian"):
            joint_normal(network, model.p)
    deep = lt.Network(a=lt.Normal(1), b=lt.Normal(1).given("a"), x=lt.Normal(1).given("b"))
    model = build_model(deep, lt.guide_for(deep, ["b"]), jax.random.key(0))
    assert dimensions(model) == 1
    with pytest.raises(LatenError, match=r"\['a'\] are neither observed nor inferred"):
        Posterior(model, {"x": jnp.zeros(1)}, {})
