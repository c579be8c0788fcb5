"""Evidence that no row can have, because it breaks a tie that all rows keep.

What a column may be is narrowed until nothing changes: classes by the combinations that were seen, numbers by the ends
of sums, products and orders. Where nothing is left, no row can be. So evidence that a row can have is never refused;
what breaks one tie by itself always is, and so is a city with the wrong country where the state is not given.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.cells import Cells
from laten.data.columns.column import CLASSES, Column
from laten.data.constraints import (
    Bounds,
    Constraint,
    FixedCombinations,
    Follows,
    Inequality,
    Name,
    Product,
    Sum,
    columns_of,
)
from laten.data.messages import shown, where
from laten.data.records import Plain
from laten.data.rows.between import Between, Missing
from laten.data.rows.evidence import classes_in, interval, number
from laten.data.schema.schema import Schema
from laten.data.schema.ties import DAY, broken, slack

SOFT = list | tuple | set | frozenset
ROUNDS = 20  # narrowing ends of numbers may go on for ever
MILLISECOND = 1e-3 / DAY


@dataclass
class Left:
    """What a column may still be.

    Args:
        low: Of numbers: the least, in days for dates and durations.
        high: The largest.
        levels: Of classes; None: numbers.
        why: The columns that were given and narrowed it.
    """

    low: float = -math.inf
    high: float = math.inf
    levels: frozenset[Plain] | None = None
    why: frozenset[Name] = field(default_factory=frozenset)

    @property
    def nothing(self) -> bool:
        """Whether it may be nothing."""
        return not self.levels if self.levels is not None else self.low > self.high


def refuse_impossible(schema: Schema, given: Mapping[Any, Any]) -> None:
    """Refuse evidence that breaks a tie.

    Args:
        given: Column -> a value, a range, a list or `lt.missing`, each of which its column can hold.
    Raises:
        DataError: the columns, what was given of them, and the tie.
    """
    columns = {c.name: c for c in schema.columns}
    tied = {n for tie in schema.ties for n in columns_of(tie)}
    if not tied & set(given):
        return
    left = {n: start(columns[n], given.get(n)) for n in tied}
    for _ in range(ROUNDS):
        before = {n: (x.low, x.high, x.levels) for n, x in left.items()}
        for tie in schema.ties:
            narrow(tie, columns, left)
            if any(left[n].nothing for n in columns_of(tie)):
                names = sorted(frozenset().union(*(left[n].why for n in columns_of(tie))), key=list(given).index)
                said = " and ".join(spoken(n, given[n]) for n in names)
                raise DataError(
                    f"given: no row has {said}: {str(tie)!r} is kept by all rows of the fit. Leave one of them out, or "
                    "give values that go together"
                )
        if before == {n: (x.low, x.high, x.levels) for n, x in left.items()}:
            return


def refuse_torn(schema: Schema, frame: pd.DataFrame, given: Mapping[Any, Any], told: np.ndarray | bool = True) -> None:
    """Refuse rows that break a tie since values were given in place of their own cells.

    Args:
        frame: The rows, with what was given.
        given: Column -> what was given; only single values are looked at.
        told: The rows `(rows,)` into which something was put; the others are not looked at.
    Raises:
        DataError: the rows, the columns and the tie.
    """
    columns, hard = (
        {c.name: c for c in schema.columns},
        {n for n, v in given.items() if not isinstance(v, Between | SOFT)},
    )
    for tie in schema.ties:
        names = columns_of(tie)
        own = [n for n in names if n not in hard]
        if not own or len(own) == len(names) or not all(n in frame.columns for n in names):
            continue
        bad = told & broken(tie, columns, {n: Cells(n, frame[n]) for n in names})
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            said = " and ".join(spoken(n, given[n]) for n in names if n in hard)
            cells = " and ".join(f"{n}={frame[n].iloc[row]!s}" for n in own)
            raise DataError(
                f"given: {said} cannot be in {where(bad)}, where {cells}: {str(tie)!r} is kept by all rows of the fit. "
                f"Leave {', '.join(repr(n) for n in own)} out of the rows, or give what goes with it"
            )


def spoken(name: Name, given: Any) -> str:
    """Return what was given of a column as text."""
    if isinstance(given, SOFT):
        return f"{name} in ({shown(given)})"
    return (
        f"{name}{given if str(given)[:1] in '<>' else f'={given}'}"
        if isinstance(given, Between)
        else f"{name}={given!s}"
    )


def start(column: Column, given: Any) -> Left:
    """Return what is left of a column by what was given of it alone."""
    why = frozenset([column.name])
    known = given is not None and not isinstance(given, Missing)
    if column.kind in CLASSES:
        levels = frozenset(classes_in(column, given) if known else column.classes)
        return within(column, Left(levels=levels, why=why if known else frozenset()), -math.inf, math.inf)
    if not known:
        return Left()
    unit = DAY if column.seen.form == "duration" else 1.0
    if isinstance(given, Between):
        low, high = interval(column, given)
    else:
        x = [number(column, v) for v in (given if isinstance(given, SOFT) else [given])]
        low, high = min(x), max(x)
    return Left(low / unit, high / unit, None, why)


def within(column: Column, x: Left, low: float, high: float, why: frozenset[Name] = frozenset()) -> Left:
    """Return what is left of a column between two numbers; classes that are numbers keep those levels."""
    if x.levels is not None and column.seen.form == "number":
        levels = frozenset(v for v in x.levels if low <= float(v) <= high)
        numbers = [float(v) for v in levels]
        new = replace(x, levels=levels, low=min(numbers, default=0.0), high=max(numbers, default=0.0))
    else:
        new = replace(x, low=max(x.low, low), high=min(x.high, high))
    return new if (new.low, new.high, new.levels) == (x.low, x.high, x.levels) else replace(new, why=x.why | why)


def narrow(tie: Constraint, columns: Mapping[Name, Column], left: dict[Name, Left]) -> None:
    """Narrow the columns of a tie by one another."""
    why = frozenset[Name]().union(*(left[n].why for n in columns_of(tie)))

    def put(name: Name, low: float, high: float) -> None:
        left[name] = within(columns[name], left[name], low, high, why)

    if isinstance(tie, Bounds):
        low, high = (-math.inf if tie.low is None else tie.low), (math.inf if tie.high is None else tie.high)
        put(tie.column, low, high)
    elif isinstance(tie, Inequality):
        low, high = left[tie.low].low, left[tie.high].high
        put(tie.high, np.nextafter(low, math.inf) if tie.strict else low, math.inf)
        put(tie.low, -math.inf, np.nextafter(high, -math.inf) if tie.strict else high)
    elif isinstance(tie, Sum):
        for name in columns_of(tie):
            put(name, *sum_ends(tie, name, columns, left))
    elif isinstance(tie, Product):
        ends = [(left[n].low, left[n].high) for n in tie.terms]
        if np.isfinite(ends).all():
            corners = [math.prod(c) for c in itertools.product(*ends)]
            some = float(slack(columns[tie.total], max(map(abs, corners))))
            put(tie.total, min(corners) - some, max(corners) + some)
    else:
        combine(tie, columns, left, why)


def sum_ends(tie: Sum, name: Name, columns: Mapping[Name, Column], left: Mapping[Name, Left]) -> tuple[float, float]:
    """Return the ends between which the other columns of a sum leave one of them."""
    # total - f1 x1 - f2 x2 ... = constant
    parts = {tie.total: 1.0, **{n: -f for n, f in zip(tie.terms, tie.weights, strict=True)}}
    others = [sorted((f * left[n].low, f * left[n].high)) for n, f in parts.items() if n != name]
    bottom, top = (sum(pair[i] for pair in others) for i in (0, 1))
    finite = [abs(x) for pair in others for x in pair if math.isfinite(x)]
    some = float(slack(columns[tie.total], 4 * sum(finite) + abs(tie.constant)))  # more than rounding needs
    found = sorted(((tie.constant - top - some) / parts[name], (tie.constant - bottom + some) / parts[name]))
    return found[0], found[1]


def combine(
    tie: FixedCombinations | Follows, columns: Mapping[Name, Column], left: dict[Name, Left], why: frozenset[Name]
) -> None:
    """Narrow columns to what stands in combinations that were seen and are still possible."""
    names = columns_of(tie)
    seen = pd.DataFrame(list(tie.seen), columns=range(len(names)), dtype=object)
    fits = np.ones((len(seen), len(names)), bool)
    for i, name in enumerate(names):
        x, column = left[name], columns[name]
        if x.levels is not None:
            if column.unseen != "error":  # levels that stand for others
                return
            fits[:, i] = seen[i].isin(x.levels)
        else:
            value = seen[i].to_numpy(float) / (DAY if column.seen.form == "duration" else 1.0)
            some = slack(column, np.abs(value)) + (0.0 if column.seen.form == "number" else MILLISECOND)
            fits[:, i] = (value >= x.low - some) & (value <= x.high + some)
    if isinstance(tie, Follows):  # a new combination of what it follows from may have any value
        open_ = fits[:, :-1].all(axis=1)
        every = math.prod(len(left[n].levels or ()) for n in tie.of)
        if len(seen[open_][list(range(len(tie.of)))].drop_duplicates()) < every:
            return
    rows = seen[fits.all(axis=1)]
    for i, name in enumerate(names):
        x, column = left[name], columns[name]
        if x.levels is not None:
            new = x.levels & frozenset(rows[i])
            if new != x.levels:
                left[name] = replace(within(column, replace(x, levels=new), -math.inf, math.inf), why=x.why | why)
        elif rows.empty:
            left[name] = replace(x, low=math.inf, high=-math.inf, why=x.why | why)
        else:
            value = rows[i].to_numpy(float) / (DAY if column.seen.form == "duration" else 1.0)
            some = float(np.max(slack(column, np.abs(value)))) + (0.0 if column.seen.form == "number" else MILLISECOND)
            left[name] = within(column, x, value.min() - some, value.max() + some, why)
