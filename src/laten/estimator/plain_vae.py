r"""A network and its guide, fitted to data, answering questions: all of `laten.VAE` except its scikit-learn face.

The command line uses this half: scikit-learn takes a second to import.

No mathematics and no training logic live in this file; see `prepare.py` (what is trained), `training.fit` (how) and
`questions.py` (what can be asked).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from functools import partial
from signal import Signals
from typing import Any, BinaryIO, Self, TypeVar

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from laten.answers import scores
from laten.answers.fitted import Fitted
from laten.answers.references import MOST_ROWS, References, from_arrays, learned
from laten.common.compilation_cache import keep_compiled
from laten.common.errors import LatenError, ModelFileError
from laten.common.memory_size import bytes_of
from laten.data.files.open_parts import beyond
from laten.data.files.read import read
from laten.data.rows.presentation import Presentation
from laten.data.rows.views import TableView, View, view_from_json
from laten.estimator import model_file
from laten.estimator.averages import train_each
from laten.estimator.model_parts import called
from laten.estimator.parameters import KEPT, check_read, refuse_both
from laten.estimator.prepare import Prepared, prepare, prepare_more
from laten.estimator.prepare_parts import (
    prepare_parts,
    refuse_memory,
    refuse_weights,
    sampled,
    windows_of,
    work_folder,
)
from laten.estimator.questions import Answers
from laten.estimator.refits import Refits
from laten.network.model import Model
from laten.training.checkpoints import Checkpoints
from laten.training.cluster import first
from laten.training.collapse import say_unused
from laten.training.epochs import train
from laten.training.interrupts import CTRL_C
from laten.training.loop import Loop
from laten.training.objectives.with_labels import taught_labels
from laten.training.progress import progress as progress_display
from laten.training.step import State

Kind = TypeVar("Kind", bound="PlainVAE")


class PlainVAE(Refits, Answers):
    """`laten.VAE` without scikit-learn."""

    history_: pd.DataFrame
    _speaks_python = False  # to whoever watches a training: the command line has a report
    _reference: Any = None  # some rows of the fit
    _score_quantiles: np.ndarray | None = None  # of the scores of these

    # -- learning ------------------------------------------------------------

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, *,
        run: str | os.PathLike | None = None, exact: bool = True, memory: int | str | None = None,
        devices: int | None = None,
    ) -> Self:  # fmt: skip
        """Learn from data.

        Args:
            X: A table (of pandas, Polars or Arrow, a dictionary of columns, a list of dictionaries, a structured array,
                a matrix, a sparse one), an array of images, or a dictionary of arrays by node. NaN is a hidden place.
                Or the path of a file, of a folder of files, or a pattern: what does not fit into memory is read in
                parts.
            y: Ignored.
            sample_weight: Weights of rows in the objective, `(rows,)`: a row of weight 2 is visited twice as often as
                one of weight 1, one of weight 0 never. Their scale does not matter. What a column is (levels, bins)
                is learned from all rows of positive weight alike.
            run: A folder in which the training is kept every few seconds. The same call goes on where it stood,
                after a kill as well, and ends with the same weights, bit for bit, as a run without a break.
            exact: Refuse to go on under other versions or on another machine, where the last digits would differ.
            memory: What may be taken for a path: bytes, or text such as "2GiB". None: more than half of the machine's.
            devices: How many devices of this process share the rows of each batch. None: one, or all of a process that
                trains with others (`lt.join_cluster`).
        Raises:
            LatenError: data, declaration or parameter that cannot be used; a `run` that is another training's, or
                under way in another process; `TrainingDiverged`.
        """
        self._check_parameters()
        refuse_both(run, self.keep)
        with nullcontext() if run is None or not first() else Checkpoints(run, exact) as checkpoints:
            if not isinstance(X, str | os.PathLike):
                refuse_memory(memory)
                return self.fit_prepared(prepare(X, self, sample_weight), checkpoints, devices=devices)
            parts = beyond(bytes_of(memory), X)
            if parts is None:
                prepared = prepare(read(os.fspath(X)), self, sample_weight)
                return self.fit_prepared(prepared, checkpoints, devices=devices)
            refuse_weights(sample_weight)
            with work_folder(run if first() else None) as folder:
                prepared, _ = prepare_parts(sampled(parts, folder), self, bytes_of(memory), folder)
                with windows_of(prepared):
                    return self.fit_prepared(prepared, checkpoints, devices=devices)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Make one pass over rows, starting from the fitted weights; columns, levels and bins stay as in the fit.

        An unfitted model learns from these rows what each column is, and makes its first pass. Each pass has a
        learning rate that rises and falls, and an optimiser of its own; `history_` goes on.

        Args:
            X, y, sample_weight: As in `fit`.
        Raises:
            LatenError: as in `fit`; or rows that do not fit the schema.
        """
        self._check_parameters()
        if not hasattr(self, "model_"):
            first = prepare(X, self, sample_weight)
            return self.fit_prepared(first._replace(settings=replace(first.settings, epochs=1)))
        self.model_.refuse_average()
        before = self.history_.assign(kept=False)
        self.fit_prepared(prepare_more(X, self, self._fitted(), self.presentation_, sample_weight))
        count = before["epoch"].max() if len(before) else 0
        after = self.history_.assign(epoch=self.history_["epoch"] + count)
        self.history_ = pd.concat([before, after], ignore_index=True)
        return self

    def fit_prepared(
        self,
        prepared: Prepared,
        checkpoints: Checkpoints | None = None,
        signals: Sequence[Signals] = CTRL_C,
        report: Callable[[dict[str, Any]], bool | None] | None = None,
        devices: int | None = None,
        look: Callable[[Callable[[], Self]], None] | None = None,
    ) -> Self:
        """Learn from what `prepare(X, self)` made of data.

        Args:
            checkpoints: Where the training is kept, open; None: nowhere.
            signals: What ends it early.
            report: Told of each epoch in place of the display of `progress`; true ends training there.
            devices: As in `fit`.
            look: Called about each second, with a function that returns the model of now. Training waits for it, and
                the model is gone when it goes on.
        Raises:
            TrainingDiverged: steps stayed non-finite.
        """
        on_call = nothing if look is None else lambda loop, given: look(lambda: self._as_of(prepared, loop, given[0]))
        with progress_display(self.progress if first() else "quiet") as display:
            kept: dict[str, Any] = {"checkpoints": checkpoints, "signals": signals, "devices": devices}
            way: Any = partial(train, report=report or display, on_call=on_call, **kept)
            task, settings = prepared.task, prepared.settings
            every = self.keep == "all" and bool(task.others)
            outcome = train_each(task, settings, way) if every else way(task, settings)
        if self._speaks_python and self.progress != "quiet" and first():
            say_unused({n: outcome.model.guide.nodes[n].family.n_sites for n in outcome.model.latents}, outcome.history)
        presentation, history = prepared.task.presentation, pd.DataFrame(outcome.history)
        some = prepared.some_trained(MOST_ROWS) if prepared.comparable else None
        references = None if some is None else learned(prepared.network, some, isinstance(prepared.view, TableView))
        self._remember(outcome.model, prepared.view, presentation, outcome.stopped, history, references)
        self._reference, self._score_quantiles = prepared.reference, None
        self.restarts_ = pd.DataFrame(outcome.starts)
        self.declared_ = tuple(name for name in ("network", "guide") if getattr(self, name) is not None)
        return self

    def member(self, number: int) -> Self:
        """Return one of the models that this one averages over (`keep="all"`), with all that it can be asked.

        Args:
            number: From 0.
        Raises:
            LatenError: this is no average, or has no member of this number.
        """
        if not 0 <= number < self.model_.members:
            what = f"an average of {self.model_.members}" if self.model_.members else "no average; fit with keep='all'"
            raise LatenError(f"there is no member {number!r}: this model is {what}")
        found = copy(self)
        own = self.model_.member(number)
        found._remember(own, self.view_, self.presentation_, self.stopped_, self.history_, self.references_)
        found._score_quantiles = None
        return found

    def _as_of(self, prepared: Prepared, loop: Loop, state: State) -> Self:
        """Return a copy of this with the weights of a training that goes on."""
        one = state.weights if loop.copies == 1 else jax.tree.map(lambda x: x[0], state.weights)
        static = eqx.partition(prepared.task.model, eqx.is_inexact_array)[1]
        model = eqx.combine(loop.packing.unpack(one), static)
        found = copy(self)
        found._remember(model, prepared.view, prepared.task.presentation, "", pd.DataFrame())
        return found

    def _remember(
        self, model: Model, view: View, presentation: Presentation, stopped: str, history: pd.DataFrame,
        references: References | None = None,
    ) -> None:  # fmt: skip
        self.references_, self._before = references, None
        self.model_, self.view_, self.presentation_ = model, view, presentation
        self.stopped_, self.history_ = stopped, history
        self.network_, self.guide_ = model.network, model.guide
        if isinstance(view, TableView):
            self.schema_ = view.schema
            self.n_features_in_ = len(view.schema.names)
            if not view.matrix and all(isinstance(n, str) for n in view.schema.names):
                self.feature_names_in_ = np.array(view.schema.names, dtype=object)

    def _fit_scores(self) -> np.ndarray | None:
        if self._score_quantiles is None and self._reference is not None:
            self._score_quantiles = scores.quantiles(self._fitted(), self._reference, self.draws)
        return self._score_quantiles

    def _fitted(self) -> Fitted:
        labels = taught_labels(self.objective, self.model_, self.view_.sometimes(self.model_.latents))
        return Fitted(self.model_, self.view_, int(self.one_seed), self.references_, self._refine, labels)

    def _check_parameters(self) -> None:
        """Check types of parameters, where `prepare` would only see what follows from a wrong one."""

    # -- keeping ------------------------------------------------------------

    def save(self, path: str | os.PathLike | BinaryIO) -> None:
        """Write a model file: JSON and arrays, no code. The same fit gives the same bytes.

        Args:
            path: Where to, or an open binary file such as `io.BytesIO()`.
        Raises:
            ModelFileError: it cannot be written.
        """
        fitted, found = self._fitted(), self._fit_scores()
        about = {
            "parameters": {name: plain(getattr(self, name)) for name in KEPT},
            "objective": model_file.declared(self.objective),
            "view": fitted.view.to_json(),
            "presentation": {k: list(v) for k, v in self.presentation_._asdict().items()},
            "stopped": self.stopped_,
            "history": self.history_.drop(columns="seconds", errors="ignore").to_dict("list"),
            "restarts": self.restarts_.drop(columns="seconds", errors="ignore").to_dict("list"),
            "scores": [] if found is None else found.tolist(),
            "declared": list(self.declared_),
        }
        beside = None if fitted.references is None else fitted.references.to_arrays()
        model_file.write(path, fitted.model, about, beside)


