"""The kind of a column of numbers: count, positive, real, ordinal or identifier, and why (`infer.py` has the rules)."""

import re

import numpy as np

from laten.data.columns.codecs import choose_codec
from laten.data.columns.column import Seen
from laten.data.histogram.find_bins import loc_and_scale

_ID_NAME = re.compile(r"(^|[_\W])(id|key|index|idx|uuid|guid|row_?(nr|number)?)$", re.IGNORECASE)
_ID_CAMEL = re.compile(r"[a-z](Id|ID)$")
FEW = 10  # levels of an ordinal scale that may start anywhere
YEARS = (1800, 2100)  # running numbers within are a series of years
_SCALE = 20  # levels of an ordinal scale without gaps and with rows enough


def whole_numbers(name: str | int, x: np.ndarray, values: np.ndarray, seen: Seen, span: str) -> tuple[str, str]:
    """Return kind and reason of whole numbers `x`, `(rows,)`, with the distinct `values` in order."""
    n, k, low = len(x), len(values), values[0]
    dense = values[-1] - low == k - 1  # no gaps
    if k == n and n >= 3:
        named = named_as_id(name)
        years = YEARS[0] <= low and values[-1] <= YEARS[1]
        if named or (n >= 10 and dense and not years):
            why = "the name says so" if named else "running numbers"
            return "identifier", f"whole numbers {span}, all different, {why}"
    repeated = n >= 5 * k
    if low >= 0 and np.median(x) >= 1000 and k > _SCALE:
        return continuous(x, seen, f"large whole numbers {span}")
    if low == 0 and _counts(x, values, dense):
        return "count", f"whole numbers {span} that thin out upwards"
    if (k <= FEW and repeated) or (k <= _SCALE and dense and n >= 20 * k):
        return "ordinal", f"few whole numbers {span}, {k} levels"
    if low < 0:
        return "real", f"whole numbers {span}, some below zero"
    if np.var(x) < 0.5 * np.mean(x):
        return "real", f"whole numbers {span}, closer together than counts of that size"
    return "count", f"whole numbers {span}"


def named_as_id(name: str | int) -> bool:
    """Say whether a column is called like a name of rows."""
    return isinstance(name, str) and bool(_ID_NAME.search(name) or _ID_CAMEL.search(name))


def _counts(x: np.ndarray, values: np.ndarray, dense: bool) -> bool:
    """Say whether whole numbers from 0 look counted: the top is rare and the spread is that of a count."""
    top = np.mean(x == values[-1])
    spread = np.var(x) >= 0.6 * np.mean(x)
    return bool(spread and (top < 0.5 / len(values) or not dense) and len(values) > 2)


def continuous(x: np.ndarray, seen: Seen, what: str) -> tuple[str, str]:
    """Return kind and reason of numbers that are not counted: positive when skewed to the right, else real."""
    skew = _skewness(x)
    codec = choose_codec("positive", seen.codecs) if np.mean(x == 0) < 0.2 else None
    if skew > 1 and codec is not None and abs(_skewness(codec.encode(x))) < skew:
        zero = "" if x.min() > 0 else "; zeros among them, so the log is shifted"
        return "positive", f"{what}, skewed to the right (skewness {skew:.1f}){zero}"
    return "real", what


def _skewness(x: np.ndarray) -> float:
    loc, scale = loc_and_scale(x)
    return float(np.mean(((x - loc) / scale) ** 3))


def decimals_of(values: np.ndarray, most: int = 4) -> int | None:
    """Return how many digits after the point suffice for all `values`; None for more than `most`."""
    for digits in range(most + 1 if np.abs(values).max() < 2**53 else 0):
        if np.array_equal(np.round(values, digits), values):
            return digits
    return None
