"""Each measure against numbers worked out by hand, by SciPy, or by sdmetrics."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp, rankdata

import laten as lt
from laten.data.schema.infer import infer_schema
from laten.synthetic.classifiers import auc
from laten.synthetic.coded_tables import CodedTable, Coding, code
from laten.synthetic.detection import score
from laten.synthetic.distances import nearest, points
from laten.synthetic.pairs import (
    contingency_errors,
    correlations,
    cramer,
    own_bins,
    pair_errors,
    same_bins,
    strong_pairs,
)
from laten.synthetic.privacy import copies
from laten.synthetic.rare_levels import levels
from laten.synthetic.shapes import by_column, ks, tv


def table(rows, step, holes):
    """A mixed table by arithmetic alone, so that it is the same everywhere."""
    i = np.arange(rows)
    u = (i * step) % 997 / 997
    frame = pd.DataFrame(
        {
            "age": np.floor(20 + 60 * u**1.3),
            "income": np.round(1000 * np.exp(3 * u * ((i * 7 + step) % 13) / 13), 2),
            "job": np.array(["clerk", "driver", "farmer", "judge"])[(3 * u + (i % 5) / 4).astype(int) % 4],
            "city": np.array(["Bandung", "Jakarta", "Medan"])[(i * step // 7) % 3],
            "born": pd.Timestamp("1990-01-01") + pd.to_timedelta(np.floor(9000 * (1 - u)), unit="D"),
        }
    )
    if holes:
        frame.loc[i % 11 == 3, "age"] = np.nan
        frame.loc[i % 13 == 5, "job"] = None
        frame.loc[i % 17 == 2, ["income", "city"]] = [np.nan, None]
    return frame


# 1 minus the scores of ColumnShapes and ColumnPairTrends of sdmetrics 0.11.1 (run with pandas 2.2.3, numpy 1.26.4 and
# SciPy 1.17.1) for `table(400, 37, holes)` against `table(300, 53, holes)`, with age and income numerical, job and city
# categorical, born datetime.
SDMETRICS = {
    False: (
        [0.011666667, 0.019166667, 0.0075, 0.005833333, 0.014166667],
        [0.003372545, 0.036666667, 0.071666667, 0.000118695, 0.076666667, 0.054166667, 0.003325403, 0.199166667, 0.0275,
         0.0625],
        0.05351499759690004,
    ),
    True: (
        [0.018738837, 0.021276596, 0.018500582, 0.012411348, 0.014166667],
        [0.00670575, 0.070833333, 0.1125, 0.00015285, 0.120833333, 0.063333333, 0.003272435, 0.1775, 0.051666667, 0.07],
        0.06767977014432969,
    ),
}  # fmt: skip


@pytest.mark.parametrize("holes", [False, True])
def test_shapes_and_pairs_are_those_of_sdmetrics(holes):
    real, synthetic = table(400, 37, holes), table(300, 53, holes)
    schema = infer_schema(real)
    coding, tables = code({"real": real, "synthetic": synthetic}, schema)
    assert coding.numbers == ("age", "income", "born") and coding.classes == ("job", "city")
    shapes, pairs, mean = SDMETRICS[holes]
    columns = by_column(coding, tables["real"], tables["synthetic"], None)
    np.testing.assert_allclose(columns["error"], shapes, atol=1e-8)
    own = pair_errors(coding, tables["real"], [tables["synthetic"]])[0].own
    np.testing.assert_allclose(own[np.triu_indices(5, 1)], pairs, atol=1e-8)
    np.testing.assert_allclose(np.nanmean(own), mean, atol=1e-9)


# The same of sdmetrics 0.32.0 (its QualityReport): Cramér's V, or correlations, of the pairs and the error.
STRONG = {
    False: ([0.571638, 0.663495, 0.068756, 0.99541, 0.342524, 0.13843, 0.560509, 0.293901, 0.659107, 0.061174],
            0.0246083293281667),
    True: ([0.580147, 0.533664, 0.078186, 0.99538, 0.296855, 0.575175, 0.566709, 0.222396, 0.551323, 0.063105],
           0.03266072801832742),
}  # fmt: skip


@pytest.mark.parametrize("holes", [False, True])
def test_strong_pairs_are_those_of_sdmetrics(holes):
    real, synthetic = table(400, 37, holes), table(300, 53, holes)
    coding, tables = code({"real": real, "synthetic": synthetic}, infer_schema(real))
    strengths, error = STRONG[holes]
    upper = np.triu_indices(5, 1)
    numbers = np.isin(coding.names, coding.numbers)
    limit = np.where(numbers[upper[0]] & numbers[upper[1]], 0.5, 0.3)
    strong = strong_pairs(coding, tables["real"])
    assert list(strong[upper]) == list(np.array(strengths) > limit) and (strong == strong.T).all()
    own = pair_errors(coding, tables["real"], [tables["synthetic"]])[0].own
    np.testing.assert_allclose(own[strong].mean(), error, atol=1e-9)
    found = lt.quality(real, synthetic, rows=100)
    assert found["pair trends, strong pairs"] == pytest.approx(error) and found["pair trends"] > error
    job, city = tables["real"].classes.T[[coding.classes.index(n) for n in ("job", "city")]]
    assert cramer(job, city) == pytest.approx(strengths[7], abs=1e-6)


def test_a_table_without_strong_pairs_says_so():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=400), "y": rng.choice(["a", "b"], 400)})
    found = lt.quality(frame[:200], frame[200:], rows=100)
    assert "closely" in found.left_out["pair trends, strong pairs"]
    assert cramer(np.zeros(5, int), np.arange(5)) == 0 and cramer(np.arange(5), np.arange(5)) == pytest.approx(1)


def test_ks_is_that_of_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=200).round(1), rng.normal(0.3, 2, size=77).round(1)  # with ties
    np.testing.assert_allclose(ks(x, y), ks_2samp(x, y).statistic, rtol=1e-12)
    holes = np.concatenate([y, [np.nan] * 5])
    assert ks(x, holes) == ks(x, y) and ks(x, x) == 0 and ks(x, x + 100) == 1


def test_tv_by_hand():
    a, b = np.array([0, 0, 1, 2, -1]), np.array([0, 1, 1, 3])  # 1/2, 1/4, 1/4, 0 and 1/4, 1/2, 0, 1/4
    assert tv(a, b, 4) == (1 / 4 + 1 / 4 + 1 / 4 + 1 / 4) / 2 and tv(a, a[:4], 4) == 0


@pytest.mark.parametrize(("distance", "empty"), [(ks, np.nan), (lambda a, b: tv(a, b, 2), -1)])
def test_a_column_that_lost_all_its_values_is_as_wrong_as_can_be(distance, empty):
    some, none = np.array([0, 1, 1]), np.array([empty] * 3)
    assert distance(some, none) == distance(none, some) == 1 and distance(none, none) == 0


def test_contingency_by_hand():
    a = (np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))
    b = (np.array([0, 0, 1, 1]), np.array([1, 0, 0, 1]))
    assert contingency_errors([a, b, a], (2, 2)) == [0.5, 0.0]
    assert contingency_errors([a, b, a], (2, 10**9)) == [0.5, 0.0]  # too large to be held in full


def test_correlations_are_those_of_pandas_over_the_rows_that_have_both():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4)) * [1, 1e6, 1e-6, 1] + [0, 1e9, 0, 5]
    x[rng.random(x.shape) < 0.2] = np.nan
    np.testing.assert_allclose(correlations(x), pd.DataFrame(x).corr(), rtol=1e-6)


@pytest.mark.parametrize("value", [3.0, 1e9, 0.1])
def test_a_constant_has_no_correlation_and_a_collapsed_generator_pays_for_it(value):
    x = np.stack([np.arange(50.0), np.arange(50.0) ** 2], 1)
    flat = np.stack([np.arange(50.0), np.full(50, value)], 1)
    assert correlations(flat)[0, 1] == 0
    names = ("a", "b")
    columns = infer_schema(pd.DataFrame(x + 0.5, columns=names)).columns
    coding, none = Coding(columns, names, (), (), (), {}), np.zeros((50, 0), np.int32)
    errors = pair_errors(coding, CodedTable(x, none), [CodedTable(flat, none)])[0]
    np.testing.assert_allclose(errors.own[0, 1], correlations(x)[0, 1] / 2)


def test_bins():
    x = np.array([0.0, 0.9, 1.0, 9.99, 10.0, np.nan])
    assert own_bins(x).tolist() == [1, 1, 2, 10, 11, 11]
    assert same_bins(np.array([-5, 0.9, 1.0, 10.0, 99.0, np.nan]), x).tolist() == [0, 0, 1, 9, 9, 10]


def test_a_row_beyond_the_range_moves_own_bins_but_not_the_same():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=500), "c": rng.choice(["a", "b"], 500)})
    far = frame.copy()
    far.loc[0, "x"] = 40.0
    coding, tables = code({"real": frame, "far": far}, infer_schema(frame))
    own, same = (e[0, 1] for e in pair_errors(coding, tables["real"], [tables["far"]])[0])
    assert own > 0.5 and same < 0.0021


def test_levels_of_all_tables_have_one_code_and_text_equals_number():
    real = pd.DataFrame({"c": [2, 1, 1, 0, 1, 2] * 5, "b": [True, False] * 15})
    other = pd.DataFrame({"c": [1.0, 2.0, np.nan, 7.0], "b": [True, None, True, False]})
    schema = infer_schema(real).with_kind("c", "categorical")
    coding, tables = code({"real": real, "other": other}, schema)
    assert coding.levels == (("1", "2", "0", "7"), ("True", "False")) and coding.known == (3, 2)
    assert tables["other"].classes.tolist() == [[0, 0], [1, -1], [-1, 0], [3, 1]]
    unseen = by_column(coding, tables["real"], tables["other"], None)["unseen"]
    assert unseen.tolist() == [0.25, 0.0]


def test_rare_levels_by_hand():
    names = ("c",)
    coding = Coding((), (), names, (tuple("abcd"),), (4,), {})
    real = np.repeat([0, 1, 2, 3], [985, 5, 4, 6])  # b, c and d are rare; c has too few rows to be asked for
    other = np.repeat([0, 1], [996, 4])
    tables = [CodedTable(np.zeros((1000, 0)), x[:, None]) for x in (real, other)]
    present, ratio = levels(coding, *tables)
    assert present == 2 / 3  # a and b, not d
    np.testing.assert_allclose(ratio, 0.004 / 0.015)
    half = CodedTable(np.zeros((500, 0)), other[:500, None])
    assert levels(coding, tables[0], half)[0] == 1  # of 500 rows only a can be expected five times


def test_distances_are_gowers():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 2)).round(1), rng.normal(size=(50, 2)).round(1)
    a, b = rng.integers(0, 3, (300, 3)), rng.integers(0, 3, (50, 3))
    y[7, 0], a[5, 1], x[9] = np.nan, -1, np.nan
    queries, references = points(CodedTable(x, a), [CodedTable(y, b), CodedTable(x, a)])
    ranks = [(rankdata(c[~np.isnan(c)]) - 0.5) / np.sum(~np.isnan(c)) for c in x.T]

    def rank(column, k):
        known = np.sort(x[~np.isnan(x[:, k]), k])
        return np.where(np.isnan(column), 9.0, np.interp(column, known, np.sort(ranks[k])))

    total = cdist(b, a, "hamming") * 3
    for k in range(2):
        total += np.minimum(np.abs(rank(y[:, k], k)[:, None] - rank(x[:, k], k)[None, :]), 1)
    np.testing.assert_allclose(nearest(queries, references), (total / 5).min(1), atol=1e-6)


def test_distances_do_not_depend_on_tiles(monkeypatch):
    rng = np.random.default_rng(0)
    t = CodedTable(rng.normal(size=(97, 2)), rng.integers(-1, 300, (97, 2)))
    a, b = points(t, [t.take(np.arange(40)), t.take(np.arange(40, 97))])
    whole = nearest(a, b)
    monkeypatch.setattr("laten.synthetic.distances.TILE", (7, 11))
    np.testing.assert_array_equal(nearest(a, b), whole)


def test_copies_are_counted_cell_by_cell():
    real = CodedTable(np.array([[1.0, np.nan], [0.0, 2.0]]), np.array([[0], [-1]]))
    other = CodedTable(np.array([[1.0, np.nan], [-0.0, 2.0], [0.0, 2.0], [1.0, 2.0]]), np.array([[0], [-1], [0], [0]]))
    assert copies(real, other) == 0.5


def test_auc_and_score_by_hand():
    assert auc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True])) == 3.5 / 4
    assert score(np.array([0.5, 0.3, 1.0])) == 1 - (0 + 0 + 1) / 3


def test_durations_are_measured_in_seconds():
    hours = pd.DataFrame({"wait": pd.to_timedelta([1, 2, 3, None], unit="h")})
    _, tables = code({"real": hours, "arrow": hours.astype("duration[us][pyarrow]")}, infer_schema(hours))
    for table in tables.values():
        np.testing.assert_array_equal(table.numbers[:, 0], [3600, 7200, 10800, np.nan])
