"""Schemas: kinds with their reasons, editing, blocks, declared nodes, JSON."""

import datetime
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from laten.common.errors import DataError
from laten.data.columns.dtypes import dtype_of
from laten.data.columns.restore import restore_classes
from laten.data.rows.tables import encode
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RNG = np.random.default_rng(0)
N = 200


def column(cells):
    return infer_schema(pd.DataFrame({"x": cells}))["x"]


def some(values):
    return list(RNG.choice(np.array(values, dtype=object), N))


CASES = [
    ("yes_no", some(["yes", "no"]), "binary", "'no', 'yes'"),
    ("bools", some([True, False]), "binary", "true and false"),
    ("bools_with_holes", [True, False, None] * 20, "binary", "true and false"),
    ("nullable_bools", pd.array([True, False, None] * 20, dtype="boolean"), "binary", "true and false"),
    ("zero_one", some([0, 1]), "binary", "0, 1"),
    ("one_two_as_floats", some([1.0, 2.0, np.nan]), "binary", "1, 2"),
    ("colours", some(["red", "green", "blue"]), "categorical", "3 distinct"),
    ("pandas_category", pd.Categorical(some(["a", "b", "c"])), "categorical", "category"),
    ("ordered_category", pd.Categorical(some(["s", "m", "l"]), ["s", "m", "l"], ordered=True), "ordinal", "ordered"),
    ("cut", pd.cut(RNG.normal(size=N), 4), "ordinal", "ordered"),
    ("grades", some([1, 2, 3, 4, 5]), "ordinal", "few whole numbers"),
    ("negative_codes", some([-2, -1, 0, 1, 2]), "ordinal", "few whole numbers"),
    ("doses", some([0.5, 1.0, 2.0]), "ordinal", "3 distinct"),
    ("poisson", RNG.poisson(1.0, N), "count", "thin out"),
    ("ages", RNG.integers(17, 90, N), "count", "17"),
    ("ages_with_holes", np.where(RNG.random(N) < 0.1, np.nan, RNG.integers(17, 90, N)), "count", "17"),
    ("nullable_counts", pd.array([*RNG.poisson(9.0, N).tolist(), None], dtype="Int64"), "count", "whole"),
    ("years", RNG.integers(1980, 2020, N), "real", "large"),
    ("flippers", np.round(RNG.normal(300, 4, N)), "real", "closer together"),
    ("incomes", np.round(RNG.lognormal(10, 1, N)), "positive", "skewed"),
    ("concentrations", RNG.lognormal(0, 1, N), "positive", "skewed"),
    ("fares_with_zeros", np.r_[np.zeros(9), RNG.lognormal(3, 1, N)], "positive", "zeros"),
    ("mostly_zeros", np.r_[np.zeros(N), RNG.lognormal(3, 1, N) + 0.001], "real", "numbers"),
    ("heights", RNG.normal(1.7, 0.1, N), "real", "numbers"),
    ("temperatures", RNG.normal(0, 10, N), "real", "numbers"),
    ("float32", RNG.normal(0, 10, N).astype(np.float32), "real", "numbers"),
    ("datetimes", pd.date_range("2020-01-01", periods=N), "date", "whole days"),
    ("zoned", pd.date_range("2020-01-01", periods=N, tz="Europe/Berlin"), "date", "whole days"),
    ("times", pd.date_range("2020-01-01", periods=N, freq="7h"), "date", "time of day"),
    ("iso_text", [str(d.date()) for d in pd.date_range("2020-01-01", periods=N)], "date", "%Y-%m-%d"),
    ("date_objects", [datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(N)], "date", "dates"),
    ("periods", pd.period_range("2020-01", periods=N, freq="D"), "date", "dates"),
    ("almost_iso", ["2020-01-01"] * 99 + ["2020-13-45"] * 99 + ["x"] * 3, "categorical", "3 distinct"),
    ("one_value", [3] * N, "constant", "one value only: 3"),
    ("one_text", ["a", None] * 9, "constant", "'a'"),
    ("one_date", [pd.Timestamp("2020-01-01")] * 5, "constant", "2020"),
    ("names", [f"patient {i}" for i in range(N)], "identifier", "all different text"),
    ("running", np.arange(1000, 1000 + N), "identifier", "running"),
    ("shuffled_running", RNG.permutation(N), "identifier", "running"),
    ("increasing", np.cumsum(RNG.integers(1, 9, N)), "count", "whole numbers"),
    ("years", np.arange(1990, 1990 + 40), "real", "whole numbers"),
    ("prose", [f"the patient {i} came late in the day and went home again" for i in range(N)], "text", "words"),
    ("many_levels", [f"street {i // 2}" for i in range(N)], "text", "too many"),
    ("durations", pd.to_timedelta(np.arange(N), unit="h"), "duration", "whole hours"),
    ("skewed_durations", pd.to_timedelta(np.exp(np.linspace(0, 9, N)), unit="s"), "duration", "skewed"),
    ("one_duration", pd.to_timedelta([90, 90, None], unit="s"), "constant", "one duration only: 0 days 00:01:30"),
    ("lists", [[1, 2]] * N, "text", "not modelled"),
    ("mixed", some(["a", 1, 2]), "categorical", "3 distinct"),
    ("decimal_places", [1, 2.5, 3] * 30, "ordinal", "distinct"),
]


