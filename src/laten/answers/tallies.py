"""What is counted of the training rows, site by site: how often each code occurs, and how often none is seen.

A site is one column of a node whose values are codes: binary, classes, bins. Counts of a node are packed, column after
column, as `families/ragged.py` packs them.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from laten.families.base import Family
from laten.network.network import Network

Arrays = Mapping[str, np.ndarray]
HALF = 0.5  # a count that each code starts with


class Site(NamedTuple):
    """One column of codes."""

    node: str
    place: int  # among the node's columns
    size: int  # number of codes
    start: int  # of its counts among the node's
    ordered: bool


def code_sizes(family: Family) -> tuple[int, ...] | None:
    """Return the number of codes of each site; None where values are no codes."""
    kind, sizes = family.support  # where a family models missing cells, missing is a code of its own
    return (2,) * family.n_sites if kind == "binary" else sizes if kind == "classes" else None


def sites_of(network: Network, nodes: Collection[str]) -> list[Site]:
    """Return the sites of those of `nodes` whose values are codes, in the network's order."""
    found = []
    for node in (n for n in network.stochastic if n in nodes):
        family, start = network.nodes[node].family, 0
        for place, size in enumerate(code_sizes(family) or ()):
            found.append(Site(node, place, size, start, family.ordered))
            start += size
    return found


def codes_of(site: Site, values: Arrays, masks: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Return a site's codes `(rows,)`, 0 where hidden, and which are seen."""
    x = values[site.node].reshape(len(values[site.node]), -1)[:, site.place]
    seen = np.ones(len(x), bool)
    if site.node in masks:
        seen = masks[site.node].reshape(len(x), -1)[:, site.place]
    return np.where(seen, x, 0).astype(np.int64), seen


def counted(sites: list[Site], values: Arrays, masks: Arrays) -> dict[str, np.ndarray]:
    """Return how often each code occurs, node -> `(total,)` float64."""
    found: dict[str, list[np.ndarray]] = {}
    for site in sites:
        codes, seen = codes_of(site, values, masks)
        found.setdefault(site.node, []).append(np.bincount(codes[seen], minlength=site.size)[: site.size])
    return {node: np.concatenate(parts).astype(np.float64) for node, parts in found.items()}


def frequencies(site: Site, counts: Arrays) -> np.ndarray:
    """Return the probability of each code of a site, `(size,)`: a root without a net starts there (`fit_raw`)."""
    own = counts[site.node][site.start : site.start + site.size] + HALF
    return own / own.sum()
