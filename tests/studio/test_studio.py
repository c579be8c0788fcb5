"""The studio through its HTTP: what the page is told equals what Python says, and who may ask."""

import json
import re
import time

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.data.datasets.simulated_clinic import clinic

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from laten.studio.app import create_app
from laten.studio.workspace import Workspace

TOKEN = "secret"
ASIA = "docs/asia.bif"


def client(workspace: Workspace, **headers: str) -> TestClient:
    app = create_app(workspace, TOKEN, ("testserver",))
    return TestClient(app, headers={"authorization": f"Bearer {TOKEN}"} | headers, raise_server_exceptions=False)


def saved(text: str, workspace: Workspace) -> str:
    path = workspace.folder / "saved.csv"
    path.write_text(text)
    return str(path)


def ok(response):
    assert response.status_code == 200, response.text[:500]
    assert "NaN" not in response.text and "Infinity" not in response.text
    return response.json()


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return clinic(300, seed=0).iloc[:, :10]


@pytest.fixture(scope="module")
def studio(frame, tmp_path_factory):
    """A studio that was given a CSV with holes and trained on it, as the page does."""
    workspace = Workspace(tmp_path_factory.mktemp("studio"))
    page = client(workspace)
    state = ok(page.put("/api/file/patients.csv", content=frame.to_csv(index=False)))
    assert state["data"] == state["data"] | {"name": "patients.csv", "rows": 300, "columns": 10, "form": "table"}
    ok(page.post("/api/column", json={"column": "visits", "kind": "real"}))
    state = ok(page.post("/api/fit", json={"latent": 2, "width": 16, "epochs": 3}))
    assert page.post("/api/fit", json={}).status_code == 422  # one at a time
    while state["training"]["running"]:
        time.sleep(0.1)
        state = ok(page.get("/api/state"))
    assert state["training"]["error"] == "" and len(state["training"]["records"]) == 3
    return page, workspace


def test_cards_say_what_the_schema_says(studio, frame):
    page, _ = studio
    cards = {c["name"]: c for c in ok(page.get("/api/columns"))}
    assert list(cards) == list(frame) and cards["visits"]["kind"] == "real" and cards["visits"]["chosen"]
    assert cards["smoker"]["missing"] == frame["smoker"].isna().sum()
    assert cards["sex"]["p"] == pytest.approx(
        frame["sex"].value_counts(normalize=True)[cards["sex"]["labels"]].tolist()
    )
    wrong = page.post("/api/column", json={"column": "age", "kind": "binary"})
    assert wrong.status_code == 422 and "age" in wrong.json()["detail"]


def test_answers_are_those_of_python(studio):
    page, workspace = studio
    vae = workspace.vae
    wards = vae.schema_["ward"].classes
    asked = {"ward": {"is": 1}, "age": {"low": 30, "high": 60.004}, "sex": {"text": "female"}}
    found = ok(page.post("/api/ask", json=asked))
    right = vae.marginals({"ward": wards[1], "age": lt.between(30.0, 60.0), "sex": "female"}, draws=2048)
    assert found["log_evidence"] == pytest.approx(right.log_evidence)
    by_name = {c["name"]: c for c in found["columns"]}
    for name in ("drug", "pain", "smoker"):
        assert by_name[name]["p"] == pytest.approx(right.columns[name].probability.tolist())
    p = right.columns["drug"].probability
    sure = np.sqrt(p * (1 - p) / right.effective_sample_size).max()
    assert by_name["drug"]["error"] == pytest.approx(sure) and 0 < sure < 0.1
    assert by_name["visits"]["median"] == right.columns["visits"].quantile(0.5)
    assert set(found["next"]) <= set(by_name) - set(asked)
    code = found["code"]["python"]
    assert f"'ward': {wards[1]!r}" in code and "lt.between(30.0, 60.0)" in code
    space: dict = {}
    exec(code.replace("lt.load('patients.laten')", f"lt.load({str(workspace.folder / 'patients.laten')!r})"), space)


