"""Histograms of columns: densities, draws, quantiles and intervals agree with one another and with the data."""

import json
import time

import numpy as np
import pytest
from scipy import stats

from laten.common.errors import DataError
from laten.data.columns.codecs import Codec
from laten.data.histogram.calendar import fit_cycle
from laten.data.histogram.find_bins import day_grid, fit_histogram
from laten.data.histogram.histogram import Histogram
from laten.data.records import read

RNG = np.random.default_rng(0)
N = 3000


def mix(*parts):
    return np.concatenate(parts)


WORKDAYS = RNG.integers(18000, 19500, 2 * N).astype(float)
WORKDAYS = WORKDAYS[(WORKDAYS + 3) % 7 < 5]
COLUMNS = {
    "normal": (RNG.normal(3, 2, N), None),
    "lognormal": (RNG.lognormal(0, 1.5, N), None),
    "heavy_tails": (RNG.standard_cauchy(N), None),
    "two_modes": (mix(RNG.normal(0, 1, N), RNG.normal(100, 1, N)), None),
    "zeros": (mix(np.zeros(N), RNG.lognormal(3, 1, N)), None),
    "zeros_below_and_above": (mix(np.zeros(N), RNG.normal(0, 1, N)), None),
    "thirds": (RNG.integers(0, 50, N) / 3, None),
    "cents": (RNG.lognormal(3, 1, N).round(2), 100.0),
    "ages": (RNG.integers(17, 90, N).astype(float), 1.0),
    "counts": (RNG.poisson(1.0, N).astype(float), 1.0),
    "spikes": (mix(np.full(N, 40), RNG.integers(1, 99, N)).astype(float), 1.0),
    "rare_amounts": (np.where(RNG.random(N) < 0.9, 0, RNG.choice([1, 114, 15024, 99999], N)).astype(float), 1.0),
    "outliers": (mix(RNG.normal(0, 1, N), [1e6, -1e9, 2e6]), None),
    "hours": (RNG.integers(0, 5000, N) / 24 + 18000, 24.0),
    "tenths_below_zero": (RNG.normal(-7, 2, N).round(1), 10.0),
    "workdays": (WORKDAYS, 1.0, True),
    "office_hours": (WORKDAYS + RNG.integers(8 * 60, 18 * 60, len(WORKDAYS)) / 1440, 1440.0, True),
    "four_years": (15_340.0 + np.arange(1461), 1.0, True),
    "ten_weeks": (RNG.integers(18000, 18070, N).astype(float), 1.0, True),
    "week_of_hours": (18000 + RNG.integers(0, 7 * 1440, N) / 1440, 1440.0, True),
    "office_seconds": (WORKDAYS + RNG.triangular(8, 10, 18, len(WORKDAYS)) / 24, None, True),
    "one_is_other": (mix(np.zeros(N), [1.0]), 1.0),
    "one_is_other_fraction": (mix(np.full(N, 0.123456), [1.7]), None),
    "constant": (np.full(9, 7.0), 1.0),
    "two_rows": (np.array([1.0, 2.0]), 1.0),
    "two_rows_fraction": (np.array([0.123456, 0.9]), None),
    "eight_rows": (RNG.normal(0, 1, 8), None),
}
EXTREMES = {
    "at_the_float_limit": (RNG.uniform(-1.7, 1.7, N) * 1e308, None),
    "denormals": (np.array([1e-320, 2e-320, 3e-320, 5.0] * 9), None),
    "only_denormals": (np.arange(1, 91) * 5e-324, None),
    "beyond_whole_floats": (RNG.integers(2**60, 2**62, N).astype(float), 1.0),
    "neighbours": (1.0 + np.arange(90) * np.spacing(1.0), None),
}


def marginal(cells):
    """P(cell) in the training data, with what the unseen gets."""
    mass = np.add.reduceat(cells.mass, cells.starts)
    return mass / mass.sum()


def log_p(cells, x):
    return np.log(marginal(cells))[cells.encode(x)] + cells.log_det(x)


def atoms(cells):
    edges = np.array(cells.edges)
    return edges[1:][edges[1:] == edges[:-1]]


def rooms(cells):
    """Over how much each atom's mass counts as spread: half of what lies to its left and right up to the next edge."""
    steps = np.concatenate([[cells.tails[0]], np.diff(cells.edges), [cells.tails[1]]])
    at = np.flatnonzero(np.diff(cells.edges) == 0) + 1
    return (steps[at - 1] + steps[at + 1]) / 2


