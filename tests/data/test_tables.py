"""Frames to rows and back: every dtype comes back, holes are masked, observed cells stay bit for bit."""

import datetime
import time
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from laten.common.errors import DataError
from laten.data.columns.cells import cells_of
from laten.data.rows.tables import between, decode, encode, encode_with_log_det, encode_with_total, fill, hidden_cells
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema


def log_det(schema, frame):
    return encode_with_log_det(schema, frame, partial=True)[1]


RNG = np.random.default_rng(1)
N = 120


def some(values):
    return [values[i] for i in RNG.integers(0, len(values), N)]


arrow = pd.ArrowDtype
BERLIN = arrow(pa.timestamp("us", "Europe/Berlin"))

# as `pd.cut` makes them; they take no number of RNG
INTERVALS = {
    "whole_intervals": pd.Series(pd.cut(np.arange(N) * 7 % 100, [-1, 20, 50, 100])),
    "quantiles": pd.Series(pd.qcut(np.sqrt(np.arange(N) * 7 % 101), 4, precision=9)),
    "left_intervals": pd.Series(pd.cut(np.arange(N) % 9, [0, 0.1 + 0.2, 5, 10], right=False).as_unordered()),
    "time_intervals": pd.cut(pd.Series(pd.date_range("2020", periods=N, tz="Europe/Rome")), 4),
    "span_intervals": pd.cut(pd.Series(pd.to_timedelta(np.arange(N), unit="h")), 3),
}

DTYPES = {
    **INTERVALS,
    "int64": pd.Series(RNG.poisson(9, N)),
    "int8": pd.Series(RNG.poisson(9, N).astype(np.int8)),
    "uint16": pd.Series(RNG.poisson(9, N).astype(np.uint16)),
    "Int64": pd.Series(RNG.poisson(9, N), dtype="Int64"),
    "UInt8": pd.Series(RNG.poisson(9, N), dtype="UInt8"),
    "Float64": pd.Series(RNG.normal(size=N).round(2), dtype="Float64"),
    "float32": pd.Series(RNG.normal(size=N).round(1).astype(np.float32)),
    "float64": pd.Series(RNG.normal(size=N).round(3)),
    "whole_floats": pd.Series(RNG.poisson(9, N).astype(float)),
    "negative_ints": pd.Series(RNG.integers(-500, 500, N)),
    "large_ints": pd.Series(np.round(RNG.lognormal(8, 1, N)).astype(int)),
    "arrow_double": pd.Series(RNG.normal(size=N).round(2), dtype="double[pyarrow]"),
    "arrow_int": pd.Series(RNG.poisson(9, N), dtype="int64[pyarrow]"),
    "decimals_as_objects": pd.Series([Decimal(int(v)) for v in RNG.poisson(9, N)], dtype=object),
    "bool": pd.Series(some([True, False])),
    "boolean": pd.Series(some([True, False]), dtype="boolean"),
    "bool_objects": pd.Series(some([True, False]), dtype=object),
    "str": pd.Series(some(["a", "b", "c"])),
    "string": pd.Series(some(["a", "b", "c"]), dtype="string"),
    "string_objects": pd.Series(some(["a", "b", "c"]), dtype=object),
    "mixed_objects": pd.Series(some(["a", 1, 2.5]), dtype=object),
    "category": pd.Series(some(["a", "b", "c"]), dtype="category"),
    "whole_category": pd.Series(some([3, 1, 2]), dtype="category"),
    "ordered": pd.Series(pd.Categorical(some(["s", "m", "l"]), ["s", "m", "l", "xl"], ordered=True)),
    "intervals": pd.Series(pd.cut(RNG.normal(size=N), 3)),
    "int_classes": pd.Series(some([1, 2, 3, 4])),
    "float_classes": pd.Series(some([0.5, 1.0, 2.0])),
    "datetime_ns": pd.Series(pd.date_range("2020", periods=N)).astype("datetime64[ns]"),
    "datetime_s": pd.Series(pd.date_range("2020", periods=N)).astype("datetime64[s]"),
    "zoned": pd.Series(pd.date_range("2020-02-01", periods=N, tz="Europe/Berlin")),
    "zoned_hours": pd.Series(pd.date_range("2020-03-20", periods=N, freq="4h", tz="America/New_York")),
    "iso_text": pd.Series(pd.date_range("2020", periods=N).strftime("%Y-%m-%d")),
    "date_objects": pd.Series([datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(N)], dtype=object),
    "periods": pd.Series(pd.period_range("2020-01-01", periods=N, freq="D")),
    "nullable_flags": pd.Series(some([True, False]), dtype="bool[pyarrow]"),
    "arrow_uint8": pd.Series(RNG.poisson(9, N), dtype="uint8[pyarrow]"),
    "arrow_decimals": pd.Series([Decimal(int(v)) / 4 for v in RNG.poisson(9, N)], dtype=arrow(pa.decimal128(10, 2))),
    "arrow_text": pd.Series(some(["a", "b", "c"]), dtype=arrow(pa.string())),
    "arrow_large_text": pd.Series(some(["a", "b", "c"]), dtype=arrow(pa.large_string())),
    "python_strings": pd.Series(some(["a", "b", "c"]), dtype="string[python]"),
    "arrow_dictionary": pd.Series(some(["a", "b", "c"]), dtype=arrow(pa.dictionary(pa.int8(), pa.string()))),
    "arrow_classes": pd.Series(some([1, 2, 3]), dtype="int16[pyarrow]"),
    "arrow_dates": pd.Series(list(pd.date_range("2020", periods=N).date), dtype="date32[pyarrow]"),
    "arrow_zoned": pd.Series(pd.date_range("2020-02-01", periods=N, tz="Europe/Berlin")).astype(BERLIN),
    "days": pd.Series(pd.to_timedelta(RNG.integers(-3, 90, N), unit="D")).astype("timedelta64[ns]"),
    "hours": pd.Series(pd.to_timedelta(RNG.integers(0, 90, N), unit="h")).astype("timedelta64[s]"),
    "minutes": pd.Series(pd.to_timedelta(RNG.integers(0, 900, N), unit="min")).astype("timedelta64[ms]"),
    "seconds": pd.Series(pd.to_timedelta(RNG.integers(0, 900, N), unit="s")).astype("timedelta64[us]"),
    "arrow_spans": pd.Series(pd.to_timedelta(RNG.integers(0, 90, N), unit="h")).astype("duration[ms][pyarrow]"),
    "timedeltas": pd.Series([datetime.timedelta(hours=int(h)) for h in RNG.integers(0, 90, N)], dtype=object),
    "constant": pd.Series([7] * N),
    "constant_span": pd.Series([pd.Timedelta(hours=7)] * N).astype("duration[us][pyarrow]"),
    "constant_flag": pd.Series([True] * N, dtype="boolean"),
    "constant_text": pd.Series(["a"] * N),
    "constant_date": pd.Series([pd.Timestamp("2020-02-02")] * N),
}


