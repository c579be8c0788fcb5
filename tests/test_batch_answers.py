"""Answers batch by batch are those of the whole table, in this process and in Ray's workers."""

import numpy as np
import pandas as pd
import pytest

import laten as lt

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore::laten.LatenWarning")]

WINE = lt.read("wine").iloc[:, :5]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "m.laten"
    lt.VAE(latent=2, width=8, epochs=2, validation=0.0).fit(WINE).save(path)
    return str(path)


def rows() -> pd.DataFrame:
    frame = WINE.head(30).copy()
    frame.iloc[::4, 2] = np.nan
    return frame


@pytest.mark.parametrize("question", ["score", "impute", "embed"])
def test_answers_of_batches(model, question):
    options = {"draws": 8} if question == "score" else {}
    ask, frame = lt.BatchAnswers(model, question, **options), rows()
    parts = [ask(frame[:16]), ask({name: frame[name].to_numpy()[16:] for name in frame})]
    vae = lt.load(model)
    whole = {"score": vae.score_samples, "impute": vae.impute, "embed": vae.transform}[question](frame, **options)
    found = pd.concat(parts, ignore_index=True)
    np.testing.assert_allclose(found.to_numpy(), np.asarray(whole).reshape(len(frame), -1), rtol=1e-4, atol=1e-4)
    names = {"score": ["log_p"], "impute": list(frame), "embed": ["z0", "z1"]}[question]
    assert list(found) == names


def test_answers_beside_the_rows(model):
    frame = rows()
    found = lt.BatchAnswers(model, "score", join=True)(frame)
    assert list(found) == [*frame, "log_p"] and len(found) == len(frame)


def test_a_question_that_is_none(model):
    with pytest.raises(lt.LatenError, match="question must be one of"):
        lt.BatchAnswers(model, "sample")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_rays_workers(model):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        frame = rows()
        for question in ("score", "impute", "embed"):
            found = (
                ray.data.from_pandas([frame[:16], frame[16:]])
                .map_batches(
                    lt.BatchAnswers, fn_constructor_args=(model, question), batch_format="pandas", batch_size=8,
                    compute=ray.data.ActorPoolStrategy(size=2),
                )
                .to_pandas()
            )  # fmt: skip
            alone = lt.BatchAnswers(model, question)(frame)
            order = next(iter(found))
            np.testing.assert_allclose(
                found.sort_values(order).to_numpy(float), alone.sort_values(order).to_numpy(float), rtol=1e-4, atol=1e-4
            )
    finally:
        ray.shutdown()