def repeated(p, n):
    return np.broadcast_to(p, (n, len(p)))


def integral(cells, density):
    """Of a density with atoms: Simpson's rule inside each interval, and over forty scales of each tail."""
    edges, total = np.array(cells.edges), 0.0
    if cells.cycle is not None:  # where the density jumps
        days = np.arange(13_000 * 24, 25_000 * 24) / 24 - cells.cycle.shift
        edges = np.unique(np.concatenate([edges, days]))
        return np.sum(np.diff(edges) * density((edges[1:] + edges[:-1]) / 2))
    left, right = edges[:-1], edges[1:]
    wide = right > left
    width = (right - left)[wide]
    for place, weight in ((1e-7, 1 / 6), (0.5, 4 / 6), (1 - 1e-7, 1 / 6)):
        total += weight * np.sum(width * density(left[wide] + place * width))
    total += np.sum(density(atoms(cells)) * rooms(cells))
    d = np.linspace(0, 40, 20001)
    for edge, sign, scale in ((edges[0], -1, cells.tails[0]), (edges[-1], 1, cells.tails[1])):
        f = density(np.nextafter(edge, sign * np.inf) + sign * d * scale)
        total += scale * np.trapezoid(f, d)
    return total


@pytest.mark.parametrize("name", COLUMNS)
def test_density_integrates_to_one(name):
    cells = fit_histogram(*COLUMNS[name])
    assert integral(cells, lambda x: np.exp(log_p(cells, x))) == pytest.approx(1, abs=1e-5)
    without_shares = integral(cells, lambda x: marginal(cells)[cells.encode(x)])
    assert abs(without_shares - 1) > 1e-3 or cells.size == 1


def test_the_unit_of_a_column_changes_no_ranking():
    """Numbers on no grid of which some repeat: in other units every log p is less by the log of the factor, no more."""
    rng = np.random.default_rng(3)
    x = np.where(rng.random(3000) < 0.4, rng.choice([0.0, 1.7, np.pi], 3000), rng.gamma(2, size=3000))
    one, other = fit_histogram(x), fit_histogram(1024 * x)
    assert len(atoms(one)) == 3
    assert np.allclose(log_p(one, x) - log_p(other, 1024 * x), np.log(1024))
    assert np.ptp(log_p(one, x)) > 3  # control


@pytest.mark.parametrize("name", COLUMNS)
def test_density_is_the_derivative_of_the_distribution_function(name):
    rng = np.random.default_rng(7)
    cells = fit_histogram(*COLUMNS[name])
    p = rng.dirichlet(np.ones(cells.size))
    x = cells.draw(rng.choice(cells.size, 400, p=p), rng.random(400))
    edges = np.array(cells.edges)
    if cells.cycle is not None:
        edges = np.concatenate([edges, np.round(x * 24) / 24 - cells.cycle.shift])
    step = 1e-4 * np.min(np.abs(x[:, None] - edges), axis=1)
    smooth = step > 1e-9 * np.maximum(np.abs(x), 1)
    x, step = x[smooth], step[smooth]
    rise = cells.cdf(repeated(p, len(x)), x + step) - cells.cdf(repeated(p, len(x)), x - step)
    found = np.exp(np.log(p)[cells.encode(x)] + cells.log_det(x))
    # differences of a distribution function near 1 carry its rounding
    assert np.allclose(rise / (2 * step), found, rtol=2e-3, atol=1e-14 / step.min(initial=1))


