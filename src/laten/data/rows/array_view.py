"""The view of arrays: a dictionary by node, or the one array of the only node with data."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import numpy as np

from laten.common.errors import DataError, known
from laten.data.containers.containers import ARRAY, Taken, taken
from laten.data.records import Record, replace
from laten.data.rows.arrays import ArraySpec, rows_from_arrays
from laten.data.rows.evidence import Between
from laten.data.rows.rows import Rows
from laten.data.rows.table_view import Arrays, Limits


class ArrayView(Record, frozen=True, tag_field="kind", tag="arrays"):
    """A dictionary of arrays by node, or the one array of the only node with data.

    Args:
        specs: Node -> what it takes.
        nodes: Nodes given when fitting.
        visit: Node -> intensity, fixed or none, as decided when fitting.
        binarise: What becomes of intensities.
        single: The user hands over a bare array.
        seed: Of a fixed binarisation.
    """

    specs: dict[str, ArraySpec]
    nodes: tuple[str, ...] = ()
    visit: dict[str, str] = msgspec.field(default_factory=dict)
    binarise: str = "dynamic"
    single: bool = False
    seed: int = 0

    def taken(self, data: Any) -> Taken:
        """Return the user's data by node; answers come in the fitted container as they are."""
        return Taken(self.opened(data), ARRAY)

    def returned(self, found: Any) -> Any:
        """Return arrays as they are."""
        return found

    def opened(self, data: Any) -> dict[str, Any]:
        """Return the user's data by node.

        Raises:
            DataError: a bare array for several nodes.
        """
        if isinstance(data, Mapping):
            return {node: taken(values).data for node, values in data.items()}
        if len(self.nodes) != 1:
            raise DataError(
                f"the model was fitted to arrays of the nodes {known(self.nodes)}; give a dict {{node: array}}"
            )
        return {self.nodes[0]: taken(data).data}

    def rows(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> Rows:
        """Return rows for the model; nodes that are lacking are hidden when `partial`, or when they are `optional`.

        Raises:
            DataError: a fitted node is lacking, or an array does not fit.
        """
        arrays = self.opened(data)
        lacking = [n for n in self.nodes if n not in arrays and n not in optional]
        if lacking and not partial:
            raise DataError(f"node {lacking[0]!r} has no array; the model was fitted to {known(self.nodes)}")
        return rows_from_arrays(arrays, self.specs, binarise=self.binarise, seed=self.seed, visit=self.visit)

    def scored(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> tuple[Rows, Arrays]:
        """Return `rows`, and no log-determinants: arrays are modelled in the scale they come in."""
        return self.rows(data, partial, optional), {}

    def fitted(self, data: Any) -> tuple["ArrayView", Rows]:
        """Return this view with what the data decide (nodes, intensities), and the rows."""
        single = not isinstance(data, Mapping)
        arrays = replace(self, nodes=tuple(self.specs)[-1:]).opened(data)
        rows = rows_from_arrays(arrays, self.specs, binarise=self.binarise, seed=self.seed)
        view = replace(self, nodes=tuple(arrays), visit=rows.visit, single=single)
        return view, rows

    def evidence(self, given: Mapping[Any, Any], n: int = 1) -> tuple[Rows, Arrays, Limits]:
        """Build `n` equal rows in which only the nodes in `given` are observed; arrays take no ranges or lists."""
        soft = [name for name, v in given.items() if isinstance(v, Between)]
        if soft:
            raise DataError(f"node {soft[0]!r}: intervals are evidence for columns of a table; give an array")
        return self.rows({name: np.repeat(np.asarray(v)[None], n, 0) for name, v in given.items()}, True), {}, {}

    def sometimes(self, names: Collection[str]) -> tuple[str, ...]:
        """Return those of the nodes `names` that had data when fitting."""
        return tuple(n for n in self.nodes if n in names)

    def drawn(self, values: Arrays, seed: Any, within: Limits | None = None, like: Any = None) -> Any:
        """Return draws of the nodes that had data, as the container that was fitted."""
        return self.pointed(values)

    def held(self, drawn: Any, given: Mapping[Any, Any]) -> Any:
        """Return draws as they are: what was given of arrays is in them."""
        return drawn

    def pointed(self, values: Arrays, like: Any = None, statistic: str = "auto") -> Any:
        """Return values of the nodes that had data, as the container that was fitted.

        Raises:
            DataError: a statistic other than the node's own.
        """
        if statistic != "auto":
            raise DataError(f"statistic {statistic!r} is for tables; arrays are filled by their means or classes")
        found = {n: self.units(n, v) for n, v in values.items() if n in self.nodes}
        return found[self.nodes[0]] if self.single else found

    def units(self, node: str, values: np.ndarray) -> np.ndarray:
        """Return a node's values as the user gave them: intensities as levels 0..255, classes as int64."""
        if self.visit.get(node) == "intensity":
            return np.round(255 * np.asarray(values)).astype(np.uint8)
        return np.asarray(values).astype(np.int64) if self.specs[node].what == "classes" else np.asarray(values)

    def filled(self, data: Any, found: Any) -> Any:
        """Return the user's arrays with hidden places taken from `found`."""
        given, values = self.opened(data), self.opened(found)
        rows = self.rows(data, partial=True)
        out = {}
        for node in self.nodes:
            if node not in given:
                out[node] = values[node]
                continue
            array = np.asarray(given[node])
            new = np.asarray(values[node]).reshape(array.shape)
            kept = rows.mask[node].reshape(array.shape) if node in rows.mask else np.ones(array.shape, bool)
            out[node] = np.where(kept, array, new).astype(array.dtype)
        return out[self.nodes[0]] if self.single else out
