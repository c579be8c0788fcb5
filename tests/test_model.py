"""The log-weight against exact answers: linear-Gaussian worlds, enumeration, quadrature.

Each claim has a control that fails.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
import oracles
from laten.families import Family
from laten.inference.diagnostics import monte_carlo_error
from laten.inference.importance import log_weights, posterior_draws, weighted_mean
from laten.network.log_weights import by_node
from laten.network.model import Model, build_model

D, K, SIGMA = 5, 3, 0.7


def key(i: int = 0) -> jax.Array:
    return jax.random.key(i)


@pytest.fixture(scope="module")
def world() -> dict:
    rng = np.random.default_rng(1)
    w, b = rng.normal(size=(D, K)), rng.normal(size=D)
    z = rng.normal(size=(64, K))
    x = z @ w.T + b + SIGMA * rng.normal(size=(64, D))
    return {"w": w, "b": b, "x": x}


def with_linear(conditional, weight: np.ndarray, constants: np.ndarray):
    """The conditional of a linear net with these weights."""
    layer = eqx.tree_at(lambda m: m.weight, conditional.net.layers[0], jnp.asarray(weight.T, jnp.float32))
    net = eqx.tree_at(lambda m: m.layers, conditional.net, (layer,))
    return eqx.tree_at(lambda c: (c.net, c.constants), conditional, (net, jnp.asarray(constants, jnp.float32)))


def linear_gaussian(world: dict, guide: Family | None = None) -> Model:
    """The world as a model, with P exact and Q derived (linear)."""
    p = lt.Network(z=lt.Normal(K), x=lt.Normal(D, scale=SIGMA).given("z"))
    model = build_model(p, lt.guide_for(p), key())
    return eqx.tree_at(lambda m: m.p["x"], model, with_linear(model.p["x"], world["w"], world["b"]))


def exact_guide(world: dict) -> Model:
    """The world with a guide equal to the posterior: orthogonalise, so that the posterior's covariance is diagonal."""
    u, s, _ = np.linalg.svd(world["w"], full_matrices=False)
    rotated = {**world, "w": u * s}
    model = linear_gaussian(rotated)
    mean0, covariance = oracles.linear_gaussian_posterior(np.zeros((1, D)), rotated["w"], world["b"], SIGMA)
    slope = oracles.linear_gaussian_posterior(np.eye(D), rotated["w"], world["b"], SIGMA)[0] - mean0
    log_sd = 0.5 * np.log(np.diag(covariance))
    raw_sd = 7 * np.arctanh(log_sd / 7)
    weight = np.concatenate([slope.T, np.zeros((K, D))])
    return eqx.tree_at(lambda m: m.q["z"], model, with_linear(model.q["z"], weight, np.concatenate([mean0[0], raw_sd])))


def near_guide(world: dict) -> Model:
    """The world with a guide wider than the posterior and shifted: weights vary, and importance sampling converges."""
    model = exact_guide(world)
    return eqx.tree_at(lambda m: m.q["z"].constants, model, model.q["z"].constants + jnp.array([0.3] * K + [0.5] * K))


def weights_of(model: Model, values: dict, draws: int, masks: dict | None = None, seed: int = 0) -> np.ndarray:
    """`(rows, draws)` log-weights."""
    keys = jax.random.split(key(seed), len(next(iter(values.values()))))
    return np.asarray(weighed(model, keys, values, masks or {}, draws), np.float64)


@eqx.filter_jit
def weighed(model: Model, keys: jax.Array, values: dict, masks: dict, draws: int) -> jax.Array:
    """Compiled once for models of one declaration."""
    return jax.vmap(lambda k, v, m: log_weights(model, k, v, m, draws))(keys, values, masks)


def as_values(world: dict) -> dict:
    return {"x": jnp.asarray(world["x"], jnp.float32)}


