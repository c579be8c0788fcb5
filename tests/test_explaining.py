"""Mutual information, effects of latents and dependence, against enumeration and quadrature on hand-built networks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import laten as lt
from laten.answers.dependence import information, merged, runs
from laten.answers.level_tables import scales_of
from laten.common.errors import DataError, LatenError
from laten.data.datasets.simulated_clinic import Clinic, clinic
from laten.data.rows.presentation import Presentation
from laten.data.rows.table_view import TableView
from laten.inference.asking import classes_of
from laten.network.model import build_model
from laten.plots.contents.dependence import OTHER, beside, curve, effects, ties
from laten.plots.dependence import plot_dependence, plot_latent_effects, plot_mutual_information

RNG = np.random.default_rng(0)


def by_hand(network: lt.Network, frame: pd.DataFrame, kinds=None, constants=None, cells=False, **weights) -> lt.VAE:
    """A `VAE` that was never fitted: node -> weights `(features of its parents, raw parameters)`."""
    nodes = [n for n in network.stochastic if n in frame.columns]
    schema = lt.infer_schema(frame, nodes).with_kinds(kinds or {})
    schema = schema.binned() if cells else schema
    hidden = [n for n in nodes if n in network.leaves]
    model = build_model(network, lt.guide_for(network, None, hidden), jax.random.key(0), hidden)
    for name, w in weights.items():
        where = lambda m, n=name: m.p[n].net.layers[-1].weight  # noqa: E731
        assert where(model).shape == np.shape(w)
        model = eqx.tree_at(where, model, jnp.asarray(w, jnp.float32))
    for name, c in (constants or {}).items():
        model = eqx.tree_at(lambda m, n=name: m.p[n].constants, model, jnp.asarray(c, jnp.float32))
    vae = lt.VAE(network)
    vae._remember(model, TableView(schema), Presentation((), (), classes_of(network)), "plan", pd.DataFrame())
    return vae


def soft(x: np.ndarray) -> np.ndarray:
    e = np.exp(x)
    return e / e.sum(-1, keepdims=True)


def nats(joint: np.ndarray) -> float:
    """Mutual information of a table of two discrete variables."""
    p, q = joint.sum(1, keepdims=True), joint.sum(0, keepdims=True)
    return float((joint * np.log(joint / (p * q))).sum())


LETTERS = pd.DataFrame(
    {
        "a": RNG.choice(["x", "y", "w"], 60),
        "b": RNG.choice(["no", "yes"], 60),
        "o": pd.Categorical(RNG.choice(["low", "mid", "high"], 60), ["low", "mid", "high"], ordered=True),
        "free": RNG.choice(["p", "q", "r", "s"], 60),
        "mark": RNG.choice(["c0", "c1", "c2"], 60),
    }
)
PRIOR = np.array([0.5, 0.3, 0.2])
A = np.array([[2.0, 0.0, -1.0], [0.0, 1.5, 0.0], [-1.0, 0.0, 2.5]])
B = np.array([[-1.5], [0.5], [2.0]])
O = np.array([[-1.0], [0.0], [2.0]])  # noqa: E741
MARK = 30 * np.eye(3)  # tells the class almost surely


@pytest.fixture(scope="module")
def classes() -> lt.VAE:
    """A latent class of three values over five columns, of which `free` does not look at it."""
    network = lt.Network(
        c=lt.Categorical(3).learned(),
        a=lt.Categorical(3).given("c"),
        b=lt.Bernoulli(()).given("c"),
        o=lt.Ordinal(3).given("c"),
        free=lt.Categorical(4).given("c"),
        mark=lt.Categorical(3).given("c"),
    )
    free = np.array([1.0, 0.5, 0.0, -0.5])
    constants = {"c": np.log(PRIOR), "free": free}
    return by_hand(network, LETTERS, None, constants, a=A, b=B, o=O, free=np.zeros((3, 4)), mark=MARK)


@pytest.fixture(scope="module")
def tables() -> dict[str, np.ndarray]:
    """p(column | class), computed apart from the library."""

    def bound(x):
        return 30 * np.tanh(x / 30)  # logits of classes are bounded

    yes = 1 / (1 + np.exp(-B))
    below = 1 / (1 + np.exp(O - np.log([1 / 2, 2])))
    return {
        "a": soft(bound(A)),
        "b": np.hstack([1 - yes, yes]),
        "o": np.diff(np.hstack([np.zeros((3, 1)), below, np.ones((3, 1))])),
        "free": soft(np.tile([1.0, 0.5, 0.0, -0.5], (3, 1))),
        "mark": soft(bound(MARK)),
    }


def joint(tables, one, two) -> np.ndarray:
    return (PRIOR[:, None] * tables[one]).T @ tables[two]


def test_mutual_information_is_that_of_the_enumerated_joint(classes, tables):
    found = classes.mutual_information(2**16)
    assert list(found.index) == list(found.columns) == list(LETTERS.columns)
    for one in LETTERS:
        for two in LETTERS:
            if one != two and "free" not in (one, two):
                assert found.loc[one, two] == pytest.approx(nats(joint(tables, one, two)), abs=0.01), (one, two)
        p = PRIOR @ tables[one]
        assert found.loc[one, one] == pytest.approx(-np.sum(p * np.log(p)), abs=0.01)
    assert found.loc["a", "mark"] > 0.3  # control: these do depend on one another


def test_marginals_are_those_of_bayes_theorem(classes, tables):
    """A level given, and a list of levels: the latent class is enumerated, so that all is exact."""
    o = LETTERS["o"].cat.categories.to_list()
    found = classes.marginals({"b": "yes", "o": o[:2]})
    likelihood = tables["b"][:, 1] * tables["o"][:, :2].sum(1)
    posterior = PRIOR * likelihood / (PRIOR @ likelihood)
    assert found.log_evidence == pytest.approx(np.log(PRIOR @ likelihood), abs=2e-4)
    for name in ("a", "mark", "free"):
        right = posterior @ tables[name]
        assert found.columns[name].probability == pytest.approx(right, abs=2e-4)
        told = -np.sum(right * np.log(right)) + posterior @ np.sum(tables[name] * np.log(tables[name] + 1e-300), axis=1)
        assert found.columns[name].information == pytest.approx(told, abs=2e-4)
        assert found.columns[name].prior == pytest.approx(PRIOR @ tables[name], abs=0.03)
    assert np.abs(found.columns["a"].probability - found.columns["a"].prior).max() > 0.1  # control
    assert found.columns["b"].probability.tolist() == [0, 1]
    assert classes.marginals().columns["a"].probability == pytest.approx(PRIOR @ tables["a"], abs=0.03)
    left = tables["o"] * [1, 1, 0]
    assert found.columns["o"].probability == pytest.approx(posterior @ (left / left.sum(1, keepdims=True)), abs=2e-4)
    assert found.columns["b"].information == found.columns["o"].information == 0
    assert "log p(evidence)" in str(found) and found.frame.loc["b", "value"] == "yes"


@pytest.mark.filterwarnings("ignore:log-likelihood")
def test_marginals_agree_with_the_other_questions():
    """Numbers, dates and levels of a fitted table: the same probabilities as `predict_proba`, in one program."""
    frame = lt.read("clinic").head(400)[["age", "region", "sex", "drug", "pain", "cost", "admitted"]]
    vae = lt.VAE(latent=2, width=16, epochs=2, draws=256).fit(frame)
    row = pd.DataFrame({"age": [40.0], "region": ["hills"]})
    found = vae.marginals(row.iloc[0].to_dict(), draws=256)
    for name in ("sex", "drug", "pain"):
        assert found.columns[name].probability == pytest.approx(vae.predict_proba(row, name).to_numpy()[0], abs=2e-4)
    assert found.log_evidence == pytest.approx(vae.score_samples(row.reindex(columns=frame.columns))[0], abs=1e-3)
    assert found.columns["age"].quantile(0.5) == found.columns["age"].mean() == 40  # what is given is said again
    edges, bars, prior = found.columns["cost"].histogram(20)
    assert bars.sum() == pytest.approx(1) and prior.sum() == pytest.approx(1) and np.all(np.diff(edges) > 0)
    over = vae.marginals({"cost": ">2000", "admitted": "2022"})
    assert over.columns["cost"].quantile(0.01) >= 2000 and over.columns["admitted"].quantile(0.5).year == 2022


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:log-likelihood")
def test_what_a_tie_tells_already_is_not_worth_asking():
    """`grade` follows from `degree`; `pay` is as it is (the control)."""
    rng = np.random.default_rng(0)
    level = rng.integers(0, 4, 300)
    frame = pd.DataFrame(
        {"degree": np.array(list("abcd"))[level], "grade": level + 10.0, "pay": rng.random(300) < level / 4}
    )
    vae = lt.VAE(latent=2, width=8, epochs=3, draws=64).fit(frame)
    found = vae.marginals({"degree": "c"}, draws=64).columns
    assert vae.schema_["grade"].kind == "ordinal" and found["grade"].probability.max() == 1
    assert found["grade"].information == pytest.approx(0, abs=1e-9)
    assert found["pay"].probability.max() < 1


@pytest.mark.slow
def test_marginals_keep_to_an_interval_and_agree_with_draws():
    """x = z + noise, y = 2z + noise, modelled by densities: given an interval of x."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=200)
    frame = pd.DataFrame({"x": z + rng.normal(size=200), "y": 2 * z + rng.normal(size=200)})
    vae = lt.VAE(latent=1, width=8, epochs=3, numbers="normal", draws=512).fit(frame)
    given = {"x": lt.between(0.5, 2.0)}
    found, drawn = vae.marginals(given, draws=4096), vae.sample(4000, given, seed=1)
    assert found.columns["x"].quantile(0.02) >= 0.5 and found.columns["x"].quantile(0.98) <= 2.0
    assert found.columns["y"].mean() == pytest.approx(drawn["y"].mean(), abs=5 * drawn["y"].std() / 30)


