"""Synthetic rows: a `VAE` whose settings suit drawing."""

from collections.abc import Mapping
from typing import Any, Self

from laten.estimator import advised
from laten.estimator.face import Face
from laten.estimator.vae import VAE


class Synthesizer(Face):
    """Learn a table and draw rows like its own.

    Args:
        vae: The model to fit; None: what `docs/en/tables.md` advises for so many rows.
        seed: Seed of everything random, where `vae` is None.

    After `fit`: `vae_`, which answers every other question too; `vae_.save(path)` keeps it.

    >>> import laten as lt
    >>> wine = lt.read("wine")
    >>> lt.Synthesizer(lt.VAE(latent=2, width=8, epochs=2)).fit(wine).sample(3).shape
    (3, 14)
    """

    def __init__(self, vae: VAE | None = None, seed: int = 0):
        self.vae = vae
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from data, as `VAE.fit`; `y` is ignored."""
        self._learn(X, advised.sampling)
        return self

    def sample(
        self, n: int = 1, given: Mapping[Any, Any] | None = None, *, holes: bool = True, seed: int | None = None
    ) -> Any:
        """Draw `n` rows in the container and types of the fitted data, as `VAE.sample`: with holes as these have."""
        return self._fitted().sample(n, given, holes=holes, seed=seed)
