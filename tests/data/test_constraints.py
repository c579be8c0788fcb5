"""Constraints: how they are written; those in the data are found, and no others; rows are made to keep them."""

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.common.errors import DataError
from laten.data.constraint_text import parsed
from laten.data.constraints import Bounds, FixedCombinations, Follows, Inequality, Product, Sum
from laten.data.rows.keep_ties import keep, keep_given, torn

N = 600
NAMES = ["start", "end", "a", "b", "total", "city", "state", "hours per week", "capital-gain", 0, 1]


def shop(rows: int = N) -> pd.DataFrame:
    """Every sort of tie, and columns that have none."""
    rng = np.random.default_rng(0)
    city = rng.integers(0, 20, rows)
    frame = pd.DataFrame(
        {
            "start": pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D"),
            "stay": rng.integers(0, 15, rows),
            "city": city.astype(str),
            "a": rng.poisson(4, rows),
            "b": rng.poisson(6, rows),
            "price": rng.gamma(2, 10, rows).round(2),
            "n": rng.integers(1, 9, rows),
            "celsius": rng.normal(15, 8, rows).round(1),
            "noise": rng.normal(15, 8, rows).round(1),
            "coin": rng.integers(0, 2, rows),
            "key": rng.permutation(rows) + 0.5,
        }
    )
    frame["city"] = "c" + frame["city"]
    frame["state"] = [f"s{c % 6}" for c in city]
    frame["country"] = ["x" if c % 6 < 2 else "y" for c in city]
    frame["end"] = frame["start"] + pd.to_timedelta(frame["stay"], unit="D")
    frame["seen"] = frame["start"] + pd.to_timedelta(rng.gamma(1, 20, rows).round(), unit="D")
    frame["total"] = frame["a"] + frame["b"]
    frame["amount"] = (frame["price"] * frame["n"]).round(2)
    frame["fahrenheit"] = (1.8 * frame["celsius"] + 32).round(1)
    return frame


SHOP = {"end = start + stay", "total = a + b", "amount = price * n", "fahrenheit = 1.8 * celsius + 32", "city -> state",
        "state -> country", "start <= seen"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ("total = a + b", Sum("total", ("a", "b"))),
        ("total=2*a - b+3", Sum("total", ("a", "b"), (2.0, -1.0), 3.0)),
        ("total = -a + b - 4.5", Sum("total", ("a", "b"), (-1.0, 1.0), -4.5)),
        ("total = a × b", Product("total", ("a", "b"))),
        ("city -> state", Follows("state", ("city",))),
        ("a, city → state", Follows("state", ("a", "city"))),
        ("city, state", FixedCombinations(("city", "state"))),
        ("end ≥ start", Inequality("start", "end")),
        ("start < end", Inequality("start", "end", strict=True)),
        ("0 <= a <= 1", Bounds("a", 0.0, 1.0)),
        ("a >= -1", Bounds("a", -1.0)),
        ("hours per week <= capital-gain", Inequality("hours per week", "capital-gain")),
        ('"hours per week" <= `capital-gain`', Inequality("hours per week", "capital-gain")),
        ("`0` <= `1`", Inequality(0, 1)),
    ],
)
def test_a_constraint_is_read_from_its_text_and_written_again(text, constraint):
    assert parsed(text, NAMES) == constraint
    assert parsed(str(constraint), NAMES) == constraint


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("total", "no relation"),
        ("total = ", "no column stands right"),
        ("total = a +", "nothing behind"),
        ("total = a ++ b", "nothing behind"),
        ("total = a + a", "twice"),
        ("total = a * b + 1", "stands alone"),
        ("sart <= end", "did you mean 'start'"),
        ("a <= b < total", "expected"),
        ("a < 3", "<= and >="),
        ("3 <= a <= 1", "above"),
        ("-> a", "commas"),
        ("total = a = b", "twice"),
    ],
)
def test_a_text_that_is_none_says_what_is_expected(text, word):
    with pytest.raises(DataError, match=word):
        parsed(text, NAMES)


def test_ties_in_the_data_are_found_and_no_others():
    schema = lt.infer_schema(shop())
    assert {str(c) for c in schema.constraints} == SHOP
    order = [str(c) for c in schema.constraints]
    assert order.index("city -> state") < order.index("state -> country")
    rng = np.random.default_rng(1)
    shuffled = shop().apply(lambda s: s.sample(frac=1, random_state=rng.integers(1 << 30)).to_numpy())
    assert not lt.infer_schema(shuffled).constraints  # the control: the same columns, row by row by chance
    few = lt.infer_schema(shop(12))
    assert not few.constraints  # too few rows to tell


