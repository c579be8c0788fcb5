"""Tables whose numbers are codes of cells: there and back, log-densities, points, intervals, soft evidence."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from laten.common.errors import DataError
from laten.data.rows.evidence import Between, between, likelihood
from laten.data.rows.point_answers import expected, intervals, level_probabilities
from laten.data.rows.tables import decode, encode, encode_with_log_det, encode_with_total, fill, hidden_cells
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema


def log_det(schema, frame):
    return encode_with_log_det(schema, frame, partial=True)[1]


N = 900


def table():
    rng = np.random.default_rng(5)
    return pd.DataFrame({
        "age": rng.integers(17, 90, N), "sex": rng.choice(["f", "m"], N), "height": rng.normal(170, 9, N),
        "fare": np.where(rng.random(N) < 0.3, 0.0, rng.lognormal(3, 1, N).round(2)),
        "city": rng.choice(["Lima", "Oslo", "Rome"], N), "grade": rng.integers(1, 6, N),
        "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D"),
        "at": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 90_000, N), unit="min"),
        "stay": pd.to_timedelta(rng.poisson(30, N), unit="h"), "price": rng.lognormal(8, 1, N).round().astype("int32"),
    })  # fmt: skip


FRAME = table()
PLAIN = infer_schema(FRAME)
SCHEMA = PLAIN.binned()
BLOCK = {b.node: b for b in SCHEMA.blocks}
NUMBER = BLOCK["number"]


def marginals(schema=SCHEMA, frame=FRAME, n=4):
    """Probabilities that a model would give that has learned only how often each class and cell occurs."""
    rows, found = encode(schema, frame), {}
    for block in schema.blocks:
        codes = rows.values[block.node].reshape(rows.n, -1)
        tables = [np.bincount(codes[:, i], minlength=k) / rows.n for i, k in enumerate(block.sizes)]
        if block.family_kind == "binary":
            tables = [np.array([t[1]]) for t in tables]
        found[block.node] = np.broadcast_to(np.concatenate(tables), (n, sum(map(len, tables)))).astype(np.float32)
    return found


def part(node, column, p):
    """A column's part of packed probabilities."""
    at = BLOCK[node].names.index(column)
    start = sum(BLOCK[node].sizes[:at])
    return p[..., start : start + BLOCK[node].sizes[at]]


def test_numbers_are_one_node_of_codes():
    assert [b.node for b in SCHEMA.blocks] == ["binary", "categorical", "ordinal", "number"]
    assert NUMBER.family_kind == "bins" and NUMBER.dtype == np.uint8 and NUMBER.shape == (7,)
    assert NUMBER.names == ("age", "height", "fare", "when", "at", "stay", "price")
    assert (
        NUMBER.sizes == tuple(map(len, NUMBER.points))
        and max(s for s, w in zip(NUMBER.sizes, NUMBER.waves, strict=True) if not w) <= 30
    )
    assert [len(p[0]) for p in NUMBER.points] == [2, 2, 2, 10, 8, 2, 2]  # a season, days of the week
    assert NUMBER.waves == (0, 0, 0, 8, 6, 0, 0) and BLOCK["ordinal"].waves == ()
    assert [b.node for b in PLAIN.blocks] == ["binary", "categorical", "ordinal", "count", "real"]
    assert Schema.from_json(json.loads(json.dumps(SCHEMA.to_json()))) == SCHEMA != PLAIN
    changed = SCHEMA.with_kind("grade", "count").with_kind("age", "text")
    assert changed.blocks[-1].names == (
        "height",
        "fare",
        "grade",
        "when",
        "at",
        "stay",
        "price",
    )
    declared = infer_schema(FRAME, nodes={"y": "city", "x": ["height", "price"]})
    assert [b.family_kind for b in declared.blocks] == ["categorical", "real"]


def test_a_schema_without_data_has_no_cells():
    plain = PLAIN.to_json()
    for column in plain["columns"]:
        column["seen"]["codecs"] = [c for c in column["seen"]["codecs"] if c["codec"] != "histogram"]
    with pytest.raises(DataError, match="'age' was not seen in data"):
        Schema.from_json(plain).binned()


