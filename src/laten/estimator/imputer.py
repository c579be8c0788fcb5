"""Imputation as a step of a scikit-learn pipeline."""

from typing import Any

import numpy as np
from sklearn.base import TransformerMixin

from laten.estimator import advised
from laten.estimator.face import Face
from laten.estimator.vae import VAE


class Imputer(TransformerMixin, Face):
    """An imputer that fills holes by the posterior of a `VAE`: fitted once, it fills new rows as well.

    Args:
        vae: The model to fit; None: what `docs/tables.md` advises for so many rows.
        statistic: As in `VAE.impute`.

    After `fit`: `vae_`, which answers every other question too; `vae_.save(path)` keeps it.

    >>> import laten as lt
    >>> wine = lt.read("wine")
    >>> holed = wine.mask(np.random.default_rng(0).random(wine.shape) < 0.1)
    >>> filled = lt.Imputer(lt.VAE(latent=2, width=8, epochs=2)).fit_transform(holed)
    >>> int(filled.isna().sum().sum())
    0
    """

    def __init__(self, vae: VAE | None = None, statistic: str = "auto"):
        self.vae = vae
        self.statistic = statistic

    def fit(self, X: Any, y: Any = None) -> "Imputer":
        """Learn from data with holes, as `VAE.fit`; `y` is ignored."""
        self._learn(X, advised.filling)
        return self

    def transform(self, X: Any) -> Any:
        """Return X with its holes filled; same container and types, observed cells bit for bit."""
        return self._fitted().impute(X, statistic=self.statistic)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns, which do not change."""
        return np.array([str(name) for name in self._fitted().schema_.names], dtype=object)
