"""Exponents of known power laws, and one point of every sort measured in small, through the process it runs in."""

import numpy as np
import pandas as pd
import pytest
from benchmarks import scaling
from benchmarks.scaling import exponent, line, picture, upper_decade

pytestmark = pytest.mark.trains

SIZES = np.geomspace(1e3, 1e5, 9)


def test_exponents_are_found_without_bias_and_their_errors_are_what_they_say():
    rng = np.random.default_rng(0)
    found = [exponent(SIZES, 3e-6 * SIZES**1.3 * np.exp(rng.normal(0, 0.2, len(SIZES)))) for _ in range(2000)]
    off = np.array([f.value for f in found]) - 1.3
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off))
    squared = np.mean([f.error**2 for f in found])  # an unbiased estimate of the variance of a slope
    assert squared == pytest.approx(off.var(), rel=0.1)
    inside = np.mean(np.abs(off) < [2.365 * f.error for f in found])  # Student's t, 7 degrees of freedom: 95 %
    assert inside == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / len(off)))


def test_an_exponent_without_noise_is_exact():
    found = exponent(SIZES, 7 * SIZES**0.5)
    assert (found.value, np.exp(found.start)) == (pytest.approx(0.5), pytest.approx(7))
    assert found.error == pytest.approx(0, abs=1e-9)
    wrong = exponent(SIZES, 1 + 1e-4 * SIZES)  # control: not a power law
    assert wrong.error > 0.01


def test_few_points():
    assert np.isnan(exponent(np.array([3.0]), np.array([1.0])).value)
    two = line(np.array([1.0, 3.0]), np.array([5.0, 9.0]))
    assert (two.value, two.start) == (2, 3)
    assert np.isnan(two.error)


def test_a_constant_weighs_least_in_the_upper_decade():
    y = 1 + 1e-4 * SIZES
    upper = upper_decade(pd.DataFrame({"size": SIZES, "y": y}))
    assert list(upper.index) == [4, 5, 6, 7, 8]
    assert exponent(SIZES, y).value < exponent(upper["size"], upper["y"]).value < 1


@pytest.mark.parametrize("name", [n for n in scaling.AXES if n != "devices"])
def test_grids_span_decades(name):
    axis = scaling.AXES[name]
    assert max(axis.sizes) / min(axis.sizes) >= 99
    assert len(set(axis.sizes)) == len(axis.sizes) >= 5
    assert max(axis.quick) <= max(axis.sizes)


@pytest.mark.slow
def test_a_point_in_its_own_process():
    found = scaling.child("call", 1000)
    assert found["data"] == 1000 // 128 * 128 * 4
    assert 0 < found["seconds"] < found["first"]
    assert 50 * 2**20 < found["before"] <= found["peak"] < 8 * 2**30


@pytest.mark.slow
def test_a_process_that_fails_says_so():
    with pytest.raises(RuntimeError, match="rows -1: exit status"):
        scaling.child("rows", -1)


def test_training_is_clocked_after_the_compiling_epoch():
    rows = {"x": scaling.normal_rows(1000, 30)}
    found = scaling.trained(rows, scaling.table_net(), epochs=3, validation=0)
    assert found["data"] == 1000 * 30 * 4
    assert 0 < found["seconds"] < found["first"]
    assert found["rest"] > 0


def test_table_and_picture(capsys):
    """Known laws go in at one end and come out at the other."""
    sizes = np.array([1e3, 1e4, 1e5])
    points = {"size": sizes, "seconds": 1e-6 * sizes, "rest": 2e-6 * sizes, "data": 120 * sizes}
    rows = pd.DataFrame({"axis": "rows", **points, "peak": 5e8 + 360 * sizes, "before": 5e8})
    one = pd.DataFrame({"axis": "devices", "size": [1], "seconds": 1.0, "data": 1.0, "peak": 5e8, "before": 5e8})
    one["seen"] = 1.0
    table = pd.concat([rows, one], ignore_index=True)
    scaling.tables(table)
    printed = capsys.readouterr().out
    found = scaling.summary("rows", rows)
    assert (found["ns a row"], found["ns a row, once"]) == ("1e+03", "2e+03")
    assert (str(found["exponent"]), str(found["upper decade"])) == ("1.00 ± 0.00", "1.00")
    assert found["a byte of data"].value == pytest.approx(3)
    assert "devices in sight: 1" in printed
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in picture(table).axes if ax.get_visible()]
    assert [t for t in titles if t] == ["rows: exponent 1.00 ± 0.00"]  # one point makes no curve
