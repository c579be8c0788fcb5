"""How good a fitted model is: log p of rows that it has not learned from, beside simpler models of the same rows."""

import warnings
from typing import Any

import numpy as np

from laten.answers.references import with_held_out
from laten.cli.waiting import waiting
from laten.common.errors import LatenWarning
from laten.estimator.explanations import PRECISE
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare import Prepared
from laten.inference.diagnostics import LogLikelihood

MOST = 1000  # held-out rows that are scored


def set_apart(data: Any, prepared: Prepared) -> Any:
    """Return held-out rows, at most 1000, as the user gave them; None where none are held out."""
    held = prepared.task.valid
    if held is None:
        return None
    rows = held[np.linspace(0, len(held) - 1, min(len(held), MOST)).astype(np.int64)]
    if isinstance(data, dict):
        return {name: array[rows] for name, array in data.items()}
    return data[rows] if isinstance(data, np.ndarray) else data.iloc[rows]


def judged(vae: PlainVAE, rows: Any) -> LogLikelihood | None:
    """Score held-out rows; the model keeps their log p, with which later rows are compared."""
    if rows is None or vae.references_ is None:
        return None
    with waiting("scoring held-out rows"), warnings.catch_warnings():
        warnings.simplefilter("ignore", LatenWarning)  # of a verdict, not of an answer
        found = vae.log_likelihood(rows, error=PRECISE)
    vae.references_ = with_held_out(vae.references_, found.per_row, found.references)
    return found


def verdict(vae: PlainVAE, found: LogLikelihood | None) -> str:
    """Say in a few words how good the model is, and how training ended."""
    history = vae.history_
    ways = {"plan": "as planned", "early": "stopped early: no better held-out bound"}
    kept, last = history[history["kept"]].iloc[-1], int(history["epoch"].iloc[-1])
    how = f"epoch {int(kept['epoch'])} of {last}, {ways.get(vae.stopped_, vae.stopped_)}"
    if "valid_bound" not in history:
        return f"Training bound on log p(row), no rows were held out: {kept['bound']:.3f} nats a row ({how})."
    alike = f", of training rows {kept['train_bound']:.3f}" if "train_bound" in history else ""
    lines = [f"Held-out bound on log p(row): {kept['valid_bound']:.3f} nats a row{alike} ({how})."]
    if found is not None:
        lines.append(f"Held-out rows ({len(found.per_row)}): {found}.")
    return "\n".join(lines)
