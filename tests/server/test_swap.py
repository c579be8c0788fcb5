"""A model is replaced while it is asked, and a process ends while it is asked: nothing is lost."""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

import laten as lt
from server.test_answers import ROWS

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore:log-likelihood")]


@pytest.fixture(scope="module")
def other(tmp_path_factory, model):
    """The same model with other weights."""
    from server.conftest import people

    path = tmp_path_factory.mktemp("other") / "people.laten"
    lt.VAE(latent=2, width=4, epochs=2, batch_size=16, seed=1).fit(people()).save(path)
    return path


def test_a_model_is_replaced_while_it_is_asked(asked, other, monkeypatch):
    monkeypatch.setattr("laten.server.models.warm", lambda served: None)
    monkeypatch.setattr("laten.server.models.EVERY", 0.05)

    async def talk(client, state):
        path = Path(state.shelf.paths["people"])
        found, stop = [], False

        async def ask():
            while not stop:
                found.append(await client.post("/models/people/score", json={"rows": ROWS}))

        await client.post("/models/people/score", json={"rows": ROWS})
        asking = [asyncio.create_task(ask()) for _ in range(4)]
        await asyncio.sleep(0.3)
        old = state.shelf.models["people"]
        copy = path.with_suffix(".new")
        shutil.copy(other, copy)
        copy.replace(path)
        while state.shelf.models["people"] is old:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        stop = True
        await asyncio.gather(*asking)
        return found, (await client.post("/models/people/score", json={"rows": ROWS})).json()["log_p"]

    found, last = asked(talk)
    assert {f.status_code for f in found} == {200}
    values = {round(f.json()["log_p"][0], 3) for f in found}
    assert len(values) == 2 and last == pytest.approx(lt.load(other).score_samples(ROWS), rel=1e-4)


def test_a_file_that_is_no_model_changes_nothing(asked):
    async def talk(client, state):
        before = state.shelf.models["people"]
        Path(state.shelf.paths["people"]).write_bytes(b"half a model")
        said = await client.post("/models/people/reload")
        await state.shelf.look(["people"])  # as the watch does
        return (
            said,
            state.shelf.models["people"] is before,
            await client.post("/models/people/embed", json={"rows": ROWS}),
        )

    said, same, after = asked(talk)
    assert said.status_code == 422 and "the old model stays" in said.json()["error"] and "lt." not in said.text
    assert same and after.status_code == 200


def test_what_may_follow_is_compiled_and_a_shared_call_changes_no_bit(model):
    from laten.server.batches import Batches
    from laten.server.models import Served

    served, alone = Served("people", str(model), lt.load(model), (0, 0, 0), Batches()), lt.load(model)
    try:
        with served.asked() as vae:
            first = vae.score_samples(ROWS)
            kinds = len(served.batches._compiled)
            assert served.batches.warm(lambda chunk: [chunk._replace(seed=chunk.seed + 1)]) == 2 * kinds
            many = pd.concat([pd.DataFrame(ROWS)] * 30, ignore_index=True)
            again = vae.score_samples(many)
    finally:
        served.batches.close()
    np.testing.assert_array_equal(again, np.tile(first, 30))
    np.testing.assert_array_equal(first, alone.score_samples(ROWS))
    np.testing.assert_array_equal(again, alone.score_samples(many))


@pytest.mark.slow
def test_a_process_that_is_told_to_end_answers_what_it_has(model):
    """From the outside: warm, ready, asked by eight clients, SIGTERM; every request that was sent is answered."""
    from benchmarks.serve import Load, client, get

    command = [sys.executable, "-m", "laten.cli.main", "serve", str(model), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    port = int(process.stderr.readline().split("127.0.0.1:")[1].split("/")[0])
    body = b'{"rows": [{"height": 170, "income": null, "city": "Medan"}]}'
    head = f"POST /models/people/score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def talk():
        until = time.monotonic() + 600
        while (await get(port, "/readyz"))[0] != 200:
            assert time.monotonic() < until
            await asyncio.sleep(0.5)
        load = Load()
        clients = [asyncio.create_task(client(port, head + body, load)) for _ in range(8)]
        await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait)
        load.stop = True
        await asyncio.gather(*clients)
        return code, load

    code, load = asyncio.run(talk())
    process.stderr.close()
    assert code == 0 and load.lost == 0 and set(load.statuses) == {200}


@pytest.mark.slow
def test_the_whole_documentation_is_true(model, tmp_path):
    """Schemathesis asks what the documentation allows, and what it does not."""
    pytest.importorskip("schemathesis")
    command = [sys.executable, "-m", "laten.cli.main", "serve", f"{model}", "--name", f"one={model}", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        port = process.stderr.readline().split("127.0.0.1:")[1].split("/")[0]
        until = time.monotonic() + 600
        while httpx.get(f"http://127.0.0.1:{port}/readyz").status_code != 200:  # until then questions get a 503
            assert time.monotonic() < until
            time.sleep(0.5)
        run = [
            "st", "run", f"http://127.0.0.1:{port}/openapi.json", "--max-examples", "40", "--seed", "1",
            "--wait-for-schema", "60", "--exclude-checks", "positive_data_acceptance", "--request-timeout", "60",
            "--report-dir",
            str(tmp_path),
        ]  # fmt: skip
        found = Path(sys.executable).parent / run[0]
        done = subprocess.run([str(found), *run[1:]], capture_output=True, text=True, cwd=tmp_path)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert done.returncode == 0, done.stdout[-6000:]