def load(path: str | os.PathLike | BinaryIO) -> PlainVAE:
    """Read a model file, as `laten.load`."""
    return restored(PlainVAE, path, {})


def restored(kind: type[Kind], path: str | os.PathLike | BinaryIO, own: Mapping[str, Any]) -> Kind:
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
        vae._check_parameters()
        check_read(vae)
        presentation = Presentation(**about.presentation)
        references = from_arrays(beside, model.network)
        vae._remember(model, view, presentation, about.stopped, pd.DataFrame(about.history), references)
        vae.restarts_ = pd.DataFrame(about.restarts)
    except ModelFileError as error:
        raise ModelFileError(f"{called(path)!r}: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise ModelFileError(f"{called(path)!r} is damaged: {error}. Take another copy, or fit again") from error
    vae._score_quantiles = np.array(about.scores) if about.scores else None
    # what was proposed is no parameter: a clone proposes anew for its own data
    vae.declared_ = ("network", "guide") if about.declared is None else about.declared
    for name in vae.declared_:
        setattr(vae, name, getattr(model, name))
    return vae


def nothing(loop: Loop, arguments: tuple) -> None:
    """Do nothing before a compiled call."""


def plain(value: Any) -> Any:
    """Return a parameter as a plain Python object."""
    return value.item() if isinstance(value, np.generic) else value