def test_exact_guide_makes_every_log_weight_log_p(world):
    exact = oracles.linear_gaussian_log_prob(world["x"], world["w"], world["b"], SIGMA)
    log_w = weights_of(exact_guide(world), as_values(world), 20)
    assert np.abs(log_w - exact[:, None]).max() < 1e-4
    # control: the guide of another world does not
    other = weights_of(linear_gaussian(world), as_values(world), 20)
    assert np.abs(other - exact[:, None]).max() > 1


def test_elbo_plus_kl_is_log_p(world):
    """With Q a fixed normal, KL(q ‖ posterior) is known in closed form, and so is the ELBO's expectation."""
    model = linear_gaussian(world)
    fixed = with_linear(model.q["z"], np.zeros((2 * K, D)), np.array([0.1, -0.2, 0.3, -1, -1, -1.0]))
    model = eqx.tree_at(lambda m: m.q["z"], model, fixed)
    mean, covariance = oracles.linear_gaussian_posterior(world["x"], world["w"], world["b"], SIGMA)
    q_mean, q_sd = np.array([0.1, -0.2, 0.3]), np.exp(7 * np.tanh(-1 / 7)) * np.ones(K)
    precision = np.linalg.inv(covariance)
    gap = q_mean - mean
    trace, distance = (precision @ np.diag(q_sd**2)).trace(), np.einsum("ni,ij,nj->n", gap, precision, gap)
    kl = 0.5 * (trace + distance - K + np.linalg.slogdet(covariance)[1] - 2 * np.log(q_sd).sum())
    # E_q of a quadratic form is exact at the sigma points ±sqrt(K) sd of each axis
    points = np.concatenate([np.sqrt(K) * np.diag(q_sd), -np.sqrt(K) * np.diag(q_sd)]) + q_mean
    rows, log_joint = as_values(world)["x"], []
    at = jax.jit(lambda z: jax.vmap(lambda x: model.draw(key(), {"x": x}, {}, {"z": z}))(rows))
    for point in points:
        draw = at(jnp.asarray(point, jnp.float32))
        log_joint.append(np.asarray(draw.log_p["x"].sum(1), np.float64) + np.asarray(draw.log_p["z"].sum(1)))
    entropy = 0.5 * K * (1 + oracles.LOG_2PI) + np.log(q_sd).sum()
    elbo = np.mean(log_joint, axis=0) + entropy
    exact = oracles.linear_gaussian_log_prob(world["x"], world["w"], world["b"], SIGMA)
    assert np.abs(elbo + kl - exact).max() < 1e-4
    assert np.abs(elbo + 0.9 * kl - exact).max() > 0.1  # control
    # and the library's own estimate of that ELBO, closed and sampled KL, is unbiased
    keys = jax.vmap(lambda k: jax.random.split(k, 64))(jax.random.split(key(3), 2000))
    for closed in (True, False):

        def one(k, x, closed=closed):
            fit, cost = by_node(*model.draws(k, {"x": x}, {}), {}, closed)
            return fit["x"] - cost["z"]

        found = np.asarray(jax.jit(jax.vmap(jax.vmap(one), in_axes=(0, None)))(keys, rows), np.float64)
        error = found.mean(1).std() / np.sqrt(2000)
        assert abs(found.mean() - elbo.mean()) < 4 * error
        assert abs(found.mean() - elbo.mean() - 10 * error) > 4 * error  # control


def test_bounds_are_ordered(world):
    exact = oracles.linear_gaussian_log_prob(world["x"], world["w"], world["b"], SIGMA).mean()
    log_w = weights_of(near_guide(world), as_values(world), 5000)

    def bound(draws: int) -> float:
        groups = log_w.reshape(64, -1, draws)
        top = groups.max(2, keepdims=True)
        return float((top[..., 0] + np.log(np.exp(groups - top).mean(2))).mean())

    assert bound(1) < bound(5) < bound(50) < exact
    assert exact - bound(5000) < 0.01
    assert not bound(50) < bound(5)  # control


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_hidden_sites_are_marginalised(world, share):
    seen = np.random.default_rng(2).random((64, D)) > share
    model = linear_gaussian(world)
    log_w = weights_of(model, as_values(world), 4000, {"x": jnp.asarray(seen)}, seed=5)
    top = log_w.max(1)
    estimate = top + np.log(np.exp(log_w - top[:, None]).mean(1))
    exact = oracles.linear_gaussian_log_prob(world["x"], world["w"], world["b"], SIGMA, seen)
    error = np.sqrt((monte_carlo_error(log_w) ** 2).sum()) / 64
    assert abs((estimate - exact).mean()) < 5 * error + 5e-3
    whole = oracles.linear_gaussian_log_prob(world["x"], world["w"], world["b"], SIGMA)
    assert abs((estimate - whole).mean()) > 1  # control: not the log p of the whole row


