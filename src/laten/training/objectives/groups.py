r"""Groups of rows that lie together, found on the graph of their nearest neighbours.

Rows are joined to their nearest neighbours, with the weight $w_{ij} = \exp(-d_{ij}^2 / (s_i s_j))$, where $s_i$ is the
distance to the seventh (Zelnik-Manor & Perona 2004). Where some rows show a label, labels spread along the graph (Zhou
et al. 2003): the shares of labels are $F = \alpha S F + (1-\alpha) T$ with $S = D^{-1/2} W D^{-1/2}$. Where none does,
the graph is cut where it is thin: k-means of the leading eigenvectors of S, rows of length 1 (Ng, Jordan & Weiss 2001),
each divided by $\sqrt{1-\lambda}$, so that distances are those of a walk there and back (Qiu & Hancock 2007).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

from laten.common.types import Array

NEIGHBOURS, SCALE = 10, 7  # of a row; which of them says how far apart rows are there
AXES, AXIS_ROWS = 50, 4000  # principal axes in which distances are taken; rows that say them
CENTRES = 2000  # of all groups together
SPREAD, TURNS = 0.99, 200  # alpha; turns until labels have spread
VECTORS, BRIDGE, THINNEST = 2, 1e-5, 1e-6  # eigenvectors, for one group; weight of a bridge; least 1 - lambda
FOLDS, RIDGE = 5, 0.1  # of the linear fit that labels are compared with
BLOCK = 1000  # rows whose neighbours are sought at once


class Groups(NamedTuple):
    """Centres in a space of few axes, and the group of each: a row belongs to the group of its nearest centre.

    Args:
        mean: Of the features, `(n,)`.
        axes: `(n, d)`.
        centres: `(k, d)`.
        group: Code of each centre, int32 `(k,)`.
    """

    mean: np.ndarray
    axes: np.ndarray
    centres: np.ndarray
    group: np.ndarray

    def of(self, x: Array, seen: Array) -> Array:
        """Return the group of one row, of features and where they are seen, `(n,)`."""
        z = (jnp.where(seen > 0, x, self.mean) - self.mean) @ self.axes
        return jnp.asarray(self.group)[jnp.argmin(jnp.sum(jnp.square(z[None] - self.centres), axis=1))]


def groups_of(
    x: np.ndarray,
    seen: np.ndarray,
    k: int,
    rng: np.random.Generator,
    shown: np.ndarray | None = None,
    smooth: Callable[[np.ndarray], np.ndarray] = lambda x: x,
) -> Groups | None:
    """Sort rows into k groups.

    Args:
        x, seen: Features of rows and where they are seen, `(rows, n)`.
        shown: Labels of rows, -1 where none is shown; None: nowhere is one.
        smooth: Linear and symmetric map of features `(rows, n)`, before distances are taken.
    Returns:
        Groups; None where labels follow a straight line through the features better than neighbours.
    """
    mean = (x * seen).sum(0) / np.maximum(seen.sum(0), 1)
    x = np.where(seen > 0, x, mean) - mean
    some = smooth(x[rng.permutation(len(x))[:AXIS_ROWS]])
    axes = smooth(np.linalg.svd(some, full_matrices=False)[2][:AXES]).T
    z = (x @ axes).astype(np.float32)
    graph = neighbour_graph(z)
    if shown is None:
        group = cut(graph, z, k, rng)
    elif follows_neighbours(graph, z, shown, k, rng):
        group = spread(graph, shown, k)
    else:
        return None
    centres, member = (z, np.arange(len(z))) if len(z) <= CENTRES else lloyd(z, z[rng.permutation(len(z))[:CENTRES]], 5)
    votes = np.zeros((len(centres), k))
    np.add.at(votes, (member, group), 1)
    return Groups(mean.astype(np.float32), axes.astype(np.float32), centres, votes.argmax(1).astype(np.int32))


def neighbour_graph(z: np.ndarray) -> sparse.csr_matrix:
    """Return $S$ of rows `(rows, d)`."""
    many = min(NEIGHBOURS, len(z) - 1)
    square, rows = (z**2).sum(1), jnp.asarray(z)

    @jax.jit
    def near(i: Array) -> tuple[Array, Array]:
        apart = square[None] - 2 * rows[i] @ rows.T
        return jax.lax.top_k((-apart).at[jnp.arange(len(i)), i].set(-jnp.inf), many)

    size = min(BLOCK, len(z))
    starts = [min(i, len(z) - size) for i in range(0, len(z), size)]
    apart, other = np.zeros((len(z), many), np.float32), np.zeros((len(z), many), np.int64)
    for i in starts:
        minus, other[i : i + size] = near(jnp.arange(i, i + size))
        apart[i : i + size] = np.maximum(square[i : i + size, None] - np.asarray(minus), 0)
    local = np.maximum(np.sqrt(apart[:, min(SCALE, many) - 1]), 1e-6)
    weight = np.exp(-apart / (local[:, None] * local[other]))
    w = sparse.csr_matrix((weight.ravel(), (np.repeat(np.arange(len(z)), many), other.ravel())), (len(z), len(z)))
    w = w.maximum(w.T)
    root = sparse.diags(1 / np.sqrt(np.maximum(np.asarray(w.sum(1)).ravel(), 1e-12)))
    return root @ w @ root


def spread(graph: sparse.csr_matrix, shown: np.ndarray, k: int) -> np.ndarray:
    """Return the label that reaches each row most, `(rows,)`; each label weighs as much as the others."""
    told = np.zeros((len(shown), k))
    told[np.flatnonzero(shown >= 0), shown[shown >= 0]] = 1
    found = told
    for _ in range(TURNS):
        found = SPREAD * (graph @ found) + (1 - SPREAD) * told
    return (found / np.maximum(found.sum(0), 1e-12)).argmax(1)


def follows_neighbours(
    graph: sparse.csr_matrix, z: np.ndarray, shown: np.ndarray, k: int, rng: np.random.Generator
) -> bool:
    """Say whether spread labels hit labels that were held back more often than a linear fit does."""
    there = rng.permutation(np.flatnonzero(shown >= 0))
    if len(there) < 2 * FOLDS:
        return False
    hits = np.zeros(2)
    for held in np.array_split(there, FOLDS):
        known, rest = np.setdiff1d(there, held), shown.copy()
        rest[held] = -1
        x, t = np.c_[z[known], np.ones(len(known))], np.eye(k)[shown[known]]
        gram = x.T @ x
        line = np.linalg.solve(gram + RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram)), x.T @ t)
        by_line = (np.c_[z[held], np.ones(len(held))] @ line).argmax(1)
        hits += [np.sum(found == shown[held]) for found in (spread(graph, rest, k)[held], by_line)]
    return bool(hits[0] > hits[1])


def cut(graph: sparse.csr_matrix, z: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return the group of each row, `(rows,)`; k-means of the rows themselves where the graph is in more pieces."""
    vectors = VECTORS * k
    if connected_components(graph, directed=False)[0] > k or len(z) <= 2 * vectors:
        return k_means(z, k, rng)[1]
    other = rng.permutation(len(z))  # weak bridges between pieces, so that but one vector is of the eigenvalue 1
    bridges = sparse.csr_matrix((np.full(len(z), BRIDGE), (np.arange(len(z)), other)), graph.shape)
    size, at = eigsh(graph + bridges + bridges.T, k=vectors, which="LA", v0=np.ones(len(z)), tol=1e-4)
    at = at[:, :-1] / np.sqrt(np.maximum(size[-1] - size[:-1], THINNEST))  # the last says how many neighbours a row has
    return k_means(at / np.maximum(np.linalg.norm(at, axis=1, keepdims=True), 1e-12), k, rng)[1]


