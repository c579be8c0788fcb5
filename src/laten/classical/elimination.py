r"""Exact inference in discrete networks by variable elimination (Zhang & Poole 1994), in NumPy and float64.

A network is a product of *factors*, one table a node. To sum a variable out, multiply the factors that hold it and add
over its axis:

$$\sum_v \prod_{f \ni v} f = \text{one new factor over all neighbours of } v .$$

The variable whose new factor is smallest goes first (min-weight), of equal ones the first by name. Variables below all
that is asked or seen sum to one; callers leave them out beforehand (`ancestors`).

Every factor has a leading axis of *rows*: of length one, or one entry a row where evidence differs from row to row; so
many rows with the same columns seen are one elimination. A product is divided by its largest entry, row by row, and the
logarithm kept apart, so that no network is too large for float64.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from laten.common.errors import DataError, known

MOST = 2**26  # entries of a factor: 512 MB
OFTEN = 8  # factors multiplied before the largest entry is made one


class Factor(NamedTuple):
    """A table over variables, `(rows or 1, *their sizes)`."""

    names: tuple[str, ...]
    table: np.ndarray


class Eliminated(NamedTuple):
    """A table `(rows, *sizes of what was kept)` whose largest entry is one, and the log `(rows,)` it was divided by.

    `trail`: each variable summed out with the product of factors that held it, in the order of elimination.
    """

    table: np.ndarray
    log_scale: np.ndarray
    trail: list[tuple[str, Factor]]


def ancestors(parents: Mapping[str, tuple[str, ...]], names: Iterable[str]) -> set[str]:
    """Return the names, their parents, the parents of those, and so on."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += parents[name]
    return found


def seen(factor: Factor, codes: Mapping[str, np.ndarray]) -> Factor:
    """Put evidence into a factor: `codes` of seen variables, `(rows,)` or `(1,)`; the other axes stay."""
    index = [codes.get(name, slice(None)) for name in factor.names]
    if all(isinstance(i, slice) for i in index):
        return factor
    first = [k for k, i in enumerate(index) if not isinstance(i, slice)]
    table = np.moveaxis(factor.table[0], first, range(len(first)))
    return Factor(tuple(n for n in factor.names if n not in codes), table[tuple(index[k] for k in first)])


def plan(factors: Sequence[Factor], keep: Collection[str], sizes: Mapping[str, int]) -> tuple[list[str], set[str]]:
    """Say in which order to sum out all but `keep`, and the variables of the largest factor on the way."""
    cliques = [set(f.names) for f in factors]
    largest: set[str] = set(keep)
    todo = sorted(set().union(*cliques) - set(keep))
    order = []
    while todo:
        around = {v: set().union(*(c for c in cliques if v in c)) for v in todo}
        best = min(todo, key=lambda v: weight(around[v], sizes))
        joined = around[best]
        largest = max(largest, joined, key=lambda c: weight(c, sizes))
        cliques = [c for c in cliques if best not in c] + [joined - {best}]
        todo.remove(best)
        order.append(best)
    return order, largest


def weight(names: Collection[str], sizes: Mapping[str, int]) -> float:
    """Return the log of the number of joint states."""
    return sum(math.log(sizes[n]) for n in names)


def eliminate(
    factors: Sequence[Factor], keep: Sequence[str], sizes: Mapping[str, int], rows: int = 1, most: int = MOST
) -> Eliminated:
    """Sum out all variables except `keep`.

    Args:
        factors: Evidence put in already (`seen`).
        keep: The axes of the answer, in this order.
        rows: Length of the leading axis where evidence differs.
        most: Entries a factor may have.
    Raises:
        DataError: a factor on the way would have more, whatever its rows.
    """
    order, largest = plan(factors, keep, sizes)
    if weight(largest, sizes) + math.log(rows) > math.log(most) + 1e-9:
        count = math.exp(min(weight(largest, sizes), 690))
        raise DataError(
            f"exact inference would need a table of {count:.2g} numbers over {known(sorted(largest))}, more than "
            f"{most:.2g}; give more evidence, ask for fewer targets, or ask a learned guide: "
            "network.learn_guide().query(...)"
        )
    factors, trail, log_scale = list(factors), [], np.zeros(rows)
    for name in order:
        product, log_top = multiplied([f for f in factors if name in f.names])
        trail.append((name, product))
        axis = product.names.index(name)
        left = Factor(product.names[:axis] + product.names[axis + 1 :], product.table.sum(1 + axis))
        factors = [f for f in factors if name not in f.names] + [left]
        log_scale = log_scale + log_top
    last, log_top = multiplied([Factor(tuple(keep), np.ones((1,) * (1 + len(keep)))), *factors])
    return Eliminated(np.broadcast_to(last.table, (rows, *(sizes[n] for n in keep))), log_scale + log_top, trail)


def multiplied(factors: Sequence[Factor]) -> tuple[Factor, np.ndarray]:
    """Multiply factors; the largest entry is made one, and its logarithm `(rows or 1,)` returned beside."""
    names = tuple(dict.fromkeys(n for f in factors for n in f.names))
    table, log_scale = np.ones((1,) * (1 + len(names))), np.zeros(1)
    for i, factor in enumerate(factors):
        place = [0, *(1 + names.index(n) for n in factor.names)]
        shape = np.ones(1 + len(names), int)
        shape[place] = factor.table.shape
        table = table * factor.table.transpose(np.argsort(place)).reshape(shape)
        if i % OFTEN == OFTEN - 1 or i == len(factors) - 1:
            top = table.max(axis=tuple(range(1, table.ndim)), keepdims=True)
            with np.errstate(divide="ignore"):
                log_scale = log_scale + np.log(top).reshape(-1)
            table = table / np.where(top > 0, top, 1.0)
    return Factor(names, table), log_scale


def backwards(
    trail: Sequence[tuple[str, Factor]], codes: dict[str, np.ndarray], rng: np.random.Generator, n: int
) -> dict[str, np.ndarray]:
    """Draw what was summed out, last first, given `codes` of all that was not.

    Returns:
        `codes`, completed: `(n,)` each.
    """
    for name, factor in reversed(trail):
        moved = factor.names.index(name)
        table = np.moveaxis(factor.table[0], moved, -1)
        given = tuple(codes[other] for other in factor.names if other != name)
        codes[name] = drawn(np.broadcast_to(table[given], (n, table.shape[-1])), rng)
    return codes


def drawn(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one code a row, `(rows,)`, as likely as its weight `(rows, states)`."""
    total = np.cumsum(weights, axis=1)
    u = rng.random(len(weights)) * total[:, -1]
    return np.minimum((total <= u[:, None]).sum(1), weights.shape[1] - 1)
