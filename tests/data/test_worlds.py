"""The clinic: its probabilities against frequencies, enumeration, quadrature and SciPy."""

import functools
import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from pandas.testing import assert_frame_equal

from laten.common.errors import DataError
from laten.data.datasets.clinic_columns import ClassesGiven, Counts, DiscreteGiven, NormalsGiven, StudentGiven
from laten.data.datasets.simulated_clinic import CHANGE_HOLES, HOLES, Clinic, clinic
from laten.data.files.read import read
from laten.data.files.write import write
from laten.data.schema.infer import infer_schema

WORLD = Clinic()
HOLED = clinic(300, seed=2)
CLASSES = [name for name, c in WORLD.columns.items() if isinstance(c, ClassesGiven)]
NUMBERS = [name for name in WORLD.columns if name not in CLASSES]


@functools.cache
def many() -> pd.DataFrame:
    return WORLD.sample(40_000, seed=5)


def test_states_are_a_distribution():
    assert len(WORLD.prior) == 48 and abs(WORLD.prior.sum() - 1) < 1e-12
    for name, c in WORLD.columns.items():
        if isinstance(c, DiscreteGiven):
            assert np.allclose(c.table[1].sum(axis=1), 1, atol=1e-9), name


def test_discrete_part_sums_to_one():
    """All 2·2·3·4·5 rows of five columns; leaving one row out is noticed."""
    names = ["sex", "smoker", "region", "pain", "mobility"]
    rows = list(itertools.product(*(WORLD.columns[n].levels for n in names)))
    p = np.exp(WORLD.log_prob(pd.DataFrame(rows, columns=names)))
    assert abs(p.sum() - 1) < 1e-10 and len(p) == 240
    assert abs(p[:-1].sum() - 1) > 1e-6


@pytest.mark.parametrize("name", CLASSES)
def test_frequencies_of_classes(name):
    c = WORLD.columns[name]
    found = np.bincount(c.parse(many()[name]).astype(int), minlength=len(c.levels))
    expected = WORLD.prior @ c.probs
    assert scipy.stats.chisquare(found, len(many()) * expected).pvalue > 1e-3
    wrong = np.roll(expected, 1)
    assert scipy.stats.chisquare(found, len(many()) * wrong).pvalue < 1e-6


@pytest.mark.parametrize("name", NUMBERS)
def test_draws_agree_with_distribution_function(name):
    c = WORLD.columns[name]
    x = c.parse(many()[name])
    at = np.quantile(x, [0.05, 0.3, 0.5, 0.8, 0.97])
    expected = c.cdf(at) @ WORLD.prior
    found = np.mean(x[:, None] <= at, axis=0)
    error = np.sqrt(expected * (1 - expected) / len(x))
    assert (np.abs(found - expected) < 4 * error + 1e-9).all()
    assert (np.abs(found - c.cdf(at + 2 * x.std()) @ WORLD.prior) > 4 * error).any()
    assert abs(x.mean() - WORLD.prior @ c.mean) < 5 * x.std() / np.sqrt(len(x))


def test_pairs_depend_as_the_network_says():
    ward, pain = (WORLD.columns[n].parse(many()[n]).astype(int) for n in ("ward", "pain"))
    found = np.zeros((5, 4))
    np.add.at(found, (ward, pain), 1)
    expected = np.einsum("s,sa,sb->ab", WORLD.prior, WORLD.columns["ward"].probs, WORLD.columns["pain"].probs)
    assert scipy.stats.chisquare(found.ravel(), len(many()) * expected.ravel()).pvalue > 1e-3
    alone = np.outer(expected.sum(1), expected.sum(0)).ravel()  # control: independence
    assert scipy.stats.chisquare(found.ravel(), len(many()) * alone).pvalue < 1e-9


def test_families_agree_with_scipy():
    x = np.array([0.0, 1.0, 7.0, 23.0])
    rate = np.array([0.5, 4.0, 18.0])
    assert np.allclose(Counts(rate).log_prob(x), scipy.stats.poisson(rate).logpmf(x[:, None]))
    r = 3.0
    assert np.allclose(Counts(rate, r).log_prob(x), scipy.stats.nbinom(r, r / (r + rate)).logpmf(x[:, None]))
    assert np.allclose(Counts(rate, r).cdf(x), scipy.stats.nbinom(r, r / (r + rate)).cdf(x[:, None]))
    t = StudentGiven(rate, rate)
    assert np.allclose(t.log_prob(x), scipy.stats.t(4, rate, rate).logpdf(x[:, None]))
    assert np.allclose(t.cdf(x), scipy.stats.t(4, rate, rate).cdf(x[:, None]))
    one = np.ones((3, 1))
    normal, log_normal = (NormalsGiven(rate[:, None], 2 * one, one, log) for log in (False, True))
    assert np.allclose(normal.log_prob(x), scipy.stats.norm(rate, 2).logpdf(x[:, None]))
    frozen = scipy.stats.lognorm(2, scale=np.exp(rate))
    assert np.allclose(log_normal.log_prob(x[1:]), frozen.logpdf(x[1:, None]))
    assert np.allclose(log_normal.cdf(x), frozen.cdf(x[:, None]))


@pytest.mark.parametrize("name", CLASSES)
def test_class_conditionals_are_ratios_of_joints(name):
    p = WORLD.conditional(HOLED, name)
    levels = WORLD.columns[name].levels
    joint = np.stack([WORLD.log_prob(HOLED.assign(**{name: level})) for level in levels], axis=1)
    assert np.allclose(p, np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)), atol=1e-10)


