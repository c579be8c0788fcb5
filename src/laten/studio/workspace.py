"""What a studio holds: one table, its schema, one model, one training."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from laten.classical.discrete import DiscreteNetwork, read_bif
from laten.common.errors import LatenError
from laten.data.datasets.embedded import DATASETS
from laten.data.files.read import read_with_texts
from laten.data.records import replace
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema
from laten.data.text.notation import assumed
from laten.estimator.plain_vae import PlainVAE, restored
from laten.studio import as_json, declared_text, runs
from laten.studio.background import Job
from laten.studio.declaration import Facts, planned, proposed
from laten.studio.declared_text import Declaration
from laten.studio.edits import Edits
from laten.studio.model_card import model_card, unused
from laten.studio.training import Training
from laten.studio.written_text import declaration_text

SHOWN = 50  # rows of a table on the page


class Workspace:
    """One table and one model, which `questions.py` asks.

    Questions may come from several threads; what changes something holds the lock.

    Args:
        folder: Where uploads and models are kept.
        kept: Where trainings are kept that a later studio finds again; None: in `folder`.
    """

    def __init__(self, folder: Path, kept: Path | None = None) -> None:
        self.folder, self.kept = folder, kept or folder / "runs"
        self.lock = threading.RLock()
        self.source = self.model_file = ""
        self.frame: pd.DataFrame | None = None
        self.texts: pa.Table | None = None  # the cells of a text table as they are written
        self.images: np.ndarray | None = None
        self.schema: Schema | None = None
        self.kinds: dict[str, str] = {}
        self.undone: list[tuple[Schema, dict[str, str]]] = []  # schemas and kinds before each change
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

    # -- what there is ---------------------------------------------------------

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
                self.exact = model if isinstance(model, DiscreteNetwork) else None
                self.vae, self.model_file, self.source = None, called, ""
                self.models, self.held = {}, {}
                if isinstance(model, PlainVAE):
                    self.vae, self.models[called] = model, model
                self.frame = self.texts = self.images = self.schema = self.drawn = self.run = None
                self.undone, self.edits = [], Edits()
            return
        like = self.vae if self.frame is None and self.images is None else None  # data for a model that was opened
        data, texts = read_with_texts(path, like=like)
        part = ""
        if isinstance(data, dict):
            part = "x" if "x" in data else next(iter(data))
            data = data[part]
        self.take(data, called, texts, like, part)

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
                self.vae = self.exact = None
                self.models, self.held = {}, {}
            self.source, self.kinds, self.drawn, self.training, self.run = name, {}, None, None, run
            self.frame, self.images = (data, None) if table else (None, data)
            self.schema, self.texts, self.undone = schema, texts, []
            self.edits, self.part, self.schema_of = Edits(), part, self.model_file if like is not None else ""

    def state(self) -> dict[str, Any]:
        """Return what the page shows everywhere."""
        data = None
        if self.frame is not None:
            notes = assumed(self.frame)
            said = "" if notes is None or notes.plain else replace(notes, source=self.source).line()
            data = {"name": self.source, "rows": len(self.frame), "columns": len(self.frame.columns), "form": "table",
                    "assumed": said}  # fmt: skip
        elif self.images is not None:
            data = {"name": self.source, "rows": len(self.images), "columns": 0, "form": "images", "assumed": ""}
        return {"data": data, "model": self.model_state(), "training": self.training and self.training.state(),
                "models": list(self.models), "unfinished": runs.told(self.run) if not self.running else None,
                "undo": len(self.undone), "examples": list(DATASETS),
                "network": self.edits.text is not None}  # fmt: skip

    @property
    def running(self) -> bool:
        """Whether a training goes on."""
        return self.training is not None and self.training.running

    def model_state(self) -> dict[str, Any] | None:
        """Return what the page says of the model."""
        if self.exact is not None:
            return {"name": self.model_file, "form": "exact", "factors": str(self.exact), "latents": []}
        return None if self.vae is None else model_card(self.vae, self.model_file)

    def cards(self) -> list[dict[str, Any]]:
        """Return a card for each column of the data."""
        return as_json.cards(*self.table(), self.kinds)

    def set_kind(self, name: str, kind: str) -> None:
        """Change what a column is taken for.

        Raises:
            DataError: no such column, or its cells do not allow it.
        """
        with self.lock:
            _, schema = self.table()
            key = next((c.name for c in schema.columns if str(c.name) == name), name)
            changed = schema.with_kind(key, kind)
            self.undone.append((schema, self.kinds))
            self._another_schema(changed, {**self.kinds, name: kind})

    def undo_kind(self) -> None:
        """Take back the last change of a kind, if there was one."""
        with self.lock:
            if self.undone:
                self._another_schema(*self.undone.pop())

    def _another_schema(self, schema: Schema, kinds: dict[str, str]) -> None:
        self.schema, self.kinds = schema, kinds
        if self.edits.text is None:  # another proposal
            self.edits = Edits()

    def schema_text(self) -> str:
        """Return the schema as TOML, as `laten schema` writes it."""
        return self.table()[1].to_toml()

    def rows(self, first: int = 0) -> dict[str, Any]:
        """Return some rows of the data as they are."""
        frame, _ = self.table()
        return {"first": first, "of": len(frame), **as_json.table(frame.iloc[first : first + SHOWN])}

    # -- the network -----------------------------------------------------------

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

    # -- learning --------------------------------------------------------------

    def fit(self, options: Mapping[str, Any]) -> None:
        """Begin to learn a model from the data; `state` tells how it goes."""
        about = {"source": self.source, "options": dict(options), "kinds": self.kinds, "network": self.edits.text}
        self._train(options, about, [])

    def go_on(self) -> None:
        """Go on with a training on these data that was stopped, or that ended with its studio.

        Raises:
            LatenError: there is none.
        """
        data, found = self.data(), runs.unfinished(self.run)
        if found is None:
            raise LatenError("there is no training to go on with; start one")
        if isinstance(data, pd.DataFrame) and found["kinds"] != self.kinds:
            with self.lock:
                self.schema, self.kinds, self.undone = infer_schema(data), {}, []
                for name, kind in found["kinds"].items():
                    self.set_kind(name, kind)
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
            if self.training is not None and self.training.held is not None:
                self.held[name] = self.training.held

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
