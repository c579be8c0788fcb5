"""Views: how the user's container becomes rows, and how answers come back in its like.

A container is a frame, a matrix or a dictionary of arrays. A view is made once, when fitting, and kept in the model
file; every later question goes through the same one, so that columns, types, levels and binarisation are those of the
fit. `TableView` holds a schema; `ArrayView` holds what each declared node takes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from laten.data import tables
from laten.data.arrays import ArraySpec, rows_from_arrays
from laten.data.checks import unknown
from laten.data.matrices import as_matrix, as_numbers, refuse_sparse
from laten.data.plain import Reader
from laten.data.rows import Rows
from laten.data.schema import Schema
from laten.errors import DataError, known

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class TableView:
    """A table: a pandas frame, or a matrix whose columns are called 0, 1, ....

    Args:
        schema: What each column is.
        matrix: Whether the user's container is a NumPy matrix.
    """

    schema: Schema
    matrix: bool = False

    def frame(self, data: Any) -> pd.DataFrame:
        """The user's data as a frame.

        Raises:
            DataError: neither a frame nor a matrix, or another number of columns than fitted.
        """
        refuse_sparse(data)
        if isinstance(data, pd.DataFrame):
            return data
        if isinstance(data, Mapping):
            return pd.DataFrame(dict(data))
        found = as_matrix(data)
        if self.matrix and found.shape[1] != len(self.schema.names):
            raise DataError(
                f"X has {found.shape[1]} features, but VAE is expecting {len(self.schema.names)} features as input"
            )
        if not self.matrix:
            raise DataError(
                f"expected a DataFrame with the fitted columns {known(self.schema.names)}, "
                f"got an array of shape {found.shape}"
            )
        return pd.DataFrame(found)

    def rows(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> Rows:
        """Rows for the model; `partial` takes columns that are lacking as hidden, whatever is `optional`."""
        return tables.encode(self.schema, self.frame(data), partial=partial)

    def evidence(self, given: Mapping[Any, Any]) -> Rows:
        """One row in which only the columns in `given` are observed.

        Raises:
            DataError: an unknown column, one that was set aside, or a value that cannot be.
        """
        aside = {c.name: c for c in self.schema.set_aside}
        for name in given:
            if name not in self.schema:
                raise unknown("column", name, self.schema.names)
            if name in aside:
                why = f"{aside[name].kind}: {aside[name].reason}"
                raise DataError(f"column {name!r} was set aside when fitting ({why}) and cannot be given")
        frame = pd.DataFrame({name: [value] for name, value in given.items()})
        rows = tables.encode(self.schema, frame, partial=True)
        empty = [name for name, value in given.items() if pd.isna(value)]
        if empty:
            raise DataError(f"given: no value for column {empty[0]!r}; leave it out, or give one")
        return rows

    def sometimes(self, names: Collection[str]) -> tuple[str, ...]:
        """Those of the nodes `names` that had data when fitting."""
        return tuple(b.node for b in self.schema.blocks if b.node in names)

    def log_det(self, data: Any) -> Arrays:
        """Node -> log-determinants of the codecs at observed sites, in nats."""
        return tables.log_det(self.schema, self.frame(data))

    def restored(self, values: Arrays, like: Any = None) -> Any:
        """Values of the model's nodes in the user's units, types and container."""
        frame = self.frame(like) if like is not None else None
        out = tables.decode(self.schema, values, like=frame)
        return as_numbers(out) if self.matrix else out

    def filled(self, data: Any, values: Arrays) -> Any:
        """The user's data with hidden cells taken from `values`; observed cells come back bit for bit."""
        frame = self.frame(data)
        decoded = tables.decode(self.schema, values, like=frame)
        full = frame.reindex(columns=[*frame.columns, *[n for n in decoded.columns if n not in frame.columns]])
        hidden = full[list(decoded.columns)].isna()
        out = tables.fill(full, decoded, hidden)
        return as_numbers(out) if self.matrix else out

    @property
    def sites(self) -> dict[str, tuple[str, ...]]:
        """Node -> names of its columns."""
        return {b.node: tuple(map(str, b.names)) for b in self.schema.blocks}

    def to_json(self) -> dict[str, Any]:
        return {"kind": "table", "schema": self.schema.to_json(), "matrix": self.matrix}


