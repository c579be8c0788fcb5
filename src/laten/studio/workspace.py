"""What a studio holds: one table, its schema, one model, one training."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from laten.classical.discrete import DiscreteNetwork, read_bif
from laten.common.errors import LatenError
from laten.data.datasets.embedded import DATASETS
from laten.data.files.read import read_with_texts
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema
from laten.estimator.plain_vae import PlainVAE, restored
from laten.studio import as_json, column_edits, declared_text, runs
from laten.studio.background import Job
from laten.studio.column_edits import Edit
from laten.studio.declaration import Facts, planned, proposed
from laten.studio.declared_text import Declaration
from laten.studio.edits import Edits
from laten.studio.model_card import model_card, unused
from laten.studio.training import Training
from laten.studio.written_text import declaration_text

NEITHER = ("folder", "kept", "ready", "lock", "before")  # what belongs to no table and no model


class Workspace:
    """One table and one model, which `questions.py` asks.

    Questions may come from several threads; what changes something holds the lock.

    Args:
        folder: Where uploads and models are kept.
        kept: Where trainings are kept that a later studio finds again; None: in `folder`.
        ready: Called when a model and its data are there.
    """

    def __init__(
        self, folder: Path, kept: Path | None = None, ready: Callable[["Workspace"], None] = lambda workspace: None
    ) -> None:
        self.folder, self.kept, self.ready = folder, kept or folder / "runs", ready
        self.lock = threading.RLock()
        self.source = self.model_file = ""
        self.frame: pd.DataFrame | None = None
        self.texts: pa.Table | None = None  # the cells of a text table as they are written
        self.images: np.ndarray | None = None
        self.schema: Schema | None = None
        self.changes: dict[str, Edit] = {}  # of columns, by name
        self.undone: list[tuple[Schema, dict[str, Edit]]] = []  # schemas and changes before each of them
        self.part = ""  # which array of a file of several
        self.schema_of = ""  # the model file whose schema this is
        self.edits = Edits()  # of the network
        self.vae: PlainVAE | None = None
        self.exact: DiscreteNetwork | None = None
        self.training: Training | None = None
        self.run: Path | None = None  # the folder of trainings on these data
        self.models: dict[str, PlainVAE] = {}  # by name: those of these data, with which a model is compared
        self.held: dict[str, np.ndarray] = {}  # name -> numbers of the rows that its fit held out
        self.jobs: dict[str, Job] = {}  # work in the background, by the page that asked
        self.placed: tuple[PlainVAE, Any, np.ndarray, np.ndarray] | None = None  # rows on the map, and their latents
        self.drawn: pd.DataFrame | None = None  # the last rows from the model
        self.drawn_given = False  # whether they were drawn given evidence
        self.scored: tuple[PlainVAE, Any, Any] | None = None  # how odd all rows are
        self.fresh: frozenset[str] = frozenset()  # models that were trained here and are nowhere else
        self.before: dict[str, Any] | None = None  # what stood here with such a model, until other data were opened

    def open(self, path: str, name: str | None = None) -> None:
        """Take data, a model file or a BIF network; `name` is what the user calls it.

        Raises:
            LatenError: it cannot be read, or a training goes on.
        """
        if self.running:
            raise LatenError("a training is going on; stop it first")
        called = name or path
        if called.endswith(".laten") or ".bif" in called:
            model = restored(PlainVAE, path, {}) if called.endswith(".laten") else read_bif(path)
            with self.lock:
                self._leave()
                self.model_file, self.source = called, ""
                if isinstance(model, PlainVAE):
                    self.vae, self.models[called] = model, model
                else:
                    self.exact = model
                self.frame = self.texts = self.images = self.schema = self.drawn = self.run = None
                self.undone, self.edits = [], Edits()
            return
        like = self.vae if self.frame is None and self.images is None else None  # data for a model that was opened
        data, texts = read_with_texts(path, like=like)
        part = "" if not isinstance(data, dict) else "x" if "x" in data else next(iter(data))
        self.take(data[part] if part else data, called, texts, like, part)

    def take(
        self, data: Any, name: str, texts: pa.Table | None = None, like: PlainVAE | None = None, part: str = ""
    ) -> None:
        """Take a table or images that have been read.

        Args:
            texts: The cells of a text table as they are written.
            like: A model that the data are for, which stays.
            part: Which array of a file of several.
        """
        table = isinstance(data, pd.DataFrame)
        schema = None if not table else infer_schema(data) if like is None else like.schema_
        run = runs.folder_of(data, self.kept)
        with self.lock:
            if like is None:
                self._leave()
            self.source, self.changes, self.drawn, self.training, self.run = name, {}, None, None, run
            self.frame, self.images = (data, None) if table else (None, data)
            self.schema, self.texts, self.undone = schema, texts, []
            self.edits, self.part, self.schema_of = Edits(), part, self.model_file if like is not None else ""
        if like is not None:
            self.ready(self)

    def _here(self) -> dict[str, Any] | None:
        """Return all that is here, if a model that is nowhere else is among it."""
        return {n: v for n, v in vars(self).items() if n not in NEITHER} if self.fresh else None

    def _leave(self) -> None:
        self.before = self._here()
        for job in self.jobs.values():
            job.cancel()
        self.vae = self.exact = self.training = None
        self.models, self.held, self.jobs, self.fresh = {}, {}, {}, frozenset()

    def back(self) -> None:
        """Take back the last opening of a file: the table and the models that stood here before.

        Raises:
            LatenError: there were none, or a training goes on.
        """
        with self.lock:
            if self.running:
                raise LatenError("a training is going on; stop it first")
            if self.before is None:
                raise LatenError("there is nothing to go back to")
            here = self._here()
            vars(self).update(self.before)
            self.before = here

    def state(self) -> dict[str, Any]:
        """Return what the page shows everywhere."""
        return {"data": as_json.data_card(self.source, self.frame, self.images),
                "model": model_card(self.exact if self.vae is None else self.vae, self.model_file),
                "training": self.training and self.training.state(), "models": list(self.models),
                "unfinished": runs.told(self.run) if not self.running else None, "examples": list(DATASETS),
                "undo": len(self.undone), "network": self.edits.text is not None, "fresh": sorted(self.fresh),
                "before": self.before and self.before["model_file"]}  # fmt: skip

    @property
    def running(self) -> bool:
        """Whether a training goes on."""
        return self.training is not None and self.training.running

    def change(self, name: str, said: Mapping[str, Any]) -> None:
        """Change what a column is taken for, as `column_edits.changed` says.

        Raises:
            DataError: no such column, or its cells do not allow it.
        """
        with self.lock:
            _, schema = self.table()
            changed, edit = column_edits.changed(schema, name, self.changes.get(name, Edit()), said)
            self.undone.append((schema, self.changes))
            self._another_schema(changed, {n: e for n, e in {**self.changes, name: edit}.items() if any(e)})

    def undo_change(self) -> None:
        """Take back the last change of a column, if there was one."""
        with self.lock:
            if self.undone:
                self._another_schema(*self.undone.pop())

    def _another_schema(self, schema: Schema, changes: dict[str, Edit]) -> None:
        self.schema, self.changes = schema, changes
        if self.edits.text is None:  # another proposal
            self.edits = Edits()

    def facts(self) -> Facts:
        """Return what a network is for.

        Raises:
            LatenError: there are no data.
        """
        data = self.data()
        return Facts(self.schema, () if self.images is None else self.images.shape[1:], len(data))

    def declaration(self) -> Declaration:
        """Return the network as it was edited, or the proposal."""
        return declared_text.read(self.network_text(), self.facts().suited)

    def network_text(self) -> str:
        """Return the text of that network."""
        if self.edits.text is not None:
            return self.edits.text
        facts = self.facts()
        found = proposed(facts, {})
        return declaration_text(found, facts.scope(found.nodes))

    def fit(self, options: Mapping[str, Any]) -> None:
        """Begin to learn a model from the data; `state` tells how it goes."""
        about = {"source": self.source, "options": dict(options), "kinds": self.changes, "network": self.edits.text}
        self._train(options, about, [])

    def go_on(self) -> None:
        """Go on with a training on these data that was stopped, or that ended with its studio.

        Raises:
            LatenError: there is none.
        """
        data, found = self.data(), runs.unfinished(self.run)
        if found is None:
            raise LatenError("there is no training to go on with; start one")
        changes = found["kinds"]
        if isinstance(data, pd.DataFrame) and changes != self.changes:
            with self.lock:
                self._another_schema(column_edits.applied(infer_schema(data), changes), changes)
                self.undone = []
        if found["network"] is not None:
            self.edits.push(self.network_text(), found["network"])
        else:
            self.edits = Edits()
        self._train(found["options"], None, found["records"])

    def _train(
        self, options: Mapping[str, Any], about: Mapping[str, Any] | None, records: list[dict[str, Any]]
    ) -> None:
        with self.lock:
            if self.running:
                raise LatenError("a training is going on; stop it first")
            data = self.data()
            assert self.run is not None
            if "warm" in self.jobs:
                self.jobs["warm"].cancel()
            self.training = Training(self.new_model(options), data, self._learned, self.run, about, records)
            self.training.start()

    def new_model(self, options: Mapping[str, Any]) -> PlainVAE:
        """Return what a fit begins with: of the network as it was edited, or of one that is proposed."""
        if self.edits.text is None:
            return PlainVAE(schema=self.schema, **options)
        return planned(self.declaration(), self.facts(), options)

    def _learned(self, vae: PlainVAE) -> None:
        with self.lock:
            name = unused(f"{Path(self.source).name.split('.')[0] or 'model'}.laten", self.models)
            self.take_model(vae, name)
            self.fresh |= {name}
            if self.training is not None and self.training.held is not None:
                self.held[name] = self.training.held
        self.ready(self)

    def take_model(self, vae: PlainVAE, name: str) -> None:
        """Ask this model from now on; its file is in the folder."""
        vae.save(self.folder / name)
        self.vae, self.exact, self.model_file, self.models[name] = vae, None, name, vae

    def add_model(self, path: str, name: str) -> str:
        """Keep another model, to compare with; return what it is called here."""
        model = restored(PlainVAE, path, {})
        with self.lock:
            name = unused(name, self.models)
            self.models[name] = model
        return name

    def table(self) -> tuple[pd.DataFrame, Schema]:
        """Return the table and its schema.

        Raises:
            LatenError: there is none.
        """
        if self.frame is None or self.schema is None:
            raise LatenError("there is no table yet; open a file or an example first")
        return self.frame, self.schema

    def data(self) -> Any:
        """Return the table or the images.

        Raises:
            LatenError: there are none.
        """
        data = self.images if self.frame is None else self.frame
        if data is None:
            raise LatenError("there are no data yet; open a file or an example first")
        return data

    def model(self) -> PlainVAE:
        """Return the model.

        Raises:
            LatenError: there is none.
        """
        if self.vae is None:
            raise LatenError("there is no model yet; train one first, or open a model file")
        return self.vae
