"""p(any | any) against sums over an enumerated latent: conditionals, predictions, softer evidence; holes that tell."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.stats as st
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

import laten as lt
from laten.answers.fitted import Fitted
from laten.common.errors import DataError, LatenError, LatenWarning
from laten.inference.diagnostics import effective_sample_size
from laten.inference.questions import Expected

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore:log-likelihood")]
RNG = np.random.default_rng(0)


def world(n: int = 400) -> pd.DataFrame:
    """Two classes and a number that depend on a hidden class of three."""
    c = RNG.choice(3, n, p=[0.5, 0.3, 0.2])
    a = np.array(["p", "q", "r"])[(c + (RNG.random(n) < 0.3)) % 3]
    b = np.array(["u", "v", "w", "t"])[np.minimum(c + (RNG.random(n) < 0.4), 3)]
    return pd.DataFrame({"a": a, "b": b, "x": RNG.normal(2.0 * c, 0.7)})


FRAME = world()


@pytest.fixture(scope="module")
def vae() -> lt.VAE:
    network = lt.Network(
        c=lt.Categorical(3),
        a=lt.Categorical(3).given("c"),
        b=lt.Categorical(4).given("c"),
        x=lt.Normal(()).given("c"),
    )
    return lt.VAE(network, epochs=60, learning_rate=1e-2, draws=20).fit(FRAME)


class Exact:
    """The fitted network's own probabilities, summed over its three states by NumPy."""

    def __init__(self, vae: lt.VAE) -> None:
        model = vae.model_
        states = [{"c": jnp.int32(k)} for k in range(3)]
        raw = {n: [model.p[n].raw(s, {}) for s in states] for n in ("a", "b", "x")}
        families = model.network.families
        self.prior = np.asarray(families["c"].mean(model.p["c"].raw({}, {})), np.float64)
        self.a, self.b = (np.stack([np.asarray(families[n].mean(r), np.float64) for r in raw[n]]) for n in "ab")
        codec = vae.schema_["x"].map
        ends = [[float(families["x"].cdf(r, jnp.float32(codec.encode(v)))) for v in (1.0, 5.0)] for r in raw["x"]]
        self.between = np.array(ends)[:, 1] - np.array(ends)[:, 0]


def test_conditional_density_is_exact_where_the_latent_is_enumerated(vae):
    exact, rows = Exact(vae), FRAME.assign(x=np.nan)
    a, b = ("pqr".index, "tuvw".index)
    joint = np.einsum("c,ca,cb->ab", exact.prior, exact.a, exact.b)
    truth = np.log((joint / joint.sum(0))[[a(v) for v in FRAME["a"]], [b(v) for v in FRAME["b"]]])
    found = vae.conditional(rows, "a")
    np.testing.assert_allclose(found.log_density, truth, atol=1e-4)
    wrong = np.log(joint.sum(1))[[a(v) for v in FRAME["a"]]]  # without looking at b
    assert np.abs(found.log_density - wrong).max() > 0.1
    assert found.samples == []


def test_joint_density_of_two_targets_and_holes_among_them(vae):
    rows = FRAME.head(40).copy()
    rows.loc[3, "a"] = None
    both, second = vae.conditional(rows, ["a", "b"]), vae.conditional(rows.assign(a=None), ["b"])
    assert both.log_density[3] == pytest.approx(second.log_density[3], abs=1e-4)
    chain = vae.conditional(rows, ["a"]).log_density + vae.conditional(rows.assign(a=None), ["b"]).log_density
    np.testing.assert_allclose(np.delete(both.log_density - chain, 3), 0, atol=1e-4)