def test_a_relation_that_one_row_breaks_is_mentioned_and_not_kept():
    frame = shop()
    frame.loc[7, "total"] += 1
    frame.loc[9, "state"] = "s1" if frame.loc[9, "state"] != "s1" else "s2"
    schema = lt.infer_schema(frame)
    assert {"total = a + b", "city -> state"}.isdisjoint({str(c) for c in schema.constraints})
    near = [r.text for r in schema.worth_a_look if r.what == "nearly"]
    assert any("total = a + b" in t and "row 7" in t for t in near) and any(
        "city -> state" in t and "row 9" in t for t in near
    )
    for row in range(20):
        frame.loc[row, "total"] += 1
    assert not any("total" in r.text for r in lt.infer_schema(frame).worth_a_look)


def test_sums_of_many_columns_and_copies():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.poisson(9, (300, 5)), columns=[f"q{i}" for i in range(5)])
    frame["year"] = frame.sum(axis=1)
    frame["again"] = frame["q3"]
    frame["part"] = frame["q0"] + frame["q2"] + frame["q4"]
    found = {str(c) for c in lt.infer_schema(frame).constraints}
    assert found == {"again = q3", "year = q0 + q1 + q2 + q3 + q4", "part = q0 + q2 + q4"}


@pytest.mark.parametrize(("offset", "found"), [(0.5, "n = a - 0.5"), (0.6, "n = a - 0.6"), (None, "n = a")])
def test_a_line_that_holds_exactly_is_no_rounding(offset, found):
    """A whole number beside the same and a half is not its rounding, which would be wrong in half of the rows."""
    rng = np.random.default_rng(0)
    n = rng.integers(0, 60, N)
    a = n + (rng.uniform(-0.4, 0.4, N) if offset is None else offset)
    schema = lt.infer_schema(pd.DataFrame({"a": a, "n": n, "free": rng.normal(size=N)}))
    assert [str(c) for c in schema.constraints] == [found]


def test_what_is_declared_is_checked_on_all_rows():
    frame = shop()
    told = ["celsius <= fahrenheit", "-50 <= noise <= 60", "city, coin"]
    frame["celsius"] = frame["celsius"].clip(lower=0)
    frame["fahrenheit"] = (1.8 * frame["celsius"] + 32).round(1)
    schema = lt.infer_schema(frame, constraints=told)
    assert {"celsius <= fahrenheit", "-50 <= noise <= 60", "city, coin", "total = a + b"} <= {
        str(c) for c in schema.constraints
    }
    assert schema["noise"].bounds == (-50, 60)
    for text, word in (
        ("noise <= celsius", r"broken by rows \d+"),
        ("coin -> city", "broken by row"),
        ("total = a", "broken by row"),
        ("0 <= noise", "broken by row"),
        ("price -> city", "must be of classes"),
        ("city <= state", "must be of numbers"),
        ("a = total - b", None),
    ):
        if word is None:
            assert {str(c) for c in lt.infer_schema(frame, constraints=[text]).constraints} >= {text}
            continue
        with pytest.raises(DataError, match=word):
            lt.infer_schema(frame, constraints=[text])
    with pytest.raises(DataError, match="follows from itself"):
        lt.infer_schema(frame, constraints=["a = total - b", "total = a + b"])


def test_constraints_stand_in_the_file_of_a_schema_and_in_json():
    frame = shop()
    schema = lt.infer_schema(frame, constraints=["-50 <= noise <= 60"])
    assert lt.read_schema(schema.to_toml(), frame) == schema
    assert lt.Schema.from_json(schema.to_json()) == schema
    less = schema.without_constraints("total = a + b")
    assert "total = a + b" not in less.to_toml() and lt.read_schema(less.to_toml(), frame) == less
    assert not schema.without_constraints().constraints
    with pytest.raises(DataError, match="did you mean 'total = a \\+ b'"):
        schema.without_constraints("total = a+b")
    frame.loc[3, "total"] += 1
    with pytest.raises(DataError, match=r"'total = a \+ b' is broken by row 3: total="):
        lt.read_schema(schema.to_toml(), frame)
    with pytest.raises(DataError, match=r"line \d+: constraint 'a \? b'"):
        lt.read_schema(schema.to_toml().replace("total = a + b", "a ? b"), frame)


def test_later_rows_that_break_a_tie_are_noted():
    schema, later = lt.infer_schema(shop()), shop()
    assert not schema.check(later)
    later.loc[[3, 8], "total"] += 1
    found = schema.check(later)
    assert [(f.what, f.broken, f.rows, f.column) for f in found] == [("constraint", False, 2, "total")]
    assert "total = a + b: not so in rows 3, 8" in str(found)


def noise(frame: pd.DataFrame, rows: int = 2000) -> pd.DataFrame:
    """Rows whose columns have nothing to do with one another, as a bad model would draw them."""
    rng = np.random.default_rng(3)
    return pd.DataFrame({n: frame[n].to_numpy()[rng.integers(0, len(frame), rows)] for n in frame})


