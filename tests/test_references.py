"""References and what stands on them: proper densities, held-out gains, two models compared, drift with its control."""

import itertools

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.answers import references as refs
from laten.answers.drift import holm, homogeneity, kolmogorov
from laten.data.rows.rows import Rows
from laten.inference.until_precise import FIRST, MORE, MOST, until_precise

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore:log-likelihood")]
SIZES = (3, 4, 2)
NETWORK = lt.Network(z=lt.Normal(1), c=lt.Categorical(SIZES).given("z"), b=lt.Bernoulli(2).given("z"))


def chain(n: int, seed: int = 0) -> Rows:
    """Codes that form a chain: each follows the one before in most rows; some cells are hidden."""
    rng = np.random.default_rng(seed)
    first = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    second = np.where(rng.random(n) < 0.8, first, rng.integers(0, 4, n))
    third = np.where(rng.random(n) < 0.8, second % 2, rng.integers(0, 2, n))
    bits = np.stack([np.where(rng.random(n) < 0.9, third, 1 - third), rng.integers(0, 2, n)], axis=1)
    values = {"c": np.stack([first, second, third], axis=1).astype(np.uint8), "b": bits.astype(np.uint8)}
    return Rows(values, n, {"c": rng.random((n, 3)) < 0.9})


def every_row() -> Rows:
    """Each joint state once."""
    codes = np.array(list(itertools.product(*map(range, (*SIZES, 2, 2)))), np.uint8)
    return Rows({"c": codes[:, :3], "b": codes[:, 3:]}, len(codes))


def test_both_references_sum_to_one_and_the_tree_finds_the_chain():
    found = refs.learned(NETWORK, chain(3000), table=True)
    log_p = found.log_prob(NETWORK, every_row())
    for name in (refs.INDEPENDENT, refs.TREE):
        assert np.exp(log_p[name]).sum() == pytest.approx(1, abs=1e-6)
    fresh = found.log_prob(NETWORK, chain(2000, seed=1))
    assert fresh[refs.TREE].mean() > fresh[refs.INDEPENDENT].mean() + 0.5
    rng = np.random.default_rng(0)
    alone = [Rows({n: rng.permuted(x, axis=0) for n, x in chain(3000).values.items()}, 3000) for _ in "ab"]
    none = refs.learned(NETWORK, alone[0], table=True).log_prob(NETWORK, alone[1])  # control: independent columns
    assert abs(none[refs.TREE].mean() - none[refs.INDEPENDENT].mean()) < 0.003


def test_hidden_cells_are_summed_out():
    found, rows = refs.learned(NETWORK, chain(3000), table=True), every_row()
    hidden = np.ones((rows.n, 3), bool)
    hidden[:, 1] = False
    part = found.log_prob(NETWORK, Rows(rows.values, rows.n, {"c": hidden}))
    whole = pd.Series(np.exp(found.log_prob(NETWORK, rows)[refs.TREE]))
    rest = whole.groupby([*rows.values["c"][:, [0, 2]].T, *rows.values["b"].T]).transform("sum")
    np.testing.assert_allclose(np.exp(part[refs.TREE]), rest, rtol=1e-5)


def test_references_are_kept_and_damaged_ones_refused():
    found = refs.learned(NETWORK, chain(500), table=True)
    again = refs.from_arrays(found.to_arrays(), NETWORK)
    np.testing.assert_array_equal(again.log_prob(NETWORK, every_row())[refs.TREE],
                                  found.log_prob(NETWORK, every_row())[refs.TREE])  # fmt: skip
    for name, bad in (("counts/c", np.ones(3)), ("group/0", np.zeros(7, np.int32)), ("counts/x", np.ones(2))):
        with pytest.raises(lt.ModelFileError, match="damaged"):
            refs.from_arrays(found.to_arrays() | {name: bad}, NETWORK)


