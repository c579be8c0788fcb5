r"""A network and its guide, fitted to data, answering questions: all of `laten.VAE` except its scikit-learn face.

The command line uses this half: scikit-learn takes a second to import.

No mathematics and no training logic live in this file; see `prepare.py` (what is trained), `training.fit` (how) and
`questions.py` (what can be asked).
"""

import os
from collections.abc import Mapping
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.references import MOST_ROWS, References, from_arrays, learned
from laten.common.compilation_cache import keep_compiled
from laten.common.errors import ModelFileError
from laten.data.rows.presentation import Presentation
from laten.data.rows.views import TableView, View, view_from_json
from laten.estimator import model_file
from laten.estimator.parameters import KEPT, Parameters
from laten.estimator.prepare import Prepared, prepare
from laten.estimator.questions import Answers
from laten.network.model import Model
from laten.training.epochs import train
from laten.training.progress import progress as progress_display

Kind = TypeVar("Kind", bound="PlainVAE")


class PlainVAE(Parameters, Answers):
    """`laten.VAE` without scikit-learn."""

    # -- learning ------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from data.

        Args:
            X: A DataFrame, a matrix, an array of images, or a dictionary of arrays by node. NaN is a hidden place.
            y: Ignored.
        Raises:
            LatenError: data, declaration or parameter that cannot be used; `TrainingDiverged`.
        """
        return self.fit_prepared(prepare(X, self))

    def fit_prepared(self, prepared: Prepared) -> Self:
        """Learn from what `prepare(X, self)` made of data.

        Raises:
            TrainingDiverged: steps stayed non-finite.
        """
        with progress_display(self.progress) as report:
            outcome = train(prepared.task, prepared.settings, report)
        presentation, history = prepared.task.presentation, pd.DataFrame(outcome.history)
        references = learned(prepared.network, prepared.some_trained(MOST_ROWS), isinstance(prepared.view, TableView))
        self._remember(outcome.model, prepared.view, presentation, outcome.stopped, history, references)
        self.restarts_ = pd.DataFrame(outcome.starts)
        return self

    def _remember(
        self,
        model: Model,
        view: View,
        presentation: Presentation,
        stopped: str,
        history: pd.DataFrame,
        references: References | None = None,
    ) -> None:
        self.references_ = references
        self.model_, self.view_, self.presentation_ = model, view, presentation
        self.stopped_, self.history_ = stopped, history
        self.network_, self.guide_ = model.network, model.guide
        if isinstance(view, TableView):
            self.schema_ = view.schema
            self.n_features_in_ = len(view.schema.names)
            if not view.matrix and all(isinstance(n, str) for n in view.schema.names):
                self.feature_names_in_ = np.array(view.schema.names, dtype=object)

    def _fitted(self) -> Fitted:
        return Fitted(self.model_, self.view_, self.seed, self.references_)

    # -- keeping ------------------------------------------------------------

    def save(self, path: str | os.PathLike) -> None:
        """Write a model file: JSON and arrays, no code. The same fit gives the same bytes.

        Raises:
            ModelFileError: it cannot be written.
        """
        fitted = self._fitted()
        about = {
            "parameters": {name: getattr(self, name) for name in KEPT},
            "objective": model_file.declared(self.objective),
            "view": fitted.view.to_json(),
            "presentation": {k: list(v) for k, v in self.presentation_._asdict().items()},
            "stopped": self.stopped_,
            "history": self.history_.drop(columns="seconds", errors="ignore").to_dict("list"),
        }
        beside = None if fitted.references is None else fitted.references.to_arrays()
        model_file.write(path, fitted.model, about, beside)


def load(path: str | os.PathLike) -> PlainVAE:
    """Read a model file, as `laten.load`."""
    return restored(PlainVAE, path, {})


def restored(kind: type[Kind], path: str | os.PathLike, own: Mapping[str, Any]) -> Kind:
    """Read what `save` wrote, as a `PlainVAE` or a `VAE`.

    Args:
        own: The user's own nets, families and objectives by name.
    Raises:
        ModelFileError: not a model file, truncated, or of a newer version.
    """
    keep_compiled()
    model, about, beside = model_file.read(path, own)
    try:
        kept = about.parameters  # a parameter that came later has its default in older files
        options: dict[str, Any] = {name: kept[name] for name in KEPT if name in kept}
        vae = kind(objective=model_file.rebuilt(about.objective, own), **options)
        view = view_from_json(about.view)
        presentation = Presentation(**about.presentation)
        references = from_arrays(beside, model.network)
        vae._remember(model, view, presentation, about.stopped, pd.DataFrame(about.history), references)
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)!r}: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFileError(f"{os.fspath(path)!r} is damaged: {error}. Take another copy, or fit again") from error
    vae.network, vae.guide = model.network, model.guide
    return vae
