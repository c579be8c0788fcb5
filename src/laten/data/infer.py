"""From a frame to a schema: what a statistician would take each column for, and why.

The rules, in order. Every decision carries its reason in plain words and can be overruled (`schema.with_kind`).

- one value: constant; two values, or true and false: binary;
- pandas categories: ordinal when ordered, else categorical;
- datetimes, and text of which every cell is one ISO format: date;
- text: identifier when every cell differs (free text when long), categorical while each level has rows enough, else
  text;
- whole numbers (also floats that are whole because of holes): identifier when all differ and they run on in order or
  the name says so; few levels: ordinal, unless they start at 0 and thin out upwards as counts do; then count, unless
  large or far from zero and narrow (years), which are continuous;
- fractions: ordinal when few and often repeated, positive when never negative and skewed to the right, else real.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from laten.data import cells
from laten.data.checks import check_frame, unknown
from laten.data.codecs import Date, choose_codec, fit_codecs, loc_and_scale
from laten.data.columns import CLASSES, MAX_LEVELS, Column, Seen
from laten.data.plain import Plain
from laten.data.schema import Group, Name, Schema
from laten.errors import DataError, known

_ID_NAME = re.compile(r"(^|[_\W])(id|key|index|idx|uuid|guid|row_?(nr|number)?)$", re.IGNORECASE)
_ID_CAMEL = re.compile(r"[a-z](Id|ID)$")
_FEW = 10  # levels of an ordinal scale that may start anywhere
_SCALE = 20  # levels of an ordinal scale without gaps and with rows enough


def infer_schema(frame: pd.DataFrame, nodes: Mapping[str, Name | Sequence[Name]] | Iterable[str] = ()) -> Schema:
    """Decides a kind for each column of `frame`, with a stated reason.

    Args:
        frame: At least two rows; holes are welcome.
        nodes: Declared nodes. Names (each a column's: its own scalar node), or a dict from node to a column (scalar) or
            to a list of columns. Columns not named are set aside. Empty: one node a kind.
    Returns:
        The schema; `print` shows it as a table.
    Raises:
        DataError: not a frame, fewer than two rows, two columns of one name, a column without any value, infinities, or
            a node without its column.
    """
    check_frame(frame, rows=2)
    empty = [name for name in frame.columns if not frame[name].notna().any()]
    if empty:
        raise DataError(
            f"no value at all in column{'s' if len(empty) > 1 else ''} {known(empty)}: all {len(frame)} rows are empty "
            f"and nothing can be learned; drop it: frame.drop(columns={known(empty)})"
        )
    groups = []
    for node, names in nodes.items() if isinstance(nodes, Mapping) else ((n, n) for n in nodes):
        if isinstance(names, str | int):
            groups.append(Group(node, (names,), scalar=True))
        else:
            groups.append(Group(node, tuple(names)))
        for name in groups[-1].columns:
            if name not in frame.columns:
                raise unknown(f"column for node {node!r}:", name, frame.columns)
    return Schema(tuple(infer_column(name, frame[name]) for name in frame.columns), tuple(groups))


def infer_column(name: Name, series: pd.Series) -> Column:
    """One column's kind, reason, levels and codec."""
    name = int(name) if isinstance(name, np.integer) else name
    form = cells.form_of(series)
    style = cells.style_of(series)
    if style is not None:
        kind, reason, levels, seen = _dates(name, series, style)
    elif form == "class":
        kind, reason, levels, seen = _categories(series)
    elif form == "bool":
        kind, reason, levels, seen = _booleans(series)
    elif form == "number":
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near the float limit
            kind, reason, levels, seen = _numbers(name, series)
    elif form == "text":
        kind, reason, levels, seen = _text(series)
    else:
        what = "time spans" if pd.api.types.is_timedelta64_dtype(series.dtype) else f"cells of type {series.dtype}"
        kind, reason, levels = "text", f"{what} are not modelled; make numbers, dates or text of them", None
        seen = Seen(len(series), int(series.isna().sum()), "other")
    dtype = cells.dtype_text(series)
    return Column(name, kind, reason, dtype, levels if kind in (*CLASSES, "constant") else None,
                  choose_codec(kind, seen.codecs), seen)  # fmt: skip


_Verdict = tuple[str, str, tuple[Plain, ...] | None, Seen]


def _few(values: Sequence[Plain]) -> str:
    return ", ".join(repr(v) for v in values[:6]) + (", …" if len(values) > 6 else "")


def _dates(name: Name, series: pd.Series, style: str) -> _Verdict:
    x = cells.days(series, name, style, whole=True)
    whole = bool(np.all(np.mod(x[~np.isnan(x)], 1) == 0))
    if not whole:
        x = cells.days(series, name, style, whole=False)
    x = x[~np.isnan(x)]
    loc, scale = loc_and_scale(x)
    texts = tuple(sorted({str(v) for v in series.dropna().unique()})) if x.min() == x.max() else None
    seen = Seen(len(series), len(series) - len(x), "date", texts, float(x.min()), float(x.max()), None,
                (Date(loc, scale, whole, style),))  # fmt: skip
    if texts is not None:
        return "constant", f"one date only: {texts[0]}", texts[:1], seen
    what = "dates" if style in ("datetime", "date") else f"text, every cell a date written as {style}"
    return "date", what + (", whole days" if whole else ", with time of day"), None, seen


def _categories(series: pd.Series) -> _Verdict:
    levels = tuple(cells.plain(c) for c in series.cat.categories)
    used = series.cat.remove_unused_categories().cat.categories
    observed = tuple(cells.plain(c) for c in used)
    missing = int(series.isna().sum())
    seen = Seen(len(series), missing, "class", levels if len(levels) <= MAX_LEVELS else None)
    if len(observed) == 1:
        seen = Seen(len(series), missing, "class", observed)
        return "constant", f"one category only: {observed[0]!r}", observed, seen
    if len(levels) == 2:
        return "binary", f"pandas category of 2 levels: {_few(levels)}", levels, seen
    if len(levels) > MAX_LEVELS:
        return "text", f"pandas category of {len(levels)} levels: too many to model", None, seen
    if series.cat.ordered:
        return "ordinal", f"ordered pandas category of {len(levels)} levels", levels, seen
    return "categorical", f"pandas category of {len(levels)} levels", levels, seen


def _booleans(series: pd.Series) -> _Verdict:
    x = series.dropna().astype(bool).to_numpy()
    if x.all() or not x.any():
        value = (bool(x[0]),)
        return "constant", f"only {value[0]}", value, Seen(len(series), len(series) - len(x), "bool", value)
    seen = Seen(len(series), len(series) - len(x), "bool", (False, True))
    return "binary", "true and false", (False, True), seen


def _text(series: pd.Series) -> _Verdict:
    cells_ = series.dropna().astype(object)
    tally = cells_.value_counts(sort=False)
    values = tuple(sorted((cells.plain(v) for v in tally.index), key=lambda v: (isinstance(v, str), v)))
    n, k = len(cells_), len(values)
    seen = Seen(len(series), len(series) - n, "text", values if k <= MAX_LEVELS else None)
    if k == 1:
        return "constant", f"one value only: {values[0]!r}", values, seen
    if k == 2 and n > 2:
        return "binary", f"2 distinct values: {_few(values)}", values, seen
    texts = pd.Series(values[:2000], dtype=object).astype(str)
    length, words = texts.str.len().mean(), texts.str.count(r"\s").mean() + 1
    if k == n:
        if length > 40 or words > 5:
            return "text", f"all different in {n} rows, {words:.0f} words each", None, seen
        return "identifier", f"all different text in {n} rows", None, seen
    if (k <= 20 and k <= 0.7 * n) or (k <= 255 and n >= 10 * k):
        return "categorical", f"{k} distinct values: {_few(values)}", values, seen
    return "text", f"{k} different values in {n} rows: too many for so few rows", None, seen


def _numbers(name: Name, series: pd.Series) -> _Verdict:
    x = cells.numbers(series, name)
    x = x[~np.isnan(x)]
    values = np.sort(pd.unique(x))
    decimals = _decimals(values.astype(np.float32) if str(series.dtype).lower().startswith("float32") else values)
    levels = tuple(cells.plain(v) for v in values[: MAX_LEVELS + 1])
    seen = Seen(
        rows=len(series),
        missing=len(series) - len(x),
        form="number",
        values=levels if len(values) <= MAX_LEVELS else None,
        low=float(values[0]),
        high=float(values[-1]),
        decimals=decimals,
        codecs=fit_codecs(x),
    )
    k, span = len(values), f"{values[0]:g}..{values[-1]:g}"
    if np.abs(values).max() >= 2**53 and not pd.api.types.is_float_dtype(series.dtype):
        seen = replace(seen, values=None)
        return "identifier", f"whole numbers {span}, too large to be told apart as floats", None, seen
    if k == 1:
        return "constant", f"one value only: {levels[0]}", levels, seen
    if k == 2 and len(x) > 2:
        return "binary", f"2 distinct values: {_few(levels)}", levels, seen
    if decimals != 0:
        if k <= _FEW and len(x) >= 20 * k:
            return "ordinal", f"only {k} distinct numbers: {_few(levels)}", levels, seen
        return *_continuous(x, seen, f"numbers {span}"), None, seen
    kind, reason = _whole(name, x, values, seen, span)
    return kind, reason, levels, seen


def _whole(name: Name, x: np.ndarray, values: np.ndarray, seen: Seen, span: str) -> tuple[str, str]:
    n, k, low = len(x), len(values), values[0]
    dense = values[-1] - low == k - 1  # no gaps
    if k == n and n >= 3:
        named = isinstance(name, str) and bool(_ID_NAME.search(name) or _ID_CAMEL.search(name))
        ordered = bool(np.all(np.diff(x) > 0) or np.all(np.diff(x) < 0))
        if named or (n >= 10 and (dense or ordered)):
            why = "the name says so" if named else ("running numbers" if dense else "in order")
            return "identifier", f"whole numbers {span}, all different, {why}"
    repeated = n >= 5 * k
    if low >= 0 and np.median(x) >= 1000 and k > _SCALE:
        return _continuous(x, seen, f"large whole numbers {span}")
    if low == 0 and _counts(x, values, dense):
        return "count", f"whole numbers {span} that thin out upwards"
    if (k <= _FEW and repeated) or (k <= _SCALE and dense and n >= 20 * k):
        return "ordinal", f"few whole numbers {span}, {k} levels"
    if low < 0:
        return "real", f"whole numbers {span}, some below zero"
    if np.var(x) < 0.5 * np.mean(x):
        return "real", f"whole numbers {span}, closer together than counts of that size"
    return "count", f"whole numbers {span}"


def _counts(x: np.ndarray, values: np.ndarray, dense: bool) -> bool:
    """True when whole numbers from 0 look counted: the top is rare and the spread is that of a count."""
    top = np.mean(x == values[-1])
    spread = np.var(x) >= 0.6 * np.mean(x)
    return bool(spread and (top < 0.5 / len(values) or not dense) and len(values) > 2)


def _continuous(x: np.ndarray, seen: Seen, what: str) -> tuple[str, str]:
    skew = _skewness(x)
    codec = choose_codec("positive", seen.codecs) if np.mean(x == 0) < 0.2 else None
    if skew > 1 and codec is not None and abs(_skewness(codec.encode(x))) < skew:
        zero = "" if x.min() > 0 else "; zeros among them, so the log is shifted"
        return "positive", f"{what}, skewed to the right (skewness {skew:.1f}){zero}"
    return "real", what


def _skewness(x: np.ndarray) -> float:
    loc, scale = loc_and_scale(x)
    return float(np.mean(((x - loc) / scale) ** 3))


def _decimals(values: np.ndarray) -> int | None:
    for digits in range(5 if np.abs(values).max() < 2**53 else 0):
        if np.array_equal(np.round(values, digits), values):
            return digits
    return None
