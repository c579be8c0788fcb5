r"""Gradients of every objective against exact ones.

A world of classes: $s$ of four states, $x$ of five. Whatever K draws give, the expectation over them is a sum over
$4^K$ cases, exact by automatic differentiation. A world of numbers: one latent and two columns, linear and Gaussian;
expectations over K = 2 draws are Gauss-Hermite sums over a square.

Each estimate is the mean of many gradients; it must lie within a few standard errors of the exact one. The biased ones
must not.
"""

import itertools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.errors import DeclarationError
from laten.model import Model, build_model
from laten.objectives import Batch

DRAWS, K = 20_000, 2
CLASSES = lt.Network(s=lt.Categorical(4).learned(), x=lt.Categorical(5).given("s"))
NUMBERS = lt.Network(z=lt.Normal(1).learned(), x=lt.Normal(2).given("z"))


def shaken(network: lt.Network, size: float = 0.3) -> Model:
    """A model whose weights are all different from where they start."""
    model = build_model(network, lt.guide_for(network), jax.random.key(0))
    keys = iter(jax.random.split(jax.random.key(1), 99))
    return jax.tree.map(lambda w: w + size * jax.random.normal(next(keys), w.shape), model)


@pytest.fixture(scope="module", params=["classes", "numbers"])
def world(request) -> tuple[str, Model, Batch]:
    """A model and one row."""
    if request.param == "classes":
        return "classes", shaken(CLASSES), Batch({"x": jnp.array([2])}, {})
    return "numbers", shaken(NUMBERS), Batch({"x": jnp.array([[0.8, -0.5]])}, {})


def cases(model: Model, kind: str) -> tuple[jax.Array, jax.Array]:
    """log w of every value that a draw can take, as a function of the weights, and log of its probability."""
    if kind == "classes":
        values = jnp.arange(4, dtype=jnp.int32)
        row = {"x": jnp.array(2)}
    else:
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        row = {"x": jnp.array([0.8, -0.5])}
        centre, scale = normal_of(model, row)
        values = (centre + scale * jnp.asarray(nodes, jnp.float32))[:, None]
    name = "s" if kind == "classes" else "z"
    found = jax.vmap(lambda v: model.draw(jax.random.key(0), row, {}, {name: v}))(values)
    log_q = found.log_q[name].reshape(len(values))
    log_w = jax.vmap(lambda d: d.log_weight)(found)
    return log_w, log_q if kind == "classes" else jnp.log(jnp.asarray(weights / weights.sum(), jnp.float32))


def normal_of(model: Model, row: dict) -> tuple[jax.Array, jax.Array]:
    """Mean and standard deviation of the guide's normal, as functions of its weights."""
    raw, family = model.draw(jax.random.key(0), row, {}).q_raw["z"], model.guide.nodes["z"].family
    low, middle = (family.quantile(raw, jnp.array([p])) for p in (0.15865525, 0.5))  # a standard deviation apart
    return middle, middle - low


def expected(model: Model, kind: str, bound: Callable) -> jax.Array:
    """E[bound(log w of K draws)], exactly."""
    log_w, log_p = cases(model, kind)
    index = jnp.asarray(list(itertools.product(range(len(log_w)), repeat=K)))
    chance = jnp.exp(log_p[index].sum(1))
    return jnp.sum(chance * jax.vmap(bound)(log_w[index]))


def power(gamma: float) -> Callable:
    return lambda log_w: (jax.nn.logsumexp(gamma * log_w) - jnp.log(1.0 * K)) / gamma


BOUNDS = {"elbo": jnp.mean, "iwae": power(1.0), "renyi": power(0.5), "cubo": power(2.0)}
UNBIASED = {
    "classes": {
        "enumerated": (lt.Elbo(), "elbo"),
        "leave one out": (lt.Elbo(draws=K, discrete="sampled"), "elbo"),
        "leave one out, sampled KL": (lt.Elbo(kl="sampled", draws=K, discrete="sampled"), "elbo"),
        "vimco": (lt.Iwae(K, discrete="sampled"), "iwae"),
        "renyi": (lt.Renyi(0.5, K, discrete="sampled"), "renyi"),
    },
    "numbers": {
        "A": (lt.Elbo(kl="sampled"), "elbo"),
        "B": (lt.Elbo(), "elbo"),
        "path": (lt.Elbo(kl="path"), "elbo"),
        "iwae": (lt.Iwae(K), "iwae"),
        "dreg": (lt.Iwae(K, gradient="dreg"), "iwae"),
        "renyi": (lt.Renyi(0.5, K), "renyi"),
    },
}