@pytest.mark.parametrize("name", DTYPES)
def test_round_trip_of_every_dtype(name):
    frame = pd.DataFrame({"x": DTYPES[name], "other": some([0, 1])}, index=RNG.permutation(N))
    frame["x"] = DTYPES[name].array
    schema = Schema.from_json(infer_schema(frame).to_json())
    rows = encode(schema, frame)
    assert all(np.isfinite(v.astype(float)).all() for v in rows.values.values()) and not rows.mask
    back = decode(schema, rows.values, like=frame)
    fresh = decode(schema, rows.values)["x"].set_axis(frame.index)
    for column in (back["x"], fresh):
        if name == "zoned_hours":
            assert column.dtype == frame["x"].dtype
            assert (column - frame["x"]).abs().max() < pd.Timedelta(1, "min")  # float32 of days
            continue
        exact = {"check_exact": True} if frame["x"].dtype.kind in "iub" else {}
        categorical = {"check_categorical": column is not fresh or name in ("category", "intervals", *INTERVALS)}
        assert_series_equal(column, frame["x"], check_names=False, **exact, **categorical)


@pytest.mark.parametrize("name", DTYPES)
def test_holes_are_filled_and_the_rest_is_untouched(name):
    series = DTYPES[name]
    hidden = RNG.random(N) < 0.3
    with_holes = series.mask(hidden) if name not in ("bool",) else series.astype(object).mask(hidden)
    frame = pd.DataFrame({"x": with_holes, "other": some([0, 1])})
    if name.startswith("constant"):
        assert "x" not in hidden_cells(infer_schema(frame), frame)
        return
    schema = infer_schema(frame)
    rows = encode(schema, frame)
    node = next(b.node for b in schema.blocks if "x" in b.names)
    at = next(b for b in schema.blocks if b.node == node).names.index("x")
    assert np.array_equal(rows.mask[node][:, at], ~hidden)
    assert (rows.values[node][hidden, at] == 0).all()
    before = frame.copy(deep=True)
    filled = fill(frame, decode(schema, rows.values, like=frame), hidden_cells(schema, frame))
    assert_frame_equal(frame, before)
    assert (filled.dtypes == frame.dtypes).all() and filled["x"].notna().all()
    assert_series_equal(filled["x"][~hidden], frame["x"][~hidden], check_exact=True)