def test_a_column_that_looks_at_nothing_tells_nothing(classes):
    found = classes.mutual_information(512)
    assert found["free"].drop("free").abs().max() < 1e-6
    assert found["a"].drop(["a", "free"]).min() > 0.05  # control


def test_mutual_information_is_symmetric_and_normalised(classes):
    found, shares = classes.mutual_information(), classes.mutual_information(normalised=True)
    assert np.array_equal(found, found.T) and found.to_numpy().min() >= 0
    entropy = np.diag(found)
    assert np.allclose(shares, found / np.minimum(entropy[:, None], entropy))
    assert np.all(np.diag(shares) == 1) and shares.to_numpy().max() <= 1
    assert found.attrs["unit"] == "nats"


def test_mutual_information_follows_the_seed(classes):
    first, again, other = (classes.mutual_information(256, seed=s) for s in (1, 1, 2))
    assert first.equals(again) and not first.equals(other)


def test_the_bias_of_few_draws_is_taken_off():
    """Two independent columns that z settles: counted tables of 400 rows look dependent by (K - 1)² / 2M."""
    rng = np.random.default_rng(1)
    plug_in, corrected = [], []
    for _ in range(40):
        x, y = (np.eye(8)[rng.integers(0, 8, 400)] for _ in range(2))
        table = np.maximum(x.T @ y / 400, 1e-300)
        plug_in.append(nats(table))
        raw = np.triu(information([x, y]), 1)[0, 1]
        corrected.append(raw)
    assert np.mean(plug_in) == pytest.approx(49 / 800, rel=0.15)  # what Miller and Madow say
    assert np.mean(corrected) < 0.012  # half of them are cut off at 0


