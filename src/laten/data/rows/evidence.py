"""Evidence that is not one value, in numbers: an interval, or any of several values.

`between.py` declares it, `evidence_text.py` reads it from text. `likelihood` turns evidence into what a model needs: of
each class or bin the share that is allowed, P(evidence | class), and of a number that is no class the ends of its
interval.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.cells import Cells
from laten.data.columns.codecs import Log
from laten.data.columns.column import CLASSES, Column
from laten.data.columns.dtypes import dtype_of, zone_of
from laten.data.columns.encode import Within, codes_of
from laten.data.histogram.histogram import Histogram
from laten.data.messages import unknown
from laten.data.records import Plain
from laten.data.rows.between import Between as Between
from laten.data.rows.between import between as between
from laten.data.rows.evidence_text import moment
from laten.data.schema.schema import Schema

NEAR = 1e-6  # of a step of a grid: rounding
LEAST = 1e-30  # share of what is possible, in float32


def interval(column: Column, ends: Between) -> tuple[float, float]:
    """Return the ends of a closed interval in a number column's own scale (days, seconds), infinite where open.

    Raises:
        DataError: an end is no number, date or duration, the lower is above the upper, or the column can take no value
            between them.
    """
    low, high = ends.low, ends.high
    first = -math.inf if low is None else _end(column, low, False, ends.open_low)
    last = math.inf if high is None else _end(column, high, True, ends.open_high)
    if first > last and ends.closed == "both":
        raise DataError(f"column {column.name!r}: low {low!r} is above high {high!r}; exchange them")
    (least, most), grid = reach(column), grid_of(column)
    bottom, top = max(first, least), min(last, most)
    if grid is not None and math.isfinite(bottom) and math.isfinite(top):
        bottom, top = math.ceil(bottom * grid - NEAR), math.floor(top * grid + NEAR)
    if bottom > top:
        raise DataError(f"column {column.name!r}: no value fits the evidence {ends}; values seen: {column.describe()}")
    return first, last


def reach(column: Column) -> tuple[float, float]:
    """Return the smallest and the largest value that a column of numbers can take, in its own scale."""
    low, high = -math.inf, math.inf
    if column.kind == "count" or (column.kind == "positive" and column.low >= 0):
        low = 0.0 if not column.above else 10.0**-column.seen.decimals if column.seen.decimals is not None else 5e-324
    elif column.kind == "duration" and column.low >= 0:
        low = 0.0
    dtype = getattr(dtype_of(column.dtype), "numpy_dtype", dtype_of(column.dtype))
    if column.seen.form == "number" and isinstance(dtype, np.dtype) and dtype.kind in "iu":
        low, high = max(low, float(np.iinfo(dtype).min)), float(np.iinfo(dtype).max)
    return low, high


def grid_of(column: Column) -> float | None:
    """Return how many values a column of numbers can have in one unit of its own scale; None: any number."""
    if isinstance(column.codec, Histogram) and column.codec.grid is not None:
        return column.codec.grid
    if column.kind == "date":
        return 1.0 if column.date.whole else None
    return None if column.kind == "duration" or column.seen.decimals is None else 10.0**column.seen.decimals


def _inside(column: Column, x: float, upper: bool) -> float:
    """Return the next value inside an end that is left out."""
    grid = grid_of(column)
    if grid is None:
        return float(np.nextafter(x, -math.inf if upper else math.inf))
    return (math.ceil(x * grid - NEAR) - 1 if upper else math.floor(x * grid + NEAR) + 1) / grid


def _end(column: Column, value: Any, upper: bool, is_open: bool) -> float:
    """Return one end of a closed interval; a date may be a period, of which the end includes or excludes the whole."""
    if column.kind == "date" and isinstance(value, str):
        start, stop = moment(column, value)
        if stop is not None:
            edge = number(column, stop if upper != is_open else start)
            return _inside(column, edge, upper) if upper else edge
        value = start
    found = number(column, value)
    return _inside(column, found, upper) if is_open else found


def number(column: Column, value: Any) -> float:
    """Return a value of a number column in its own scale.

    Raises:
        DataError: no number, date or duration.
    """
    expected = "a number"
    try:
        if column.kind == "date":
            expected = "a date, such as 2024-12-31"
            if isinstance(value, int | float | np.number):  # pandas would count nanoseconds
                raise TypeError
            found = _days(column, moment(column, value)[0] if isinstance(value, str) else pd.Timestamp(value))
        elif column.kind == "duration":
            expected = "a duration, such as '2 days' or pd.Timedelta(hours=3)"
            found = math.nan if isinstance(value, int | float) else pd.Timedelta(value).total_seconds()
        else:
            found = math.nan if isinstance(value, str | bool) else float(value)
    except DataError:
        raise
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if math.isnan(found):
        raise DataError(f"column {column.name!r} is {column.kind}: expected {expected}, got {value!r:.80}")
    return found


def single(column: Column, value: Any) -> float:
    """Return one value of a number column, in its own scale, that the column can hold.

    Raises:
        DataError: no number, date or duration, or one that its cells cannot take.
    """
    found = number(column, value)
    low, high = reach(column)
    dtype = dtype_of(column.dtype)
    whole = column.seen.form == "number" and pd.api.types.is_integer_dtype(dtype)
    if (whole and not found.is_integer()) or not low <= found <= high:
        what = f"whole numbers ({column.dtype})" if whole else f"{column.kind}"
        raise DataError(f"column {column.name!r} is {what}: it cannot hold {value!r}; values seen: {column.describe()}")
    return found


def _days(column: Column, stamp: pd.Timestamp) -> float:
    """Return days since 1970-01-01 as `Cells.days` does: in the column's own zone for whole days, else in UTC."""
    zone = zone_of(dtype_of(column.dtype))
    if stamp is pd.NaT:
        return math.nan
    if stamp.tzinfo is not None:
        if zone is None:
            raise DataError(f"column {column.name!r} has no time zone, but {stamp} does; give a time without")
        stamp = stamp.tz_convert(zone if column.date.whole else "UTC").tz_localize(None)
    elif zone is not None and not column.date.whole:
        stamp = stamp.tz_localize(zone).tz_convert("UTC").tz_localize(None)
    return (stamp - pd.Timestamp(0)) / pd.Timedelta(days=1)


