"""Evidence as text, the same in Python, on the command line and in questions.

| text | what it says |
|---|---|
| `40`, `Rome`, `2024-12-31` | the value; of a column that has times of day, the whole day |
| `2013`, `2013-01` | of dates: the year, the month |
| `30..40`, `30..`, `..40` | from 30 to 40, both included; an end may be left open |
| `[30..40)`, `(30..40]`, `(30..40)` | a round bracket leaves its end out |
| `>30`, `>=30`, `<30`, `<=30` | more than, at least, less than, at most |
| `is missing` | the cell has no value |

Of a column of classes a text that is one of its levels is that level, whatever else it might say (`>50K`). Numbers and
dates may also be written as in the file that was fitted: `3,5`, `31.12.2024`.
"""

import datetime
import math
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pandas as pd

from laten.common.errors import DataError, known
from laten.data.columns.cells import Cells
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.columns.later_cells import as_noted
from laten.data.messages import did_you_mean
from laten.data.records import Plain
from laten.data.rows.between import Between, missing
from laten.data.rows.calendar_names import named_days
from laten.data.text.written import write_as

COMPARED = re.compile(r"(<=|>=|<|>)\s*(.+)", re.S)
RANGE = re.compile(r"([\[(]?)\s*(.*?)\s*\.\.\s*(.*?)\s*([\])]?)", re.S)
AFTER_NAME = re.compile(r"\s*(=(?=\s*[<>])|(?=<|>)|=|(?=is missing\s*$))(.*)", re.S)
PERIOD = re.compile(r"(\d{4})(?:-(\d\d?))?")
AMBIGUOUS = re.compile(r"\d\d?([./-])\d\d?\1\d{2,4}.*", re.S)
LAST = 9999  # year


class Parts(NamedTuple):
    """A range as it is written."""

    low: str
    high: str
    closed: str

    def between(self, value: Callable[[str], Any]) -> Between:
        """Return the interval whose ends `value` reads."""
        low, high = (value(end) if end else None for end in (self.low, self.high))
        return Between(low, high, self.closed)


def is_missing(text: str) -> bool:
    """Say whether a text says that a cell has no value."""
    return text.strip().casefold() == "is missing"


def range_in(text: str) -> Parts | None:
    """Return the range that a text says; None where it is a plain value."""
    if found := COMPARED.fullmatch(text.strip()):
        sign, end = found[1], found[2].strip()
        low, high = (end, "") if ">" in sign else ("", end)
        return Parts(low, high, "both" if "=" in sign else "neither")
    found = RANGE.fullmatch(text.strip())
    if not found or not (found[2] or found[3]):
        return None
    left, right = found[1] != "(", found[4] != ")"
    closed = {(True, True): "both", (True, False): "left", (False, True): "right", (False, False): "neither"}
    return Parts(found[2], found[3], closed[left, right])


def named(text: str, names: Iterable[object]) -> tuple[Any, str] | None:
    """Split `age=40`, `age>40` or `age is missing` in the longest of the names that fits, and the evidence as text."""
    for name in sorted(names, key=lambda name: -len(str(name))):
        if text.startswith(str(name)) and (found := AFTER_NAME.fullmatch(text[len(str(name)) :])):
            return name, found[2]
    return None


def understood(column: Column, text: str) -> Any:
    """Return what a text says of a column: a value, `Between`, or `missing`.

    Raises:
        DataError: a level never seen, or what is no number, date or duration.
    """
    if column.kind in CLASSES:
        return of_classes(column, text)
    if column.kind not in NUMBERS:  # the model says why it cannot be given
        return text
    if is_missing(text):
        return missing
    days = named_days(column, text)  # January, Monday
    if days is not None:
        return days
    parts = range_in(text)
    if parts is not None:
        end = str if column.kind == "date" else lambda end: plain(column, end)  # a date's end may be a period
        return parts.between(end)
    if column.kind == "date" and moment(column, text)[1] is not None:
        return Between(text, text)
    return plain(column, text)


def of_classes(column: Column, text: str) -> Any:
    """Return what a text says of a column of classes."""
    levels = column.levels or ()
    found = level_in(levels, text)
    if found is not None:
        return found
    if is_missing(text):
        return missing
    parts = range_in(text)
    if parts is not None and column.kind == "ordinal":
        return parts.between(lambda end: rank(column, end))
    if column.unseen == "other":
        return text
    way = f"; {column.kind} columns have no order, so that no range can be given" if parts else ""
    raise DataError(
        f"column {column.name!r}: {text!r} was never seen when fitting{did_you_mean(text, levels)}; "
        f"known levels: {known(levels)}{way}"
    )