def test_evidence_that_cannot_be_is_a_sentence(studio):
    page, _ = studio
    for asked in (
        {"age": {"text": "banana"}},
        {"nobody": {"is": 0}},
        {"ward": {"is": 99}},
        {"ward": {"low": 1, "high": 2}},
    ):
        found = page.post("/api/ask", json=asked)
        assert found.status_code == 422 and next(iter(asked)) in found.json()["detail"], found.text


def test_holes_are_filled_and_full_cells_kept(studio, frame):
    page, workspace = studio
    found = ok(page.get("/api/fill"))
    assert found["holes"] == int(frame.isna().to_numpy().sum()) and found["rows"] == len(found["numbers"])
    assert all(cell is not None for row in found["table"]["rows"] for cell in row)
    k = next(k for k, c in enumerate(found["cells"]) if frame.columns[c[1]] == "age")
    (i, j), ends = found["cells"][k], ok(page.get("/api/fill/intervals"))[k]
    assert float(ends[0]) <= float(found["table"]["rows"][i][j]) <= float(ends[1])
    text = page.post("/api/filled.csv", json={}).text
    assert len(text.splitlines()) == 301
    again, right = lt.read(saved(text, workspace)), workspace.vae.impute(workspace.frame)
    assert again["sex"].tolist() == right["sex"].tolist() and np.allclose(again["age"], right["age"])
    row = found["numbers"][i]
    kept = page.post("/api/filled.csv", json={"cells": [[row, frame.columns.get_loc("age")]]}).text.splitlines()
    changed = [k for k, (a, b) in enumerate(zip(text.splitlines(), kept, strict=True)) if a != b]
    assert changed == [row + 1] and kept[row + 1].split(",")[frame.columns.get_loc("age")] == ""
    assert page.post("/api/filled.csv", json={"cells": [[300, 0]]}).status_code == 422
    age, smoker = (frame.columns.get_loc(n) for n in ("age", "smoker"))
    hole = int(np.flatnonzero(workspace.frame["smoker"].isna())[0])
    choice = {"columns": [smoker], "cells": [[row, age], [hole, smoker]]}
    some = lt.read(saved(page.post("/api/filled.csv", json=choice).text, workspace))
    assert some["smoker"].isna().sum() == workspace.frame["smoker"].isna().sum() - 1 and some["smoker"].notna()[hole]
    assert np.flatnonzero(some["age"].isna()).tolist() == [row]
    assert some.drop(columns=["age", "smoker"]).notna().all(axis=None)
    whole = pd.read_csv(workspace.folder / "saved.csv", dtype=str)["visits"]
    assert not whole.str.contains(".", regex=False).any()  # whole numbers stay whole numbers
    code = ok(page.post("/api/fill/code", json=choice))
    assert code["command"] == "" and "laten impute" in ok(page.post("/api/fill/code", json={}))["command"]
    space: dict = {}
    here = code["python"].replace("'patients", f"'{workspace.folder}/patients")
    here = here.replace("filled.csv", saved("", workspace))
    (workspace.folder / "patients.csv").write_text(frame.to_csv(index=False))
    exec(here, space)
    same = lt.read(saved(space["filled"].to_csv(index=False), workspace))
    assert same["smoker"].equals(some["smoker"]) and np.allclose(same["age"], some["age"], equal_nan=True)


