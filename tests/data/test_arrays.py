"""Arrays by node: shapes, masks, types, binarisation, and what cannot be."""

import numpy as np
import pandas as pd
import pytest

from laten.common.errors import DataError
from laten.data.rows.array_spec import ArraySpec
from laten.data.rows.arrays import rows_from_arrays

RNG = np.random.default_rng(0)
IMAGE = ArraySpec((28, 28), "binary")
PIXELS = RNG.integers(0, 256, (50, 28, 28)).astype(np.uint8)


def one(array, spec, **options):
    rows = rows_from_arrays({"x": array}, {"x": spec}, **options)
    return rows.values["x"], rows.mask.get("x"), rows.visit["x"]


def test_intensities():
    values, mask, visit = one(PIXELS, IMAGE)
    assert (values.dtype, mask, visit) == (np.uint8, None, "intensity") and np.array_equal(values, PIXELS)
    fixed, _, visit = one(PIXELS, IMAGE, binarise="fixed", seed=1)
    assert visit == "fixed" and set(np.unique(fixed)) == {0, 1}
    assert np.array_equal(fixed, one(PIXELS, IMAGE, binarise="fixed", seed=1)[0])
    assert not np.array_equal(fixed, one(PIXELS, IMAGE, binarise="fixed", seed=2)[0])
    share, _, visit = one(PIXELS, IMAGE, binarise="none")
    assert (share.dtype, visit) == (np.float32, "none") and np.allclose(share, PIXELS / 255)


def test_fixed_binarisation_has_the_right_probabilities():
    grey = np.full((400, 1000), 51, np.uint8)  # 51/255 = 0.2
    drawn = one(grey, ArraySpec((1000,), "binary"), binarise="fixed")[0]
    assert abs(drawn.mean() - 0.2) < 5 * np.sqrt(0.2 * 0.8 / grey.size)
    assert abs(drawn.mean() - 51 / 256) > 5 * np.sqrt(0.2 * 0.8 / grey.size) / 10  # control: not everything passes
    assert (
        drawn.min() == 0
        and one(np.full((2, 3), 255, np.uint8), ArraySpec((3,), "binary"), binarise="fixed")[0].min() == 1
    )


def test_black_and_white_stays_as_it_is():
    for array in (
        PIXELS > 100,
        (PIXELS > 100).astype(np.uint8),
        (PIXELS > 100).astype(float),
        (PIXELS > 100).astype(int),
    ):
        values, mask, visit = one(array, IMAGE)
        assert (values.dtype, mask, visit) == (np.uint8, None, "none") and np.array_equal(values, PIXELS > 100)


def test_fractions_become_levels():
    values, _, visit = one(PIXELS / 255, IMAGE)
    assert visit == "intensity" and np.array_equal(values, PIXELS)


def test_obvious_reshapes():
    flat = PIXELS.reshape(50, 784)
    assert np.array_equal(one(flat, IMAGE)[0], PIXELS)
    assert np.array_equal(one(PIXELS, ArraySpec((784,), "binary"))[0], flat)
    assert np.array_equal(one(PIXELS[..., None], IMAGE)[0], PIXELS)
    assert one(np.arange(5.0), ArraySpec((1,)))[0].shape == (5, 1)
    assert one(np.ones((5, 1)), ArraySpec(()))[0].shape == (5,)


def test_holes():
    x = RNG.normal(size=(6, 3))
    x[2, 1] = np.nan
    hidden = np.isnan(x)
    for given in (x, np.ma.masked_invalid(x), pd.DataFrame(x), x.astype(object).tolist()):
        values, mask, _ = one(given, ArraySpec((3,)))
        assert values.dtype == np.float32 and values[2, 1] == 0 and np.array_equal(mask, ~hidden)
    labels = pd.Series([0, 1, None, 2], dtype="Int64")
    values, mask, _ = one(labels, ArraySpec((), "classes", 3))
    assert (values.dtype, values.tolist(), mask.tolist()) == (np.uint8, [0, 1, 0, 2], [True, True, False, True])
    assert (
        one(np.ma.masked_array(PIXELS[:, :2, :2], PIXELS[:, :2, :2] > 9), ArraySpec((2, 2), "binary"))[2] == "intensity"
    )