def test_blocks_of_columns_do_not_change_the_answer(monkeypatch):
    tables = [soft(2 * RNG.normal(size=(200, k))) for k in (3, 5, 2, 7, 4)]
    whole = information(tables)
    monkeypatch.setattr("laten.answers.dependence.BLOCK", 6)
    assert np.allclose(whole, information(tables), atol=1e-12)


def test_runs_have_about_equal_mass():
    mass = np.array([0.3, 0.05, 0.05, 0.1, 0.1, 0.05, 0.05, 0.3])
    starts = runs(mass, 4)
    assert len(starts) <= 4 and starts[0] == 0
    assert np.array_equal(runs(mass, 8), np.arange(8))
    table = np.tile(mass, (3, 1))
    assert np.allclose(merged(table, 4).sum(1), 1) and merged(table, 4).shape == (3, len(starts))


# -- continuous latents ----------------------------------------------------------------

NUMBERS = pd.DataFrame(
    {
        "u": (3 * RNG.normal(size=400) + 10).round(6),
        "v": (5 * RNG.normal(size=400) - 2).round(6),
        "k": RNG.choice(["no", "yes"], 400),
        "alone": RNG.normal(size=400).round(6),
    }
)
WU, WV, WK, SD = np.array([1.2, 0.5]), np.array([-0.8, 0.9]), np.array([2.0, 0.0]), 0.6


