"""Whether the rows of a table keep a constraint, and what is to be remembered of them to make other rows keep it.

Sums, products, inequalities and bounds compare columns as numbers: dates as days since 1970-01-01, durations as days.
Combinations compare classes by their levels, and numbers, dates and durations by their value in the column's own scale.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.cells import Cells
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.constraint_text import parsed
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
from laten.data.histogram.histogram import Histogram
from laten.data.messages import unknown, where
from laten.data.records import Plain, plain_of, replace

MOST_SEEN = 100_000  # combinations that are remembered
EXACT, EXACT_32 = 1e-9, 1e-6  # of numbers of any digits: relative
GAPS = 65  # quantiles of differences
DAY = 86_400.0  # seconds


def own_numbers(column: Column, cells: Cells) -> np.ndarray:
    """Return cells `(rows,)` in the column's own scale, NaN where missing; days of dates, seconds of durations."""
    if column.seen.form == "date":
        return cells.days(column.date.style, column.date.whole)
    return cells.seconds if column.seen.form == "duration" else cells.numbers


def comparable(column: Column, cells: Cells) -> np.ndarray:
    """Return cells `(rows,)` as numbers that can be added: durations in days, as dates are."""
    x = own_numbers(column, cells)
    return x / DAY if column.seen.form == "duration" else x


def is_number(column: Column) -> bool:
    """Say whether a modelled column's cells are numbers, dates or durations."""
    return column.kind in NUMBERS or (column.kind in CLASSES and column.seen.form == "number")


def slack(column: Column, sizes: np.ndarray | float) -> np.ndarray | float:
    """Return by how much a total may differ from what it follows from: half of its last digit, and rounding.

    Args:
        sizes: Of the numbers that are added.
    """
    digits = column.seen.decimals if column.seen.form == "number" else None
    half = 0.0 if digits is None else 0.5 * 10.0**-digits
    return half + (EXACT_32 if column.dtype.startswith("float32") else EXACT) * (sizes + half)


def result_of(constraint: Sum | Product, terms: Sequence[np.ndarray]) -> np.ndarray:
    """Return what the total is for numbers of each term."""
    if isinstance(constraint, Product):
        return np.prod(terms, axis=0)
    return sum(
        (f * x for f, x in zip(constraint.weights, terms, strict=True)), np.full(len(terms[0]), constraint.constant)
    )


def broken(constraint: Constraint, columns: Mapping[Name, Column], cells: Mapping[Name, Cells]) -> np.ndarray:
    """Mark rows `(rows,)` that do not keep a constraint; rows that lack a cell of it do, as far as can be told."""
    names = columns_of(constraint)
    if isinstance(constraint, FixedCombinations | Follows):
        return _other_combination(constraint, columns, cells)
    x = [comparable(columns[n], cells[n]) for n in names]
    with np.errstate(invalid="ignore", over="ignore"):
        if isinstance(constraint, Sum | Product):
            wanted = result_of(constraint, x[1:])
            sizes = np.abs(x[0]) + np.max(np.abs(x[1:]), axis=0) if isinstance(constraint, Sum) else np.abs(x[0])
            return np.abs(x[0] - wanted) > slack(columns[names[0]], sizes)
        if isinstance(constraint, Inequality):
            return (x[0] >= x[1]) if constraint.strict else (x[0] > x[1])
        low, high = _ends(constraint)
        return (x[0] < low) | (x[0] > high)


def _ends(bounds: Bounds) -> tuple[float, float]:
    return -np.inf if bounds.low is None else bounds.low, np.inf if bounds.high is None else bounds.high


