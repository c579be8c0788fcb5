r"""A tree of pairs: what the strongest pairwise dependences alone explain of a table (Chow & Liu 1968).

Each site's codes are joined into at most K groups: an ordered site by equal mass, another by its most frequent codes.
With a forest over sites, $\pi(s)$ the parent of $s$, $g$ the group of a code,

$$p(x) = \prod_s p(g(x_s)\mid g(x_{\pi(s)}))\; p(x_s\mid g(x_s)),$$

the forest that maximises the sum of the groups' mutual informations, each less what chance gives. Probabilities of a
group given another are counts, with `SHRINK` further rows that are independent. Every factor is normalised, so p sums
to one; hidden sites are summed out by messages from the leaves.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from laten.answers.tallies import Arrays, Site, codes_of, frequencies

GROUPS = 12
SHRINK = 5.0
MOST_SITES = 128  # of a tree: pairs are counted for each two of them
ROOT = -1


@dataclass(frozen=True)
class Tree:
    """A forest over sites.

    Args:
        parent: `(sites,)` int32, `ROOT` for a root.
        groups: One array a site: the group of each code.
        tables: One array a site, `(parent's groups, groups)`: p(group | parent's group); of a root one row.
    """

    parent: np.ndarray
    groups: tuple[np.ndarray, ...]
    tables: tuple[np.ndarray, ...]


def grouped(p: np.ndarray, ordered: bool) -> np.ndarray:
    """Return the group of each code, `(size,)` int32, all groups in use, for its probabilities."""
    if len(p) <= GROUPS:
        return np.arange(len(p), dtype=np.int32)
    if ordered:
        at = np.minimum((np.cumsum(p) - p / 2) * GROUPS, GROUPS - 1).astype(np.int32)
    else:
        at = np.full(len(p), GROUPS - 1, np.int32)
        at[np.argsort(-p, kind="stable")[: GROUPS - 1]] = np.arange(GROUPS - 1)
    return np.unique(at, return_inverse=True)[1].astype(np.int32)


def grown(sites: list[Site], counts: Arrays, values: Arrays, masks: Arrays) -> Tree:
    """Learn the forest from rows."""
    p = [frequencies(s, counts) for s in sites]
    groups = tuple(grouped(q, s.ordered) for q, s in zip(p, sites, strict=True))
    sizes = [int(g.max()) + 1 for g in groups]
    starts = np.cumsum([0, *sizes])
    hot = np.zeros((len(next(iter(values.values()))), starts[-1]), np.float32)
    for site, group, start in zip(sites, groups, starts, strict=False):
        codes, seen = codes_of(site, values, masks)
        rows = np.flatnonzero(seen)
        hot[rows, start + group[codes[rows]]] = 1
    pairs = (hot.T @ hot).astype(np.float64)
    part = [slice(a, b) for a, b in itertools.pairwise(starts)]
    gain = np.array([[information(pairs[a, b]) for b in part] for a in part])
    parent = forest(gain)
    tables = []
    for i, above in enumerate(parent):
        own = np.bincount(groups[i], p[i])
        if above == ROOT:
            tables.append(own[None].astype(np.float32))
            continue
        both = pairs[part[above], part[i]] + SHRINK * own
        tables.append((both / both.sum(1, keepdims=True)).astype(np.float32))
    return Tree(parent, groups, tuple(tables))


def information(pairs: np.ndarray) -> float:
    """Return the mutual information of a table of counts in nats, less what chance alone gives, and three spreads."""
    total = pairs.sum()
    if total == 0:
        return 0.0
    across, down = pairs.sum(1, keepdims=True), pairs.sum(0, keepdims=True)
    there = pairs > 0
    found = (pairs[there] * np.log((pairs * total / np.maximum(across * down, 1))[there])).sum() / total
    free = ((across > 0).sum() - 1) * ((down > 0).sum() - 1)  # of independent columns it is chi-squared / 2 rows
    return float(found - (free + 3 * np.sqrt(2 * free)) / (2 * total))


def forest(gain: np.ndarray) -> np.ndarray:
    """Return each site's parent in the forest of the largest sum of positive gains (Prim 1957)."""
    n = len(gain)
    parent, best, inside = np.full(n, ROOT, np.int32), np.zeros(n), np.zeros(n, bool)
    for _ in range(n):
        new = int(np.argmax(np.where(inside, -np.inf, best)))
        inside[new] = True
        better = ~inside & (gain[new] > best)
        best[better], parent[better] = gain[new][better], new
    return parent


def log_prob(tree: Tree, sites: list[Site], counts: Arrays, values: Arrays, masks: Arrays) -> np.ndarray:
    """Return log p of the seen sites of each row, `(rows,)` nats, in the sites' codes."""
    rows = len(next(iter(values.values())))
    total = np.zeros(rows)
    messages: list[np.ndarray | None] = [None] * len(sites)
    for i in leaves_first(tree.parent):
        site, group = sites[i], tree.groups[i]
        codes, seen = codes_of(site, values, masks)
        p = frequencies(site, counts)
        mass = np.bincount(group, p)
        found = np.ones((rows, len(mass)))
        found[seen] = 0
        at = np.flatnonzero(seen)
        found[at, group[codes[at]]] = (p / mass[group])[codes[at]]
        below = messages[i]
        if below is not None:
            found *= below
        up = found @ tree.tables[i].T  # (rows, parent's groups)
        scale = up.max(1)
        total += np.log(scale)
        above = int(tree.parent[i])
        if above == ROOT:
            continue
        own, before = up / scale[:, None], messages[above]
        if before is not None:  # many small factors must not vanish
            own = own * before
            most = own.max(1)
            own, total = own / most[:, None], total + np.log(most)
        messages[above] = own
    return total


def leaves_first(parent: np.ndarray) -> list[int]:
    """Return the sites, each before its parent."""
    order: list[int] = []
    left = [int(i) for i in np.flatnonzero(parent == ROOT)]
    while left:
        i = left.pop()
        order.append(i)
        left += [int(j) for j in np.flatnonzero(parent == i)]
    return order[::-1]
