"""Latents of rows as features: a `VAE` as a step of a scikit-learn pipeline."""

from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin

from laten.estimator.face import Face
from laten.estimator.set_output import as_asked
from laten.estimator.vae import VAE


class Embedder(TransformerMixin, Face):
    """Turn rows, holes and classes among them, into a few numbers: the means of their latents.

    Args:
        vae: The model to fit; None: `VAE()`.
        seed: Seed of everything random, where `vae` is None.

    After `fit`: `vae_`, which answers every other question too; `vae_.save(path)` keeps it.

    >>> import laten as lt
    >>> wine = lt.read("wine")
    >>> lt.Embedder(lt.VAE(latent=2, width=8, epochs=2)).fit_transform(wine).shape
    (178, 2)
    """

    def __init__(self, vae: VAE | None = None, seed: int = 0):
        self.vae = vae
        self.seed = seed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from data, as `VAE.fit`; `y` is ignored."""
        self._learn(X, lambda rows: {})
        return self

    def transform(self, X: Any) -> Any:
        """Return latent means, `(rows, latents)`, as `VAE.transform`."""
        return self._fitted().transform(as_asked(self, X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns of `transform`, `(latents,)`: z0, z1, ...."""
        return self._fitted().get_feature_names_out(input_features)