def test_density_of_numbers_is_in_their_own_units(vae):
    x = np.linspace(-4, 9, 600)
    rows = pd.DataFrame({"a": "p", "b": "u", "x": x})
    density = np.exp(vae.conditional(rows, "x").log_density)
    assert np.trapezoid(density, x) == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize(
    ("given", "shares"),
    [
        ({"b": ["u", "v"]}, lambda e: e.b[:, 1] + e.b[:, 2]),
        ({"x": lt.between(1, 5)}, lambda e: e.between),
        pytest.param({"x": lt.between(1.0, 5.0), "b": {"w"}}, lambda e: e.between * e.b[:, 3], marks=pytest.mark.slow),
    ],
)
def test_softer_evidence_is_summed(vae, given, shares):
    exact = Exact(vae)
    weight = exact.prior * shares(exact)
    truth = (weight / weight.sum()) @ exact.a
    rows = vae.sample(6000, given=given)
    found = rows["a"].value_counts(normalize=True).reindex(["p", "q", "r"]).to_numpy()
    assert np.abs(found - truth).max() < 0.035
    assert np.abs(found - exact.prior @ exact.a).max() > 0.05  # without the evidence it would not fit
    if "b" in given:
        assert set(rows["b"]) <= set(given["b"])
    if "x" in given:
        assert rows["x"].between(1, 5).all()
    one = FRAME.head(5).drop(columns=["x", "b"])
    log_p = vae.conditional(one, "a", given=given).log_density
    np.testing.assert_allclose(log_p, np.log(truth)[["pqr".index(v) for v in one["a"]]], atol=1e-3)


def test_predictions_are_the_posterior_means(vae):
    exact = Exact(vae)
    joint = np.einsum("c,ca,cb->ba", exact.prior, exact.a, exact.b)
    rows = pd.DataFrame({"b": ["u", "w"]})
    proba = vae.predict_proba(rows.assign(x=np.nan), "a")
    assert list(proba.columns) == ["p", "q", "r"]
    np.testing.assert_allclose(proba, (joint / joint.sum(1, keepdims=True))[[1, 3]], atol=1e-4)
    best = vae.predict(rows.assign(x=np.nan), "a")
    assert list(best) == [proba.columns[i] for i in proba.to_numpy().argmax(1)]
    full = FRAME.drop(columns="a")
    assert vae.predict(full).equals(vae.predict(FRAME, "a"))  # the column itself is not looked at
    assert vae.predict(FRAME, "x").index.equals(FRAME.index)


def test_draws_follow_the_conditional(vae):
    rows = pd.DataFrame({"a": [None], "b": ["u"], "x": [np.nan]})
    drawn = vae.conditional(pd.concat([rows] * 500, ignore_index=True), ["a"], samples=4).samples
    counts = pd.concat(drawn)["a"].value_counts().reindex(["p", "q", "r"])
    proba = vae.predict_proba(rows, "a").to_numpy()[0]
    assert st.chisquare(counts, proba * counts.sum()).pvalue > 1e-3
    assert st.chisquare(counts, np.full(3, counts.sum() / 3)).pvalue < 1e-6
    assert not drawn[0].equals(drawn[1])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda v: v.conditional(FRAME, ["a"], given={"a": "p"}), "'a' is both a target and given"),
        (lambda v: v.conditional(FRAME, []), "no target"),
        (lambda v: v.conditional(FRAME, ["aa"]), "did you mean"),
        (lambda v: v.sample(3, given={"x": "tall"}), "'x'"),
        (lambda v: v.sample(3, given={"x": np.array([1.0, 2.0])}), "takes a value, lt.between"),
        (lambda v: v.sample(3, given={"a": lt.between(1, 2)}), "'a'"),
        (lambda v: v.sample(3, given={"a": []}), "'a'"),
        (lambda v: v.sample(3, given={"a": ["p", "zz"]}), "zz"),
        (lambda v: v.sample(3, given={"x": lt.between(5, 1)}), "above high"),
        (lambda v: v.predict(FRAME, "nothing"), "nothing"),
        (lambda v: v.predict(FRAME), "name the column"),
        (lambda v: v.predict_proba(FRAME, "x"), "has no classes"),
        (lambda v: v.predict_outliers(FRAME, contamination=1.5), "between 0 and 1"),
        (lambda v: v.impute_interval(FRAME, 95), "between 0 and 1"),
        (lambda v: v.impute(FRAME, statistic="modus"), "modus"),
    ],
)
def test_questions_that_cannot_be_asked(vae, ask, words):
    with pytest.raises((LatenError, DataError), match=words):
        ask(vae)


@pytest.mark.filterwarnings("ignore:given. x=30.0 lies outside", "ignore:given. y=-90.0 lies outside")
def test_impossible_evidence_warns_and_says_what_to_do():
    frame = pd.DataFrame({"x": RNG.normal(size=300), "y": RNG.normal(size=300)})
    frame["y"] += 3 * frame["x"]
    numbers = {n: lt.Normal((), scale="site").given("z") for n in frame}
    vae = lt.VAE(lt.Network(z=lt.Normal(2), **numbers), epochs=60).fit(frame)
    with pytest.warns(LatenWarning, match="nearly impossible evidence.*wider intervals"):
        vae.sample(2000, given={"x": 30.0, "y": -90.0})


