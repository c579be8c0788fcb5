"""The learned guide: weighted draws that agree with exact answers, for evidence of every kind."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import laten as lt
from laten.common.errors import DataError

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def network():
    return lt.DiscreteNetwork(
        {"a": "xy", "b": "xyz", "c": "xy", "evidence": "xy"},
        {
            "a": [0.2, 0.8],
            "b": [[0.1, 0.6, 0.3], [0.5, 0.5, 0.0]],
            "c": [[0.9, 0.1], [0.4, 0.6]],
            "evidence": [[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.3, 0.7]], [[1.0, 0.0], [0.6, 0.4]]],
        },
        {"b": ["a"], "c": ["a"], "evidence": ["b", "c"]},
    )


@pytest.fixture(scope="module")
def guide(network):
    return network.learn_guide(300, width=16)


def test_answers_are_within_a_hundredth_of_a_nat(network, guide):
    assert guide.losses[-1] < guide.losses[0]
    for targets, given in (
        ("a", {}),
        ("a", {"evidence": "x"}),
        ("b", {"evidence": "y", "c": "x"}),
        (["a", "c"], {"evidence": "y"}),
        ("c", {"b": ["x", "z"], "evidence": "x"}),
        ("b", {"a": "y"}),
    ):
        exact, found = network.query(targets, given), guide.query(targets, given, draws=1000)
        assert list(found.index) == list(exact.index)
        p, q = exact[exact > 0], found[exact > 0]
        assert (p * np.log(p / q)).sum() < 0.01, (targets, given)
        assert found.attrs["log_evidence"] == pytest.approx(network.log_evidence(given), abs=0.1)
        assert found.attrs["effective_sample_size"] > 300
    assert guide.query("b", {"a": "y"}, draws=1000)["z"] == 0  # what is impossible has no weight


def test_weights_are_unbiased_before_anything_is_learned(network, guide):
    """Their mean is p(evidence) whatever q is: the check that the guide's own density is counted right."""
    packed = lt.Categorical((2, 3, 2, 2))
    fresh = guide.guide.init(jax.random.key(1), {"evidence_": packed}, hidden=("evidence_",))
    fresh = replace(guide, weights=jax.tree.map(lambda x: 3 * x, fresh))
    for given in ({"evidence": "x", "a": "x"}, {"b": "x"}, {"c": "x", "b": "y"}):
        log_w = np.concatenate([fresh.draw(given, 1000, seed)[1] for seed in range(10)])
        w = np.exp(log_w)
        assert w.std() > 0.01
        assert abs(w.mean() - np.exp(network.log_evidence(given))) < 5 * w.std() / np.sqrt(len(w)) + 1e-6


def test_explain_takes_the_guide_as_q(network, guide):
    found = lt.explain(guide, {"evidence": "y"}, ["c", "a"])
    assert found.guide == "guide" and abs(found.residual) < 1e-6 and 0 < found.kl < 0.02
    codes, _ = guide.draw({"evidence": "y"}, 1000, 3)  # q is what draws come from
    for (c, a), q in found.table["q"].items():
        share = np.mean((codes["c"] == "xy".index(c)) & (codes["a"] == "xy".index(a)))
        assert abs(share - q) < 5 * np.sqrt(q * (1 - q) / 1000) + 1e-3
    prior, last = found.steps["kl"]
    assert last < prior


def test_the_guide_sees_evidence_and_its_mask(guide):
    assert guide.guide.inputs == ("evidence_",)  # a variable is called evidence already
    assert str(guide.guide).startswith("q(a | evidence_)")


def test_bad_questions(network, guide):
    with pytest.raises(DataError, match="has probability zero"):
        guide.query("c", {"a": "y", "b": "z"}, draws=1000)
    with pytest.raises(DataError, match="is a target and given"):
        guide.query("c", {"c": "x"})
    with pytest.raises(DataError, match="there is no variable 'd'"):
        guide.query("d")
