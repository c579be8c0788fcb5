"""Levels never seen: an error, or one more class that learns from the rare ones and never comes back by that name."""

import json

import numpy as np
import pandas as pd
import pytest

from laten.common.errors import DataError, LatenWarning
from laten.data.columns.unseen_levels import from_other, with_unseen
from laten.data.rows.tables import decode, encode, encode_with_log_det
from laten.data.schema.enforce import read_schema
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema

FRAME = pd.DataFrame({"job": ["a"] * 50 + ["b"] * 30 + ["rare", "odd"], "n": [1, 2] * 41, "x": np.arange(82) / 7})
SCHEMA = infer_schema(FRAME).with_unseen("job", "other")
NEW = pd.DataFrame({"job": ["a", "pilot", None, "odd", "nurse"], "n": [1, 2, 1, 2, 1], "x": [0.5] * 5})


def codes(schema, frame):
    rows = encode(schema, frame)
    return rows.values["categorical"][:, 0].tolist()


def test_levels_with_one_row_are_one_class():
    job = SCHEMA["job"]
    assert job.classes == ("a", "b", "(other)") and job.size == 3 and job.folded == ("odd", "rare")
    assert job.levels == ("a", "b", "odd", "rare")
    assert SCHEMA.blocks[1].sizes == (3,) and "a, b, (other)" in str(SCHEMA)
    tally = np.bincount(codes(SCHEMA, FRAME))
    assert tally.tolist() == [50, 30, 2]  # what it learns from


def test_unseen_levels_fall_into_it():
    assert codes(SCHEMA, NEW) == [0, 2, 0, 2, 2]
    assert encode(SCHEMA, NEW).mask["categorical"][:, 0].tolist() == [True, True, False, True, True]
    as_category = NEW.astype({"job": "category"})
    assert codes(SCHEMA, as_category) == codes(SCHEMA, NEW)


def test_without_the_policy_they_are_an_error():
    with pytest.raises(DataError, match=r"'pilot', 'nurse'.*never seen"):
        encode(infer_schema(FRAME), NEW)
    with pytest.raises(DataError, match="never seen"):
        encode(SCHEMA.with_unseen("job", "error"), NEW)
    assert SCHEMA.with_unseen("job", "error") == infer_schema(FRAME)


def test_levels_of_another_type_are_an_error_all_the_same():
    schema = infer_schema(FRAME).with_kind("n", "categorical").with_unseen("n", "other")
    assert codes_of_n(schema, [1, 2, 9]) == [0, 1, 2]
    with pytest.raises(DataError, match="the int 1: convert"):
        codes_of_n(schema, ["1", "2"])


def codes_of_n(schema, cells):
    frame = pd.DataFrame({"n": cells})
    rows = encode(schema, frame, partial=True)
    return rows.values["categorical"][:, 1].tolist()


def test_the_way_back_writes_real_levels():
    at = {"categorical": np.array([[0], [1], [2], [2]])}
    assert decode(SCHEMA, at)["job"].tolist() == ["a", "b", "odd", "odd"]
    many = {"categorical": np.full((4000, 1), 2)}
    drawn = decode(SCHEMA, many, rng=np.random.default_rng(0))["job"].value_counts(normalize=True)
    assert set(drawn.index) == {"odd", "rare"} and drawn["odd"] == pytest.approx(0.5, abs=0.05)


def test_without_rare_levels_the_mode_comes_back():
    frame = pd.DataFrame({"job": ["a"] * 5 + ["b"] * 9 + ["c"] * 4})
    schema = infer_schema(frame).with_kind("job", "categorical").with_unseen("job", "other")
    assert schema["job"].classes == ("a", "b", "c", "(other)") and schema["job"].folded == ()
    found = decode(schema, {"categorical": np.array([[3], [2]])}, rng=np.random.default_rng(0))
    assert found["job"].tolist() == ["b", "c"]


def test_draws_follow_the_proportions_of_what_was_folded():
    frame = pd.DataFrame({"job": ["a"] * 50 + ["b"] * 30 + ["c"] * 9 + ["d"]})
    text = "[columns.job]\nkind = 'categorical'\nlevels = ['a', 'b']\nunseen = 'other'\n"
    schema = read_schema(text, frame)
    assert schema["job"].folded == ("c", "d")
    at = from_other(schema["job"], np.full(5000, 2), np.random.default_rng(0))
    shares = np.bincount(at, minlength=4) / 5000
    assert shares[:2].tolist() == [0, 0] and shares[2] == pytest.approx(0.9, abs=0.02)
    assert read_schema(schema.to_toml(), frame) == schema
    wider = read_schema(text.replace("'b'", "'d', 'never', 'b'"), frame)
    assert wider["job"].folded == ("c", "d", "never")
    assert read_schema(wider.to_toml(), frame) == wider != schema


def test_category_dtype_keeps_its_levels_and_order():
    dtype = pd.CategoricalDtype(["rare", "b", "a", "never"])
    frame = FRAME.assign(job=FRAME["job"].replace("odd", "rare").astype(dtype))
    schema = infer_schema(frame).with_unseen("job", "other")
    assert schema["job"].folded == () and schema["job"].classes == ("rare", "b", "a", "(other)")
    back = decode(schema, encode(schema, frame).values)
    assert back["job"].dtype == dtype and (back["job"] == frame["job"]).all()


