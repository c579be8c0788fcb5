"""Fifty random evidences: the page's answers are those of Python to the last digit that is shown, and exact ones."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

import laten as lt
from laten.data.datasets.simulated_clinic import clinic
from laten.studio.app import create_app
from laten.studio.as_json import MILLISECONDS
from laten.studio.workspace import Workspace

pytestmark = pytest.mark.trains
TIMES = 50


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A model of all 15 columns whose latent has few states: sums over them are exact, however they are asked for."""
    frame = clinic(120, seed=0)
    schema = lt.infer_schema(frame).binned()
    nodes = {b.node: lt.family_for(schema, b.node).given("z") for b in schema.blocks}
    vae = lt.VAE(lt.Network(z=lt.Categorical(2), **nodes), schema=schema, epochs=1, draws=2).fit(frame)
    workspace = Workspace(tmp_path_factory.mktemp("studio"))
    workspace.take_model(vae, "clinic.laten")
    workspace.take(frame, "clinic.csv", like=vae)
    app = create_app(workspace, "t", ("testserver",))
    return TestClient(app, headers={"authorization": "Bearer t"}), vae, frame


def percent(p):
    """Write a probability as `parts.js` does."""
    if p >= 0.0995:
        return f"{math.floor(100 * p + 0.5)} %"
    return f"{p * 100:.1f} %" if p >= 0.00095 else "< 0.1 %" if p > 0 else "0 %"


def close(shown, right):
    """Say whether two probabilities are shown by the same digits, but for one that lies at a rounding's edge."""
    return percent(shown) == percent(right) or abs(shown - right) < 1e-5


def evidence(vae, frame, rng, hard):
    """Draw evidence on one to four columns, as the page sends it and as Python takes it."""
    columns = [c for c in vae.schema_.columns if c.kind not in ("constant", "identifier", "text")]
    page, python = {}, {}
    for i in rng.choice(len(columns), rng.integers(1, 5), replace=False):
        column = columns[i]
        seen = frame[column.name].dropna()
        if column.levels is not None:
            k = int(rng.integers(len(column.classes)))
            several = not hard and len(column.classes) > 2 and rng.random() < 0.3
            picked = sorted({k, (k + 1) % len(column.classes)}) if several else [k]
            page[column.name] = {"any": picked} if several else {"is": k}
            levels = [column.classes[j] for j in picked]
            python[column.name] = levels if several else levels[0]
        elif hard:
            continue
        else:
            low, high = seen.quantile(sorted(rng.uniform(0.05, 0.95, 2)), interpolation="nearest")
            if column.kind == "date":
                ends = [(x - pd.Timestamp(0)) / pd.Timedelta(days=1) * MILLISECONDS for x in (low, high)]
            else:
                low, high = (float(f"{x:.4g}") for x in (low, high))
                ends = [low, high]
            page[column.name] = dict(zip(("low", "high"), ends, strict=True))
            python[column.name] = lt.between(low, high)
    return (page, python) if page else evidence(vae, frame, rng, hard)


def asked(page, evidence):
    answer = page.post("/api/ask", json=evidence)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found | {"columns": {c["name"]: c for c in found["columns"]}}


def shown(column):
    """Return the probabilities on a card: of its levels, or of its bars."""
    return [*column["p"], column.get("others_p", 0.0)]


@pytest.mark.slow
def test_all_columns_answer_as_marginals_do(studio):
    page, vae, frame = studio
    assert len(frame.columns) == 15
    rng, changed = np.random.default_rng(0), 0
    for _ in range(TIMES):
        given, python = evidence(vae, frame, rng, hard=False)
        found, right = asked(page, given), vae.marginals(python, draws=2048)
        assert f"{found['log_evidence']:.2f}" == f"{right.log_evidence:.2f}", python
        for name, card in found["columns"].items():
            m = right.columns[name]
            if m.labels is None:
                want = m.histogram(30)[1].tolist()
                ends = [m.quantile(q) for q in (0.05, 0.5, 0.95)]
                assert [card[k] for k in ("low", "median", "high")] == [as_shown(x) for x in ends], python
            else:
                want = [m.probability[i] for i in card["index"]]
            assert [percent(p) for p in card["p"]] == [percent(p) for p in want], (name, python)
            before = m.histogram(30)[2] if m.labels is None else m.prior[card["index"]]
            changed += [percent(p) for p in card["p"]] != [percent(p) for p in before]
    assert changed > TIMES * 5  # the control: without the evidence other digits are shown


def as_shown(value):
    return value.strftime("%Y-%m-%d") if isinstance(value, pd.Timestamp) else float(value)


@pytest.mark.slow
def test_classes_answer_as_predict_proba_and_conditional_do(studio):
    page, vae, frame = studio
    classes = [vae.schema_[name] for name in ("ward", "drug", "sex")]
    rng = np.random.default_rng(1)
    rows, answers = [], []
    for _ in range(TIMES):
        given, python = evidence(vae, frame, rng, hard=True)
        rows.append(frame.head(1).assign(**{c: [python.get(c, np.nan)] for c in frame.columns}))
        answers.append((given, asked(page, given)))
    table = pd.concat(rows, ignore_index=True).astype(frame.dtypes.to_dict(), errors="ignore")
    for column in classes:
        right = vae.predict_proba(table, column.name)
        for (given, found), want in zip(answers, right.to_numpy(), strict=True):
            if column.name not in given:
                card = found["columns"][column.name]
                assert all(map(close, card["p"], want[card["index"]])), (column.name, given)
    name = "ward"
    own = table.assign(ward=next(c for c in classes if c.name == name).classes[0])
    density = vae.conditional(own, name).log_density
    for (given, found), log_p in zip(answers, density, strict=True):
        if name not in given:
            assert close(found["columns"][name]["p"][0], math.exp(log_p))


@pytest.mark.slow
def test_a_network_answers_as_the_sum_over_all_states(tmp_path, pytestconfig):
    """`asia.bif`: against the joint distribution, one state after another."""
    workspace = Workspace(tmp_path)
    workspace.open(str(pytestconfig.rootpath / "docs" / "asia.bif"), "asia.bif")
    page = TestClient(create_app(workspace, "t", ("testserver",)), headers={"authorization": "Bearer t"})
    net = workspace.exact
    names = list(net.states)
    joint = pd.DataFrame(itertools.product(*net.states.values()), columns=names)
    p = np.exp(net.log_prob(joint).to_numpy())
    rng = np.random.default_rng(0)
    for _ in range(TIMES):
        given = {names[i]: int(rng.integers(2)) for i in rng.choice(len(names), rng.integers(1, 5), replace=False)}
        held = np.logical_and.reduce([joint[n] == net.states[n][k] for n, k in given.items()])
        if p[held].sum() == 0:
            assert page.post("/api/ask", json={n: {"is": k} for n, k in given.items()}).status_code == 422
            continue
        found = asked(page, {n: {"is": k} for n, k in given.items()})
        assert found["log_evidence"] == pytest.approx(math.log(p[held].sum()), abs=1e-9)
        for name, card in found["columns"].items():
            want = [p[held & (joint[name] == state)].sum() / p[held].sum() for state in net.states[name]]
            assert card["p"] == pytest.approx(want, abs=1e-9), (name, given)
