"""What scikit-learn asks: weights of rows, partial fits, `set_output`, names, clones, an imputer's options."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import laten as lt
from laten.training import settings
from laten.training.loop import shuffled
from laten.training.row_weights import visited

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore::laten.common.errors.LatenWarning")]

RNG = np.random.default_rng(7)
SMALL = {"latent": 2, "width": 8, "epochs": 2, "draws": 5}
TABLE = pd.DataFrame({"x": RNG.normal(size=60).round(3), "s": RNG.choice(list("ab"), 60)})
HOLED = TABLE.mask(RNG.random(TABLE.shape) < 0.2).assign(empty=np.nan)

STOCHASTIC = (
    "rows are visited in an order of chance: weights are as repeated rows in the loss, not in each draw; so it is with "
    "scikit-learn's own estimators that learn by stochastic steps"
)
EXPECTED = {
    "VAE": dict.fromkeys(
        ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"), STOCHASTIC
    )
}  # all others: none


@pytest.mark.slow
@parametrize_with_checks(
    [lt.VAE(), lt.Imputer(), lt.Embedder(), lt.Detector(), lt.Synthesizer()],
    expected_failed_checks=lambda estimator: EXPECTED.get(type(estimator).__name__, {}),
)
def test_scikit_learns_own_checks_of_the_defaults(estimator, check, monkeypatch):
    monkeypatch.setattr(settings, "AUTO_STEPS", 20)  # all defaults but the length of the plan
    check(estimator)


@pytest.fixture(scope="module")
def vae() -> lt.VAE:
    return lt.VAE(**SMALL, random_state=3).fit(TABLE)


# -- weights of rows ------------------------------------------------------------


def test_whole_weights_are_rows_that_often_in_each_pass():
    """The order of a pass over weighted rows holds the same rows, each as often, as one over rows that are repeated."""
    weights = RNG.integers(0, 4, 50).astype(float)
    weights *= 50 / weights.sum()  # the scale does not matter; now a row's weight is its number of visits
    passes = np.bincount(shuffled(0, 0, 50, 10, 400, weights).ravel(), minlength=50) / 400
    assert np.allclose(passes, weights, atol=1 / 8)
    assert (passes[weights == 0] == 0).all()
    once = np.bincount(visited(weights, 0.3), minlength=50)
    assert (np.abs(once - weights) < 1).all() and once.sum() == 50
    whole = np.repeat([0.0, 2.0, 1.0, 1.0], 5)
    assert np.array_equal(np.bincount(visited(whole, 0.9), minlength=20), whole)


def test_the_loss_of_weighted_rows_is_that_of_repeated_ones():
    """An observed normal root has a closed form: the weighted mean and variance."""
    a = 50 + 3 * RNG.normal(size=(300, 1))
    weights = np.where(a[:, 0] > 51, 3.0, np.where(a[:, 0] < 46, 0.0, 1.0))
    network = lt.Network(a=lt.Normal(1))
    vae = lt.VAE(network, epochs=60, validation=0).fit({"a": a}, sample_weight=weights)
    spread = np.cov(a[:, 0], aweights=weights, ddof=0)
    assert vae.score({"a": a}, sample_weight=weights) == pytest.approx(
        -0.5 * np.log(2 * np.pi * np.e * spread), abs=0.03
    )
    repeated = lt.VAE(network, epochs=60, validation=0).fit({"a": np.repeat(a, weights.astype(int), axis=0)})
    assert repeated.score({"a": a}) == pytest.approx(vae.score({"a": a}), abs=0.1)
    plain = lt.VAE(network, epochs=60, validation=0).fit({"a": a})
    assert plain.score({"a": a}, sample_weight=weights) < vae.score({"a": a}, sample_weight=weights) - 0.1  # control


def test_equal_weights_change_nothing_and_rows_of_none_are_not_there(vae):
    same = lt.VAE(**SMALL, seed=3).fit(TABLE, sample_weight=np.full(60, 2.0))
    assert np.array_equal(same.score_samples(TABLE), vae.score_samples(TABLE))
    odd = pd.concat([TABLE, pd.DataFrame({"x": [1e9], "s": ["never"]})], ignore_index=True)
    gone = lt.VAE(**SMALL).fit(odd, sample_weight=np.r_[np.ones(60), 0.0])
    assert gone.schema_["s"].levels == ("a", "b") and gone.schema_["x"].seen.high < 1e3


@pytest.mark.parametrize(
    ("weights", "words"),
    [(np.ones(5), "60 rows"), (np.zeros(60), "zero"), (np.r_[-1, np.ones(59)], "row 0 is -1"), (["x"] * 60, "numbers")],
)
def test_weights_that_cannot_be(weights, words):
    with pytest.raises(lt.LatenError, match=words):
        lt.VAE(**SMALL).fit(TABLE, sample_weight=weights)


# -- parameters, partial fits, clones -------------------------------------------


def test_random_state_is_the_seed_and_both_must_agree(vae):
    assert np.array_equal(lt.VAE(**SMALL, seed=3).fit(TABLE).score_samples(TABLE), vae.score_samples(TABLE))
    with pytest.raises(lt.LatenError, match="seed=1 and random_state=2"):
        lt.VAE(seed=1, random_state=2).fit(TABLE)
    for name, value in (("random_state", "x"), ("latent", "2"), ("dropout", "much"), ("network", 3)):
        with pytest.raises(lt.LatenError, match=f"The '{name}' parameter of VAE must be"):
            lt.VAE(**{name: value}).fit(TABLE)
    assert set(lt.VAE._parameter_constraints) == set(lt.VAE().get_params())


@pytest.mark.parametrize("face", [lt.Detector, lt.Imputer, lt.Synthesizer, lt.Embedder])
def test_faces_say_which_parameter_is_wrong(face):
    wrong = {"vae": "small", "seed": "x", "contamination": [1], "samples": "3", "statistic": 1, "add_indicator": "yes"}
    assert set(face._parameter_constraints) == set(face().get_params())
    for name, value in wrong.items():
        if name in face().get_params():
            with pytest.raises(lt.LatenError, match=f"The '{name}' parameter of {face.__name__} must be"):
                face(**{name: value}).fit(TABLE)


def test_a_partial_fit_goes_on_from_the_weights_under_the_same_schema():
    world = RNG.normal(size=(400, 1)) + RNG.normal(size=(400, 3)) / 4
    first, later = pd.DataFrame(world[:200], columns=list("abc")), pd.DataFrame(world[200:], columns=list("abc"))
    vae = lt.VAE(latent=2, width=16, epochs=40, validation=0).fit(first)
    before, schema = vae.score(later), vae.schema_
    for _ in range(3):
        vae.partial_fit(later)
    assert vae.schema_ is schema and vae.score(later) > before - 0.05
    assert list(vae.history_["epoch"])[-3:] == [41, 42, 43] and vae.history_["kept"].sum() == 1
    with pytest.raises(lt.LatenError, match="'c'"):
        vae.partial_fit(later.drop(columns="c"))
    assert len(lt.VAE(**SMALL).partial_fit(first).history_) == 1


def test_a_clone_of_a_loaded_model_is_free_of_its_network(vae, tmp_path):
    vae.save(tmp_path / "m.laten")
    again = lt.load(tmp_path / "m.laten")
    assert again.restarts_.equals(vae.restarts_) and again.network is None and again.random_state == 3
    other = pd.DataFrame({"q": RNG.normal(size=40), "r": RNG.integers(0, 30, 40), "t": RNG.normal(size=40)})
    assert clone(again).fit(other).schema_.names == ("q", "r", "t")
    own = lt.VAE(lt.Network(z=lt.Normal(1), x=lt.Normal(2).given("z")), epochs=1).fit({"x": np.eye(2)[[0, 1] * 9]})
    own.save(tmp_path / "own.laten")
    assert lt.load(tmp_path / "own.laten").network == own.network_


# -- tables that come out -------------------------------------------------------


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_is_honoured(vae, library):
    asked, frames = clone(vae).set_output(transform=library), pytest.importorskip(library)
    asked.__dict__.update({k: v for k, v in vars(vae).items() if k.endswith("_") or k.startswith("_ref")})
    for rows in (TABLE, TABLE.to_dict("list"), TABLE.to_dict("records")):
        found = asked.transform(rows)
        assert isinstance(found, frames.DataFrame) and list(found.columns) == ["z0", "z1"]
        assert np.allclose(found.to_numpy(), vae.transform(TABLE).to_numpy())


def test_names_are_those_of_the_fit(vae):
    assert list(vae.get_feature_names_out(["x", "s"])) == ["z0", "z1"]
    for names, words in ((["s", "x"], "not equal to feature_names_in_"), (["x"], "not equal")):
        with pytest.raises(ValueError, match=words):
            vae.get_feature_names_out(names)


def test_the_imputers_options_and_the_way_back():
    imputer = lt.Imputer(lt.VAE(**SMALL), add_indicator=True).fit(HOLED)
    filled = imputer.transform(HOLED)
    assert (
        list(filled) == ["x", "s", "missingindicator_x", "missingindicator_s"] == list(imputer.get_feature_names_out())
    )
    assert filled.notna().all(axis=None)
    pd.testing.assert_frame_equal(imputer.inverse_transform(filled), HOLED)
    plain = lt.Imputer(imputer.vae, keep_empty_features=True, samples=2).fit(HOLED)
    kept = plain.transform(HOLED)
    assert len(kept) == 2 and (kept[0]["empty"] == 0).all() and not kept[0].equals(kept[1])
    with pytest.raises(lt.LatenError, match="add_indicator"):
        plain.inverse_transform(filled)


@pytest.mark.slow
def test_a_number_that_means_missing_is_filled_and_comes_back():
    whole = RNG.integers(0, 50, (60, 3))
    coded = np.where(RNG.random(whole.shape) < 0.2, -1, whole)
    imputer = lt.Imputer(lt.VAE(**SMALL), missing_values=-1, add_indicator=True).fit(coded)
    filled = imputer.transform(coded)
    assert (filled[:, :3][coded != -1] == coded[coded != -1]).all() and (filled[:, :3] >= 0).all()
    assert np.array_equal(imputer.inverse_transform(filled), coded)
    assert list(imputer.get_feature_names_out())[:4] == ["x0", "x1", "x2", "missingindicator_x0"]