@pytest.mark.parametrize(("name", "cells", "kind", "word"), CASES, ids=[c[0] for c in CASES])
def test_kinds_and_reasons(name, cells, kind, word):
    found = column(cells)
    assert (found.kind, word in found.reason) == (kind, True), found
    schema = infer_schema(pd.DataFrame({"x": cells}))
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert name and kind in str(schema)


def test_identifier_by_name_and_not_by_name():
    n = RNG.permutation(1000)[:50]
    frame = pd.DataFrame({"patient_id": n, "userId": n, "id": n, "paid": n, "grid": n, "humid": n})
    kinds = {c.name: c.kind for c in infer_schema(frame).columns}
    assert [kinds[k] for k in ("patient_id", "userId", "id")] == ["identifier"] * 3
    assert "identifier" not in [kinds[k] for k in ("paid", "grid", "humid")]


def mixed_frame():
    return pd.DataFrame({
        "age": RNG.integers(17, 90, N), "size": some(["S", "M", "L"]), "sex": some(["f", "m"]),
        "grade": some([1, 2, 3, 4]), "fare": RNG.lognormal(3, 1, N), "height": RNG.normal(170, 9, N) + 0.1234567,
        "when": pd.date_range("2020", periods=N), "id": np.arange(N), "same": 1,
    })  # fmt: skip


def test_blocks():
    schema = infer_schema(mixed_frame())
    found = {b.node: (b.names, b.dtype.name, b.shape) for b in schema.blocks}
    assert found == {
        "binary": (("sex",), "uint8", (1,)),
        "categorical": (("size",), "uint8", (1,)),
        "ordinal": (("grade",), "uint8", (1,)),
        "count": (("age",), "float32", (1,)),
        "real": (("fare", "height", "when"), "float32", (3,)),
    }
    assert [c.name for c in schema.set_aside] == ["id", "same"]
    assert schema.blocks[2].sizes == (4,)
    assert repr(schema).startswith("Schema(9 columns: 1 binary")
    lines = schema.table.splitlines()
    assert len(lines) == 11 and "1 < 2 < 3 < 4" in lines[5]


def test_editing_is_immutable_and_checked():
    schema = infer_schema(mixed_frame())
    new = schema.with_kinds(age="positive", grade="categorical").with_kind("size", "ordinal", levels=["S", "M", "L"])
    assert (schema["age"].kind, new["age"].kind, new["grade"].kind) == ("count", "positive", "categorical")
    assert new["size"].levels == ("S", "M", "L")
    assert new.with_kinds({"age": "count"})["age"].codec == schema["age"].codec
    assert new.with_kind("id", "real")["id"].kind == "real" and schema.with_kind("age", "text")["age"].codec is None
    assert Schema.from_json(json.loads(json.dumps(new.to_json()))) == new


EDITS = [
    ("agee", "count", None, "did you mean 'age'"),
    ("age", "cuont", None, "known"),
    ("size", "real", None, "to_numeric"),
    ("size", "ordinal", None, "levels="),
    ("size", "ordinal", ["S", "M"], "'L'"),
    ("size", "categorical", ["S", "M", "L", "L"], "twice"),
    ("size", "binary", None, "exactly 2"),
    ("height", "count", None, "fractions"),
    ("when", "real", None, "use kind 'date'"),
    ("age", "date", None, "numbers"),
    ("size", "date", None, "to_datetime"),
    ("same", "real", None, None),
    ("same", "categorical", None, "one value only"),
    ("age", "constant", None, "not constant"),
    ("age", "count", [1, 2], "levels belong"),
]


@pytest.mark.parametrize(("name", "kind", "levels", "word"), EDITS)
def test_edits_that_data_forbid(name, kind, levels, word):
    schema = infer_schema(mixed_frame())
    if word is None:
        assert schema.with_kind(name, kind)[name].kind == kind
        return
    with pytest.raises(DataError, match=word):
        schema.with_kind(name, kind, levels)


