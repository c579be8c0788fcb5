"""Evidence by the calendar: `January` is that month of any year, `Monday` that day of any week."""

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.column import Column

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def place_of(text: str, names: tuple[str, ...]) -> int | None:
    """Return which of the names a text is, whole or in its first three letters; None: none of them."""
    word = text.strip().casefold()
    return next((i for i, name in enumerate(names) if word in (name, name[:3])), None)


def named_days(column: Column, text: str) -> list[pd.Timestamp] | None:
    """Return the days of the fitted span that a month or a weekday names; None where the text is neither.

    Raises:
        DataError: the column has times of day, or there is no such day in the span.
    """
    month, weekday = place_of(text, MONTHS), place_of(text, WEEKDAYS)
    if column.kind != "date" or (month is None and weekday is None):
        return None
    if not column.date.whole:
        raise DataError(
            f"column {column.name!r} has times of day, and {text!r} names whole days of any year; give "
            "a range instead, such as between('2013-01-01', '2013-01-31 23:59')"
        )
    days = pd.date_range("1970-01-01", periods=0, unit="s")
    if column.seen.low is not None and column.seen.high is not None:
        span = np.arange(np.floor(column.seen.low), np.floor(column.seen.high) + 1).astype(np.int64)
        days = pd.DatetimeIndex(span.astype("datetime64[D]").astype("datetime64[s]"))
    days = days[days.month == month + 1] if month is not None else days[days.day_of_week == weekday]
    if not len(days):
        raise DataError(f"column {column.name!r}: no {text} was seen; values seen: {column.describe()}")
    return list(days)