def test_codes_and_masks():
    holes = FRAME.mask(np.random.default_rng(1).random(FRAME.shape) < 0.3)
    rows = encode(SCHEMA, holes)
    assert np.array_equal(rows.mask["number"], holes[list(NUMBER.names)].notna().to_numpy())
    codes = rows.values["number"]
    assert codes.dtype == np.uint8 and (codes[~rows.mask["number"]] == 0).all()
    assert (codes.max(axis=0) == np.array(NUMBER.sizes) - 1).all()
    ages = FRAME["age"].to_numpy()
    order = np.argsort(ages, kind="stable")
    assert (np.diff(encode(SCHEMA, FRAME).values["number"][order, 0].astype(int)) >= 0).all()


def test_centres_come_back_without_chance_and_draws_with_it():
    rows = encode(SCHEMA, FRAME)
    centres = decode(SCHEMA, rows.values, like=FRAME)
    assert_frame_equal(centres[["sex", "city", "grade"]], FRAME[["sex", "city", "grade"]])
    assert (centres.dtypes == FRAME.dtypes).all() and (centres.index == FRAME.index).all()
    assert np.corrcoef(centres["height"], FRAME["height"])[0, 1] > 0.99
    assert (centres["fare"] == 0).sum() == (FRAME["fare"] == 0).sum()
    drawn = decode(SCHEMA, rows.values, like=FRAME, rng=np.random.default_rng(0))
    assert (drawn.dtypes == FRAME.dtypes).all()
    again = decode(SCHEMA, rows.values, like=FRAME, rng=np.random.default_rng(0))
    assert_frame_equal(drawn, again)
    assert all(np.array_equal(rows.values[k], v) for k, v in encode(SCHEMA, drawn).values.items())
    assert (drawn["height"] - FRAME["height"]).abs().max() > 0
    assert np.allclose(drawn["fare"], drawn["fare"].round(2)) and (drawn["price"] >= 0).all()
    assert (drawn["at"] == drawn["at"].dt.round("min")).all() and (drawn["at"].dt.minute > 0).any()
    assert (drawn["stay"] == drawn["stay"].dt.round("h")).all()
    assert (drawn["when"] == drawn["when"].dt.normalize()).all()
    holes = FRAME.mask(np.random.default_rng(1).random(FRAME.shape) < 0.3)
    filled = fill(holes, decode(SCHEMA, encode(SCHEMA, holes).values, like=holes), hidden_cells(SCHEMA, holes))
    assert filled.notna().all().all() and (filled.dtypes == holes.dtypes).all()


def test_log_det_is_that_of_the_cells():
    frame = FRAME.astype({"height": float}).copy()
    frame.loc[3, "height"] = np.nan
    found = log_det(SCHEMA, frame)
    assert found["number"].shape == (N, 7) and found["number"][3, 1] == 0 and not found["categorical"].any()
    cells = SCHEMA["height"].histogram
    assert np.allclose(found["number"][4:, 1], cells.log_det(frame["height"][4:].to_numpy()))
    every = sum(x.sum() for x in found.values())
    assert encode_with_total(SCHEMA, frame)[1] == pytest.approx(every, rel=1e-12)
    assert not log_det(SCHEMA, frame.drop(columns="height"))["number"][:, 1].any()
    ages, p = frame["age"].to_numpy(), marginals()["number"][0]
    log_p = np.log(part("number", "age", p))[encode(SCHEMA, frame).values["number"][:, 0]] + found["number"][:, 0]
    truth = np.log(np.bincount(ages)[ages] / N)
    assert np.mean(log_p) == pytest.approx(np.mean(truth), abs=0.1)


def test_numbers_far_off_and_below_zero():
    far = FRAME.assign(height=1e300)
    assert np.isfinite(log_det(SCHEMA, far)["number"]).all()
    encode(SCHEMA, FRAME.assign(price=0))
    for change, word in (({"age": -1}, "at least 0"), ({"age": 3.5}, "whole"), ({"price": -5}, "at least 0")):
        with pytest.raises(DataError, match=word):
            encode(SCHEMA, FRAME.assign(**change))
    codes = {"number": np.zeros((20_000, 7), np.uint8)}
    drawn = decode(SCHEMA, codes, rng=np.random.default_rng(0))
    assert (drawn["age"] >= 0).all() and (drawn["price"] >= 0).all() and drawn["age"].min() < FRAME["age"].min()