def test_negative_numbers_are_neither_counts_nor_positive():
    schema = infer_schema(pd.DataFrame({"x": RNG.integers(-50, 50, N)}))
    for kind in ("count", "positive"):
        with pytest.raises(DataError, match="-50"):
            schema.with_kind("x", kind)


def test_declared_nodes():
    frame = mixed_frame()
    schema = infer_schema(frame, nodes={"y": "sex", "x": ["fare", "height"], "age": "age"})
    rows = encode(schema, frame)
    assert {k: (v.shape, v.dtype.name) for k, v in rows.values.items()} == {
        "y": ((N,), "uint8"), "x": ((N, 2), "float32"), "age": ((N,), "float32"),
    }  # fmt: skip
    assert "size" in [c.name for c in schema.set_aside]
    assert [b.scalar for b in infer_schema(frame, nodes=("sex", "age")).blocks] == [True, True]
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


@pytest.mark.parametrize(
    ("nodes", "word"),
    [
        (("sxe",), "did you mean 'sex'"),
        (("id",), "identifier"),
        (("same",), "constant"),
        ({"x": ["sex", "fare"]}, "of one kind, got .*; say one by kinds="),
        ({"x": "fare", "y": ["fare"]}, "belongs to one"),
        ({"x": []}, "of one kind"),
    ],
)
def test_declared_nodes_that_do_not_fit(nodes, word):
    with pytest.raises(DataError, match=word):
        infer_schema(mixed_frame(), nodes=nodes)


def test_nothing_left_to_model():
    schema = infer_schema(pd.DataFrame({"id": range(99), "same": 1}))
    with pytest.raises(DataError, match=r"no column is left to model.*'same' constant"):
        _ = schema.blocks


def damage(path, value):
    plain = json.loads(json.dumps(infer_schema(mixed_frame()).to_json()))
    at = plain
    for key in path[:-1]:
        at = at[key]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return plain


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("columns",), 3),
        (("columns", 0), []),
        (("columns", 0, "kind"), "banana"),
        (("columns", 0, "kind"), "binary"),
        (("columns", 0, "name"), [1]),
        (("columns", 0, "name"), "size"),
        (("columns", 0, "dtype"), "no such type"),
        (("columns", 4, "seen", "codecs"), []),
        (("columns", 0, "seen"), ...),
        (("columns", 0, "seen", "rows"), -1),
        (("columns", 0, "code"), "import os"),
        (("columns", 1, "levels"), ["a", "a"]),
        (("columns", 1, "levels"), [{}, []]),
        (("columns", 1, "levels"), None),
        (("columns", 4, "seen", "codecs", 0, "scale"), 0),
        (("columns", 4, "seen", "codecs", 0, "scale"), "1"),
        (("groups",), [{"node": "x", "columns": ["nowhere"], "scalar": True}]),
        (("groups",), [{"node": "x", "columns": ["id"], "scalar": True}]),
    ],
)
def test_damaged_json(path, value):
    with pytest.raises(DataError):
        Schema.from_json(damage(path, value))


TABLES = {
    "titanic.csv": {
        "survived": "binary", "pclass": "ordinal", "age": "real", "sibsp": "count", "fare": "positive",
        "deck": "categorical", "adult_male": "binary", "embarked": "categorical",
    },
    "adult_train.csv.gz": {
        "age": "count", "fnlwgt": "positive", "education_num": "ordinal", "native_country": "categorical",
        "class": "binary", "hours_per_week": "count", "capital_gain": "count",
    },
    "california_housing.csv.gz": {
        "longitude": "real", "median_income": "positive", "total_rooms": "positive", "housing_median_age": "count",
        "ocean_proximity": "categorical",
    },
    "penguins.csv": {"species": "categorical", "sex": "binary", "bill_length_mm": "real", "body_mass_g": "real"},
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_real_tables(name):
    path = SHARED / "tables" / name
    if not path.exists():
        pytest.skip("no ../shared/data here")
    schema = infer_schema(pd.read_csv(path))
    assert {k: schema[k].kind for k in TABLES[name]} == TABLES[name]


def test_levels_without_rows_are_no_levels():
    dtype = pd.CategoricalDtype(["low", "never", "high"], ordered=True)
    column = infer_schema(pd.DataFrame({"x": pd.Series(["low", "high"] * 20, dtype=dtype), "y": range(40)}))["x"]
    assert (column.kind, column.levels) == ("binary", ("low", "high")) and "1 more that no row has" in column.reason
    assert restore_classes(column, np.array([1, 0]), pd.RangeIndex(2), dtype_of(column.dtype)).dtype == dtype
