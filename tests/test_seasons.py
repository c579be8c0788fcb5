"""Dates by the calendar: the season enters the model, and months are evidence."""

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.common.errors import DataError
from laten.data.rows.calendar_names import named_days
from laten.data.schema.infer import infer_schema


def weather(years=4, seed=0):
    """Daily weather with a season, dates as text."""
    rng = np.random.default_rng(seed)
    day = pd.date_range("2012-01-01", periods=365 * years + 1)
    angle = 2 * np.pi * (day.day_of_year.to_numpy() - 1) / 365.25
    noise = np.zeros(len(day))
    for i in range(1, len(day)):
        noise[i] = 0.6 * noise[i - 1] + 2.8 * rng.normal()
    high = np.round(16 - 10.5 * np.cos(angle - 0.35) - 1.5 * np.cos(2 * angle) + noise, 1)
    wet = rng.random(len(day)) < 0.43 + 0.25 * np.cos(angle)
    kind = np.where(wet, np.where((high < 3) & (rng.random(len(day)) < 0.8), "snow", "rain"), "sun")
    return pd.DataFrame({
        "date": day.strftime("%Y-%m-%d"), "precipitation": np.where(wet, rng.gamma(0.8, 8, len(day)) + 0.1, 0).round(1),
        "temp_max": high, "temp_min": np.round(0.6 * high - 1.5 + 2 * rng.normal(size=len(day)), 1),
        "wind": (rng.gamma(6, 0.55, len(day)) + 0.4).round(1), "weather": kind,
    })  # fmt: skip


def months(frame):
    """Mean of temp_max by month."""
    return frame.groupby(pd.to_datetime(frame["date"]).dt.month)["temp_max"].mean()


@pytest.mark.slow
def test_a_season_is_learned_from_dates_as_text():
    """Few epochs are enough for most of it: without the season all months would have the same mean."""
    frame = weather()[["date", "temp_max"]]
    vae = lt.VAE(epochs=80).fit(frame)
    found, truth = months(vae.sample(30_000)), months(frame)
    assert np.polyfit(truth, found, 1)[0] > 0.7 and np.abs(found - truth).max() < 4
    assert np.abs(truth - truth.mean()).max() > 10  # control


@pytest.mark.slow
def test_every_month_given_is_within_a_degree_and_a_half():
    frame = weather()
    vae, truth = lt.VAE().fit(frame), months(weather())
    names = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
             "November", "December")  # fmt: skip
    found = [vae.sample(4000, given={"date": name}) for name in names]
    assert all((pd.to_datetime(rows["date"]).dt.month == i + 1).all() for i, rows in enumerate(found))
    off = [rows["temp_max"].mean() - truth[i + 1] for i, rows in enumerate(found)]
    assert np.abs(off).max() < 1.5


def test_names_of_months_and_weekdays_are_their_days():
    column = infer_schema(weather())["date"]
    january = pd.DatetimeIndex(named_days(column, "January"))
    assert len(january) == 4 * 31 and set(january.month) == {1} and set(january.year) == {2012, 2013, 2014, 2015}
    assert named_days(column, " jan ") == list(january)
    assert set(pd.DatetimeIndex(named_days(column, "Mon")).day_of_week) == {0}
    assert named_days(column, "2013-01-01") is None
    assert named_days(infer_schema(weather())["weather"], "May") is None
    spring = infer_schema(weather()[60:100])["date"]
    with pytest.raises(DataError, match="no January was seen; values seen: 2012-03-01"):
        named_days(spring, "January")
    times = pd.DataFrame({"at": pd.date_range("2020-01-01", periods=300, freq="97min")})
    with pytest.raises(DataError, match="times of day"):
        named_days(infer_schema(times)["at"], "January")
