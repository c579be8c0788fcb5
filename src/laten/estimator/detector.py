"""Odd rows: a `VAE` as an outlier detector of scikit-learn."""

from typing import Any, Self

import numpy as np
from sklearn.base import OutlierMixin

from laten.common.errors import LatenError
from laten.estimator import advised
from laten.estimator.face import Face
from laten.estimator.vae import VAE

FENCE = 1.5  # quartile ranges below the lower quartile, where odd begins (Tukey 1977)


class Detector(OutlierMixin, Face):
    """Find odd rows of a table: those that are improbable under a model of the rows of the fit.

    Nothing in a row is an error: levels that the fit never saw, fill values and holes are scored.

    Args:
        contamination: Share of the fit's rows that counts as odd; "auto": those that lie far below the others.
        vae: The model to fit; None: what `docs/tables.md` advises for so many rows.
        seed: Seed of everything random, where `vae` is None.

    After `fit`: `vae_`, which answers every other question too (`vae_.save(path)` keeps it), and `offset_`, the score
    below which a row is odd.

    >>> import laten as lt
    >>> wine = lt.read("wine")
    >>> found = lt.Detector(vae=lt.VAE(latent=2, width=8, epochs=2)).fit(wine).predict(wine.head(3) * 10)
    >>> found.tolist()
    [-1, -1, -1]
    """

    def __init__(self, contamination: float | str = "auto", vae: VAE | None = None, seed: int = 0):
        self.contamination = contamination
        self.vae = vae
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from rows, odd ones may be among them; `y` is ignored.

        Raises:
            LatenError: `contamination` is no share, or what `VAE.fit` refuses.
        """
        share = None if self.contamination == "auto" else self.contamination
        if share is not None and (isinstance(share, bool | str) or not 0 < share < 1):
            raise LatenError(f"contamination is the share of outliers, between 0 and 1, or 'auto', not {share!r}")
        self._learn(X, advised.finding)
        scores = self.score_samples(X)
        low, high = np.quantile(scores, [0.25, 0.75])
        self.offset_ = float(low - FENCE * (high - low) if share is None else np.quantile(scores, share))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Return how usual each row is, `(rows,)`: log p(row) in nats; the lower, the odder."""
        return self._fitted().score_samples(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return `score_samples(X) - offset_`, `(rows,)`: negative for odd rows."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Return -1 for odd rows, 1 for the others, `(rows,)`."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def surprise(self, X: Any) -> Any:
        """Say what each column adds to a row's oddness, in nats, as `VAE.surprise`."""
        return self._fitted().surprise(X)
