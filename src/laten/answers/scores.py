"""log p of rows, and whose it is, column by column."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted, by_row
from laten.common.errors import LatenError, LatenWarning
from laten.data.messages import where
from laten.data.rows.rows import Rows
from laten.data.rows.views import TableView
from laten.inference.asking import Keys
from laten.inference.diagnostics import Digest, LogLikelihood, digest, log_mean_weight
from laten.inference.questions import LogWeights, Parts
from laten.inference.until_precise import FIRST, ROUND, until_precise

QUANTILES = 201
FENCE = 1.5
BLOCK = 16_384  # rows whose log-weights are held at once


def log_likelihood(fitted: Fitted, data: Any, draws: int, warn: bool = True) -> LogLikelihood:
    """Estimate log p of each row's observed cells, in the data's own scale; it is 0 where there are none."""
    rows, log_det = fitted.scored(data)
    found = summarised(fitted, rows, draws)
    if warn and isinstance(fitted.view, TableView):
        warn_of_torn(fitted.view, data)
    return LogLikelihood.of(found, draws, by_row(log_det, rows.n), warn)


def warn_of_torn(view: TableView, data: Any) -> None:
    """Warn of rows that break what all rows of the fit keep."""
    for text, bad in view.torn(data).items():
        warnings.warn(
            f"score: {text!r} does not hold in {where(bad)}, though it did in the fit; log p ignores such rules",
            LatenWarning,
            stacklevel=4,
        )


def judged(fitted: Fitted, data: Any, draws: int | None, error: float, warn: bool = True) -> LogLikelihood:
    """Estimate log p of each row, to a standard error where no number of draws is said, beside the references."""
    rows, log_det = fitted.scored(data)
    if warn and isinstance(fitted.view, TableView):
        warn_of_torn(fitted.view, data)
    return of_rows(fitted, rows, by_row(log_det, rows.n), draws, error, warn)


def of_rows(
    fitted: Fitted, rows: Rows, shift: np.ndarray, draws: int | None, error: float, warn: bool = True
) -> LogLikelihood:
    """Estimate as `judged`, of rows that went through the view; `shift` is the sum of their log-determinants."""
    if not 0 < error < np.inf:
        raise LatenError(f"the error asked for must be a positive number of nats, not {error!r}")
    blocks = [np.arange(i, min(i + BLOCK, rows.n)) for i in range(0, rows.n, BLOCK)]
    if draws is None:
        found, used = zip(*(precisely(fitted, rows.take(block), error) for block in blocks), strict=True)
        whole = Digest(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
        answer = LogLikelihood.of(whole, np.concatenate(used), shift, warn)
    else:
        answer = LogLikelihood.of(summarised(fitted, rows, draws), draws, shift, warn)
    if fitted.references is None:
        return answer
    totals: dict[str, float] = {}
    for block in blocks:
        for name, x in fitted.references.log_prob(fitted.model.network, rows.take(block)).items():
            totals[name] = totals.get(name, 0.0) + float(x.sum())
    return replace(answer, references={name: (x + float(shift.sum())) / rows.n for name, x in totals.items()})


def summarised(fitted: Fitted, rows: Rows, draws: int) -> Digest:
    """Return what is known of each row's log p: of rows without any value, that it is 0."""
    found, blank = fitted.ask(LogWeights(draws), rows, kept=digest), rows.blank
    sure = (0.0, draws, -np.inf, 0.0)
    return Digest(*(np.where(blank.reshape(-1, *[1] * (x.ndim - 1)), s, x) for s, x in zip(sure, found, strict=True)))


def precisely(fitted: Fitted, rows: Rows, error: float) -> tuple[Digest, np.ndarray]:
    """Return what is known of each row's log p, and its draws; all log-weights are held meanwhile.

    All rounds share one compiled program: more draws of a row are those of copies of it.
    """

    blank = rows.blank

    def ask(chosen: np.ndarray, draws: int, turn: int) -> Any:
        copies = np.arange(draws // FIRST)
        keys = Keys(fitted.seed + turn * ROUND, copies=np.tile(copies, len(chosen)))
        found = fitted.ask(LogWeights(FIRST), rows.take(np.repeat(chosen, len(copies))), keys)
        return np.where(blank[chosen, None], np.float32(0), found.reshape(len(chosen), draws))

    return until_precise(ask, rows.n, error)


def surprise(fitted: Fitted, data: Any, draws: int) -> Any:
    """Return minus each column's and each latent's share of log p(row)."""
    came, view = fitted.view.taken(data), fitted.view
    rows, log_det = fitted.scored(came.data)
    parts, score = fitted.ask(Parts(draws), rows, kept=lambda found: (found[0], log_mean_weight(found[1])))
    score = np.where(rows.blank, 0.0, score)
    shares = {n: -x.astype(np.float64) for n, x in parts.items()}
    latent = -score - by_row(shares, rows.n)
    shares |= {n: shares[n] - x for n, x in log_det.items() if n in shares}
    label = ", ".join(n for n in fitted.model.network.stochastic if n not in shares) or "rest"
    if not isinstance(view, TableView):
        return {**shares, label: latent}
    if label in map(str, view.schema.names):
        label += " (latent)"
    columns: dict[str, np.ndarray] = {}
    for node, x in shares.items():
        for i, site in enumerate(rows.labels[node]):  # a column may have several sites
            columns[site] = columns.get(site, 0) + x.reshape(rows.n, -1)[:, i]
    order = {str(n): columns[str(n)] for n in view.schema.names if str(n) in columns}
    found = pd.DataFrame({**order, label: latent}, index=came.data.index)
    return found if view.matrix else came.answer(found)  # columns of a matrix are named here alone


def quantiles(fitted: Fitted, data: Any, draws: int) -> np.ndarray:
    """Return quantiles of log p(row) at steps of 0.5 %, from the least to the largest, `(201,)` nats."""
    scores = np.nan_to_num(log_likelihood(fitted, data, draws, warn=False).per_row)
    return np.quantile(scores, np.linspace(0, 1, QUANTILES))


def outliers(
    fitted: Fitted, data: Any, contamination: float | str, reference: np.ndarray | None, draws: int
) -> np.ndarray:
    """Return -1 for odd rows, 1 for the others.

    Args:
        contamination: Share of the reference below whose scores a row is odd; "auto": 1.5 quartile ranges below its
            lower quartile (Tukey 1977).
        reference: Scores of rows, or evenly spaced quantiles of them; None: those of `data`.
    """
    auto = contamination == "auto"
    if not auto and (isinstance(contamination, bool | str) or not 0 < contamination < 1):
        raise LatenError(f"contamination is the share of outliers, between 0 and 1, or 'auto', not {contamination!r}")
    scores = log_likelihood(fitted, data, draws, warn=False).per_row
    low, high, share = np.quantile(
        scores if reference is None else reference, [0.25, 0.75, 0.5 if auto else contamination]
    )
    return np.where(scores < (low - FENCE * (high - low) if auto else share), -1, 1)