def test_posterior_means_and_draws(world):
    model, x = near_guide(world), as_values(world)["x"][:8]
    u, s, _ = np.linalg.svd(world["w"], full_matrices=False)
    mean, covariance = oracles.linear_gaussian_posterior(world["x"][:8], u * s, world["b"], SIGMA)

    def posterior_mean(k, x):
        return weighted_mean(model, k, {"x": x}, {}, 20000, lambda d: d.values["z"]).mean

    found = jax.jit(jax.vmap(posterior_mean))(jax.random.split(key(), 8), x)
    assert np.abs(np.asarray(found) - mean).max() < 0.03
    assert np.abs(np.asarray(found) - np.roll(mean, 1, axis=0)).max() > 0.5  # control: another row's posterior
    kept, _ = jax.jit(lambda x: posterior_draws(model, key(1), {"x": x}, {}, 20000, 400))(x[0])
    z = np.asarray(kept["z"])
    assert np.abs(z.mean(0) - mean[0]).max() < 0.15
    assert np.allclose(z.std(0), np.sqrt(np.diag(covariance)), atol=0.1)


def discrete_network() -> lt.Network:
    """Five nodes: a -> b, a -> c, (b, c) -> d, c -> e; a, b, c hidden or seen."""
    return lt.Network(
        a=lt.Categorical(3),
        b=lt.Categorical(2).given("a"),
        c=lt.Categorical(4).given("a"),
        d=lt.Categorical(3).given("b", "c", via=lt.MLP(8)),
        e=lt.Categorical(2).given("c"),
    )


SIZES = {"a": 3, "b": 2, "c": 4, "d": 3, "e": 2}


def scrambled(model: Model, seed: int) -> Model:
    """The same model with weights of order one, so that nothing is near uniform."""
    rng = np.random.default_rng(seed)
    arrays, rest = eqx.partition(model, eqx.is_inexact_array)
    return eqx.combine(jax.tree.map(lambda x: jnp.asarray(rng.normal(size=x.shape), jnp.float32), arrays), rest)


@pytest.mark.parametrize(
    "evidence",
    [
        {"d": 2, "e": 1},
        pytest.param({"d": 0, "e": 0, "b": 1}, marks=pytest.mark.slow),
        pytest.param({"d": 1, "e": 1, "a": 2, "c": 3}, marks=pytest.mark.slow),
    ],
)
def test_enumeration_of_a_discrete_network(evidence):
    p = discrete_network()
    model = scrambled(build_model(p, lt.guide_for(p), key(), hidden=("a", "b", "c")), 4)

    of_values = jax.jit(lambda values: sum(x.sum() for x in p.log_prob(model.p, values).values()))

    def log_joint(state: dict[str, int]) -> float:
        return float(of_values({n: jnp.asarray(v, jnp.int32) for n, v in state.items()}))

    exact = oracles.enumerate_joint(SIZES, log_joint, evidence)
    values = {n: jnp.asarray([v], jnp.int32) for n, v in evidence.items()}
    assert weights_of(model, values, 1)[0, 0] == pytest.approx(exact, abs=1e-5)
    # the same rows with every node given and masks saying what is observed
    filled = {n: jnp.asarray([evidence.get(n, 0)], jnp.int32) for n in SIZES}
    masks = {n: jnp.asarray([n in evidence]) for n in "abc"}
    assert weights_of(model, filled, 1, masks)[0, 0] == pytest.approx(exact, abs=1e-5)
    filled = {n: jnp.asarray([evidence.get(n, 1)], jnp.int32) for n in SIZES}
    assert abs(weights_of(model, filled, 1)[0, 0] - exact) > 0.05  # control: as if all had been observed


