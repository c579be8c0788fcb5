"""`vae.audit` on worlds where log p(x) and the posterior are known: estimators against the oracle, with controls."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

import laten as lt
import linear_worlds
import oracles
from laten.answers.audit.aggregate_posterior import information
from laten.answers.audit.gaps import grouped
from laten.answers.audit.simulated import bins_for, smallest, uniformity
from laten.answers.audit.study import check_chains
from laten.common.errors import DataError, LatenError, LatenWarning
from laten.network.model import build_model

pytestmark = pytest.mark.trains

WORLD = linear_worlds.world(2, 5)
SHAPE = {"rows": 32, "draws": 1000, "bridges": 60}


def ask(only=(), data=None, **off):
    model = linear_worlds.model_of(WORLD, **off)
    data = {"x": WORLD.x} if data is None else data
    return linear_worlds.vae_of(model, x=WORLD.x).audit(data, only, **SHAPE)


@pytest.fixture(scope="module")
def found():
    """All estimators; the guide's mean is bent and it is too wide."""
    return ask(slope=0.9, shift=0.1, log_sd=0.2)


def error_of(found, name: str) -> float:
    return float(found.table.set_index("name")["error"][name])


def test_estimators_of_log_p_agree_with_the_oracle(found):
    exact = WORLD.log_p
    np.testing.assert_allclose(found.rows["exact"], exact, atol=1e-4)
    np.testing.assert_allclose(found.rows["quadrature"], exact, atol=1e-3)
    for name in ("IWAE 500", "AIS", "posterior samples"):
        off = found[name] - exact.mean()
        assert abs(off) < 4 * error_of(found, name) + 2e-3, name
        assert abs(off + 0.1) > 4 * error_of(found, name) + 2e-3, name  # control
    assert found["ELBO"] < found["IWAE 5"] < found["IWAE 50"] < exact.mean() + 0.01


def test_the_elbo_is_log_p_minus_its_divergence(found):
    """KL(q ‖ posterior) of two normals in closed form, for the guide's own mean and scale."""
    mean, covariance = oracles.linear_gaussian_posterior(WORLD.x, WORLD.w, WORLD.b, WORLD.sigma)
    variance, away = np.diag(covariance), 0.9 * mean + 0.1 - mean
    ratio = np.exp(0.4)
    kl = 0.5 * (2 * (ratio - 1 - np.log(ratio)) + (away**2 / variance).sum(1))
    gap, error = found["gap"], error_of(found, "gap")
    assert abs(gap - kl.mean()) < 4 * error + 1e-3 and abs(gap - 0.8 * kl.mean()) > 4 * error  # and a control
    assert found.terms.sum() == pytest.approx(found["ELBO"], abs=1e-3)
    # the posterior is a diagonal normal, which a guide of one's own reaches: all of the gap is amortisation
    assert abs(found["approximation gap"]) < 0.02 and found["amortisation gap"] > 0.8 * kl.mean()


def test_annealing_both_ways_holds_log_p_between(found):
    simulated = found.simulated
    for side, name in ((1, "upper"), (-1, "lower")):
        off = side * (simulated[name] - simulated["exact"])
        error = off.std() / np.sqrt(len(off))
        assert off.mean() > -4 * error and abs(off.mean()) < 0.05 + 4 * error, name
    far = ask(["bdmc"], slope=0.0, shift=2.0, log_sd=-1.5).simulated  # control: a hopeless guide, the same few bridges
    assert far["gap"].mean() > 5 * max(simulated["gap"].mean(), 0.05) and far["lower"].mean() < far["exact"].mean()


def test_ranks_are_uniform_for_the_posterior_and_only_then(found):
    exact = ask(["sbc"])
    assert exact["SBC p-value"] > 0.01 and "as uniform as chance" in str(exact)
    narrow = ask(["sbc"], log_sd=-0.4)
    assert narrow["SBC p-value"] < 1e-4 and narrow["SBC p-value, resampled"] > 0.01
    assert "too narrow" in str(narrow) and "puts that right" in str(narrow)
    assert found["SBC p-value"] < 0.01 and list(found.units.index) == ["z0", "z1"]


def test_what_is_found_can_be_read_and_drawn(found, tmp_path):
    said = str(found)
    for words in ("IWAE 500", "amortisation gap", "A larger guide net", "Pareto k", "32 of 32 rows", "ELBO by node: x"):
        assert words in said, words
    assert set(found.table["name"]) == {f.name for f in found.figures} and not found.left_out
    figure = found.plot(tmp_path / "a.png")
    assert len(figure.axes) == 5 and (tmp_path / "a.png").stat().st_size > 20_000
    with pytest.raises(DataError, match="did you mean 'AIS'"):
        found["AISS"]


def test_discrete_latents_are_enumerated_and_the_rest_is_left_out():
    p = lt.Network(c=lt.Categorical(3), x=lt.Normal(2, scale=0.5).given("c"))
    model, x = build_model(p, lt.guide_for(p), jax.random.key(0)), WORLD.x[:6, :2]
    vae = linear_worlds.vae_of(model, x=x)
    found = vae.audit({"x": x}, ["exact"])
    mean = np.asarray(jax.vmap(lambda c: model.p["x"].raw({"c": c}, {}))(jnp.arange(3)), np.float64)  # (3, 2)
    prior = np.asarray(jax.nn.log_softmax(model.p["c"].raw({}, {})), np.float64)
    terms = prior - (((x[:, None] - mean) / 0.5) ** 2).sum(2) / 2 - 2 * np.log(0.5) - oracles.LOG_2PI
    np.testing.assert_allclose(found.rows["exact"], logsumexp(terms, axis=1), atol=1e-4)
    for name in ("quadrature", "ais", "hmc", "bdmc", "sbc", "latents"):
        with pytest.raises(LatenError, match=f"'{name}' does not fit this model: there are no continuous latents"):
            vae.audit({"x": x}, name)


