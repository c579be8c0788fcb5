"""Exact answers of discrete networks against enumeration, and against pgmpy's on the known networks."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.classical import elimination
from laten.classical.elimination import Factor
from laten.classical.question import parse_question
from laten.common.errors import DataError
from oracles import discrete_joint


def random_network(seed: int, variables: int = 6) -> lt.DiscreteNetwork:
    """A dense network of variables with two or three states and some probabilities of zero."""
    rng = np.random.default_rng(seed)
    names = [f"v{i}" for i in range(variables)]
    sizes = {n: int(rng.integers(2, 4)) for n in names}
    parents = {n: tuple(rng.permutation(names[:i])[: rng.integers(0, 4)]) for i, n in enumerate(names)}
    tables = {}
    for n in names:
        table = rng.dirichlet(np.ones(sizes[n]), [sizes[p] for p in parents[n]])
        table = np.where(table < 0.1, 0.0, table)
        tables[n] = table / table.sum(-1, keepdims=True)
    order = rng.permutation(names)  # parents need not be declared first
    return lt.DiscreteNetwork({n: [f"s{k}" for k in range(sizes[n])] for n in order}, tables, parents)


def joint_of(net: lt.DiscreteNetwork) -> np.ndarray:
    return discrete_joint(net.sizes, net.parents, net.tables)


def restricted(net: lt.DiscreteNetwork, joint: np.ndarray, given: dict) -> np.ndarray:
    """The joint table, zero where the evidence does not hold."""
    for axis, (name, states) in enumerate(net.states.items()):
        if name in given:
            wanted = given[name] if isinstance(given[name], list) else [given[name]]
            shape = [1] * joint.ndim
            shape[axis] = -1
            joint = joint * np.array([s in wanted for s in states]).reshape(shape)
    return joint


@pytest.mark.parametrize("seed", range(8))
def test_posteriors_are_those_of_enumeration(seed):
    net, rng = random_network(seed), np.random.default_rng(100 + seed)
    joint, names = joint_of(net), list(net.states)
    assert joint.sum() == pytest.approx(1)
    row = net.sample(1, seed=seed).iloc[0]
    for seen in range(5):
        order = list(rng.permutation(names))
        given = {n: row[n] for n in order[:seen]}
        if seen > 1:
            given[order[0]] = sorted({row[order[0]], net.states[order[0]][0]})
        targets = order[seen : seen + 1 + seed % 2]
        found = net.query(targets, given)
        table = restricted(net, joint, given)
        total = table.sum()
        axes = tuple(i for i, n in enumerate(names) if n not in targets)
        expected = table.sum(axes) / total
        if len(targets) == 2 and names.index(targets[0]) > names.index(targets[1]):
            expected = expected.T
        np.testing.assert_allclose(found.to_numpy(), expected.ravel(), atol=1e-12)
        assert list(found.index.names) == targets
        assert net.log_evidence(given) == pytest.approx(np.log(total), abs=1e-10)


# From pgmpy 1.1.2: VariableElimination(BIFReader(path).get_model()).query(targets, given).values
PGMPY = [
    ("asia", ["lung"], {"dysp": "yes", "smoke": "yes"}, [0.14833359864546097, 0.851666401354539]),
    (
        "asia",
        ["lung", "bronc"],
        {"dysp": "yes", "xray": "yes"},
        [0.39313653539756194, 0.22811626128006685, 0.28873200306182095, 0.09001520026055035],
    ),
    ("survey", ["E"], {"T": "train"}, [0.7524138988584849, 0.2475861011415152]),
    ("sachs", ["PKA"], {"Akt": "LOW", "Jnk": "HIGH"}, [0.9374933313136449, 0.06180975892871697, 0.0006969097576381408]),
    ("alarm", ["LVFAILURE"], {"BP": "LOW", "HRBP": "HIGH", "CVP": "HIGH"}, [0.00791373100980495, 0.992086268990195]),
    (
        "alarm",
        ["KINKEDTUBE", "INTUBATION"],
        {"SAO2": "LOW", "EXPCO2": "ZERO"},
        [0.036191413754, 0.001131317736, 0.006929792319, 0.815972543263, 0.030997875504, 0.108777057422],
    ),
]


@pytest.mark.parametrize(("name", "targets", "given", "expected"), PGMPY)
def test_posteriors_are_those_of_pgmpy(name, targets, given, expected, shared):
    net = lt.read_bif(shared / "data" / "bif" / f"{name}.bif")
    np.testing.assert_allclose(net.query(targets, given), expected, atol=1e-6)


def test_a_question_may_be_text(pytestconfig):
    asia = lt.read_bif(pytestconfig.rootpath / "docs" / "asia.bif")
    np.testing.assert_allclose(asia.query("P(lung | dysp=yes, smoke=yes)"), PGMPY[0][3], atol=1e-12)
    joint = asia.query("P(lung=yes, bronc | dysp=yes, xray=yes)")
    np.testing.assert_allclose(joint, PGMPY[1][3][:2], atol=1e-12)
    assert list(joint.index) == [("yes", "yes"), ("yes", "no")]
    both = asia.query("P(lung | dysp=yes, dysp=no, smoke=yes)")
    np.testing.assert_allclose(both, asia.query("lung", {"smoke": "yes"}), atol=1e-12)
    asked = parse_question('p( "a, b" , c="x=y" | d = >=5 , "e(f" = "g|\\"h" )'.replace("= >=5", '=">=5"'))
    assert asked == ({"a, b": [], "c": ["x=y"]}, {"d": [">=5"], "e(f": ['g|"h']})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lung", "a question is written P(lung"),
        ("P(lung | smoke)", "needs a value"),
        ("P(lung |)", "something is missing after '|'"),
        ("P(lung,)", "something is missing after ','"),
        ("P()", "no target"),
        ("P(lung=)", "no value after '='"),
        ("P(| smoke=yes)", "expected a variable's name, found '|'"),
        ("P(a | b=c | d=e)", "cannot read '|'"),
        ("P(lugn)", "there is no variable 'lugn'; did you mean 'lung'?"),
        ("P(lung | smoke=ye)", "'smoke' has no state 'ye'; did you mean 'yes'?"),
        ("P(lung=maybe)", "has no state 'maybe'"),
        ("P(lung | lung=yes)", "is a target and given"),
        ("P(lung, lung)", "P(lung"),
        ("P(lung | either=no, tub=yes)", "either=no, tub=yes has probability zero"),
    ],
)
def test_bad_questions_say_what_is_wrong(text, words, pytestconfig):
    asia = lt.read_bif(pytestconfig.rootpath / "docs" / "asia.bif")
    if text == "P(lung, lung)":  # once is enough
        assert asia.query(text).to_dict() == asia.query("lung").to_dict()
        return
    with pytest.raises(DataError, match=re.escape(words)):
        asia.query(text) if text != "lung" else parse_question(text)


def test_log_prob_sums_out_what_is_missing():
    net = random_network(3)
    joint, names = joint_of(net), list(net.states)
    frame = net.sample(60, seed=1)
    frame = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.4)
    frame.iloc[0] = np.nan
    for row, log_p in zip(frame.to_dict("records"), net.log_prob(frame), strict=True):
        given = {n: v for n, v in row.items() if isinstance(v, str)}
        assert log_p == pytest.approx(np.log(restricted(net, joint, given).sum()), abs=1e-10)
    some = net.log_prob(frame[names[2:4]])  # columns may lack
    assert some.iloc[0] == pytest.approx(0, abs=1e-12)
    proba = net.predict_proba(frame.iloc[1:], names[0])
    one = net.query(names[0], {n: v for n, v in frame.iloc[7].drop(names[0]).items() if isinstance(v, str)})
    np.testing.assert_allclose(proba.loc[7], one, atol=1e-12)


def test_impossible_rows_have_log_prob_minus_infinity(pytestconfig):
    asia = lt.read_bif(pytestconfig.rootpath / "docs" / "asia.bif")
    frame = pd.DataFrame({"tub": ["yes", "yes"], "either": ["yes", "no"]})
    assert list(asia.log_prob(frame).round(6)) == [round(np.log(0.0104), 6), -np.inf]
    with pytest.raises(DataError, match="row 1: its evidence has probability zero"):
        asia.predict_proba(frame, "lung")
    with pytest.raises(DataError, match=r"row 1: variable 'tub' has no state 'maybe'"):
        asia.log_prob(pd.DataFrame({"tub": ["yes", "maybe"]}))


def test_states_may_be_numbers_in_a_frame():
    net = lt.DiscreteNetwork({"a": [0, 1], "b": [0, 1]}, {"a": [0.5, 0.5], "b": [[0.9, 0.1], [0.2, 0.8]]}, {"b": ["a"]})
    frame = pd.DataFrame({"a": [1, 0], "b": [1.0, np.nan]})  # as pandas reads whole numbers with a hole
    np.testing.assert_allclose(net.log_prob(frame), np.log([0.4, 0.5]))
    assert net.query("b", {"a": 1})["1"] == net.query("b", {"a": 1.0})["1"] == pytest.approx(0.8)


def test_draws_follow_the_posterior():
    """Frequencies of joint states, given a value and a set, pass a chi-squared test that a wrong posterior fails."""
    net, n = random_network(5), 20000
    joint, names = joint_of(net), list(net.states)
    child = max(names, key=lambda v: len(net.parents[v]))
    row = net.sample(1, seed=3).iloc[0]
    given = {child: row[child], names[0]: list(net.states[names[0]][:2])} if child != names[0] else {child: row[child]}
    table = restricted(net, joint, given)
    table = table / table.sum()
    drawn = net.sample(n, given, seed=0)
    codes = tuple(drawn[v].map({s: k for k, s in enumerate(net.states[v])}).to_numpy() for v in names)
    counts = np.zeros(table.shape)
    np.add.at(counts, codes, 1)
    assert not counts[table == 0].any()

    def surprise(p: np.ndarray) -> float:
        kept = p * n > 5
        return float((((counts - n * p) ** 2)[kept] / (n * p[kept])).sum() / kept.sum())

    assert surprise(table) < 1.3
    assert surprise(joint) > 3


def test_many_variables_do_not_underflow_and_too_large_factors_say_so():
    n = 400
    chain = lt.DiscreteNetwork(
        {f"x{i}": ["a", "b"] for i in range(n)},
        {f"x{i}": [0.5, 0.5] if i == 0 else [[0.9, 0.1], [0.2, 0.8]] for i in range(n)},
        {f"x{i}": [f"x{i - 1}"] for i in range(1, n)},
    )
    row = {f"x{i}": "ab"[i % 2] for i in range(n)}
    expected = np.log(0.5) + 200 * np.log(0.1) + 199 * np.log(0.2)
    assert chain.log_evidence(row) == pytest.approx(expected)
    assert chain.log_prob(pd.DataFrame([row, row]))[1] == pytest.approx(expected)
    with pytest.raises(DataError, match=r"a table of 1.1e\+12 numbers over .*learn_guide"):
        chain.query([f"x{i}" for i in range(0, 80, 2)])


def grid(side: int, seed: int = 0) -> lt.DiscreteNetwork:
    """Variables on a square, each under its upper and left neighbours, with two or three states."""
    rng, at = np.random.default_rng(seed), list(itertools.product(range(side), range(side)))
    names = {ij: f"v{ij[0]}_{ij[1]}" for ij in at}
    sizes = {name: int(rng.integers(2, 4)) for name in names.values()}
    parents = {names[i, j]: [names[p] for p in ((i - 1, j), (i, j - 1)) if p in names] for i, j in at}
    tables = {n: rng.dirichlet(np.ones(sizes[n]), [sizes[p] for p in parents[n]]) for n in sizes}
    return lt.DiscreteNetwork({n: [f"s{k}" for k in range(sizes[n])] for n in sizes}, tables, parents)


def test_large_networks_are_planned_quickly_and_answered_exactly():
    """Of 64 variables on a grid the last row given the first, against a pass row by row."""
    net, side = grid(8), 8
    work = elimination.plan(net.above(net.states), (), net.sizes).work
    weighed = elimination.greedy(net.above(net.states), (), net.sizes, fill=False).work
    assert work <= weighed and work < 3 * 8 * 8 * 3**8
    line = "abcdefgh"
    above = np.ones(())
    for i in range(side):  # the joint distribution of a row follows from that of the row above it
        table = above
        for j in range(side):
            name = f"v{i}_{j}"
            old, left = line[j] if i else "", line[j - 1].upper() if j else ""
            axes = (line[j:] if i else "") + line[:j].upper()
            out = axes.replace(old, "") + line[j].upper() if i else axes + line[j].upper()
            given = old + left + line[j].upper()
            table = np.einsum(f"{axes},{given}->{out}", table, net.tables[name])
        above = table
    targets = [f"v{side - 1}_{j}" for j in (0, side - 1)]
    expected = above.sum(axis=tuple(range(1, side - 1)))
    np.testing.assert_allclose(net.query(targets).to_numpy(), expected.ravel(), atol=1e-12)
    row = net.sample(1, seed=0).iloc[0]
    given = {f"v{i}_{i}": row[f"v{i}_{i}"] for i in range(side)}
    both = net.query(["v0_7", "v7_0"], given).to_numpy().reshape(net.sizes["v0_7"], -1)
    np.testing.assert_allclose(both.sum(1), net.query("v0_7", given), atol=1e-12)


def test_elimination_takes_rows_of_their_own_evidence():
    rng = np.random.default_rng(0)
    a, b = Factor(("u", "v"), rng.random((1, 2, 3))), Factor(("v", "w"), rng.random((1, 3, 4)))
    w = np.array([3, 0, 2])
    shown = [elimination.seen(f, {"w": w}) for f in (a, b)]
    found = elimination.eliminate(shown, ["u"], {"u": 2, "v": 3, "w": 4}, rows=3)
    expected = np.einsum("uv,vr->ru", a.table[0], b.table[0][:, w])
    np.testing.assert_allclose(found.table * np.exp(found.log_scale)[:, None], expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tables": {"a": [0.5, 0.5]}}, "'b' has no table"),
        ({"tables": {"a": [0.5, 0.6], "b": [0.5, 0.5]}}, "'a': its rows must be probabilities"),
        ({"tables": {"a": [0.5, 0.5], "b": [[0.5, 0.5]]}}, r"'b': its table has shape (1, 2), expected (2,)"),
        ({"parents": {"b": ["c"]}}, "there is no variable 'c'"),
        ({"states": {"a": "xy", "b": "xx"}}, "'b': a name occurs twice"),
        ({"parents": {"b": ["a"], "a": ["b"]}}, "the arrows run in a circle"),
    ],
)
def test_tables_that_do_not_fit(change, words):
    given = {"states": {"a": "xy", "b": "xy"}, "tables": {"a": [0.5, 0.5], "b": [0.5, 0.5]}} | change
    with pytest.raises(DataError, match=re.escape(words)):
        lt.DiscreteNetwork(**given)


def test_every_state_of_a_network_has_the_declared_log_prob():
    """The declaration with its weights is the same distribution, in float32, also where probabilities are zero."""
    import jax
    import jax.numpy as jnp

    net = random_network(4, 4)
    states = np.array(list(itertools.product(*[range(k) for k in net.sizes.values()])), np.int32)
    values = {n: jnp.asarray(states[:, i]) for i, n in enumerate(net.states)}
    log_p = jax.jit(jax.vmap(lambda v: sum(net.network.log_prob(weights, v).values())))
    weights = net.weights
    found, expected = np.asarray(log_p(values)), joint_of(net).ravel()
    possible = expected > 0
    np.testing.assert_allclose(found[possible], np.log(expected[possible]), atol=2e-5)
    assert found[~possible].max() < -50
    assert "via Table(" in str(net.network)
