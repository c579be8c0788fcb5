"""Bad frames: each a DataError naming the thing and the way out."""

import datetime
import time

import numpy as np
import pandas as pd
import pytest

from laten.common.errors import DataError
from laten.data.rows.table_view import TableView
from laten.data.rows.tables import decode, encode, fill
from laten.data.schema.infer import infer_schema

N = 60
RNG = np.random.default_rng(0)


def good():
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "age": rng.integers(17, 90, N), "income": rng.lognormal(8, 1, N), "city": ["Rome", "Oslo", "Lima"] * 20,
        "sex": ["f", "m"] * 30, "height": rng.normal(170, 9, N), "when": pd.date_range("2020", periods=N),
        "day": pd.date_range("2020", periods=N).strftime("%Y-%m-%d"), "grade": [1, 2, 3] * 20,
        "flag": [True, False] * 30,
    })  # fmt: skip


def words(n, at):
    """Numbers with some words among them, as `read_csv` gives them."""
    return [at.get(i, float(i) / 7) for i in range(n)]


def stamp(zone):
    return pd.Timestamp("2020-01-01", tz=zone).to_pydatetime()


SCHEMA = infer_schema(good())


def put(column, rows, value):
    frame = good()
    frame[column] = frame[column].astype(object)
    frame.loc[rows, column] = value
    return frame


FITTING = {
    "no_frame": ([1, 2], ["two dimensions", "(2,)"]),
    "array": (np.zeros((3, 2, 2)), ["two dimensions", "(3, 2, 2)"]),
    "no_columns": (pd.DataFrame(index=range(3)), ["no columns"]),
    "zero_rows": (good().iloc[:0], ["0 rows"]),
    "one_row": (good().iloc[:1], ["1 row", "fewer than 2"]),
    "two_of_one_name": (good().set_axis(["age", *"bcdefgh", "age"], axis=1), ["one name", "'age'", "rename"]),
    "all_missing": (good()[["age", "height"]] * np.nan, ["no value", "'age'", "drop"]),
    "infinite": (put("height", [3, 7], np.inf), ["'height'", "rows 3, 7", "infinit"]),
    "words_among_numbers": (
        pd.DataFrame({"x": words(10_000, {7: "n/a", 99: "n/a", 512: "n/a"}), "y": range(10_000)}),
        ["'x': 3 of 10000 cells are text", "rows 7, 99, 512", "'n/a'", "errors='coerce'", "kinds={'x': 'categorical'}"],
    ),
    "words_among_numerals": (
        pd.DataFrame({"x": list(map(str, words(500, {3: "unknown", 4: "?"})))}),
        ["'x': 2 of 500 cells are words among numbers", "rows 3, 4", "'unknown', '?'"],
    ),
    "mixed_zones": (
        pd.DataFrame({"x": [stamp("Europe/Berlin"), stamp("UTC"), stamp("UTC")], "y": [1, 2, 3]}),
        ["'x': times of 2 zones", "'Europe/Berlin', 'UTC'", "rows 1, 2", "utc=True"],
    ),
    "zones_and_none": (
        pd.DataFrame({"x": pd.Series([stamp(None), stamp("UTC")] * 3, dtype=object)}),
        ["'x': times of 2 zones", "'none', 'UTC'", "rows 1, 3, 5"],
    ),
    "mixed_zones_as_text": (
        pd.DataFrame({"x": [f"2020-01-01T00:{i:02d}:00+0{i % 2}:00" for i in range(30)]}),
        ["'x': times of 2 zones", "'+00:00', '+01:00'", "rows 1, 3"],
    ),
    "tuple_names": (pd.DataFrame({("a", 1): [1, 2], ("b", 2): [1, 2]}), ["('a', 1)", "names must be"]),
}


@pytest.mark.parametrize("case", FITTING)
def test_frames_that_cannot_be_fitted(case):
    frame, words = FITTING[case]
    with pytest.raises(DataError) as error:
        infer_schema(frame)
    assert all(w in str(error.value) for w in words), error.value
    assert "\n" not in str(error.value)


