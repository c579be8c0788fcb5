"""Guides that share P's conditionals and hidden layers, and priors that are made of the guide."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st

import laten as lt
from laten.network.model import Model, build_model
from laten.network.sampling import Sampling
from laten.training.objectives import Batch

N = lt.Normal


def ladder() -> lt.Network:
    return lt.Network(
        z2=N(1),
        z1=N(2).given("z2", via=lt.MLP(4)),
        h=lt.Deterministic(3).given("z1", via=lt.MLP(4)),
        x=N(3, scale="site").given("h"),
    )


def top_down(family=lt.Relative) -> lt.Network:
    return lt.Network(
        up=lt.Deterministic(4).given("x", via=lt.MLP(4)), z2=N(1).given("up"), z1=family(2).given("up", "z2")
    )


def stirred(model: Model, size: float = 0.3) -> Model:
    """Weights far from the start, where much is zero."""
    rng = np.random.default_rng(5)
    return jax.tree.map(
        lambda w: w + jnp.asarray(rng.normal(size=w.shape) * size, w.dtype) if eqx.is_inexact_array(w) else w, model
    )


X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


@eqx.filter_jit
def drawn(model: Model):
    return model.draw(jax.random.key(1), {"x": jnp.asarray(X[0])}, {})


@pytest.mark.parametrize("family", [lt.Relative, lt.Combined])
def test_a_ladder_starts_from_what_the_network_says(family):
    """Mean and spread of q(z1 | x, z2) are those of P's p(z1 | z2) and of the net's, put together by hand."""
    model = stirred(build_model(ladder(), top_down(family), jax.random.key(0)))
    draw = drawn(model)
    loc, log_sd = (np.asarray(a, np.float64) for a in N(2).parameters(draw.raw["z1"]))
    up = model.q["up"].raw({"x": jnp.asarray(X[0])}, {})
    own = np.asarray(model.q["z1"].raw({"up": up, "z2": draw.values["z2"]}, {}), np.float64)
    m, s = own[:2], 7 * np.tanh(own[2:] / 7)
    if family is lt.Relative:
        mean, sd = loc + np.exp(log_sd) * m, np.exp(log_sd + s)
    else:
        precision = np.exp(-2 * log_sd) + np.exp(-2 * s)
        mean, sd = (loc * np.exp(-2 * log_sd) + m * np.exp(-2 * s)) / precision, precision**-0.5
    found = family(2).parameters(draw.q_raw["z1"])
    np.testing.assert_allclose(found[0], mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.exp(found[1]), sd, rtol=1e-4)
    z = np.asarray(draw.values["z1"])
    np.testing.assert_allclose(draw.log_q["z1"], st.norm(mean, sd).logpdf(z), rtol=1e-3, atol=1e-4)
    closed = np.log(np.exp(log_sd) / sd) + (sd**2 + (mean - loc) ** 2) / (2 * np.exp(2 * log_sd)) - 0.5
    np.testing.assert_allclose(draw.kl["z1"], closed, rtol=1e-3, atol=1e-4)


def test_what_the_network_says_is_computed_once():
    """The guide's look and P's walk share a node's raw parameters: no product is made twice."""
    model = build_model(ladder(), top_down(), jax.random.key(0))
    alone = build_model(ladder(), lt.Network(**top_down().nodes | {"z1": N(2).given("up", "z2")}), jax.random.key(0))

    def products(m: Model) -> int:
        text = str(jax.make_jaxpr(lambda k: m.draw(k, {"x": jnp.asarray(X[0])}, {}).log_weight)(jax.random.key(0)))
        return text.count("dot_general")

    assert products(model) == products(alone)