def test_points():
    p = marginals()
    found = expected(SCHEMA, p, like=FRAME[:4])
    assert (found.dtypes == FRAME.dtypes).all() and list(found.columns) == list(FRAME.columns)
    assert found["height"][0] == pytest.approx(FRAME["height"].mean(), abs=0.01)
    assert found["age"][0] == round(FRAME["age"].mean())
    assert found["fare"][0] == pytest.approx(FRAME["fare"].mean(), abs=0.01)
    assert found["city"][0] == FRAME["city"].mode()[0] and found["grade"][0] == FRAME["grade"].median()
    assert abs(found["when"][0] - FRAME["when"].mean()) < pd.Timedelta(1, "D")
    median = expected(SCHEMA, p, statistic="median")
    assert median["price"][0] == pytest.approx(FRAME["price"].median(), rel=0.05)
    assert median["stay"][0] == FRAME["stay"].median()
    assert found["price"][0] > 1.3 * median["price"][0]
    mode = expected(SCHEMA, p, statistic="mode")
    assert mode["fare"][0] == 0 and mode["grade"][0] == FRAME["grade"].mode()[0]
    with pytest.raises(DataError, match="statistic"):
        expected(SCHEMA, p, statistic="middle")
    with pytest.raises(DataError, match=r"'number': expected shape \(4, "):
        expected(SCHEMA, p | {"number": p["number"][:, 1:]})
    values = {k: v for k, v in encode(PLAIN, FRAME).values.items() if k in ("real", "count")}
    assert_frame_equal(expected(PLAIN, values), decode(PLAIN, values))


def test_intervals():
    low, high = intervals(SCHEMA, marginals(), 0.9, like=FRAME[:4])
    assert list(low.columns) == ["age", "height", "fare", "grade", "when", "at", "stay", "price"]
    assert (low.dtypes == FRAME[low.columns].dtypes).all()
    for name in low.columns:
        inside = (FRAME[name] >= low[name][0]) & (FRAME[name] <= high[name][0])
        assert 0.88 <= inside.mean() <= (1 if name == "grade" else 0.96), name
    narrow = intervals(SCHEMA, marginals(), 0.5)
    assert (narrow[0]["height"] > low["height"]).all() and (narrow[1]["height"] < high["height"]).all()
    with pytest.raises(DataError, match="coverage"):
        intervals(SCHEMA, marginals(), 1.0)


def test_level_probabilities():
    p = marginals()
    for name in ("city", "grade", "sex"):
        found = level_probabilities(SCHEMA, p, name)
        truth = FRAME[name].value_counts(normalize=True)
        assert np.allclose(found.iloc[0], truth[found.columns], atol=1e-6), name
    with pytest.raises(DataError, match="no levels"):
        level_probabilities(SCHEMA, p, "age")
    with pytest.raises(DataError, match="none of the nodes"):
        level_probabilities(SCHEMA, {"binary": p["binary"]}, "city")


EVIDENCE = {
    "age": (between(30, 40), lambda x: x.between(30, 40)),
    "height": (between(high=165.0), lambda x: x <= 165),
    "fare": ([0.0], lambda x: x == 0),
    "grade": (between(2, 3), lambda x: x.between(2, 3)),
    "city": (["Rome", "Oslo"], lambda x: x.isin(["Rome", "Oslo"])),
    "sex": (("f",), lambda x: x == "f"),
    "when": (between("2020-06-05", "2020-12-24"), lambda x: x.between("2020-06-05", "2020-12-24")),
    "at": (between(low="2021-04-01 12:00"), lambda x: x >= "2021-04-01 12:00"),
    "stay": (between(high="30h"), lambda x: x <= pd.Timedelta("30h")),
    "price": (between(1000, 3000), lambda x: x.between(1000, 3000)),
}


@pytest.mark.parametrize("name", EVIDENCE)
def test_likelihood_of_soft_evidence(name):
    """Under the marginals P(evidence) is the share of rows it holds for; other columns are untouched."""
    given, holds = EVIDENCE[name]
    found = likelihood(SCHEMA, {name: given})
    node = next(b.node for b in SCHEMA.blocks if name in b.names)
    assert list(found) == [node] and found[node].dtype == np.float32
    assert np.all((found[node] >= 0) & (found[node] <= 1))
    truth = holds(FRAME[name]).mean()
    if node == "binary":
        p = marginals()[node][0, 0]
        assert found[node] @ [1 - p, p] == pytest.approx(truth, abs=1e-5)
        return
    mine = part(node, name, found[node])
    assert mine @ part(node, name, marginals()[node][0]) == pytest.approx(truth, abs=0.02)
    assert found[node].sum() - mine.sum() == pytest.approx(len(found[node]) - len(mine), rel=1e-5)