ENCODING = {
    "no_frame": ({"age": [1]}, ["DataFrame"]),
    "zero_rows": (good().iloc[:0], ["0 rows"]),
    "two_of_one_name": (pd.concat([good(), good()[["age"]]], axis=1), ["one name", "'age'"]),
    "lacking": (good().drop(columns=["age", "city"]), ["'age'", "'city'", "lacks"]),
    "misspelt": (good().rename(columns={"height": "hieght"}), ["'height'", "did you mean 'hieght'"]),
    "text_for_numbers": (put("height", [4], "tall"), ["'height'", "row 4", "'tall'", "to_numeric"]),
    "numerals_as_text": (good().assign(age=good()["age"].astype(str)), ["'age'", "expected numbers", "to_numeric"]),
    "dates_for_numbers": (good().assign(age=good()["when"]), ["'age'", "expected numbers"]),
    "categories_for_numbers": (good().assign(age=good()["city"].astype("category")), ["'age'", "expected numbers"]),
    "numbers_for_dates": (good().assign(when=1.5), ["'when'", "dates", "to_datetime"]),
    "mixed_zones": (
        good().assign(when=[stamp("UTC"), stamp("Europe/Berlin")] * 30),
        ["'when'", "2 zones", "rows 1, 3"],
    ),
    "text_for_dates": (put("when", [1], "soon"), ["'when'", "row"]),
    "bad_iso_date": (put("day", [5], "2020-02-31"), ["'day'", "row 5", "2020-02-31", "%Y-%m-%d"]),
    "new_city": (put("city", [9, 11], "Bonn"), ["'city'", "rows 9, 11", "'Bonn'", "'Rome'", "never seen", "fit again"]),
    "new_city_category": (put("city", [9], "Bonn").astype({"city": "category"}), ["'city'", "row 9", "'Bonn'"]),
    "spaces": (put("city", [9], " Rome"), ["'city'", "strip"]),
    "new_grade": (put("grade", [2], 7), ["'grade'", "row 2", "7", "known levels"]),
    "grades_as_text": (good().assign(grade=good()["grade"].astype(str)), ["'grade'", "convert"]),
    "numbers_for_text": (good().assign(sex=1), ["'sex'", "never seen", "'f'"]),
    "flags_as_text": (good().assign(flag=good()["flag"].astype(str)), ["'flag'", "convert"]),
    "negative_count": (put("age", [6], -1), ["'age'", "count", "-1", "row 6"]),
    "fractional_count": (put("age", [6], 3.5), ["'age'", "count", "3.5", "row 6"]),
    "zero_income": (put("income", [2], 0.0), ["'income'", "above 0", "row 2"]),
    "infinite": (put("height", [8], -np.inf), ["'height'", "row 8", "infinity"]),
}


@pytest.mark.parametrize("case", ENCODING)
def test_frames_that_do_not_fit_the_schema(case):
    frame, words = ENCODING[case]
    with pytest.raises(DataError) as error:
        encode(SCHEMA, frame)
    assert all(w in str(error.value) for w in words), error.value
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


EVIDENCE = [
    ({"height": "tall"}, ["'height'", "expected a number", "'tall'"]),
    ({"height": np.inf}, ["'height'", "infinity"]),
    ({"height": datetime.date(2020, 1, 1)}, ["'height'", "expected a number"]),
    ({"city": 3}, ["'city'", "3", "never seen", "'Rome'"]),
    ({"grade": "9"}, ["'grade'", "never seen"]),
    ({"when": 3}, ["'when'", "expected a date"]),
    ({"wait": 3}, ["'wait'", "expected a duration"]),
    ({"age": 2.5}, ["'age'", "whole numbers", "2.5"]),
    ({"hieght": 1}, ["no column 'hieght'", "did you mean 'height'"]),
]


@pytest.mark.parametrize(("given", "words"), EVIDENCE)
def test_evidence_of_the_wrong_type(given, words):
    view = TableView(infer_schema(good().assign(wait=pd.to_timedelta(range(N), unit="h"))))
    with pytest.raises(DataError) as error:
        view.evidence(given)
    assert all(w in str(error.value) for w in words), error.value
    assert "\n" not in str(error.value)


