"""Bad and unfriendly requests: each a sentence that says what to do, none a stack trace, and none reaches memory."""

import asyncio
import threading
import time

import httpx
import pyarrow as pa
import pytest

from laten.common.errors import LatenError
from laten.server import batches
from laten.server.bodies import ARROW
from laten.server.run import serve
from laten.server.safety import COOKIE, Guard, Refused, is_loopback
from laten.server.wording import sentence
from server.test_answers import ROWS, stream

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore:log-likelihood")]

ROW = '{"height": 170, "income": ">50K", "city": "Medan"}'


@pytest.mark.parametrize(
    ("path", "body", "code", "words"),
    [
        ("score", '{"rows": [', 400, "no JSON"),
        ("score", '{"rows": [{"height": NaN}]}', 400, "an empty cell is null"),
        ("score", "[1]", 400, "no JSON object"),
        ("score", '{"rows": []}', 422, "at least one row"),
        ("score", '{"rows": [3]}', 422, "rows[0]: expected an object"),
        ("score", '{"rows": [{"heigth": 170}]}', 422, "none of their columns"),
        ("score", '{"rows": [{"height": {"a": 1}}]}', 422, "a cell is text"),
        ("score", '{"rows": [{"height": 1' + "0" * 60 + "}]}", 422, "63 bits"),
        ("score", '{"rows": [{"height": 170}]}', 422, "add what is not known as null"),
        ("score", '{"rows": [{"height": "tall", "income": null, "city": null}]}', 422, "row 0: 'tall'"),
        ("score", f'{{"rows": [{ROW}], "draws": 3}}', 422, "draws"),
        ("impute", f'{{"rows": [{ROW}], "samples": 1000}}', 422, "samples"),
        ("impute", f'{{"rows": [{ROW}], "samples": "3"}}', 422, "samples"),
        ("impute", f'{{"rows": [{ROW}], "samples": true}}', 422, "samples"),
        ("predict", f'{{"rows": [{ROW}], "column": "age"}}', 422, "age"),
        ("predict", f'{{"rows": [{ROW}]}}', 422, "column: field required"),
        ("predict", f'{{"rows": [{ROW}], "column": "height", "given": {{"city": "Rome"}}}}', 422, "Rome"),
        ("predict", f'{{"rows": [{ROW}], "column": "height", "given": {{"city": []}}}}', 422, "empty"),
        ("predict?column=city", f'{{"rows": [{ROW}], "column": "city"}}', 400, "say it once"),
        ("score?draws=3", f'{{"rows": [{ROW}]}}', 400, "no option 'draws'"),
        ("sample", '{"n": 100000}', 413, "at most 10000"),
        ("sample", '{"given": {"height": "9..3"}}', 422, "exchange them"),
    ],
)
def test_a_bad_request_is_told_what_to_do(asked, path, body, code, words):
    async def talk(client, state):
        return await client.post(f"/models/people/{path}", content=body)

    found = asked(talk)
    said = found.json()["error"]
    assert found.status_code == code and words in said, found.text
    assert "Traceback" not in said and "lt." not in said and "frame" not in said


def test_other_paths_bodies_and_methods(asked):
    async def talk(client, state):
        return [
            (await client.post("/models/wine/score", content="{}"), 404, "no model 'wine'"),
            (await client.get("/models/people/score"), 405, "another way"),
            (await client.get("/docs"), 404, "openapi.json"),
            (
                await client.post("/models/people/score", content="a,b", headers={"content-type": "text/csv"}),
                415,
                "csv",
            ),
            (await client.post("/models/people/score", json={"rows": ROWS}, headers={"accept": ARROW}), 406, "Arrow"),
        ]

    for found, code, words in asked(talk):
        assert found.status_code == code and words in found.json()["error"]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"no stream", 400, "no Arrow stream"),
        (stream(pa.table({"height": [1.0] * 2000}), compression="zstd"), 415, "compressed"),
        (stream(pa.table({"city": pa.array(["a"] * 9000).dictionary_encode()}), compression="lz4"), 415, "compressed"),
        (stream(pa.table({"height": [[1.0]]})), 422, "cast it"),
        (stream(pa.table({"height": pa.nulls(10**7)})), 413, "at most"),
        (stream(pa.table({"height": pa.array([], pa.float64())})), 422, "no row"),
        (stream(pa.table({"height": [1.0]}))[:-40], 400, "no Arrow stream"),
    ],
)  # fmt: skip
def test_a_bad_arrow_stream_is_refused(asked, body, code, words):
    async def talk(client, state):
        return await client.post("/models/people/impute", content=body, headers={"content-type": ARROW})

    found = asked(talk)
    assert found.status_code == code and words in found.json()["error"], found.text