@pytest.mark.filterwarnings("ignore:sample. nearly impossible")
def test_a_number_outside_what_was_seen_warns(vae):
    with pytest.warns(LatenWarning, match="x=30.0 lies outside the values seen"):
        rows = vae.sample(2, given={"x": 30.0})
    assert (rows["x"] == 30.0).all()


def test_rows_with_few_effective_draws_are_asked_again():
    frame = pd.DataFrame(RNG.normal(size=(200, 12)) + 3 * RNG.normal(size=(200, 1)), columns=list("abcdefghijkl"))
    network = lt.Network(z=lt.Normal(6), **{n: lt.Normal((), scale=0.05).given("z") for n in frame})
    vae = lt.VAE(network, epochs=3).fit(frame)
    fitted: Fitted = vae._fitted()
    rows = fitted.rows(frame)
    _, log_w = fitted.ask(Expected(20), rows)
    before = effective_sample_size(log_w)
    values, after = fitted.ask_well(Expected(20), rows)
    poor = before < 5
    assert poor.any() and (after[~poor] == before[~poor]).all()
    assert after[poor].mean() > before[poor].mean()
    alone, size = fitted.ask_well(Expected(20), fitted.rows(frame.iloc[[3]]))
    assert size[0] == after[3]
    assert np.array_equal(alone["a"], values["a"][3:4])  # a row's answer depends on the row alone


def test_outliers_are_the_least_probable_rows(vae):
    odd = pd.concat([FRAME.head(95), FRAME.tail(5).assign(x=30.0)], ignore_index=True)
    found = vae.predict_outliers(odd, contamination=0.05, reference=odd)
    assert set(found) == {-1, 1} and (found[-5:] == -1).all() and (found == -1).sum() == 5
    known = vae.predict_outliers(odd, contamination=0.02, reference=FRAME)
    assert (known[-5:] == -1).all() and (known[:95] == 1).mean() > 0.9