def test_enumeration_of_a_node_of_which_some_sites_are_seen():
    p = lt.Network(y=lt.Bernoulli(2), x=lt.Bernoulli(3).given("y"))
    model = scrambled(build_model(p, lt.guide_for(p, observed=("y",)), key(), hidden=("y",)), 5)
    y, x = np.float32([[1, 0], [1, 1], [0, 0]]), np.float32([[1, 0, 1], [0, 0, 1], [1, 1, 1]])
    seen = np.array([[True, False], [False, False], [False, True]])
    exact = []
    for y_row, x_row, at in zip(y, x, seen, strict=True):
        states = [np.where(at, y_row, s).astype(np.float32) for s in ([0, 0], [0, 1], [1, 0], [1, 1])]
        both = [p.log_prob(model.p, {"y": jnp.asarray(s), "x": jnp.asarray(x_row)}) for s in np.unique(states, axis=0)]
        exact.append(np.logaddexp.reduce([float(sum(v.sum() for v in one.values())) for one in both]))
    found = weights_of(model, {"y": jnp.asarray(y), "x": jnp.asarray(x)}, 1, {"y": jnp.asarray(seen)})[:, 0]
    assert found == pytest.approx(exact, abs=1e-5)
    assert (
        np.abs(weights_of(model, {"y": jnp.asarray(y), "x": jnp.asarray(x)}, 1)[:, 0] - exact).min() > 0.01
    )  # control


def test_importance_sampling_agrees_with_quadrature():
    p = lt.Network(z=lt.Normal(2), x=lt.Bernoulli(6).given("z", via=lt.MLP(8, activation="tanh")))
    model = build_model(p, lt.guide_for(p), key(2))
    model = eqx.tree_at(lambda m: m.p["x"], model, scrambled(model, 5).p["x"])
    x = jnp.asarray(np.random.default_rng(0).integers(0, 2, (20, 6)), jnp.float32)

    def log_likelihood(grid: np.ndarray) -> np.ndarray:
        def one(z, x):
            return p.log_prob(model.p, {"z": z, "x": x})["x"].sum()

        both = jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))
        return np.asarray(jax.jit(both)(jnp.asarray(grid, jnp.float32), x), np.float64)

    exact = oracles.quadrature(log_likelihood)
    log_w = weights_of(model, {"x": x}, 5000)
    estimate = log_w.max(1) + np.log(np.exp(log_w - log_w.max(1, keepdims=True)).mean(1))
    error = monte_carlo_error(log_w)
    assert np.abs((estimate - exact) / error).max() < 4.5
    assert np.abs((estimate - exact - 10 * error) / error).max() > 4.5  # control


def test_a_label_observed_in_some_rows_only():
    """log p(x, y) where y is seen, log p(x) = log Σ_y p(x, y) where it is not, in one batch."""
    p = lt.Network(y=lt.Categorical(3), z=lt.Normal(2), x=lt.Bernoulli(5).given("y", "z", via=lt.MLP(6)))
    model = scrambled(build_model(p, lt.guide_for(p), key(), hidden=("y",)), 6)
    model = eqx.tree_at(lambda m: m.q, model, build_model(p, lt.guide_for(p), key(), hidden=("y",)).q)
    x = jnp.asarray(np.random.default_rng(3).integers(0, 2, (4, 5)), jnp.float32)
    labelled = [weights_of(model, {"x": x, "y": jnp.full(4, k, jnp.int32)}, 20000, seed=k) for k in range(3)]
    log_joint = np.stack([w.max(1) + np.log(np.exp(w - w.max(1, keepdims=True)).mean(1)) for w in labelled])
    marginal = np.log(np.exp(log_joint).sum(0))
    seen = jnp.asarray([True, True, False, False])
    mixed = weights_of(model, {"x": x, "y": jnp.asarray([0, 2, 0, 1], jnp.int32)}, 20000, {"y": seen}, seed=9)
    found = mixed.max(1) + np.log(np.exp(mixed - mixed.max(1, keepdims=True)).mean(1))
    expected = [log_joint[0, 0], log_joint[2, 1], marginal[2], marginal[3]]
    assert np.allclose(found, expected, atol=0.1)  # the guide is untrained
    assert not np.allclose(found, marginal, atol=0.1)  # control


