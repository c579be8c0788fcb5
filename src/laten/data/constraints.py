"""What the columns of each row must keep among one another, and how it is written.

    'total = a + b'        Sum("total", ("a", "b"))              'fahrenheit = 1.8 * celsius + 32', 'net = gross - tax'
    'total = price * n'    Product("total", ("price", "n"))
    'city -> state'        Follows("state", ("city",))           a city has one state
    'city, zip'            FixedCombinations(("city", "zip"))    only combinations that were seen
    'start <= end'         Inequality("start", "end")
    '0 <= share <= 1'      Bounds("share", 0, 1)

A constraint says which columns, and nothing of a table (`constraint_text.py` reads it);
`schema/find_ties.py` finds those that a table keeps, `rows/keep_ties.py` makes rows keep them.
"""

import re
from collections.abc import Sequence

from laten.common.errors import DataError
from laten.data.records import Finite, Plain, Record

Name = str | int
PLAIN = re.compile(r"[^\W\d](?:[\w .]*\w)?")


class Sum(Record, frozen=True, tag_field="constraint", tag="sum"):
    """An equation, total = f₁ x₁ + f₂ x₂ + … + constant, to the digits that `total` has.

    Args:
        total: Column that follows.
        terms: Columns that are added.
        factors: One for each term; none: all are 1.
        constant: Of dates and durations in days.
    Raises:
        DataError: as many factors as terms are needed; or a column twice.
    """

    total: Name
    terms: tuple[Name, ...]
    factors: tuple[Finite, ...] = ()
    constant: Finite = 0.0

    def __post_init__(self) -> None:
        if not self.terms or len(self.factors) not in (0, len(self.terms)) or 0 in self.factors:
            raise DataError(
                f"constraint on {self.total!r}: a sum needs terms; give no factors, or one other than 0 for each"
            )
        _distinct((self.total, *self.terms))

    @property
    def weights(self) -> tuple[float, ...]:
        """The factor of each term."""
        return self.factors or (1.0,) * len(self.terms)

    def __str__(self) -> str:
        text = ""
        for name, f in zip(self.terms, self.weights, strict=True):
            sign = "-" if f < 0 else "+" if text else ""
            text += (
                f"{' ' * bool(text)}{sign}{' ' * bool(text)}{'' if abs(f) == 1 else f'{abs(f):.12g} * '}{written(name)}"
            )
        if self.constant:
            text += f" {'-' if self.constant < 0 else '+'} {abs(self.constant):.12g}"
        return f"{written(self.total)} = {text}"


class Product(Record, frozen=True, tag_field="constraint", tag="product"):
    """An equation, total = x₁ x₂ …, to the digits that `total` has.

    Raises:
        DataError: fewer than two factors, or a column twice.
    """

    total: Name
    terms: tuple[Name, ...]

    def __post_init__(self) -> None:
        if len(self.terms) < 2:
            raise DataError(f"constraint on {self.total!r}: a product needs two columns or more")
        _distinct((self.total, *self.terms))

    def __str__(self) -> str:
        return f"{written(self.total)} = {' * '.join(map(written, self.terms))}"


class FixedCombinations(Record, frozen=True, tag_field="constraint", tag="combinations"):
    """Only combinations of values that the fitted rows have.

    Args:
        columns: Two or more, modelled, of classes or few numbers.
        seen: The combinations, once there are rows to take them from.
        counts: Rows of each.
    Raises:
        DataError: fewer than two columns, or a column twice; `seen` and `counts` that do not fit them.
    """

    columns: tuple[Name, ...]
    seen: tuple[tuple[Plain, ...], ...] = ()
    counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.columns) < 2:
            raise DataError("constraint: a combination needs two columns or more")
        _distinct(self.columns)
        _check_seen(self.seen, self.counts, len(self.columns))

    def __str__(self) -> str:
        return ", ".join(map(written, self.columns))


class Follows(Record, frozen=True, tag_field="constraint", tag="follows"):
    """A column has one value for each combination of others: `city -> state`.

    Args:
        column: The column that follows.
        of: Those it follows from.
        seen: Values of `of` and `column`, once there are rows to take them from.
        counts: Rows of each.
    Raises:
        DataError: no column to follow from, or a column twice.
    """

    column: Name
    of: tuple[Name, ...]
    seen: tuple[tuple[Plain, ...], ...] = ()
    counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.of:
            raise DataError(f"constraint on {self.column!r}: name the columns it follows from")
        _distinct(self.columns)
        _check_seen(self.seen, self.counts, len(self.columns))

    @property
    def columns(self) -> tuple[Name, ...]:
        """Those it follows from, and itself."""
        return (*self.of, self.column)

    def __str__(self) -> str:
        return f"{', '.join(map(written, self.of))} -> {written(self.column)}"


class Inequality(Record, frozen=True, tag_field="constraint", tag="inequality"):
    """An order, low ≤ high, of two columns of numbers, dates or durations.

    Args:
        low: The smaller column.
        high: The larger one.
        strict: low < high.
        gaps: Quantiles of high − low, days, once there are rows to take them from; of dates and durations.
    Raises:
        DataError: one column twice.
    """

    low: Name
    high: Name
    strict: bool = False
    gaps: tuple[Finite, ...] = ()

    def __post_init__(self) -> None:
        _distinct((self.low, self.high))

    def __str__(self) -> str:
        return f"{written(self.low)} {'<' if self.strict else '<='} {written(self.high)}"


class Bounds(Record, frozen=True, tag_field="constraint", tag="bounds"):
    """A column of numbers lies from `low` to `high`; None: no end on that side.

    Raises:
        DataError: no bound, or low above high.
    """

    column: Name
    low: Finite | None = None
    high: Finite | None = None

    def __post_init__(self) -> None:
        if (self.low is None and self.high is None) or (None not in (self.low, self.high) and self.low > self.high):  # type: ignore[operator]
            raise DataError(f"constraint on {self.column!r}: give a low end, a high end above it, or both")

    def __str__(self) -> str:
        name = written(self.column)
        if self.low is None:
            return f"{name} <= {self.high:.12g}"
        return f"{name} >= {self.low:.12g}" if self.high is None else f"{self.low:.12g} <= {name} <= {self.high:.12g}"


Constraint = Sum | Product | FixedCombinations | Follows | Inequality | Bounds


def columns_of(constraint: Constraint) -> tuple[Name, ...]:
    """Return the columns that a constraint names."""
    if isinstance(constraint, Sum | Product):
        return (constraint.total, *constraint.terms)
    if isinstance(constraint, FixedCombinations | Follows):
        return constraint.columns
    return (constraint.column,) if isinstance(constraint, Bounds) else (constraint.low, constraint.high)


def written(name: Name) -> str:
    """Return a column's name as it stands in a constraint."""
    text = str(name)
    return text if PLAIN.fullmatch(text) else f"`{text}`"


def _distinct(names: Sequence[Name]) -> None:
    if len(set(names)) < len(names):
        raise DataError(f"constraint: column {next(n for n in names if list(names).count(n) > 1)!r} stands in it twice")


def _check_seen(seen: Sequence[Sequence[Plain]], counts: Sequence[int], columns: int) -> None:
    if len(seen) != len(counts) or any(len(row) != columns for row in seen) or any(n < 1 for n in counts):
        raise DataError("constraint: its combinations need a value for each column, and a count of rows")
