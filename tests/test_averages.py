"""An average of models is a model: its answers are those of the mixture's formula over its members."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp, softmax

import laten as lt

RNG = np.random.default_rng(0)
N = 240
CLASS = RNG.integers(0, 3, N)
X = (np.array([[-3.0, 0.0], [0.0, 3.0], [3.0, 0.0]])[CLASS] + RNG.normal(size=(N, 2))).astype(np.float32)
TABLE = pd.DataFrame(X, columns=["a", "b"])
# one discrete latent, which is enumerated: log p is exact
NETWORK = lt.Network(
    c=lt.Categorical(3), a=lt.Normal((), scale="site").given("c"), b=lt.Normal((), scale="site").given("c")
)
FEW = {"epochs": 4, "restarts": 3, "learning_rate": 0.1, "hide": False, "objective": lt.Elbo()}


@pytest.fixture(scope="module")
def average() -> lt.VAE:
    return lt.VAE(NETWORK, keep="all", **FEW).fit(TABLE)


@pytest.fixture(scope="module")
def members(average: lt.VAE) -> list[lt.VAE]:
    return [average.member(i) for i in range(3)]


def test_log_p_is_the_mean_of_the_members_probabilities(average, members):
    each = np.stack([m.score_samples(TABLE) for m in members])
    assert np.abs(each[0] - each[1]).max() > 0.05  # they differ, or all of this is idle
    np.testing.assert_allclose(average.score_samples(TABLE), logsumexp(each, axis=0) - np.log(3), atol=1e-4)
    assert average.score(TABLE) >= each.mean() - 1e-4  # Jensen


def test_conditionals_weigh_members_by_what_they_explain(average, members):
    rest = TABLE.drop(columns="b")
    joint, alone = (np.stack([m.score_samples(rows) for m in members]) for rows in (TABLE, TABLE.assign(b=np.nan)))
    found = average.conditional(TABLE, "b").log_density
    np.testing.assert_allclose(found, logsumexp(joint, axis=0) - logsumexp(alone, axis=0), atol=1e-4)
    each = np.stack([m.predict(rest, "b", statistic="mean") for m in members])
    expected = (softmax(alone, axis=0) * each).sum(0)
    np.testing.assert_allclose(average.predict(rest, "b", statistic="mean"), expected, atol=5e-4)
    assert np.abs(each.mean(0) - expected).max() > 2e-3  # the control: equal weights would be another answer
    holes = TABLE.assign(b=np.where(np.arange(N) % 2, np.nan, TABLE["b"]))
    np.testing.assert_allclose(average.impute(holes)["b"][1::2], expected[1::2], atol=5e-4)


@pytest.mark.slow
def test_samples_are_of_all_members(average, members):
    rows = average.sample(2000, seed=1)
    each = np.array([m.sample(2000, seed=1)["a"].mean() for m in members])
    assert abs(rows["a"].mean() - each.mean()) < 0.25
    known = average.sample(2000, {"a": 3.0}, seed=1)
    weights = softmax([m.score_samples(pd.DataFrame({"a": [3.0], "b": [np.nan]}))[0] for m in members])
    means = [m.predict(pd.DataFrame({"a": [3.0]}), "b", statistic="mean").iloc[0] for m in members]
    assert abs(known["b"].mean() - weights @ means) < 0.2
    copies = average.impute(TABLE.assign(b=np.nan), samples=2, seed=0)
    assert len(copies) == 2 and copies[0].notna().all(axis=None) and not copies[0].equals(copies[1])


def test_an_average_is_one_file(average, tmp_path):
    average.save(tmp_path / "average.laten")
    again = lt.load(tmp_path / "average.laten")
    assert np.array_equal(again.score_samples(TABLE), average.score_samples(TABLE))
    assert np.array_equal(again.member(1).score_samples(TABLE), average.member(1).score_samples(TABLE))
    assert again.keep == "all" and list(again.history_["member"].unique()) == [0, 1, 2] and len(again.restarts_) == 3


@pytest.mark.slow
def test_latents_stand_side_by_side():
    network = lt.Network(z=lt.Normal(2), x=lt.Normal(2, scale="site").given("z"))
    vae = lt.VAE(network, keep="all", **{**FEW, "restarts": 2}).fit(X)
    each = [vae.member(i) for i in range(2)]
    np.testing.assert_allclose(vae.transform(X), np.hstack([m.transform(X) for m in each]), atol=1e-6)
    assert list(vae.get_feature_names_out()) == ["0.z0", "0.z1", "1.z0", "1.z1"]
    scores = np.stack([m.score_samples(X, draws=2000) for m in each])
    np.testing.assert_allclose(vae.score_samples(X, draws=2000), logsumexp(scores, axis=0) - np.log(2), atol=0.15)
    assert vae.reconstruct(X).shape == X.shape


def test_what_an_average_cannot_do_is_refused(average, tmp_path):
    flow = lt.Network(z=lt.Normal(1), x=lt.Transformed(lt.Normal(2), lt.Spline(1, 4)).given("z"))
    for call, words in (
        (lambda: lt.VAE(flow, keep="all", **FEW | {"epochs": 10**9}).fit({"x": X}), "keep the best one, keep='best'"),
        (lambda: lt.VAE(NETWORK, keep="all").fit(TABLE), "say how many, restarts=4"),
        (lambda: lt.VAE(NETWORK, keep="some").fit(TABLE), "keep must be one of 'best', 'all'"),
        (lambda: lt.VAE(NETWORK, keep="all", **FEW).fit(TABLE, run=tmp_path), "leave out one of them"),
        (lambda: average.member(3), "no member 3: this model is an average of 3"),
        (lambda: average.audit(TABLE.head(2)), "average of 3.*ask one of them"),
        (lambda: average.partial_fit(TABLE), "average of 3"),
    ):
        with pytest.raises(lt.LatenError, match=words):
            call()
    alone = lt.VAE(NETWORK, **FEW).fit(TABLE)
    with pytest.raises(lt.LatenError, match="no member 0"):
        alone.member(0)
