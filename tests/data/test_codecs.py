"""Codecs: round trips, and log-determinants against finite differences."""

import math

import numpy as np
import pytest

from laten.common.errors import DataError
from laten.data.columns.codecs import (  # fmt: skip
    Codec,
    Date,
    Identity,
    Log,
    Standardise,
    choose_codec,
    fit_codecs,
)
from laten.data.histogram.find_bins import fit_histogram, loc_and_scale
from laten.data.records import read

CODECS = [Identity(), Standardise(3.0, 2.5), Log(0.7, 1.3), Log(0.7, 1.3, 0.5), Date(20.0, 40.0)]
EVERY = [*CODECS, fit_histogram(np.random.default_rng(0).lognormal(0, 2, 500)), fit_histogram(np.arange(50.0), 1.0)]
X = np.array([0.01, 0.5, 1.0, 7.0, 123.4])


@pytest.mark.parametrize("codec", CODECS, ids=str)
def test_round_trip_and_log_det(codec):
    assert np.allclose(codec.decode(codec.encode(X)), X, rtol=1e-9, atol=1e-9)
    h = 1e-6 * X
    slope = (codec.encode(X + h) - codec.encode(X - h)) / (2 * h)
    assert np.allclose(codec.log_det(X), np.log(np.abs(slope)), atol=1e-6)
    assert np.isnan(codec.encode(np.array([np.nan]))).all()


def test_density_in_own_scale_integrates_to_one():
    codec = Log(1.0, 0.5, 0.25)
    x = np.linspace(-0.2499, 60, 400_001)
    log_p = -0.5 * codec.encode(x) ** 2 - 0.5 * math.log(2 * math.pi) + codec.log_det(x)
    assert abs(np.trapezoid(np.exp(log_p), x) - 1) < 1e-4
    without = np.exp(log_p - codec.log_det(x))  # control: leaving the log-determinant out is no density
    assert abs(np.trapezoid(without, x) - 1) > 0.1


@pytest.mark.parametrize("codec", EVERY, ids=lambda codec: str(codec)[:40])
def test_contract(codec):
    """What every codec promises, a histogram's too: its code is that of the number it stands for, of finite density."""
    y = codec.encode(X)
    assert np.allclose(codec.encode(codec.decode(y)), y, rtol=1e-9, atol=1e-9)
    assert y.shape == codec.decode(y).shape == codec.log_det(X).shape == X.shape
    assert np.isfinite(codec.log_det(X)).all() and codec.decode(y).dtype == codec.log_det(X).dtype == np.float64
    assert np.all(np.diff(y) >= 0) and len({*EVERY}) == len(EVERY)


@pytest.mark.parametrize("codec", EVERY, ids=lambda codec: str(codec)[:40])
def test_json_round_trip(codec):
    assert read(codec.to_json(), Codec, "codec") == codec


@pytest.mark.parametrize("x", [[5.0, 5.0], [0.0, 0.0], [1e300, -1e300, 1e308], [1e-310, 2e-310], [7.0]])
def test_scale_is_never_zero(x):
    loc, scale = loc_and_scale(np.array(x))
    assert math.isfinite(loc) and math.isfinite(scale) and scale > 0
    for codec in fit_codecs(np.array(x)):
        assert np.isfinite(codec.encode(np.array(x))).all()


def test_fitted_values_are_of_order_one():
    x = np.random.default_rng(0).lognormal(5, 2, 1000)
    for kind in ("real", "positive"):
        y = choose_codec(kind, fit_codecs(x)).encode(x)
        assert abs(y.mean()) < 1e-9 and abs(y.std() - 1) < 1e-9
    assert choose_codec("positive", fit_codecs(np.array([-1.0, 2.0]))) is None
    assert choose_codec("positive", fit_codecs(np.array([0.0, 2.0, 4.0]))).shift > 0


@pytest.mark.parametrize(
    ("damaged", "word"),
    [
        ({"codec": "pickle"}, r"codec\.codec: Invalid value 'pickle'"),
        ({"codec": "standardise", "loc": 0.0, "scale": 0.0}, "> 0.0"),
        ({"codec": "standardise", "loc": float("nan"), "scale": 1.0}, r"codec\.loc: Expected `float` >= -1.79"),
        ({"codec": "standardise", "loc": 0.0}, "missing"),
        ({"codec": "log", "loc": 0.0, "scale": 1.0, "shift": -1.0}, "shift"),
        (
            {"codec": "date", "loc": 0.0, "scale": 1.0, "whole": 1, "style": "datetime"},
            r"codec\.whole: Expected `bool`",
        ),
        ({"codec": "date", "loc": 0.0, "scale": 1.0, "whole": True, "style": "%s"}, "one of"),
        ({"codec": "identity", "extra": 1}, "unknown field"),
    ],
)
def test_damaged_json(damaged, word):
    with pytest.raises(DataError, match=word):
        read(damaged, Codec, "codec")
