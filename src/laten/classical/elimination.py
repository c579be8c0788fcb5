r"""Exact inference in discrete networks by variable elimination (Zhang & Poole 1994), in NumPy and float64.

A network is a product of *factors*, one table a node. To sum a variable out, multiply the factors that hold it and add
over its axis:

$$\sum_v \prod_{f \ni v} f = \text{one new factor over all neighbours of } v .$$

The variable whose new factor is smallest goes first (min-weight), of equal ones the first by name. Where that makes
large factors, the one whose neighbours lack fewest arrows between them is tried too (min-fill), and the plan with less
work is taken. Variables below all that is asked or seen sum to one; callers leave them out beforehand (`ancestors`).

Every factor has a leading axis of *rows*: of length one, or one entry a row where evidence differs from row to row; so
many rows with the same columns seen are one elimination. A factor is divided by its largest entry, row by row, and the
logarithm kept apart, so that no network is too large for float64.
"""

import heapq
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from laten.common.errors import DataError, known

MOST = 2**26  # entries of a factor: 512 MB
OFTEN = 8  # factors multiplied before the largest entry is made one
CHEAP = 2**15  # entries of all factors of a plan, up to which no better one is looked for


class Factor(NamedTuple):
    """A table over variables, `(rows or 1, *their sizes)`."""

    names: tuple[str, ...]
    table: np.ndarray


class Eliminated(NamedTuple):
    """A table `(rows, *sizes of what was kept)` whose largest entry is one, and the log `(rows,)` it was divided by.

    `trail`: each variable summed out with the factors that held it, in the order of elimination.
    """

    table: np.ndarray
    log_scale: np.ndarray
    trail: list[tuple[str, list[Factor]]]


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
    known_codes = [codes.get(name) for name in factor.names]
    if all(code is None for code in known_codes):
        return factor
    left = tuple(n for n, code in zip(factor.names, known_codes, strict=True) if code is None)
    if all(code is None or len(code) == 1 for code in known_codes):
        at = tuple(slice(None) if code is None else int(code[0]) for code in known_codes)
        return Factor(left, factor.table[0][at][None])
    first = [k for k, code in enumerate(known_codes) if code is not None]
    table = np.moveaxis(factor.table[0], first, range(len(first)))
    return Factor(left, table[tuple(known_codes[k] for k in first)])


class Plan(NamedTuple):
    """In which order variables are summed out.

    Args:
        largest: The variables of the largest factor on the way.
        work: Entries of all factors on the way.
    """

    order: list[str]
    largest: set[str]
    work: int


def plan(factors: Sequence[Factor], keep: Collection[str], sizes: Mapping[str, int]) -> Plan:
    """Say in which order to sum out all but `keep`: by min-weight, or by min-fill where that is less work."""
    found = greedy(factors, keep, sizes, fill=False)
    if found.work <= CHEAP:
        return found
    return min(found, greedy(factors, keep, sizes, fill=True), key=lambda p: p.work)


def greedy(factors: Sequence[Factor], keep: Collection[str], sizes: Mapping[str, int], fill: bool) -> Plan:
    """Plan one variable after the other: the smallest new factor first, or (`fill`) the fewest new neighbours."""
    near: dict[str, set[str]] = {}  # neighbours, the variable itself among them
    for factor in factors:
        for name in factor.names:
            near.setdefault(name, set()).update(factor.names)

    def cost(name: str) -> tuple[int, int, str]:
        around = near[name]
        lacking = sum([len(around - near[other]) for other in around]) if fill else 0
        return lacking, math.prod([sizes[other] for other in around]), name

    now = {name: cost(name) for name in near if name not in keep}
    heap, order, largest, work = list(now.values()), [], set(keep), 0
    most = math.prod([sizes[name] for name in keep])
    heapq.heapify(heap)
    while heap:
        found = heapq.heappop(heap)
        lacking, size, name = found
        if now.get(name) != found:
            continue  # its neighbours have changed since
        around = near.pop(name)
        order.append(name)
        del now[name]
        if size > most:
            largest, most = around, size
        work += size
        joined = around - {name}
        changed = set(joined)
        if lacking:  # whoever knows both ends of a new link lacks one less
            changed.update(*(near[a] & near[b] for a in joined for b in joined - near[a]))
        for other in joined:
            near[other] = (near[other] | joined) - {name}
        for other in changed:
            if other in now and (new := cost(other)) != now[other]:
                now[other] = new
                heapq.heappush(heap, new)
    return Plan(order, largest, work)


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
    order, largest, _ = plan(factors, keep, sizes)
    if weight(largest, sizes) + math.log(rows) > math.log(most) + 1e-9:
        count = math.exp(min(weight(largest, sizes), 690))
        raise DataError(
            f"exact inference would need a table of {count:.2g} numbers over {known(sorted(largest))}, more than "
            f"{most:.2g}; give more evidence, ask for fewer targets, or ask a learned guide: "
            "network.learn_guide().query(...)"
        )
    place = {name: i for i, name in enumerate(order)}
    buckets: list[list[Factor]] = [[] for _ in range(len(order) + 1)]  # by the variable that goes first; the last: none

    def put(factor: Factor) -> None:
        buckets[min((place.get(n, len(order)) for n in factor.names), default=len(order))].append(factor)

    for factor in factors:
        put(factor)
    trail, log_scale = [], np.zeros(rows)
    with np.errstate(divide="ignore"):  # of the logarithm of what is impossible
        for i, name in enumerate(order):
            left, log_top = summed_out(buckets[i], name)
            log_scale = log_scale + log_top
            trail.append((name, buckets[i]))
            put(left)
        log_scale = sum([np.log(f.table) for f in buckets[-1] if not f.names], log_scale)
        ones = Factor(tuple(keep), np.ones((1,) * (1 + len(keep))))
        last, log_top = multiplied([ones, *(f for f in buckets[-1] if f.names)])
        last, log_last = rescaled(last)
    table = np.broadcast_to(last.table, (rows, *(sizes[n] for n in keep)))
    return Eliminated(table, log_scale + log_top + log_last, trail)


