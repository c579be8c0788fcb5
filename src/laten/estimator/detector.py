r"""Odd rows: two models and the surroundings of a row, as an outlier detector of scikit-learn.

A row may be odd in three ways, each of which sees what the others miss:

- $o_1 = -\log p(x)$ under a model that learned all rows: a wrong combination of usual values;
- $o_2 = \mathrm{thin}(x)$, few rows near (`neighbours.py`): it needs no training, so that few rows do not blind it;
- $o_3 = -\log p(x)$ under a small model that leaves the oddest rows out of each step: odd rows of the fit, which the
  others have learned, or have as neighbours.

Each is measured by the rows of the fit, median $m_i$ and quartile range $r_i$, and the largest counts:

$$\mathrm{score}(x) = -\max_i \operatorname{arsinh}\frac{o_i - m_i}{r_i}.$$

Hidden cells cost what they usually do, so that a hole is neither odd nor usual.
"""

import warnings
from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import OutlierMixin

from laten.common.errors import LatenError, LatenWarning
from laten.data.columns.column import ASIDE
from laten.data.containers.containers import as_frame
from laten.data.rows.standardised import standardised
from laten.data.rows.tables import hidden_cells
from laten.data.rows.views import TableView
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema
from laten.estimator import advised
from laten.estimator.face import FACE, Face
from laten.estimator.neighbours import known_rows, thinness
from laten.estimator.set_output import as_rows
from laten.estimator.vae import VAE

FENCE = 1.5  # quartile ranges below the lower quartile, where odd begins (Tukey 1977)
USUAL_ROWS = 300  # drawn from a model, to know what a hidden cell usually costs


class Detector(OutlierMixin, Face):
    """Find odd rows of a table: improbable under a model of the rows of the fit, or far from all of these.

    Odd rows may be among those of the fit. Nothing in a row is an error: levels that the fit never saw, fill values and
    holes are scored.

    Args:
        contamination: Share of the fit's rows that counts as odd; "auto": those that lie far below the others.
        vae: The model to fit; None: two, as `docs/en/tables.md` advises.
        seed: Seed of everything random, where `vae` is None.

    After `fit`: `vae_`, which answers every other question too (`vae_.save(path)` keeps it), and `offset_`, the score
    below which a row is odd.

    >>> import laten as lt
    >>> wine = lt.read("wine")
    >>> found = lt.Detector(vae=lt.VAE(latent=2, width=8, epochs=2)).fit(wine)
    >>> found.predict(wine.head(3).assign(ash=1e30)).tolist()
    [-1, -1, -1]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = FACE | {"contamination": [Real, str]}

    def __init__(self, contamination: float | str = "auto", vae: VAE | None = None, seed: int = 0):
        self.contamination = contamination
        self.vae = vae
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from rows; `y` is ignored.

        Raises:
            LatenError: `contamination` is no share, or what `VAE.fit` refuses.
        """
        self._check_parameters()
        share = None if self.contamination == "auto" else self.contamination
        if share is not None and (isinstance(share, bool | str) or not 0 < share < 1):
            raise LatenError(f"contamination is the share of outliers, between 0 and 1, or 'auto', not {share!r}")
        schema = numbers_as_numbers(X) if self.vae is None else None
        vae = self._learn(X, lambda rows: {**advised.finding(rows), "schema": schema})
        more = () if schema is None else (VAE(**advised.distrusting(), schema=schema, seed=self.seed).fit(X),)
        self._models: tuple[VAE, ...] = (vae, *more)
        self._known = None
        if isinstance(vae.view_, TableView):
            self._known = known_rows(standardised(vae.view_.schema, vae.view_.opened(X)), vae.seed)
        found = self._oddness(X)
        low, self._middle, high = np.quantile(found, [0.25, 0.5, 0.75], axis=0)
        self._range = np.where(high > low, high - low, 1.0)
        scores = self._score(found)
        low, high = np.quantile(scores, [0.25, 0.75])
        self.offset_ = float(low - FENCE * (high - low) if share is None else np.quantile(scores, share))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Return how usual each row is, `(rows,)`: about 0 in the middle of the fit's rows, lower for odd ones.

        The score has no unit; log p(row) in nats is what `vae_.score_samples` returns.
        """
        return self._score(self._oddness(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """Return `score_samples(X) - offset_`, `(rows,)`: negative for odd rows."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Return -1 for odd rows, 1 for the others, `(rows,)`."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def surprise(self, X: Any) -> Any:
        """Say what each column adds to minus log p(row), in nats, as `VAE.surprise`."""
        return self._fitted().surprise(X)

    def _score(self, oddness: np.ndarray) -> np.ndarray:
        return -np.arcsinh((oddness - self._middle) / self._range).max(axis=1)

    def _oddness(self, X: Any) -> np.ndarray:
        """Return what makes each row odd, `(rows, parts)`."""
        view = self._fitted().view_
        X = view.opened(X) if isinstance(view, TableView) else X
        with warnings.catch_warnings():  # an error of a log p that puts no row among the usual ones
            warnings.filterwarnings("ignore", "log-likelihood: Pareto k", LatenWarning)
            parts = [cost_of_holes(model, X) - model.score_samples(X) for model in self._models]
        if self._known is not None and isinstance(view, TableView):
            parts.append(thinness(standardised(view.schema, X), self._known))
        return np.stack(parts, axis=1)


def numbers_as_numbers(X: Any) -> Schema | None:
    """Return the schema of a table whose numbers are real, however few; None where data are no table.

    A grade of 7 is odder than one of 4 where those seen are 1 to 3, which levels without a distance would not say.
    """
    rows = as_rows(X)
    if not isinstance(rows, pd.DataFrame):
        if isinstance(rows, Mapping) or np.asarray(rows).ndim != 2:
            return None
        rows = as_frame(rows)
    schema = infer_schema(rows)
    kept = ("binary", "date", "duration", *ASIDE)
    return schema.with_kinds({c.name: "real" for c in schema.columns if c.seen.form == "number" and c.kind not in kept})


def cost_of_holes(vae: VAE, X: Any) -> np.ndarray | float:
    """Return what the hidden cells of each row would usually cost, `(rows,)` nats: in rows that the model draws."""
    view = vae.view_
    if not isinstance(view, TableView) or view.lossy:  # there a hole has a probability of its own
        return 0.0
    holes = hidden_cells(view.schema, view.opened(X))
    if not holes.to_numpy().any():
        return 0.0
    drawn = view.opened(vae.sample(USUAL_ROWS, seed=vae.seed))
    usual = vae.surprise(drawn)[[str(n) for n in holes]].median()
    return holes.to_numpy(float) @ usual.to_numpy()
