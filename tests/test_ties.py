"""Ties between columns and holes, in what a fitted model draws and fills."""

import warnings

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.common.errors import DataError, LatenWarning
from laten.data.rows.impossible import refuse_impossible
from laten.inference.asking import ancestral

pytestmark = pytest.mark.trains

N = 400


def stays() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D")
    city = rng.integers(0, 12, N)
    a, b = rng.poisson(4, N), rng.poisson(6, N)
    return pd.DataFrame(
        {
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(0, 15, N), unit="D"),
            "a": a,
            "b": b,
            "total": a + b,
            "city": [f"c{c}" for c in city],
            "state": [f"s{c % 4}" for c in city],
        }
    )


def holed(frame: pd.DataFrame) -> pd.DataFrame:
    """Each cell empty with a chance of 0.3."""
    empty = np.random.default_rng(1).random(frame.shape) < 0.3
    return frame.astype(dict.fromkeys(("a", "b", "total"), float)).mask(empty)


def breaks(rows: pd.DataFrame, seen: pd.DataFrame) -> list[int]:
    state = dict(zip(seen["city"], seen["state"], strict=True))
    return [
        int((rows["end"] < rows["start"]).sum()),
        int((rows["total"] != rows["a"] + rows["b"]).sum()),
        int((rows["state"] != rows["city"].map(state)).sum()),
        int((rows[["a", "b", "total"]] < 0).any(axis=1).sum()),
    ]


@pytest.fixture(scope="module")
def fitted() -> lt.VAE:
    return lt.VAE(latent=2, width=8, epochs=2).fit(stays())


def test_ties_of_the_data_are_kept_in_samples_and_filled_cells(fitted, tmp_path):
    data, holes = stays(), holed(stays())
    fitted.save(tmp_path / "m.laten")
    for vae in (fitted, lt.load(tmp_path / "m.laten")):
        rows = vae.sample(1000)
        assert breaks(rows, data) == [0, 0, 0, 0]
    stay = (rows["end"] - rows["start"]).dt.days
    assert stay.max() <= 14 and abs(stay.mean() - (data["end"] - data["start"]).dt.days.mean()) < 1
    filled = [fitted.impute(holes), *fitted.impute(holes, samples=2)]
    for rows in filled:
        assert not rows.isna().any().any() and rows.where(holes.notna()).equals(holes)
        assert breaks(rows, data) == [0, 0, 0, 0]
    known = holes["total"].isna() & holes["a"].notna() & holes["b"].notna()
    assert known.sum() > 20 and (filled[0]["total"] == data["total"])[known].all()
    low, high = fitted.impute_interval(holes)
    assert (low["total"] == data["total"])[known].all() and (high["total"] == data["total"])[known].all()
    free = fitted.view_.drawn(ancestral(fitted.model_, 1000, 0), 0)
    assert min(breaks(free, data)[:3]) > 50  # the control: what the network draws
    assert (free["end"] - free["start"]).dt.days.std() > 50


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"total": 12}, marks=pytest.mark.slow),
        {"total": lt.between(15, 20), "a": lt.between(0, 5)},
        pytest.param({"state": "s2"}, marks=pytest.mark.slow),
        pytest.param({"end": pd.Timestamp("2022-03-01")}, marks=pytest.mark.slow),
        {"start": lt.between("2022-03-01", "2022-04-01"), "end": lt.between("2022-03-05", "2022-03-20")},
    ],
    ids=lambda given: "-".join(given),
)
def test_evidence_stays(fitted, given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LatenWarning)
        rows = fitted.sample(100, given=given)
    assert breaks(rows, stays()) == [0, 0, 0, 0]
    for name, value in given.items():
        inside = (
            (rows[name] >= pd.Series([value.low]).astype(rows[name].dtype)[0])
            & (rows[name] <= pd.Series([value.high]).astype(rows[name].dtype)[0])
            if isinstance(value, type(lt.between(1, 2)))
            else rows[name] == value
        )
        assert inside.all(), name


