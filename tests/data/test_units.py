"""Units and types of arrays: learned when fitting, kept in the file, and given back; values outside a support."""

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.common.errors import DataError
from laten.data.rows.array_spec import ArraySpec
from laten.data.rows.array_units import Unit, standard
from laten.data.rows.array_view import ArrayView
from laten.data.rows.views import view_from_json

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 2)) @ RNG.normal(size=(2, 3)) + 0.3 * RNG.normal(size=(200, 3))
IMAGES = np.clip(RNG.random((60, 1, 1)) * 0.8 + 0.1 + RNG.normal(0, 0.02, (60, 4, 4)), 0, 1)
NORMAL = lt.Network(z=lt.Normal(2), x=lt.Normal(3).given("z", via=lt.MLP(16)))


def fitted(data, network=None, **options):
    return lt.VAE(network, **{"epochs": 2, "latent": 2, "width": 8, **options}).fit(data)


@pytest.mark.trains
@pytest.mark.filterwarnings("ignore:log-likelihood")
def test_the_unit_of_a_normal_node_changes_nothing_but_the_jacobian(tmp_path):
    """The same weights for data in metres, kilometres or Kelvin; all answers in the data's unit."""
    one = fitted({"x": X}, NORMAL)
    score, drawn = one.score_samples({"x": X}), one.sample(50)["x"]
    for scale, shift in ((1000.0, 0.0), (1e-3, 0.0), (10.0, 300.0)):
        other = fitted({"x": X * scale + shift}, NORMAL)
        data = {"x": X * scale + shift}
        np.testing.assert_allclose(other.score_samples(data) + 3 * np.log(scale), score, atol=0.02)
        np.testing.assert_allclose((other.sample(50)["x"] - shift) / scale, drawn, atol=2e-3)
        rebuilt = (other.reconstruct(data)["x"] - shift) / scale
        np.testing.assert_allclose(rebuilt, one.reconstruct({"x": X})["x"], atol=2e-3)
        parts = other.surprise(data)
        np.testing.assert_allclose(parts["x"].sum(1) + parts["z"], -other.score_samples(data), rtol=1e-4)
        bound = other.history_["bound"].iloc[-1] + 3 * np.log(scale)
        assert bound == pytest.approx(one.history_["bound"].iloc[-1], abs=0.02)
    other.save(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten")
    np.testing.assert_array_equal(again.score_samples(data), other.score_samples(data))
    fixed = fitted({"x": X * 1000}, lt.Network(z=lt.Normal(2), x=lt.Normal(3, scale=1.0).given("z")))
    assert not fixed.view_.units["x"].dense  # control: a scale that is declared is in the data's unit


@pytest.mark.trains
def test_what_is_given_and_what_is_full_comes_back_to_the_last_digit():
    holed = np.where(RNG.random(X.shape) < 0.2, np.nan, X * 7 + 0.1)
    holed[:, 2] = 5.0  # a site that never varies
    vae = fitted({"x": holed}, NORMAL)
    full = vae.impute({"x": holed})["x"]
    seen = ~np.isnan(holed)
    assert full.dtype == holed.dtype and np.array_equal(full[seen], holed[seen]) and np.isfinite(full).all()
    given = np.array([0.1, np.nan, 5.0])
    drawn = vae.sample(4, given={"x": given})["x"]
    assert (drawn[:, 0] == 0.1).all() and np.isfinite(drawn).all()
    masked = np.ma.masked_array(np.where(seen, holed, -1e30), ~seen)
    assert np.array_equal(vae.impute({"x": masked})["x"], full)


@pytest.mark.trains
@pytest.mark.parametrize(
    "binarise", ["dynamic", pytest.param("fixed", marks=pytest.mark.slow), pytest.param("none", marks=pytest.mark.slow)]
)
def test_images_come_back_on_the_scale_and_in_the_type_that_they_came(binarise):
    holed = np.where(RNG.random(IMAGES.shape) < 0.2, np.nan, IMAGES)
    hidden = np.isnan(holed)
    vae = fitted(holed, binarise=binarise)
    full, means, drawn = vae.impute(holed), vae.reconstruct(holed), vae.sample(3)
    assert {a.dtype for a in (full, means, drawn)} == {np.dtype(float)}
    assert np.array_equal(full[~hidden], holed[~hidden])
    for a in (full[hidden], means):
        assert a.min() > 0.02 and a.max() < 0.98 and len(np.unique(a)) > 10  # means, not zeros and ones
    assert set(np.unique(vae.impute(holed, 1)[0][hidden])) <= {0.0, 1.0}
    levels = np.round(IMAGES * 255).astype(np.uint8)
    grey = fitted(levels, binarise=binarise)
    back, drawn = grey.reconstruct(levels), grey.sample(9)
    assert back.dtype == drawn.dtype == np.uint8 and 20 < back.mean() < 235 and drawn.max() == 255
    some = np.ma.masked_array(levels, hidden)
    assert grey.impute(some).dtype == np.uint8 and np.array_equal(grey.impute(some)[~hidden], levels[~hidden])


@pytest.mark.slow
@pytest.mark.trains
def test_black_and_white_images_have_probabilities_for_means_and_classes_for_holes():
    bits = RNG.random(IMAGES.shape) < IMAGES
    for array in (bits, bits.astype(np.int64)):
        vae = fitted(array)
        means = vae.reconstruct(array)
        assert means.dtype == np.float32 and len(np.unique(means)) > 10 and means.min() > 0 and means.max() < 1
        assert vae.sample(3).dtype == array.dtype
        some = np.ma.masked_array(array, RNG.random(array.shape) < 0.3)
        full = vae.impute(some)
        assert full.dtype == array.dtype and set(np.unique(full)) <= {0, 1}


def test_pictures_have_one_unit_and_vectors_one_a_site():
    assert len(standard(RNG.normal(size=(9, 4)), None).scale) == 4 and len(standard(IMAGES, None).scale) == 1
    unit = standard(np.array([[1.0, 2.0], [3.0, 2.0]]), None)
    assert (unit.loc, unit.scale) == ((2.0, 2.0), (1.0, 1.0))
    seen = np.array([[True, False], [True, True]])
    assert np.array_equal(Unit("float64", (0.0, 0.0), (2.0, 4.0), True).log_det(seen), -np.log([[2, 1], [2, 4]]))
    assert Unit("int8").typed(np.array([300.0, -1.6])).tolist() == [127, -2]
    assert Unit("int64").typed(np.array([1e30])).tolist() == [2**63 - 1024]


def test_a_view_of_an_older_file_has_no_units():
    view = ArrayView({"x": ArraySpec((2,))}, ("x",)).fitted({"x": X[:, :2]})[0].to_json()
    del view["units"]
    for spec in view["specs"].values():
        del spec["ends"], spec["moves"]
    old = view_from_json(view)
    assert old.units == {} and old.scored({"x": X[:, :2]})[1] == {}
    assert old.as_given({"x": np.ones((1, 2))}, None, means=True)["x"].dtype == np.float32


OUTSIDE = {
    "positive": (lt.LogNormal(2), [[1, 2], [3, -0.5]], r"above 0, got -0\.5 \(1 of 4 .* index \(1, 1\)"),
    "fraction": (lt.LogitNormal(()), [0.5, 1.5], "fractions from 0 to 1, got 1.5"),
    "count": (lt.Poisson(()), [1, 2.5], "whole numbers of at least 0, got 2.5"),
    "count_negative": (lt.NegativeBinomial(()), [1, -2], "at least 0, got -2"),
    "count_huge": (lt.Poisson(()), [1, 1e30], "at most 16777216"),
    "levels": (lt.DiscretizedLogistic((), levels=10), [3, 10], "whole numbers from 0 to 9, got 10"),
    "classes": (lt.Categorical(3), [0, 7], r"0\.\.2"),
    "binary": (lt.Bernoulli(()), [0.0, 1.5], "is binary"),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_values_outside_a_support_are_refused_before_the_first_step(case):
    family, values, words = OUTSIDE[case]
    with pytest.raises(DataError, match=f"node 'x'.*{words}"):
        fitted({"x": np.array(values)}, lt.Network(z=lt.Normal(2), x=family.given("z")))


def test_odd_input_is_named():
    frame = pd.DataFrame({"x": X[:, 0], "k": RNG.poisson(3, 200)})
    declared = lt.Network(z=lt.Normal(2), x=lt.LogNormal(()).given("z"))
    half = frame.assign(s=pd.Series(["a", "b\ud800"] * 100, dtype=object))
    counts = lt.Network(z=lt.Normal(2), k=lt.Poisson(()).given("z"))
    cases = [
        (lambda: fitted(frame, learning_rate=np.inf), "finite, not inf"),
        (lambda: fitted(frame, declared), "'x' is declared LogNormal.*standardised"),
        (lambda: fitted(frame.assign(k=frame["k"] * 10**8), counts), "'k' is declared Poisson.*16777216.*rescale"),
        (lambda: fitted(half), r"'s': rows 1, 3.*half of a character"),
    ]
    if np.dtype(np.longdouble).itemsize > 8:
        cases.append((lambda: fitted(frame.astype({"x": np.longdouble})), "'x': .*more bits.*astype"))
    for ask, words in cases:
        with pytest.raises(lt.LatenError, match=words):
            ask()
