"""Faces of `VAE` for one question each: what each answers, what it is given, and that nothing odd stops a detector."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

import laten as lt
from laten.data.rows.standardised import standardised
from laten.estimator import advised
from laten.estimator.detector import numbers_as_numbers
from laten.estimator.neighbours import known_rows, thinness

pytestmark = pytest.mark.trains

RNG = np.random.default_rng(7)
N = 400
Z = RNG.normal(size=N)
TABLE = pd.DataFrame({
    "t": 15 + 3 * Z + RNG.normal(0, 0.5, N), "p": 1013 + 5 * Z + RNG.normal(0, 1, N),
    "sky": np.where(Z + RNG.normal(0, 0.3, N) > 0, "clear", "rain"), "grade": RNG.integers(1, 5, N),
    "hours": RNG.poisson(3, N),
})  # fmt: skip
SMALL = lt.VAE(latent=2, width=16, epochs=300, patience=0, numbers="normal", draws=20)
ODD = TABLE.head(12).copy().astype({"sky": object, "grade": float, "hours": float})
ODD.loc[0, "t"] = 9.96921e36
ODD.loc[1, "p"] = -1e300
ODD.loc[2, "sky"] = "fog"
ODD.loc[3, "grade"] = 99
ODD.loc[4, "hours"] = -3
ODD.loc[5, :] = np.nan


@pytest.fixture(scope="module")
def detector() -> lt.Detector:
    return lt.Detector(0.05, vae=SMALL).fit(TABLE)


def test_nothing_odd_stops_a_detector_and_it_is_found(detector):
    with pytest.warns(lt.LatenWarning) as told:
        scores = detector.score_samples(ODD)
    words = [str(w.message) for w in told if "never seen" in str(w.message)]
    assert len(words) == 2 and any("'fog'" in w for w in words) and any("99.0" in w for w in words)
    assert np.isfinite(scores).all()
    assert scores[:5].max() < detector.offset_
    assert (scores[6:] > detector.offset_).mean() > 0.6  # a control: rows as they were
    with pytest.warns(lt.LatenWarning):
        assert detector.predict(ODD)[:5].tolist() == [-1] * 5
        surprise = detector.surprise(ODD)
    assert [surprise.iloc[i].idxmax() for i in range(5)] == ["t", "p", "sky", "grade", "hours"]


def test_a_detector_takes_other_containers(detector):
    pl = pytest.importorskip("polars")
    assert np.array_equal(detector.score_samples(pl.from_pandas(TABLE)), detector.score_samples(TABLE))
    schema = numbers_as_numbers(pl.from_pandas(TABLE))
    assert {c.name: c.kind for c in schema.columns} == dict.fromkeys(["t", "p", "grade", "hours"], "real") | {
        "sky": "binary"
    }
    assert numbers_as_numbers({"x": np.zeros((5, 2, 2))}) is None and numbers_as_numbers(np.zeros((5, 2, 2))) is None


def test_a_hole_makes_a_row_neither_odd_nor_usual(detector):
    usual = detector.score_samples(TABLE)
    holed = detector.score_samples(TABLE.assign(t=np.nan, hours=np.nan))
    assert abs(np.median(holed) - np.median(usual)) < 0.5
    assert detector.vae_.score_samples(TABLE.assign(t=np.nan, hours=np.nan)).mean() > detector.vae_.score(TABLE) + 2


def test_thinness_is_a_density_by_neighbours():
    x = pd.DataFrame({"a": RNG.normal(size=2000)})
    known = known_rows(standardised(lt.infer_schema(x), x), 0)
    asked = np.array([0.0, 1.0, 2.0])
    thin = thinness(standardised(lt.infer_schema(x), pd.DataFrame({"a": asked})), known)
    assert thin - thin[0] == pytest.approx(asked**2 / 2, abs=0.45)  # minus the log of the density, up to a constant
    assert thinness(known.take(np.arange(50)), known).mean() == pytest.approx(thinness(known, known).mean(), abs=0.2)
    again = known_rows(standardised(lt.infer_schema(x), pd.concat([x, x])), 0)
    assert len(again.numbers) == len(known.numbers)  # copies make no row less lonely
    one = known.take(np.arange(1))
    assert thinness(known, one).tolist() == [0.0] * 2000


def test_coordinates_take_what_is_odd():
    frame = pd.DataFrame({"x": RNG.normal(3, 2, 300), "c": ["a", "a", "b"] * 100})
    schema = lt.infer_schema(frame).with_kinds({"c": "categorical"})
    odd = pd.DataFrame({"x": [np.nan, 1e300, 5.0], "c": ["new", None, "b"]})
    found = standardised(schema, odd)
    assert found.numbers[:, 0] == pytest.approx([0, 1e50, (5 - frame["x"].mean()) / frame["x"].std(ddof=0)])
    assert found.classes[:, 0].tolist() == [2, 0, 1]


@pytest.mark.slow
def test_a_matrix_with_a_class_never_seen_is_scored():
    X = np.column_stack([RNG.integers(0, 4, 300), RNG.normal(size=300)]).astype(float)
    vae = lt.VAE(latent=2, width=8, epochs=3, draws=10).fit(X)
    assert vae.schema_[0].kind == "ordinal"
    with pytest.warns(lt.LatenWarning, match="column 0: 9.0 .1 row. was never seen"):
        scores = vae.score_samples(np.vstack([X[:3], [9.0, 0.0]]))
    assert scores[3] < scores[:3].min() - 3
    with pytest.warns(lt.LatenWarning):
        assert vae.predict_outliers(np.vstack([X[:30], [9.0, 0.0]]), contamination=0.02)[-1] == -1


def test_the_share_and_the_fence_set_the_offset(detector):
    scores = detector.score_samples(TABLE)
    assert (detector.predict(TABLE) == -1).sum() == round(0.05 * N)
    assert np.array_equal(detector.decision_function(TABLE), scores - detector.offset_)
    one = detector.predict(TABLE.iloc[[int(np.argmin(scores))]])
    assert one.tolist() == [-1]  # alone in its batch: the threshold is the fit's
    fence = lt.Detector(vae=SMALL).fit(TABLE)
    assert 0 < (fence.predict(TABLE) == -1).mean() < 0.1
    for wrong in (0, 1.0, True, "some", -0.1):
        with pytest.raises(lt.LatenError, match="contamination"):
            lt.Detector(wrong, vae=SMALL).fit(TABLE)


def test_odd_rows_have_lower_scores_than_usual_ones_and_usual_ones_have_not(detector):
    rows = np.arange(N // 2)
    broken = TABLE.iloc[rows].assign(t=TABLE["t"].to_numpy()[::-1][rows])  # every value as usual, the pair is not
    both = pd.concat([TABLE.iloc[rows], broken])
    assert roc_auc_score(np.repeat([0, 1], len(rows)), -detector.score_samples(both)) > 0.65
    halves = detector.score_samples(TABLE)
    assert 0.4 < roc_auc_score(np.repeat([0, 1], N // 2), -halves) < 0.6


@pytest.mark.slow
def test_a_detector_without_options_learns_what_is_advised(monkeypatch):
    told = []
    learn = lt.VAE.fit

    def quick(self, X):
        told.append(self.get_params())
        return learn(self.set_params(epochs=1, width=4, draws=5), X)

    monkeypatch.setattr(lt.VAE, "fit", quick)
    assert np.isfinite(lt.Detector().fit(TABLE).score_samples(TABLE)).all()
    assert [advice.items() <= took.items() for advice, took in
            zip((advised.finding(N), advised.distrusting()), told, strict=True)] == [True, True]  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:log-likelihood:laten.common.errors.LatenWarning")
def test_the_default_detector_finds_rows_that_break_what_others_keep():
    """Each value is as usual, the row is not; what the true density tells is the most that can be told."""
    rng = np.random.default_rng(8)
    loadings, z = rng.normal(size=(2, 6)), rng.normal(size=(1200, 2))
    rows = pd.DataFrame(z @ loadings + rng.normal(0, 0.2, (1200, 6)), columns=list("abcdef"))
    clean, usual = rows[:800], rows[800:]
    broken = usual.assign(a=usual["a"].to_numpy()[::-1], d=usual["d"].to_numpy()[::-1])
    both, odd = pd.concat([broken, usual]), np.repeat([1, 0], 400)
    truth = multivariate_normal(np.zeros(6), loadings.T @ loadings + 0.04 * np.eye(6))
    found = roc_auc_score(odd, -lt.Detector().fit(clean).score_samples(both))
    assert roc_auc_score(odd, -truth.logpdf(both)) - 0.1 < found
    assert found > roc_auc_score(odd, -IsolationForest(random_state=0).fit(clean).score_samples(both)) + 0.1  # control


def test_each_face_answers_as_its_model():
    quick = clone(SMALL).set_params(epochs=2)
    made = lt.Synthesizer(quick).fit(TABLE)
    assert made.sample(5, seed=3).equals(made.vae_.sample(5, seed=3, holes=True))
    assert (made.sample(5, {"sky": "rain"})["sky"] == "rain").all()
    embedder = lt.Embedder(quick)
    assert embedder.fit_transform(TABLE).equals(embedder.vae_.transform(TABLE))
    assert list(embedder.get_feature_names_out()) == ["z0", "z1"]
    assert list(embedder.feature_names_in_) == list(TABLE) and embedder.n_features_in_ == 5
    for face in (made, embedder):
        with pytest.raises(NotFittedError):
            clone(face)._fitted()


def test_what_is_advised_can_be_told_to_a_model():
    for advice in (advised.filling, advised.sampling, advised.finding):
        for rows in (0, 300, 6_000, 30_000):
            lt.VAE(**advice(rows))
    assert advised.filling(300) == {} and advised.filling(30_000)["epochs"] == 60


def test_a_face_without_a_model_takes_what_is_advised(monkeypatch):
    told = {}
    monkeypatch.setattr(lt.VAE, "fit", lambda self, X: told.update(self.get_params()) or self)
    lt.Synthesizer(seed=3).fit(TABLE)
    assert not told["hide"] and told["seed"] == 3 and told["dropout"] == 0.1
    lt.Synthesizer().fit(np.zeros((30_000, 2)))
    assert told["dropout"] == 0.0 and told["epochs"] == 60
    lt.Imputer()._learn({"a": np.zeros((30_000, 2))}, advised.filling)
    assert told["validation"] == 0.0 and told["batch_size"] == 256