def limits(column: Column, given: Any) -> Within | None:
    """Say what evidence leaves for draws inside a bin or a group; None where all of it is left."""
    if column.kind in CLASSES:
        if column.groups is None or isinstance(given, Between):
            return None
        return Within(values=tuple(sorted(set(_positions(column, _values(column, given)).tolist()))))
    if isinstance(given, Between):
        return Within(interval(column, given))
    if not column.binned:
        return None
    return Within(values=tuple(sorted({number(column, v) for v in _values(column, given)})))


def likelihood(schema: Schema, evidence: Mapping[Any, Any]) -> dict[str, np.ndarray]:
    """Say what soft evidence allows of each node that it touches.

    Args:
        evidence: Column -> `between(...)`, or a list, tuple or set of values any of which it may be.
    Returns:
        Node -> float32. For classes and bins `(total,)`: the share in [0, 1] of each entry, packed column after
        column, that the evidence allows (binary columns have two entries), 1 where it says nothing. For other numbers
        `(2, *shape)`: ends of the allowed interval in the model's scale, infinite where open.
    Raises:
        DataError: an unknown column, an empty list, a level never seen, an interval of categories, evidence that leaves
            nothing possible.
    """
    found: dict[str, np.ndarray] = {}
    for block in schema.blocks:
        sizes = [2 if block.family_kind == "binary" else k for k in block.sizes]
        start = np.concatenate([[0], np.cumsum(sizes)])
        for i, column in enumerate(block.columns):
            if column.name not in evidence:
                continue
            given = evidence[column.name]
            if column.kind in CLASSES or column.binned:
                shares = found.setdefault(block.node, np.ones(start[-1], np.float32))
                shares[start[i] : start[i + 1]] = _shares(column, given)
            else:
                open_ended = np.array([[-np.inf], [np.inf]], np.float32)
                ends = found.setdefault(block.node, np.broadcast_to(open_ended, (2, len(sizes))).copy())
                ends[:, i] = _encoded(column, given)
        if block.node in found and block.family_kind in ("count", "real"):
            found[block.node] = found[block.node].reshape(2, *block.shape)
    lost = [name for name in evidence if name not in {n for b in schema.blocks for n in b.names}]
    if lost:
        raise unknown("modelled column", lost[0], [n for b in schema.blocks for n in b.names])
    return found