@pytest.mark.parametrize("name", ["age", "height", "when", "at", "stay", "price", "fare"])
def test_draws_keep_to_the_evidence(name):
    given, holds = EVIDENCE[name]
    node, at = "number", NUMBER.names.index(name)
    p = part(node, name, marginals()[node][0] * likelihood(SCHEMA, {name: given})[node])
    rng = np.random.default_rng(0)
    codes = np.zeros((3000, 7), np.uint8)
    codes[:, at] = rng.choice(len(p), 3000, p=p / p.sum())
    assert not holds(decode(SCHEMA, {node: codes}, rng=rng)[name]).all() or name in ("fare", "stay")
    for chance in (rng, None):
        drawn = decode(SCHEMA, {node: codes}, rng=chance, within={name: given})[name]
        assert holds(drawn).all()
    several = decode(SCHEMA, {node: codes}, rng=rng, within={"age": [30, 31, 40]})["age"]
    assert set(several) <= {30, 31, 40}


def test_several_values_of_a_number():
    ages = marginals()["number"][0] @ np.where(likelihood(SCHEMA, {"age": [30, 31]})["number"] < 1, 1, 0)
    assert ages > 0  # the other cells of age are ruled out
    mine = part("number", "age", likelihood(SCHEMA, {"age": {30, 31}})["number"])
    assert np.allclose(mine, SCHEMA["age"].histogram.within(30, 31), atol=1e-6)
    assert np.allclose(part("binary", "sex", likelihood(SCHEMA, {"sex": ["f", "m"]})["binary"][1:]), 1)


BAD = [
    ("city", between("Lima", "Oslo"), "no order.*list"),
    ("sex", between("f"), "no order"),
    ("city", [], "empty list"),
    ("city", ["Bonn"], "'Bonn'.*never seen"),
    ("city", ["Rome", None], "single values"),
    ("city", "Rome", "expected between"),
    ("age", [30.5], "no single number|no value fits"),
    ("age", between(30.2, 30.8), "no value fits"),
    ("height", [170.0], "continuous.*between"),
    ("age", between("young", 30), "expected a number, got 'young'"),
    ("age", between(40, "30"), "expected a number"),
    ("when", between("soon"), "expected a date"),
    ("when", between("2021-01-01", "2020-01-01"), "is above high"),
    ("when", between(pd.Timestamp("2020-01-01", tz="UTC")), "no time zone"),
    ("stay", between(3), "duration"),
    ("grade", between(7), "never seen|no value fits"),
    ("nowhere", [1], "no modelled column 'nowhere'"),
    ("age", between(30, [40]), "expected a number"),
]


@pytest.mark.parametrize(("name", "given", "word"), BAD)
def test_evidence_that_cannot_be(name, given, word):
    with pytest.raises(DataError) as error:
        likelihood(SCHEMA, {name: given})
    assert re.search(word, str(error.value)) and "\n" not in str(error.value), error.value


def test_between():
    assert between(1, 2) == Between(1, 2) and between(high=3).low is None
    for ends, word in (((), "neither"), ((3, 1), "above"), ((np.float64(3), 1), "above")):
        with pytest.raises(DataError, match=word):
            between(*ends)
    assert likelihood(SCHEMA, {}) == {}
    tails = likelihood(SCHEMA, {"height": between(500)})["number"]
    assert 0 < part("number", "height", tails).max() < 0.1  # never seen, and possible


def test_intervals_of_a_declared_network_are_in_the_model_s_scale():
    schema = infer_schema(FRAME, nodes={"x": ["height", "price"], "age": "age"})
    found = likelihood(schema, {"height": between(160, 180), "age": between(29.5, 40.9), "price": between(low=-1)})
    height = schema["height"].codec
    assert found["x"].shape == (2, 2) and found["age"].shape == (2,)
    assert np.allclose(found["x"][:, 0], height.encode(np.array([160, 180])), atol=1e-6)
    assert np.isinf(found["x"][:, 1]).all() and found["age"].tolist() == [29, 40]
    for name, given, word in (("height", [160.0], "declared"), ("age", between(30.1, 30.9), "no value fits")):
        with pytest.raises(DataError, match=word):
            likelihood(schema, {name: given})