@pytest.fixture(scope="module")
def numbers() -> lt.VAE:
    """Two normal latents that move, a third that nothing hangs on; `alone` looks at none."""
    network = lt.Network(
        z=lt.Normal(2),
        idle=lt.Normal(1),
        u=lt.Normal((), scale="site").given("z"),
        v=lt.Normal((), scale="site").given("z"),
        k=lt.Bernoulli(()).given("z"),
        alone=lt.Normal((), scale="site").given("z", "idle"),
    )
    raw = 7 * np.arctanh(np.log(SD) / 7)
    constants = {"u": [0.0, raw], "v": [0.0, raw], "alone": [0.0, 0.0], "k": [0.0]}
    return by_hand(
        network, NUMBERS, None, constants, u=WU[:, None], v=WV[:, None], k=WK[:, None], alone=np.zeros((3, 1))
    )


def scale_of(name: str) -> tuple[float, float]:
    """Mean and standard deviation by which a column is standardised."""
    return float(NUMBERS[name].mean()), float(NUMBERS[name].std(ddof=0))


def normal(name_weights: np.ndarray) -> float:
    return float(np.sqrt(name_weights @ name_weights + SD**2))


RHO = float(WU @ WV / normal(WU) / normal(WV))


def test_mutual_information_of_two_normals(numbers):
    """-log(1 - ρ²) / 2, but for what 64 cells lose."""
    found = numbers.mutual_information(2**14)
    exact = -0.5 * np.log(1 - RHO**2)
    assert found.loc["u", "v"] == pytest.approx(exact, abs=0.015)
    assert found.loc["u", "u"] == pytest.approx(np.log(64), abs=0.01)
    assert found.loc["alone", ["u", "v", "k"]].max() < 1e-4 < found.loc["u", "v"]


def test_effects_are_those_of_a_linear_model(numbers):
    """A latent's share of the variance of a linear column is its squared weight over all of it."""
    found = numbers.latent_effects(draws=8192)
    assert list(found.index) == ["idle0", "z0", "z1"] == list(numbers.get_feature_names_out()) and list(
        found.columns
    ) == list(NUMBERS.columns)
    for name, w in (("u", WU), ("v", WV)):
        exact = w**2 / (w @ w + SD**2)
        assert np.allclose(found.loc[["z0", "z1"], name], exact, atol=0.03), name
    assert np.all(found.loc["idle0"] == 0) and np.all(found["alone"] == 0) and found.loc["z1", "k"] == 0
    x, weight = np.polynomial.hermite_e.hermegauss(60)
    weight, p = weight / weight.sum(), 1 / (1 + np.exp(-WK[0] * x))
    mean = weight @ p
    assert found.loc["z0", "k"] == pytest.approx((weight @ p**2 - mean**2) / (mean * (1 - mean)), abs=0.02)


def test_effects_over_rows_vary_over_their_own_latents(numbers):
    """With rows whose latents are all but equal, a latent has little to move."""
    same = NUMBERS.iloc[[0] * 30]
    assert numbers.latent_effects(same, draws=64).to_numpy().max() == 0
    assert numbers.latent_effects(NUMBERS, draws=256).to_numpy().max() > 0  # control


def test_a_class_latent_has_one_row(classes, tables):
    found = classes.latent_effects(draws=2**14)
    assert list(found.index) == ["c"]
    for name in ("a", "b", "o"):  # the share of Gini impurity that the class explains
        p = PRIOR @ tables[name]
        exact = np.sum(PRIOR @ tables[name] ** 2 - p**2) / (1 - np.sum(p**2))
        assert found.loc["c", name] == pytest.approx(exact, abs=0.02), name
    assert found.loc["c", "free"] == 0


