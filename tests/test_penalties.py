"""Penalties on all latents together, beside oracles; schedules; what each refuses; that each goes with every bound."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.stats as st
from scipy.special import logsumexp

import laten as lt
from laten.families.committed import widest
from laten.network.model import Model, build_model
from laten.training.objectives import Batch, Estimate
from laten.training.objectives.factor_vae import odds, told_apart
from laten.training.objectives.mmd import WIDTHS, discrepancy
from laten.training.objectives.total_correlation import total_correlation

NETWORK = lt.Network(z=lt.Normal(3), x=lt.Normal(4).given("z", via=lt.MLP(6)))
RNG = np.random.default_rng(0)
BATCH = Batch({"x": jnp.asarray(RNG.normal(size=(32, 4)), jnp.float32)}, {})


def stirred(network: lt.Network, guide: lt.Network | None = None, objective=None) -> Model:
    built = build_model(network, guide or lt.guide_for(network), jax.random.key(0))
    keys = iter(jax.random.split(jax.random.key(1), 99))
    model = jax.tree.map(lambda w: w + 0.3 * jax.random.normal(next(keys), w.shape), built)
    extra = None if objective is None else objective.extra(model, jax.random.key(2))
    return eqx.tree_at(lambda m: m.extra, model, extra, is_leaf=lambda x: x is None)


@pytest.fixture(scope="module")
def model() -> Model:
    return stirred(NETWORK)


def estimate(objective, model: Model, batch: Batch = BATCH, progress: float = 1.0) -> Estimate:
    return estimated(objective, model, batch, jnp.float32(progress))


@eqx.filter_jit
def estimated(objective, model: Model, batch: Batch, progress) -> Estimate:
    return objective(model, batch, jax.random.key(0), progress)


def penalty(objective, model: Model, batch: Batch = BATCH) -> float:
    """What is added to the loss of rows, from the same draws."""
    found, plain = estimate(objective, model, batch), estimate(objective.of_rows, model, batch)
    assert found.bound == plain.bound and found.terms == plain.terms
    return float(found.loss - plain.loss)


def guide_says(model: Model) -> tuple[np.ndarray, np.ndarray]:
    raw = jax.vmap(lambda x: model.q["z"].raw({"x": x}, {}))(BATCH.values["x"])
    loc, s = np.split(np.asarray(raw, np.float64), 2, axis=1)
    return loc, np.exp(7 * np.tanh(s / 7))


@pytest.mark.slow
def test_total_correlation_of_a_mixture():
    """Of the mean of four normals in the plane: by many draws of it, and by a grid."""
    loc = np.array([[-1.0, -1.0], [1.0, 1.2], [0.3, 0.2], [0.0, 0.8]])
    sd = np.array([[0.3, 0.4], [0.5, 0.3], [0.2, 0.9], [0.4, 0.4]])
    grid = np.linspace(-5, 5, 801)
    parts = [[st.norm(m, s).pdf(grid) for m, s in zip(*both, strict=True)] for both in zip(loc, sd, strict=True)]
    joint = np.mean([np.outer(a, b) for a, b in parts], axis=0)
    h = grid[1] - grid[0]
    product = np.outer(joint.sum(1), joint.sum(0)) * h**2
    exact = (joint * np.log(np.maximum(joint, 1e-300) / np.maximum(product, 1e-300))).sum() * h**2
    noise = RNG.normal(size=(4000, 4, 2))
    draws = jnp.asarray(loc + sd * noise, jnp.float32)
    found = jax.jit(jax.vmap(lambda z: total_correlation(z, jnp.asarray(loc, jnp.float32), jnp.log(jnp.float32(sd)))))(
        draws
    )
    error = np.asarray(found).std() / np.sqrt(4000)
    assert np.mean(found) == pytest.approx(exact, abs=4.5 * error)
    assert abs(np.mean(found) - 1.3 * exact) > 4.5 * error  # control


def test_total_correlation_in_a_model(model):
    loc, sd = guide_says(model)
    draw = jax.jit(jax.vmap(lambda k, x: model.draw(k, {"x": x}, {}).values["z"]))
    draws = draw(jax.random.split(jax.random.key(0), 32), BATCH.values["x"])
    log_q = st.norm(loc[None], sd[None]).logpdf(np.asarray(draws, np.float64)[:, None])
    joint, alone = logsumexp(log_q.sum(2), axis=1) - np.log(32), (logsumexp(log_q, axis=1) - np.log(32)).sum(1)
    assert penalty(lt.TotalCorrelation(lt.Elbo(), weight=3.0), model) == pytest.approx(
        3 * np.mean(joint - alone), rel=1e-3
    )


@pytest.mark.parametrize("of", ["means", "draws"])
def test_covariance_near_the_identity(model, of):
    loc, sd = guide_says(model)
    c = np.cov(loc.T, bias=True) + (np.diag((sd**2).mean(0)) if of == "draws" else 0)
    off = (c**2).sum() - (np.diag(c) ** 2).sum()
    expected = 2 * off + 5 * ((np.diag(c) - 1) ** 2).sum()
    found = penalty(lt.Dip(lt.Elbo(), weight=2.0, diagonal=5.0, of=of), model)
    assert found == pytest.approx(expected, rel=1e-3)
    assert found != pytest.approx(expected - 2 * off, rel=1e-3)  # control


def test_discrepancy_by_a_loop():
    z, u = RNG.normal(size=(2, 9, 2)).astype(np.float32)
    k = lambda a, b: sum(2 * c / (2 * c + ((a - b) ** 2).sum()) for c in WIDTHS)  # noqa: E731
    n = len(z)
    pairs = [(i, j) for i in range(n) for j in range(n)]
    within = sum(k(z[i], z[j]) + k(u[i], u[j]) for i, j in pairs if i != j) / (n * (n - 1))
    across = sum(k(z[i], u[j]) for i, j in pairs) / n**2
    assert float(discrepancy(jnp.asarray(z), jnp.asarray(u))) == pytest.approx(within - 2 * across, abs=1e-4)


def test_discrepancy_is_unbiased():
    """Zero on average for samples of one distribution, and above it for two."""
    between = jax.jit(discrepancy)
    same = np.asarray([between(*jnp.asarray(RNG.normal(size=(2, 30, 2)), jnp.float32)) for _ in range(200)])
    assert abs(same.mean()) < 4.5 * same.std() / np.sqrt(200)
    far = RNG.normal(size=(2, 30, 2)).astype(np.float32) + np.array([[[0]], [[1]]], np.float32)
    assert between(*jnp.asarray(far)) > 5 * same.std()  # control


def test_the_prior_is_held_still():
    """The penalty moves the guide, and not a prior that is learned."""
    network = lt.Network(z=lt.Normal(3).learned(), x=lt.Normal(4).given("z"))
    learned = stirred(network)
    grad = eqx.filter_jit(eqx.filter_grad(lambda m: lt.Mmd(lt.Elbo()).penalty(m, BATCH, jax.random.key(0), False)))
    found = grad(learned)
    assert np.abs(found.p["z"].constants).max() == 0 < np.abs(found.q["z"].constants).max()


@pytest.mark.slow
@pytest.mark.trains
def test_a_net_learns_the_total_correlation():
    """Two latents that are copies of one: the odds that the net learns approach their total correlation."""
    objective = lt.FactorVae(lt.Elbo(), weight=1.0, width=32)
    model = stirred(NETWORK, objective=objective)
    z = np.random.default_rng(0).multivariate_normal(np.zeros(3), [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], 4096)
    exact = -0.5 * np.log(1 - 0.9**2)
    optimiser = optax.adam(3e-3)
    net, state = model.extra, optimiser.init(model.extra)

    @eqx.filter_jit
    def step(net, state, key):
        rows = jnp.asarray(z, jnp.float32)[jax.random.randint(key, (256,), 0, 4096)]
        update, state = optimiser.update(eqx.filter_grad(lambda n: told_apart(n, rows, key))(net), state)
        return eqx.apply_updates(net, update), state

    for key in jax.random.split(jax.random.key(0), 400):
        net, state = step(net, state, key)
    assert float(odds(net, jnp.asarray(z, jnp.float32)).mean()) == pytest.approx(exact, abs=0.2)
    assert abs(float(odds(model.extra, jnp.asarray(z, jnp.float32)).mean()) - exact) > 0.3  # control: an unlearned one


def test_the_net_and_the_guide_do_not_teach_each_other():
    """The guide's gradient is that of the odds, the net's that of telling draws apart."""
    objective = lt.FactorVae(lt.Elbo(), weight=2.0, width=8)
    model = stirred(NETWORK, objective=objective)
    one, two = objective, lt.FactorVae(lt.Elbo(), weight=4.0, width=8)
    found, doubled = (
        eqx.filter_jit(eqx.filter_grad(lambda m, o=o: o.penalty(m, BATCH, jax.random.key(0), False)))(model)
        for o in (one, two)
    )
    for one, two, factor in ((found.q, doubled.q, 2), (found.extra, doubled.extra, 1)):
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
            np.testing.assert_allclose(factor * a, b, rtol=1e-4, atol=1e-6)


def test_capacity(model):
    """The loss charges the distance of the KL from a capacity that rises while the objective warms up."""
    plain = estimate(lt.Elbo(), model)
    kl = float(plain.kl)
    for progress, at in ((0.25, 5.0), (0.8, 10.0)):
        found = estimate(lt.Elbo(beta=3.0, capacity=10.0, warmup=0.5), model, progress=progress)
        assert found.loss == pytest.approx(float(plain.loss) - kl + 3 * abs(kl - at), rel=1e-4)
        assert found.bound == pytest.approx(float(plain.bound), rel=1e-5)
    with pytest.raises(lt.DeclarationError, match="both say how much KL is free"):
        lt.Elbo(capacity=1.0, free_bits=1.0)


def test_cycles(model):
    objective = lt.Cyclical(lt.Elbo(warmup=0.5), cycles=4)
    plain = estimate(lt.Elbo(), model)
    for progress, weight in (
        (0.0, 0.0),
        (0.0625, 0.5),
        (0.2, 1.0),
        (0.25, 0.0),
        (0.5625, 0.5),
        (0.99, 1.0),
        (1.0, 1.0),
    ):
        found = estimate(objective, model, progress=progress)
        assert found.loss == pytest.approx(float(plain.loss + (weight - 1) * plain.kl), rel=1e-4), progress
        assert found.bound == pytest.approx(float(plain.bound), rel=1e-5)
    assert objective.warmup == 0.875 and objective.by_row


def test_a_committed_guide_says_at_least_its_rate():
    """Whatever its net says, and however the prior of P is scaled; a `Relative` guide may say nothing."""
    for rate in (0.01, 0.1, 1.0):
        s = np.exp(widest(rate))
        assert -np.log(s) + (s**2 - 1) / 2 == pytest.approx(rate, rel=1e-6)
    raws = np.random.default_rng(0).normal(size=(200, 6)) * np.linspace(0.01, 5, 200)[:, None]
    prior, p_raw = lt.Normal(3), np.float32([0.5, -3, 20, 1, -2, 0.3])

    def least(guide: lt.Relative) -> float:
        kl = lambda raw: guide.kl(guide.finish(raw, prior, p_raw), prior, p_raw)  # noqa: E731
        return float(jax.vmap(kl)(jnp.asarray(raws, jnp.float32)).min())

    assert least(lt.Committed(3, rate=0.2)) >= 0.2 - 1e-3
    assert least(lt.Relative(3)) < 0.05  # control


OF_ROWS = [lt.Elbo(), lt.Elbo(kl="path"), lt.Elbo(draws=2), lt.Iwae(3), lt.Iwae(3, gradient="dreg"), lt.Renyi(0.5, 3),
           lt.Cubo(2.0, 3), lt.WakeSleep(), lt.ReweightedWakeSleep(2)]  # fmt: skip
PENALTIES = [lt.TotalCorrelation, lt.Dip, lt.Mmd, lt.FactorVae]


@pytest.mark.slow
@pytest.mark.parametrize("of_rows", OF_ROWS, ids=repr)
def test_penalties_compose_with_every_bound(of_rows):
    objective = of_rows
    for kind in PENALTIES:
        objective = kind(objective, weight=0.5)
    model = stirred(NETWORK, objective=objective)
    value, gradient = eqx.filter_value_and_grad(lambda m: estimate(objective, m).loss)(model)
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in jax.tree.leaves(gradient))
    assert objective.judge == of_rows.judge and not objective.by_row


LADDER = lt.templates.ladder(lt.Normal(4), (3, 2), width=6)
CLASSES = lt.templates.mixture(lt.Normal(4), 3, latent=2, width=6)
FULL = lt.Network(z=lt.FullNormal(3).given("x"))
ONLY_CLASSES = lt.Network(c=lt.Categorical(3), x=lt.Normal(4).given("c"))
REFUSED = [
    (lt.TotalCorrelation(lt.Elbo()), LADDER, None, r"looks at 'z1'; use lt\.Mmd"),
    (lt.Dip(lt.Elbo()), LADDER, None, r"looks at 'z1'; use lt\.Mmd"),
    (lt.TotalCorrelation(lt.Elbo()), NETWORK, FULL, r"the guide's 'z' is FullNormal\(3\); use lt\.Normal\(3\)"),
    (lt.Dip(lt.Elbo()), NETWORK, FULL, r"the guide's 'z' is FullNormal\(3\); use lt\.Normal\(3\)"),
    (lt.Mmd(lt.Elbo()), CLASSES, None, r"'z' is given 'c', a class that is drawn.*use lt\.Elbo"),
    (lt.Mmd(lt.Elbo()), ONLY_CLASSES, None, r"no latent of numbers.*use lt\.Elbo"),
]


@pytest.mark.parametrize("objective, network, guide, words", REFUSED, ids=lambda x: repr(x)[:30])
def test_latents_that_a_penalty_is_not_defined_for(objective, network, guide, words):
    built = build_model(network, guide or lt.guide_for(network), jax.random.key(0))
    with pytest.raises(lt.DeclarationError, match=words):
        eqx.filter_eval_shape(lambda m: objective(m, BATCH, jax.random.key(0)), built)


@pytest.mark.parametrize("penalty", [lt.TotalCorrelation, lt.Dip, lt.Mmd, lt.FactorVae])
def test_a_penalty_has_rows_to_compare(penalty):
    one, objective = jax.tree.map(lambda x: x[:1], BATCH), penalty(lt.Elbo())
    with pytest.raises(
        lt.DeclarationError, match="compares the rows of a batch, and a batch has one row; use a larger"
    ):
        eqx.filter_eval_shape(lambda m: objective(m, one, jax.random.key(0)), stirred(NETWORK, objective=objective))


@pytest.mark.parametrize("make, words", [
    (lambda: lt.Mmd("elbo"), r"Mmd: of_rows must be an objective"),
    (lambda: lt.TotalCorrelation(lt.Elbo(), weight=-1), "weight must be finite and at least 0"),
    (lambda: lt.Dip(lt.Elbo(), of="both"), "of must be 'means' or 'draws'"),
    (lambda: lt.Dip(lt.Elbo(), diagonal=-1), "diagonal must be"),
    (lambda: lt.Cyclical(lt.Elbo()), r"has none; use one such as lt\.Elbo\(warmup=0\.5\)"),
    (lambda: lt.Cyclical(3), "of_rows must be an objective"),
    (lambda: lt.FactorVae(lt.FactorVae(lt.Elbo())).extra(stirred(NETWORK), jax.random.key(0)), "FactorVae once"),
    (lambda: lt.Committed(2, rate=0), "rate is nats a site"),
    (lambda: lt.Elbo(capacity=-1.0), "capacity must be finite"),
])  # fmt: skip
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(lt.DeclarationError, match=words):
        make()


@pytest.mark.trains
def test_a_penalty_is_learned_and_kept(tmp_path):
    """With it the covariance of the latents is near the identity; saved and loaded, all is the same."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(300, 2)) @ [[1.0, 0.8, 0.2, 0.1], [0.0, 0.5, 0.9, -0.4]]).astype(np.float32)
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(4, scale="site").given("z"))

    def off(objective) -> float:
        vae = lt.VAE(network, objective=objective, epochs=15, batch_size=50, learning_rate=2e-2, validation=0)
        vae.fit({"x": x})
        assert vae.model_.extra is None
        vae.save(tmp_path / "m.laten")
        again = lt.load(tmp_path / "m.laten")
        assert again.objective == objective
        np.testing.assert_array_equal(again.transform({"x": x}), vae.transform({"x": x}))
        return np.abs(np.cov(vae.transform({"x": x}).T) - np.eye(2)).max()

    plain = off(lt.Elbo(beta=0.01))
    assert off(lt.FactorVae(lt.Dip(lt.Elbo(beta=0.01), weight=50.0, of="means"), 0.1, width=8)) < 0.15 < 0.3 < plain
