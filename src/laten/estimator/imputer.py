"""Imputation as a step of a scikit-learn pipeline."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin

from laten.common.errors import LatenError
from laten.data.containers.containers import Taken, as_frame, taken_table
from laten.data.rows.views import TableView
from laten.estimator import advised
from laten.estimator.face import FACE, Face
from laten.estimator.set_output import as_asked, names_in
from laten.estimator.vae import VAE

MARK = "missingindicator_"  # as scikit-learn names them


class Imputer(TransformerMixin, Face):
    """An imputer that fills holes by the posterior of a `VAE`: fitted once, it fills new rows as well.

    Args:
        vae: The model to fit; None: what `docs/en/tables.md` advises for so many rows.
        statistic: As in `VAE.impute`.

    Other Args:
        samples: None fills each cell with a point; 1 with a draw from p(hidden | observed); a larger number m makes
            `transform` return a list of m completed copies.
        missing_values: What stands in cells that have no value, beside NaN and None.
        add_indicator: Append a column of truth values for each column that had holes in the fit.
        keep_empty_features: Columns that had no value at all in the fit are dropped; True keeps them, those of
            numbers filled with 0, as scikit-learn's imputers do.

    After `fit`: `vae_`, which answers every other question too; `vae_.save(path)` keeps it.

    >>> import laten as lt
    >>> wine = lt.read("wine")
    >>> holed = wine.mask(np.random.default_rng(0).random(wine.shape) < 0.1)
    >>> filled = lt.Imputer(lt.VAE(latent=2, width=8, epochs=2)).fit_transform(holed)
    >>> int(filled.isna().sum().sum())
    0
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "vae": FACE["vae"],
        "statistic": [str],
        "samples": [Integral, None],
        "missing_values": "no_validation",
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
    }

    def __init__(
        self,
        vae: VAE | None = None,
        statistic: str = "auto",
        *,
        samples: int | None = None,
        missing_values: Any = np.nan,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
    ):
        self.vae = vae
        self.statistic = statistic
        self.samples = samples
        self.missing_values = missing_values
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features

    def fit(self, X: Any, y: Any = None) -> "Imputer":
        """Learn from data with holes, as `VAE.fit`; `y` is ignored.

        Raises:
            LatenError: what `VAE.fit` refuses; or arrays by node, with options that are about columns.
        """
        self._check_parameters()
        X = self._holed(X)
        vae = self._learn(X, advised.filling)
        self.empty_features_: list[Any] = []
        self.holed_features_: list[Any] = []
        if isinstance(vae.view_, TableView):
            hidden = vae.view_.opened(X).isna()
            self.empty_features_ = [name for name in hidden if hidden[name].all()]
            self.holed_features_ = [name for name in hidden if hidden[name].any() and not hidden[name].all()]
        elif self.add_indicator:
            raise LatenError("Imputer: add_indicator is for tables; this model is of arrays by node")
        return self

    def transform(self, X: Any) -> Any:
        """Return X with its holes filled; same container and types, observed cells bit for bit.

        Returns:
            The container of X; with `samples` above 1 a list of such.
        """
        vae, X = self._fitted(), as_asked(self, X)
        came = vae.view_.taken(self._holed(X))
        found = vae.impute(came.data, self.samples, statistic=self.statistic)
        if not isinstance(vae.view_, TableView):
            return found[0] if self.samples == 1 else found
        types = {} if self._only_nan else whole_types(vae.view_.taken(X).data)
        copies = [self._returned(came, one, types) for one in (found if self.samples else [found])]
        return copies[0] if len(copies) == 1 else copies

    def inverse_transform(self, X: Any) -> Any:
        """Return rows in which the cells that `transform` filled are empty again, by its indicators.

        Args:
            X: What `transform` returned.
        Raises:
            LatenError: there are no indicators.
        """
        vae = self._fitted()
        if not self.add_indicator:
            raise LatenError("Imputer: inverse_transform needs to know which cells were filled: add_indicator=True")
        came = taken_table(X)
        named = isinstance(came.data, pd.DataFrame)
        frame = came.data if named else as_frame(came.data).set_axis(list(self.get_feature_names_out()), axis=1)
        own = vae.schema_.names if named else names_of(self)
        mark = None if self._only_nan else self.missing_values
        made = {}
        for name, mine in zip(vae.schema_.names, own, strict=True):
            if name in self.empty_features_:
                made[mine] = pd.Series(np.nan if mark is None else mark, frame.index)
            elif name in self.holed_features_:
                filled = frame[f"{MARK}{mine}"].astype(bool)
                made[mine] = frame[mine].where(~filled) if mark is None else frame[mine].where(~filled, mark)
            else:
                made[mine] = frame[mine]
        return came.rows(pd.DataFrame(made, index=frame.index))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns of `transform`, `(columns,)`.

        Args:
            input_features: None, or the names of the fitted columns.
        Raises:
            ValueError: other names.
        """
        vae = self._fitted()
        fitted = names_in(self, input_features)
        own = dict(zip(vae.schema_.names, names_of(self) if fitted is None else map(str, fitted), strict=True))
        kept = [own[n] for n in vae.schema_.names if self.keep_empty_features or n not in self.empty_features_]
        marks = [f"{MARK}{own[n]}" for n in self.holed_features_] if self.add_indicator else []
        return np.array(kept + marks, dtype=object)

    @property
    def _only_nan(self) -> bool:
        return self.missing_values is None or bool(pd.isna(self.missing_values))

    def _holed(self, X: Any) -> Any:
        """Return X with empty cells where `missing_values` stands."""
        if self._only_nan:
            return X
        came = taken_table(X)
        data = came.data
        frame = data if isinstance(data, pd.DataFrame) else as_frame(data)
        return came.rows(frame.mask(frame == self.missing_values))

    def _returned(self, came: Taken, frame: pd.DataFrame, types: dict[Any, Any]) -> Any:
        """Return a filled frame in the container of the rows, with the columns that the options ask for."""
        hidden = came.data.isna()
        empty = [name for name in self.empty_features_ if name in frame.columns]
        if self.keep_empty_features:
            numbers = [n for n in empty if pd.api.types.is_numeric_dtype(frame[n].dtype)]
            frame = frame.fillna(dict.fromkeys(numbers, 0))
        else:
            frame = frame.drop(columns=empty)
        frame = frame.astype({n: t for n, t in types.items() if n in frame and frame[n].notna().all()})
        if self.add_indicator:
            own = came.names or dict(zip(frame.columns, frame.columns, strict=True))
            marks = {f"{MARK}{own.get(n, n)}": hidden[n] for n in self.holed_features_}
            frame = pd.concat([frame, pd.DataFrame(marks, index=frame.index)], axis=1)
        return came.rows(frame)


def names_of(imputer: Imputer) -> list[str]:
    """Return names of the fitted columns: those of a matrix are x0, x1, ..., as scikit-learn has them."""
    view = imputer.vae_.view_
    matrix = isinstance(view, TableView) and view.matrix
    return [f"x{name}" if matrix else str(name) for name in imputer.vae_.schema_.names]


def whole_types(frame: pd.DataFrame) -> dict[Any, Any]:
    """Return the types of columns of whole numbers, in which a value that means "missing" may have stood."""
    return {name: dtype for name, dtype in frame.dtypes.items() if pd.api.types.is_integer_dtype(dtype)}