def test_dependence_of_two_normals_is_their_regression(numbers):
    found = numbers.dependence("v", "u", points=16)
    (mu, su), (mv, sv) = scale_of("u"), scale_of("v")
    u = (found.index.to_numpy() - mu) / su / normal(WU)
    inner = slice(1, -1)  # the outermost cells reach far
    mean = mv + sv * normal(WV) * RHO * u
    sd = sv * normal(WV) * np.sqrt(1 - RHO**2)
    assert len(found) == 16 and found["mass"].sum() == pytest.approx(1)
    assert np.allclose(found["mass"], 1 / 16, atol=0.02)
    assert np.allclose(found["mean"][inner], mean[inner], atol=0.15 * sd)
    for name, q in (("5%", 0.05), ("50%", 0.5), ("95%", 0.95)):
        assert np.allclose(found[name][inner], (mean + sd * stats.norm.ppf(q))[inner], atol=0.25 * sd), name
    assert np.ptp(mean) > sd  # control: the line is not flat
    assert found.index.name == "u" and found.columns.name == "v"


def test_dependence_of_classes_is_bayes_rule(classes, tables):
    found = classes.dependence("a", "o")
    both = joint(tables, "o", "a")
    assert list(found.index) == ["low", "mid", "high"] and list(found.columns) == ["w", "x", "y", "mass"]
    assert np.allclose(found["mass"], both.sum(1), atol=0.01)
    assert np.allclose(found[["w", "x", "y"]], both / both.sum(1, keepdims=True), atol=0.015)


def test_partial_dependence_keeps_the_other_columns(classes, tables):
    """Where `mark` tells the class, `o` has nothing more to say of `a`, however much the two go together."""
    rows = LETTERS.iloc[:20]
    kept, seen = classes.dependence("a", "o", rows), classes.dependence("a", "o")
    code = rows["mark"].map({"c0": 0, "c1": 1, "c2": 2}).to_numpy()
    assert np.allclose(kept[["w", "x", "y"]], tables["a"][code].mean(0), atol=1e-3)
    assert np.ptp(seen["w"]) > 0.3  # control: confounded by the class
    assert kept.attrs["rows"] == 20


def test_partial_dependence_is_the_mean_over_rows_by_enumeration(classes, tables):
    rows = LETTERS.drop(columns="mark").iloc[:12]
    found = classes.dependence("b", "o", rows, draws=4)
    a = tables["a"][:, rows["a"].map({"w": 0, "x": 1, "y": 2})].T
    for i, level in enumerate(("low", "mid", "high")):
        w = PRIOR * a * tables["o"][:, i]
        p = (w / w.sum(1, keepdims=True)) @ tables["b"]
        assert np.allclose(found.loc[level, ["no", "yes"]], p.mean(0), atol=1e-4), level


@pytest.mark.slow
def test_partial_dependence_is_what_predict_proba_says_of_the_changed_rows(numbers):
    rows = NUMBERS.iloc[:25].drop(columns="v")
    found = numbers.dependence("k", "u", rows, points=8, draws=4000)
    at = found.index[[2, 5]]
    for value in at:
        asked = numbers.predict_proba(rows.assign(u=value), "k")["yes"].mean()
        assert found.loc[value, "yes"] == pytest.approx(asked, abs=0.03)
    assert abs(found.loc[at[0], "yes"] - found.loc[at[1], "yes"]) > 0.1  # control


def test_whole_numbers_and_dates_stay_what_they_are():
    frame = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=300), "n": RNG.poisson(3, 300)})
    network = lt.Network(z=lt.Normal(1), day=lt.Normal((), scale="site").given("z"), n=lt.Poisson(()).given("z"))
    vae = by_hand(network, frame, {"n": "count"}, {"n": [1.0]}, day=[[1.0]], n=[[0.5]])
    by_count, by_day = vae.dependence("day", "n"), vae.dependence("n", "day", points=4)
    assert by_count.index.dtype == np.int64 and by_count.index.is_monotonic_increasing
    assert isinstance(by_count["50%"].iloc[0], pd.Timestamp) and by_count["mean"].is_monotonic_increasing
    assert isinstance(by_day.index, pd.DatetimeIndex) and len(by_day) == 4
    assert (by_day["5%"] % 1 == 0).all() and by_day["mean"].is_monotonic_increasing