def _shares(column: Column, given: Any) -> np.ndarray:
    """Return P(evidence | entry) for each class or bin, `(size,)`."""
    if isinstance(given, Between):
        shares = _ranks(column, given) if column.kind in CLASSES else column.histogram.within(*interval(column, given))
    else:
        shares = _any_of(column, _values(column, given))
    if not shares.any():
        raise DataError(
            f"column {column.name!r}: no value fits the evidence {given!s:.80}; values seen: {column.describe()}"
        )
    return np.where(shares > 0, np.maximum(shares, LEAST), 0.0)


def _values(column: Column, given: Any) -> list[Any]:
    if not isinstance(given, list | tuple | set | frozenset):
        raise DataError(f"column {column.name!r}: expected between(low, high) or a list of values, got {given!r:.80}")
    if not given:
        raise DataError(f"column {column.name!r}: an empty list allows no value; add values, or leave the column out")
    if any(isinstance(v, Between | list | tuple) or pd.isna(v) for v in given):
        raise DataError(f"column {column.name!r}: a list of evidence must hold single values, got {list(given)!r:.80}")
    return list(given)


def _positions(column: Column, values: list[Any]) -> np.ndarray:
    """Return where values stand among a column's classes."""
    cells = np.empty(len(values), object)
    cells[:] = values
    series = pd.Series(cells)
    if pd.api.types.infer_dtype(series) in ("integer", "floating", "mixed-integer-float", "boolean"):
        series = series.infer_objects()
    return codes_of(column, Cells(column.name, series))


def classes_in(column: Column, given: Any) -> list[Plain]:
    """Return the classes of a column that evidence allows: a value, a list, or a range of ordered ones."""
    listed = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]
    at = np.flatnonzero(_ranks(column, given)) if isinstance(given, Between) else _positions(column, listed)
    return [column.classes[i] for i in at if i >= 0]


def _any_of(column: Column, values: list[Any]) -> np.ndarray:
    if column.kind in CLASSES:
        at, shares = np.unique(_positions(column, values)), np.zeros(column.size)
        if column.groups is None:
            shares[at] = 1.0
        else:
            np.add.at(shares, column.groups.encode(at), column.groups.shares[at])
        return np.minimum(shares, 1.0)
    distinct = {number(column, v) for v in values}
    each = {x: column.histogram.within(x, x) for x in distinct}
    never = [x for x, share in each.items() if not share.any()]
    if never:
        raise DataError(
            f"column {column.name!r} is continuous, so no single number, such as {never[0]:g}, has a probability; "
            f"give an interval: between({never[0]:g}, ...)"
        )
    return np.minimum(np.sum(list(each.values()), axis=0), 1.0)


def _ranks(column: Column, ends: Between) -> np.ndarray:
    """Mark with 1 the levels of an ordinal column that lie between two of them, or between two numbers."""
    levels = column.classes
    if column.kind != "ordinal":
        raise DataError(
            f"column {column.name!r} is {column.kind} and has no order; give a list of its levels, "
            f"such as {list(levels[:2])!r}, or make it ordinal in the schema"
        )
    rank = np.arange(len(levels))
    allowed = np.ones(len(levels), bool)
    for end, low, is_open in ((ends.low, True, ends.open_low), (ends.high, False, ends.open_high)):
        if end is None:
            continue
        numbers = all(isinstance(v, int | float) for v in (*levels, end)) and end not in levels
        place = np.array(levels, np.float64) if numbers else rank
        at = float(end) if numbers else int(codes_of(column, Cells(column.name, pd.Series([end])))[0])
        allowed &= place >= at if low else place <= at
        allowed &= (place != at) if is_open else True
    return allowed.astype(np.float64)


def _encoded(column: Column, given: Any) -> tuple[float, float]:
    """Return the ends of an interval in the scale of a model that knows no bins."""
    if not isinstance(given, Between):
        raise DataError(
            f"column {column.name!r} is {column.kind} in a declared network, which takes a value or "
            f"between(low, high), got {given!r:.80}"
        )
    low, high = interval(column, given)
    codec = column.map
    if column.kind == "count":
        return max(np.ceil(low) - 1, -1), np.floor(high)  # the model takes P(count ≤ high) − P(count ≤ low)
    least = -codec.shift if isinstance(codec, Log) else -np.inf
    ends = [codec.encode(np.array([v]))[0] if least < v < np.inf else v for v in (low, high)]
    return (-np.inf if low <= least else ends[0]), ends[1]
