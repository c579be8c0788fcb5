"""Imputation as a step of a scikit-learn pipeline."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from laten.estimator.vae import VAE


class Imputer(TransformerMixin, BaseEstimator):
    """An imputer that fills holes by the posterior of a `VAE`: fitted once, it fills new rows as well.

    Args:
        vae: The model to fit; None: `VAE()`.
        statistic: As in `VAE.impute`.

    After `fit`: `vae_`, which answers every other question too.

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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> "Imputer":
        """Learn from data with holes, as `VAE.fit`; `y` is ignored."""
        self.vae_ = (VAE() if self.vae is None else clone(self.vae)).fit(X)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.vae_, name):
                setattr(self, name, getattr(self.vae_, name))
        return self

    def transform(self, X: Any) -> Any:
        """Return X with its holes filled; same container and types, observed cells bit for bit."""
        check_is_fitted(self, "vae_")
        return self.vae_.impute(X, statistic=self.statistic)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns, which do not change."""
        check_is_fitted(self, "vae_")
        return np.array([str(name) for name in self.vae_.schema_.names], dtype=object)