def test_a_column_that_is_no_leaf_is_explained_too():
    """`y` is a parent of `x`: p(x | y) is the net's own."""
    frame = pd.DataFrame({"y": RNG.choice(["a", "b"], 80), "x": RNG.choice(["c", "d", "e"], 80)})
    w = np.array([[2.0, 0, 0], [0, 0, 1.0]])
    vae = by_hand(lt.Network(y=lt.Bernoulli(()).learned(), x=lt.Categorical(3).given("y")), frame, None, None, x=w[1:])
    found = vae.dependence("x", "y")
    logits = np.stack([np.zeros(3), w[1]])
    assert np.allclose(found[["c", "d", "e"]], soft(logits), atol=1e-3)
    assert found["mass"].to_numpy() == pytest.approx([0.5, 0.5], abs=0.02)


@pytest.mark.slow
def test_columns_that_are_missing_for_a_reason_count_by_their_values():
    frame = LETTERS[["a", "o"]]
    network = lt.Network(
        c=lt.Categorical(3).learned(), a=lt.Informative(lt.Categorical(3)).given("c"), o=lt.Ordinal(3).given("c")
    )
    vae = by_hand(network, frame, None, {"c": np.log(PRIOR)}, a=np.hstack([A, [[3.0], [0.0], [-3.0]]]), o=O)
    plain = by_hand(
        lt.Network(c=lt.Categorical(3).learned(), a=lt.Categorical(3).given("c"), o=lt.Ordinal(3).given("c")),
        frame, None, {"c": np.log(PRIOR)}, a=A, o=O,
    )  # fmt: skip
    assert np.allclose(vae.dependence("o", "a"), plain.dependence("o", "a"), atol=1e-5)
    assert np.allclose(vae.mutual_information(), plain.mutual_information(), atol=1e-5)


@pytest.mark.slow
def test_rare_ones_of_very_many_levels_stand_together():
    many = [f"id{i:04}" for i in range(700)]
    frame = pd.DataFrame({"who": np.repeat(many, np.r_[np.full(200, 12), np.full(500, 2)]), "k": "no"})
    frame.loc[::3, "k"] = "yes"
    schema = lt.infer_schema(frame, ["who", "k"]).with_kinds({"who": "categorical"}).binned()
    size = schema["who"].size
    network = lt.Network(z=lt.Normal(1), who=lt.Categorical(size).given("z"), k=lt.Bernoulli(()).given("z"))
    weights = {"who": 0.1 * RNG.normal(size=(1, size)), "k": [[1.0]]}
    vae = by_hand(network, frame, {"who": "categorical"}, cells=True, **weights)
    found = vae.dependence("k", "who")
    assert len(found) == size < 700 and found.index[0] == "id0000" and found.index[-1].endswith("more")
    assert found["mass"].sum() == pytest.approx(1)


@pytest.mark.trains
def test_bad_input(classes, numbers):
    for ask, words in (
        (lambda: classes.dependence("a", "free "), "there is no column 'free '; did you mean 'free'?"),
        (lambda: classes.dependence("aa", "o"), "there is no column 'aa'; did you mean 'a'?"),
        (lambda: classes.dependence("a", "a"), "dependence of column 'a' on itself; give two columns"),
        (lambda: classes.dependence("a", "o", points=0), "points must be a whole number of at least 1"),
        (lambda: classes.mutual_information(0), "draws must be a whole number of at least 1"),
        (lambda: numbers.latent_effects(NUMBERS.head(1)), "one row has no variance"),
    ):
        with pytest.raises(LatenError) as error:
            ask()
        assert words in str(error.value)
    with pytest.raises(DataError, match="lacks the fitted column"):
        numbers.latent_effects(NUMBERS.drop(columns="u"))
    arrays = lt.VAE(lt.Network(z=lt.Normal(1), x=lt.Bernoulli(3).given("z")), epochs=1).fit(
        {"x": RNG.integers(0, 2, (20, 3))}
    )
    for name, arguments in (("mutual_information", ()), ("latent_effects", ()), ("dependence", ("a", "b"))):
        with pytest.raises(LatenError, match=f"{name} asks about columns of a table"):
            getattr(arrays, name)(*arguments)
    with pytest.raises(LatenError, match=r"impute\(X\) fills every node that X lacks"):
        arrays.predict({"x": np.zeros((2, 3))}, "x")


