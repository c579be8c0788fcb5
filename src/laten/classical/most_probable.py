r"""The most probable joint state of a discrete network, exactly: variable elimination with max in place of the sum.

$$\max_v \prod_{f\ni v} f = \text{one new factor},\qquad \text{and last first: } v^* = \arg\max_v \prod_{f\ni v} f$$

The order is that of the sums (`elimination.plan`). Factors are logarithms here, so that nothing underflows.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from laten.classical.elimination import MOST, Factor, plan, weight
from laten.common.errors import DataError, known


class LogFactor(NamedTuple):
    """The logarithm of a table over variables, an axis each."""

    names: tuple[str, ...]
    table: np.ndarray


def most_probable(factors: Sequence[Factor], sizes: Mapping[str, int]) -> tuple[dict[str, int], float]:
    """Return the states that make the product of the factors largest, and its logarithm; minus infinity: it is 0.

    Args:
        factors: With evidence in them, of one row.
    Raises:
        DataError: a factor on the way would be too large.
    """
    order, largest, _ = plan(factors, (), sizes)
    if weight(largest, sizes) > math.log(MOST):
        lacks = f"the most probable states would need a table over {known(sorted(largest))}"
        raise DataError(f"{lacks}; give more evidence")
    with np.errstate(divide="ignore"):
        left = [LogFactor(f.names, np.log(f.table[0])) for f in factors]
    trail: list[tuple[str, LogFactor]] = []
    for name in order:
        here = [f for f in left if name in f.names]
        names = tuple(dict.fromkeys(n for f in here for n in f.names if n != name))
        joined = LogFactor((*names, name), added(here, (*names, name)))
        left = [f for f in left if name not in f.names]
        left.append(LogFactor(names, joined.table.max(-1)))
        trail.append((name, joined))
    states: dict[str, int] = {}
    for name, joined in reversed(trail):
        states[name] = int(np.argmax(joined.table[tuple(states[n] for n in joined.names[:-1])]))
    return states, float(sum(f.table for f in left))


def added(factors: Sequence[LogFactor], names: tuple[str, ...]) -> np.ndarray:
    """Return the sum of log factors over these axes."""
    total = np.zeros(())
    for factor in factors:
        place = [names.index(n) for n in factor.names]
        order = sorted(range(len(place)), key=place.__getitem__)
        sizes = {n: factor.table.shape[i] for i, n in enumerate(factor.names)}
        total = total + factor.table.transpose(order).reshape([sizes.get(n, 1) for n in names])
    return total
