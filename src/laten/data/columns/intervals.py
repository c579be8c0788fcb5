"""Columns of intervals, such as `pd.cut` makes them, as classes: each interval is a level, called by its text.

An end that is whole is written without a fraction: pandas has intervals of whole numbers only where none is empty.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from laten.data.columns.dtypes import OF, categories


def intervals_of(series: pd.Series) -> pd.Series:
    """Return a column of objects that are intervals in the dtype for these; another column as it is."""
    if series.dtype != object:
        return series
    first = next((v for v in series.array if v is not None and v is not pd.NA and not isinstance(v, float)), None)
    if not isinstance(first, pd.Interval):
        return series
    try:
        return pd.Series(pd.arrays.IntervalArray(series), index=series.index, name=series.name)
    except (TypeError, ValueError):  # some are none, or of other sorts
        return series


def classes_of(series: pd.Series) -> pd.Series:
    """Return intervals as a category of their texts, ordered where they do not overlap; other cells as they are."""
    if not isinstance(series.dtype, pd.IntervalDtype):
        return series
    at, intervals = pd.factorize(series.array)
    order = np.lexsort((intervals.right, intervals.left))
    texts = pd.Index([text_of(v) for v in intervals[order]])
    if not texts.is_unique or not categories(list(texts), f"{OF}{series.dtype}").equals(pd.Index(intervals[order])):
        return series
    apart = not pd.IntervalIndex(intervals).is_overlapping
    codes = np.append(np.argsort(order), -1)[at]
    return pd.Series(pd.Categorical.from_codes(codes, texts, ordered=apart), index=series.index)


def level_of(value: Any, levels: Sequence[Any]) -> Any:
    """Return the level that is the same interval; what is no interval, or none of these, as it is."""
    if not isinstance(value, pd.Interval):
        return value
    number = isinstance(value.left, int | float | np.number)
    wide = str(pd.Interval(float(value.left), float(value.right), value.closed)) if number else ""
    return next((text for text in (str(value), text_of(value), wide) if text in levels), value)


def text_of(value: pd.Interval) -> str:
    """Return an interval as text; whole numbers without a fraction."""

    def end(x: Any) -> Any:
        return int(x) if isinstance(x, float | np.floating) and float(x).is_integer() else x

    return str(pd.Interval(end(value.left), end(value.right), value.closed))