def factor(column: Column, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Return the position `(rows,)` of each cell among the distinct values, −1 where missing; and these."""
    if column.kind in CLASSES:
        return cells.factor
    x = own_numbers(column, cells)
    if column.seen.form in ("date", "duration"):  # to the millisecond, so that a time that was written is found again
        unit = DAY * 1e3 if column.seen.form == "date" else 1e3
        x = np.round(x * unit) / unit
    return pd.factorize(x)


def coded(column: Column, cells: Cells) -> tuple[np.ndarray, list[Plain]]:
    """Return `factor`, the distinct values as a model file has them."""
    at, values = factor(column, cells)
    return at, [plain_of(v) for v in values]


def _table(
    names: Sequence[Name], columns: Mapping[Name, Column], cells: Mapping[Name, Cells]
) -> tuple[np.ndarray, list[list[Plain]]]:
    """Return codes `(rows, columns)`, −1 where missing, and what they stand for."""
    found = [coded(columns[n], cells[n]) for n in names]
    return np.stack([at for at, _ in found], axis=1), [values for _, values in found]


def _other_combination(
    constraint: FixedCombinations | Follows, columns: Mapping[Name, Column], cells: Mapping[Name, Cells]
) -> np.ndarray:
    """Mark rows of a combination that was not seen; while none is known, those that differ from most of their kind."""
    at, values = _table(constraint.columns, columns, cells)
    full = (at >= 0).all(axis=1)
    out = np.zeros(len(at), bool)
    which, inverse = np.unique(at[full], axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    if not constraint.seen:
        if isinstance(constraint, Follows) and len(which):
            rows = np.bincount(inverse)
            order = np.argsort(-rows, kind="stable")
            kinds = pd.Series(list(map(tuple, which[order, :-1].tolist())))
            most = np.zeros(len(which), bool)
            most[order[~kinds.duplicated().to_numpy()]] = True
            out[full] = ~most[inverse]
        return out
    known = set(constraint.seen)
    first = {row[:-1] for row in known} if isinstance(constraint, Follows) else None
    rows_of = [tuple(values[j][k] for j, k in enumerate(row)) for row in which.tolist()]
    bad = [row not in known and (first is None or row[:-1] in first) for row in rows_of]
    out[full] = np.array(bad, bool)[inverse] if bad else False
    return out


def fitted(constraint: Constraint, columns: Mapping[Name, Column], cells: Mapping[Name, Cells]) -> Constraint:
    """Return a constraint with the combinations, or the differences of dates in order, that the rows have.

    Raises:
        DataError: there are too many.
    """
    if isinstance(constraint, Inequality) and columns[constraint.low].seen.form in ("date", "duration"):
        low, high = (comparable(columns[n], cells[n]) for n in (constraint.low, constraint.high))
        gaps = (high - low)[np.isfinite(high - low)]
        return (
            replace(constraint, gaps=tuple(np.quantile(gaps, np.linspace(0, 1, GAPS)).tolist()))
            if len(gaps)
            else constraint
        )
    if not isinstance(constraint, FixedCombinations | Follows):
        return constraint
    at, values = _table(constraint.columns, columns, cells)
    which, counts = np.unique(at[(at >= 0).all(axis=1)], axis=0, return_counts=True)
    if len(which) > MOST_SEEN or not len(which):
        raise DataError(
            f"constraint {str(constraint)!r}: the rows have {len(which)} combinations; 1 to {MOST_SEEN} are kept"
        )
    seen = tuple(tuple(values[j][k] for j, k in enumerate(row)) for row in which.tolist())
    return replace(constraint, seen=seen, counts=tuple(counts.tolist()))


def declared(
    constraints: Sequence[str | Constraint], columns: Sequence[Column], cells: Mapping[Name, Cells]
) -> tuple[Constraint, ...]:
    """Return constraints that a user declared, with what is to be remembered of the rows.

    Args:
        constraints: Texts, or objects of `laten.constraints`.
    Raises:
        DataError: one cannot be read, is about a column that it does not fit, or is not kept by a row.
    """
    by_name = {c.name: c for c in columns}
    if isinstance(constraints, str | Constraint):
        constraints = [constraints]
    found = []
    for given in constraints:
        constraint = parsed(given, by_name) if isinstance(given, str) else given
        if not isinstance(constraint, Constraint):
            raise DataError(f"a constraint is a text such as 'total = a + b', or of lt.constraints, not {given!r:.80}")
        _check_kinds(constraint, by_name)
        bad = broken(constraint, by_name, cells)
        if bad.any():
            raise DataError(
                f"constraint {str(constraint)!r} is broken by {where(bad)}: {_example(constraint, bad, cells)}; "
                "correct the rows, or leave the constraint out"
            )
        found.append(fitted(constraint, by_name, cells))
    return tuple({str(c): c for c in found}.values())


def _example(constraint: Constraint, bad: np.ndarray, cells: Mapping[Name, Cells]) -> str:
    """Show the first row that does not keep a constraint."""
    row = int(np.flatnonzero(bad)[0])
    return ", ".join(f"{name}={cells[name].series.iloc[row]}" for name in columns_of(constraint))


def _check_kinds(constraint: Constraint, columns: Mapping[Name, Column]) -> None:
    """Refuse a constraint on columns that are not there, not modelled, or of a kind that it does not suit."""
    names = columns_of(constraint)
    for name in names:
        if name not in columns:
            raise unknown(f"column for the constraint {str(constraint)!r}:", name, columns)
    combined = {Follows: names[:-1], FixedCombinations: names}.get(type(constraint), ())
    checks: list[tuple[Sequence[Name], Callable[[Column], bool], str]] = [
        (names, lambda c: c.kind in (*CLASSES, *NUMBERS), "modelled"),
        (combined, lambda c: c.kind in CLASSES, "of classes (binary, categorical or ordinal)"),
    ]
    if not isinstance(constraint, Follows | FixedCombinations):
        checks.append((names, is_number, "of numbers, dates or durations"))
    if isinstance(constraint, Bounds):
        checks.append((names, lambda c: c.kind in NUMBERS and c.seen.form == "number", "of numbers"))
    for some, suits, what in checks:
        for name in some:
            if not suits(columns[name]):
                raise DataError(
                    f"constraint {str(constraint)!r}: column {name!r} is {columns[name].kind} "
                    f"({columns[name].reason}), and must be {what}"
                )


def follower(constraint: Constraint) -> Name | None:
    """Return the column that an equation computes; None of other constraints."""
    if isinstance(constraint, Sum | Product):
        return constraint.total
    return constraint.column if isinstance(constraint, Follows) else None


def ancestors(name: Name, of: Mapping[Name, set[Name]]) -> set[Name]:
    """Return what a column follows from, and what these do, and itself."""
    found, new = set(), {name}
    while new:
        found |= new
        new = {a for n in new for a in of.get(n, ())} - found
    return found


def in_order(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """Put equations first, each after those that give what it is computed from.

    Raises:
        DataError: a column follows from itself, or from two equations.
    """
    place: dict[Name, Constraint] = {}
    for c in constraints:
        name = follower(c)
        if name is not None:
            if name in place:
                raise DataError(f"column {name!r} follows from {str(place[name])!r} and from {str(c)!r}; leave one out")
            place[name] = c
    of = {n: set(columns_of(c)) - {n} for n, c in place.items()}
    for name, terms in of.items():
        if any(name in ancestors(t, of) for t in terms):
            raise DataError(f"constraint {str(place[name])!r}: column {name!r} follows from itself; leave one out")
    done: list[Name] = []
    while len(done) < len(place):
        done += [n for n in place if n not in done and all(t in done or t not in place for t in of[n])]
    return (*(place[n] for n in done), *(c for c in constraints if follower(c) is None))


def with_bounds(columns: Sequence[Column], constraints: Sequence[Constraint]) -> tuple[Column, ...]:
    """Return columns whose histograms end where bounds say."""
    bounds = {c.column: c for c in constraints if isinstance(c, Bounds)}
    out = []
    for column in columns:
        if column.name in bounds:
            b = bounds[column.name]
            ends = {k: v for k, v in (("low", b.low), ("high", b.high)) if v is not None}
            codecs = tuple(replace(c, **ends) if isinstance(c, Histogram) else c for c in column.seen.codecs)
            column = replace(column, seen=replace(column.seen, codecs=codecs))
        out.append(column)
    return tuple(out)