def test_an_inner_node_observed_at_some_sites():
    """c is a parent and has holes: what is seen of it counts, what is hidden is inferred from it and from x."""
    rng = np.random.default_rng(8)
    w, b = rng.normal(size=(D, K)), rng.normal(size=D)
    c = rng.normal(size=(40, K))
    x = c @ w.T + b + SIGMA * rng.normal(size=(40, D))
    seen = rng.random((40, K)) < 0.5
    p = lt.Network(c=lt.Normal(K), x=lt.Normal(D, scale=SIGMA).given("c"))
    guide = lt.guide_for(p, observed=("c",))
    assert guide.nodes["c"].parents == ("c", "x")
    model = build_model(p, guide, key(), hidden=("c",))
    model = eqx.tree_at(lambda m: m.p["x"], model, with_linear(model.p["x"], w, b))
    values = {"c": jnp.asarray(c, jnp.float32), "x": jnp.asarray(x, jnp.float32)}
    log_w = weights_of(model, values, 50000, {"c": jnp.asarray(seen)})
    top = log_w.max(1, keepdims=True)
    estimate = top[:, 0] + np.log(np.exp(log_w - top).mean(1))
    joint = np.block([[np.eye(K), w.T], [w, w @ w.T + SIGMA**2 * np.eye(D)]])
    mean, both = np.concatenate([np.zeros(K), b]), np.concatenate([c, x], axis=1)
    exact = []
    for row, s in zip(both, seen, strict=True):
        at = np.concatenate([s, np.ones(D, bool)])
        exact.append(oracles.normal_log_prob(row[None, at], mean[at], joint[np.ix_(at, at)])[0])
    error = monte_carlo_error(log_w)
    settled = error < 0.1  # an untrained guide misses some rows
    assert settled.sum() > 15
    assert (np.abs(estimate - exact) < 5 * error + 1e-3)[settled].all()
    whole = oracles.normal_log_prob(both, mean, joint)
    some = settled & ~seen.all(1)
    assert not (np.abs(estimate - whole) < 5 * error + 1e-3)[some].all()  # control: as if all had been observed


def test_the_guide_sees_a_label_that_it_drew():
    """Where y is hidden by its mask, q(z | y, x) depends on the state of y just as where y has no array at all."""
    p = lt.Network(y=lt.Categorical(3), z=lt.Normal(2), x=lt.Normal(4).given("y", "z"))
    model = build_model(p, lt.guide_for(p, observed=("y",)), key(), hidden=("y",))
    x, label = jnp.arange(4.0), jnp.zeros(p.nodes["y"].family.shape, jnp.int32)
    said = jax.jit(lambda values, masks: model.draws(key(1), values, masks)[1].q_raw["z"])
    masked = said({"x": x, "y": label}, {"y": jnp.zeros(label.shape, bool)})
    assert np.allclose(masked, said({"x": x}, {}), atol=1e-6)
    assert not np.allclose(masked[0], masked[1], atol=1e-3)  # control


def test_latents_are_drawn_independently():
    """Families split their key; none of the parts may be the key of another node."""
    p = lt.Network(a=lt.StudentT(1), b=lt.Normal(1), x=lt.Normal(1).given("a", "b"))
    model = build_model(p, lt.Network(a=lt.StudentT(1), b=lt.Normal(1)), key())
    drawn = jax.jit(jax.vmap(lambda k: model.draw(k, {}, {}).values))(jax.random.split(key(1), 4000))
    middle = np.abs(drawn["b"][:, 0]) < 0.6745
    assert abs(np.mean(drawn["a"][middle, 0] < 0) - 0.5) < 0.05
