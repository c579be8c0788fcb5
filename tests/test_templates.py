"""Every ready-made network through one table: its factors, its guide, a training step, draws of the right shape."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import laten as lt
import oracles
from laten.data.datasets.simulated_clinic import clinic
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.propose import propose
from laten.network import templates
from laten.network.model import build_model
from laten.network.templates import Leaf
from laten.training.objectives import Batch

LEAVES = [
    Leaf("flags", "binary", (2,)),
    Leaf("kinds", "categorical", (2,), (3, 4)),
    Leaf("grades", "ordinal", (1,), (5,)),
    Leaf("visits", "count", (2,)),
    Leaf("sizes", "real", (3,)),
    Leaf("why", "categorical", (), (3,), informative=True),
]


@dataclass(frozen=True)
class Made:
    """A template's network, and what it and its guide should print."""

    network: lt.Network
    factors: str
    guide: str
    own: lt.Network | None = None  # guide that the template declares


def with_guide(made: tuple[lt.Network, lt.Network], factors: str, guide: str) -> Made:
    return Made(made[0], factors, guide, made[1])


MADE = {
    "table": Made(
        templates.table(LEAVES, latent=3, width=8, components=4),
        "p(z) p(flags | z) p(kinds | z) p(grades | z) p(visits | z) p(sizes | z) p(why | z)",
        "q(z | flags, kinds, grades, visits, sizes, why)",
    ),
    "table, one component": Made(
        templates.table(LEAVES[:1], latent=3, width=8, components=1),
        "p(z) p(flags | z)",
        "q(z | flags)",
    ),
    "images": Made(templates.images((4, 4), latent=2, width=8, depth=2), "p(z) p(x | z)", "q(z | x)"),
    "semi_supervised": Made(
        templates.semi_supervised(lt.Normal(4), classes=3, latent=2, width=8),
        "p(y) p(z) p(x | y, z)",
        "q(y | x) q(z | y, x)",
    ),
    "mixture": Made(
        templates.mixture(lt.Normal(4), components=3, latent=2, width=8),
        "p(c) p(z | c) p(x | z)",
        "q(c | x) q(z | c, x)",
    ),
    "ladder": Made(
        templates.ladder(lt.Normal(4), (3, 2), width=8),
        "p(z2) p(z1 | z2) p(x | z1)",
        "q(z1 | x) q(z2 | z1)",
    ),
    "conditional": Made(
        templates.conditional(lt.Normal(4), lt.Categorical(3), latent=2, width=8), "p(z) p(x | c, z)", "q(z | c, x)"
    ),
    "multiview": with_guide(
        templates.multiview({"a": lt.Normal(3), "b": lt.Bernoulli(4)}, latent=2, width=8),
        "p(z) p(a | z) p(b | z)", "q(z | a, b)",
    ),
    "factor_analysis": with_guide(templates.factor_analysis(4, 2), "p(z) p(x | z)", "q(z | x)"),
    "ppca": with_guide(templates.ppca(4, 2), "p(z) p(x | z)", "q(z | x)"),
    "sparse": Made(templates.sparse(lt.Normal(4), latent=6), "p(z) p(x | z)", "q(z | x)"),
    "topic": with_guide(
        templates.topic(9, topics=3, width=8), "p(z) p(x | z)", "q(z | x)"
    ),
    "vq": Made(templates.vq(lt.Normal(4), sites=2, codes=5, dim=3, width=8), "p(z) p(x | z)", "q(z | x)"),
}  # fmt: skip


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_a_template_can_be_trained(made):
    """Rows drawn from the network itself have a finite bound, and a gradient reaches every weight of P and Q."""
    network, guide = made.network, made.own or lt.guide_for(made.network)
    assert network.factors() == made.factors
    assert guide.factors("q") == made.guide
    model = build_model(network, guide, jax.random.key(0))
    inputs = {n: jnp.zeros(f.shape, f.dtype) for n, f in network.families.items() if f.is_input}
    rows = jax.jit(jax.vmap(lambda key: network.sample(model.p, key, inputs)))(jax.random.split(jax.random.key(1), 6))
    for name, node in network.nodes.items():
        assert rows[name].shape == (6, *node.family.shape)
    batch = Batch({n: rows[n] for n in (*network.leaves, *inputs)}, {})

    def loss(model):
        return lt.Elbo()(model, batch, jax.random.key(2)).loss

    value, gradient = eqx.filter_jit(eqx.filter_value_and_grad(loss))(model)
    assert jnp.isfinite(value)
    for side in (gradient.p, gradient.q):
        for name, part in side.items():
            steps = [np.abs(np.asarray(g)).max() for g in jax.tree.leaves(part) if g.size]
            assert not steps or max(steps) > 0, name