def test_float_bits_survive_filling():
    x = np.array([0.1 + 0.2, 1e-308, -0.0, np.nan, 1 / 3, 5.0])
    frame = pd.DataFrame({"x": x, "y": [1, 2, 3, 4, 5, 7.5]})
    schema = infer_schema(frame)
    filled = fill(frame, decode(schema, encode(schema, frame).values, like=frame), hidden_cells(schema, frame))
    assert np.array_equal(filled["x"].to_numpy().view(np.int64)[x == x], x.view(np.int64)[x == x])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("arrows", [False, True])
def test_durations_of_any_unit(unit, arrows):
    spans = pd.Series(pd.to_timedelta(RNG.exponential(90_000, N), unit="s")).astype(f"timedelta64[{unit}]")
    spans = spans.astype(f"duration[{unit}][pyarrow]") if arrows else spans
    frame = pd.DataFrame({"x": spans.mask(RNG.random(N) < 0.3)})
    schema = infer_schema(frame)
    assert schema["x"].kind == "duration" and schema["x"].codec.shift == 0
    rows = encode(schema, frame)
    back = decode(schema, rows.values, like=frame)["x"]
    assert back.dtype == frame["x"].dtype
    off = (back - frame["x"]).dropna().dt.total_seconds().abs() / frame["x"].dropna().dt.total_seconds()
    assert off.max() < 1e-4 if unit != "s" else (off[frame["x"].dropna().dt.total_seconds() > 1e5] < 1e-4).all()
    filled = fill(frame, decode(schema, rows.values, like=frame), hidden_cells(schema, frame))
    seen = frame["x"].notna()
    assert filled["x"].dtype == frame["x"].dtype and filled["x"].notna().all()
    assert filled["x"][seen].equals(frame["x"][seen])
    values = rows.values["real"].astype(np.float64)[seen, 0]
    assert abs(values.mean()) < 1e-3 and values.std() == pytest.approx(1, abs=1e-3)


def test_durations_are_not_numbers_nor_the_reverse():
    frame = pd.DataFrame({"x": pd.to_timedelta(np.arange(20), unit="h")})
    schema = infer_schema(frame)
    assert schema["x"].seen.step == 3600 and schema["x"].describe() == "0 days 00:00:00 .. 0 days 19:00:00"
    for other in (frame.assign(x=1.5), frame.assign(x="an hour"), frame.assign(x=pd.Timestamp("2020"))):
        with pytest.raises(DataError, match=r"'x': expected durations, got .*rows 0, 1.*to_timedelta"):
            encode(schema, other)
    with pytest.raises(DataError, match="expected numbers"):
        encode(infer_schema(pd.DataFrame({"x": np.arange(20) / 7})), frame)
    wild = decode(schema, {"real": np.array([[1e9], [-1e9]])})
    assert wild["x"].notna().all() and wild["x"].iloc[1] == pd.Timedelta(0)  # never negative when none was


def test_log_det_is_that_of_the_codecs():
    frame = pd.DataFrame({
        "a": RNG.lognormal(0, 1, N), "b": RNG.normal(0, 9, N), "n": RNG.poisson(5, N),
        "d": pd.date_range("2020", periods=N),
    })  # fmt: skip
    schema = infer_schema(frame)
    frame.loc[3, "a"] = np.nan
    found = log_det(schema, frame)
    assert set(found) == {"count", "real"} and (found["count"] == 0).all()
    a, b, d = (schema[k].codec for k in "abd")
    assert found["real"][3, 0] == 0.0
    assert np.allclose(found["real"][5], [-np.log(frame["a"][5]) - np.log(a.scale), -np.log(b.scale), -np.log(d.scale)])


def test_log_probability_does_not_depend_on_the_unit_but_for_its_size():
    """Metres and millimetres: log p per millimetre is log p per metre − log 1000."""
    metres = pd.DataFrame({"x": RNG.normal(1.7, 0.1, N)})
    both = []
    for frame in (metres, metres * 1000):
        schema = infer_schema(frame)
        y = encode(schema, frame).values["real"].astype(float)
        both.append((-0.5 * y**2 + log_det(schema, frame)["real"]).sum(axis=1))
    assert np.allclose(both[0] - both[1], np.log(1000), atol=1e-3)


def test_columns_in_any_order_extra_ones_ignored_and_partial():
    frame = pd.DataFrame({"a": RNG.normal(size=N), "b": some(["x", "y", "z"]), "c": some([0, 1])})
    schema = infer_schema(frame)
    shuffled = frame[["c", "b", "a"]].assign(extra="?")
    for node, array in encode(schema, frame).values.items():
        assert np.array_equal(array, encode(schema, shuffled).values[node])
    rows = encode(schema, frame[["b"]], partial=True)
    assert not rows.mask["real"].any() and not rows.mask["binary"].any() and "categorical" not in rows.mask