def test_observed_cells_stay(fitted):
    data = stays()
    assert (fitted.predict(data.head(20), "total") == data["total"].head(20)).all()
    assert (fitted.predict(data.head(20), "a") == data["a"].head(20)).all()
    drawn = fitted.conditional(data.head(20), ["city", "total"], samples=2).samples
    assert all((d["total"] == data["total"].head(20)).all() for d in drawn)
    state = dict(zip(data["city"], data["state"], strict=True))
    assert all((d["city"].map(state) == data["state"].head(20)).all() for d in drawn)


def test_rows_that_break_a_tie_are_named_when_scored(fitted):
    rows = stays().head(6)
    rows.loc[4, "total"] += 1
    with pytest.warns(LatenWarning, match=r"'total = a \+ b' does not hold in row 4"):
        assert np.isfinite(fitted.score_samples(rows)).all()


def test_constraints_are_declared_to_the_estimator():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"low": rng.normal(0, 1, 60), "x": rng.random(60).round(2)})
    frame["high"] = frame["low"] + rng.gamma(1, 1, 60)
    assert not lt.infer_schema(frame).constraints  # too few rows to be sure
    told = ["low <= high", lt.constraints.Bounds("x", -1, 2)]
    vae = lt.VAE(latent=2, width=8, epochs=1, constraints=told).fit(frame)
    rows = vae.sample(2000)
    assert (rows["low"] <= rows["high"]).all() and vae.schema_["x"].bounds == (-1, 2)
    free = vae.view_.drawn(ancestral(vae.model_, 2000, 0), 0)
    assert (free["low"] > free["high"]).any()  # the control
    with pytest.raises(DataError, match="'high <= low' is broken by rows 0, 1"):
        lt.VAE(constraints=["high <= low"]).fit(frame)


def test_holes_are_drawn_as_the_data_have_them(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N), "c": rng.choice(["x", "y"], N), "d": 1})
    together, alone = rng.random(N) < 0.3, rng.random(N) < 0.1
    frame.loc[together, ["a", "b"]] = np.nan
    frame.loc[alone, "c"] = None
    vae = lt.VAE(latent=2, width=8, epochs=1).fit(frame)
    assert not vae.sample(20_000).isna().any().any()
    vae.save(tmp_path / "m.laten")
    rows = lt.load(tmp_path / "m.laten").sample(20_000, holes=True)
    rate = rows.isna().mean()
    assert (rate - frame.isna().mean()).abs().max() < 0.01
    assert rows["a"].isna().equals(rows["b"].isna()) and not rows["d"].isna().any()
    given = vae.sample(500, given={"c": "x"}, holes=True)
    assert (given["c"] == "x").all() and given["a"].isna().any()


@pytest.mark.slow
def test_holes_of_a_matrix():
    rng = np.random.default_rng(0)
    matrix = np.where(rng.random((N, 1)) < 0.3, np.nan, rng.normal(size=(N, 2)))
    drawn = lt.VAE(latent=2, width=8, epochs=1).fit(matrix).sample(5000, holes=True)
    assert np.isnan(drawn).mean() == pytest.approx(np.isnan(matrix).mean(), abs=0.02)


def test_what_follows_has_all_its_entropy_in_common(fitted):
    found = fitted.mutual_information(normalised=True)
    assert found.loc["city", "state"] == found.loc["state", "city"] == pytest.approx(1)
    assert found.loc["city", "a"] < 0.9  # a control: nothing ties these


def test_probabilities_keep_ties_too(fitted):
    data = stays().head(40)
    city, state = fitted.predict_proba(data, "city"), fitted.predict_proba(data, "state")
    np.testing.assert_allclose(city.sum(axis=1), 1, atol=1e-5)
    for i, row in data.iterrows():
        assert state.loc[i, row["state"]] == pytest.approx(1)
        assert {c for c in city if city.loc[i, c] > 0} <= {f"c{k}" for k in range(12) if f"s{k % 4}" == row["state"]}
    loose = fitted.predict_proba(data.assign(state=None), "city")  # a control: nothing ties a city to an empty state
    assert (loose > 0).to_numpy().all()
    free = fitted.predict_proba(data.assign(city=None), "state")
    assert (free.max(axis=1) < 1).all()