@pytest.mark.slow
@pytest.mark.trains
def test_a_label_seen_in_some_rows_is_inferred_in_the_others():
    """Model M2: two clusters, a label in every third row; the other labels follow."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 60)
    x = (rng.normal(size=(120, 4)) + 4 * truth[:, None]).astype(np.float32)
    y = np.where(np.arange(120) % 3 == 0, truth, np.nan)
    network = templates.semi_supervised(lt.Normal(4, scale="site"), classes=2, latent=1, width=16)
    vae = lt.VAE(network, epochs=60, batch_size=20, learning_rate=1e-2, validation=0).fit({"y": y, "x": x})
    right = vae.impute({"y": y, "x": x})["y"] == truth
    assert right[~np.isnan(y)].all() and right[np.isnan(y)].mean() > 0.95


@pytest.mark.trains
def test_a_column_that_is_a_parent_is_answered_as_any_other():
    """The same as a table: a label that is no leaf has probabilities, is predicted, and is filled."""
    rng = np.random.default_rng(0)
    truth = np.array(["left", "low", "right"])[np.repeat([0, 1, 2], 40)]
    centres = np.repeat([[0.0, 4.0], [0.0, 0.0], [4.0, 0.0]], 40, axis=0)
    frame = pd.DataFrame(centres + rng.normal(size=(120, 2)), columns=["a", "b"])
    frame["label"] = np.where(np.arange(120) % 3 == 0, truth, None)
    schema = lt.infer_schema(frame, nodes={"y": "label", "x": ["a", "b"]})
    network = templates.semi_supervised(lt.Normal(2, scale="site"), classes=3, latent=1, width=16)
    vae = lt.VAE(network, schema=schema, epochs=60, batch_size=20, learning_rate=1e-2, validation=0).fit(frame)
    proba = vae.predict_proba(frame, "label")
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert ((proba > 0.01) & (proba < 0.99)).to_numpy().any()  # and not the most probable class alone
    assert (proba.idxmax(axis=1) == truth).mean() > 0.9
    assert (vae.predict(frame, "label") == truth).mean() > 0.9
    assert (vae.impute(frame)["label"] == truth).mean() > 0.9


def test_a_network_of_ones_own_has_the_families_that_are_proposed():
    frame = clinic(120, seed=1)
    proposed = propose(frame, PlainVAE()).network
    schema = lt.infer_schema(frame).binned()
    for block in schema.blocks:
        assert lt.family_for(schema, block.node) == proposed.nodes[block.node].family
    own = schema.with_nodes({"a": "age", "b": ["cost", "crp"]})
    assert lt.family_for(own, "a").shape == () and lt.family_for(own, "b", rank=5).rank == 5
    assert {c.name for c in own.set_aside} == set(frame.columns) - {"age", "cost", "crp"}
    numbers = lt.infer_schema(frame).binned(but=["cost"]).with_nodes({"a": "age", "b": ["cost"]})
    assert lt.family_for(numbers, "a") == lt.family_for(own, "a")
    assert lt.family_for(numbers, "b") == lt.Normal(1, scale="site")
    with pytest.raises(lt.DataError, match="no node 'c'"):
        lt.family_for(own, "c")
    with pytest.raises(lt.DataError, match="must be of one kind"):
        schema.with_nodes({"a": ["age", "sex"]})


@pytest.mark.parametrize("kind, words", [("cellar", "no family for columns of kind 'cellar'")])
def test_a_kind_without_a_family_is_refused(kind, words):
    with pytest.raises(lt.DeclarationError, match=words):
        templates.family_of(Leaf("a", kind, (2,)))


B = lt.Bernoulli((8, 8))


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: templates.ladder(B, ()), r"ladder: latents are those of each layer, such as \(20, 10\), not \(\)"),
        (lambda: templates.ladder(B, 5), "ladder: latents are those of each layer"),
        (lambda: templates.sparse(64), r"sparse: x must be a family such as lt.Bernoulli\(\(28, 28\)\), not 64"),
        (lambda: templates.vq((8, 8)), "vq: x must be a family"),
        (lambda: templates.mixture(lt.Bernoulli, 3), "mixture: x must be a family"),
        (lambda: templates.semi_supervised(None, 3), "semi_supervised: x must be a family"),
        (lambda: templates.conditional(64, 3), "conditional: x must be a family"),
        (lambda: templates.ladder(64), "ladder: x must be a family"),
        (lambda: templates.multiview({"z": B}), "multiview: views are families by node, none of them named 'z'"),
        (lambda: templates.multiview([B]), "multiview: views are families by node"),
        (lambda: templates.multiview({"a": 3}), "multiview: 'a' must be a family"),
        (lambda: templates.counts(12, batches=0), "counts: batches must be a whole number of at least 1, not 0"),
        (lambda: templates.counts(lt.Normal(3)), r"counts: x must share out the library, .* not Normal\(3\)"),
        (lambda: templates.deep_image(B, depth=0), "deep_image: depth must be a whole number of at least 1, not 0"),
        (lambda: templates.deep_image(B, patch=0), "deep_image: patch must be a whole number of at least 1, not 0"),
        (lambda: templates.deep_image(64), "deep_image: 64 is no image"),
        (lambda: templates.top_down(templates.ppca(3)), "top_down: network must be one such as"),
        (lambda: templates.pixels(np.full((2, 8, 8), "a")), "pixels: images must be numbers, not of type <U1"),
        (lambda: templates.pixels(np.full((2, 8, 8), np.nan)), r"not \(2, 8, 8\) without a pixel that is seen"),
    ],
)
def test_what_a_template_cannot_declare_is_refused(build, words):
    with pytest.raises(lt.DeclarationError, match=words):
        build()


def test_hidden_pixels_do_not_choose_the_family():
    images = np.where(np.arange(64).reshape(1, 8, 8) == 3, np.nan, np.arange(128).reshape(2, 8, 8) % 2)
    assert templates.pixels(images) == B


def test_a_guide_from_the_top_down_sees_inputs():
    network = lt.Network(
        c=lt.Given(lt.Categorical(3)),
        b=lt.Normal(2),
        a=lt.Normal(2).given("b", "c"),
        x=lt.Normal(4).given("a", "c"),
    )
    guide = templates.top_down(network, width=8)
    assert guide.factors("q") == "q(b | x, c) q(a | x, c, b)"
    assert [type(guide.nodes[n].family) for n in "ba"] == [lt.Normal, lt.Relative]
    build_model(network, guide, jax.random.key(0))


def test_a_guide_from_the_top_down():
    network = templates.ladder(lt.Normal(4), (3, 2, 1), width=8)
    guide = templates.top_down(network, width=8)
    assert guide.factors("q") == "q(z3 | x) q(z2 | x, z3) q(z1 | x, z2)"
    assert [repr(guide.nodes[n].family) for n in ("z3", "z2", "z1")] == ["Normal(1)", "Relative(2)", "Relative(3)"]
    assert guide.nodes["up3"].parents == ("up2",)
    with pytest.raises(lt.DeclarationError, match="values are not those of P"):
        templates.top_down(lt.Network(a=lt.Normal(1), z=lt.LogNormal(2).given("a"), x=lt.Normal(2).given("z")))


@pytest.mark.slow
@pytest.mark.trains
def test_principal_components_reach_the_maximum():
    """Probabilistic PCA and factor analysis: log p at the best weights is known (Tipping & Bishop 1999)."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(400, 2)) @ rng.normal(size=(2, 5)) + 0.5 * rng.normal(size=(400, 5))).astype(np.float32)
    best = oracles.ppca_maximum(x.astype(np.float64), 2)
    reached = []
    for made in (templates.ppca(5, 2), templates.factor_analysis(5, 2)):
        vae = lt.VAE(made[0], made[1], epochs=80, batch_size=50, learning_rate=2e-2, validation=0).fit({"x": x})
        reached.append(vae.log_likelihood({"x": x}, draws=500).value)
    assert best - 0.06 < reached[0] < best + 0.01
    assert best - 0.05 < reached[1] < best + 0.05  # one size of noise for each column: about as much
    independent = oracles.normal_log_prob(x, x.mean(0), np.diag(x.var(0))).mean()
    assert reached[0] > independent + 0.5  # control


