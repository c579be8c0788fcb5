"""From a frame to a schema: what a statistician would take each column for, and why.

The rules, in order. Every decision carries its reason in plain words and can be overruled (`schema.with_kind`).

- one value: constant; two values, or true and false: binary;
- pandas categories: ordinal when ordered, else categorical;
- datetimes, and text of which every cell is one ISO format: date; timedeltas: duration;
- text: identifier when every cell differs (free text when long), categorical while each level has rows enough, else
  text;
- whole numbers (also floats that are whole because of holes): identifier when all differ and they run on in order or
  the name says so; few levels: ordinal, unless they start at 0 and thin out upwards as counts do; then count, unless
  large or far from zero and narrow (years), which are continuous;
- fractions: ordinal when few and often repeated, positive when never negative and skewed to the right, else real.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from laten.data.columns import parse
from laten.data.columns.ambiguous import refuse_words, refuse_zones
from laten.data.columns.cells import Cells, cells_of, check_frame, refuse_empty
from laten.data.columns.codecs import Date, Log, fit_codecs
from laten.data.columns.column import CLASSES, MAX_LEVELS, MOST_LEVELS, NUMBERS, Column, Seen
from laten.data.columns.dtypes import dtype_text
from laten.data.columns.durations import step_of
from laten.data.histogram.fit import day_grid, fit_histogram, loc_and_scale
from laten.data.histogram.histogram import Histogram
from laten.data.messages import span, unknown
from laten.data.records import Plain, replace
from laten.data.schema.contract import Group, Name
from laten.data.schema.duplicate_rows import copies, without_copies
from laten.data.schema.number_kinds import FEW, continuous, decimals_of, whole_numbers
from laten.data.schema.schema import Schema


def infer_schema(
    frame: pd.DataFrame,
    nodes: Mapping[str, Name | Sequence[Name]] | Iterable[str] = (),
    kinds: Mapping[Name, str] | None = None,
) -> Schema:
    """Decide a kind for each column of `frame`, with a stated reason.

    Args:
        frame: At least two rows; holes are welcome.
        nodes: Declared nodes. Names (each a column's: its own scalar node), or a dict from node to a column (scalar) or
            to a list of columns. Columns not named are set aside. Empty: one node a kind.
        kinds: Column -> the kind it shall have, as `schema.with_kind` sets it.
    Returns:
        The schema; `print` shows it as a table.
    Raises:
        DataError: not a frame, fewer than two rows, two columns of one name, a column without any value, infinities,
            words among numbers, several time zones in a column, a node without its column, or a kind that does not fit.
    """
    return infer(frame, cells_of(frame), nodes, kinds)


def infer(
    frame: pd.DataFrame,
    cells: Mapping[Name, Cells],
    nodes: Mapping[str, Name | Sequence[Name]] | Iterable[str] = (),
    kinds: Mapping[Name, str] | None = None,
) -> Schema:
    """Infer a schema as `infer_schema` does, from the frame's cells, which remain parsed."""
    check_frame(frame, rows=2)
    refuse_empty(frame)
    groups = []
    for node, names in nodes.items() if isinstance(nodes, Mapping) else ((n, n) for n in nodes):
        if isinstance(names, str | int):
            groups.append(Group(node, (names,), scalar=True))
        else:
            groups.append(Group(node, tuple(names)))
        for name in groups[-1].columns:
            if name not in frame.columns:
                raise unknown(f"column for node {node!r}:", name, frame.columns)
    kinds = kinds or {}
    for name in kinds:
        if name not in frame.columns:
            raise unknown("column", name, frame.columns)
    columns = [infer_column(cells[name], kinds.get(name)) for name in frame.columns]
    again = copies(frame)
    if again is not None:
        distinct = frame[~again]
        columns = [
            without_copies(c, infer_column(Cells(c.name, distinct[c.name]), kinds.get(c.name)), cells[c.name])
            if any(isinstance(k, Histogram) for k in c.seen.codecs)
            else c
            for c in columns
        ]
    return Schema(tuple(c.with_kind(kinds[c.name]) if c.name in kinds else c for c in columns), tuple(groups))


def infer_column(cells: Cells, wanted: str | None = None) -> Column:
    """Infer a column's kind, reason, levels and codecs; `wanted` is the kind it will be given, if any."""
    name, series, form, style = cells.name, cells.series, cells.form, cells.style
    zone = None
    if style is None and form in ("date", "text") and (wanted is None or wanted in NUMBERS):
        zone = refuse_zones(series, name)
        if form == "text":
            refuse_words(series, name, pd.Series(cells.factor[1], dtype=object))
    if style is not None:
        kind, reason, levels, seen = _dates(cells, style)
    elif form == "class":
        kind, reason, levels, seen = _categories(series)
    elif form == "bool":
        kind, reason, levels, seen = _booleans(series)
    elif form == "number":
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near the float limit
            kind, reason, levels, seen = _numbers(cells)
    elif form == "duration":
        kind, reason, levels, seen = _durations(cells)
    elif form == "text":
        kind, reason, levels, seen = _text(cells)
    else:
        what = f"cells of type {series.dtype} are not modelled"
        kind, reason, levels = "text", f"{what}; make numbers, dates or text of them", None
        seen = Seen(len(series), int(series.isna().sum()), "other")
    if zone is not None and kind not in (*CLASSES, "constant"):
        kind, reason = "text", f"times in zone {zone}; to have them modelled, convert them: pd.to_datetime(...)"
    dtype, levels = dtype_text(series), levels if kind in (*CLASSES, "constant") else None
    return Column(name, kind, reason, dtype, levels, seen)


_Verdict = tuple[str, str, tuple[Plain, ...] | None, Seen]


def _few(values: Sequence[Plain]) -> str:
    return ", ".join(repr(v) for v in values[:6]) + (", …" if len(values) > 6 else "")


def _dates(cells: Cells, style: str) -> _Verdict:
    series, x = cells.series, cells.days(style, whole=True)
    whole = bool(np.all(np.mod(x[~np.isnan(x)], 1) == 0))
    if not whole:
        x = cells.days(style, whole=False)
    x = x[~np.isnan(x)]
    loc, scale = loc_and_scale(x)
    texts = tuple(sorted({str(v) for v in series.dropna().unique()})) if x.min() == x.max() else None
    seen = Seen(len(series), len(series) - len(x), "date", texts, float(x.min()), float(x.max()), None,
                (Date(loc, scale, whole, style), fit_histogram(x, day_grid(x), dates=True)))  # fmt: skip
    if texts is not None:
        return "constant", f"one date only: {texts[0]}", texts[:1], seen
    what = "dates" if style in ("datetime", "date") else f"text, every cell a date written as {style}"
    return "date", what + (", whole days" if whole else ", with time of day"), None, seen


def _durations(cells: Cells) -> _Verdict:
    series, x = cells.series, cells.seconds
    x = x[~np.isnan(x)]
    low, high = float(x.min()), float(x.max())
    codecs = fit_codecs(x)
    kind, why = continuous(x, Seen(len(series), len(series) - len(x), "duration", codecs=codecs), "durations")
    text = (span(low),) if low == high else None
    kept = tuple(c for c in codecs if kind == "positive" or not isinstance(c, Log))
    step = step_of(x)
    kept += (fit_histogram(x, None if step is None else 1 / step),)
    seen = Seen(len(series), len(series) - len(x), "duration", text, low, high, None, kept, step=step)
    if text is not None:
        return "constant", f"one duration only: {text[0]}", text, seen
    whole = {86_400.0: ", whole days", 3600.0: ", whole hours", 60.0: ", whole minutes"}.get(seen.step or 0.0, "")
    return "duration", why + whole, None, seen


def _categories(series: pd.Series) -> _Verdict:
    levels = tuple(parse.plain(c) for c in series.cat.categories)
    used = series.cat.remove_unused_categories().cat.categories
    observed = tuple(parse.plain(c) for c in used)
    missing = int(series.isna().sum())
    tally = tuple(np.bincount(series.cat.codes[series.notna()], minlength=len(levels)).tolist())
    rare = 3 * len(observed) > len(series) - missing
    few = len(levels) <= (MAX_LEVELS if series.cat.ordered or rare else MOST_LEVELS)
    seen = Seen(len(series), missing, "class", levels if few else None, counts=tally if few else ())
    if len(observed) == 1:
        seen = Seen(len(series), missing, "class", observed, counts=(len(series) - missing,))
        return "constant", f"one category only: {observed[0]!r}", observed, seen
    if len(levels) == 2:
        return "binary", f"pandas category of 2 levels: {_few(levels)}", levels, seen
    if not few:
        why = "for an order" if series.cat.ordered else "for so few rows"
        return "text", f"pandas category of {len(levels)} levels: too many {why}", None, seen
    if series.cat.ordered:
        return "ordinal", f"ordered pandas category of {len(levels)} levels", levels, seen
    return "categorical", f"pandas category of {len(levels)} levels", levels, seen


def _booleans(series: pd.Series) -> _Verdict:
    x = series.dropna().astype(bool).to_numpy()
    if x.all() or not x.any():
        value = (bool(x[0]),)
        seen = Seen(len(series), len(series) - len(x), "bool", value, counts=(len(x),))
        return "constant", f"only {value[0]}", value, seen
    tally = (int((~x).sum()), int(x.sum()))
    seen = Seen(len(series), len(series) - len(x), "bool", (False, True), counts=tally)
    return "binary", "true and false", (False, True), seen


def _text(cells: Cells) -> _Verdict:
    series, (at, found) = cells.series, cells.factor
    at = at[at >= 0]
    counts = dict(zip(map(parse.plain, found), np.bincount(at, minlength=len(found)).tolist(), strict=True))
    values = tuple(sorted(counts, key=lambda v: (isinstance(v, str), v)))
    n, k = len(at), len(values)
    seen = Seen(len(series), len(series) - n, "text")
    if k <= (MAX_LEVELS if 3 * k > n else MOST_LEVELS):
        seen = replace(seen, values=values, counts=tuple(counts[v] for v in values))
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
    if (k <= 20 and k <= 0.7 * n) or (n >= 3 * k and k <= MOST_LEVELS):
        return "categorical", f"{k} distinct values: {_few(values)}", values, seen
    return "text", f"{k} different values in {n} rows: too many for so few rows", None, seen


def _numbers(cells: Cells) -> _Verdict:
    series, x = cells.series, cells.numbers
    x = x[~np.isnan(x)]
    values = np.sort(pd.unique(x))
    decimals = decimals_of(values.astype(np.float32) if str(series.dtype).lower().startswith("float32") else values)
    levels = tuple(int(v) if v.is_integer() else v for v in values[: MAX_LEVELS + 1].tolist())
    seen = Seen(
        rows=len(series),
        missing=len(series) - len(x),
        form="number",
        values=levels if len(values) <= MAX_LEVELS else None,
        low=float(values[0]),
        high=float(values[-1]),
        decimals=decimals,
        codecs=(*fit_codecs(x), fit_histogram(x, None if decimals is None else 10.0**decimals)),
        counts=tuple(np.bincount(np.searchsorted(values, x)).tolist()) if len(values) <= MAX_LEVELS else (),
    )
    k, span = len(values), f"{values[0]:g}..{values[-1]:g}"
    if np.abs(values).max() >= 2**53 and not pd.api.types.is_float_dtype(series.dtype):
        seen = replace(seen, values=None, counts=())
        return "identifier", f"whole numbers {span}, too large to be told apart as floats", None, seen
    if k == 1:
        return "constant", f"one value only: {levels[0]}", levels, seen
    if k == 2 and len(x) > 2:
        return "binary", f"2 distinct values: {_few(levels)}", levels, seen
    if decimals != 0:
        if k <= FEW and len(x) >= 20 * k:
            return "ordinal", f"only {k} distinct numbers: {_few(levels)}", levels, seen
        return *continuous(x, seen, f"numbers {span}"), None, seen
    kind, reason = whole_numbers(cells.name, x, values, seen, span)
    return kind, reason, levels, seen