def summed_out(factors: Sequence[Factor], name: str) -> tuple[Factor, np.ndarray]:
    """Multiply factors and add over the axis of a variable; as `rescaled`. The whole product is never laid out."""
    *small, large = sorted(factors, key=lambda f: f.table.size)
    if not small:
        axis = large.names.index(name)
        return rescaled(Factor(large.names[:axis] + large.names[axis + 1 :], large.table.sum(1 + axis)))
    first, log_top = multiplied(small)
    names = tuple(dict.fromkeys(n for n in (*large.names, *first.names) if n != name))
    label = {n: 1 + i for i, n in enumerate((*names, name))}
    operands = [x for f in (large, first) for x in (f.table, [0, *(label[n] for n in f.names)])]
    found, log_found = rescaled(Factor(names, np.einsum(*operands, [0, *(label[n] for n in names)])))
    return found, log_top + log_found


def multiplied(factors: Sequence[Factor]) -> tuple[Factor, np.ndarray]:
    """Multiply factors, none being the number one; as `rescaled`, but the largest entry may be less than one."""
    if len(factors) == 1:
        return factors[0], np.zeros(1)
    names = tuple(dict.fromkeys(n for f in factors for n in f.names))
    product, log_scale = Factor(names, np.ones((1,) * (1 + len(names)))), np.zeros(1)
    for i, factor in enumerate(factors):
        place = [0, *(1 + names.index(n) for n in factor.names)]
        shape = [1] * (1 + len(names))
        for axis, size in zip(place, factor.table.shape, strict=True):
            shape[axis] = size
        table = factor.table.transpose(sorted(range(len(place)), key=place.__getitem__)).reshape(shape)
        product = Factor(names, product.table * table)
        if i % OFTEN == OFTEN - 1:
            product, log_top = rescaled(product)
            log_scale = log_scale + log_top
    return product, log_scale


def rescaled(factor: Factor) -> tuple[Factor, np.ndarray]:
    """Make the largest entry one, row by row; return beside it the logarithms `(rows or 1,)` of what it was."""
    top = factor.table.reshape(len(factor.table), -1).max(1)
    divisor = np.where(top > 0, top, 1.0).reshape(-1, *[1] * len(factor.names))
    return Factor(factor.names, factor.table / divisor), np.log(top)


def backwards(
    trail: Sequence[tuple[str, list[Factor]]], codes: dict[str, np.ndarray], rng: np.random.Generator, n: int
) -> dict[str, np.ndarray]:
    """Draw what was summed out, last first, given `codes` of all that was not.

    Returns:
        `codes`, completed: `(n,)` each.
    """
    for name, factors in reversed(trail):
        weights = np.ones(1)
        for factor in factors:
            table = np.moveaxis(factor.table[0], factor.names.index(name), -1)
            weights = weights * table[tuple(codes[other] for other in factor.names if other != name)]
            weights = weights / weights.max(-1, keepdims=True)
        codes[name] = drawn(np.broadcast_to(weights, (n, weights.shape[-1])), rng)
    return codes


def drawn(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one code a row, `(rows,)`, as likely as its weight `(rows, states)`."""
    total = np.cumsum(weights, axis=1)
    u = rng.random(len(weights)) * total[:, -1]
    return np.minimum((total <= u[:, None]).sum(1), weights.shape[1] - 1)
