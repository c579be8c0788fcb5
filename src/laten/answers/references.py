r"""What a model's log p is compared with: rows whose columns are independent, and a tree of pairs of columns.

Both are learned from at most 10 000 of the training rows, in the families and bins of the model, and kept with it: the
codecs' log-determinants are the same for all three, so differences are nats of the data's own scale. Where a model does
not beat independent columns it has learned nothing; what it gains over a tree, no pairs of columns explain.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from laten.answers import tree_of_pairs
from laten.answers.tallies import Arrays, Site, code_sizes, codes_of, counted, frequencies, sites_of
from laten.answers.tree_of_pairs import GROUPS, MOST_SITES, Tree
from laten.common.errors import ModelFileError
from laten.data.rows.rows import Rows
from laten.families.base import Family
from laten.network.network import Network

MOST_ROWS = 10_000  # that they are learned from
INDEPENDENT, TREE = "independent columns", "a tree of pairs"


@dataclass(frozen=True, eq=False)
class References:
    """What simpler models than a network learn of its training rows.

    Args:
        counts: Node of codes -> how often each occurs, packed.
        seen: Node of codes -> how many rows show each site.
        raw: Any other node -> raw parameters that fit it without a net.
        edges: Any other node of a table -> `(sites, 11)` values that part a site's training rows into 12 about equal
            groups; and `inside`, how many rows fell into each, `(sites, 12)`.
        tree: Of a table of 2 to 128 columns of codes.
        rows: That they were learned from.
        held_out: log p of rows that were held out, nats, sorted; empty where nobody computed it.
        beside: Mean log p of the same rows by the references.
    """

    counts: dict[str, np.ndarray]
    seen: dict[str, np.ndarray]
    raw: dict[str, np.ndarray]
    tree: Tree | None
    rows: int
    held_out: np.ndarray
    beside: dict[str, float] = field(default_factory=dict)
    edges: dict[str, np.ndarray] = field(default_factory=dict)
    inside: dict[str, np.ndarray] = field(default_factory=dict)

    def sites(self, network: Network) -> list[Site]:
        """Return the sites of codes."""
        return sites_of(network, self.counts)

    def log_prob(self, network: Network, rows: Rows) -> dict[str, np.ndarray]:
        """Return log p of each row's seen sites, nats `(rows,)`, by reference; without codecs' log-determinants."""
        values, masks, sites = unit(rows), dict(rows.mask), self.sites(network)
        alone = np.zeros(rows.n)
        for site in sites:
            if site.node not in values:
                continue
            log_p = np.log(frequencies(site, self.counts))
            if values[site.node].dtype == np.float64:  # shares of pixels that are on
                x = values[site.node].reshape(rows.n, -1)[:, site.place]
                alone += x * log_p[1] + (1 - x) * log_p[0]
                continue
            codes, there = codes_of(site, values, masks)
            alone += np.where(there, log_p[codes], 0.0)
        for node, raw in self.raw.items():
            if node in values:
                alone += by_family(network.nodes[node].family.reference, raw, values[node], masks.get(node))
        found = {INDEPENDENT: alone}
        if self.tree is not None and {s.node for s in sites} <= set(values):
            rest = alone - sum((self._alone(s, values, masks) for s in sites), np.zeros(rows.n))
            found[TREE] = rest + tree_of_pairs.log_prob(self.tree, sites, self.counts, values, masks)
        return found

    def by_site(self, network: Network, rows: Rows) -> dict[str, np.ndarray]:
        """Return log p of each seen cell by independent columns, node -> `(rows, sites)` nats, 0 where hidden.

        Nodes that are read from shares (grey pixels) are left out, and so are codecs' log-determinants.
        """
        values, masks = unit(rows), dict(rows.mask)
        found: dict[str, np.ndarray] = {}
        for site in self.sites(network):
            if site.node in values and values[site.node].dtype != np.float64:
                wide = found.setdefault(site.node, np.zeros((rows.n, _width(values[site.node]))))
                wide[:, site.place] = self._alone(site, values, masks)
        for node, raw in self.raw.items():
            if node in values:
                family = network.nodes[node].family.reference
                log_p = _log_prob(family, jnp.asarray(raw), jnp.asarray(values[node], jnp.float32))
                seen = np.where(masks.get(node, True), np.asarray(log_p, np.float64), 0.0)
                found[node] = seen.reshape(rows.n, -1)
        return found

    def _alone(self, site: Site, values: Arrays, masks: Arrays) -> np.ndarray:
        codes, there = codes_of(site, values, masks)
        return np.where(there, np.log(frequencies(site, self.counts))[codes], 0.0)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays by name; counts are whole numbers below 2^24, exact in float32."""
        found = {f"counts/{n}": x for n, x in self.counts.items()} | {f"seen/{n}": x for n, x in self.seen.items()}
        for name in ("raw", "edges", "inside"):
            found |= {f"{name}/{n}": x for n, x in getattr(self, name).items()}
        found |= {f"beside/{n}": np.array([x]) for n, x in self.beside.items()}
        found |= {"rows": np.array([self.rows]), "held_out": self.held_out}
        if self.tree is not None:
            found["parent"] = self.tree.parent
            for i, (group, table) in enumerate(zip(self.tree.groups, self.tree.tables, strict=True)):
                found |= {f"group/{i}": group, f"table/{i}": table}
        return found