def test_draws_of_any_model_are_made_to_keep_ties():
    schema, drawn = lt.infer_schema(shop()), noise(shop())
    assert set(torn(schema, drawn)) == SHOP  # the control
    kept = keep(schema, drawn, {}, np.random.default_rng(0))
    assert not torn(schema, kept)
    assert list(kept.dtypes) == list(drawn.dtypes)
    for name in ("price", "n", "a", "b", "celsius", "city", "noise", "coin"):
        pd.testing.assert_series_equal(kept[name], drawn[name])  # what nothing computes stays
    assert (kept["total"] == kept["a"] + kept["b"]).all()


@pytest.mark.parametrize(
    "given", [["total"], ["total", "a"], ["country"], ["state", "end"], ["end"], ["start"], ["amount"], ["seen"]]
)
def test_what_is_known_stays_and_the_rest_gives_way(given):
    schema, drawn = lt.infer_schema(shop()), noise(shop())
    kept, left = keep_given(schema, drawn, given, np.random.default_rng(0))
    assert not torn(schema, kept) and not left
    changed = kept[given].ne(drawn[given]).any(axis=1)
    assert changed.mean() <= (0.6 if len(given) > 1 else 0)  # rows that cannot be are replaced by whole others
    assert (kept[["a", "b", "stay", "price"]].min() >= 0).all()


def test_terms_give_way_where_a_total_cannot_be():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"gross": rng.poisson(20, N) + 30, "tax": rng.poisson(15, N)})
    frame["net"] = frame["gross"] - frame["tax"]
    schema = lt.infer_schema(frame, constraints=["net = gross - tax"])
    assert list(map(str, schema.constraints)) == ["net = gross - tax"]  # and not the same once more, the other way
    drawn = noise(frame)
    drawn.loc[:99, "tax"] = 200
    kept = keep(schema, drawn, {}, np.random.default_rng(0))
    assert not torn(schema, kept) and kept.min().min() >= 0


def test_combinations_and_strict_order():
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 5, N)
    frame = pd.DataFrame({"x": pairs.astype(str), "y": ((pairs + rng.integers(0, 2, N)) % 5).astype(str),
                          "low": rng.normal(0, 1, N).round(2)})  # fmt: skip
    frame["high"] = frame["low"] + rng.gamma(1, 1, N).round(2) + 0.01
    schema = lt.infer_schema(frame, constraints=["x, y", "low < high"])
    drawn = noise(frame)
    assert set(torn(schema, drawn)) == {"x, y", "low < high"}
    for known in ([], ["y"], ["high"], ["low"]):
        kept, left = keep_given(schema, drawn, known, np.random.default_rng(0))
        assert not torn(schema, kept) and not left
        assert kept[known].equals(drawn[known])
    shares = kept.groupby(["x", "y"]).size()
    assert len(shares) == 10 and set(shares.index) == set(map(tuple, frame[["x", "y"]].to_numpy().tolist()))


def test_a_text_of_times_with_and_without_zones_is_looked_at():
    when = [
        f"{day}{'-02-02' * (i % 2)}"
        for i, day in enumerate(pd.date_range("2024-01-01", periods=300).strftime("%Y-%m-%d"))
    ]
    found = lt.infer_schema(pd.DataFrame({"x": np.arange(300) / 7, "when": when}))
    assert any("dates" in remark.text for remark in found.worth_a_look)


def test_worth_a_look():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "income": np.where(rng.random(N) < 0.1, -999, rng.gamma(2, 20_000, N).round()),
            "born": pd.Timestamp("1960-01-01") + pd.to_timedelta(rng.integers(0, 9000, N), unit="D"),
            "money": [f"${v:,.2f}" for v in rng.gamma(2, 2000, N)],
            "sex": rng.choice(["male", "female", "Male", "female "], N),
            "rain": np.where(rng.random(N) < 0.6, 0, rng.gamma(1, 5, N).round(1)),
            "customer_id": rng.integers(0, 300, N),
            "plain": rng.normal(0, 1, N),
        }
    )
    frame.loc[rng.random(N) < 0.1, "born"] = pd.Timestamp("1900-01-01")
    found = lt.infer_schema(frame).worth_a_look
    by_column = {r.columns[0]: r for r in found}
    assert {r.columns[0]: r.what for r in found} == {"income": "missing", "born": "missing", "money": "aside",
                                                     "sex": "labels", "rain": "ties", "customer_id": "id"}  # fmt: skip
    assert by_column["income"].option == "--missing 'income=-999'" and "-999 in" in by_column["income"].text
    assert by_column["born"].option == "--missing 'born=1900-01-01'"
    scope = {"frame": frame.copy(), "pd": pd}
    exec(by_column["income"].python, scope)  # what a remark advises works
    exec(by_column["born"].python, scope)
    again = lt.infer_schema(scope["frame"])
    assert not {"income", "born"} & {r.columns[0] for r in again.worth_a_look} and again["born"].seen.missing > 30
    assert "Worth a look:" in str(lt.infer_schema(frame)) and "-999" in str(lt.infer_schema(frame))
    assert not lt.infer_schema(frame[["plain"]].assign(other=rng.normal(size=N))).worth_a_look
