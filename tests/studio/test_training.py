"""A training of the studio: it outlives the page and the studio, shows itself, and equals the one that is copied."""

import subprocess
import sys
import time

import numpy as np
import pytest
from benchmarks import counters

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

import laten as lt
from laten.data.datasets.simulated_clinic import clinic
from laten.studio import runs
from laten.studio import training as of_training
from laten.studio.app import create_app
from laten.studio.column_edits import Edit
from laten.studio.training import advice
from laten.studio.warming import warm
from laten.studio.workspace import Workspace

SMALL = {"latent": 2, "width": 8, "epochs": 40}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "patients.csv"
    clinic(200, seed=0)[["age", "sex", "visits"]].to_csv(path, index=False)
    return path


def opened(table, folder):
    folder.mkdir(exist_ok=True)
    workspace = Workspace(folder, table.parent / "kept")
    workspace.open(str(table), "patients.csv")
    app = create_app(workspace, "t", ("testserver",))
    return TestClient(app, headers={"authorization": "Bearer t"}, raise_server_exceptions=False), workspace


def until(true):
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.slow
def test_a_stopped_training_goes_on_in_another_studio_to_the_same_weights(table, tmp_path, monkeypatch):
    page, first = opened(table, tmp_path / "a")
    assert page.post("/api/fit/more").status_code == 422
    page.post("/api/column", json={"column": "visits", "kind": "real"})
    steps = []
    seen = of_training.Training._report

    def slowly(self, record):  # so that it can be stopped on its way
        steps.append(record["epoch"])
        if len(steps) == 2:
            self.stop()
        return seen(self, record)

    monkeypatch.setattr(of_training.Training, "_report", slowly)
    page.post("/api/fit", json=SMALL)
    first.training.thread.join(120)
    assert first.training.error == "" and first.training.stopped == "interrupted"
    page, second = opened(table, tmp_path / "b")
    found = page.get("/api/state").json()["unfinished"]
    assert found["options"] == SMALL and found["kinds"] == {"visits": "real"} and 0 < found["epoch"] < 40
    assert page.post("/api/fit/more").status_code == 200
    second.training.thread.join(120)
    assert second.training.error == "" and second.training.stopped == "plan"
    epochs = [r["epoch"] for r in second.training.records]
    assert epochs == sorted(set(epochs)) and epochs[0] == steps[0] and epochs[-1] == 40
    assert page.get("/api/state").json()["unfinished"] is None and not second.run.exists()
    df = lt.read(table)
    right = lt.VAE(schema=lt.infer_schema(df).with_kind("visits", "real"), **SMALL).fit(df)
    assert np.array_equal(second.vae.transform(df), right.transform(df))


@pytest.mark.slow
def test_a_training_goes_on_when_its_page_is_closed(table, tmp_path):
    page, workspace = opened(table, tmp_path / "a")
    page.post("/api/fit", json=SMALL)
    with page.stream("GET", "/api/events") as events:
        next(events.iter_lines())
    page.close()
    workspace.training.thread.join(120)
    assert workspace.training.error == "" and workspace.vae is not None


@pytest.mark.slow
def test_pictures_are_made_while_it_learns(table, tmp_path, monkeypatch):
    monkeypatch.setattr(of_training, "FIRST", 0.0)
    page, workspace = opened(table, tmp_path / "a")
    assert page.get("/api/glimpse").json() == {}
    page.post("/api/fit", json=SMALL)
    workspace.training.thread.join(120)
    assert workspace.training.error == "" and workspace.training.pictures >= 2  # the first, and the last
    found = page.get("/api/glimpse").json()
    assert np.array(found["points"]).shape == (200, 2) and [c["name"] for c in found["columns"]] == [*workspace.frame]
    assert np.allclose(found["points"], workspace.vae.transform(workspace.frame), atol=1e-3)


def test_what_is_copied_is_what_is_trained(table, tmp_path, monkeypatch):
    page, workspace = opened(table, tmp_path / "a")
    page.post("/api/column", json={"column": "visits", "kind": "real"})
    code = page.post("/api/fit/code", json=SMALL | {"epochs": 2}).json()
    page.post("/api/fit", json=SMALL | {"epochs": 2})
    workspace.training.thread.join(120)
    monkeypatch.chdir(table.parent)
    space: dict = {}
    exec(code["python"], space)
    assert np.array_equal(space["vae"].transform(space["df"]), workspace.vae.transform(workspace.frame))
    words = "laten fit patients.csv -o patients.laten --kind=visits=real --latent=2 --width=8 --epochs=2"
    assert code["command"] == words
    assert page.post("/api/fit/code", json={"evil": 1}).status_code == 422