@dataclass(frozen=True)
class ArrayView:
    """A dictionary of arrays by node, or the one array of the only node with data.

    Args:
        specs: Node -> what it takes.
        nodes: Nodes given when fitting.
        visit: Node -> intensity, fixed or none, as decided when fitting.
        binarise: What becomes of intensities.
        single: The user hands over a bare array.
        seed: Of a fixed binarisation.
    """

    specs: tuple[tuple[str, ArraySpec], ...]
    nodes: tuple[str, ...] = ()
    visit: tuple[tuple[str, str], ...] = ()
    binarise: str = "dynamic"
    single: bool = False
    seed: int = 0

    def arrays(self, data: Any) -> dict[str, Any]:
        """The user's data by node.

        Raises:
            DataError: a bare array for several nodes.
        """
        if isinstance(data, Mapping):
            return dict(data)
        if len(self.nodes) != 1:
            raise DataError(
                f"the model was fitted to arrays of the nodes {known(self.nodes)}; give a dict {{node: array}}"
            )
        return {self.nodes[0]: data}

    def rows(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> Rows:
        """Rows for the model; nodes that are lacking are hidden when `partial`, or when they are `optional`.

        Raises:
            DataError: a fitted node is lacking, or an array does not fit.
        """
        arrays = self.arrays(data)
        lacking = [n for n in self.nodes if n not in arrays and n not in optional]
        if lacking and not partial:
            raise DataError(f"node {lacking[0]!r} has no array; the model was fitted to {known(self.nodes)}")
        specs, visit = dict(self.specs), dict(self.visit)
        return rows_from_arrays(arrays, specs, binarise=self.binarise, seed=self.seed, visit=visit)

    def fitted(self, data: Any) -> tuple["ArrayView", Rows]:
        """This view with what the data decide (nodes, intensities), and the rows."""
        single = not isinstance(data, Mapping)
        leaves = [n for n, _ in self.specs]
        arrays = {leaves[-1]: data} if single else dict(data)
        rows = rows_from_arrays(arrays, dict(self.specs), binarise=self.binarise, seed=self.seed)
        view = replace(self, nodes=tuple(arrays), visit=tuple(rows.visit.items()), single=single)
        return view, rows

    def evidence(self, given: Mapping[Any, Any]) -> Rows:
        """One row in which only the nodes in `given` are observed."""
        return self.rows({name: np.asarray(value)[None] for name, value in given.items()}, partial=True)

    def sometimes(self, names: Collection[str]) -> tuple[str, ...]:
        """Those of the nodes `names` that had data when fitting."""
        return tuple(n for n in self.nodes if n in names)

    def log_det(self, data: Any) -> Arrays:
        """Nothing: arrays are modelled in the scale they come in."""
        return {}

    def restored(self, values: Arrays, like: Any = None) -> Any:
        """Values of the nodes that had data, as the container that was fitted."""
        found = {n: self.units(n, v) for n, v in values.items() if n in self.nodes}
        return found[self.nodes[0]] if self.single else found

    def units(self, node: str, values: np.ndarray) -> np.ndarray:
        """A node's values as the user gave them: intensities as levels 0..255, classes as int64."""
        if dict(self.visit).get(node) == "intensity":
            return np.round(255 * np.asarray(values)).astype(np.uint8)
        return np.asarray(values).astype(np.int64) if dict(self.specs)[node].what == "classes" else np.asarray(values)

    def filled(self, data: Any, values: Arrays) -> Any:
        """The user's arrays with hidden places taken from `values`."""
        given = self.arrays(data)
        rows = self.rows(data, partial=True)
        out = {}
        for node in self.nodes:
            if node not in given:
                out[node] = self.units(node, values[node])
                continue
            array = np.asarray(given[node])
            new = self.units(node, values[node]).reshape(array.shape)
            kept = rows.mask[node].reshape(array.shape) if node in rows.mask else np.ones(array.shape, bool)
            out[node] = np.where(kept, array, new).astype(array.dtype)
        return out[self.nodes[0]] if self.single else out

    @property
    def sites(self) -> dict[str, tuple[str, ...]]:
        """Nothing: sites of arrays have no names."""
        return {}

    def to_json(self) -> dict[str, Any]:
        specs = [
            {
                "node": n,
                "shape": list(s.shape),
                "what": s.what,
                "sizes": s.sizes if s.sizes is None else np.ravel(s.sizes).tolist(),
            }
            for n, s in self.specs
        ]
        visit = [{"node": n, "visit": v} for n, v in self.visit]
        return {
            "kind": "arrays",
            "specs": specs,
            "nodes": list(self.nodes),
            "visit": visit,
            "binarise": self.binarise,
            "single": self.single,
            "seed": self.seed,
        }


View = TableView | ArrayView


def view_from_json(value: dict[str, Any]) -> View:
    """Rebuilds a view, checking every field.

    Raises:
        DataError: a field is missing or of the wrong type.
    """
    if not isinstance(value, dict):
        raise DataError("the description of the data is missing")
    reader = Reader(value, "data view")
    if value.get("kind") == "table":
        return TableView(Schema.from_json(value["schema"]), reader.flag("matrix"))
    specs = []
    for r in value["specs"]:
        sizes = r["sizes"]
        if sizes is not None:
            sizes = tuple(sizes) if r["shape"] else sizes[0]
        specs.append((str(r["node"]), ArraySpec(tuple(map(int, r["shape"])), r["what"], sizes)))
    visit = tuple((str(r["node"]), str(r["visit"])) for r in value["visit"])
    nodes = tuple(map(str, value["nodes"]))
    return ArrayView(tuple(specs), nodes, visit, reader.text("binarise"), reader.flag("single"), int(value["seed"]))
