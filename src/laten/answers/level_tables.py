r"""Columns cut into levels or bins: what may be counted, compared and averaged, whatever a column's family is.

Given all that is not a leaf, z, the leaves are independent, so that the tables P(x_c in cell k | z) of all columns say
all there is to say of pairs. Classes have their levels, numbers in cells their cells. A number that has a density is
cut at 64 quantiles $e_k$ of the model's own draws, and its cells have the probabilities $F(e_k\mid z) -
F(e_{k-1}\mid z)$. A column that is no leaf is drawn with z: its cell is certain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.answers.fitted import Fitted
from laten.common.errors import LatenError
from laten.common.types import Array, Key, Masks, Values
from laten.data.columns.column import CLASSES, Column
from laten.data.rows.rows import Rows
from laten.data.rows.views import TableView
from laten.data.schema.block import Block
from laten.data.schema.contract import Name
from laten.families import Family
from laten.inference.asking import Keys, ancestral, ask
from laten.inference.importance import weights_and
from laten.network.model import Draw, Model
from laten.network.sampling import AT_MODE

CELLS = 64  # of a number that has a density
INSIDE = 64  # quantiles by which the inside of a cell is known
SHARES = (np.arange(INSIDE) + 0.5) / INSIDE
DRAWS = 8192  # that place the cells of such numbers
Tables = list[np.ndarray]  # of each column `(rows, K)` probabilities


class Place(NamedTuple):
    """Where a column's probabilities stand in what `Chances` answers."""

    node: str
    first: int  # of the packed classes; with a density the site
    size: int  # K
    smooth: bool  # a density, of which P(at most each edge) is told
    site: int  # in the node

    def table(self, found: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return probabilities `(rows, K)`."""
        array = np.asarray(found[self.node])
        if not self.smooth:
            return array[:, self.first : self.first + self.size]
        below, end = array[:, : self.size - 1, self.first], np.ones((len(array), 1), array.dtype)
        return np.maximum(np.diff(below, axis=1, prepend=0 * end, append=end), 0)


@dataclass(frozen=True, eq=False)
class Scale:
    """A column's K levels or cells.

    Args:
        column: As in the schema.
        place: In the answers of the model.
        edges: Of a number with a density, in the model's units: cell k lies above edge k - 1 and up to edge k.
        value: `(K,)` mean of numbers inside each cell, in the column's own scale (days, seconds); None for classes.
        spread: `(K,)` variance inside each cell.
        inside: `(K, 64)` quantiles inside each cell.
    """

    column: Column
    place: Place
    edges: np.ndarray | None = None
    value: np.ndarray | None = None
    spread: np.ndarray | None = None
    inside: np.ndarray | None = None

    @property
    def labels(self) -> tuple[object, ...]:
        """Names of classes; of a column with very many, of the entries that rare levels share."""
        classes, groups = self.column.classes, self.column.groups
        if groups is None:
            return classes
        count = np.bincount(groups.encode(np.arange(len(classes))), minlength=groups.size)
        top = groups.decode(np.arange(groups.size))
        return tuple(
            classes[t] if n == 1 else f"{classes[t]} and {n - 1} more" for t, n in zip(top, count, strict=True)
        )

    def quantile(self, p: np.ndarray, q: float) -> np.ndarray:
        """Return the number at probability `q`, `(rows,)`, for probabilities of cells `(rows, K)`."""
        assert self.inside is not None
        upto, row = np.cumsum(p, axis=1), np.arange(len(p))
        target = q * upto[:, -1]
        cell = np.minimum((upto < target[:, None]).sum(1), p.shape[1] - 1)
        u = (target - (upto - p)[row, cell]) / np.maximum(p[row, cell], 1e-300)
        return self.inside[cell, np.clip((u * INSIDE).astype(int), 0, INSIDE - 1)]


def scales_of(fitted: Fitted, view: TableView, names: Sequence[Name] | None = None) -> list[Scale]:
    """Return the scales of columns, in the order of `names`; None: of all that are modelled, in the table's order."""
    families = fitted.model.network.families
    places = {c.name: (b, i, c) for b in view.schema.blocks for i, c in enumerate(b.columns)}
    chosen = [places[n] for n in (view.schema.names if names is None else names) if n in places]
    for block, _, column in chosen:
        if families[block.node].joint and families[block.node].n_sites > 1:
            raise LatenError(
                f"column {column.name!r}: the columns of node {block.node!r}, {families[block.node]!r}, depend on one "
                "another given the latents; to explain them, give each column a node of its own"
            )
    smooth = tuple({b.node: None for b, _, c in chosen if c.kind not in CLASSES and not c.binned})
    drawn = ancestral(fitted.model, DRAWS, fitted.seed, smooth) if smooth else {}
    return [scale_of(b, i, c, families[b.node], drawn) for b, i, c in chosen]


def scale_of(block: Block, site: int, column: Column, family: Family, drawn: Mapping[str, np.ndarray]) -> Scale:
    """Return the scale of one column; `drawn` are draws of the nodes that have a density, in the model's units."""
    if not (column.kind in CLASSES or column.binned):
        return cut(column, block.node, site, np.sort(drawn[block.node].reshape(DRAWS, -1)[:, site]))
    sizes = family.classes or ()
    place = Place(block.node, sum(sizes[:site]), sizes[site], False, site)
    if column.kind in CLASSES:
        return Scale(column, place)
    bins, k = column.histogram, column.histogram.size
    inside = bins.snap(bins.draw(np.repeat(np.arange(k), INSIDE), np.tile(SHARES, k))).reshape(k, INSIDE)
    return Scale(column, place, None, np.array(bins.centres), inside.var(1), inside)


def cut(column: Column, node: str, site: int, y: np.ndarray) -> Scale:
    """Cut a number that has a density into bins, by its draws in order, in the model's units."""
    edges = np.unique(np.quantile(y, np.arange(1, CELLS) / CELLS, method="inverted_cdf"))
    edges = edges[edges < y[-1]]
    x, ends = column.map.decode(y), np.searchsorted(y, np.append(edges, np.inf), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    inside = x[starts[:, None] + np.floor(SHARES * (ends - starts)[:, None]).astype(int)]
    value = np.add.reduceat(x, starts) / (ends - starts)
    return Scale(column, Place(node, site, len(edges) + 1, True, site), edges, value, inside.var(1), inside)


@dataclass(frozen=True)
class InnerModes:
    """The nodes that are not leaves: as observed, the guide's mode of the rest."""

    nodes: tuple[str, ...]
    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Values:
        found = model.draw(key, values, masks, sampling=AT_MODE).values
        return {n: found[n] for n in self.nodes}


@dataclass(frozen=True)
class InnerDraws:
    """Draws of nodes from the guide given what a row shows, `(draws, ...)`, and their log-weights `(draws,)`."""

    draws: int
    nodes: tuple[str, ...]

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> tuple[Values, Array]:
        def collect(draw: Draw) -> Values:
            return {n: draw.values[n] for n in self.nodes}

        log_w, found = weights_and(model, key, values, masks, self.draws, collect, {})
        return found, log_w


class Chances(eqx.Module):
    """Probabilities of nodes' levels or cells, given all that is not a leaf."""

    nodes: tuple[str, ...] = eqx.field(static=True)
    edges: Values  # node with a density -> `(edges, sites)`
    draws: int = eqx.field(static=True, default=1)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Values:
        values = dict(values)
        return self.of(model, values, {name: raw for name, _, raw in model.network.walk(model.conditionals, values)})

    def of(self, model: Model, values: Values, raws: Values) -> Values:
        """Return packed probabilities of classes `(total,)`, or P(at most each edge) `(edges, sites)`, of each node."""
        found = {}
        for name in self.nodes:
            family, leaf = model.p[name].distribution, name in model.network.leaves
            if family.classes is not None:
                mean = family.mean(raws[name]) if leaf else family.certain(values[name])
                found[name] = family.chances(mean)
            elif leaf:
                points = self.edges[name].reshape(-1, *family.shape)
                below = jax.vmap(family.cdf, (None, 0))(raws[name], points)
                found[name] = below.reshape(self.edges[name].shape)
            else:
                found[name] = (jnp.ravel(values[name])[None] <= self.edges[name]).astype(jnp.float32)
        return found


def chances_of(fitted: Fitted, scales: Sequence[Scale]) -> Chances:
    """Build the question for the probabilities of these scales; short lists of edges are padded (see `Place`)."""
    families, edges = fitted.model.network.families, {}
    nodes = tuple(dict.fromkeys(s.place.node for s in scales))
    for node in nodes:
        known = {s.place.first: s.edges for s in scales if s.place.node == node and s.edges is not None}
        if known:
            table = np.zeros((max(1, *(len(e) for e in known.values()), 1), families[node].n_sites), np.float32)
            for site, e in known.items():
                table[: len(e), site] = e
                table[len(e) :, site] = e[-1] if len(e) else 0.0
            edges[node] = jnp.asarray(table)
    return Chances(nodes, edges)


def given_inner(fitted: Fitted, scales: Sequence[Scale], values: Mapping[str, np.ndarray], rows: int) -> Tables:
    """Return the probabilities of the columns for rows of all that is not a leaf."""
    keys = Keys(fitted.seed, np.arange(rows))
    found = ask(chances_of(fitted, scales), fitted.model, Rows(dict(values), rows), keys)
    return [s.place.table(found) for s in scales]


def inner_nodes(fitted: Fitted) -> tuple[str, ...]:
    """Return the stochastic nodes that are not leaves."""
    network = fitted.model.network
    return tuple(n for n in network.stochastic if n not in network.leaves)