def level_in(levels: Iterable[Plain], text: str) -> Plain | None:
    """Find the level that a text names: as it is written, as a number, in any case, or between quotes."""
    for same in (
        lambda v: str(v) == text,
        lambda v: not isinstance(v, str) and as_float(text) == v,
        lambda v: str(v).casefold() == text.strip().casefold(),
        lambda v: len(text) > 2 and text[0] == text[-1] and text[0] in "'\"" and str(v) == text[1:-1],
    ):
        for value in levels:
            if same(value):
                return value
    return None


def rank(column: Column, text: str) -> Plain:
    """Return an end of a range of an ordinal column: a level or, where levels are numbers, a number."""
    levels = column.levels or ()
    found, number = level_in(levels, text), as_float(text)
    if found is None and not (math.isfinite(number) and all(isinstance(v, int | float) for v in levels)):
        raise DataError(
            f"column {column.name!r}: {text!r} was never seen when fitting{did_you_mean(text, levels)}; "
            f"known levels: {known(levels)}"
        )
    return number if found is None else found


def plain(column: Column, text: str) -> Any:
    """Return one number, date or duration."""
    name = column.name
    if column.kind == "date":
        return moment(column, text)[0]
    if column.kind == "duration":
        span = pd.to_timedelta(text, errors="coerce") if not math.isfinite(as_float(text)) else pd.NaT
        if pd.isna(span):
            raise DataError(f"column {name!r}: {text!r} is no duration; write it as in '2 days 03:30:00' or 90min")
        return span
    value = as_float(text)
    if not math.isfinite(value) or (column.notation is not None and column.notation.thousands):
        own = in_own_notation(column, text)
        value = value if own is None else float(own)
    if not math.isfinite(value):
        raise DataError(
            f"column {name!r} is {column.kind}: expected a number, got {text!r}; the fitted values are "
            f"{column.describe()}. Ranges are written 30..40, >30 or <=40"
        )
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def in_own_notation(column: Column, text: str) -> Any:
    """Return the number or time that a text says where it is written as the column's file was; else None."""
    if column.notation is None:
        return None
    try:
        value = as_noted(Cells(column.name, pd.Series([text], dtype=object)), column.notation).series.iloc[0]
    except DataError:
        return None
    return None if isinstance(value, str) or pd.isna(value) else value


def moment(column: Column, text: str) -> tuple[pd.Timestamp, pd.Timestamp | None]:
    """Return the time that a text names; of a year, a month, or a day where the column has times, start and end.

    Raises:
        DataError: no date, or one that may be read in two ways.
    """
    text, style, whole = text.strip(), column.date.style, column.date.whole
    if period := PERIOD.fullmatch(text):
        year, month = int(period[1]), int(period[2] or 1)
        if 1 <= year < LAST and 1 <= month <= 12:
            step = pd.DateOffset(months=1) if period[2] else pd.DateOffset(years=1)
            start = pd.Timestamp(year=year, month=month, day=1).as_unit("s")
            return start, start + step
    stamp: Any = pd.NaT
    if "%" in style:
        try:
            stamp = pd.Timestamp(datetime.datetime.strptime(text, style))
        except ValueError:
            stamp = pd.NaT
    own = in_own_notation(column, text) if stamp is pd.NaT else None
    if isinstance(own, pd.Timestamp):
        stamp = own
    if stamp is pd.NaT and not AMBIGUOUS.fullmatch(text):
        stamp = pd.to_datetime(text, errors="coerce")
    if stamp is pd.NaT:
        way = f"2024-12-31{f' or {style}' if '%' in style and style != '%Y-%m-%d' else ''}"
        if column.notation is not None and "%" in column.notation.style:
            way = f"2024-12-31 or {write_as(pd.Series([pd.Timestamp(2024, 12, 31)]), column.notation)[0]}"
        raise DataError(
            f"column {column.name!r} is {column.kind}: expected a date, such as {way}, got {text!r:.80}; "
            "2013 is a year, 2013-01 a month"
        )
    day = not whole and re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None
    return stamp, stamp + pd.Timedelta(days=1) if day else None


def as_float(text: str) -> float:
    """Parse a number; NaN for other text."""
    try:
        return float(text)
    except ValueError:
        return math.nan