def test_bodies_are_counted_while_they_come(asked):
    async def parts(n, wait=0.0):
        for _ in range(n):
            yield b" " * 1000
            await asyncio.sleep(wait)

    async def talk(client, state):
        long = await client.post("/models/people/score", content=b" " * 5000)
        chunked = await client.post("/models/people/score", content=parts(5))
        rows = await client.post("/models/people/score", json={"rows": [{"height": 1}] * 60})
        return long, chunked, rows, state.line.requests

    long, chunked, rows, left = asked(talk, megabytes=0.003, rows=50)
    assert [r.status_code for r in (long, chunked, rows)] == [413, 413, 413] and left == 0
    assert "0.003 MB" in long.json()["error"] and "at most 50" in rows.json()["error"]

    async def slow(client, state):
        return await client.post("/models/people/score", content=parts(2, 0.6))

    assert asked(slow, seconds=0.3).status_code == 408


def test_too_many_are_told_to_come_again_and_late_answers_are_given_up(asked):
    gate = threading.Event()

    async def talk(client, state):
        vae = state.shelf.models["people"].vae
        own = vae.impute
        vae.impute = lambda *a, **k: (gate.wait(20), own(*a, **k))[1]
        first = asyncio.create_task(client.post("/models/people/impute", json={"rows": ROWS}))
        while not state.line.requests:
            await asyncio.sleep(0.01)
        full = await client.post("/models/people/score", json={"rows": ROWS})
        alive = await client.get("/healthz")
        late = await first
        gate.set()
        while state.line.requests:
            await asyncio.sleep(0.01)
        return full, alive, late

    full, alive, late = asked(talk, waiting=1, seconds=0.5)
    assert (full.status_code, full.headers["retry-after"]) == (429, "1") and alive.status_code == 200
    assert late.status_code == 503 and "0.5 seconds" in late.json()["error"]


def test_a_request_that_nobody_waits_for_is_not_computed(model):
    import laten as lt

    shared = batches.Batches()
    vae = lt.load(model)
    mark = batches.DEADLINE.set(float("inf"))
    try:
        from laten.inference.asking import ANSWERED_BY

        inner = ANSWERED_BY.set(shared.answer)
        vae.score_samples(ROWS)
        batches.DEADLINE.set(time.monotonic() - 1)
        with pytest.raises(batches.TooLate):
            vae.score_samples(ROWS)
        ANSWERED_BY.reset(inner)
    finally:
        batches.DEADLINE.reset(mark)
        shared.close()


# -- who may ask -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Bearer ünlike"}, 401),
        ({"authorization": "Bearer secret"}, 200),
        ({"cookie": f"other=1; {COOKIE}=secret"}, 200),
        ({"cookie": f"{COOKIE}=no"}, 401),
        ({"authorization": "Bearer secret", "host": "evil.example"}, 403),
        ({"authorization": "Bearer secret", "host": "test:8000"}, 200),
        ({"authorization": "Bearer secret", "origin": "https://evil.example"}, 403),
        ({"authorization": "Bearer secret", "origin": "null"}, 403),
        ({"authorization": "Bearer secret", "origin": "http://test", "host": "test"}, 200),
    ],
)
def test_only_who_may_is_let_in(asked, headers, code):
    async def talk(client, state):
        raw = [(k, v.encode()) for k, v in headers.items()]
        return await client.get("/models", headers=httpx.Headers(raw)), await client.get("/readyz")

    found, ready = asked(talk, token="secret")
    assert (found.status_code, ready.status_code) == (code, 200)
    assert code == 200 or "error" in found.json()


def test_the_guard_knows_addresses():
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "::1", "127.9.9.9")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.1.4", "::", "example.org")))
    guard = Guard(None, None, ("[::1]",), 10)
    guard.check({"path": "/", "headers": [(b"host", b"[::1]:8000")]})
    for headers in ([(b"host", b"[::2]:8000")], [(b"host", b"[::1]"), (b"content-length", b"-1")]):
        with pytest.raises(Refused):
            guard.check({"path": "/", "headers": headers})


def test_another_host_demands_a_token(model, laten_command):
    with pytest.raises(LatenError, match="--token"):
        serve({"people": str(model)}, "0.0.0.0", 0, None, None)
    assert "--token" in laten_command("serve", model, "--host", "0.0.0.0")
    assert "NAME=MODEL" in laten_command("serve", model, "--name", "people")
    assert "already a model called 'people'" in laten_command("serve", model, "--name", f"people={model}")
    assert "laten serve MODEL" in laten_command("serve")
    assert "there is no file" in laten_command("serve", "lost.laten")


def test_without_the_extra_one_line_says_what_to_install(model, laten_command, monkeypatch):
    for name in ("fastapi", "laten.server.app", "laten.server.run"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    said = laten_command("serve", model)
    assert "pip install 'laten[serve]'" in said and len(said.splitlines()) == 1


@pytest.fixture
def laten_command(capsys):
    from laten.cli.main import main

    def run(*arguments):
        capsys.readouterr()
        assert main([str(a) for a in arguments]) == 2
        return capsys.readouterr().err

    return run


def test_messages_lose_their_python():
    said = sentence("column 'age' takes a value, lt.between(low, high) or a list, not 3; the frame lacks it")
    assert said == "column 'age' takes a value, text such as \"30..40\" or a list, not 3; the rows lack it"
