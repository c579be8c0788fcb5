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
from laten.data.rows.views import TableView
from laten.data.schema.infer import infer_schema
from laten.data.schema.schema import Schema
from laten.data.text.notation import assumed
from laten.estimator.plain_vae import PlainVAE, restored
from laten.studio import as_json, declared_text
from laten.studio.declaration import Facts, planned, proposed
from laten.studio.declared_text import Declaration
from laten.studio.edits import Edits
from laten.studio.training import Training
from laten.studio.written_text import declaration_text

SHOWN = 50  # rows of a table on the page


class Workspace:
    """One table and one model, which `questions.py` asks.

    Questions may come from several threads; what changes something holds the lock.

    Args:
        folder: Where uploads and models are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.source = self.model_file = ""
        self.frame: pd.DataFrame | None = None
        self.texts: pa.Table | None = None  # the cells of a text table as they are written
        self.images: np.ndarray | None = None
        self.schema: Schema | None = None
        self.kinds: dict[str, str] = {}
        self.part = ""  # which array of a file of several
        self.schema_of = ""  # the model file whose schema this is
        self.edits = Edits()  # of the network
        self.vae: PlainVAE | None = None
        self.exact: DiscreteNetwork | None = None
        self.training: Training | None = None
        self.drawn: pd.DataFrame | None = None  # the last rows from the model
        self.drawn_given = False  # whether they were drawn given evidence

    # -- what there is ---------------------------------------------------------

    def open(self, path: str, name: str | None = None) -> None:
        """Take data, a model file or a BIF network; `name` is what the user calls it.

        Raises:
            LatenError: it cannot be read, or a training goes on.
        """
        if self.training is not None and self.training.running:
            raise LatenError("a training is going on; stop it first")
        called = name or path
        if called.endswith(".laten") or ".bif" in called:
            model = restored(PlainVAE, path, {}) if called.endswith(".laten") else read_bif(path)
            with self.lock:
                self.vae = model if isinstance(model, PlainVAE) else None
                self.exact = model if isinstance(model, DiscreteNetwork) else None
                self.model_file, self.source = called, ""
                self.frame = self.texts = self.images = self.schema = self.drawn = None
                self.edits = Edits()
            return
        like = self.vae if self.frame is None and self.images is None else None  # data for a model that was opened
        data, texts = read_with_texts(path, like=like)
        part = ""
        if isinstance(data, dict):
            part = "x" if "x" in data else next(iter(data))
            data = data[part]
        table = isinstance(data, pd.DataFrame)
        schema = None if not table else infer_schema(data) if like is None else like.schema_
        with self.lock:
            if like is None:
                self.vae = self.exact = None
            self.source, self.kinds, self.drawn = called, {}, None
            self.edits, self.part, self.schema_of = Edits(), part, self.model_file if like is not None else ""
            self.frame, self.images, self.schema, self.texts = (
                data if table else None,
                None if table else data,
                schema,
                texts,
            )

    def state(self) -> dict[str, Any]:
        """Return what the page shows everywhere."""
        data = None
        if self.frame is not None:
            notes = assumed(self.frame)
            data = {"name": self.source, "rows": len(self.frame), "columns": len(self.frame.columns), "form": "table",
                    "assumed": "" if notes is None or notes.plain else notes.line("")}  # fmt: skip
        elif self.images is not None:
            data = {"name": self.source, "rows": len(self.images), "columns": 0, "form": "images", "assumed": ""}
        return {"data": data, "model": self.model_state(), "training": self.training and self.training.state(),
                "examples": list(DATASETS), "network": self.edits.text is not None}  # fmt: skip

    def model_state(self) -> dict[str, Any] | None:
        """Return what the page says of the model."""
        if self.exact is not None:
            return {"name": self.model_file, "form": "exact", "factors": str(self.exact), "latents": []}
        if self.vae is None:
            return None
        table = isinstance(self.vae.view_, TableView)
        history = self.vae.history_
        kept = history[history["kept"]].iloc[-1] if len(history) and history["kept"].any() else None
        names = [str(n) for n in self.vae.get_feature_names_out()]
        return as_json.plain(
            {
                "name": self.model_file, "form": "table" if table else "images", "latents": names,
                "factors": self.vae.network_.factors(), "stopped": self.vae.stopped_,
                "bound": None if kept is None else kept.get("bound"),
                "epoch": None if kept is None else kept.get("epoch"),
                "active": None if kept is None else kept.get("active_units"),
            }
        )  # fmt: skip

    def cards(self) -> list[dict[str, Any]]:
        """Return a card for each column of the data."""
        frame, schema = self.table()
        remarks = {str(n): r.text for r in schema.worth_a_look for n in r.columns}
        return [
            as_json.card(c, frame[c.name])
            | {"remark": remarks.get(str(c.name), ""), "chosen": str(c.name) in self.kinds}
            for c in schema.columns
        ]

    def set_kind(self, name: str, kind: str) -> None:
        """Change what a column is taken for.

        Raises:
            DataError: no such column, or its cells do not allow it.
        """
        with self.lock:
            _, schema = self.table()
            key = next((c.name for c in schema.columns if str(c.name) == name), name)
            self.schema = schema.with_kind(key, kind)
            self.kinds[name] = kind
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

    def changed(self) -> dict[Any, str]:
        """Return the kinds that columns were given, by their names in the table."""
        columns = () if self.schema is None else self.schema.columns
        return {c.name: self.kinds[str(c.name)] for c in columns if str(c.name) in self.kinds}

    # -- learning --------------------------------------------------------------

    def fit(self, options: Mapping[str, Any]) -> None:
        """Begin to learn a model from the data; `state` tells how it goes."""
        with self.lock:
            if self.training is not None and self.training.running:
                raise LatenError("a training is going on; stop it first")
            data = self.data()
            self.training = Training(self.new_model(options), data, self._learned)
            self.training.start()

    def new_model(self, options: Mapping[str, Any]) -> PlainVAE:
        """Return what a fit begins with: of the network as it was edited, or of one that is proposed."""
        if self.edits.text is None:
            return PlainVAE(schema=self.schema, **options)
        return planned(self.declaration(), self.facts(), options)

    def _learned(self, vae: PlainVAE) -> None:
        with self.lock:
            name = Path(self.source).name.split(".")[0] or "model"
            self.vae, self.exact, self.model_file = vae, None, f"{name}.laten"
            vae.save(self.folder / self.model_file)

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