@pytest.mark.parametrize("name", NUMBERS)
def test_number_conditionals(name):
    rest = HOLED.drop(columns=name)
    conditional = WORLD.conditional(HOLED, name)
    values = many()[name].iloc[: len(HOLED)].set_axis(HOLED.index)
    ratio = WORLD.log_prob(rest.assign(**{name: values})) - WORLD.log_prob(rest)
    x = WORLD.columns[name].parse(values)
    assert np.allclose(conditional.log_prob(x), ratio, atol=1e-9)
    for p in (0.1, 0.5, 0.9):
        q = conditional.quantile(p)
        if isinstance(WORLD.columns[name], DiscreteGiven):
            assert (conditional.cdf(q) >= p - 1e-9).all() and (conditional.cdf(q - 1) < p).all()
        else:
            assert np.allclose(conditional.cdf(q), p, atol=1e-9)


def test_density_of_a_conditional_integrates_to_its_cdf():
    conditional = WORLD.conditional(HOLED.iloc[:5], "temperature")
    grid = np.linspace(33, 39, 4001)
    density = np.stack([np.exp(conditional.log_prob(x)) for x in grid], axis=1)
    assert np.allclose(np.trapezoid(density, grid, axis=1), conditional.cdf(39.0) - conditional.cdf(33.0), atol=1e-6)


def test_conditionals_are_calibrated_and_marginals_are_sharper_than_nothing():
    """P(pain | rest) gains over P(pain) by a positive mutual information; cdf values are uniform."""
    frame = many().iloc[:4000]
    codes = WORLD.columns["pain"].parse(frame["pain"]).astype(int)
    p = WORLD.conditional(frame, "pain")[np.arange(len(frame)), codes]
    alone = (WORLD.prior @ WORLD.columns["pain"].probs)[codes]
    assert np.mean(np.log(p) - np.log(alone)) > 0.2
    u = WORLD.conditional(frame, "crp").cdf(frame["crp"])
    assert scipy.stats.kstest(u, "uniform").pvalue > 1e-3
    shuffled = frame.sample(frac=1, random_state=0).set_axis(frame.index)["crp"]
    assert scipy.stats.kstest(WORLD.conditional(frame, "crp").cdf(shuffled), "uniform").pvalue < 1e-3  # control


def test_true_log_prob_beats_any_other():
    """Gibbs: the mean log-probability falls when columns are shuffled against one another."""
    frame = many().iloc[:3000]
    shuffled = frame.assign(ward=frame["ward"].sample(frac=1, random_state=1).to_numpy())
    assert WORLD.log_prob(frame).mean() > WORLD.log_prob(shuffled).mean() + 0.1


def test_holes():
    frame, whole = clinic(20_000, seed=3), clinic(20_000, seed=3, holes=False)
    for name in frame:
        seen = frame[name].notna()
        assert (frame[name][seen] == whole[name][seen]).all() and frame[name].dtype == whole[name].dtype
        if name != "change":
            assert abs((~seen).mean() - HOLES.get(name, 0)) < 0.012
    by_region = frame["change"].isna().groupby(frame["region"]).mean()
    assert all(abs(by_region[r] - rate) < 0.015 for r, rate in CHANGE_HOLES.items())
    assert 0.10 < frame.isna().to_numpy().mean() < 0.14
    assert_frame_equal(clinic(50, seed=9), clinic(50, seed=9))
    assert not clinic(50, seed=9).equals(clinic(50, seed=8))


def test_holes_are_summed_out():
    row = clinic(1, holes=False)
    with_hole = row.assign(pain=row["pain"].where([False]))
    total = np.logaddexp.reduce([WORLD.log_prob(row.assign(pain=level))[0] for level in WORLD.columns["pain"].levels])
    assert np.isclose(WORLD.log_prob(with_hole)[0], total) and np.isclose(
        WORLD.log_prob(row.drop(columns="pain"))[0], total
    )


def test_log_prob_survives_a_file(tmp_path):
    write(HOLED, tmp_path / "c.csv")
    assert np.allclose(WORLD.log_prob(read(tmp_path / "c.csv")), WORLD.log_prob(HOLED), atol=1e-9)


def test_the_schema_finds_the_kinds():
    kinds = {c.name: c.kind for c in infer_schema(clinic()).columns}
    assert kinds == {
        "age": "real", "sex": "binary", "smoker": "binary", "region": "categorical", "ward": "categorical",
        "drug": "categorical", "pain": "ordinal", "mobility": "ordinal", "visits": "count", "nights": "count",
        "crp": "positive", "cost": "positive", "temperature": "real", "change": "real", "admitted": "date",
    }  # fmt: skip


def test_errors():
    with pytest.raises(DataError, match="did you mean 'pain'"):
        WORLD.log_prob(pd.DataFrame({"pian": [1]}))
    with pytest.raises(DataError, match=r"'horrible'.*never seen"):
        WORLD.log_prob(pd.DataFrame({"pain": ["horrible"]}))
    with pytest.raises(DataError, match="known"):
        WORLD.conditional(HOLED, "nothing")
    with pytest.raises(DataError, match="between 0 and 1"):
        WORLD.conditional(HOLED, "age").quantile(1.5)
