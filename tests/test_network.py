"""Declarations: order, factorisation, errors; the derived guide; nets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.network.model import build_model
from laten.network.nets.layers import keepers
from laten.network.nets.recipe import Ends, Slot, build


def ends(n_in: int, n_out: int) -> Ends:
    return Ends((Slot("z", (n_in,), n_in, False),), (n_out,), n_out)


def m2() -> lt.Network:
    return lt.Network(y=lt.Categorical(10), z=lt.Normal(5), x=lt.Bernoulli(6).given("y", "z", via=lt.MLP(8)))


def ladder() -> lt.Network:
    return lt.templates.ladder(lt.Bernoulli(6), (4, 3, 2), 8)


def test_prints_as_a_factorisation():
    assert str(m2()).splitlines()[0] == "p(y) p(z) p(x | y, z)"
    hidden = lt.Network(z=lt.Normal(2), h=lt.Deterministic(4).given("z"), x=lt.Normal(3).given("h"))
    assert hidden.factors() == "p(z) p(x | z)"
    assert str(lt.guide_for(m2())).splitlines()[0] == "q(y | x) q(z | y, x)"


def test_a_declaration_is_a_value():
    assert m2() == m2()
    assert hash(m2()) == hash(m2())
    assert m2() != ladder()


@pytest.mark.parametrize(
    ("network", "factors"),
    [
        (m2(), "q(y | x) q(z | y, x)"),
        (ladder(), "q(z1 | x) q(z2 | z1) q(z3 | z2)"),
        (lt.templates.mixture(lt.Normal(3), 4, 2), "q(c | x) q(z | c, x)"),
        # two causes of one effect depend on each other once it is seen
        (
            lt.Network(a=lt.Normal(1), b=lt.Normal(1), x=lt.Normal(1).given("a", "b")),
            "q(b | x) q(a | b, x)",
        ),
        # a shared hidden layer is no variable: z is the parent of both leaves
        (
            lt.Network(
                z=lt.Normal(2),
                h=lt.Deterministic(4).given("z"),
                x=lt.Normal(3).given("h"),
                y=lt.Bernoulli(1).given("h"),
            ),
            "q(z | x, y)",
        ),
    ],
)
def test_guides_are_faithful_inverses(network, factors):
    guide = lt.guide_for(network)
    assert guide.factors("q") == factors


def test_only_what_is_latent_is_inferred():
    assert lt.guide_for(m2(), latent=["z"]).names == ("z",)
    assert lt.guide_for(lt.Network(x=lt.Normal(2))).names == ()


HIDDEN = lt.Network(z=lt.Normal(2), h=lt.Deterministic(4).given("z"), x=lt.Normal(3).given("h"))
ERRORS = [
    (lambda: lt.Network(x=lt.Normal(2).given("z"), z=lt.Normal(2)), ["'x'", "'z'", "not declared before it"]),
    (lambda: lt.guide_for(lt.Network(x=lt.Normal(2).given("zz"))), ["'x'", "'zz'", "not declared"]),
    (lambda: lt.Network(x=3), ["'x'", "family"]),
    (lambda: lt.Normal(2).given("z", "z"), ["named twice"]),
    (lambda: lt.Normal(2).given(3), ["names of nodes"]),
    (lambda: lt.Normal(2).given("z", via=5), ["net"]),
    (lambda: lt.Normal(2).given(via=lt.MLP(3)), ["needs parents"]),
    (lambda: lt.MLP(0), ["width", "0"]),
    (lambda: lt.MLP((4, 0)), ["width", "0"]),
    (lambda: lt.MLP((4, 2), depth=3), ["(4, 2)", "depth"]),
    (lambda: lt.ResMLP((4, 2)), ["width", "(4, 2)"]),
    (lambda: lt.MLP(3, activation="rule"), ["'rule'", "relu"]),
    (lambda: lt.MLP(3, dropout=1), ["dropout"]),
    (lambda: lt.guide_for(m2(), latent=["x1"]), ["'x1'", "known"]),
    (lambda: build_model(m2(), lt.Network(w=lt.Normal(5).given("x")), jax.random.key(0)), ["'w'", "not a"]),
    (lambda: build_model(m2(), lt.Network(z=lt.Normal(4).given("x")), jax.random.key(0)), ["(4,)", "(5,)"]),
    (lambda: build_model(m2(), lt.Network(z=lt.Normal(5).given("xx")), jax.random.key(0)), ["'xx'", "declared"]),
    (
        lambda: build_model(m2(), lt.Network(y=lt.Ordinal(10), z=lt.LogNormal(5).given("y", "x")), jax.random.key(0)),
        ["'z'", "values"],
    ),
    (lambda: build_model(m2(), lt.Network(y=lt.Categorical(11)), jax.random.key(0)), ["'y'", "11", "values"]),
    (
        lambda: build_model(
            n := lt.Network(k=lt.Poisson(2), x=lt.Normal(2).given("k")), lt.guide_for(n), jax.random.key(0)
        ),
        ["'k'", "Poisson", "gradient"],
    ),
    (
        lambda: build_model(HIDDEN, lt.Network(z=lt.Normal(2).given("h")), jax.random.key(0)),
        ["'h'", "hidden layer"],
    ),
    (lambda: lt.Elbo(kl="exact"), ["closed", "sampled"]),
    (lambda: lt.Elbo(warmup=2), ["warmup"]),
    (lambda: lt.Elbo(trim=1), ["trim", "1"]),
    (lambda: lt.Iwae(0), ["draws"]),
    (lambda: lt.Iwae(5, gradient="double"), ["'dreg'", "'double'"]),
    (lambda: lt.Elbo(discrete="listed"), ["'enumerated'", "'listed'"]),
    (lambda: lt.MonteCarloEm(target=1), ["target", "1"]),
    (lambda: lt.Renyi(1), ["alpha", "lt.Elbo()"]),
    (lambda: lt.Cubo(1), ["order", "1"]),
    (lambda: lt.ReweightedWakeSleep(guide="asleep"), ["'sleep'", "'asleep'"]),
]


@pytest.mark.parametrize(("call", "words"), ERRORS, ids=range(len(ERRORS)))
def test_declarations_that_cannot_be(call, words):
    with pytest.raises(lt.DeclarationError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


NETS = [lt.Linear(), lt.MLP(7), lt.MLP(7, depth=3, activation="tanh"), lt.MLP((7, 5)), lt.ResMLP(7, depth=2)]


@pytest.mark.parametrize("net", NETS)
def test_nets_map_one_example(net):
    module = build(net, ends(4, 3), jax.random.key(0), "x")
    out = module(jnp.arange(4.0))
    assert out.shape == (3,)
    assert np.isfinite(out).all()
    assert not np.allclose(out, module(jnp.ones(4)))  # control: it does depend on its input
    assert eval(repr(net), vars(lt) | {n: getattr(lt, n) for n in ("Linear", "MLP", "ResMLP")}) == net


def test_dropout_only_with_a_key_and_scaled():
    module = build(lt.MLP(4000, dropout=0.3), ends(2, 1), jax.random.key(0), "x")
    x = jnp.ones(2)
    assert module(x) == module(x)
    assert module(x, key=jax.random.key(1)) != module(x)
    many = jax.vmap(lambda k: module(x, key=k))(jax.random.split(jax.random.key(2), 400))
    assert abs(float(many.mean() - module(x)[0])) < 5 * float(many.std()) / 20


def test_dropout_of_every_layer():
    """A unit is left out in the wanted share of keys, alike in every layer, on its own."""
    widths, rows = (5, 3, 2), 4000
    net = build(lt.MLP(5, dropout=0.25), ends(2, 1), jax.random.key(0), "x")
    keys = jax.random.split(jax.random.key(0), rows)
    keep = jax.vmap(lambda k: jnp.concatenate(keepers(net, k, widths)))(keys)
    share = np.asarray(keep == 0).mean(0)
    assert np.allclose(share, 0.25, atol=4 * np.sqrt(0.19 / rows))
    assert np.allclose(np.asarray(keep).mean(0), 1, atol=0.05)
    assert np.abs(np.corrcoef(np.asarray(keep).T) - np.eye(10)).max() < 0.08


def test_guides_go_the_other_way_round():
    """Widths of a pyramid are mirrored; a hidden layer's own output becomes a layer of the guide."""
    plain = lt.Network(z=lt.Normal(2), x=lt.Normal(9).given("z", via=lt.MLP((4, 8))))
    assert lt.guide_for(plain).nodes["z"].via == lt.MLP((8, 4))
    trunk = lt.Deterministic(8).given("z", via=lt.MLP((4, 6), activate_output=True))
    shared = lt.Network(z=lt.Normal(2), h=trunk, x=lt.Normal(9).given("h"))
    assert lt.guide_for(shared).nodes["z"].via == lt.MLP((6, 6, 4))