def test_declared_scalar_nodes():
    frame = pd.DataFrame({"y": some(["a", "b", None]), "x": RNG.normal(size=N)})
    schema = infer_schema(frame, nodes=("y", "x"))
    rows = encode(schema, frame)
    assert rows.values["y"].shape == rows.mask["y"].shape == (N,) and log_det(schema, frame)["x"].shape == (N,)
    back = decode(schema, rows.values, like=frame)
    assert_series_equal(back["x"], frame["x"], rtol=1e-6)
    assert (back["y"] == frame["y"])[frame["y"].notna()].all()


def test_integers_read_as_floats_and_back():
    """A model fitted on whole numbers meets the same column with holes, and the reverse."""
    whole, holes = pd.DataFrame({"n": RNG.poisson(9, N)}), pd.DataFrame({"n": RNG.poisson(9, N).astype(float)})
    holes.loc[0, "n"] = np.nan
    a, b = infer_schema(whole), infer_schema(holes)
    assert decode(a, encode(a, holes).values, like=holes)["n"].dtype == np.float64
    assert decode(b, encode(b, whole).values, like=whole)["n"].dtype == np.int64
    empty = pd.DataFrame({"n": [None] * 3})
    assert not encode(a, empty).mask["count"].any()
    filled = fill(empty, decode(a, encode(a, empty).values, like=empty), hidden_cells(a, empty))
    assert filled["n"].tolist() == [0, 0, 0]


def test_decoded_numbers_stay_inside_their_type():
    frame = pd.DataFrame({
        "small": RNG.poisson(9, N).astype(np.uint8), "price": RNG.lognormal(0, 1, N).round(2) + 0.01,
        "when": pd.date_range("2020", periods=N).astype("datetime64[ns]"),
    })  # fmt: skip
    schema = infer_schema(frame)
    wild = {b.node: np.full((2, *b.shape), 1e9) * [[1], [-1]] for b in schema.blocks}
    back = decode(schema, wild)
    assert (back.dtypes == frame.dtypes).all()
    assert back["small"].tolist() == [255, 0] and (back["price"] > 0).all() and back["when"].notna().all()


def test_take_and_parts():
    frame = pd.DataFrame({"a": RNG.normal(size=N), "b": some([0, 1, None])})
    rows = encode(infer_schema(frame), frame)
    kept, held = rows.parts(0.1, seed=3)
    assert (len(kept), len(held)) == (108, 12)
    assert np.array_equal(np.sort(np.concatenate([kept, held])), np.arange(120))
    assert (np.diff(kept) > 0).all() and (np.diff(held) > 0).all()
    assert np.array_equal(rows.parts(0.1, seed=3)[1], held)
    assert not np.array_equal(rows.parts(0.1, seed=4)[1], held)
    taken = rows.take([5, 2])
    assert taken.n == 2 and np.array_equal(taken.mask["binary"], rows.mask["binary"][[5, 2]])
    assert (~rows.mask["binary"]).sum() == frame["b"].isna().sum()


def test_hundreds_of_thousands_of_rows_in_seconds():
    n = 200_000
    frame = pd.DataFrame({f"n{i}": RNG.normal(size=n) for i in range(10)})
    for i in range(5):
        frame[f"c{i}"] = RNG.choice(["aa", "bb", "cc"], n)
    start = time.process_time()
    schema = infer_schema(frame)
    encode(schema, frame)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("binned", [False, True])
def test_cells_are_parsed_once(binned):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": rng.normal(size=N), "n": rng.poisson(3, N), "day": pd.date_range("2020-01-01", periods=N)}
    )
    frame["text"], frame["wait"] = (
        frame["day"].dt.strftime("%Y-%m-%d"),
        pd.to_timedelta(rng.integers(0, 99, N), unit="h"),
    )
    cells = cells_of(frame)
    schema = infer_schema(frame, cells=cells)
    schema = schema.binned() if binned else schema
    for one in cells.values():
        del one.series  # what inference parsed is all that encoding needs
    rows, total = encode_with_total(schema, frame, cells)
    again, log_det = encode_with_log_det(schema, frame)
    assert all(np.array_equal(rows.values[n], x) for n, x in again.values.items()) and len(rows.values) < 3
    assert total == pytest.approx(sum(x.sum() for x in log_det.values()), rel=1e-12)


def test_ends_of_intervals_fill_nullable_columns():
    frame = pd.DataFrame({"n": pd.array([1, None, 3], "Int64"), "s": pd.array(["a", "b", None], "string")})
    schema = infer_schema(frame, kinds={"n": "count", "s": "categorical"})
    ends = [frame.assign(n=pd.array([0, k, 0], "Int64"), s=pd.array(["a", "b", None], "string")) for k in (2, 9)]
    low, high = between(schema, frame, *ends)
    assert low["n"].tolist() == [1, 2, 3] and high["n"].tolist() == [1, 9, 3] and low["s"].isna().tolist()[2]
