r"""A network and its guide, fitted to data, answering questions: all of `laten.VAE` but its scikit-learn face.

The command line uses this half: scikit-learn takes a second to import.

Everything here is a walk down: container → view → rows → model → numbers, and up again. No mathematics and no
training logic live in this file; see `proposal` (what is fitted), `training.fit` (how), `infer.queries` (what can be
asked).
"""

import os
from collections.abc import Mapping
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted, whole
from laten.common.compilation_cache import keep_compiled
from laten.common.errors import LatenError, ModelFileError
from laten.data.rows.presentation import Presentation
from laten.data.rows.views import TableView, View, view_from_json
from laten.estimator import model_file, prepare
from laten.estimator.questions import Answers
from laten.network.model import Model
from laten.network.network import Network
from laten.network.uncertain_weights import uncertain
from laten.training.fit import train
from laten.training.objectives import Elbo, Objective, WithWeights
from laten.training.progress import progress as progress_display
from laten.training.settings import Settings

# what a model file keeps of the constructor's options, beside network, guide and objective
PARAMETERS = (
    "latent", "width", "numbers", "dropout", "missing", "weights", "epochs", "batch_size", "learning_rate", "warmup",
    "clip", "patience", "validation", "precision", "hide", "trim", "binarise", "draws", "restarts", "seed",
)  # fmt: skip
Kind = TypeVar("Kind", bound="Learner")
WEIGHTS = ("point", "map", "bayes")
WARMUP = 0.5  # of the KL, for a table: without it latents stay unused