def test_zoned_dates_as_evidence():
    zoned = pd.DataFrame({
        "day": pd.date_range("2020-01-01", periods=N, tz="Europe/Berlin"),
        "time": pd.date_range("2020-01-01", periods=N, freq="7h", tz="Europe/Berlin"), "y": np.arange(N) % 2,
    })  # fmt: skip
    schema = infer_schema(zoned).binned()
    block = schema.blocks[-1]
    for name in ("day", "time"):
        zone = pd.to_datetime(["2020-03-01", "2020-05-01"]).tz_localize("Europe/Berlin")
        ends = between("2020-03-01", "2020-05-01"), between(*zone)
        truth = zoned[name].between("2020-03-01", "2020-05-01").mean()
        at = block.names.index(name)
        codes = encode(schema, zoned).values["number"][:, at]
        for given in ends:
            share = likelihood(schema, {name: given})["number"]
            start = sum(block.sizes[:at])
            assert share[start + codes.astype(int)].mean() == pytest.approx(truth, abs=0.02)


def business(n=6000):
    """Orders of two years: no Sundays, few Saturdays, from 8 to 18 o'clock."""
    rng = np.random.default_rng(1)
    day = rng.integers(18262, 18262 + 730, 8 * n)
    weekday = (day + 3) % 7
    day = day[(weekday < 5) | ((weekday == 5) & (rng.random(len(day)) < 0.2))][:n]
    day = pd.to_datetime(day, unit="D").astype("datetime64[us]")
    return pd.DataFrame({"day": day, "time": day + pd.to_timedelta(rng.triangular(8, 10, 18, n), unit="h")})


def test_sundays_and_nights_stay_empty():
    frame = business()
    schema = infer_schema(frame).binned()
    rows = encode(schema, frame)
    drawn = decode(schema, rows.values, rng=np.random.default_rng(0))
    for name in frame:
        assert np.allclose(
            drawn[name].dt.day_of_week.value_counts(normalize=True).reindex(range(7), fill_value=0),
            frame[name].dt.day_of_week.value_counts(normalize=True).reindex(range(7), fill_value=0), atol=0.02,
        ), name  # fmt: skip
    hours = [f["time"].dt.hour.value_counts(normalize=True).reindex(range(24), fill_value=0) for f in (drawn, frame)]
    assert np.allclose(*hours, atol=0.02) and hours[0][19:].sum() + hours[0][:8].sum() < 0.01
    assert (drawn["day"] != frame["day"]).mean() > 0.5
    sundays = pd.DataFrame({"day": pd.to_datetime(["2020-06-07"]), "time": pd.to_datetime(["2020-06-07 03:00"])})
    assert (log_det(schema, sundays)["number"] < log_det(schema, frame)["number"].mean(0) - 4).all()
    gain = [log_det(s, frame)["number"].mean(0) for s in (schema, without_cycles(schema))]
    assert (gain[0] - gain[1])[0] > 0.1 and (gain[0] - gain[1])[1] > 0.6  # nats a date


def without_cycles(schema):
    plain = schema.to_json()
    for column in plain["columns"]:
        for codec in column["seen"]["codecs"]:
            codec.update({"cycle": None} if codec["codec"] == "histogram" else {})
    return Schema.from_json(plain)


def many_levels(n=30_000, k=5_000):
    rng = np.random.default_rng(0)
    rank = np.minimum(rng.zipf(1.3, n), k)
    return pd.DataFrame({"word": [f"w{i}" for i in rank], "x": rng.normal(size=n)})


def test_many_levels_share_entries():
    frame = many_levels()
    schema = infer_schema(frame)
    assert schema["word"].kind == "categorical" and schema["word"].size == len(schema["word"].classes) > 1000
    binned = schema.binned()
    word = binned["word"]
    assert word.size == 256 and binned.blocks[0].sizes == (256,) and binned.blocks[0].dtype == np.uint8
    assert Schema.from_json(json.loads(json.dumps(binned.to_json()))) == binned
    rows = encode(binned, frame)
    p = np.bincount(rows.values["categorical"][:, 0], minlength=256) / len(frame)
    assert p[192:].max() < 2.5 * p[192:].min() and p.min() > 0
    total = np.log(p)[rows.values["categorical"][:, 0]] + log_det(binned, frame)["categorical"][:, 0]
    share = frame["word"].value_counts(normalize=True)
    assert np.allclose(np.exp(total), share[frame["word"]], rtol=1e-6)  # log p of a level is that of its frequency
    every = pd.DataFrame({"word": list(word.classes), "x": 0.0})
    each = np.exp(log_det(binned, every)["categorical"][:, 0]) * p[encode(binned, every).values["categorical"][:, 0]]
    assert each.sum() == pytest.approx(1)