# -- evidence that no row can have ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"city": "c1", "state": "s2"}, r"no row has city=c1 and state=s2: 'city -> state' .*Leave one of them out"),
        ({"city": "c1", "state": ["s2", "s3"]}, "city=c1 and state in .'s2', 's3'."),
        ({"city": ["c1", "c5"], "state": "s2"}, "'city -> state'"),
        ({"a": 3, "b": 4, "total": 8}, r"a=3 and b=4 and total=8: 'total = a \+ b'"),
        ({"a": lt.between(5, 6), "b": lt.between(5, None), "total": "<9"}, "total<9"),
        ({"start": pd.Timestamp("2022-03-01"), "end": pd.Timestamp("2022-02-01")}, "'start <= end'"),
        ({"start": ">2022-06", "end": "2021"}, "'start <= end'"),
    ],
)
def test_evidence_that_breaks_a_tie_is_refused_by_name(fitted, given, words):
    target = next(n for n in ("city", "b") if n not in given)
    for ask in (
        lambda: fitted.sample(3, given=given),
        lambda: fitted.conditional(pd.DataFrame(index=range(2)), target, given=given),
        lambda: fitted.predict(pd.DataFrame(index=range(2)), target, given=given),
    ):
        with pytest.raises(DataError, match=words):
            ask()


def test_evidence_that_breaks_a_tie_with_the_rows_own_cells_is_refused(fitted):
    rows = stays().head(5)
    words = "state=s2 cannot be in row.*where city=c.*'city -> state'.*Leave 'city' out of the rows"
    with pytest.raises(DataError, match=words):
        fitted.predict(rows, "a", given={"state": "s2"})
    with pytest.raises(DataError, match=words):
        fitted.conditional(rows, "a", given={"state": "s2"})
    assert len(fitted.predict(rows.drop(columns="city"), "a", given={"state": "s2"})) == 5
    assert fitted.predict_proba(rows, "city", given={"state": "s2"}).shape == (5, 12)
    own = rows.assign(total=rows["total"] + 1)  # rows that break a tie by themselves: nothing that was given does
    assert len(fitted.predict(own, "city", given={"start": pd.Timestamp("2021-06-01"), "end": "2021-06"})) == 5


def test_evidence_that_breaks_several_ties_together_is_refused():
    rng = np.random.default_rng(0)
    city, price, n = rng.integers(0, 24, N), rng.integers(1, 20, N), rng.integers(1, 9, N)
    low = rng.normal(size=N).round(2)
    frame = pd.DataFrame(
        {
            "city": [f"c{c}" for c in city],
            "state": [f"s{c % 8}" for c in city],
            "land": [f"l{c % 2}" for c in city],
            "height": 100.0 + city % 8,
            "price": price * 1.5,
            "n": n,
            "cost": price * 1.5 * n,
            "low": low,
            "middle": low + rng.gamma(1, 1, N).round(2),
        }
    )
    frame["high"] = frame["middle"] + rng.gamma(1, 1, N).round(2)
    told = ["city -> state", "state -> land", "state -> height", "cost = price * n", "low <= middle", "middle <= high"]
    schema = lt.infer_schema(frame, constraints=[*told, "high <= 99"])
    for given, words in (
        ({"city": "c1", "land": "l0"}, "city=c1 and land=l0"),  # the state is not given
        ({"height": lt.between(106.5, None), "land": "l0"}, "height>=106.5 and land=l0"),
        ({"price": 3.0, "n": 2, "cost": 7.0}, "price=3.0 and n=2 and cost=7.0"),
        ({"low": 3.0, "high": 2.0}, "low=3.0 and high=2.0"),
        ({"low": 100.0}, "low=100.0"),
    ):
        with pytest.raises(DataError, match=words):
            refuse_impossible(schema, given)
    refuse_impossible(schema, {"city": ["c0", "c1"], "land": "l1", "height": 101.0, "low": 1.0, "high": 1.0})


def test_what_a_row_has_is_never_refused_as_evidence(fitted):
    """Any cells of a row that there is, as values, lists with others, or ranges around them."""
    rng, data = np.random.default_rng(2), stays()
    for _ in range(60):
        row = data.iloc[rng.integers(N)]
        given = {}
        for name in rng.permutation(list(data))[: rng.integers(1, 8)]:
            x, other = row[name], data[name].iloc[rng.integers(N)]
            soft = [x, other] if isinstance(x, str) else lt.between(*sorted([x, other]))
            given[name] = x if rng.random() < 0.5 else soft
        fitted.view_.evidence(given)