def test_a_guide_may_look_at_a_hidden_layer_of_the_network():
    network = lt.Network(
        z2=N(1), h=lt.Deterministic(3).given("z2", via=lt.MLP(4)), z1=N(2).given("h"), x=N(3).given("z1")
    )
    guide = lt.Network(z2=N(1).given("x"), z1=N(2).given("h", "x"))
    model = stirred(build_model(network, guide, jax.random.key(0)))
    draw = drawn(model)
    h = model.p["h"].raw({"z2": draw.values["z2"]}, {})
    np.testing.assert_allclose(draw.q_raw["z1"], model.q["z1"].raw({"h": h, "x": jnp.asarray(X[0])}, {}), rtol=1e-5)


def test_gradients_of_frozen_sides():
    """A frozen guide holds still what it shares; a frozen network lets the guide's share of its weights move."""
    model = stirred(build_model(ladder(), top_down(), jax.random.key(0)))
    batch = {"x": jnp.asarray(X[0])}

    def log_q(m: Model, side: str) -> jax.Array:
        m = {"guide": m.frozen_guide, "network": m.frozen_network, "none": lambda: m}[side]()
        return sum(jnp.sum(v) for v in m.draw(jax.random.key(1), batch, {}).log_q.values())

    size = lambda side: max(  # noqa: E731
        float(jnp.abs(g).max())
        for g in jax.tree.leaves(eqx.filter_jit(eqx.filter_grad(log_q))(model, side).p["z1"]) if g.size
    )  # fmt: skip
    assert size("guide") == 0 and size("network") > 0
    assert size("network") == size("none")


def test_the_path_gradient_is_unbiased_for_shared_weights():
    """Of many draws, the gradient through the draws alone agrees with the whole one, for weights of both sides."""
    model = stirred(build_model(ladder(), top_down(), jax.random.key(0)), 0.2)
    keys = jax.random.split(jax.random.key(1), 20_000)

    def bound(p, key, path):
        m = eqx.tree_at(lambda m: m.p["z1"], model, p)
        return m.draw(key, {"x": jnp.asarray(X[0])}, {}, sampling=Sampling(path=path)).log_weight

    def gradients(path):
        one = lambda k: eqx.filter_grad(bound)(model.p["z1"], k, path).net.layers[1].weight.ravel()  # noqa: E731
        found = jax.jit(jax.vmap(one))(keys)
        return found.mean(0), found.std(0) / np.sqrt(len(keys))

    (whole, error), (path, own) = gradients(False), gradients(True)
    assert (np.abs(whole - path) < 5 * np.hypot(error, own) + 1e-4).all()
    assert np.abs(whole).max() > 10 * error.max()  # there is something to agree on


def vamp(k: int = 4) -> lt.Network:
    return lt.Network(
        z=lt.Vamp(2, k), x=N(3, scale="site").given("z", via=lt.MLP(4)), c=lt.Categorical((3, 2)).given("z")
    )


@pytest.mark.slow
def test_a_vamp_prior_is_the_mean_of_the_guide_at_its_pseudo_rows():
    network = vamp()
    rows = {"x": X, "c": np.array([[0, 1], [2, 0], [1, 1], [0, 0], [2, 1], [1, 0]])}
    model = build_model(network, lt.guide_for(network), jax.random.key(0), rows=rows)
    for name, family in (("x", N(3)), ("c", lt.Categorical((3, 2)))):  # they start at rows of the data
        some = rows[name][[0, 1, 3, 5]]
        np.testing.assert_array_equal(model.p["z"].body[name], jax.vmap(family.features)(some))
    model = stirred(model)
    z = jnp.asarray([0.3, -0.7])
    raw = model.conditionals["z"].raw({}, {})
    features = [jnp.concatenate([model.p["z"].body[n][j] for n in ("x", "c")]) for j in range(4)]
    raws = [model.q["z"].net(f) + model.q["z"].constants for f in features]
    parts = [np.asarray(N(2).log_prob(r, z), np.float64).sum() for r in raws]
    expected = np.logaddexp.reduce(parts) - np.log(4)
    np.testing.assert_allclose(lt.Vamp(2, 4).log_prob(raw, z).sum(), expected, rtol=1e-4)
    draw = model.draw(jax.random.key(1), {"x": jnp.asarray(X[0]), "c": jnp.array([1, 0])}, {})
    np.testing.assert_array_equal(draw.raw["z"], raw)
    samples = jax.vmap(lambda k: model.network.sample(model.conditionals, k)["z"])(
        jax.random.split(jax.random.key(0), 4000)
    )
    mean = np.mean([np.asarray(N(2).mean(r)) for r in raws], axis=0)
    np.testing.assert_allclose(samples.mean(0), mean, atol=0.15)