class Learner(Answers):
    """What `laten.VAE` does; its options are explained there."""

    def __init__(
        self,
        network: Network | None = None,
        guide: Network | None = None,
        objective: Objective | None = None,
        *,
        schema=None,
        latent: int = 16,
        width: int | None = None,
        numbers: str = "cells",
        dropout: float = 0.1,
        missing: str = "ignorable",
        weights: str = "point",
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        warmup: float = 0.02,
        clip: float | None = 100.0,
        patience: int | None = None,
        validation: float = 0.1,
        optimizer=None,
        precision: str = "float32",
        hide: bool | None = None,
        trim: float = 0.0,
        binarise: str = "dynamic",
        draws: int = 100,
        restarts: int = 1,
        seed: int = 0,
        progress: str = "quiet",
    ):
        self.network = network
        self.guide = guide
        self.objective = objective
        self.schema = schema
        self.latent = latent
        self.width = width
        self.numbers = numbers
        self.dropout = dropout
        self.missing = missing
        self.weights = weights
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.warmup = warmup
        self.clip = clip
        self.patience = patience
        self.validation = validation
        self.optimizer = optimizer
        self.precision = precision
        self.hide = hide
        self.trim = trim
        self.binarise = binarise
        self.draws = draws
        self.restarts = restarts
        self.seed = seed
        self.progress = progress

    # -- learning ------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learns from data.

        Args:
            X: A DataFrame, a matrix, an array of images, or a dictionary of arrays by node. NaN is a hidden place.
            y: Ignored.
        Raises:
            LatenError: data, declaration or option that cannot be used; `TrainingDiverged`.
        """
        keep_compiled()
        whole("draws", self.draws)
        whole("restarts", self.restarts)
        if self.weights not in WEIGHTS:
            raise LatenError(f"weights must be one of {', '.join(map(repr, WEIGHTS))}, not {self.weights!r}")
        sizes = prepare.Sizes(self.latent, self.width, self.numbers, self.dropout, self.missing)
        found = prepare.propose(X, self.network, self.schema, sizes, self.binarise, self.seed)
        table = isinstance(found.view, TableView)
        settings = self._settings(table and self.network is None)
        settings.planned(found.rows.n)  # refuses more rows than can be numbered, before any are
        presentation = prepare.presentation(found.rows, found.network, self._hides(table))
        models = [prepare.new_model(found, self.guide, presentation, self.seed + i) for i in range(self.restarts)]
        offset = found.log_det / found.rows.n
        if self.weights == "bayes":
            models = [Model(m.network, m.guide, uncertain(m.p), m.q) for m in models]
        objective = self._objective(table and self.network is None)
        task = prepare.task_for(models, found, presentation, objective, self.validation, offset, self.seed)
        if self.weights != "point":
            task = task._replace(objective=WithWeights(objective, task.rows))
        view = found.view
        del found  # its rows: the device has them now
        with progress_display(self.progress) as report:
            outcome = train(task, settings, report)
        self._remember(outcome.model, view, presentation, outcome.stopped, pd.DataFrame(outcome.history))
        self.restarts_ = pd.DataFrame(outcome.starts)
        return self

    def _hides(self, table: bool) -> bool:
        """Rows of which cells are hidden have higher bounds: where rows are left out for low ones, none are hidden."""
        return table and not self.trim if self.hide is None else self.hide

    def _objective(self, proposed_table: bool) -> Objective:
        if not self.trim:
            return self.objective or Elbo(warmup=WARMUP if proposed_table else 0.0)
        if self.objective is not None:
            raise LatenError("trim goes with the default objective; say objective=lt.Elbo(..., trim=...) instead")
        return Elbo(trim=self.trim)  # while the KL costs little, odd rows are rebuilt like others: no warm-up

    def _settings(self, proposed_table: bool) -> Settings:
        return Settings(
            epochs=self.epochs,
            batch_size=128 if self.batch_size is None else self.batch_size,
            learning_rate=(3e-3 if proposed_table else 1e-3) if self.learning_rate is None else self.learning_rate,
            warmup=self.warmup,
            clip=self.clip,
            patience=self.patience,
            validation=self.validation,
            optimizer=self.optimizer,
            precision=self.precision,
            seed=self.seed,
        )

    def _remember(
        self, model: Model, view: View, presentation: Presentation, stopped: str, history: pd.DataFrame
    ) -> None:
        self.model_, self.view_, self.presentation_, self.stopped_, self.history_ = (
            model,
            view,
            presentation,
            stopped,
            history,
        )
        self.network_, self.guide_ = model.network, model.guide
        if isinstance(view, TableView):
            self.schema_ = view.schema
            self.n_features_in_ = len(view.schema.names)
            if not view.matrix and all(isinstance(n, str) for n in view.schema.names):
                self.feature_names_in_ = np.array(view.schema.names, dtype=object)

    def _fitted(self) -> Fitted:
        return Fitted(self.model_, self.view_, self.presentation_, self.seed)

    # -- keeping ------------------------------------------------------------

    def save(self, path: str | os.PathLike) -> None:
        """Write a model file: JSON and arrays, no code. The same fit gives the same bytes.

        Raises:
            ModelFileError: it cannot be written.
        """
        fitted = self._fitted()
        about = {
            "parameters": {name: getattr(self, name) for name in PARAMETERS},
            "objective": model_file.declared(self.objective),
            "view": fitted.view.to_json(),
            "presentation": {k: list(v) for k, v in fitted.presentation._asdict().items()},
            "stopped": self.stopped_,
            "history": self.history_.drop(columns="seconds", errors="ignore").to_dict("list"),
        }
        model_file.write(path, fitted.model, about)


def load(path: str | os.PathLike, *, nets: Mapping[str, Any] | None = None) -> Learner:
    """As `laten.load`."""
    return restored(Learner, path, nets)


def restored(kind: type[Kind], path: str | os.PathLike, nets: Mapping[str, Any] | None = None) -> Kind:
    """What `save` wrote, as a `Learner` or a `VAE`.

    Raises:
        ModelFileError: not a model file, truncated, or of a newer version.
    """
    keep_compiled()
    model, about = model_file.read(path, nets)
    try:
        kept = about.parameters  # an option that came later has its default in older files
        options: dict[str, Any] = {name: kept[name] for name in PARAMETERS if name in kept}
        vae = kind(objective=model_file.rebuilt(about.objective, {}), **options)
        view = view_from_json(about.view)
        presentation = Presentation(**about.presentation)
        vae._remember(model, view, presentation, about.stopped, pd.DataFrame(about.history))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFileError(f"{os.fspath(path)!r} is damaged: {error}. Take another copy, or fit again") from error
    vae.network, vae.guide = model.network, model.guide
    return vae