def test_words_among_numbers_pass_where_the_kind_is_said():
    frame = pd.DataFrame({"x": words(100, {7: "n/a"}), "y": np.arange(100) / 7})
    assert infer_schema(frame, kinds={"x": "text"})["x"].kind == "text"
    assert infer_schema(frame, kinds={"x": "categorical"})["x"].size == 100
    with pytest.raises(DataError, match=r"1 of 100 cells are text: row 7: 'n/a'"):
        infer_schema(frame, kinds={"x": "real"})
    with pytest.raises(DataError, match="did you mean 'x'"):
        infer_schema(frame, kinds={"xx": "real"})
    mended = frame.assign(x=pd.to_numeric(frame["x"], errors="coerce"))  # the way out that the message names
    assert infer_schema(mended)["x"].kind == "positive" or infer_schema(mended)["x"].kind == "real"


def test_a_thousand_columns_and_wide_tables():
    wide = pd.DataFrame(RNG.normal(size=(50, 1000)))
    wide[0] = ["a", "b"] * 25
    start = time.process_time()
    schema = infer_schema(wide)
    assert time.process_time() - start < 5
    assert encode(schema, wide).values["real"].shape == (50, 999)


def test_a_hundred_thousand_levels():
    names = np.array([f"street {i}" for i in range(100_000)])
    frame = pd.DataFrame({"x": names[RNG.integers(0, 100_000, 150_000)], "y": RNG.normal(size=150_000)})
    start = time.process_time()
    schema = infer_schema(frame)
    text = schema.to_toml()
    assert time.process_time() - start < 5 and len(text) < 5000
    assert schema["x"].kind in ("text", "categorical")


def test_duplicate_rows():
    frame = pd.concat([good().head(5)] * 20, ignore_index=True)
    once, many = infer_schema(good().head(5)), infer_schema(frame)
    assert len(once.names) == len(many.names) and encode(many, frame).n == 100


def test_many_offending_rows_are_counted_not_listed():
    with pytest.raises(DataError, match=r"rows 0, 1, 2, 3, 4, … \(60 in all\)"):
        encode(SCHEMA, good().assign(city="Bonn"))


def test_good_frames_pass():
    encode(SCHEMA, good())
    encode(SCHEMA, good().iloc[:1])
    encode(SCHEMA, good().assign(age=np.nan, city=None, when=pd.NaT, flag=None))
    encode(
        SCHEMA, good().astype({"city": "category", "sex": "string", "age": "Int64", "grade": float, "flag": "boolean"})
    )


def test_decode_and_fill_check_shapes():
    rows = encode(SCHEMA, good())
    with pytest.raises(DataError, match=r"'real': expected shape \(60, 4\)"):
        decode(SCHEMA, {"real": rows.values["real"][:, :1]})
    with pytest.raises(DataError, match="same number of rows"):
        decode(SCHEMA, {"real": rows.values["real"], "count": rows.values["count"][:3]})
    with pytest.raises(DataError, match="row counts differ"):
        fill(good(), good().iloc[:3], good().isna())


def test_a_category_dtype_that_lacks_a_drawn_level():
    frame = good().assign(city=good()["city"].astype("category"))
    rows = encode(SCHEMA, frame)
    like = frame[frame["city"] != "Oslo"].assign(city=lambda f: f["city"].cat.remove_unused_categories())
    values = {k: v[: len(like)] for k, v in rows.values.items()}
    assert "Oslo" in decode(SCHEMA, values, like=like)["city"].cat.categories  # added, for it is the answer
    like = like.assign(city=pd.Categorical.from_codes([0] * len(like), pd.interval_range(0, 2)))
    with pytest.raises(DataError, match=r"lacks the level '\w+'.*add_categories"):
        decode(SCHEMA, values, like=like)


def test_splitting_too_little():
    rows = encode(SCHEMA, good().iloc[:1])
    with pytest.raises(DataError, match="cannot be split"):
        rows.parts(0.1)
    with pytest.raises(DataError, match="between 0 and 1"):
        encode(SCHEMA, good()).parts(1.0)