@pytest.mark.slow
@pytest.mark.trains
def test_a_view_is_told_from_another():
    """Two views of one number: one is filled from the other; with neither, the guide is near the prior."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 1))
    rows = {"a": (z @ [[1.0, -1.0]]).astype(np.float32), "b": (z @ [[2.0, 0.5, 1.0]]).astype(np.float32)}
    rows = {n: x + 0.1 * rng.normal(size=x.shape).astype(np.float32) for n, x in rows.items()}
    views = {"a": lt.Normal(2, scale="site"), "b": lt.Normal(3, scale="site")}
    network, guide = templates.multiview(views, latent=1, width=16)
    options = {"epochs": 40, "batch_size": 50, "learning_rate": 1e-2, "validation": 0, "hide": True}
    vae = lt.VAE(network, guide, **options).fit(rows)
    holes = {"a": rows["a"][:50], "b": np.full((50, 3), np.nan, np.float32)}
    filled = vae.impute(holes)["b"]
    off = np.abs(filled - rows["b"][:50]).mean()
    assert off < 0.35 < np.abs(rows["b"][:50] - rows["b"].mean(0)).mean()
    nothing = {n: np.full((1, x.shape[1]), np.nan, np.float32) for n, x in rows.items()}
    assert abs(vae.transform(nothing).item()) < 0.5
    network, _ = templates.multiview(views, latent=2)
    with pytest.raises(lt.DeclarationError, match=r"the node takes 5; use lt\.Normal\(2\) there"):
        build_model(network, lt.Network(z=lt.FullNormal(2).given("a", via=lt.Experts())), jax.random.key(0))


def test_experts_multiply():
    """By hand: precisions add up, with that of the standard normal; a view that is not seen adds nothing."""
    from laten.network.nets.recipe import Ends, Slot

    ends = Ends((Slot("a", (2,), 4, True), Slot("b", (3,), 3, False)), (2,), 4)
    product = lt.Experts(lt.MLP(5)).between(ends, jax.random.key(0))
    a, b = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)

    def says(net, x):
        eta, s = np.split(np.asarray(net(x), np.float64), 2)
        return eta, np.exp(-14 * np.tanh(s / 7))

    for seen in (1.0, 0.0):
        own = np.append(a[:2] * seen, [seen, seen]).astype(np.float32)
        (eta_a, w_a), (eta_b, w_b) = says(product.nets[0], own), says(product.nets[1], b)
        total = 1 + seen * w_a + w_b
        loc, precision = says(product, np.concatenate([own, b]))  # of the node: its mean, not eta
        np.testing.assert_allclose(precision, total, rtol=1e-4)
        np.testing.assert_allclose(loc, (seen * eta_a + eta_b) / total, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.trains
def test_topics_are_found():
    """Two topics of six words each, mixed by row: each topic's words go together."""
    rng = np.random.default_rng(0)
    share = rng.beta(0.3, 0.3, size=400)
    words = np.repeat(np.eye(2), 6, axis=1) * 0.9 + 0.1
    counts = rng.poisson(30 * np.stack([share, 1 - share], 1) @ (words / words.sum(1, keepdims=True)))
    network, guide = templates.topic(12, topics=2, width=16)
    vae = lt.VAE(network, guide, lt.Elbo(warmup=0.3), epochs=60, batch_size=50, learning_rate=1e-2, validation=0)
    vae.fit({"x": counts})
    z = vae.transform({"x": counts})
    columns = dict(zip(vae.get_feature_names_out(), z.T, strict=True))
    assert abs(np.corrcoef(columns["z0"] - columns["z1"], share)[0, 1]) > 0.85