@pytest.mark.parametrize(
    ("network", "only", "words"),
    [
        (lt.Network(z=lt.Normal(20), x=lt.Normal(5).given("z")), "quadrature", "grid over 20 .* too large.*'ais' fits"),
        (lt.Network(z=lt.Normal(20), x=lt.Normal(5).given("z")), "hmc", "up to 4 latent coordinates.*there are 20"),
        (lt.Network(z=lt.Normal(20), x=lt.Normal(5).given("z")), "exact", "spread of node 'x'.*'bounds' and 'ais' fit"),
        (lt.Network(z=lt.Normal(20), x=lt.Normal(5).given("z")), "aiss", "no estimator 'aiss'; known names"),
    ],
)
def test_an_estimator_that_does_not_fit_says_why_and_which_one_does(network, only, words):
    vae = linear_worlds.vae_of(build_model(network, lt.guide_for(network), jax.random.key(0)), x=WORLD.x)
    with pytest.raises(LatenError, match=words):
        vae.audit({"x": WORLD.x}, only)


def test_a_node_that_no_guide_infers_leaves_only_bounds():
    deep = lt.Network(a=lt.Normal(1), b=lt.Normal(1).given("a"), x=lt.Normal(5).given("b"))
    vae = linear_worlds.vae_of(build_model(deep, lt.guide_for(deep, ["b"]), jax.random.key(0)), x=WORLD.x)
    with pytest.raises(
        LatenError, match=r"nodes \['a'\] are neither observed nor inferred by the guide; 'bounds' fits"
    ):
        vae.audit({"x": WORLD.x}, ["ais"])


def test_options_out_of_range_are_refused():
    vae = linear_worlds.vae_of(linear_worlds.model_of(WORLD), x=WORLD.x)
    for option, words in (({"start": "posterior"}, "starts at one of"), ({"sampler": "gibbs"}, "sampler is one of"),
                          ({"rows": 0}, "rows must be"), ({"bridges": 1.5}, "bridges must be")):  # fmt: skip
        with pytest.raises(LatenError, match=words):
            vae.audit({"x": WORLD.x}, **option)


def test_poor_acceptance_is_told():
    from laten.answers.audit.study import check_acceptance

    with pytest.warns(LatenWarning, match="'ais' HMC accepted only 5% of its moves"):
        check_acceptance("ais", np.full(4, 0.05), "give more bridges")
    check_acceptance("ais", np.full(4, 0.6), "give more bridges")


def test_mutual_information_lies_between_its_bounds():
    """x ~ N(0, v), q(z | x) = N(x, 1): I = log(1 + v) / 2, and the aggregate N(0, 1 + v) against the prior N(0, 2)."""
    rng, v, n, each = np.random.default_rng(0), 3.0, 800, 4
    x = rng.normal(scale=np.sqrt(v), size=n)
    z = np.repeat(x, each) + rng.normal(size=n * each)
    log_q = -0.5 * (z[None] - x[:, None]) ** 2 - 0.5 * oracles.LOG_2PI
    log_prior = -(z**2) / 4 - 0.5 * np.log(2) - 0.5 * oracles.LOG_2PI
    found = information(log_q, log_prior)
    truth, aggregate = 0.5 * np.log(1 + v), 0.5 * ((1 + v) / 2 - 1 - np.log((1 + v) / 2))
    assert found.low - 3 * found.error < truth < found.high + 3 * found.error and found.high - found.low < 0.05
    assert abs(found.kl - truth - aggregate) < 0.1
    few = information(log_q[:8, : 8 * each], log_prior[: 8 * each])
    assert few.low < np.log(8) and few.high - few.low > 0.08  # eight rows are too few, and it shows


def test_ranks_p_values_are_uniform_and_see_a_heap():
    rng = np.random.default_rng(0)
    p = uniformity(rng.integers(0, 100, (400, 300)), 99)
    assert bins_for(400, 99) == 20 and abs((p < 0.1).mean() - 0.1) < 0.06 and p.min() > 1e-5
    heaped = np.clip(rng.normal(50, 22, (400, 1)).astype(int), 0, 99)
    assert smallest(uniformity(heaped, 99)) < 1e-4
    assert smallest(np.array([0.02, 0.9])) == pytest.approx(0.04)


def test_groups_of_draws_are_bounds():
    log_w = np.random.default_rng(0).normal(size=(3, 11))
    found = grouped(log_w, 5)
    assert found.shape == (3, 2)
    assert found[1, 1] == pytest.approx(np.log(np.exp(log_w[1, 5:10]).mean()))
    np.testing.assert_allclose(grouped(log_w, 1), log_w)


def test_chains_that_disagree_are_reported():
    with pytest.warns(LatenWarning, match="50% of the rows stay in different places.*trust 'quadrature'"):
        check_chains("hmc", np.array([1.0, 2.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_chains("hmc", np.full(40, 1.01))
