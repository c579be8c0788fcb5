"""Odd columns: whatever stands in a frame is modelled, set aside or refused with words; nothing else is raised."""

import datetime
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from laten.common.errors import DataError
from laten.data.rows.tables import decode, encode, encode_with_log_det, fill, hidden_cells
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema


def log_det(schema, frame):
    return encode_with_log_det(schema, frame, partial=True)[1]


DAYS = pd.date_range("2020", periods=9)
ZONED = [  # two zones in one column are refused: test_bad_frames.py
    pd.Timestamp("2020-01-01", tz="Europe/Berlin").to_pydatetime(),
    datetime.datetime(2020, 7, 1, tzinfo=datetime.UTC),
]
ODD = {
    "bytes": ([b"a", b"b"] * 9, "text"),
    "empty_text": (["", "a"] * 9, "binary"),
    "whole_beyond_floats": ([2**70, 2**71, 3] * 5, "identifier"),
    "uint64": (np.array([2**64 - 1, 5, 7] * 5, dtype="uint64"), "identifier"),
    "int64_limits": (np.array([2**63 - 1, -(2**63), 7] * 5), "identifier"),
    "float_limits": ([1e308, -1e308, 1e307, 0.0] * 5, "real"),
    "denormals": ([1e-320, 2e-320, 3e-320, 5.0] * 5, "positive"),
    "sometimes_lists": (["a", [1], "b"] * 4, "text"),
    "na_in_objects": ([pd.NA, 1, 2] * 4, "binary"),
    "zoned_objects": (pd.Series(ZONED[:1] * 9 + [ZONED[0] + datetime.timedelta(1)], dtype=object), "text"),
    "zoned_text": ([f"2020-01-01T00:{i:02d}:00+02:00" for i in range(20)], "text"),
    "codes_with_letters": ([*map(str, range(100, 190)), "85123A", "C5363"] * 2, "text"),
    "codes_with_zeros": ([f"{i:03d}" for i in range(90)] * 2 + ["none"], "text"),
    "many_words_among_numbers": ([*map(str, range(50)), *(["none"] * 30)], "text"),
    "few_numbers_and_a_word": ([1, 2, 3, 4, "none"] * 20, "categorical"),
    "durations": (pd.to_timedelta([1, 2, 3, 9], unit="h"), "duration"),
    "durations_with_holes": ([datetime.timedelta(1), None, datetime.timedelta(3), pd.NaT] * 4, "duration"),
    "very_long_durations": (np.array([2**62, 5, 2**61, 7]).astype("timedelta64[s]"), "duration"),
    "arrow_lists": (pd.Series([[1], [2]] * 5, dtype=pd.ArrowDtype(pa.list_(pa.int64()))), "text"),
    "datetime_objects": (pd.Series(list(DAYS.to_pydatetime()), dtype=object), "date"),
    "times": ([datetime.time(1, 2), datetime.time(3, 4)] * 5, "text"),
    "first_and_last_day": (np.array(["0001-01-01", "9999-12-31", "2000-01-01"] * 3, dtype="datetime64[s]"), "date"),
    "arrow_days": (pd.Series(list(DAYS.date), dtype="date32[pyarrow]"), "date"),
    "arrow_stamps": (pd.Series(DAYS).astype("timestamp[us][pyarrow]"), "date"),
    "months": (pd.period_range("2020-01", periods=9, freq="M"), "date"),
    "sparse": (pd.arrays.SparseArray([0, 0, 1.5, 2] * 4), "real"),
    "intervals": (pd.interval_range(0, 9), "ordinal"),
    "category_of_dates": (
        pd.Categorical(pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"] * 4)),
        "categorical",
    ),
    "category_of_bools": (pd.Categorical([True, False] * 5), "binary"),
    "category_of_both": (pd.Categorical(["1", 1, 2] * 5), "categorical"),
    "unused_categories": (pd.Categorical(["a"] * 5, ["a", "b", "c"]), "constant"),
    "half_floats": (np.array([1.5, 2.5, 3.5, np.nan] * 5, dtype="float16"), "real"),
    "decimals": ([Decimal("1.5"), Decimal("2.5"), Decimal(3)] * 4, "real"),
    "minus_zero": ([-0.0, 0.0, 1.0, 2.0] * 5, "ordinal"),
    "text_with_lines": (["a\nb", "c", "d"] * 4, "categorical"),
    "two_rows": ([1, 2], "real"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_columns_go_through(name):
    cells, kind = ODD[name]
    frame = pd.DataFrame({"x": pd.Series(cells)})
    frame["other"] = np.arange(len(frame)) % 3 / 7
    schema = infer_schema(frame)
    assert schema["x"].kind == kind
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert len(schema.table.splitlines()) == 4
    rows = encode(schema, frame)
    assert all(np.isfinite(v).all() for v in [*rows.values.values(), *log_det(schema, frame).values()])
    filled = fill(frame, decode(schema, rows.values, like=frame), hidden_cells(schema, frame))
    assert (filled.dtypes == frame.dtypes).all()


@pytest.mark.parametrize(
    "cells", [pd.array([np.inf, 1.0, 2.0] * 4, dtype="Float64"), pd.Series([np.inf, 1, 2] * 4, dtype=object)]
)
def test_infinities_of_every_sort(cells):
    with pytest.raises(DataError, match="rows 0, 3, 6, 9 hold an infinity"):
        infer_schema(pd.DataFrame({"x": cells}))


def timed_frame() -> pd.DataFrame:
    return pd.DataFrame({
        "day": DAYS, "moment": DAYS + pd.to_timedelta(np.arange(9) * 1.25 + 0.1, unit="h"),
        "wait": pd.to_timedelta([90, 5, 7, 8, 3600, 86_400, 3, 2, 1], unit="s"), "size": np.arange(9) * 0.3,
    }).mask(np.arange(36).reshape(9, 4) % 5 == 1)  # fmt: skip


@pytest.mark.parametrize("text", ["str", "string[pyarrow]"])
def test_times_that_come_back_from_a_csv_file(text, tmp_path):
    frame = timed_frame()
    frame.to_csv(tmp_path / "timed.csv", index=False)
    later = pd.read_csv(tmp_path / "timed.csv").astype(dict.fromkeys(("day", "moment", "wait"), text))
    schema = infer_schema(frame)
    rows, again = encode(schema, frame), encode(schema, later)
    for node, values in rows.values.items():
        np.testing.assert_array_equal(again.values[node], values)
        np.testing.assert_array_equal(again.mask[node], rows.mask[node])
    hidden = hidden_cells(schema, later)
    full = fill(later, decode(schema, again.values, like=later), hidden)
    assert (full.dtypes == later.dtypes).all() and full.notna().all().all()
    assert full.mask(hidden).equals(later)  # bit for bit
    encode(schema, full)  # what was filled in can be read as well


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("day", "03/04/2020", ["row 3", "'03/04/2020'", "2024-12-31"]),
        ("moment", "2020-01-01T00:00:00+02:00", ["row 3", "+02:00", "to_datetime"]),
        ("moment", "2020", ["row 3", "'2020'"]),
        ("wait", "5", ["row 3", "'5'", "2 days 03:30:00"]),
    ],
)
def test_text_that_is_no_time_is_named(column, cell, words):
    frame = timed_frame()
    later = frame.assign(**{column: frame[column].dropna().astype("str").reindex(frame.index)})
    later.loc[3, column] = cell
    with pytest.raises(DataError) as error:
        encode(infer_schema(frame), later)
    assert all(w in str(error.value) for w in (column, *words)), error.value
    assert "0" not in str(error.value).split("row")[1].split(":")[0]  # that row alone
