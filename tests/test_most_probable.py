"""The most probable row: exact in discrete networks, the best of many candidates in models with latents."""

import itertools

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.data.datasets.simulated_clinic import clinic


def by_enumeration(net, given):
    """Return the best joint state and its log p, by looking at all of them."""
    some = [given.get(n, list(s)) for n, s in net.states.items()]
    rows = [dict(zip(net.states, row, strict=True)) for row in itertools.product(*some)]
    log_p = net.log_prob(pd.DataFrame(rows))
    return rows[int(log_p.argmax())], float(log_p.max())


@pytest.mark.parametrize(
    "given",
    [{}, {"smoke": ["yes"], "xray": ["no"]}, {"either": ["yes"], "bronc": ["no"]}, {"dysp": ["yes", "no"]}],
)
def test_max_product_is_enumeration(given, pytestconfig):
    net = lt.read_bif(pytestconfig.rootpath / "docs" / "asia.bif")
    states, log_p = net.most_probable(given)
    best, right = by_enumeration(net, given)
    assert log_p == pytest.approx(right, abs=1e-12) and states.to_dict() == best


def test_random_networks_and_what_cannot_be():
    rng = np.random.default_rng(0)
    for _ in range(5):
        states = {n: [f"s{i}" for i in range(rng.integers(2, 4))] for n in "abcde"}
        parents = {n: [p for p in "abcde"[:i] if rng.random() < 0.6] for i, n in enumerate("abcde")}
        sizes = {n: len(s) for n, s in states.items()}
        tables = {n: rng.dirichlet(np.ones(sizes[n]), [sizes[p] for p in parents[n]]) for n in states}
        net = lt.DiscreteNetwork(states, tables, parents)
        given = {"c": ["s1"], "e": ["s0", "s1"]}
        found, log_p = net.most_probable(given)
        best, right = by_enumeration(net, given)
        assert log_p == pytest.approx(right, abs=1e-12) and found.to_dict() == best
    never = lt.DiscreteNetwork({"a": ["x", "y"]}, {"a": [1.0, 0.0]})
    with pytest.raises(lt.DataError, match="probability zero"):
        never.most_probable({"a": "y"})


@pytest.mark.trains
@pytest.mark.filterwarnings("ignore:log-likelihood")
def test_a_table_gets_the_best_of_many_that_agree_with_the_evidence():
    df = clinic(200, seed=0)[["age", "sex", "ward", "visits"]]
    vae = lt.VAE(latent=2, width=8, epochs=3, draws=50).fit(df)
    given = {"ward": "cardiac", "age": lt.between(40, 60)}
    found = vae.most_probable(given, candidates=32, draws=50)
    row = found.row.iloc[0]
    assert row["ward"] == "cardiac" and 40 <= row["age"] <= 60 and found.candidates == 96
    assert list(found.row) == list(df) and str(found.candidates) in str(found)
    again = vae.log_likelihood(found.row, 2000)
    assert found.log_p == pytest.approx(again.value, abs=5 * found.error + 0.3)
    drawn = vae.sample(32, given, seed=1)
    assert found.log_p > np.quantile(vae.score_samples(drawn), 0.9)  # a usual row is less probable
    with pytest.raises(lt.LatenError, match="nobody"):
        vae.most_probable({"nobody": 1})