@pytest.mark.slow
def test_full_cells_keep_their_spelling(tmp_path):
    """To the letter, as `laten impute` does: leading zeros, digits, a label that looks like a hole."""
    workspace = Workspace(tmp_path)
    page = client(workspace)
    rows = [f'{i % 7:03d},{i / 4:.2f},"NA"' if i % 3 else f"{i % 7:03d},,b" for i in range(60)]
    ok(page.put("/api/file/codes.csv", content="\n".join(["code,x,tag", *rows, ""])))
    ok(page.post("/api/fit", json={"latent": 2, "width": 8, "epochs": 2}))
    busy = page.post("/api/example/wine")  # not while it learns
    workspace.training.thread.join(60)
    assert busy.status_code == 422 and "training" in busy.json()["detail"]
    lines = page.post("/api/filled.csv", json={}).text.splitlines()
    assert lines[0] == "code,x,tag" and len(lines) == 61
    for was, now in zip(rows, lines[1:], strict=True):
        code, x, tag = now.split(",")
        assert [code, tag] == [was.split(",")[0], was.split(",")[2]] and x
        assert x == was.split(",")[1] or not was.split(",")[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:log-likelihood")
def test_odd_rows_a_map_and_new_rows(studio, frame):
    page, workspace = studio
    scores = workspace.vae.log_likelihood(workspace.frame, error=0.2).per_row
    low, high = np.quantile(scores, [0.25, 0.75])
    odd = ok(page.get("/api/odd"))
    assert odd["threshold"] == pytest.approx(low - 1.5 * (high - low)) or odd["count"] == 10  # where none is so odd
    for below in (odd["threshold"], low, scores.max() + 1):
        odd = ok(page.get(f"/api/odd?below={below}"))
        assert odd["count"] == (scores < below).sum() and odd["of"] == sum(odd["counts"]) == 300
        assert odd["rows"] == np.argsort(scores, kind="stable")[: min(odd["count"], 100)].tolist()
        assert len(odd["excess"]) == len(odd["rows"]) and len(odd["excess"][0]) == len(odd["columns"])
    why = workspace.vae.outliers(workspace.frame, 100, by_column=True)
    assert np.allclose(odd["excess"], why[odd["columns"]].round(3), atol=2e-3)
    flagged = lt.read(saved(page.get(f"/api/odd.csv?below={low}").text, workspace))
    assert flagged["odd"].tolist() == (scores < low).tolist() and np.allclose(flagged["log_p"], scores, atol=1e-3)
    assert list(flagged)[:10] == list(frame) and page.get("/api/odd?below=nan").status_code == 422
    assert ok(page.get("/api/odd?below=-1e9"))["rows"] == []
    row, blank = odd["rows"][0], workspace.frame.iloc[[odd["rows"][0]]].copy()
    usual = ok(page.get(f"/api/ordinary?row={row}&column=age"))["value"]
    blank["age"] = np.nan
    low, high = (float(x["age"].iloc[0]) for x in workspace.vae.impute_interval(blank))
    assert float(usual) == pytest.approx(np.clip(workspace.frame["age"].iloc[row], low, high), rel=1e-5)
    assert page.get("/api/ordinary?row=300&column=age").status_code == 422
    assert page.get(f"/api/ordinary?row={row}&column=nothing").status_code == 422
    body = page.get("/api/map?colour=ward").content
    size = int.from_bytes(body[:4], "little")
    head, numbers = json.loads(body[4 : 4 + size]), np.frombuffer(body[4 + size :], "<f4").reshape(3, -1)
    assert head["n"] == 300 and head["latents"] == 2 and numbers.shape == (3, 300)
    z = workspace.vae.transform(workspace.frame).to_numpy()
    assert np.allclose(numbers[:2].T, z, atol=1e-6)
    labels = workspace.frame["ward"].map(dict(zip(head["colour"]["labels"], range(9), strict=False))).fillna(-1)
    assert numbers[2].tolist() == labels.tolist()
    found = ok(page.post("/api/decode", json={"row": 7}))
    assert found["number"] == 7 and found["z"] == pytest.approx(z[7].tolist(), abs=1e-4)
    assert found["row"] == ok(page.post("/api/decode", json={"z": found["z"]}))["row"]
    assert found["row"]["columns"] == list(frame)
    assert page.post("/api/decode", json={"row": 300}).status_code == 422
    assert page.post("/api/decode", json={"z": ["a"]}).status_code == 422
    line = ok(page.post("/api/path", json={"from": 7, "to": 2}))
    ends = [ok(page.post("/api/decode", json={"row": i}))["row"]["rows"][0] for i in (7, 2)]
    assert line["numbers"] == [7, 2] and [line["table"]["rows"][i] for i in (0, -1)] == ends
    assert page.post("/api/path", json={"from": 7, "to": 300}).status_code == 422
    some = ok(page.post("/api/selected", json={"places": [3, 5, 5]}))
    assert some["rows"] == 2 and some["numbers"] == [3, 5] and len(some["table"]["rows"]) == 2
    assert len(page.post("/api/selected.csv", json={"places": [3, 5]}).text.splitlines()) == 3
    assert page.post("/api/selected", json={"places": [300]}).status_code == 422
    drawn = ok(page.post("/api/synthetic", json={"n": 60, "given": {"sex": {"text": "male"}}}))
    at = drawn["table"]["columns"].index("sex")
    assert {r[at] for r in drawn["table"]["rows"]} == {"male"}
    assert len(page.get("/api/synthetic.csv").text.splitlines()) == 61
    assert ok(page.get("/api/quality"))["measures"] == []  # rows given evidence are not those of the table


def test_a_network_answers_exactly(tmp_path, pytestconfig):
    workspace = Workspace(tmp_path)
    page = client(workspace)
    text = (pytestconfig.rootpath / ASIA).read_bytes()
    state = ok(page.put("/api/file/asia.bif", content=text))
    assert state["model"]["form"] == "exact" and state["data"] is None
    net = lt.read_bif(pytestconfig.rootpath / ASIA)
    given = {"smoke": net.states["smoke"][0], "xray": net.states["xray"][1]}
    asked = {n: {"is": net.states[n].index(v)} for n, v in given.items()}
    found = ok(page.post("/api/ask", json=asked))
    for column in found["columns"]:
        if column["name"] not in given:
            assert column["p"] == pytest.approx(net.query(column["name"], given).tolist(), abs=1e-12)
    right = float(net.log_prob(pd.DataFrame([given])).iloc[0])
    assert found["log_evidence"] == pytest.approx(right, abs=1e-12)


def test_a_training_is_stopped_and_kept(frame, tmp_path):
    workspace = Workspace(tmp_path)
    page = client(workspace)
    ok(page.put("/api/file/patients.csv", content=frame.to_csv(index=False)))
    state = ok(page.post("/api/fit", json={"latent": 2, "width": 16, "epochs": 100_000}))
    while not state["training"]["records"]:
        time.sleep(0.05)
        state = ok(page.get("/api/state"))
    ok(page.post("/api/stop"))
    workspace.training.thread.join(60)
    state = ok(page.get("/api/state"))
    assert state["training"]["stopped"] == "interrupted" and state["model"]["name"] == "patients.laten"
    assert lt.load(workspace.folder / "patients.laten").stopped_ == "interrupted"
    events = page.get("/api/events").text
    assert json.loads(re.match(r"data: (.*)\n", events)[1])["training"]["running"] is False


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": ""}, 401),
        ({"host": "evil.example"}, 403),
        ({"origin": "http://evil.example"}, 403),
    ],
)
def test_strangers_are_refused(tmp_path, headers, status):
    page = client(Workspace(tmp_path), **headers)
    for path in ("/", "/api/state", "/static/main.js"):
        assert page.get(path).status_code == status
    assert client(Workspace(tmp_path)).get("/api/state").status_code == 200  # control