@pytest.mark.parametrize("name", COLUMNS | EXTREMES)
def test_draws_quantiles_and_distribution_function_are_inverse(name):
    rng = np.random.default_rng(7)
    cells = fit_histogram(*(COLUMNS | EXTREMES)[name])
    p, u = rng.dirichlet(np.ones(cells.size)), rng.random(2000)
    x = cells.quantile(repeated(p, 2000), u)
    back = cells.cdf(repeated(p, 2000), x)
    jumps = np.isin(x, atoms(cells))
    few_floats = name in ("denormals", "only_denormals", "neighbours")
    assert np.isfinite(x).all() and np.all(back[jumps] >= u[jumps] - 1e-12)
    assert np.allclose(back[~jumps], u[~jumps], atol=0.2 if few_floats else 1e-7)
    assert np.all(np.diff(cells.quantile(repeated(p, 2000), np.sort(u))) >= 0)
    codes = rng.integers(0, cells.size, 2000)
    drawn = cells.draw(codes, u)
    assert np.array_equal(cells.encode(drawn), codes) and np.isfinite(cells.log_det(drawn)).all()
    assert np.array_equal(cells.draw(codes, np.zeros(2000)), cells.draw(codes, np.zeros(2000)))
    assert np.isfinite(cells.draw(codes, np.ones(2000))).all()


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes(name):
    x, grid = EXTREMES[name]
    cells = fit_histogram(x, grid)
    assert np.isfinite(cells.log_det(x)).all() and np.isfinite(cells.points).all()
    every = np.array([-1.7e308, -1.0, 0.0, 5e-324, 1.0, 1.7e308])
    assert np.isfinite(log_p(cells, every[[1, 2, 3, 4]])).all()
    assert np.all((cells.encode(every) >= 0) & (cells.encode(every) < cells.size))
    centres = cells.decode(np.arange(cells.size))
    assert np.all(np.diff(centres) > 0) and centres[0] >= x.min() and centres[-1] <= x.max()


@pytest.mark.parametrize("name", COLUMNS)
def test_centres_are_means_of_the_training_values_and_cells_are_even(name):
    x, *more = COLUMNS[name]
    cells = fit_histogram(x, *more)
    codes = cells.encode(x)
    rows = np.bincount(codes, minlength=cells.size)
    assert np.all(rows > 0) and np.allclose(cells.centres, np.bincount(codes, x) / rows)
    if cells.periods:
        return
    assert cells.size <= min(64, max(8, round(np.sqrt(len(x)))))
    value, times = np.unique(x, return_counts=True)
    for v in value[times >= len(x) / 30] if len(x) >= 64 else ():  # heavy: alone in its cell
        assert cells.decode(cells.encode(np.array([v])))[0] == pytest.approx(v, rel=1e-12)
    light = rows[~np.isin(np.arange(cells.size), cells.encode(value[times >= len(x) / 100]))]
    assert light.max(initial=0) <= 3 * len(x) / 64 or len(x) < 64
    assert np.shape(cells.points) == (cells.size, 4 if more[1:] else 2) and np.abs(cells.points).max() <= 5
    assert np.all(np.diff([p[1] for p in cells.points]) > 0)


