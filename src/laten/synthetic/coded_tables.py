"""Tables as numbers and classes: what every measure reads.

The schema of the real table says which columns are numbers (counts, reals, dates, ordered scales written in numbers)
and which are classes. All tables are coded alike: a class has one code in each of them, also where the real table
lacks it; the most frequent class of the real table has code 0. A missing cell is NaN, or code -1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.data.columns.cells import Cells, check_frame
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.containers.containers import as_table
from laten.data.messages import shown
from laten.data.records import plain_of
from laten.data.schema.contract import Name
from laten.data.schema.schema import Schema


@dataclass(frozen=True)
class Coding:
    """The columns of a `CodedTable`.

    Args:
        columns: The columns that are measured, in the schema's order.
        numbers: Names of the columns of numbers.
        classes: Names of the columns of classes.
        levels: For each column of classes, its levels as text, those of the real table first.
        known: For each column of classes, how many levels the real table holds.
        aside: Column -> why it is not measured.
    """

    columns: tuple[Column, ...]
    numbers: tuple[Name, ...]
    classes: tuple[Name, ...]
    levels: tuple[tuple[str, ...], ...]
    known: tuple[int, ...]
    aside: dict[Name, str]

    @property
    def names(self) -> tuple[Name, ...]:
        """Names of the measured columns."""
        return tuple(c.name for c in self.columns)

    @cached_property
    def order(self) -> np.ndarray:
        """`(columns,)` positions that put [numbers, classes] into the schema's order."""
        place = {name: i for i, name in enumerate((*self.numbers, *self.classes))}
        return np.array([place[name] for name in self.names], np.intp)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of levels of each column of classes, over all tables."""
        return tuple(map(len, self.levels))


@dataclass(frozen=True, eq=False)
class CodedTable:
    """The rows of one table.

    Args:
        numbers: `(rows, numbers)` float64; dates in days; NaN where missing.
        classes: `(rows, classes)` codes; -1 where missing.
    """

    numbers: np.ndarray
    classes: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray) -> "CodedTable":
        """Return some rows."""
        return CodedTable(self.numbers[rows], self.classes[rows])

    def some(self, count: int, rng: np.random.Generator) -> "CodedTable":
        """Draw `count` rows at random, in their order; all, if there are no more."""
        if count >= len(self):
            return self
        return self.take(np.sort(rng.choice(len(self), count, replace=False)))

    def without(self, name: Name, coding: Coding) -> "CodedTable":
        """Return the table without one column."""
        keep = [np.array([n != name for n in names], bool) for names in (coding.numbers, coding.classes)]
        return CodedTable(self.numbers[:, keep[0]], self.classes[:, keep[1]])


def code(frames: Mapping[str, pd.DataFrame], schema: Schema) -> tuple[Coding, dict[str, CodedTable]]:
    """Code all frames alike.

    Args:
        frames: Name, for messages -> rows; the first is the real table, whose levels come first.
        schema: Of the real table.
    Raises:
        DataError: a column lacks in a frame, or holds cells of another type, or no column can be measured.
    """
    first = next(iter(frames.values()))
    lost = [n for n in schema.names if n not in first.columns]
    if lost:
        raise DataError(f"the schema knows columns {known(lost)} that the real table lacks; infer it from this table")
    numbers = tuple(c for c in schema.columns if is_number(c))
    classes = tuple(c for c in schema.columns if c.kind in CLASSES and not is_number(c))
    measured = tuple(c for c in schema.columns if c in numbers or c in classes)
    aside = {c.name: f"{c.kind}: {c.reason}" for c in schema.columns if c not in measured}
    aside |= {n: "not in the schema" for n in first.columns if n not in schema}
    if not measured:
        raise DataError(f"no column can be compared: {known(f'{n}: {why}' for n, why in aside.items())}")
    tables, levels, held = {}, [], []
    for name, frame in frames.items():
        tables[name] = CodedTable(np.empty((len(frame), len(numbers))), np.empty((len(frame), len(classes)), np.int32))
        for k, column in enumerate(numbers):
            try:
                tables[name].numbers[:, k] = as_numbers(column, frame[column.name])
            except DataError as error:
                raise DataError(f"{name}: {error}") from None
    for k, column in enumerate(classes):
        codes, texts, count = code_classes(column.name, [frame[column.name] for frame in frames.values()])
        for table, found in zip(tables.values(), codes, strict=True):
            table.classes[:, k] = found
        levels.append(texts)
        held.append(count)
    number_names, class_names = (tuple(c.name for c in some) for some in (numbers, classes))
    return Coding(measured, number_names, class_names, tuple(levels), tuple(held), aside), tables


def is_number(column: Column) -> bool:
    """Say whether distances between the cells of a column mean something to the measures."""
    return column.kind in NUMBERS or (column.kind == "ordinal" and column.seen.form == "number")


def as_numbers(column: Column, series: pd.Series) -> np.ndarray:
    """Read cells as numbers, dates as days since 1970, durations as seconds."""
    cells = Cells(column.name, series)
    if column.kind == "duration":
        return cells.seconds
    return cells.days(column.date.style, column.date.whole) if column.kind == "date" else cells.numbers


def code_classes(name: Name, columns: list[pd.Series]) -> tuple[list[np.ndarray], tuple[str, ...], int]:
    """Code one column of several frames alike; `2`, `2.0` and `"2"` are one level.

    Returns:
        The codes of each frame, all levels, and how many of them the first frame holds.
    Raises:
        DataError: no level of a later frame is known to the first, which tells of another spelling or type.
    """
    found = [pd.factorize(x) for x in columns]
    texts = [[str(plain_of(v)) for v in values] for _, values in found]
    counts = np.bincount(found[0][0][found[0][0] >= 0], minlength=len(texts[0]))
    ordered = [texts[0][i] for i in np.argsort(-counts, kind="stable")]
    place = {text: i for i, text in enumerate(dict.fromkeys([*ordered, *(t for more in texts[1:] for t in more)]))}
    for more in texts[1:]:
        if more and ordered and not set(more) & set(ordered):
            raise DataError(
                f"column {name!r}: the tables share no level: {shown(ordered, 3)} in the real one, {shown(more, 3)} in "
                "another; spell them alike"
            )
    codes = [np.array([*(place[t] for t in text), -1])[at] for (at, _), text in zip(found, texts, strict=True)]
    return codes, tuple(place), len(set(ordered))


def check_tables(given: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return tables as frames; refuse what cannot be compared.

    Args:
        given: The real table first, each in any container.
    Raises:
        DataError: no table, no rows, or other columns than the real table's.
    """
    frames: dict[str, pd.DataFrame] = {}
    for name, table in given.items():
        try:
            frames[name] = check_frame(as_table(table))
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
    real, *_ = frames.values()
    for name, frame in frames.items():
        lost = [n for n in real.columns if n not in frame.columns]
        more = [n for n in frame.columns if n not in real.columns]
        if lost or more:
            parts = [f"lacks {known(lost)}"] * bool(lost) + [f"has {known(more)} besides"] * bool(more)
            raise DataError(
                f"{name}: its columns are not the real table's: it {' and '.join(parts)}; give both the same columns"
            )
    return frames
