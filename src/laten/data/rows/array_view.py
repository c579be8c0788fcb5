"""The view of arrays: a dictionary by node, or the one array of the only node with data."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import numpy as np

from laten.common.errors import DataError, known
from laten.common.sparse_rows import is_sparse
from laten.data.containers.containers import ARRAY, Taken, taken
from laten.data.records import Record, replace
from laten.data.rows.array_spec import ArraySpec
from laten.data.rows.array_units import Unit, type_of
from laten.data.rows.arrays import numeric, rows_from_arrays, units_of
from laten.data.rows.between import Between, Missing
from laten.data.rows.rows import Rows
from laten.data.rows.sparse_arrays import stays_sparse, totals
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
        units: Node -> unit and type of the array that was fitted; empty in older files.
    """

    specs: dict[str, ArraySpec]
    nodes: tuple[str, ...] = ()
    visit: dict[str, str] = msgspec.field(default_factory=dict)
    binarise: str = "dynamic"
    single: bool = False
    seed: int = 0
    units: dict[str, Unit] = msgspec.field(default_factory=dict)

    def taken(self, data: Any) -> Taken:
        """Return the user's data by node; answers come in the fitted container as they are."""
        return Taken(self.opened(data), ARRAY)

    def returned(self, found: Any) -> Any:
        """Return arrays as they are."""
        return found

    def opened(self, data: Any) -> dict[str, Any]:
        """Return the user's data by node, with totals of counts that are not given.

        Raises:
            DataError: a bare array for several nodes.
        """
        if isinstance(data, Mapping) and not is_sparse(data):
            found = {node: self.plain(node, values) for node, values in data.items()}
        else:
            own = [n for n in self.nodes if self.specs[n].sum_of is None]
            if len(own) != 1:
                raise DataError(
                    f"the model was fitted to arrays of the nodes {known(self.nodes)}; give a dict {{node: array}}"
                )
            found = {own[0]: self.plain(own[0], data)}
        sums = {n: s.sum_of for n, s in self.specs.items() if s.sum_of in found and n not in found}
        return found | {n: totals(found[counted]) for n, counted in sums.items()}

    def plain(self, node: str, values: Any) -> Any:
        """Return a node's values as an array, or as the sparse matrix of counts that they are."""
        return values if stays_sparse(values, self.specs.get(node)) else taken(values).data

    def rows(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> Rows:
        """Return rows for the model; nodes that are lacking are hidden when `partial`, or when they are `optional`.

        Raises:
            DataError: a fitted node is lacking, or an array does not fit.
        """
        arrays = self.opened(data)
        lacking = [n for n in self.nodes if n not in arrays and n not in optional]
        if lacking and not partial:
            raise DataError(
                f"node {lacking[0]!r} has no array; the model was fitted to {known(self.nodes)}. Give it, with NaN "
                "where rows do not show it"
            )
        return rows_from_arrays(
            arrays, self.specs, binarise=self.binarise, seed=self.seed, visit=self.visit, units=self.units
        )

    def scored(self, data: Any, partial: bool = False, optional: Collection[str] = ()) -> tuple[Rows, Arrays]:
        """Return `rows`, and node -> log-determinants of the standardised nodes at observed sites, in nats."""
        rows = self.rows(data, partial, optional)
        return rows, self.log_det(rows)

    def log_det(self, rows: Rows) -> Arrays:
        """Return log-determinants `(rows, *sites)` of the standardised nodes, in nats; 0 where hidden."""
        dense = {n: u for n, u in self.units.items() if u.dense and n in rows.values}
        return {n: u.log_det(rows.mask.get(n, np.ones(rows.values[n].shape, bool))) for n, u in dense.items()}

    def fitted(self, data: Any) -> tuple["ArrayView", Rows]:
        """Return this view with what the data decide (nodes, intensities, units), and the rows."""
        single = is_sparse(data) or not isinstance(data, Mapping)
        arrays = replace(self, nodes=tuple(self.specs)[-1:]).opened(data)
        units = units_of(arrays, self.specs)
        rows = rows_from_arrays(arrays, self.specs, binarise=self.binarise, seed=self.seed, units=units)
        view = replace(self, nodes=tuple(arrays), visit=rows.visit, single=single, units=units)
        return view, rows

    def evidence(self, given: Mapping[Any, Any], n: int = 1) -> tuple[Rows, Arrays, Limits]:
        """Build `n` equal rows in which only the nodes in `given` are observed; arrays take no ranges or lists."""
        soft = [name for name, v in given.items() if isinstance(v, Between | str)]
        if soft:
            raise DataError(
                f"node {soft[0]!r}: intervals are evidence for columns of a table; give an array, or fit a frame "
                f"that has {soft[0]!r} as a column"
            )
        known_of = {name: v for name, v in given.items() if not isinstance(v, Missing)}
        return self.rows(repeated(known_of, n), True) if known_of else Rows({}, n), {}, {}

    def sometimes(self, names: Collection[str]) -> tuple[str, ...]:
        """Return those of the nodes `names` that had data when fitting."""
        return tuple(n for n in self.nodes if n in names)

    def drawn(self, values: Arrays, seed: Any, within: Limits | None = None, like: Any = None) -> Any:
        """Return draws of the nodes that had data, in the unit, type and container of `like` or of the fit."""
        return self.as_given(values, like, means=False)

    def held(self, drawn: Any, given: Mapping[Any, Any]) -> Any:
        """Return draws in which what was given of arrays stands to the last digit."""
        found = self.opened(drawn)
        given = {name: v for name, v in given.items() if not isinstance(v, Missing)}
        for name, array in repeated(given, len(next(iter(found.values())))).items():
            if name in found:
                found[name] = self.completed(name, array, found[name])
        return found[self.nodes[0]] if self.single else found

    def kept(self, drawn: Any, given: Mapping[Any, Any], seed: Any) -> Any:
        """Return draws as they are: arrays have no ties."""
        return drawn

    def emptied(self, drawn: Any, given: Collection[Any], seed: Any) -> Any:
        """Refuse to draw holes.

        Raises:
            DataError: always.
        """
        raise DataError("holes are drawn for tables; this model was fitted to arrays")

    def pointed(self, values: Arrays, like: Any = None, statistic: str = "auto") -> Any:
        """Return means (of classes the most probable one) of the nodes that had data, in the container of the fit.

        Means of levels 0..255 are rounded to levels; of other whole numbers, and of true and false, they are float32.

        Raises:
            DataError: a statistic other than the node's own.
        """
        if statistic != "auto":
            raise DataError(f"statistic {statistic!r} is for tables; arrays are filled by their means or classes")
        return self.as_given(values, like, means=True)

    def as_given(self, values: Arrays, like: Any, means: bool) -> Any:
        """Return values of the nodes that had data as the user gave them."""
        own = {} if like is None else self.opened(like)
        found = {}
        for node, value in values.items():
            if node in self.nodes:
                unit = self.unit(node, own.get(node))
                found[node] = unit.typed(
                    unit.decode(value), means and self.specs[node].what != "classes" and not unit.grey
                )
        return found[self.nodes[0]] if self.single else found

    def unit(self, node: str, like: Any = None) -> Unit:
        """Return a node's unit and type: those of the fit, except that binary nodes answer as they are asked."""
        what, grey = self.specs[node].what, self.visit.get(node) == "intensity"
        unit = self.units.get(node, Unit("uint8" if grey else "int64" if what == "classes" else "float32"))
        if what == "classes" and not unit.whole:
            return replace(unit, dtype="int64")
        if what != "binary":
            return unit
        dtype = unit.dtype if like is None else type_of(numeric(node, like)[0])
        return Unit(dtype, scale=(255.0,) if dtype == "uint8" and (grey or unit.grey) else (1.0,))

    def filled(self, data: Any, found: Any, seed: Any = None) -> Any:
        """Return the user's arrays with hidden places taken from `found`."""
        given, values = self.opened(data), self.opened(found)
        out = {node: self.completed(node, given[node], x) if node in given else x for node, x in values.items()}
        return out[self.nodes[0]] if self.single else out

    def completed(self, node: str, given: Any, new: np.ndarray) -> np.ndarray:
        """Return an array in which hidden places are taken from `new`, as whole numbers where only these may be."""
        if stays_sparse(given, self.specs[node]):  # which hides nothing
            return given
        array, seen = numeric(node, given)
        new = new.reshape(array.shape)
        if self.specs[node].what in ("counts", "levels"):
            new = np.round(new)
        full = array if seen is None else np.where(seen, array, Unit(type_of(array)).typed(new))
        return full.astype(type_of(array), copy=False)


def repeated(given: Mapping[str, Any], n: int) -> dict[str, np.ndarray]:
    """Return each array `n` times, rows first."""
    return {name: np.repeat(np.asanyarray(v)[None], n, 0) for name, v in given.items()}
