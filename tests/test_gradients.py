"""Gradients of every objective against exact ones, in the worlds of `benchmarks/gradients.py`.

Each estimate is the mean of many gradients; it must lie within a few standard errors of the exact one. The biased ones
must not.
"""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks.gradients import (
    BOUNDS,
    CLASSES,
    NUMBERS,
    UNBIASED,
    K,
    cases,
    exact,
    expected,
    flat,
    gradients,
    normal_of,
    shaken,
    worst,
)  # fmt: skip

import laten as lt
from laten.common.errors import DeclarationError
from laten.network.model import Model, build_model
from laten.training.objectives import Batch


@pytest.fixture(scope="module", params=["classes", "numbers"])
def world(request) -> tuple[str, Model, Batch]:
    """A model and one row."""
    if request.param == "classes":
        return "classes", shaken(CLASSES), Batch({"x": jnp.array([2])}, {})
    return "numbers", shaken(NUMBERS), Batch({"x": jnp.array([[0.8, -0.5]])}, {})


def test_gradients_are_unbiased(world):
    kind, model, batch = world
    truths = {name: exact(model, lambda m, b=bound: expected(m, kind, b)) for name, bound in BOUNDS.items()}
    for name, (objective, bound) in UNBIASED[kind].items():
        found = gradients(objective, model, batch)
        for side in "pq":
            assert worst(found[side], truths[bound][side]) < 4.5, (name, side)
        # control: the gradient of another bound is told apart
        assert worst(found["q"], truths["cubo" if bound != "cubo" else "elbo"]["q"]) > 5, name


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


@pytest.mark.slow
def test_with_many_draws_reweighted_wake_sleep_climbs_log_q_of_the_posterior():
    """Its gradient vanishes where q is the posterior."""
    model, batch = shaken(NUMBERS), Batch({"x": jnp.array([[0.8, -0.5]])}, {})
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


@pytest.mark.slow
def test_monte_carlo_em_climbs_log_p():
    """After long walks the network's gradient is that of log p(x), whatever the guide; the ELBO's is not."""
    model, batch = shaken(NUMBERS), Batch({"x": jnp.array([[0.8, -0.5]])}, {})

    def log_p(m: Model) -> jax.Array:
        log_w, log_chance = cases(m, "numbers")
        return jax.nn.logsumexp(log_w + log_chance)

    truth, found = exact(model, log_p), gradients(lt.MonteCarloEm(trajectories=20), model, batch, draws=4000)
    assert worst(found["p"], truth["p"]) < 4.5
    assert worst(found["p"], exact(model, lambda m: expected(m, "numbers", BOUNDS["elbo"]))["p"]) > 5  # control


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
