"""What comes over HTTP is what Python answers; requests share compiled calls, and nothing else."""

import asyncio

import numpy as np
import pyarrow as pa
import pytest

import laten as lt
from laten.server.bodies import ARROW
from server.conftest import people

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore:log-likelihood")]

ROWS = [
    {"height": 170.2, "income": ">50K", "city": "Medan"},
    {"height": None, "income": None, "city": "Jakarta"},
    {"height": 181.0, "income": "<=50K", "city": None},
]


def stream(table: pa.Table, **options) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


async def post(client, question, body=None, code=200, **more):
    found = await client.post(f"/models/people/{question}", json=body, **more)
    assert found.status_code == code, found.text
    return found.json()


def test_answers_are_those_of_python(asked, model):
    async def talk(client, state):
        return {
            "score": await post(client, "score", {"rows": ROWS}),
            "surprise": await post(client, "surprise", {"rows": ROWS}),
            "impute": await post(client, "impute", {"rows": ROWS}),
            "predict": await post(client, "predict", {"rows": ROWS, "column": "income", "given": {"height": 165}}),
            "interval": await post(client, "predict", {"rows": ROWS, "column": "height"}),
            "conditional": await post(client, "conditional", {"rows": ROWS, "targets": ["height"]}),
            "embed": await post(client, "embed", {"rows": ROWS}),
        }

    found, vae = asked(talk), lt.load(model)
    near = {"rtol": 1e-4, "atol": 1e-5}  # another number of rows is another program
    np.testing.assert_allclose(found["score"]["log_p"], vae.score_samples(ROWS), **near)
    for row, expected in zip(found["surprise"]["surprise"], vae.surprise(ROWS), strict=True):
        assert row == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert found["impute"]["rows"] == vae.impute(ROWS)
    proba = vae.predict_proba(ROWS, "income", given={"height": 165})
    for row, expected in zip(found["predict"]["predicted"], proba, strict=True):
        assert row["probabilities"] == pytest.approx(expected, rel=1e-4)
    ends = [row["interval"] for row in found["interval"]["predicted"]]
    assert ends == vae.predict_interval(ROWS, "height")
    exact = vae.conditional(ROWS, "height")
    np.testing.assert_allclose(found["conditional"]["log_density"], exact.log_density, **near)
    latents = [[row["z0"], row["z1"]] for row in found["embed"]["latents"]]
    np.testing.assert_allclose(latents, [[row["z0"], row["z1"]] for row in vae.transform(ROWS)], **near)


def test_rows_are_drawn_and_copies_made(asked):
    async def talk(client, state):
        drawn = await post(client, "sample", {"n": 20, "given": {"city": ["Medan", "Jakarta"]}})
        copies = await post(client, "impute", {"rows": ROWS, "samples": 3})
        return drawn["rows"], copies["copies"]

    drawn, copies = asked(talk)
    assert len(drawn) == 20 and {row["city"] for row in drawn} <= {"Medan", "Jakarta"}
    assert len(copies) == 3 and all(copy[0] == ROWS[0] for copy in copies)
    assert len({str(copy[1]["height"]) for copy in copies}) > 1


def test_arrow_answers_as_json_does(asked):
    body = stream(pa.Table.from_pylist(ROWS))

    async def talk(client, state):
        async def arrow(path):
            found = await client.post(f"/models/people/{path}", content=body, headers={"content-type": ARROW})
            assert found.status_code == 200, found.text
            return pa.ipc.open_stream(found.content).read_all().to_pydict()

        plain = await post(client, "predict", {"rows": ROWS, "column": "income", "given": {"height": "160..175"}})
        return {
            "score": (await post(client, "score", {"rows": ROWS}), await arrow("score")),
            "predict": (plain, await arrow("predict?column=income&given=height=160..175")),
            "impute": (await post(client, "impute", {"rows": ROWS}), await arrow("impute")),
        }

    found = asked(talk)
    assert found["score"][1]["log_p"] == pytest.approx(found["score"][0]["log_p"], rel=1e-5)
    p = [row["probabilities"][">50K"] for row in found["predict"][0]["predicted"]]
    assert found["predict"][1]["p(>50K)"] == pytest.approx(p, rel=1e-5)
    assert found["impute"][1]["height"] == [row["height"] for row in found["impute"][0]["rows"]]


def test_requests_share_calls_and_nothing_else(asked, model):
    frame = people()
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")[:12]
    bad = {**rows[0], "height": "tall"}

    async def talk(client, state):
        await post(client, "score", {"rows": rows[:1]})  # its program is compiled
        sent = [client.post("/models/people/score", json={"rows": [row]}) for row in (*rows, bad)]
        found = await asyncio.gather(*sent)
        text = state.shelf.metrics.text().decode()
        calls = float(text.split("laten_batch_rows_count ")[1].split()[0])
        return found, calls

    *good, wrong = asked(talk)[0]
    alone = lt.load(model).score_samples(rows)
    np.testing.assert_allclose([f.json()["log_p"][0] for f in good], alone, rtol=1e-4)
    assert wrong.status_code == 422 and "'tall'" in wrong.json()["error"]
    assert asked(talk)[1] < len(rows)


def test_an_answer_without_a_number_is_null(asked):
    async def talk(client, state):
        found = await client.post("/models/people/impute", json={"rows": [dict.fromkeys(ROWS[0])]})
        state.shelf.models["people"].vae.impute = lambda *a, **k: [{"height": float("nan")}]
        return found.json(), (await client.post("/models/people/impute", json={"rows": ROWS[:1]})).text

    found, text = asked(talk)
    assert found["rows"][0]["city"] in ("Bandung", "Jakarta", "Medan") and text == '{"rows":[{"height":null}]}'


@pytest.mark.slow
def test_arrays_and_matrices_are_asked_as_lists(asked, tmp_path):
    x = np.random.default_rng(0).integers(0, 2, (40, 4, 4)).astype(np.uint8)
    vae = lt.VAE(lt.Network(z=lt.Normal(2), x=lt.Bernoulli((4, 4)).given("z", via=lt.Linear())), epochs=1).fit(x)
    vae.save(tmp_path / "images.laten")
    hole = [[None, *row[1:]] for row in x[0].tolist()]

    async def images(client, state):
        scores = await post(client, "score", {"rows": x[:3].tolist()})
        filled = await post(client, "impute", {"rows": [hole]})
        wrong = await post(client, "score", {"rows": [[1, 2]]}, 422)
        table = await post(client, "predict", {"rows": [hole], "column": "x"}, 422)
        return scores["log_p"], filled["rows"][0]["x"], wrong["error"], table["error"]

    log_p, filled, wrong, table = asked(images, file=tmp_path / "images.laten")
    np.testing.assert_allclose(log_p, vae.score_samples(x[:3]), rtol=1e-4)
    assert np.shape(filled) == (4, 4) and np.array(filled)[:, 1:].tolist() == x[0][:, 1:].tolist()
    assert "shape [4, 4]" in wrong and "columns of a table" in table

    matrix = np.random.default_rng(0).normal(size=(60, 3)).round(2)
    lt.VAE(latent=2, width=4, epochs=1).fit(matrix).save(tmp_path / "matrix.laten")

    async def numbers(client, state):
        filled = await post(client, "impute", {"rows": [[0.5, None, 1.5]]})
        return filled["rows"], (await post(client, "score", {"rows": [[1, 2]]}, 422))["error"]

    filled, wrong = asked(numbers, file=tmp_path / "matrix.laten")
    assert filled[0][0] == 0.5 and filled[0][1] is not None and "3 columns" in wrong