# -- a proposed network ----------------------------------------------------------------


@pytest.fixture(scope="module")
def patients() -> lt.VAE:
    """Too little training to be right, enough to have every sort of column."""
    return lt.VAE(latent=3, width=16, epochs=2, draws=20).fit(clinic(200, seed=1))


@pytest.mark.slow
@pytest.mark.trains
def test_numbers_in_cells(patients):
    view = patients.view_
    (cost,) = scales_of(patients._fitted(), view, ["cost"])
    p = np.full((1, len(cost.value)), 1 / len(cost.value))
    cells = view.schema["cost"].histogram
    for q in (0.05, 0.5, 0.95):
        assert cost.quantile(p, q)[0] == pytest.approx(cells.quantile(p, q)[0], rel=0.05)
    found = patients.dependence("cost", "nights", points=8)
    drawn = patients.sample(4000, seed=2)["cost"]
    assert found["mass"] @ found["mean"] == pytest.approx(drawn.mean(), rel=0.1)
    assert (found["5%"] < found["50%"]).all() and (found["50%"] < found["95%"]).all()


@pytest.mark.slow
@pytest.mark.trains
def test_the_clinic_is_seen_as_it_is():
    """A fitted model's mutual information of classes, and a confounded curve, against the world's own."""
    world = Clinic()
    vae = lt.VAE(latent=8, width=128, epochs=60, seed=1).fit(clinic(4000, seed=0))
    names = [n for n, c in world.columns.items() if vae.schema_[n].kind in ("binary", "categorical", "ordinal")]
    found = vae.mutual_information().loc[names, names]
    for i, one in enumerate(names):
        for two in names[:i]:
            exact = nats((world.prior[:, None] * world.columns[one].probs).T @ world.columns[two].probs)
            assert found.loc[one, two] == pytest.approx(exact, abs=0.02 + 0.25 * exact), (one, two)
    assert found.loc["sex", "mobility"] < 0.01 and found.loc["ward", "drug"] > 0.3
    rows = clinic(300, seed=9)
    seen, kept = vae.dependence("cost", "nights"), vae.dependence("cost", "nights", rows)
    for nights in (0, 6):
        exact = world.conditional(rows.assign(nights=nights), "cost").mean.mean()
        assert kept.loc[nights, "mean"] == pytest.approx(exact, rel=0.2)
    assert seen["mean"].iloc[-1] / seen["mean"].iloc[0] > 3 > kept["mean"].iloc[-1] / kept["mean"].iloc[0]


# -- how it is laid out ----------------------------------------------------------------


def test_like_columns_stand_together():
    groups = np.repeat([0, 1, 2], 4)[RNG.permutation(12)]
    likeness = np.where(groups[:, None] == groups, 0.8, 0.1) + 0.01 * RNG.random((12, 12))
    order = beside((likeness + likeness.T) / 2)
    assert sorted(order) == list(range(12)) and np.sum(np.diff(groups[order]) != 0) == 2
    assert np.sum(np.diff(groups) != 0) > 2  # control


def test_ties_leave_the_diagonal_out():
    frame = pd.DataFrame([[1.0, 0.1, 0.5], [0.1, 1.2, 0.2], [0.5, 0.2, 0.9]], list("abc"), list("abc"))
    t = ties(frame)
    assert sorted(t.names) == ["a", "b", "c"] and np.isnan(np.diag(t.values)).all()
    i, j = t.names.index("a"), t.names.index("c")
    assert t.values[i, j] == 0.5 and abs(i - j) == 1


def test_effects_leave_idle_latents_out():
    frame = pd.DataFrame([[0.0, 0.001], [0.6, 0.0], [0.1, 0.3]], ["z0", "z1", "z2"], ["a", "b"])
    e = effects(frame)
    assert e.latents == ("z1", "z2") and e.names == ("a", "b") and e.left_out == 1
    assert np.array_equal(e.values, [[0.6, 0.1], [0.0, 0.3]])


