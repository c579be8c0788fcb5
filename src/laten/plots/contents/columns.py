"""One column of a table: what the model draws against the data, its reconstruction against the data, or as a colour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import LatenError, known
from laten.plots.contents.containers import FEW, as_labels, as_numbers, as_table, is_class, is_date, levels, n_rows

BINS = 30
OTHER = "other"
CROWDED, FAR = 0.6, 30.0  # of rows in one bin, and how much further off the largest are: an axis is bent


@dataclass(frozen=True)
class Marginal:
    """Shares of rows by bin or class; dates are days since 1970-01-01, durations seconds."""

    column: str
    edges: np.ndarray | None  # (bins + 1,) of numbers
    labels: tuple[str, ...]  # of classes
    model: np.ndarray  # (bins,)
    data: np.ndarray | None  # (bins,)
    date: bool = False
    linear: float | None = None  # the axis is logarithmic beyond it on both sides of 0; None: linear throughout


@dataclass(frozen=True)
class Agreement:
    """A column and its reconstruction: numbers `(rows,)`, or codes of classes, -1 where missing."""

    column: str
    labels: tuple[str, ...]  # of classes
    original: np.ndarray
    again: np.ndarray
    figure: float  # correlation of numbers, share of classes that agree
    shares: np.ndarray | None = None  # (classes, classes) of each original class, how it comes back
    date: bool = False
    linear: float | None = None  # as in `Marginal`


@dataclass(frozen=True)
class Colour:
    """The colours of points: numbers (NaN where missing), or codes of classes (-1 where missing)."""

    name: str
    values: np.ndarray  # (rows,)
    labels: tuple[str, ...] | None  # of classes
    date: bool = False


def marginal(name: str, drawn: pd.Series, real: pd.Series | None) -> Marginal:
    """Say how often each value comes, in draws and in data."""
    both = [drawn] if real is None else [drawn, real]
    if is_class(both[-1], FEW):
        texts = [as_labels(x).dropna() for x in both]
        order = list(dict.fromkeys(n for x in reversed(both) for n in levels(x)))
        labels = order if len(order) <= FEW else [*order[: FEW - 1], OTHER]
        texts = [x.where(x.isin(labels), OTHER) for x in texts]
        shares = [np.array([(x == n).mean() if len(x) else 0.0 for n in labels]) for x in texts]
        return Marginal(name, None, tuple(labels), shares[0], None if real is None else shares[1])
    numbers = [x[np.isfinite(x)] for x in map(as_numbers, both)]
    date, every = is_date(both[-1]), np.concatenate(numbers)
    linear = None if date else bent(numbers[-1])
    edges = bins(every, linear)
    shares = [np.histogram(x, edges)[0] / max(len(x), 1) for x in numbers]
    return Marginal(name, edges, (), shares[0], None if real is None else shares[1], date, linear)


def bent(x: np.ndarray) -> float | None:
    """Return up to which distance from 0 an axis is linear and beyond it logarithmic; None: a linear axis shows all.

    It is bent where most numbers fall into one bin near 0, such as many zeros beside few large amounts.
    """
    x = x[np.isfinite(x)]
    size = np.abs(x[x != 0])
    if len(size) < 10:
        return None
    largest, least = np.quantile(size, [0.99, 0.05])
    top = float(np.mean(np.abs(x) < 2 * largest / BINS))
    return float(10.0 ** np.floor(np.log10(least))) if top > CROWDED and largest > FAR * least else None


def bins(x: np.ndarray, linear: float | None = None) -> np.ndarray:
    """Choose edges that leave out one row in two hundred at either end; whole numbers are not split."""
    if not len(x):
        return np.array([0.0, 1.0])
    low, high = np.quantile(x, [0.005, 0.995])
    if linear is not None:  # of equal width on the bent axis, one of them round 0
        ends = np.arcsinh(np.array([low, high]) / linear)
        step = max(float(ends[1] - ends[0]) / BINS, 1e-9)
        first, last = np.floor(ends[0] / step + 0.5), np.ceil(ends[1] / step - 0.5)
        return np.asarray(linear * np.sinh((np.arange(first, last + 2) - 0.5) * step))
    if np.all(x % 1 == 0):
        low, high = np.floor(low) - 0.5, np.ceil(high) + 0.5
        step = max(1, int(np.ceil((high - low) / BINS)))
        return np.arange(low, high + step, step)
    return np.linspace(low, high if high > low else low + 1.0, BINS + 1)


def agreement(name: str, old: pd.Series, new: pd.Series) -> Agreement:
    """Compare a column with its reconstruction."""
    if is_class(old, 2):
        labels = tuple(dict.fromkeys([*levels(old), *levels(new)]))
        a, b = (codes(x, labels) for x in (old, new))
        seen = (a >= 0) & (b >= 0)
        counts = np.zeros((len(labels), len(labels)))
        np.add.at(counts, (a[seen], b[seen]), 1.0)
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1.0)
        return Agreement(name, labels, a, b, float(np.mean(a[seen] == b[seen])) if seen.any() else np.nan, shares)
    x, y = as_numbers(old), as_numbers(new)
    seen = np.isfinite(x) & np.isfinite(y)
    varied = seen.any() and np.ptp(x[seen]) > 0 and np.ptp(y[seen]) > 0
    r = float(np.corrcoef(x[seen], y[seen])[0, 1]) if varied else np.nan
    return Agreement(name, (), x, y, r, date=is_date(old), linear=None if is_date(old) else bent(x))


def colours(data: Any, colour: Any, kept: np.ndarray, view: Any = None) -> Colour:
    """Choose colours of the rows in `kept`, from a column of `data`, read as the model's view says, or from values.

    Raises:
        LatenError: no such column, or another number of values than rows.
    """
    name = ""
    if isinstance(colour, str):
        columns = list(data) if isinstance(data, Mapping | pd.DataFrame) else []
        if colour not in columns:
            raise LatenError(f"colour: there is no column {colour!r}; known: {known(columns)}, or give (rows,) values")
        name, colour = colour, as_table(data, view)[colour] if isinstance(data, pd.DataFrame) else data[colour]
    elif isinstance(colour, pd.Series) and colour.name is not None:
        name = str(colour.name)
    column = colour.reset_index(drop=True) if isinstance(colour, pd.Series) else pd.Series(np.ravel(np.asarray(colour)))
    if len(column) != n_rows(data):
        raise LatenError(f"colour: {len(column)} values for {n_rows(data)} rows; give one a row")
    if not is_class(column, 10):
        return Colour(name, as_numbers(column)[kept], None, is_date(column))
    labels = tuple(levels(column))
    return Colour(name, codes(column, labels)[kept], labels)


def codes(column: pd.Series, labels: tuple[str, ...]) -> np.ndarray:
    """Find the position of each label, -1 where missing."""
    return np.asarray(pd.Categorical(as_labels(column), categories=list(labels)).codes, int)
