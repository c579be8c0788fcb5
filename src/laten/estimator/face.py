"""What the faces of `VAE` share: a face fits one model, with settings for one question, and keeps it as `vae_`."""

from collections.abc import Callable, Mapping, Sized
from numbers import Integral
from typing import Any, ClassVar

from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from laten.common.errors import LatenError
from laten.estimator.set_output import as_rows
from laten.estimator.vae import VAE


def rows_in(X: Any) -> int:
    """Return how many rows data have; 0 where that is not known, or they are no data: the fit will say so."""
    rows = as_rows(X)
    some = next(iter(rows.values()), ()) if isinstance(rows, Mapping) else rows
    shape = getattr(some, "shape", (len(some),) if isinstance(some, Sized) else ())
    return int(shape[0]) if shape else 0


# what a parameter may be by itself
FACE: dict[str, Any] = {"vae": [VAE, None], "seed": [Integral]}


class Face(BaseEstimator):
    """A scikit-learn estimator around a `VAE`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = FACE
    vae: VAE | None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        return tags

    def _learn(self, X: Any, advised: Callable[[int], Mapping[str, Any]]) -> VAE:
        """Fit the user's model, or one as advised for so many rows."""
        self._check_parameters()
        vae = VAE(**advised(rows_in(X)), seed=getattr(self, "seed", 0)) if self.vae is None else clone(self.vae)
        self.vae_ = vae.fit(X)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(vae, name):
                setattr(self, name, getattr(vae, name))
        return vae

    def _check_parameters(self) -> None:
        try:
            self._validate_params()
        except ValueError as error:
            raise LatenError(str(error)) from None

    def _fitted(self) -> VAE:
        check_is_fitted(self, "vae_")
        return self.vae_