def test_kinds_are_taken_back(table, tmp_path):
    page, workspace = opened(table, tmp_path / "a")
    before = {c["name"]: c["kind"] for c in page.get("/api/columns").json()}
    page.post("/api/column", json={"column": "visits", "kind": "real"})
    page.post("/api/column", json={"column": "sex", "kind": "categorical"})
    assert page.get("/api/state").json()["undo"] == 2
    after = {c["name"]: c["kind"] for c in page.post("/api/column/undo").json()}
    assert after == before | {"visits": "real"} and workspace.changes == {"visits": Edit("real")}
    after = {c["name"]: c["kind"] for c in page.post("/api/column/undo").json()}
    assert after == before and page.post("/api/column/undo").status_code == 200  # nothing is left to undo


def test_a_folder_is_of_the_data_alone(table, tmp_path):
    df = lt.read(table)
    folder = runs.folder_of(df, tmp_path)
    assert runs.folder_of(lt.read(table), tmp_path) == folder
    other = df.copy()
    other.loc[3, "age"] += 1
    assert runs.folder_of(other, tmp_path) != folder != runs.folder_of(df.rename(columns={"age": "a"}), tmp_path)
    assert runs.folder_of(np.zeros((3, 2, 2)), tmp_path) != runs.folder_of(np.ones((3, 2, 2)), tmp_path)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"kl": 2.0, "valid_bound": -5.0}] * 6, ""),
        ([{"kl": 0.01, "valid_bound": -5.0}] * 6, "collapse"),
        ([{"kl": 2.0, "valid_bound": -5.0}] * 5 + [{"kl": 2.0, "valid_bound": -5.5}], "overfitting"),
        ([{"kl": 2.0, "rollbacks": 1}], "diverging"),
    ],
)
def test_troubles_are_told(records, said):
    assert advice(records) == said


@pytest.mark.slow
def test_a_studio_is_opened_from_python(tmp_path, monkeypatch):
    """On a fitted model and a table, in the background; without the extra one line says what to install."""
    import urllib.request

    monkeypatch.setenv("LATEN_STUDIO", str(tmp_path))
    df = clinic(60, seed=0)[["age", "sex"]]
    vae = lt.VAE(latent=2, width=8, epochs=1).fit(df)
    studio = lt.studio(vae, df, browser=False)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    assert b"laten studio" in opener.open(studio.url).read() and studio.url in studio._repr_html_()
    state = opener.open(studio.url.split("?")[0] + "api/state").read()
    assert b'"rows":60' in state and b'"form":"table"' in state
    studio.close()
    with pytest.raises(OSError):
        opener.open(studio.url)
    with pytest.raises(lt.LatenError, match="not dict"):
        lt.studio({}, df, browser=False)
    lacking = "import sys; sys.modules['uvicorn'] = None\nimport laten as lt\nlt.studio()"
    found = subprocess.run([sys.executable, "-c", lacking], capture_output=True, text=True, check=False)
    assert found.stderr.strip().endswith("the studio needs uvicorn: pip install 'laten[studio]'")


@pytest.mark.slow
def test_first_answers_are_compiled_before_they_are_asked_for(table, tmp_path):
    page, workspace = opened(table, tmp_path / "a")
    workspace.ready = warm
    page.post("/api/fit", json=SMALL | {"epochs": 1})
    workspace.training.thread.join(120)
    before = counters.made
    workspace.jobs["warm"].thread.join(120)
    assert workspace.jobs["warm"].state()["result"] == "done" and counters.made > before
    before = counters.made
    for asked in ("odd", "odd?below=-3", "ordinary?row=3&column=age", "fill", "fill/intervals", "map"):
        assert page.get(f"/api/{asked}").status_code == 200
    assert page.post("/api/ask", json={"sex": {"is": 0}, "age": {"low": 30, "high": 50}}).status_code == 200
    assert counters.made == before