def test_curves_put_rare_levels_together():
    levels = [f"l{i:02}" for i in range(14)]
    p = np.full((3, 14), 1 / 14)
    p[:, 5] += 0.1
    frame = pd.DataFrame(p / p.sum(1, keepdims=True), pd.Index([1, 2, 3], name="n"), pd.Index(levels, name="job"))
    frame["mass"] = [0.2, 0.5, 0.3]
    c = curve(frame)
    assert len(c.levels) == 10 and "l05" in c.levels and list(c.levels)[-1] == OTHER
    assert np.allclose(sum(c.levels.values()), 1) and c.labels == () and c.at.tolist() == [1, 2, 3]
    many = pd.DataFrame({"a": 0.5, "b": 0.5, "mass": np.arange(50) / 1225}, pd.Index(map(str, range(50)), dtype=object))
    assert curve(many).left_out == 10 and curve(many).labels[0] == "49"  # the most frequent first
    many.index.name, many.attrs["ordered"] = "rank", ("rank",)
    assert curve(many).labels[0] == "10"  # an ordinal column keeps its order
    assert next(iter(c.levels)) == "l05"


def frame_of(of: str, on: str, index, rows: int = 0, levels=()) -> pd.DataFrame:
    """What `VAE.dependence` gives, made up."""
    x = np.arange(1.0, len(index) + 1)
    made = {n: np.full(len(index), 1 / len(levels)) for n in levels}
    made = made or {"mean": 2 * x, "5%": 0 * x + 0.1, "50%": x, "95%": 9 * x}
    frame = pd.DataFrame(made | {"mass": x / x.sum()}, pd.Index(index, name=on)).rename_axis(columns=of)
    frame.attrs["rows"] = rows
    return frame


@pytest.mark.parametrize(
    ("frame", "title", "words"),
    [
        (frame_of("cost", "nights", [1, 2, 5, 700]), "cost given nights", "band: 5% to 95%"),
        (frame_of("cost", "ward", list("abc"), rows=7), "cost when ward is set", "kept: partial dependence"),
        (frame_of("job", "age", [20, 30], 0, ["a", "b"]), "job given age", "spread"),
        (frame_of("job", "day", pd.date_range("2020", periods=3), 0, ["a", "b"]), "job given day", "spread"),
        (frame_of("job", "pay$", list("ab"), 0, [str(i) for i in range(20)]), r"job given pay\$", "how often each"),
        (frame_of("cost", "one", [3]), "cost given one", "What the model expects"),
    ],
    ids=["numbers", "set", "areas", "days", "bars", "single"],
)
def test_pictures_of_dependence(frame, title, words, tmp_path):
    fig = plot_dependence(frame, tmp_path / "a.png")
    assert fig.get_suptitle() == title and words in " ".join(fig.get_supxlabel().split())
    assert (tmp_path / "a.png").stat().st_size > 5000
    wide = title in ("cost given nights", "cost when ward is set")  # nights reach 700, cost from 0.1 to 27
    assert {ax.get_xscale() for ax in fig.axes} == {"log" if wide else "linear"}


@pytest.mark.parametrize("n", [2, 15, 300])
def test_maps_of_few_and_many_columns(n, tmp_path):
    x = RNG.random((n, n))
    names = [f"a column with a long name {i}" for i in range(n)]
    found = pd.DataFrame((x + x.T) / 4 + np.eye(n), names, names)
    found.attrs["unit"] = "nats"
    fig = plot_mutual_information(found, tmp_path / "ties.png")
    shown = [label.get_text() for label in fig.axes[0].get_xticklabels()]
    assert len(set(shown)) == min(n, 40) and "nats" in fig.get_supxlabel() and max(fig.get_size_inches()) < 15
    assert ("40 of 300 columns" in fig.get_supxlabel()) == (n == 300) and fig.axes[1].get_ylabel() == "nats"
    strongest = sorted(np.max(found - np.diag(np.diag(found)), axis=1), reverse=True)[: len(shown)]
    assert np.allclose(sorted(np.nanmax(ties(found).values, axis=1), reverse=True)[0], strongest[0])
    assert bool(fig.axes[0].texts) == (n <= 16)  # values are written where there is room
    few = pd.DataFrame(RNG.random((3, n)), ["z0", "z1", "z2"], names)
    few.loc["z1"] = 0.0
    fig = plot_latent_effects(few)
    assert "1 of 3 latents, which moves less" in fig.get_supxlabel()