@pytest.mark.slow
def test_the_pseudo_rows_and_the_guide_learn_from_the_prior():
    network = vamp()
    model = stirred(build_model(network, lt.guide_for(network), jax.random.key(0)))
    batch = Batch({"x": jnp.asarray(X), "c": jnp.zeros((6, 2), jnp.int32)}, {})
    for frozen, learns in (
        (lambda m: m, True),
        (lambda m: m.frozen_guide(), True),
        (lambda m: m.frozen_network(), False),
    ):
        loss = lambda m, f=frozen: lt.Elbo(kl="sampled")(f(m), batch, jax.random.key(2)).loss  # noqa: E731
        steps = [float(jnp.abs(g).max()) for g in jax.tree.leaves(eqx.filter_grad(loss)(model).p["z"].body)]
        assert (min(steps) > 0) is learns


REFUSED = [
    (lt.Network(z=lt.Relative(2), x=N(3).given("z")), None, r"Relative\(2\), which is for guides; use lt\.Normal\(2\)"),
    (lt.Network(z=lt.StudentT(2), x=N(3).given("z")), lt.Network(z=lt.Relative(2).given("x")),
     r"guide node 'z' is Relative\(2\), which starts from a Normal of P, but .* StudentT\(2\); use lt\.Normal\(2\)"),
    (ladder(), lt.Network(z1=lt.Relative(2).given("x"), z2=N(1).given("z1")),
     r"guide node 'z1' looks at P, where that depends on 'z2'; declare 'z2' before 'z1' in the guide"),
    (ladder(), lt.Network(z2=N(1).given("h"), z1=N(2).given("x", "z2")), r"'z2' looks at P, .* depends on 'z1'"),
    (vamp(), lt.Network(z=lt.StudentT(2).given("x")),
     r"node 'z' is Vamp\(2, k=4\), but the guide's node is StudentT\(2\); use lt\.Normal\(2\) in the guide"),
    (vamp(), lt.Network(z=N(2).learned()),
     r"made of the guide at rows of data, but its guide sees no row; .* as in lt\.Normal\(2\)\.given\('x'\)"),
    (lt.Network(y=lt.Categorical(3), z=lt.Vamp(2, 4), x=N(3).given("y", "z")), None,
     r"made of the guide at rows of data, but its guide looks at 'y'; .* or use lt\.NormalMixture\(2\)"),
    (lt.Network(y=N(1), z=lt.Vamp(2, 4).given("y"), x=N(3).given("z")), None, r"a prior: it has no parents"),
]  # fmt: skip


@pytest.mark.parametrize("network, guide, words", REFUSED, ids=[words[:40] for *_, words in REFUSED])
def test_parts_that_do_not_fit_are_refused_when_built(network, guide, words):
    with pytest.raises(lt.DeclarationError, match=words):
        build_model(network, guide or lt.guide_for(network), jax.random.key(0))


def test_what_the_guide_looks_at_must_be_known_in_the_row():
    network = lt.Network(y=N(1), z=N(2).given("y"), x=N(3).given("z"))
    model = build_model(network, lt.Network(z=lt.Relative(2).given("x")), jax.random.key(0))
    with pytest.raises(lt.DeclarationError, match="'z', which depends on 'y': that must be observed in the row"):
        model.draw(jax.random.key(0), {"x": jnp.asarray(X[0])}, {})
