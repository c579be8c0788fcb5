"""log p of rows, and whose it is, column by column."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted, by_row
from laten.common.errors import LatenError
from laten.data.rows.rows import Rows
from laten.data.rows.views import TableView
from laten.inference.asking import Keys
from laten.inference.diagnostics import LogLikelihood, digest, log_mean_weight
from laten.inference.questions import LogWeights, Parts
from laten.inference.until_precise import ROUND, until_precise


def log_likelihood(fitted: Fitted, data: Any, draws: int, warn: bool = True) -> LogLikelihood:
    """Estimate log p of each row's observed cells, in the data's own scale."""
    rows, log_det = fitted.scored(data)
    found = fitted.ask(LogWeights(draws), rows, kept=digest)
    return LogLikelihood.of(found, draws, by_row(log_det, rows.n), warn)


def judged(fitted: Fitted, data: Any, draws: int | None, error: float, warn: bool = True) -> LogLikelihood:
    """Estimate log p of each row, to a standard error where no number of draws is said, beside the references."""
    rows, log_det = fitted.scored(data)
    return of_rows(fitted, rows, by_row(log_det, rows.n), draws, error, warn)


def of_rows(
    fitted: Fitted, rows: Rows, shift: np.ndarray, draws: int | None, error: float, warn: bool = True
) -> LogLikelihood:
    """Estimate as `judged`, of rows that went through the view; `shift` is the sum of their log-determinants."""
    if not 0 < error < np.inf:
        raise LatenError(f"the error asked for must be a positive number of nats, not {error!r}")
    if draws is None:

        def ask(chosen: np.ndarray, draws: int, turn: int) -> Any:
            return fitted.ask(LogWeights(draws), rows.take(chosen), Keys(fitted.seed + turn * ROUND))

        found, used = until_precise(ask, rows.n, error)
        answer = LogLikelihood.of(found, used, shift, warn)
    else:
        answer = LogLikelihood.of(fitted.ask(LogWeights(draws), rows, kept=digest), draws, shift, warn)
    if fitted.references is None:
        return answer
    beside = fitted.references.log_prob(fitted.model.network, rows)
    return replace(answer, references={name: float((x + shift).mean()) for name, x in beside.items()})


def surprise(fitted: Fitted, data: Any, draws: int) -> Any:
    """Return minus each column's and each latent's share of log p(row)."""
    (rows, log_det), view = fitted.scored(data), fitted.view
    parts, score = fitted.ask(Parts(draws), rows, kept=lambda found: (found[0], log_mean_weight(found[1])))
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
    index = data.index if isinstance(data, pd.DataFrame) else None
    return pd.DataFrame({**order, label: latent}, index=index)


def outliers(fitted: Fitted, data: Any, contamination: float, reference: Any, draws: int) -> np.ndarray:
    """Return -1 for rows less probable than all but the share `contamination` of the reference, 1 for the others."""
    if isinstance(contamination, bool) or not 0 < contamination < 1:
        raise LatenError(f"contamination is the share of outliers, between 0 and 1, not {contamination!r}")
    scores = log_likelihood(fitted, data, draws, warn=False).per_row
    known = scores if reference is None else log_likelihood(fitted, reference, draws, warn=False).per_row
    return np.where(scores < np.quantile(known, contamination), -1, 1)