def unit(rows: Rows) -> dict[str, np.ndarray]:
    """Return values, grey pixels as shares (float64)."""
    return {n: x / 255.0 if rows.visit.get(n) == "intensity" else np.asarray(x) for n, x in rows.values.items()}


def by_family(family: Family, raw: np.ndarray, values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return log p of a node's seen sites, `(rows,)` nats."""
    dtype = jnp.int32 if np.issubdtype(family.dtype, np.integer) else jnp.float32
    found = np.asarray(_log_prob(family, jnp.asarray(raw), jnp.asarray(values, dtype)), np.float64)
    return np.where(True if mask is None else mask, found, 0.0).reshape(len(values), -1).sum(1)


@partial(jax.jit, static_argnums=0)
def _log_prob(family: Family, raw: Any, values: Any) -> Any:
    return jax.vmap(family.log_prob, (None, 0))(raw, values)


def learned(network: Network, rows: Rows, table: bool) -> References:
    """Learn references from training rows.

    Args:
        rows: At most `MOST_ROWS` of them are worth their time.
        table: Whether they are of a table: images get no tree.
    """
    values, masks = unit(rows), dict(rows.mask)
    values = {n: x for n, x in values.items() if not network.nodes[n].family.is_input}  # which have no density
    coded = [n for n in values if code_sizes(network.nodes[n].family) is not None]
    sites = sites_of(network, coded)
    grey = {n for n in coded if values[n].dtype == np.float64}
    counts = counted([s for s in sites if s.node not in grey], values, masks)
    for node in grey:
        on = values[node].reshape(rows.n, -1).sum(0)
        counts[node] = np.stack([rows.n - on, on], axis=1).ravel()
    counts = {n: counts[n] for n in coded}
    seen = {n: np.atleast_1d(masks[n].reshape(rows.n, -1).sum(0) if n in masks else np.full(_width(values[n]), rows.n))
            for n in coded}  # fmt: skip
    families = {n: network.nodes[n].family.reference for n in values if n not in counts}
    raw = {n: np.asarray(f.fit_raw(values[n], masks.get(n)), np.float32) for n, f in families.items()}
    tree = None
    if table and not grey and 2 <= len(sites) <= MOST_SITES:
        tree = tree_of_pairs.grown(sites, counts, values, masks)
    edges = {n: quantiles(values[n], masks.get(n)) for n in families if table}
    inside = {n: grouped_by(x, values[n], masks.get(n)) for n, x in edges.items()}
    return References(counts, seen, raw, tree, rows.n, np.zeros(0), {}, edges, inside)


def quantiles(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return values that part each site's seen rows into equal groups, `(sites, 11)`."""
    wide = values.reshape(len(values), -1).astype(np.float64)
    there = np.ones(wide.shape, bool) if mask is None else mask.reshape(wide.shape)
    at = np.linspace(0, 1, GROUPS + 1)[1:-1]
    return np.stack(
        [np.quantile(x[t], at) if t.any() else np.zeros(len(at)) for x, t in zip(wide.T, there.T, strict=True)]
    )


def grouped_by(edges: np.ndarray, values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return how many seen rows fall into each group of each site, `(sites, 12)`."""
    wide = values.reshape(len(values), -1)
    there = np.ones(wide.shape, bool) if mask is None else mask.reshape(wide.shape)
    found = [
        np.bincount(np.searchsorted(e, x[t]), minlength=GROUPS) for e, x, t in zip(edges, wide.T, there.T, strict=True)
    ]
    return np.stack(found).astype(np.float64)


def _width(x: np.ndarray) -> int:
    return math.prod(x.shape[1:])


def from_arrays(arrays: Mapping[str, np.ndarray], network: Network) -> References | None:
    """Undo `to_arrays`; None where there are none, as in files of earlier versions.

    Raises:
        ModelFileError: arrays that do not fit the network.
    """
    if not arrays:
        return None

    def part(name: str) -> dict[str, np.ndarray]:
        start = name + "/"
        return {n.removeprefix(start): x for n, x in arrays.items() if n.startswith(start)}

    counts, seen, raw = part("counts"), part("seen"), part("raw")
    _checked(network, counts, seen, raw)
    sites = sites_of(network, counts)
    tree = None
    if "parent" in arrays:
        groups, tables = part("group"), part("table")
        numbers = [str(i) for i in range(len(sites))]
        if set(groups) != set(numbers) or set(tables) != set(numbers) or len(arrays["parent"]) != len(sites):
            raise ModelFileError("the tree of pairs does not fit the declaration; the file is damaged")
        tree = Tree(arrays["parent"], tuple(groups[i] for i in numbers), tuple(tables[i] for i in numbers))
        for i, (site, group, table) in enumerate(zip(sites, tree.groups, tree.tables, strict=True)):
            above = int(tree.parent[i])
            wide = 1 if above < 0 else int(tree.groups[above].max()) + 1
            if group.shape != (site.size,) or table.shape != (wide, int(group.max()) + 1):
                raise ModelFileError("the tree of pairs does not fit the declaration; the file is damaged")
    rows, held_out = int(arrays["rows"][0]), arrays["held_out"]
    found = part("beside")  # in the order of a file, which is none
    beside = {n: float(found[n][0]) for n in (INDEPENDENT, TREE) if n in found}
    return References(counts, seen, raw, tree, rows, held_out, beside, part("edges"), part("inside"))


def _checked(network: Network, counts: Arrays, seen: Arrays, raw: Arrays) -> None:
    """Refuse arrays of other nodes or sizes than the network's."""
    for node, x in (*counts.items(), *raw.items()):
        if node not in network.stochastic:
            raise ModelFileError(f"references of a node {node!r} that is not declared; the file is damaged")
        family = network.nodes[node].family.reference
        length = sum(code_sizes(family) or ()) if node in counts else family.n_raw
        if x.shape != (length,) or not np.isfinite(x).all():
            raise ModelFileError(f"references of node {node!r} do not fit the declaration; the file is damaged")
        if node in counts and (node not in seen or len(seen[node]) != len(code_sizes(family) or ())):
            raise ModelFileError(f"references of node {node!r} do not fit the declaration; the file is damaged")


def with_held_out(references: References, log_p: np.ndarray, beside: Mapping[str, float]) -> References:
    """Keep log p of held-out rows, sorted, and the references' means."""
    return replace(references, held_out=np.sort(log_p).astype(np.float32), beside=dict(beside))
