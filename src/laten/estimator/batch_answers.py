"""Questions of a model file as a class that Ray Data maps over batches of rows: each worker reads the model once."""

import os
from collections.abc import Callable
from typing import Any

import pandas as pd

from laten.common.errors import LatenError, known
from laten.estimator.vae import VAE, load


def scored(vae: VAE, rows: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return log p of each row, in nats."""
    return pd.DataFrame({"log_p": vae.score_samples(rows, **options)})


def embedded(vae: VAE, rows: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return the mean latents of each row."""
    return pd.DataFrame(vae.transform(rows, **options), columns=vae.get_feature_names_out())


def filled(vae: VAE, rows: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return the rows, their empty cells filled."""
    return vae.impute(rows, **options)


QUESTIONS: dict[str, Callable[..., pd.DataFrame]] = {"score": scored, "impute": filled, "embed": embedded}


class BatchAnswers:
    """One question of a fitted table model, asked of batch after batch (`pip install laten[ray]`).

    Args:
        model: Path of a model file that every worker can read.
        question: `"score"` (a column `log_p`, in nats), `"impute"` (the rows, filled) or `"embed"` (columns z0, z1, …).
        join: Put the answers beside the columns of the batch.
        options: Of the question, such as `draws=500`.
    Raises:
        LatenError: another question; a model file that cannot be read; rows that the model cannot take.

    In a program of Ray, answers come in the order and the number of rows, whatever the size of batches:

        rows = ray.data.read_parquet("folder")
        scores = rows.map_batches(lt.BatchAnswers, fn_constructor_args=("model.laten", "score"),
                                  batch_format="pandas", batch_size=16_384, compute=ray.data.ActorPoolStrategy(size=4))
    """

    def __init__(self, model: str | os.PathLike, question: str = "score", join: bool = False, **options: Any):
        if question not in QUESTIONS:
            raise LatenError(f"question must be one of {known(QUESTIONS)}, not {question!r}")
        self.vae, self.question, self.join, self.options = load(model), QUESTIONS[question], join, options

    def __call__(self, batch: Any) -> pd.DataFrame:
        """Answer for the rows of a batch: a frame, or a dictionary of columns."""
        rows = batch if isinstance(batch, pd.DataFrame) else pd.DataFrame(dict(batch))
        answers = self.question(self.vae, rows, **self.options)
        if not self.join:
            return answers
        return pd.concat([rows.reset_index(drop=True), answers.reset_index(drop=True)], axis=1)