def test_json():
    assert Schema.from_json(json.loads(json.dumps(SCHEMA.to_json()))) == SCHEMA
    bad = json.loads(json.dumps(SCHEMA.to_json()))
    bad["columns"][0]["unseen"] = "error"
    with pytest.raises(DataError, match="unseen"):
        Schema.from_json(bad)


@pytest.mark.parametrize(
    ("name", "kind", "policy", "words"),
    [
        ("job", "categorical", "othr", "unseen must be one of"),
        ("jbo", None, "other", "did you mean 'job'"),
        ("n", "binary", "other", "no room for a third; make it 'categorical'"),
        ("n", "ordinal", "other", "no place in the order"),
        ("x", "real", "other", "only a categorical column"),
        ("all", "categorical", "other", "no level holds 2 rows"),
        ("named", "categorical", "other", "has a level '(other)' of its own"),
    ],
)
def test_columns_that_cannot_have_it(name, kind, policy, words):
    frame = FRAME.assign(all=[f"v{i}" for i in range(82)], named=["(other)", "b"] * 41)
    schema = infer_schema(frame)
    schema = schema if kind is None or schema[name].kind == kind else schema.with_kind(name, kind)
    with pytest.raises(DataError) as error:
        schema.with_unseen(name, policy)
    assert words in str(error.value)


def test_another_kind_forgets_the_policy():
    again = SCHEMA.with_kind("job", "categorical")
    assert again["job"].unseen == "error" and again["job"].levels == SCHEMA["job"].levels
    assert with_unseen(again["job"], "other") == SCHEMA["job"]


def scored(schema, frame):
    """Seen cells and log-determinants of the one modelled column."""
    rows, log_det = encode_with_log_det(schema, frame, partial=True)
    (node,) = {b.node for b in schema.blocks if set(b.names) & set(frame.columns)}
    place = next(b.names for b in schema.blocks if b.node == node).index(frame.columns[0])
    mask = rows.mask.get(node, np.ones(rows.values[node].shape, bool))
    return mask[:, place], log_det[node][:, place]


def test_a_level_never_seen_is_scored_with_what_is_left_for_it():
    schema = infer_schema(FRAME)  # two of the 82 rows are the only ones of their level
    with pytest.warns(LatenWarning, match=r"'job': 'pilot', 'nurse' \(2 rows\) was never seen"):
        seen, left = scored(schema, NEW[["job"]])
    assert seen.tolist() == [True, False, False, True, False]
    assert left == pytest.approx([0, np.log(2 / 82.5), 0, 0, np.log(2 / 82.5)])
    with pytest.warns(LatenWarning, match="0.0061"):  # no level has one row: as if half of one did
        assert scored(schema, pd.DataFrame({"n": [3]}))[1] == pytest.approx(np.log(0.5 / 82.5) - 1 / 0.5)


def test_what_is_left_is_shared_by_distance_and_sums_to_no_more_than_itself():
    grades = pd.DataFrame({"grade": [1, 2, 3, 5] * 30})
    schema = infer_schema(grades).with_kinds({"grade": "ordinal"})
    new = pd.DataFrame({"grade": [*range(-500, 1), 4, *range(6, 500)]})
    with pytest.warns(LatenWarning, match="'grade'"):
        seen, left = scored(schema, new)
    assert not seen.any() and 0.5 < np.exp(left).sum() / (0.5 / 120.5) < 1
    assert np.all(np.diff(left[-400:]) < 0)


def test_numbers_that_a_kind_does_not_allow_are_scored():
    frame = pd.DataFrame(
        {"n": np.random.default_rng(0).poisson(30, 300), "p": np.random.default_rng(1).gamma(1, 1, 300)}
    )
    schema = infer_schema(frame).with_kinds({"n": "count", "p": "positive"})
    for name, odd in (("n", -1), ("n", 7.5), ("p", -2.0)):
        with pytest.warns(LatenWarning, match=f"{name!r}"):
            seen, left = scored(schema, pd.DataFrame({name: [odd]}))
        assert not seen.any() and -30 < left[0] < -5
    binned, cells = schema.binned(), pd.DataFrame({"n": [-1, 7.5]})
    seen, left = scored(binned, cells)  # a histogram has a tail there
    assert seen.all() and np.isfinite(left).all()


def test_numbers_far_off_reach_the_model_within_reach_and_count_beyond():
    x = np.random.default_rng(0).normal(5, 2, 300)
    schema = infer_schema(pd.DataFrame({"x": x})).with_kind("x", "real")
    far = pd.DataFrame({"x": [5.0, 1e4, 1e5, 9.96921e36, 1e200, -1.7e308, np.nan]})
    rows, log_det = encode_with_log_det(schema, far)
    y, extra = rows.values["real"][:, 0], log_det["real"][:, 0]
    assert y[:2] == pytest.approx((far.x[:2] - x.mean()) / x.std(), rel=1e-4)
    assert y[2:].tolist() == [1e4, 1e4, 1e4, -1e4, 0]
    assert extra[0] == extra[1] == pytest.approx(-np.log(x.std()))
    assert np.isfinite(extra).all() and np.all(np.diff(extra[1:5]) < 0) and extra[6] == 0
    z = (1e5 - x.mean()) / x.std()
    assert extra[2] == pytest.approx(-0.5 * (z**2 - 1e8) - np.log(x.std()))
