"""`lt.explain`: every number against an oracle, the identity to rounding, the picture and the words."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.classical.bayes_theorem import discrete, terms
from laten.common.errors import DataError, DeclarationError
from laten.network.model import build_model
from laten.network.sampling import AT_MODE
from oracles import discrete_joint, linear_gaussian_log_prob, linear_gaussian_posterior, normal_log_prob

W, B, SIGMA = np.array([[1.0, 0.6], [0.5, 1.0], [0.0, 0.3]]), np.array([0.5, -1.0, 0.25]), 0.5
X = np.array([1.0, 2.0, 0.5])


@pytest.fixture(scope="module")
def asia(pytestconfig):
    return lt.read_bif(pytestconfig.rootpath / "docs" / "asia.bif")


def linear_gaussian():
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(3, scale=SIGMA).given("z", via=lt.Linear()))
    weights = network.init(jax.random.key(0))
    parts = jnp.asarray(W.T, jnp.float32), jnp.asarray(B, jnp.float32)
    weights["x"] = eqx.tree_at(lambda c: (c.net.layers[0].weight, c.constants), weights["x"], parts)
    return network, weights


def test_one_latent_is_bayes_theorem(asia):
    found = lt.explain(asia, {"dysp": "yes", "smoke": "yes"}, ["lung"])
    posterior = asia.query("lung", {"dysp": "yes", "smoke": "yes"})
    np.testing.assert_allclose(found.table["posterior"][posterior.index], posterior, atol=1e-12)
    np.testing.assert_allclose(found.table["q"], found.table["posterior"], atol=1e-9)  # one factor can be exact
    np.testing.assert_allclose(found.table["prior"] * found.table["likelihood"], found.table["joint"], rtol=1e-12)
    assert found.log_evidence == pytest.approx(asia.log_evidence({"dysp": "yes", "smoke": "yes"}), abs=1e-12)
    assert found.kl == pytest.approx(0, abs=1e-9) and abs(found.residual) < 1e-9


def test_the_terms_of_many_latents_are_those_of_enumeration(asia):
    given = {"dysp": "yes", "xray": "yes"}
    found = lt.explain(asia, given)
    assert found.latents == tuple(n for n in asia.order if n not in given)
    joint = discrete_joint(asia.sizes, asia.parents, asia.tables)
    axes = {n: i for i, n in enumerate(asia.states)}
    for name in given:
        joint = np.take(joint, [0], axes[name])
    for row, values in found.table.iterrows():
        at = [asia.states[n].index({**given, **dict(zip(found.latents, row, strict=True))}[n]) for n in asia.states]
        at = [0 if n in given else k for n, k in zip(asia.states, at, strict=True)]
        assert values["joint"] == pytest.approx(joint[tuple(at)], abs=1e-12)
    assert found.log_evidence == pytest.approx(np.log(joint.sum()))
    q = np.prod([found.marginals["q"][n].loc[list(found.table.index.get_level_values(n))] for n in found.latents], 0)
    np.testing.assert_allclose(found.table["q"], q, atol=1e-12)
    kept = (found.table["posterior"] > 0) & (q > 1e-15)
    kl = np.sum(q[kept] * np.log(q[kept] / found.table["posterior"][kept]))
    assert found.kl == pytest.approx(kl, abs=1e-8) and found.kl > 0.05
    assert abs(found.residual) < 1e-9
    for name in found.latents:
        np.testing.assert_allclose(found.marginals["posterior"][name], asia.query(name, given), atol=1e-12)


def test_the_elbo_never_falls_and_ends_where_no_factor_can_gain(asia):
    found = lt.explain(asia, {"dysp": "yes", "xray": "yes"}, ["lung", "bronc"])
    assert (np.diff(found.steps["elbo"]) > -1e-12).all()
    np.testing.assert_allclose(found.steps["elbo"] + found.steps["kl"], found.log_evidence, atol=1e-9)
    assert list(found.steps["moved"][1:3]) == ["lung", "bronc"]
    log_joint = np.log(found.table["joint"].unstack().to_numpy())
    best = [found.path[-1][n] for n in found.latents]
    levels = [list(found.table["joint"].unstack().axes[i]) for i in (0, 1)]
    best = [
        p[[asia.states[n].index(s) for s in order]] for p, n, order in zip(best, found.latents, levels, strict=True)
    ]
    rng = np.random.default_rng(0)
    for _ in range(20):  # any other product is below
        near = [np.clip(p + rng.normal(0, 0.05) * np.array([1, -1]), 1e-6, 1) for p in best]
        near = np.multiply.outer(near[0] / near[0].sum(), near[1] / near[1].sum())
        _, energy, entropy = terms(near, log_joint, found.log_evidence)
        assert energy + entropy < found.elbo + 1e-9


def test_the_prior_as_q(asia):
    found = lt.explain(asia, {"dysp": "yes"}, ["lung", "smoke"], q="prior")
    np.testing.assert_allclose(found.table["q"], found.table["prior"], atol=1e-12)
    assert found.table["prior"]["yes", "yes"] == pytest.approx(0.05)  # of the joint, not the product of margins
    assert abs(found.residual) < 1e-9 and len(found.steps) == 1


def test_linear_gaussian_networks_are_solved_exactly():
    network, weights = linear_gaussian()
    found = lt.explain(network, {"x": X}, weights=weights)
    mean, covariance = linear_gaussian_posterior(X[None], W, B, SIGMA)
    np.testing.assert_allclose(found.table["posterior mean"], mean[0], atol=1e-6)
    np.testing.assert_allclose(found.normal[1].covariance, covariance, atol=1e-6)
    assert found.log_evidence == pytest.approx(linear_gaussian_log_prob(X[None], W, B, SIGMA)[0], abs=1e-5)
    np.testing.assert_allclose(found.table["q mean"], mean[0], atol=1e-5)  # mean field: right means, small spreads
    np.testing.assert_allclose(found.table["q sd"], np.diag(np.linalg.inv(covariance)) ** -0.5, rtol=1e-5)
    precision = np.linalg.inv(covariance)
    gap = 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])
    assert found.kl == pytest.approx(gap, abs=1e-6) and abs(found.residual) < 1e-9
    assert (np.diff(found.steps["elbo"]) > -1e-12).all()


def test_hidden_sites_are_integrated_out():
    network, weights = linear_gaussian()
    seen = np.array([True, False, True])
    found = lt.explain(network, {"x": np.where(seen, X, np.nan)}, weights=weights)
    expected = linear_gaussian_log_prob(X[None], W, B, SIGMA, seen[None])[0]
    assert found.log_evidence == pytest.approx(expected, abs=1e-5)
    mean, _ = linear_gaussian_posterior(X[None, seen], W[seen], B[seen], SIGMA)
    np.testing.assert_allclose(found.table["posterior mean"], mean[0], atol=1e-6)


def test_the_guide_of_a_model_is_q():
    network = lt.Network(y=lt.Categorical(3), x=lt.Bernoulli(4).given("y"))
    model = build_model(network, lt.guide_for(network), jax.random.key(0), hidden=("x",))
    x = np.array([1.0, 0.0, 1.0, np.nan])
    found = lt.explain(model, {"x": x})
    values, masks = {"x": jnp.asarray(np.nan_to_num(x), jnp.float32)}, {"x": jnp.asarray(np.isfinite(x))}
    log_r, draw = model.draws(jax.random.key(1), values, masks)
    log_w = np.asarray(log_r + jax.vmap(lambda d: d.log_weight)(draw), np.float64)  # log q + log p - log q
    q = np.exp(np.asarray(log_r, np.float64))
    assert found.log_evidence == pytest.approx(np.log(np.exp(log_w).sum()), abs=1e-5)
    assert found.elbo == pytest.approx(np.sum(q * (log_w - np.asarray(log_r))), abs=1e-5)
    np.testing.assert_allclose(found.table["q"][["0", "1", "2"]], q, atol=1e-6)
    assert abs(found.residual) < 1e-6 and found.guide == "guide" and found.kl > 0


def test_the_guide_of_a_linear_gaussian_model_is_q():
    network, weights = linear_gaussian()
    model = build_model(network, lt.guide_for(network), jax.random.key(0))
    model = eqx.tree_at(lambda m: m.p, model, weights)
    found = lt.explain(model, {"x": X})
    draw = model.draw(jax.random.key(0), {"x": jnp.asarray(X, jnp.float32)}, {}, sampling=AT_MODE)
    loc, log_sd = model.guide.nodes["z"].family.parameters(draw.q_raw["z"])
    np.testing.assert_allclose(found.table["q mean"], loc, atol=1e-6)
    np.testing.assert_allclose(found.table["q sd"], np.exp(log_sd), rtol=1e-5)
    assert found.kl > 0 and abs(found.residual) < 1e-6


@pytest.mark.trains
def test_a_fitted_estimator_is_asked_in_its_own_units():
    rows = (np.random.default_rng(0).normal(size=(200, 2)) @ W.T + B).astype(np.float32)
    network = lt.Network(z=lt.Normal(1), x=lt.Normal(3, scale="site").given("z"))
    vae = lt.VAE(network, epochs=2, validation=0).fit({"x": rows})
    found = lt.explain(vae, {"x": rows[0]})
    x = vae.model_.p["x"]
    w, (b, raw) = np.asarray(x.net.layers[0].weight).T, np.split(np.asarray(x.constants), 2)
    covariance = w @ w.T + np.diag(np.exp(2 * 7 * np.tanh(raw / 7)))  # `numerics.log_scale`
    mean, sd = rows.mean(0), rows.std(0)  # the model is of standardised rows, its log p is of these
    b, covariance = mean + sd * b, covariance * np.outer(sd, sd)
    assert found.log_evidence == pytest.approx(normal_log_prob(rows[:1], b, covariance)[0], abs=1e-4)
    assert abs(found.residual) < 1e-6 and found.elbo < found.log_evidence


def test_what_is_printed_is_a_lesson(asia):
    text = str(lt.explain(asia, {"dysp": "yes"}, ["lung"]))
    assert "Bayes' theorem for z = (lung), given x = (dysp=yes)" in text
    assert re.search(r"yes +5\.50 % +81\.45 % +4\.48 % +10\.28 % +10\.28 %", text)
    assert re.search(r"log p\(x\) +-0\.830180", text) and re.search(r"residual +-?\de[-+]\d+", text)
    many = str(lt.explain(asia, {"dysp": "yes"}))
    assert "… 54 more" in many and "Latent by latent" in many
    assert max(map(len, many.splitlines())) < 150
    network, weights = linear_gaussian()
    assert re.search(r"z\[1\] +0\.0000 ± 1\.0000 +\d", str(lt.explain(network, {"x": X}, weights=weights)))


def test_improbable_evidence_is_shown_by_logarithms():
    log_prior, log_likelihood = np.log([0.25, 0.75]), np.array([-900.0, -901.0])
    log_joint = log_prior + log_likelihood
    from laten.classical.bayes_theorem import DiscreteLatents

    found = discrete(
        DiscreteLatents({"y": ("0", "1")}, log_prior, log_joint, np.logaddexp(*log_joint)), {"x": "pixels"}, "prior"
    )
    assert "e^-900.00" in str(found) and abs(found.residual) < 1e-9


@pytest.mark.parametrize("suffix", ["png", "svg", "gif"])
def test_pictures_are_written(asia, tmp_path, suffix):
    path = tmp_path / f"steps.{suffix}"
    figure = lt.explain(asia, {"dysp": "yes"}, ["lung", "bronc"]).plot(path)
    assert path.stat().st_size > 5000
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[-1] == "ELBO (nats)" and ("q: the prior" in titles or suffix == "gif")
    if suffix == "png":
        network, weights = linear_gaussian()
        assert len(lt.explain(network, {"x": X}, weights=weights).plot().axes) == 5


def test_what_cannot_be_explained_says_why(asia):
    network, weights = linear_gaussian()
    big = lt.DiscreteNetwork(
        {f"x{i}": ["a", "b"] for i in range(31)},
        {f"x{i}": [0.5, 0.5] if i == 0 else [[0.9, 0.1], [0.2, 0.8]] for i in range(31)},
        {f"x{i}": [f"x{i - 1}"] for i in range(1, 31)},
    )
    deep = lt.Network(z=lt.Normal(2), x=lt.Bernoulli(3).given("z", via=lt.MLP(4)))
    for call, kind, words in (
        (lambda: lt.explain(big, {"x30": "a"}), DataError, "1.1e+09 joint states.*variable elimination"),
        (lambda: lt.explain(asia, {"smoke": "yes"}), DataError, "no unobserved ancestors"),
        (lambda: lt.explain(asia, {"dysp": "yes"}, ["dysp"]), DataError, "is a target and given"),
        (lambda: lt.explain(asia, {"dsp": "yes"}), DataError, "did you mean 'dysp'"),
        (lambda: lt.explain(asia, {"either": "no", "tub": "yes"}), DataError, "has probability zero"),
        (lambda: lt.explain(asia, {"dysp": "yes"}, q="best"), DeclarationError, "q must be"),
        (lambda: lt.explain(asia, {"dysp": "yes"}, q="guide"), DeclarationError, "no guide"),
        (lambda: lt.explain(network, {"x": X}), DeclarationError, "hand over its weights"),
        (lambda: lt.explain(network, {"y": X}, weights=weights), DataError, "there is no node 'y'"),
        (lambda: lt.explain(network, {"x": X[:2]}, weights=weights), DataError, r"shape \(2,\), expected \(3,\)"),
        (lambda: lt.explain(network, {}, weights=weights), DataError, "no evidence"),
        (lambda: lt.explain(deep, {"x": [0, 1, 1]}, weights={}), DeclarationError, "has no exact posterior"),
        (lambda: lt.explain(3, {}), DeclarationError, "explain takes a DiscreteNetwork"),
    ):
        with pytest.raises(kind, match=words.replace("+", r"\+")):
            call()