def test_the_address_gives_a_cookie_that_no_script_sees(tmp_path):
    app = create_app(Workspace(tmp_path), TOKEN, ("testserver",))
    answer = TestClient(app).get(f"/?token={TOKEN}", follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303 and "httponly" in cookie and "samesite=strict" in cookie
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_no_path_of_a_client_is_opened(tmp_path):
    """Examples are names from a list; an upload's name decides its extension alone."""
    (tmp_path / "own").mkdir()
    workspace = Workspace(tmp_path / "own")
    page = client(workspace)
    (tmp_path / "private.csv").write_text("a,b\n1,2\n")
    assert page.post("/api/example/..%2Fprivate.csv").status_code in (404, 422)
    page.put("/api/file/..%2F..%2Fprivate.csv", content="c,d\n" + "\n".join(f"{i},{i % 3}" for i in range(9)))
    assert (tmp_path / "private.csv").read_text() == "a,b\n1,2\n"
    assert all(f.parent == workspace.folder for f in tmp_path.rglob("upload*"))
    bad = page.put("/api/file/x.csv", content=b"\x00\x01\x02")
    assert bad.status_code == 422 and "Traceback" not in bad.text


@pytest.mark.trains
def test_a_line_between_two_images(tmp_path):
    images = (np.random.default_rng(0).random((60, 4, 4)) < 0.5).astype(np.float32)
    workspace = Workspace(tmp_path)
    vae = lt.VAE(latent=2, width=8, epochs=1).fit(images)
    workspace.take_model(vae, "m.laten")
    workspace.take(images, "", like=vae)
    page = client(workspace)
    line = ok(page.post("/api/path", json={"from": 0, "to": 5}))
    assert np.shape(line["images"]) == (9, 4, 4) and line["numbers"] == [0, 5]
    ends = [ok(page.post("/api/decode", json={"row": i}))["image"] for i in (0, 5)]
    assert np.allclose([line["images"][0], line["images"][-1]], ends, atol=1e-3)
    assert np.min(line["images"]) >= 0 and np.max(line["images"]) <= 1


def test_answers_do_not_wait_for_the_clients_word():
    """A socket that was made without its protocol does not send small packets at once: 40 ms for each answer."""
    import socket

    from laten.studio.launch import listening

    with listening("127.0.0.1", 0) as door, socket.create_connection(door.getsockname()):
        taken, _ = door.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.slow
def test_parquet_comes_back_as_parquet_with_its_types(frame, tmp_path):
    """Whole numbers, dates and categories stay what they are, also where holes are left."""
    table = frame.head(80).assign(visits=frame["visits"].astype("Int64"), ward=frame["ward"].astype("category"))
    table.to_parquet(tmp_path / "p.parquet")
    workspace = Workspace(tmp_path)
    page = client(workspace)
    ok(page.put("/api/file/p.parquet", content=(tmp_path / "p.parquet").read_bytes()))
    workspace.take_model(lt.VAE(latent=1, width=4, epochs=1).fit(workspace.frame), "p.laten")
    found = ok(page.get("/api/fill"))
    assert found["file"] == "filled.parquet"
    (tmp_path / "back.parquet").write_bytes(page.post("/api/filled.parquet", json={"columns": [0]}).content)
    back = pd.read_parquet(tmp_path / "back.parquet")
    assert back.dtypes.equals(table.dtypes) and back.iloc[:, 0].equals(table.iloc[:, 0].reset_index(drop=True))
    assert back.iloc[:, 1:].notna().all(axis=None)


def test_a_trained_model_is_not_lost(studio, tmp_path):
    """The page is told of models that are nowhere else; what was left behind can be taken back."""
    page, workspace = studio
    vae, state = workspace.vae, ok(page.get("/api/state"))
    assert state["fresh"] == ["patients.laten"] and state["before"] is None
    state = ok(page.post("/api/example/wine"))
    assert state["model"] is None and state["fresh"] == [] and state["before"] == "patients.laten"
    state = ok(page.post("/api/back"))
    assert workspace.vae is vae and state["data"]["name"] == "patients.csv" and state["fresh"] == ["patients.laten"]
    assert ok(page.post("/api/ask", json={"sex": {"is": 0}}))["columns"] and page.post("/api/back").status_code == 422
    assert page.get("/api/model.laten?name=..%2Fpatients.csv").status_code == 422
    assert page.get("/api/model.laten?name=patients.laten").status_code == 200
    assert ok(page.get("/api/state"))["fresh"] == []
    other = Workspace(tmp_path)  # what is saved elsewhere is not kept
    other.take(workspace.frame, "patients.csv")
    other.take_model(vae, "patients.laten")
    other.open("wine")
    assert other.vae is None and other.before is None