@pytest.mark.slow
@pytest.mark.trains
@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
def test_a_sparse_code_has_heavy_tails():
    vae = lt.VAE(templates.sparse(lt.Normal(4), latent=3), epochs=1, validation=0)
    vae.fit({"x": np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)})
    assert np.isfinite(vae.score_samples({"x": np.zeros((2, 4), np.float32)})).all()


def test_a_deep_network_of_images_and_its_guide():
    network, guide = templates.deep_image(lt.Bernoulli((8, 12)), depth=3, width=4, latent=3, components=2)
    assert network.factors() == "p(z3) p(z2 | z3) p(z1 | z3, z2) p(x | z3, z2, z1)"
    assert guide.factors("q") == "q(z3 | x) q(z2 | h3, x) q(z1 | h2, x)"
    assert network.nodes["z1"].family.shape == (2, 3, 2) and network.nodes["z3"].family.shape == (3,)
    model = build_model(network, guide, jax.random.key(0))
    assert {"z1", "z2"} <= model.exact_kl
    batch = Batch({"x": jnp.asarray(np.random.default_rng(0).integers(0, 2, (6, 8, 12)), jnp.float32)}, {})
    gradient = eqx.filter_jit(eqx.filter_grad(lambda m: lt.Elbo()(m, batch, jax.random.key(2)).loss))(model)
    assert all(np.abs(g).max() > 0 for g in jax.tree.leaves(gradient) if g.size)


@pytest.mark.slow
@pytest.mark.parametrize(
    "x",
    [
        lt.DiscretizedLogistic((8, 8), levels=16),
        lt.Mixture(lt.DiscretizedLogistic((8, 8, 3), levels=16), 2, together=True),
        lt.Normal((8, 8, 3), scale="shared"),
    ],
    ids=repr,
)
def test_a_deep_network_takes_every_kind_of_pixels(x):
    network, guide = templates.deep_image(x, depth=2, width=4, latent=2, components=2)
    model = build_model(network, guide, jax.random.key(0))

    @jax.jit
    def sampled_and_weighed(keys):
        values = network.sample(model.p, keys[0])["x"]
        return values, model.draw(keys[1], {"x": values}, {}).log_weight

    values, log_weight = sampled_and_weighed(jax.random.split(jax.random.key(1)))
    assert values.shape == x.shape and jnp.isfinite(log_weight)
