"""What the page *Data* changes of columns: kept in the schema, taken back, copied, learned, and found again."""

import shlex

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

import laten as lt
from laten.cli.work.fit import with_kind
from laten.studio import runs
from laten.studio.app import create_app
from laten.studio.column_edits import Edit
from laten.studio.workspace import Workspace


def table(rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    pain = np.array(["none", "mild", "severe"])[rng.integers(0, 3, rows)]
    job = np.array(["cook", "nurse", "clerk, senior"])[rng.integers(0, 3, rows)]
    job[:2] = "judge", "pilot"
    return pd.DataFrame(
        {"pain": pain, "job": job, "grade": rng.integers(1, 5, rows), "x": rng.normal(size=rows).round(2)}
    )


@pytest.fixture
def studio(tmp_path):
    table().to_csv(tmp_path / "staff.csv", index=False)
    workspace = Workspace(tmp_path, tmp_path / "kept")
    workspace.open(str(tmp_path / "staff.csv"), "staff.csv")
    app = create_app(workspace, "t", ("testserver",))
    return TestClient(app, headers={"authorization": "Bearer t"}, raise_server_exceptions=False), workspace


def change(page, column, **what):
    answer = page.post("/api/column", json={"column": column, **what})
    assert answer.status_code == 200, answer.text
    return {c["name"]: c for c in answer.json()}[column]


def test_levels_are_put_in_order_and_taken_back(studio):
    page, workspace = studio
    card = change(page, "pain", kind="ordinal")
    assert card["order"] == ["mild", "none", "severe"] and card["kind"] == "ordinal"  # as text sorts, until it is said
    card = change(page, "pain", levels=[1, 0, 2])
    assert card["order"] == ["none", "mild", "severe"] == card["labels"]
    share = table()["pain"].value_counts(normalize=True)
    assert card["p"] == pytest.approx(share[card["order"]].tolist())
    assert workspace.schema == lt.infer_schema(workspace.frame).with_kind(
        "pain", "ordinal", levels=["none", "mild", "severe"]
    )
    change(page, "grade", levels=[3, 2, 1, 0])
    assert workspace.schema["grade"].levels == (4, 3, 2, 1)
    for wrong in ([0, 0, 1], [0, 1], [0, 1, 5], ["0", "1", "2"], "no"):
        assert page.post("/api/column", json={"column": "pain", "levels": wrong}).status_code == 422
    page.post("/api/column/undo")
    page.post("/api/column/undo")
    assert workspace.schema["pain"].levels == ("mild", "none", "severe")
    page.post("/api/column/undo")
    assert workspace.schema == lt.infer_schema(workspace.frame) and workspace.changes == {}


def test_levels_never_seen_have_a_policy(studio):
    page, workspace = studio
    card = change(page, "job", unseen="other")
    assert card["labels"][-1] == "(other)" and card["p"][-1] == pytest.approx(2 / 120) and card["folded"] == 2
    assert workspace.schema == lt.infer_schema(workspace.frame).with_unseen("job", "other")
    assert 'unseen = "other"' in page.get("/api/schema.toml").text
    assert page.post("/api/column", json={"column": "pain", "kind": "ordinal"}).status_code == 200
    refused = page.post("/api/column", json={"column": "pain", "unseen": "other"})
    assert refused.status_code == 422 and "no place in the order" in refused.json()["detail"]
    change(page, "job", unseen="error")
    assert "job" not in workspace.changes and workspace.schema["job"].unseen == "error"


def test_what_is_copied_gives_the_same_schema(studio, tmp_path, monkeypatch):
    page, workspace = studio
    change(page, "pain", kind="ordinal")
    change(page, "pain", levels=[1, 0, 2])
    change(page, "x", kind="identifier")
    code = page.post("/api/fit/code", json={"latent": 2, "epochs": 1}).json()
    words = shlex.split(code["command"])
    assert "--kind=pain=ordinal:none,mild,severe" in words and "--kind=x=identifier" in words
    schema = lt.infer_schema(workspace.frame)
    for word in words:
        schema = with_kind(schema, word.removeprefix("--kind=")) if word.startswith("--kind=") else schema
    assert schema == workspace.schema
    change(page, "job", unseen="other")
    monkeypatch.chdir(tmp_path)
    code = page.post("/api/fit/code", json={"latent": 2, "epochs": 1}).json()
    space: dict = {}
    exec(code["python"].rsplit("vae = ", 1)[0], space)
    assert space["schema"] == workspace.schema
    assert "--schema=schema.toml" in shlex.split(code["command"]) and "--kind" not in code["command"]
    (tmp_path / "schema.toml").write_text(page.get("/api/schema.toml").text)
    assert lt.read_schema(tmp_path / "schema.toml", workspace.frame) == workspace.schema
    network = page.get("/api/network").json()["code"]["python"]
    assert ".with_kind('pain', 'ordinal', levels=['none', 'mild', 'severe'])" in network
    assert ".with_unseen('job', 'other')" in network


@pytest.mark.trains
def test_changes_are_learned_and_found_again(studio, tmp_path, monkeypatch):
    page, first = studio
    change(page, "pain", kind="ordinal")
    change(page, "pain", levels=[1, 0, 2])
    change(page, "job", unseen="other")
    monkeypatch.setattr(runs, "end", lambda folder: None)  # as if the studio had ended before the training
    page.post("/api/fit", json={"latent": 1, "width": 4, "epochs": 2})
    first.training.thread.join(120)
    assert first.training.error == "" and first.vae.schema_["pain"].levels == ("none", "mild", "severe")
    strange = first.frame.head(1).assign(job="astronaut")
    assert np.isfinite(first.vae.score_samples(strange)).all()
    second = Workspace(tmp_path, tmp_path / "kept")
    second.open(str(tmp_path / "staff.csv"), "staff.csv")
    said = second.state()["unfinished"]["kinds"]
    assert said == {"pain": "ordinal:none,mild,severe", "job": "unseen other"}
    assert runs.unfinished(second.run)["kinds"] == first.changes == {
        "pain": Edit("ordinal", ("none", "mild", "severe")), "job": Edit(unseen="other")
    }  # fmt: skip
