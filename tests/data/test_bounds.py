"""Hard edges of columns: found where the data show them, nothing drawn beyond, every number with a density."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

import laten as lt
from laten.data.histogram.find_bins import fit_histogram

N = 1000
RNG = np.random.default_rng(0)
RAIN = np.where(RNG.random(N) < 0.6, 0.0, RNG.gamma(0.8, 6, N))
BOUNDED = {  # numbers, grid, low, high
    "rain": (RAIN, None, 0, None),
    "rain_tenths": (RAIN.round(1), 10.0, 0, None),
    "share": (RNG.random(N), None, 0, 1),
    "share_that_tapers": (RNG.beta(2, 2, N), None, 0, 1),
    "score": (RNG.normal(60, 15, N).clip(0, 100), None, 0, 100),
    "percent": (RNG.uniform(0, 100, N), None, 0, 100),
    "adults": (RNG.normal(20, 15, N).clip(18, 95).round(), 1.0, 18, None),
    "debts": (-RNG.gamma(2, 100, N), None, None, 0),
    "counts": (RNG.poisson(3, N).astype(float), 1.0, 0, None),
    "far_from_zero": (RNG.normal(1e6, 1e3, N), None, 0, None),
    "both_signs": (RNG.normal(0, 1, N), None, None, None),
    "below_a_hundred": (RNG.normal(40, 12, N).clip(1), None, 0, None),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_edges_are_found_and_nothing_is_drawn_beyond(name):
    x, grid, low, high = BOUNDED[name]
    bins = fit_histogram(x, grid)
    found = bins.kept()
    assert found[0] == (-np.inf if low is None else low)
    assert found[1] == (np.inf if high is None else high) or (high is None and found[1] >= x.max())
    frame = lt.infer_schema(pd.DataFrame({"x": x, "y": RNG.normal(size=N)})).binned()
    codes = RNG.integers(0, bins.size, 20_000)
    drawn = bins.snap(bins.draw(codes, RNG.random(20_000), *bins.kept()))
    assert drawn.min() >= found[0] and drawn.max() <= found[1]
    assert frame["x"].bounds == pytest.approx(found)
    assert np.isfinite(bins.log_det(np.array([-1e9, -1.0, 0.0, 1.0, 1e9]))).all()


@pytest.mark.parametrize("name", ["share", "share_that_tapers", "percent", "debts"])
def test_the_density_lies_between_the_edges(name):
    x, grid, low, high = BOUNDED[name]
    bins = fit_histogram(x, grid)
    mass = np.diff(bins._bounds) / bins._bounds[-1]  # of bins, as a model of one column would have them

    def density(v):
        v = np.array([v])
        return float(np.exp(bins.log_det(v))[0] * mass[bins.encode(v)[0]])

    edges = np.unique([*bins.edges])
    inside = sum(quad(density, a, b, limit=50)[0] for a, b in pairwise(edges))
    if low is not None and high is not None:
        assert inside == pytest.approx(1, abs=1e-4)
    assert inside <= 1 + 1e-6 and inside > 0.99
    beyond = -0.01 if low == 0 else 1.0
    assert density(beyond) < 1e-3 * density(float(np.median(x)))


def test_an_empty_tail_falls_off_as_the_numbers_beside_it():
    x = np.r_[RNG.normal(0, 1, 499), 1e15]
    bins = fit_histogram(x)
    assert 0.1 < bins.tails[0] < 2  # the column's deviation is 4e13
    drawn = bins.draw(np.zeros(50_000, int), RNG.random(50_000))
    assert drawn.min() > -10
    assert fit_histogram(1e-3 * x).tails[0] == pytest.approx(1e-3 * bins.tails[0], rel=0.3)
    wide = fit_histogram(np.r_[RNG.standard_cauchy(2000)])
    assert max(wide.tails) > 10  # where the numbers themselves lie far apart it is wide


def test_edges_are_kept_in_the_model_file_and_by_normals():
    schema = lt.infer_schema(pd.DataFrame({"share": BOUNDED["share"][0], "y": RNG.normal(size=N)}))
    assert lt.Schema.from_json(schema.to_json())["share"].bounds == (0, 1)


@pytest.mark.trains
@pytest.mark.parametrize("numbers", ["cells", pytest.param("normal", marks=pytest.mark.slow)])
def test_samples_stay_where_the_data_can_be(numbers):
    frame = pd.DataFrame({"rain": RAIN, "share": BOUNDED["share"][0], "score": BOUNDED["score"][0]})
    vae = lt.VAE(latent=2, width=8, epochs=2, numbers=numbers).fit(frame)
    drawn = vae.sample(5000)
    assert drawn.min().min() >= 0 and drawn["share"].max() <= 1 and drawn["score"].max() <= 100
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lt.LatenWarning)
        odd, plain = vae.score_samples(frame.head(3).assign(rain=-5.0)), vae.score_samples(frame.head(3))
    assert np.isfinite(odd).all() and (odd < plain).all()  # impossible, and scored