def test_a_net_of_the_wrong_size_is_refused():
    def wrong(n_in: int, n_out: int, key: jax.Array):
        return lt.MLP(3)(n_in, n_out + 1, key)

    network = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z", via=wrong))
    with pytest.raises(lt.DeclarationError, match=r"'x'.*\(7,\).*\(6,\)"):
        build_model(network, lt.guide_for(network, []), jax.random.key(0))


def test_ancestral_samples_follow_log_prob():
    """Frequencies of a discrete network's draws against its own joint probabilities, by a chi-square statistic."""
    network = lt.Network(a=lt.Categorical(3), b=lt.Categorical(2).given("a"))
    model = build_model(network, lt.guide_for(network, []), jax.random.key(0), starts={"a": np.array([1.0, 0.0, -1.0])})
    draws = jax.jit(jax.vmap(lambda k: network.sample(model.p, k)))(jax.random.split(jax.random.key(1), 20000))
    counts = np.histogram2d(np.asarray(draws["a"]), np.asarray(draws["b"]), bins=(3, 2))[0]

    def joint(a: int, b: int) -> float:
        values = {"a": jnp.asarray(a, jnp.int32), "b": jnp.asarray(b, jnp.int32)}
        return float(sum(x.sum() for x in network.log_prob(model.p, values).values()))

    p = np.exp([[joint(a, b) for b in range(2)] for a in range(3)])
    assert p.sum() == pytest.approx(1, abs=1e-5)
    assert ((counts - 20000 * p) ** 2 / (20000 * p)).sum() < 20.5  # 99.9 % of chi-square with 5 degrees of freedom
    flat = np.full((3, 2), 1 / 6)
    assert ((counts - 20000 * flat) ** 2 / (20000 * flat)).sum() > 20.5  # control
