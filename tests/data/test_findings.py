"""A later frame beside the fitted schema: what is broken, what is only to note, and nothing where nothing changed."""

import numpy as np
import pandas as pd
import pytest

from laten.common.errors import DataError
from laten.data.rows.tables import encode
from laten.data.schema.check import check
from laten.data.schema.enforce import impose, read_contract
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema

N = 300


def good(seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "age": np.r_[17, 89, rng.integers(17, 90, N - 2)], "fare": rng.lognormal(3, 0.5, N),
        "city": ["Rome", "Oslo", "Lima"] * 100, "grade": [1, 2, 3] * 100, "flag": [True, False] * 150,
        "when": pd.date_range("2020", periods=N), "day": pd.date_range("2020", periods=N).strftime("%Y-%m-%d"),
        "wait": pd.to_timedelta(rng.integers(0, 99, N), unit="h"), "id": [f"p{i}" for i in range(N)], "same": "x",
        "hole": np.where(rng.random(N) < 0.3, np.nan, rng.normal(size=N)),
    })  # fmt: skip


FRAME = good()
found = infer_schema(FRAME)
SCHEMA = found.without_constraints(*map(str, found.constraints))  # each difference alone, not what follows from it


def put(column, rows, value):
    frame = FRAME.copy()
    if not isinstance(frame[column].dtype, np.dtype) or frame[column].dtype.kind in "iubM":
        frame[column] = frame[column].astype(object)
    frame.loc[rows, column] = value
    return frame


# frame -> column, what, rows, words; broken ones are those that encode refuses
BROKEN = [
    (FRAME.drop(columns="city").assign(sity="Rome"), "city", "lacking", N, "did you mean 'sity'"),
    (put("city", [9, 11, 12], ["Bonn", "Bonn", "Kyiv"]), "city", "level", 3, "'Bonn' (2), 'Kyiv' (1)"),
    (put("grade", [5], 7), "grade", "level", 1, "7 (1)"),
    (FRAME.assign(grade=FRAME["grade"].astype(str)), "grade", "type", N, "is text, was a number"),
    (FRAME.assign(flag=FRAME["flag"].astype(str)), "flag", "type", N, "was true or false"),
    (put("age", [4], "old"), "age", "type", N, "row 4: 'old'"),
    (FRAME.assign(age=FRAME["age"].astype(str)), "age", "type", N, "expected numbers"),
    (put("age", [4, 5], [-1, 2.5]), "age", "value", 2, "whole numbers of at least 0, got -1.0, 2.5 (rows 4, 5)"),
    (put("fare", [4], np.inf), "fare", "type", N, "infinity"),
    (put("fare", [4], 0.0), "fare", "value", 1, "above 0"),
    (FRAME.assign(when=1.5), "when", "type", N, "expected dates"),
    (put("day", [5], "2020-02-31"), "day", "type", N, "row 5"),
    (FRAME.assign(wait=3.0), "wait", "type", N, "expected durations"),
]
NOTES = [
    (put("age", [4, 7], [900, 500]), "age", "range", 2, "far outside 17 .. 89: 500 to 900 (rows 4, 7)"),
    (put("when", [3], pd.Timestamp("2031-01-01")), "when", "range", 1, "2020-01-01 .. 2020-10-26: 2031-01-01 (row 3)"),
    (put("wait", [3], pd.Timedelta(days=99)), "wait", "range", 1, "99 days"),
    (FRAME.assign(age=FRAME["age"].where(FRAME.index % 2 == 0)), "age", "missing", 150, "50.0% of the cells are empty"),
    (FRAME.assign(hole=1.0), "hole", "missing", 0, "0.0% of the cells are empty"),
    (FRAME.assign(more=1), "more", "extra", N, "ignored"),
    (FRAME.assign(same="y"), "same", "value", N, "was 'x' throughout, holds 'y' (300)"),
    (FRAME.drop(columns="id"), "id", "lacking", N, "no such column"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "column", "what", "rows", "words"), BROKEN + NOTES)