def test_rare_levels_are_drawn_in_their_proportion():
    frame = many_levels()
    schema = infer_schema(frame).binned()
    codes = encode(schema, frame).values["categorical"]
    drawn = decode(schema, {"categorical": codes}, rng=np.random.default_rng(0))["word"]
    counts = frame["word"].value_counts()
    rare = frame["word"].map(counts) <= counts.iloc[192]
    assert 0.6 < drawn[rare].nunique() / frame["word"][rare].nunique() < 1
    assert (drawn[~rare] == frame["word"][~rare]).all()
    counts, made = frame["word"].value_counts(), drawn.value_counts()
    for low, high in ((1, 1), (2, 4), (5, 20)):
        some = counts[(counts >= low) & (counts <= high)]
        assert made.reindex(some.index).sum() == pytest.approx(some.sum(), rel=0.1)
    points = decode(schema, {"categorical": codes})["word"]
    assert points.nunique() == 256
    assert (encode(schema, pd.DataFrame({"word": points}), partial=True).values["categorical"] == codes).all()


def test_groups_in_evidence_points_and_probabilities():
    frame = many_levels()
    schema = infer_schema(frame).binned()
    p = marginals(schema, frame, 3)
    counts = frame["word"].value_counts()
    rare, given = counts.index[-1], [counts.index[-1], counts.index[-2], counts.index[0]]
    assert likelihood(schema, {"word": given})["categorical"] @ p["categorical"][0] == pytest.approx(
        counts[given].sum() / len(frame), rel=1e-4
    )
    entry = encode(schema, pd.DataFrame({"word": [rare] * 50}), partial=True).values
    assert (decode(schema, entry, rng=np.random.default_rng(0), within={"word": [rare]})["word"] == rare).all()
    assert (decode(schema, entry, within={"word": [rare]})["word"] == rare).all()
    assert expected(schema, p)["word"][0] == counts.index[0]
    tied = {"categorical": np.full((1, 256), 1e-6, np.float32)}
    tied["categorical"][0, [100, 250]] = 0.4, 0.6  # a group is likelier than each of its levels
    assert expected(schema, tied)["word"][0] == schema["word"].classes[schema["word"].groups.decode(np.array([100]))[0]]
    found = level_probabilities(schema, p, "word")
    assert found.shape == (3, len(counts)) and np.allclose(found.iloc[0], counts[found.columns] / len(frame), rtol=1e-4)
    with pytest.raises(DataError, match="never seen"):
        encode(schema, frame.assign(word="nonsense"))


def test_unseen_levels_and_groups():
    frame = many_levels()
    schema = infer_schema(frame).with_unseen("word", "other").binned()
    new = encode(schema, frame.assign(word="nonsense")).values["categorical"][:, 0]
    once = frame["word"].value_counts()
    single = encode(schema, frame[frame["word"].isin(once.index[once == 1])]).values["categorical"][:, 0]
    assert len(set(new)) == 1 and set(single) == set(new)
    drawn = decode(schema, {"categorical": new[:, None]}, rng=np.random.default_rng(0))["word"]
    assert drawn.map(once).max() == 1 and drawn.nunique() > 100


def test_tens_of_thousands_of_levels():
    rng = np.random.default_rng(0)
    n = 200_000
    frame = pd.DataFrame({"word": pd.Series(rng.integers(0, 50_000, n)).map("w{}".format), "y": rng.integers(0, 2, n)})
    schema = infer_schema(frame).binned()
    assert schema["word"].kind == "categorical" and schema["word"].size == 256
    rows = encode(schema, frame)
    assert rows.values["categorical"].nbytes == n
    drawn = decode(schema, rows.values, rng=rng)["word"]
    assert drawn.nunique() > 30_000
    assert len(json.dumps(schema.to_json())) < 4_000_000


@pytest.mark.parametrize(
    ("levels", "rows", "kind"), [(1500, 6000, "categorical"), (1500, 3000, "text"), (300, 1000, "categorical")]
)
def test_text_with_many_levels_is_categorical_where_it_repeats(levels, rows, kind):
    words = [f"w{i % levels}" for i in range(rows)]
    assert infer_schema(pd.DataFrame({"x": words}))["x"].kind == kind
    assert infer_schema(pd.DataFrame({"x": pd.Categorical(words)}))["x"].kind == kind
    if kind == "categorical" and levels > 1000:
        with pytest.raises(DataError, match="ordinal takes up to 1000"):
            infer_schema(pd.DataFrame({"x": pd.Categorical(words)})).with_kind("x", "ordinal")