def table(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    return pd.DataFrame(
        {
            "city": np.array(["Oslo", "Rome", "Lima"])[group],
            "heat": (rng.normal(10.0 * group, 2.0)).round(1),
            "wet": np.where(rng.random(n) < 0.3 + 0.2 * group, "yes", "no"),
            "age": rng.integers(18, 80, n),
        }
    )


@pytest.fixture(scope="module")
def vae() -> lt.VAE:
    return lt.VAE(latent=2, width=16, epochs=25, batch_size=32).fit(table(600))


def test_references_have_one_order():
    """A file of arrays gives them back in any."""
    found = refs.learned(NETWORK, chain(500), table=True)
    kept = refs.with_held_out(found, np.zeros(3), {refs.INDEPENDENT: -2.0, refs.TREE: -1.0}).to_arrays()
    for arrays in (kept, dict(reversed(kept.items()))):
        assert list(refs.from_arrays(arrays, NETWORK).beside) == [refs.INDEPENDENT, refs.TREE]


def test_log_p_stands_beside_references_in_the_same_units(vae):
    rows = table(300, seed=1)
    found = vae.log_likelihood(rows, 50)
    alone, tree = (found.references[name] for name in (refs.INDEPENDENT, refs.TREE))
    assert tree > alone + 0.5 and f"{abs(found.value - tree):.2f} nats" in str(found)
    heat = rows.assign(heat=rows["heat"] * 10)  # the unit of a column moves all three alike
    scaled = lt.VAE(latent=2, width=16, epochs=1).fit(table(600).assign(heat=lambda f: f["heat"] * 10))
    other = scaled.log_likelihood(heat, 50).references
    assert other[refs.INDEPENDENT] == pytest.approx(alone - np.log(10), abs=0.05)


def test_training_and_held_out_bounds_are_judged_alike(vae):
    last = vae.history_[vae.history_["kept"]].iloc[-1]
    assert abs(last["train_bound"] - last["valid_bound"]) < 0.7
    assert last["bound"] > last["train_bound"] + 0.7  # of rows with hidden cells: control


def test_draws_go_where_they_are_needed():
    spread = np.array([0.1, 0.1, 1.0, 2.5])
    asked: list[tuple[int, int]] = []

    def ask(rows: np.ndarray, draws: int, turn: int) -> np.ndarray:
        asked.append((len(rows), draws))
        noise = np.random.default_rng(turn).normal(size=(len(rows), draws))
        return (spread[rows, None] * noise - spread[rows, None] ** 2 / 2).astype(np.float32)  # E w = 1: log p is 0

    found, draws = until_precise(ask, 4, 0.1)
    assert asked[:2] == [(4, FIRST), (2, MORE)] and list(draws[:2]) == [FIRST, FIRST]
    assert FIRST < draws[2] < MOST == draws[3]  # the last is never as precise, and ends
    assert np.abs(found.log_mean[:3]).max() < 0.3


def test_two_models_are_compared_on_the_same_rows(vae):
    poor, rows = lt.VAE(latent=1, width=4, epochs=1).fit(table(600)), table(300, seed=2)
    found = vae.compare(poor, rows, draws=30, names=("good", "poor"))
    assert found.better == "good" and found.difference > 5 * found.standard_error > 0
    assert str(found).startswith("good explains these 300 rows better") and len(found.frame) == 300
    assert poor.compare(vae, rows, draws=30).difference == pytest.approx(-found.difference)
    assert vae.compare(vae, rows, draws=30).better is None  # control


@pytest.mark.slow
def test_models_of_different_columns_are_not_compared(vae):
    rows = table(300, seed=2)
    with pytest.raises(lt.DataError, match=r"different columns.*lacks \['age'\]"):
        vae.compare(lt.VAE(latent=1, width=4, epochs=1).fit(table(100).drop(columns="age")), rows)


def test_drift_names_what_moved_and_calls_nothing_else_so(vae):
    fresh, reference = table(500, seed=3), table(400, seed=4)
    assert not vae.drift(fresh).drifted and not vae.drift(fresh, reference).drifted  # control
    moved = fresh.assign(age=fresh["age"] + 10)
    moved.loc[:150, "wet"] = None
    moved.loc[:60, "city"] = "Mars"
    found = vae.drift(moved, reference)
    told = found.columns.set_index("column")
    assert set(told.index[told["drift"]]) == {"age", "wet", "city"}
    assert "median" in told.loc["age", "moved"] and "empty cells 0.0% → 30.2%" in told.loc["wet", "moved"]
    assert "never seen before: 'Mars' in 12.2% of rows" in told.loc["city", "moved"]
    torn = fresh.assign(city=np.random.default_rng(0).permutation(fresh["city"]))  # each column as before
    found = vae.drift(torn, reference)
    assert not found.columns["drift"].any() and found.p_value < 1e-6 and found.drifted


def test_the_oddest_rows_come_first_with_their_reasons(vae):
    rows = table(200, seed=5)
    rows.loc[77, ["city", "heat"]] = ["Oslo", 29.0]
    found = vae.outliers(rows, 3)
    assert found["row"].iloc[0] == 77 and "heat = 29 (+" in found["why"].iloc[0] and len(found) == 3
    cost = vae.outliers(rows, 1, by_column=True).iloc[0]
    assert cost[["heat", "city"]].astype(float).max() > 2 > abs(float(cost["age"]))


@pytest.mark.slow
def test_predictions_given_more(vae):
    rows = table(50, seed=6)
    low = vae.predict_interval(rows, "heat", 0.8)
    inside = rows["heat"].between(low["low"], low["high"]).mean()
    assert 0.6 < inside <= 1 and (low["low"] <= low["high"]).all()
    rome = vae.predict(rows, "heat", given={"city": "Rome"})
    assert rome.between(5, 15).mean() > 0.9 and not vae.predict(rows, "heat").between(5, 15).all()
    with pytest.raises(lt.LatenError, match="both asked for and given"):
        vae.predict(rows, "heat", given={"heat": 3.0})


def test_tests_of_samples_have_their_level():
    rng = np.random.default_rng(0)
    p = [homogeneity(np.stack([rng.multinomial(400, [0.5, 0.3, 0.2]) for _ in "ab"]).astype(float)) for _ in range(300)]
    q = [kolmogorov(rng.normal(size=200), rng.normal(size=150)) for _ in range(300)]
    for found in (p, q):
        assert 0.02 < np.mean(np.array(found) < 0.05) < 0.09
    assert homogeneity(np.array([[50.0, 50.0], [80.0, 20.0]])) < 1e-4
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])


@pytest.mark.slow
def test_a_face_is_compared_as_its_model_and_what_is_no_model_is_refused(vae):
    rows = table(100, seed=2)
    face = lt.Synthesizer(vae=lt.VAE(latent=1, width=4, epochs=1)).fit(table(200))
    assert vae.compare(face, rows, draws=10).difference == vae.compare(face.vae_, rows, draws=10).difference
    with pytest.raises(lt.LatenError, match="fitted model of laten, not DataFrame"):
        vae.compare(rows, rows)
    assert "nan over rows" not in str(vae.log_likelihood(rows.head(1), 10))