def test_each_difference_is_found_alone(frame, column, what, rows, words):
    found = [f for f in SCHEMA.check(frame) if f.what != "extra" or f.column == column]
    assert [(f.column, f.what, f.rows) for f in found] == [(column, what, rows)]
    assert words in found[0].detail and words in str(SCHEMA.check(frame))


@pytest.mark.parametrize(("frame", "broken"), [(f, True) for f, *_ in BROKEN] + [(f, False) for f, *_ in NOTES])
def test_broken_is_what_encoding_refuses(frame, broken):
    assert bool(SCHEMA.check(frame).broken) == broken
    if broken:
        with pytest.raises(DataError):
            encode(SCHEMA, frame)
    else:
        encode(SCHEMA, frame)


@pytest.mark.parametrize("frame", [FRAME, FRAME.sample(50, random_state=0), good(1), FRAME[FRAME.columns[::-1]]])
def test_frames_of_the_same_world_give_no_finding(frame):
    found = SCHEMA.check(frame)
    assert not found.found and not found and "as agreed" in str(found)
    assert len(found.frame) == 0 and list(found.frame.columns) == ["column", "what", "broken", "rows", "detail"]


def test_other_dtypes_of_the_same_cells_give_no_finding():
    same = FRAME.astype(
        {"city": "category", "age": "Int64", "fare": "float32", "flag": "boolean", "when": "datetime64[s]"}
    )
    assert not SCHEMA.check(same)
    assert not SCHEMA.check(FRAME.assign(grade=FRAME["grade"].astype(float), age=FRAME["age"].astype(object)))


def test_policies_decide_what_is_broken():
    new = put("city", [9], "Bonn")
    assert SCHEMA.check(new).broken and not SCHEMA.with_unseen("city", "other").check(new).broken
    assert "(other)" in str(SCHEMA.with_unseen("city", "other").check(new))
    more = FRAME.assign(more=1)
    strict = Schema(SCHEMA.columns, (), "error")
    assert [f.column for f in strict.check(more).broken] == ["more"]
    with pytest.raises(DataError, match=r"does not know: \['more'\]"):
        encode(strict, more)


def test_cells_take_zero_where_the_logarithm_does_not():
    zero = put("fare", [4], 0.0)
    assert SCHEMA.check(zero).broken and not SCHEMA.binned().check(zero).broken
    encode(SCHEMA.binned(), zero)


def test_a_file_finds_what_the_schema_finds():
    agreed = read_contract(SCHEMA.to_toml())
    for frame, column, what, _rows, _words in BROKEN + NOTES:
        if (column, what) in [("fare", "value"), ("same", "value")]:
            continue  # not in the file: which logarithm, and which value
        both = [[(f.column, f.what, f.rows) for f in check(c, frame)] for c in (agreed, SCHEMA.contract)]
        assert both[0] == both[1]


def test_what_cannot_be_checked():
    with pytest.raises(DataError, match="two dimensions"):
        SCHEMA.check([1])
    with pytest.raises(DataError, match="0 rows"):
        SCHEMA.check(FRAME.head(0))
    two = pd.concat([FRAME, FRAME[["age"]]], axis=1)
    with pytest.raises(DataError, match="one name"):
        SCHEMA.check(two)


def test_names_that_are_numbers_and_names_that_differ_in_type_alone():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)))
    schema = infer_schema(frame)
    assert not schema.check(frame) and [f.column for f in schema.check(frame.drop(columns=1))] == [1]
    with pytest.raises(DataError, match="1 and '1' are two columns"):
        schema.check(frame.set_axis([1, "1", 2], axis=1))
    with pytest.raises(DataError, match="1 and '1' are two columns"):
        impose(schema.contract, frame.set_axis([1, "1", 2], axis=1))