def test_compact_types():
    assert one(RNG.normal(size=(5, 2)), ArraySpec((2,)))[0].dtype == np.float32
    assert one(np.arange(5), ArraySpec((), "counts"))[0].dtype == np.float32
    assert one(np.arange(5.0), ArraySpec((), "classes", 300))[0].dtype == np.uint16
    assert one(PIXELS, ArraySpec((28, 28)))[0].dtype == np.uint8
    rows = rows_from_arrays(
        {"a": [1.0, 2.0], "b": [0, 1]}, {"a": ArraySpec(()), "b": ArraySpec((), "binary"), "z": ArraySpec((2,))}
    )
    assert (rows.n, set(rows.values)) == (2, {"a", "b"})


BAD = {
    "unknown_node": ({"y": [1.0]}, ArraySpec(()), ["'y'", "'x'"]),
    "nothing": ({}, ArraySpec(()), ["at least one"]),
    "no_dict": (np.zeros(3), ArraySpec(()), ["dict", "ndarray"]),
    "shape": ({"x": PIXELS}, ArraySpec((28, 27)), ["'x'", "(n, 28, 27)", "(50, 28, 28)"]),
    "shape_scalar": ({"x": PIXELS}, ArraySpec(()), ["(n,)", "(50, 28, 28)"]),
    "turned": ({"x": np.zeros((5, 2, 3))}, ArraySpec((3, 2)), ["(n, 3, 2)", "(5, 2, 3)"]),
    "number": ({"x": 3.0}, ArraySpec(()), ["'x'", "one number"]),
    "no_rows": ({"x": np.zeros((0, 2))}, ArraySpec((2,)), ["'x'", "no rows"]),
    "text": ({"x": ["a", "b"]}, ArraySpec((), "classes", 2), ["'x'", "numbers", "factorize"]),
    "dates": ({"x": np.array(["2020"], "datetime64")}, ArraySpec(()), ["'x'", "numbers"]),
    "ragged": ({"x": [[1, 2], [3]]}, ArraySpec((2,)), ["'x'", "numbers"]),
    "complex": ({"x": np.zeros(3, complex)}, ArraySpec(()), ["'x'", "complex"]),
    "infinite": ({"x": np.array([[0, 1], [np.inf, 2]])}, ArraySpec((2,)), ["'x'", "row 1", "infinit"]),
    "all_hidden": ({"x": [np.nan, np.nan]}, ArraySpec(()), ["'x'", "latent"]),
    "float32": ({"x": [1e300, 0.0]}, ArraySpec(()), ["'x'", "float32"]),
    "class_too_high": ({"x": [0, 1, 3]}, ArraySpec((), "classes", 3), ["'x'", "0..2", "got 3", "row 2"]),
    "class_negative": ({"x": [0, -1]}, ArraySpec((), "classes", 3), ["'x'", "-1", "row 1", "NaN"]),
    "class_fraction": ({"x": [0, 0.5]}, ArraySpec((), "classes", 3), ["'x'", "0.5"]),
    "class_column": ({"x": [[0, 5], [1, 2]]}, ArraySpec((2,), "classes", (2, 3)), ["'x'", "row 0"]),
    "count_negative": ({"x": [3, -1]}, ArraySpec((), "counts"), ["'x'", "-1", "row 1", "counts"]),
    "not_binary": ({"x": [0, 7]}, ArraySpec((), "binary"), ["'x'", "binary", "int64", "uint8"]),
    "not_binary_float": ({"x": [0.0, 1.5]}, ArraySpec((), "binary"), ["'x'", "binary", "1.5"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays(case):
    arrays, spec, words = BAD[case]
    with pytest.raises(DataError) as error:
        rows_from_arrays(arrays, {"x": spec})
    assert all(w in str(error.value) for w in words), error.value
    assert "\n" not in str(error.value)


def test_other_row_counts_and_options():
    specs = {"a": ArraySpec(()), "b": ArraySpec(())}
    with pytest.raises(DataError, match="'a' 3, 'b' 2"):
        rows_from_arrays({"a": np.zeros(3), "b": np.zeros(2)}, specs)
    with pytest.raises(DataError, match="binarise"):
        rows_from_arrays({"a": np.zeros(3)}, specs, binarise="yes")
    with pytest.raises(DataError, match="sizes"):
        ArraySpec((), "classes")
    with pytest.raises(DataError, match="one of"):
        ArraySpec((), "pictures")


def test_what_was_decided_when_fitting_holds_for_later_arrays():
    """A batch of black pixels is still levels of intensity, not the class 0."""
    dark = np.ones((2, 28, 28), np.uint8)
    assert one(dark, IMAGE)[2] == "none"
    values, _, visit = one(dark, IMAGE, visit={"x": "intensity"})
    assert visit == "intensity" and (values == 1).all()
