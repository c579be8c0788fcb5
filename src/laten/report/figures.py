"""All figures of a report, computed once: the page shows them, the findings judge them, `--json` writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
import pandas as pd

from laten.answers import dependence, scores
from laten.answers.fitted import Fitted
from laten.answers.outliers import outliers
from laten.answers.references import References
from laten.data.rows.views import TableView
from laten.inference.diagnostics import ACTIVE, LogLikelihood
from laten.plots.contents.containers import n_rows, take
from laten.plots.contents.model import FittedModel
from laten.report.by_column import ByColumn, by_column
from laten.synthetic.quality import quality
from laten.synthetic.result import Quality

SCORED = 2_000  # rows whose log p is estimated
ERROR = 0.2  # nats, of a row's log p
ODD = 10  # rows shown
SYNTHETIC = 2_000  # rows drawn, and compared with as many
PAIRS = 10  # of columns, named
DEPENDENT = 2_048  # draws


@dataclass(frozen=True)
class Figures:
    """What is known of a model and some rows. None and empty: it does not apply, or needs rows.

    Args:
        rows: How many were given; `scored` of them were asked.
        history: As `vae.history_`.
        held_out: log p of the rows that the fit held out, nats, and its gains over simpler models.
        log_p: Of the rows given.
        odd: As `vae.outliers`, and `fence`: log p below which a row is odd.
        ties: Normalised mutual information of each two columns.
        effects: Shares of columns' variance that latents move.
        active: Latents that vary over the rows.
        together: Pairs of columns that are empty in the same rows, with the correlation.
    """

    rows: int | None
    scored: int
    history: pd.DataFrame
    stopped: str
    weights: int
    latents: tuple[str, ...]
    held_out: tuple[float, float, int, dict[str, float]] | None
    log_p: LogLikelihood | None = None
    odd: pd.DataFrame | None = None
    fence: float | None = None
    odd_share: float | None = None
    columns: ByColumn | None = None
    synthetic: Quality | None = None
    ties: pd.DataFrame | None = None
    effects: pd.DataFrame | None = None
    variances: Mapping[str, float] = field(default_factory=dict)
    together: tuple[tuple[str, str, float], ...] = ()

    @property
    def active(self) -> int | None:
        """How many latents vary over the rows; by the last epoch that was kept, where there are no rows."""
        if self.variances:
            return sum(v > ACTIVE for v in self.variances.values())
        kept = self.history[self.history["kept"].astype(bool)] if len(self.history) else self.history
        return int(kept["active_units"].iloc[-1]) if "active_units" in kept and len(kept) else None


def figures(vae: FittedModel, fitted: Fitted, data: Any, seed: int) -> Figures:
    """Compute all figures that apply.

    Args:
        data: Rows, as the model takes them; None: what the model knows by itself.
    """
    table = isinstance(fitted.view, TableView)
    arrays = [x for x in jax.tree.leaves((fitted.model.p, fitted.model.q)) if hasattr(x, "dtype")]
    latents = tuple(map(str, vae.get_feature_names_out())) if fitted.model.latents else ()
    found: dict[str, Any] = {
        "rows": None, "scored": 0, "history": vae.history_, "stopped": getattr(vae, "stopped_", ""),
        "weights": sum(int(np.size(x)) for x in arrays), "latents": latents, "held_out": held_out(fitted.references),
    }  # fmt: skip
    if table:
        found["ties"] = dependence.mutual_information(fitted, DEPENDENT, True, seed)
        if latents:
            found["effects"] = dependence.latent_effects(fitted, None, 1024, seed)
    if data is not None:
        found |= of_rows(vae, fitted, data, seed)
    return Figures(**found)


def of_rows(vae: FittedModel, fitted: Fitted, data: Any, seed: int) -> dict[str, Any]:
    """Compute what needs rows."""
    n = n_rows(data)
    some = np.unique(np.linspace(0, n - 1, min(n, SCORED)).astype(int))
    part = take(data, some)
    log_p = scores.judged(fitted, part, None, ERROR, warn=False)
    low, high = np.quantile(log_p.per_row, [0.25, 0.75])
    fence = float(low - scores.FENCE * (high - low))
    odd = outliers(fitted, part, ODD, False, None, ERROR)
    odd["row"] = some[odd["row"]]
    found: dict[str, Any] = {"rows": n, "scored": len(some), "log_p": log_p, "odd": odd, "fence": fence}
    found["odd_share"] = float(np.mean(log_p.per_row < fence))
    if fitted.model.latents:
        z = np.asarray(vae.transform(part), float)
        found["variances"] = dict(zip(map(str, vae.get_feature_names_out()), z.var(0).tolist(), strict=True))
    if isinstance(fitted.view, TableView) and isinstance(data, pd.DataFrame):
        found["columns"] = by_column(fitted, data)
        found["together"] = empty_together(data)
        drawn = vae.sample(max(len(some), 200), seed=seed)
        if isinstance(drawn, pd.DataFrame) and len(some) >= 100:
            modelled = [n for b in fitted.view.schema.blocks for n in b.names if n in data.columns]
            real = part[modelled].reset_index(drop=True)
            found["synthetic"] = quality(real, drawn[modelled], seed=seed, rows=1000)
    return found


def held_out(references: References | None) -> tuple[float, float, int, dict[str, float]] | None:
    """Return the mean log p of held-out rows, its error, their number, and the gains over simpler models."""
    if references is None or len(references.held_out) < 2:
        return None
    x = references.held_out.astype(float)
    gains = {name: float(x.mean() - other) for name, other in references.beside.items()}
    return float(x.mean()), float(x.std(ddof=1) / len(x) ** 0.5), len(x), gains


def empty_together(data: pd.DataFrame) -> tuple[tuple[str, str, float], ...]:
    """Return pairs of columns whose holes go together, the closest first."""
    empty = data.isna()
    some = empty.loc[:, (empty.sum() >= 5) & (empty.mean() < 1)].astype(float)
    if some.shape[1] < 2:
        return ()
    r = np.corrcoef(some.to_numpy().T)
    i, j = np.triu_indices(len(r), 1)
    order = np.argsort(-r[i, j], kind="stable")[:PAIRS]
    names = list(map(str, some.columns))
    return tuple((names[i[k]], names[j[k]], float(r[i[k], j[k]])) for k in order)


def strongest(ties: pd.DataFrame) -> list[tuple[str, str, float]]:
    """Return the pairs of columns that tell most of one another, as shares of the smaller entropy."""
    i, j = np.triu_indices(len(ties), 1)
    values = ties.to_numpy(float)[i, j]
    order = np.argsort(-values, kind="stable")[:PAIRS]
    names = list(map(str, ties.index))
    return [(names[i[k]], names[j[k]], float(values[k])) for k in order]