def k_means(z: np.ndarray, k: int, rng: np.random.Generator, tries: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return centres `(k, d)` and the group of each row: k-means++ (Arthur & Vassilvitskii 2007), the best of some."""
    best = np.inf
    for _ in range(tries):
        centres = z[rng.integers(len(z))][None]
        while len(centres) < k:
            near = distances(z, centres).min(1)
            total = near.sum()
            centres = np.concatenate([centres, z[rng.choice(len(z), p=near / total if total > 0 else None)][None]])
        centres, group = lloyd(z, centres, 30)
        inertia = np.square(z - centres[group]).sum()
        if inertia < best:
            best, found = inertia, (centres, group)
    return found


def lloyd(z: np.ndarray, centres: np.ndarray, turns: int) -> tuple[np.ndarray, np.ndarray]:
    """Move centres to the means of the rows that are nearest to them; return them, and the nearest of each row."""
    for _ in range(turns):
        group = distances(z, centres).argmin(1)
        member = sparse.csr_matrix((np.ones(len(z), z.dtype), (group, np.arange(len(z)))), (len(centres), len(z)))
        many = np.asarray(member.sum(1))
        centres = np.where(many > 0, (member @ z) / np.maximum(many, 1), centres)
    return centres, distances(z, centres).argmin(1)


def distances(z: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return squared distances `(rows, k)`."""
    found = (z**2).sum(1)[:, None] - 2 * z @ centres.T + (centres**2).sum(1)
    return np.maximum(found, 0)