SHAPES = {
    "normal": stats.norm(3, 2),
    "skewed": stats.lognorm(1.2),
    "bounded": stats.beta(0.5, 0.5),
    "heavy_tails": stats.t(1.5),
    "sharp": stats.expon(),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_learned(name):
    """Draws within 0.02 of the truth (Kolmogorov–Smirnov), and little lost on new values: a normal does far worse."""
    truth, rng = SHAPES[name], np.random.default_rng(1)
    x = truth.rvs(20_000, random_state=rng)
    cells = fit_histogram(x)
    p = marginal(cells)
    drawn = cells.draw(rng.choice(cells.size, 50_000, p=p), rng.random(50_000))
    assert stats.kstest(drawn, truth.cdf).statistic < 0.02
    new = truth.rvs(20_000, random_state=rng)
    lost = np.mean(truth.logpdf(new) - log_p(cells, new))
    assert -0.02 < lost < 0.02
    if name != "normal":
        fitted = stats.norm(x.mean(), x.std())
        assert stats.kstest(fitted.rvs(50_000, random_state=rng), truth.cdf).statistic > 0.05
        assert np.mean(truth.logpdf(new) - fitted.logpdf(new)) > 0.1


def test_little_is_lost_with_few_rows():
    """The number of pieces suits the number of rows: a single one for every four rows would lose an eighth of a nat."""
    truth, rng = stats.norm(), np.random.default_rng(3)
    for rows, most in ((300, 0.09), (1000, 0.05), (5000, 0.025)):
        cells = fit_histogram(truth.rvs(rows, random_state=rng))
        new = truth.rvs(20_000, random_state=rng)
        assert np.mean(truth.logpdf(new) - log_p(cells, new)) < most


@pytest.mark.parametrize("name", ["ages", "spikes", "rare_amounts", "counts", "cents", "zeros", "thirds", "hours"])
def test_spikes_and_roundings_are_kept(name):
    x, grid = COLUMNS[name]
    cells, rng = fit_histogram(x, grid), np.random.default_rng(2)
    drawn = cells.snap(cells.draw(rng.choice(cells.size, 50_000, p=marginal(cells)), rng.random(50_000)))
    assert stats.ks_2samp(drawn, x).statistic < 0.03
    value, times = np.unique(x, return_counts=True)
    heavy = value[times >= len(x) / 30]
    share = np.array([np.mean(np.isclose(drawn, v, rtol=1e-12, atol=0)) for v in heavy])
    assert np.allclose(share, times[times >= len(x) / 30] / len(x), atol=0.01)
    if name in ("rare_amounts", "counts"):
        assert np.mean(np.isin(drawn, value)) > 0.99  # not between the spikes
    if grid:
        assert np.allclose(drawn * grid, np.round(drawn * grid))


def test_gaps_stay_empty_and_outliers_do_not_spoil_the_rest():
    two, rng = fit_histogram(COLUMNS["two_modes"][0]), np.random.default_rng(0)
    drawn = two.draw(rng.choice(two.size, 100_000, p=marginal(two)), rng.random(100_000))
    assert np.mean((drawn > 10) & (drawn < 90)) < 1e-3
    assert np.isfinite(log_p(two, np.array([50.0]))).all() and log_p(two, np.array([50.0])) < -8
    spoilt, clean = fit_histogram(COLUMNS["outliers"][0]), fit_histogram(COLUMNS["outliers"][0][:N])
    at = np.linspace(-3, 3, 61)
    assert np.allclose(log_p(spoilt, at), log_p(clean, at), atol=1.0)
    assert np.mean(np.abs(log_p(spoilt, at) - log_p(clean, at))) < 0.1


def test_grid_values_are_masses():
    x, _ = COLUMNS["ages"]
    cells = fit_histogram(x, 1.0)
    every = np.arange(-2000.0, 2000.0)
    mass = np.exp(log_p(cells, every))
    assert mass.sum() == pytest.approx(1, abs=1e-4)
    between = marginal(cells) @ cells.within(30, 40)
    assert between == pytest.approx(mass[(every >= 30) & (every <= 40)].sum(), abs=1e-12)
    assert marginal(cells) @ cells.within(29.5, 40.9) == pytest.approx(between, abs=1e-12)
    assert not cells.within(30.2, 30.8).any()
    tenths = fit_histogram(COLUMNS["tenths_below_zero"][0], 10.0)
    ends = tenths.within(-7.3, -6.9), sum(tenths.within(v, v) for v in (-7.3, -7.2, -7.1, -7.0, -6.9))
    assert np.allclose(*ends, atol=1e-12)


@pytest.mark.parametrize("name", COLUMNS | EXTREMES)
def test_parts_of_cells_add_up(name):
    x, grid, *more = (COLUMNS | EXTREMES)[name]
    cells = fit_histogram(x, grid, *more)
    assert np.allclose(cells.within(-np.inf, np.inf), 1)
    for low, high in np.quantile(x, [[0.2, 0.7], [0.0, 1.0], [0.4, 0.4]], method="nearest"):
        inside = cells.within(low, high)
        assert np.all((inside >= 0) & (inside <= 1))
        step = 1 / grid if grid and np.abs(x).max() < 2**40 else 0.0
        below = cells.within(-np.inf, low - step if step else np.nextafter(low, -np.inf))
        above = cells.within(high + step if step else np.nextafter(high, np.inf), np.inf)
        assert np.allclose(below + inside + above, 1, atol=0.2 if name in ("only_denormals", "neighbours") else 1e-9)
        codes = np.flatnonzero(inside > 1e-6)
        for u in (0.0, 0.31, 1.0):
            drawn = cells.snap(cells.draw(codes, np.full(len(codes), u), low, high), low, high)
            assert np.all((drawn >= low - 1e-9 * abs(low)) & (drawn <= high + 1e-9 * abs(high)))


def test_draws_inside_an_interval_follow_the_density_there():
    x, rng = COLUMNS["lognormal"][0], np.random.default_rng(0)
    cells = fit_histogram(x)
    p = marginal(cells) * cells.within(1, 3)
    drawn = cells.draw(rng.choice(cells.size, 20_000, p=p / p.sum()), rng.random(20_000), 1, 3)
    assert drawn.min() >= 1 and drawn.max() <= 3
    assert stats.ks_2samp(drawn, x[(x >= 1) & (x <= 3)]).statistic < 0.04
    assert stats.ks_2samp(rng.uniform(1, 3, 20_000), x[(x >= 1) & (x <= 3)]).statistic > 0.1


def test_mode_and_median():
    cells = fit_histogram(COLUMNS["two_modes"][0])
    low = marginal(cells) * (np.array(cells.centres) < 50)
    p = np.stack([low, 0.1 * low + 0.9 * (marginal(cells) - low)]) + 1e-9
    assert np.allclose(cells.mode(p), [0, 100], atol=1.5) and np.allclose(cells.quantile(p, 0.5), [0, 100], atol=0.5)
    zeros = fit_histogram(COLUMNS["zeros"][0])
    assert zeros.mode(repeated(marginal(zeros), 1))[0] == 0


def test_rhythms_are_found_and_none_is_invented():
    parts = {name: len(fit_histogram(*COLUMNS[name]).cycle.weights) for name in ("workdays", "office_hours")}
    assert parts == {"workdays": 7, "office_hours": 168}
    rng = np.random.default_rng(0)
    assert fit_cycle(rng.integers(18000, 19000, N).astype(float), 1.0) is None
    assert fit_cycle(rng.uniform(18000, 19000, N), None) is None
    assert fit_cycle(rng.uniform(18000, 18002, N), None) is None  # two days tell nothing
    daily = rng.integers(18000, 19000, N) + rng.triangular(8, 10, 18, N) / 24
    assert len(fit_cycle(daily, None).weights) == 24
    cycle = fit_cycle(WORKDAYS, 1.0)
    assert set(np.argsort(cycle.weights)[:2]) == {2, 3}  # 1970-01-01 was a Thursday
    x = rng.uniform(-40_000, 40_000, N)
    assert np.allclose(cycle.leave(cycle.enter(x)), x, atol=1e-7) and np.abs(cycle.enter(x) - x).max() < 7
    slope = (cycle.enter(x + 1e-4) - cycle.enter(x - 1e-4)) / 2e-4
    assert np.mean(np.isclose(np.log(slope), cycle.log_weight(x), atol=1e-3)) > 0.99


def test_dates_of_more_than_a_year_show_the_season():
    rng = np.random.default_rng(7)
    days = rng.integers(18000, 18500, N // 3).astype(float)
    cells = fit_histogram(days, 1.0, dates=True)
    assert cells.yearly and not cells.periods
    sine, cosine = np.array(cells.points)[:, 2:].T
    assert np.allclose(sine**2 + cosine**2, 1)
    angle = 2 * np.pi * np.mod(np.array(cells.centres) / 365.2425, 1)
    assert np.allclose(np.cos(angle), cosine)
    assert np.shape(fit_histogram(days[days < 18050], 1.0, dates=True).points)[1] == 2


def test_periods_that_came_round_often_are_features():
    """Four years: the season; ten weeks of many rows: the weekday; a week of hours: the hour; else none."""
    rng = np.random.default_rng(7)
    year, week, hour = 365.2425, 7.0, 1.0
    four = 15_340.0 + np.arange(1461)
    assert fit_histogram(four, 1.0, dates=True).periods == (year,)
    assert fit_histogram(np.append(four, -25_567.0), 1.0, dates=True).periods == (year,)  # 1900-01-01
    assert fit_histogram(four[::3], 1.0, dates=True).periods == (year,)
    assert fit_histogram(four[:600], 1.0, dates=True).periods == ()  # most seasons once
    assert fit_histogram(four[::30], 1.0, dates=True).periods == ()  # a row in half a month says nothing
    ten = rng.integers(18000, 18070, N).astype(float)
    assert fit_histogram(ten, 1.0, dates=True).periods == (week,)
    assert fit_histogram(ten[ten < 18040], 1.0, dates=True).periods == ()  # five weeks
    hours = 18000 + rng.integers(0, 7 * 24 * 60, N) / 1440
    assert fit_histogram(hours, 1440.0, dates=True).periods == (hour,)
    assert fit_histogram(hours, 1440.0).periods == ()  # no dates


def test_all_januaries_have_the_same_features_and_months_end_where_bins_do():
    cells = fit_histogram(15_340.0 + np.arange(1461), 1.0, dates=True)
    assert cells.size == 96
    season = np.array(cells.points)[:, 2:].reshape(4, 24, 8)
    assert np.allclose(season, season[:1], atol=0.06) and np.ptp(season, axis=1).min() > 1.7  # six bins a wave
    january = cells.within(15_706.0, 15_736.0)  # of the second year
    assert np.allclose(january[24:26], 1) and np.allclose(np.delete(january, [24, 25]), 0)
    days = np.arange(5_000.0, 27_000.0)
    assert np.exp(log_p(cells, days)).sum() == pytest.approx(1, abs=1e-5)
    assert [day_grid(np.arange(9) / k) for k in (1, 24, 1440, 86_400, 7)] == [1, 24, 1440, 86_400, None]


@pytest.mark.parametrize("name", COLUMNS | EXTREMES)
def test_json_round_trip(name):
    cells = fit_histogram(*(COLUMNS | EXTREMES)[name])
    again = read(json.loads(json.dumps(cells.to_json())), Codec, "codec")
    assert again == cells and hash(again) == hash(cells)


GOOD = Histogram((0.0, 1.0, 1.0, 2.0), (0.5, 9.0, 5.0, 9.0, 0.5), (0, 2), (0.5, 1.5), (1.0, 1.0)).to_json()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"edges": []}, "edges"),
        ({"edges": [0.0, 2.0, 1.0, 3.0]}, "ascending"),
        ({"edges": [0.0, 1.0, 1.0, 1.0]}, "two of them equal"),
        ({"edges": [0.0, 1.0, 1.0, float("nan")]}, r"edges\[3\]: Expected `float` >= -1.79"),
        ({"edges": [0.0, 1.0, 1.0, "2"]}, r"edges\[3\]: Expected `float`, got `str`"),
        ({"edges": [0.0, 1.0, 2.0]}, "mass"),
        ({"mass": [0.5, 9.0, 0.0, 9.0, 0.5]}, "above zero"),
        ({"mass": [0.5, 9.0, -1.0, 9.0, 0.5]}, "above zero"),
        ({"mass": [1e308] * 5}, "finite"),
        ({"starts": []}, "starts"),
        ({"starts": [1, 2]}, "starts"),
        ({"starts": [0, 5]}, "starts"),
        ({"starts": [0, 0]}, "starts"),
        ({"starts": [0, 1.5]}, r"starts\[1\]: Expected `int`, got `float`"),
        ({"starts": [False, True]}, r"starts\[0\]: Expected `int`, got `bool`"),
        ({"centres": [0.5]}, "centres"),
        ({"tails": [1.0]}, "length 2"),
        ({"tails": [1.0, 0.0]}, "above zero"),
        ({"grid": 0.0}, "above zero"),
        ({"grid": "1"}, r"grid: Expected `float"),
        ({"cycle": {"weights": [1.0, 1.0], "rate": 0.0, "shift": 0.0}}, r"codec\.cycle: cycle: rate"),
        ({"cycle": {"weights": [1.0, 3.0], "rate": 1.0, "shift": 0.0}}, "mean one"),
        ({"cycle": {"weights": [0.0, 2.0], "rate": 1.0, "shift": 0.0}}, "above zero"),
        ({"cycle": {"weights": [1.0, 1.0], "rate": 1.0, "shift": 7.0}}, "shift"),
        ({"cycle": {"weights": [1.0], "rate": 1.0, "shift": 0.0}}, "2 to 168"),
        ({"cycle": [1.0]}, "object"),
        ({"yearly": 1}, r"yearly: Expected `bool`"),
        ({"code": "import os"}, "unknown field"),
        ({"mass": None}, "Expected `array`"),
    ],
)
def test_damaged_json(change, word):
    assert read(GOOD, Codec, "codec").size == 2
    with pytest.raises(DataError, match=word):
        read(GOOD | change, Codec, "codec")


@pytest.mark.parametrize("field", ["codec", "edges", "mass", "starts", "centres", "tails"])
def test_json_with_a_field_missing(field):
    with pytest.raises(DataError, match="missing"):
        read({k: v for k, v in GOOD.items() if k != field}, Codec, "codec")


def test_a_million_rows_in_a_second_or_so():
    x = np.random.default_rng(0).normal(size=1_000_000)
    start = time.process_time()
    cells = fit_histogram(x)
    codes = cells.encode(x)
    cells.log_det(x)
    cells.draw(codes, x - np.floor(x))
    assert time.process_time() - start < 3
