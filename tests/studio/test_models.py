"""Two models side by side, and one that is audited: the page is told what Python says."""

import re
import time

import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

import laten as lt
from laten.data.datasets.simulated_clinic import clinic
from laten.studio import comparing
from laten.studio.app import create_app
from laten.studio.background import Job
from laten.studio.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore:log-likelihood", "ignore:audit")


def ok(response):
    assert response.status_code == 200, response.text[:500]
    return response.json()


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A studio that has trained twice on the same table."""
    folder = tmp_path_factory.mktemp("studio")
    clinic(320, seed=0)[["age", "sex", "ward"]].to_csv(folder / "patients.csv", index=False)
    workspace = Workspace(folder)
    workspace.open(str(folder / "patients.csv"), "patients.csv")
    for options in ({"latent": 2, "width": 8, "epochs": 2}, {"latent": 2, "width": 16, "epochs": 30}):
        workspace.fit(options)
        workspace.training.thread.join(120)
        assert workspace.training.error == ""
    app = create_app(workspace, "t", ("testserver",))
    return TestClient(app, headers={"authorization": "Bearer t"}, raise_server_exceptions=False), workspace


def finished(page, name):
    while ok(page.get(f"/api/job/{name}"))["running"]:
        time.sleep(0.1)
    found = ok(page.get(f"/api/job/{name}"))
    assert found["error"] == "" and found["step"] <= found["of"]
    return found


@pytest.mark.slow
def test_trainings_have_names_of_their_own(studio):
    page, workspace = studio
    state = ok(page.get("/api/state"))
    assert state["models"] == ["patients.laten", "patients-2.laten"] and state["model"]["name"] == "patients-2.laten"
    assert lt.load(workspace.folder / "patients.laten").width == 8


@pytest.mark.slow
def test_two_models_on_the_rows_that_both_held_out(studio):
    page, workspace = studio
    found = ok(page.get("/api/compare?other=patients.laten"))
    index = sorted(workspace.held["patients.laten"])
    assert found["fresh"] and found["rows"] == len(index) == 32
    one, two = workspace.models["patients-2.laten"], workspace.models["patients.laten"]
    right = one.compare(two, workspace.frame.iloc[index])
    assert (found["difference"], found["error"]) == (right.difference, right.standard_error)
    assert found["models"][0]["log_p"] == pytest.approx(one.score(workspace.frame.iloc[index]), abs=0.3)
    assert sum(found["counts"]) == 32
    code = found["code"]["python"].replace("'patients", f"'{workspace.folder}/patients")
    assert found["code"]["command"] == ""  # no option names rows
    space: dict = {}
    exec(code.replace("print(", "said = str("), space)
    assert space["said"].replace(f"{workspace.folder}/", "") == found["said"]
    assert page.get("/api/compare?other=nobody.laten").status_code == 422
    assert page.get("/api/compare?other=patients-2.laten").status_code == 422  # itself


@pytest.mark.slow
def test_columns_and_samples_of_two_models(studio):
    page, workspace = studio
    ok(page.post("/api/compare/columns", json={"other": "patients.laten"}))
    found = finished(page, "columns")["result"]
    assert {c["name"] for c in found["columns"]} == set(workspace.frame) and found["rows"] == 32
    sizes = [abs(c["difference"]) for c in found["columns"]]
    assert sizes == sorted(sizes, reverse=True)
    for c in found["columns"]:
        assert c["difference"] == pytest.approx(c["models"][0]["log_p"] - c["models"][1]["log_p"])
    again = ok(page.post("/api/compare/columns", json={"other": "patients.laten"}))
    assert again["result"] == found  # kept, not computed anew
    drawn = ok(page.get("/api/compare/samples?other=patients.laten"))
    assert [c["name"] for c in drawn["columns"]] == list(workspace.frame)
    ward = drawn["columns"][2]["models"]
    assert [sum(m["p"]) for m in ward] == pytest.approx([1, 1]) and sum(ward[0]["prior"]) == pytest.approx(1)


@pytest.mark.slow
def test_a_model_of_other_columns_is_refused(studio, tmp_path):
    page, workspace = studio
    lt.VAE(latent=2, width=8, epochs=1).fit(workspace.frame[["age", "sex"]]).save(tmp_path / "less.laten")
    state = ok(page.put("/api/other/less.laten", content=(tmp_path / "less.laten").read_bytes()))
    assert state["added"] == "less.laten" and state["model"]["name"] == "patients-2.laten"
    refused = page.get("/api/compare?other=less.laten")
    assert refused.status_code == 422 and "different columns" in refused.json()["detail"]
    del workspace.models["less.laten"]


@pytest.mark.slow
def test_an_audit_is_that_of_python(studio, monkeypatch):
    page, workspace = studio
    monkeypatch.setattr(comparing, "LADDER", ("bounds", "latents"))  # of what is quick
    assert ok(page.get("/api/job/nothing")) == {}
    assert page.post("/api/audit", json={"rows": 7}).status_code == 422
    ok(page.post("/api/audit", json={"rows": 20}))
    assert page.post("/api/audit", json={"rows": 20}).status_code == 422  # one at a time
    found = finished(page, "audit")["result"]
    code = found["code"]["python"].replace("'patients", f"'{workspace.folder}/patients")
    space: dict = {}
    exec(re.sub(r"print\((.*)\)$", r"right = \1", code), space)
    assert {f["name"]: f["value"] for f in found["ladder"]} == {f.name: f.value for f in space["right"].bounds}
    assert found["said"] == space["right"].remarks and found["fresh"]


def test_work_that_is_cancelled_ends_before_its_next_step():
    steps = []

    def work(say):
        for i in range(1000):
            say(f"step {i}")
            steps.append(i)
            time.sleep(0.01)
        return "done"

    job = Job("it", work, 1000)
    while not steps:
        time.sleep(0.01)
    job.cancel()
    job.thread.join(10)
    state = job.state()
    assert len(steps) < 1000 and state["result"] is None and state["error"] == "" and not state["running"]