def test_one_row_is_judged_by_the_rows_of_the_fit(vae, tmp_path):
    """What is odd does not depend on which rows are asked together, nor on whether the model came from a file."""
    odd = pd.concat([FRAME.head(95), FRAME.tail(5).assign(x=30.0)], ignore_index=True)
    for share in (0.02, "auto"):
        found = vae.predict_outliers(odd, contamination=share)
        assert (found[-5:] == -1).all() and (found[:95] == 1).mean() > 0.85
        assert [vae.predict_outliers(odd.iloc[[i]], contamination=share)[0] for i in (0, 99)] == [found[0], -1]
    vae.save(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten").predict_outliers(odd, contamination=0.02)
    assert np.array_equal(again, vae.predict_outliers(odd, contamination=0.02))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(hidden=arrays(bool, (12, 3)))
def test_a_row_without_any_value_has_log_p_zero(vae, hidden):
    """Exactly, for nothing is all that was seen; whatever else is asked of it, and beside whichever rows."""
    hidden[0], hidden[1] = True, False
    rows, blank = FRAME.head(12).mask(hidden), hidden.all(axis=1)
    for found in (vae.score_samples(rows), vae.log_likelihood(rows).per_row, vae.log_likelihood(rows, 64).per_row):
        assert ((found == 0) == blank).all()
    assert (vae.log_likelihood(rows).errors[blank] == 0).all()
    cost = vae.surprise(rows)
    assert (cost[blank] == 0).all(axis=None) and (cost.iloc[:, -1][~blank] != 0).all()
    assert (vae.compare(vae, rows).frame[blank] == 0).all(axis=None)


def test_holes_that_tell_are_something_that_was_seen():
    """Control: where holes have a probability of their own, a row without values has it."""
    frame = FRAME.mask(RNG.random(FRAME.shape) < 0.2)
    vae = lt.VAE(latent=1, width=4, epochs=2, draws=20, missing="informative").fit(frame)
    blank, full = FRAME.head(1).mask(np.ones((1, 3), bool)), FRAME.head(1)
    assert vae.score_samples(blank)[0] < -1 and vae.surprise(blank).iloc[0, 0] > 0
    assert vae.score_samples(full)[0] < vae.score_samples(blank)[0]


# -- cells that are missing because of what they are ---------------------------------------------------------------


def informative() -> lt.Informative:
    return lt.Informative(lt.Binned((3, 2), (((-1.0,), (0.0,), (1.0,)), ((0.0,), (2.0,)))))


def test_informative_states_sum_to_one_and_bayes_holds():
    family = informative()
    raw = jnp.asarray(RNG.normal(size=family.n_raw), jnp.float32)
    p = np.asarray(family.mean(raw), np.float64)
    h, slope = np.asarray(raw)[5:7], np.asarray(raw)[7:9]
    logit = np.r_[h[0] + slope[0] * np.array([-1, 0, 1]), h[1] + slope[1] * np.array([0, 2])]
    phi = 1 / (1 + np.exp(-logit))
    for site, size, part in ((0, 3, slice(0, 3)), (1, 2, slice(3, 5))):
        codes = np.zeros((size + 1, 2), np.int32)
        codes[:, site] = np.arange(size + 1)
        log_p = np.asarray(jax.vmap(lambda c: family.log_prob(raw, c))(jnp.asarray(codes)))[:, site]
        assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(np.exp(log_p[:-1]), p[part] * (1 - phi[part]), rtol=1e-4)
        assert np.exp(log_p[-1]) == pytest.approx(p[part] @ phi[part], rel=1e-4)
        found = np.asarray(family.mean_given(raw, jnp.asarray([3, 2]), jnp.ones(2, bool)))[part]
        np.testing.assert_allclose(found, p[part] * phi[part] / (p[part] @ phi[part]), rtol=1e-4)
    np.testing.assert_allclose(family.mean_given(raw, jnp.asarray([3, 2]), jnp.zeros(2, bool)), p, rtol=1e-6)


@pytest.mark.slow
def test_holes_that_depend_on_the_value_are_filled_better():
    """x is lost the likelier, the larger it is; y tells of x. Ignoring that fills the holes too low."""
    n, rng = 3000, np.random.default_rng(0)  # its own: what other tests draw must not move it
    x = rng.normal(size=n)
    frame = pd.DataFrame({"x": x, "y": x + 0.5 * rng.normal(size=n), "z": x + 0.5 * rng.normal(size=n)})
    gone = rng.random(n) < 1 / (1 + np.exp(-3 * x))
    holed = frame.assign(x=frame["x"].mask(gone))
    options = {"latent": 4, "width": 32, "epochs": 60, "seed": 1}
    bias = {}
    for how in ("ignorable", "informative"):
        filled = lt.VAE(**options, missing=how).fit(holed).impute(holed)["x"]
        bias[how] = abs((filled - frame["x"])[gone].mean())
        assert filled[~gone].equals(frame["x"][~gone])
    assert bias["informative"] < 0.75 * bias["ignorable"], bias


def test_informative_models_are_kept_and_refused_where_they_make_no_sense(tmp_path):
    frame = FRAME.assign(a=FRAME["a"].mask(RNG.random(len(FRAME)) < 0.3))
    vae = lt.VAE(latent=2, width=8, epochs=3, missing="informative").fit(frame)
    vae.save(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten")
    assert np.array_equal(again.score_samples(frame.head(20)), vae.score_samples(frame.head(20)))
    assert again.impute(frame).equals(vae.impute(frame)) and again.impute(frame, samples=1)[0]["a"].notna().all()
    with pytest.raises(LatenError, match="numbers='cells'"):
        lt.VAE(missing="informative", numbers="normal").fit(frame)
    with pytest.raises(LatenError, match="informative"):
        lt.VAE(missing="not at random").fit(frame)


def test_ranges_of_array_nodes_are_refused_with_the_way_out():
    network = lt.Network(z=lt.Normal(1), x=lt.Normal(()).given("z"))
    vae = lt.VAE(network, epochs=1).fit({"x": RNG.normal(size=60)})
    for soft in (">30", "30..40", lt.between(0, 1)):
        with pytest.raises(DataError, match=r"node .x.: intervals are .*fit a frame that has 'x' as a column"):
            vae.sample(2, given={"x": soft})
