"""Evidence as text, at every door: what each form says, what is refused, and how draws keep to it."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.classical.question import evidence_of, parse_question
from laten.cli.evidence import evidence
from laten.common.errors import DataError
from laten.data.rows.evidence import interval, single
from laten.data.rows.evidence_text import named, range_in, understood
from laten.data.schema.infer import infer_schema

RNG = np.random.default_rng(0)
N = 300
FRAME = pd.DataFrame({
    "day": pd.Timestamp("2012-06-01") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D"),
    "at": pd.Timestamp("2013-01-01", tz="Europe/Berlin") + pd.to_timedelta(RNG.integers(0, 60_000, N), unit="min"),
    "born": [dt.date(1950, 1, 1) + dt.timedelta(days=int(v)) for v in RNG.integers(0, 9000, N)],
    "visits": RNG.poisson(2, N), "cost": RNG.lognormal(3, 1, N).round(2), "x": RNG.normal(size=N),
    "level": RNG.integers(0, 250, N).astype("uint8"), "stay": pd.to_timedelta(RNG.integers(1, 90, N), unit="h"),
    "income": RNG.choice([">50K", "<=50K"], N), "city": RNG.choice(["Rome", "Oslo", "Lima"], N),
    "size": pd.Categorical(RNG.choice(["small", "mid", "large"], N), ["small", "mid", "large"], ordered=True),
})  # fmt: skip
SCHEMA = infer_schema(FRAME).binned()


def says(name: str, text: str):
    found = understood(SCHEMA[name], text)
    return interval(SCHEMA[name], found) if isinstance(found, lt.between) else found


def days(text: str) -> float:
    return (pd.Timestamp(text) - pd.Timestamp(0)) / pd.Timedelta(days=1)


def test_ranges_open_and_closed():
    low, high = np.nextafter(1, 2), np.nextafter(4, 3)
    assert says("x", "-1..1") == (-1, 1) and says("x", "..1") == (-np.inf, 1) and says("x", "1e-3..") == (0.001, np.inf)
    assert says("x", "(1..4]") == (low, 4) and says("x", "[1 .. 4)") == (1, high) and says("x", "(1..4)") == (low, high)
    assert says("x", ">1") == (low, np.inf) and says("x", "<= 4") == (-np.inf, 4) and says("x", "<4")[1] == high
    assert (
        says("x", "is missing") == lt.missing and says("x", "2") == 2 and says("stay", "2 days") == pd.Timedelta("2D")
    )
    assert range_in("..") is None and range_in("Rome") is None
    for text in ("-1..1", ">1", "(1..4]", "[1..4)", "<=4", "(1..4)"):
        assert str(understood(SCHEMA["x"], text)) == text


def test_dates_by_day_month_and_year():
    def ends(text):
        low, high = says("day", text)
        return low, high + 1  # the first day that is outside

    assert ends("2013") == (days("2013-01-01"), days("2014-01-01"))
    assert ends("2013-02") == (days("2013-02-01"), days("2013-03-01"))
    assert ends("2013..2014-03") == (days("2013-01-01"), days("2014-04-01"))
    assert ends(">2013")[0] == days("2014-01-01") and ends(">=2013")[0] == days("2013-01-01")
    assert ends("<2013")[1] == days("2013-01-01") and ends("<=2013")[1] == days("2014-01-01")
    assert says("day", "2013-02-03") == pd.Timestamp("2013-02-03")
    low, high = says("at", "2013-01-15")  # a day of a column that has times, in its own zone
    assert (low, high) == pytest.approx((days("2013-01-14 23:00"), days("2013-01-15 22:59")), abs=1e-8)
    assert single(SCHEMA["at"], pd.Timestamp("2013-01-15 12:00")) == days("2013-01-15 11:00")


def test_levels_come_before_grammar_and_ranks_have_an_order():
    assert says("income", ">50K") == ">50K" and says("income", "<=50k") == "<=50K" and says("city", "rome") == "Rome"
    assert understood(SCHEMA["size"], ">small") == lt.between("small", closed="neither")
    assert understood(SCHEMA["size"], "small..mid") == lt.between("small", "mid")


REFUSED = [
    ("visits", "-5..-1", "no value fits.*0 .. "), ("visits", "2.2..2.8", "no value fits"),
    ("cost", "-5..-1", "no value fits"), ("level", ">255", "no value fits"),
    ("cost", "1.001..1.004", "no value fits"), ("x", "tall", "expected a number, got 'tall'"),
    ("x", "4..1", "exchange"), ("day", "soon", "expected a date"), ("day", "03/04/2013", "expected a date"),
    ("city", "Rom", "did you mean 'Rome'"), ("city", ">Lima", "no order"), ("size", "..huge", "'huge'.*never seen"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "words"), REFUSED)
def test_what_cannot_be_is_refused_by_name(name, text, words):
    with pytest.raises(DataError, match=words):
        says(name, text)
    with pytest.raises(DataError, match=r"never seen|closed"):
        lt.between(1, 2, closed="maybe") if name == "x" else says("city", "Paris")


@pytest.mark.parametrize("value", [300, -1, 5.5])
def test_a_value_that_the_column_cannot_hold_is_refused(value):
    with pytest.raises(DataError, match=r"'level' is whole numbers.*uint8"):
        single(SCHEMA["level"], value)


def test_names_and_values_are_told_apart():
    names = ["age", "age=", "b", 7]
    assert named("age=40", names) == ("age", "40") and named("age>40", names) == ("age", ">40")
    assert named("age=>40", ["age"]) == ("age", ">40") and named("age <= 40", ["age"]) == ("age", "<= 40")
    assert named("b is missing", names) == ("b", "is missing") and named("7=1", names) == (7, "1")
    assert named("c=1", names) is None and named("age", names) is None


def test_questions_to_discrete_networks_take_ranges_of_states_that_are_numbers():
    states = {"age": ("10", "20", "30"), "sex": ("f", "m"), "y": ("a", "b")}

    def codes(text):
        found = evidence_of(states, parse_question(f"P(y | {text})").given)
        return found.codes | found.sets

    assert codes("age>=20, sex=f") == {"age": (1, 2), "sex": 0} and codes("age > 20") == {"age": 2}
    assert codes("age=10..20") == {"age": (0, 1)} and codes("age<15") == {"age": 0}
    assert codes("age is missing") == {} and evidence_of(states, {"age": lt.missing}).names == set()
    assert evidence_of(states, {"age": lt.between(15)}).sets == {"age": (1, 2)}
    for text, words in (("sex>3", "no numbers"), ("age>99", "no state lies"), ("sex=x", "no state 'x'")):
        with pytest.raises(DataError, match=words):
            codes(text)


@pytest.fixture(scope="module")
def vae() -> lt.VAE:
    return lt.VAE(epochs=1, latent=2, width=8).fit(FRAME)


KEPT = {
    "day": ("2013-02", lambda s: (s.dt.year == 2013) & (s.dt.month == 2)),
    "at": ("2013-01-15", lambda s: s.dt.date == dt.date(2013, 1, 15)),
    "visits": (">2", lambda s: s > 2),
    "cost": ("(10..20)", lambda s: (s > 10) & (s < 20)),
    "size": (">=mid", lambda s: s.isin(["mid", "large"])),
    "stay": ("<2 days", lambda s: s < pd.Timedelta("2D")),
}


@pytest.mark.trains
@pytest.mark.filterwarnings("ignore:sample")
@pytest.mark.parametrize("name", KEPT)
def test_draws_keep_to_what_is_said(vae, name):
    text, right = KEPT[name]
    rows = vae.sample(60, given={name: text})
    assert right(rows[name]).all() and not right(vae.sample(60)[name]).all()
    assert (rows.dtypes == FRAME.dtypes).all()


@pytest.mark.trains
@pytest.mark.filterwarnings("ignore:sample", "ignore:given")
def test_one_value_comes_back_in_the_column_s_own_type(vae):
    given = {
        "at": "2013-01-15 07:00",
        "born": "1960-05-01",
        "level": 30,
        "cost": 12.34,
        "stay": "36h",
        "day": "2013-02-03",
    }
    row = vae.sample(2, given=given).iloc[1]
    assert row["at"] == pd.Timestamp("2013-01-15 07:00", tz="Europe/Berlin") and row["born"] == dt.date(1960, 5, 1)
    assert (row["level"], row["cost"]) == (30, 12.34) and row["stay"] == pd.Timedelta("36h")
    assert row["day"] == pd.Timestamp("2013-02-03")
    typed = evidence(vae, [f"{name}={value}" for name, value in given.items()])
    assert vae.sample(2, given=typed).equals(vae.sample(2, given=given))
    matrix = FRAME[["x", "cost"]].to_numpy()
    assert (lt.VAE(epochs=1, latent=2, width=8).fit(matrix).sample(3, given={0: 1.0})[:, 0] == 1.0).all()


@pytest.mark.trains
@pytest.mark.filterwarnings("ignore:sample")
def test_a_hidden_cell_tells_nothing_unless_holes_are_modelled(vae):
    given = {"city": "Rome", "x": lt.missing}
    assert vae.sample(5, given=given).equals(vae.sample(5, given={"city": "Rome"}))
    proba = vae.predict_proba(FRAME[["x"]].head(3), "city", given={"visits": ">2"})
    assert proba.shape == (3, 3) and np.allclose(proba.sum(axis=1), 1)
    holed = FRAME[["city", "x"]].assign(y=np.where(FRAME["x"] > 0, np.nan, RNG.normal(size=N)))
    informed = lt.VAE(epochs=1, latent=2, width=8, missing="informative").fit(holed)
    found, _, _ = informed.view_.evidence({"y": informed.view_.understood("y", "is missing")})
    same = informed.view_.rows(pd.DataFrame({"y": [None]}), partial=True)  # a row whose cell is empty
    assert all(np.array_equal(found.values[n], same.values[n]) for n in same.values) and found.mask["number"].any()
    assert not vae.view_.evidence({"x": lt.missing})[0].mask["number"].any()  # control
    both = informed.sample(40, given={"x": "<0", "y": 0.5, "city": ["Rome", "Oslo"]})
    assert (both["x"] < 0).all() and (both["y"] == 0.5).all() and set(both["city"]) <= {"Rome", "Oslo"}


def test_values_may_be_written_as_in_the_file_that_was_fitted(tmp_path):
    rows = [f"{i % 28 + 1:02d}.{i % 12 + 1:02d}.2020;{i + 1}.000,5;{'sun' if i % 3 else 'rain'}" for i in range(60)]
    (tmp_path / "de.csv").write_text("\n".join(["day;pay;sky", *rows]))
    schema = infer_schema(lt.read(tmp_path / "de.csv")).binned()
    assert schema["pay"].notation.thousands == "."
    assert understood(schema["pay"], "7.000,5") == 7000.5 == understood(schema["pay"], "7000.5")
    assert understood(schema["pay"], "7.000,5..9.000,5") == lt.between(7000.5, 9000.5)
    assert understood(schema["day"], "13.12.2020") == pd.Timestamp("2020-12-13")
    assert understood(schema["day"], "2020-12-13") == pd.Timestamp("2020-12-13")
    assert understood(schema["sky"], "'sun'") == understood(schema["sky"], '"sun"') == "sun"
    with pytest.raises(DataError, match=r"such as 2024-12-31 or 31\.12\.2024"):
        understood(schema["day"], "32.12.2020")
    with pytest.raises(DataError, match="expected a number"):
        understood(schema["pay"], "7;5")