def gradients(objective, model: Model, batch: Batch, seed: int = 0, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """`(draws, weights)` of the network ("p") and the guide ("q"), of minus the loss."""

    @jax.jit
    def every(model: Model) -> tuple[jax.Array, jax.Array]:
        def one(key):
            g = jax.grad(lambda m: -objective(m, batch, key).loss)(model)
            return flat(g.p), flat(g.q)

        return jax.vmap(one)(jax.random.split(jax.random.key(seed), draws))

    p, q = every(model)
    return {"p": np.asarray(p, np.float64), "q": np.asarray(q, np.float64)}


def flat(tree) -> jax.Array:
    return jnp.concatenate([jnp.ravel(x) for x in jax.tree.leaves(eqx.filter(tree, eqx.is_inexact_array))])


def exact(model: Model, value: Callable[[Model], jax.Array]) -> dict[str, np.ndarray]:
    g = jax.jit(jax.grad(value))(model)
    return {"p": np.asarray(flat(g.p)), "q": np.asarray(flat(g.q))}


def worst(found: np.ndarray, truth: np.ndarray) -> float:
    """Largest distance of the mean from the truth, in standard errors; rounding counts as one."""
    error = found.std(axis=0) / np.sqrt(len(found))
    return float((np.abs(found.mean(axis=0) - truth) / (error + 1e-5 * (1 + np.abs(truth)))).max())


def test_gradients_are_unbiased(world):
    kind, model, batch = world
    for name, (objective, bound) in UNBIASED[kind].items():
        truth, found = exact(model, lambda m, b=bound: expected(m, kind, BOUNDS[b])), gradients(objective, model, batch)
        for side in "pq":
            assert worst(found[side], truth[side]) < 4.5, (name, side)
        # control: the gradient of another bound is told apart
        other = exact(model, lambda m, b=bound: expected(m, kind, BOUNDS["cubo" if b != "cubo" else "elbo"]))
        assert worst(found["q"], other["q"]) > 5, name


def test_a_relaxed_gradient_is_biased_and_caught():
    model, batch = shaken(CLASSES, 1.0), Batch({"x": jnp.array([2])}, {})
    found = gradients(lt.Elbo(kl="sampled", discrete="relaxed"), model, batch)
    truth = exact(model, lambda m: expected(m, "classes", BOUNDS["elbo"]))
    assert worst(found["p"], truth["p"]) < 4.5
    assert worst(found["q"], truth["q"]) > 5


def test_cubo_climbs_for_the_network_and_sinks_for_the_guide(world):
    kind, model, batch = world
    found = gradients(lt.Cubo(2.0, K, "sampled" if kind == "classes" else "enumerated"), model, batch)
    lower, upper = (exact(model, lambda m, b=b: expected(m, kind, BOUNDS[b])) for b in ("iwae", "cubo"))
    assert worst(found["p"], lower["p"]) < 4.5
    assert worst(found["q"], -upper["q"]) < 4.5
    assert worst(found["q"], lower["q"]) > 5  # control


def test_wake_sleep_has_the_gradients_of_two_kinds_of_kl():
    """The network's is that of the ELBO; the guide's that of minus E_p KL(posterior || q), by enumeration."""
    model, batch = shaken(CLASSES), Batch({"x": jnp.array([2])}, {})

    def asleep(m: Model) -> jax.Array:
        total = jnp.zeros(())
        for s, x in itertools.product(range(4), range(5)):
            found = m.draw(jax.random.key(0), {"x": jnp.array(x)}, {}, {"s": jnp.array(s)})
            p = jax.lax.stop_gradient(jnp.exp(found.log_p["s"] + found.log_p["x"]))
            total += p * found.log_q["s"]
        return total

    truth, dream = exact(model, lambda m: expected(m, "classes", BOUNDS["elbo"])), exact(model, asleep)
    found = gradients(lt.WakeSleep(), model, batch)
    assert worst(found["p"], truth["p"]) < 4.5
    assert worst(found["q"], dream["q"]) < 4.5
    assert worst(found["q"], truth["q"]) > 5  # control: it is not the ELBO's


def test_reweighted_wake_sleep_learns_from_weighted_draws():
    model, batch = shaken(NUMBERS), Batch({"x": jnp.array([[0.8, -0.5]])}, {})
    climbs = exact(model, lambda m: expected(m, "numbers", BOUNDS["iwae"]))
    found = gradients(lt.ReweightedWakeSleep(K), model, batch)
    assert worst(found["p"], climbs["p"]) < 4.5
    assert worst(found["q"], climbs["q"]) > 5  # the guide is told something else
    # with many draws the guide climbs log q of the posterior: its gradient vanishes where q is the posterior
    many = gradients(lt.ReweightedWakeSleep(500), model, batch, draws=200)
    row = {"x": batch.values["x"][0]}
    log_w, log_p = cases(model, "numbers")
    share = jax.nn.softmax(log_w + log_p)

    def inclusive(m: Model) -> jax.Array:
        raw, family = m.draw(jax.random.key(0), row, {}).q_raw["z"], model.guide.nodes["z"].family
        centre, scale = normal_of(model, row)
        z = centre + scale * jnp.asarray(np.polynomial.hermite_e.hermegauss(40)[0], jnp.float32)
        return jnp.sum(share * jax.vmap(lambda v: family.log_prob(raw, v[None]).sum())(z))

    assert worst(many["q"], exact(model, inclusive)["q"]) < 6


def test_path_gradient_vanishes_where_the_guide_is_right():
    """Sticking the landing: at the posterior every draw's gradient is zero; estimator A's is not."""
    p = lt.Network(z=lt.Normal(1), x=lt.Normal(1, scale=1.0).given("z"))
    model = build_model(p, lt.guide_for(p), jax.random.key(0))
    a, mean = 2.0, 2.0 / 5.0  # x = 2z + noise: posterior mean 2x/5, variance 1/5
    raw_sd = 7 * np.arctanh(0.5 * np.log(0.2) / 7)
    model = eqx.tree_at(
        lambda m: (m.p["x"].net.layers[0].weight, m.p["x"].constants), model, (jnp.array([[a]]), jnp.zeros(1))
    )
    weight = jnp.array([[mean, 0.0]]).reshape(model.q["z"].net.layers[0].weight.shape)
    constants = jnp.array([0.0, raw_sd], jnp.float32)
    model = eqx.tree_at(lambda m: (m.q["z"].net.layers[0].weight, m.q["z"].constants), model, (weight, constants))
    batch = Batch({"x": jnp.array([[0.7]])}, {})
    assert np.abs(gradients(lt.Elbo(kl="path"), model, batch, draws=50)["q"]).max() < 1e-4
    assert gradients(lt.Elbo(kl="sampled"), model, batch, draws=50)["q"].std(axis=0).max() > 0.1  # control


def test_too_many_states_are_sampled():
    many = lt.Network(b=lt.Bernoulli(30), x=lt.Normal(2).given("b", via=lt.MLP(4)))
    model, batch = build_model(many, lt.guide_for(many), jax.random.key(0)), Batch({"x": jnp.ones((3, 2))}, {})
    with pytest.raises(DeclarationError, match=r"'b'.*lt.WakeSleep"):
        lt.Elbo()(model, batch, jax.random.key(0))
    for objective in (lt.Elbo(draws=2), lt.Iwae(3), lt.WakeSleep(), lt.Elbo(discrete="relaxed")):
        g = jax.jit(jax.grad(lambda m, o=objective: o(m, batch, jax.random.key(0)).loss))(model)
        assert all(np.isfinite(x).all() and np.abs(x).max() > 0 for x in (flat(g.p), flat(g.q)))
