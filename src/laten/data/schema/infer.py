"""From a frame to a schema: what a statistician would take each column for, and why.

The rules, in order. Every decision carries its reason in plain words and can be overruled (`schema.with_kind`).

- one value: constant; two values, or true and false: binary;
- pandas categories: ordinal when ordered, else categorical;
- datetimes, and text of which every cell is one ISO format: date; timedeltas: duration;
- text: identifier when every cell differs (free text when long), categorical while each level has rows enough, else
  text;
- whole numbers (also floats that are whole because of holes): identifier when all differ and they run on without gaps
  (years excepted) or the name says so; few levels: ordinal, unless they start at 0 and thin out upwards as counts do;
  then count, unless large or far from zero and narrow (years), which are continuous;
- fractions: ordinal when few and often repeated, positive when never negative and skewed to the right, else real.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError, known
from laten.data.columns.ambiguous import refuse_words, refuse_zones
from laten.data.columns.cells import Cells, cells_of, check_frame
from laten.data.columns.codecs import Date, Log, fit_codecs
from laten.data.columns.column import ASIDE, CLASSES, MAX_LEVELS, MOST_DIGITS, MOST_LEVELS, NUMBERS, Column, Seen
from laten.data.columns.dtypes import dtype_text
from laten.data.columns.later_cells import as_noted
from laten.data.constraints import Constraint
from laten.data.containers.containers import as_table
from laten.data.histogram.find_bins import day_grid, fit_histogram, loc_and_scale
from laten.data.histogram.histogram import Histogram
from laten.data.messages import shown, span, unknown
from laten.data.records import plain_of, replace
from laten.data.schema.contract import Name, Nodes, groups_of
from laten.data.schema.duplicate_rows import copies, without_copies
from laten.data.schema.find_ties import find_ties
from laten.data.schema.notations import with_notation
from laten.data.schema.number_kinds import FEW, continuous, decimals_of, whole_numbers
from laten.data.schema.schema import Schema
from laten.data.schema.ties import declared, fitted, in_order, with_bounds
from laten.data.schema.worth_a_look import remarks
from laten.data.text.notation import OF_KIND, recorded


def infer_schema(
    frame: Any,
    nodes: Nodes = (),
    kinds: Mapping[Name, str] | None = None,
    cells: Mapping[Name, Cells] | None = None,
    constraints: Sequence[str | Constraint] = (),
) -> Schema:
    """Decide a kind for each column of `frame`, with a stated reason.

    Args:
        frame: A table in any container that `VAE.fit` takes; at least two rows, holes are welcome.
        nodes: Declared nodes. Names (each a column's: its own scalar node), or a dict from node to a column (scalar) or
            to a list of columns. Columns not named are set aside. Empty: one node a kind.
        kinds: Column -> the kind it shall have, as `schema.with_kind` sets it.
        cells: The frame's cells (`cells_of`), where they will be asked again; they remain parsed.
        constraints: What all rows keep, beside what is found: texts such as "start <= end", "total = a + b",
            "city -> state", "city, zip", "0 <= share <= 1", or objects of `laten.constraints`.
    Returns:
        The schema; `print` shows it as a table.
    Raises:
        DataError: no table, fewer than two rows, two columns of one name, no value in any column, infinities,
            words among numbers, several time zones in a column, a node without its column, a kind that does not fit, or
            rows that do not keep a constraint.
    """
    frame = check_frame(frame if isinstance(frame, pd.DataFrame) else as_table(frame), rows=2)
    record = recorded(frame.attrs)
    ids: dict[Name, str] = {} if record is None else {n: "identifier" for n in record.ids if n in frame.columns}
    kinds, cells = {**ids, **(kinds or {})}, cells or cells_of(frame)
    groups = groups_of(nodes)
    named = [(f"column for node {g.node!r}:", name) for g in groups for name in g.columns]
    for what, name in [*named, *(("column", name) for name in kinds)]:
        if name not in frame.columns:
            raise unknown(what, name, frame.columns)
    refuse_empty(frame, {*(n for g in groups for n in g.columns), *(n for n, k in kinds.items() if k not in ASIDE)})
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
    columns = [with_notation(c, record, cells[c.name]) for c in columns]
    told = tuple(_told(c, kinds[c.name], cells[c.name]) if c.name in kinds else c for c in columns)
    return tied(Schema(told, groups), cells, constraints)


def tied(
    schema: Schema, cells: Mapping[Name, Cells], constraints: Sequence[str | Constraint] = (), search: bool = True
) -> Schema:
    """Return a schema with what its rows keep, and what is worth a look.

    Args:
        cells: Of the rows.
        constraints: Those declared.
        search: Keep those that are found as well.
    Raises:
        DataError: a constraint that cannot be, or that a row does not keep.
    """
    told = declared(constraints, schema.columns, cells)
    by_name = {c.name: c for c in schema.columns}
    found = find_ties(schema.columns, cells, told)
    exact = [fitted(f.constraint, by_name, cells) for f in found if f.exact and search]
    columns = with_bounds(schema.columns, told)
    return replace(
        schema,
        columns=columns,
        constraints=in_order((*told, *exact)),
        worth_a_look=remarks(columns, cells, [f for f in found if search or not f.exact]),
    )


def _told(column: Column, kind: str, cells: Cells) -> Column:
    """Return a column of the kind that it is said to be; of text that is not, the cells are named that differ."""
    try:
        return column.with_kind(kind)
    except DataError:
        if cells.form == "text" and kind in NUMBERS:
            as_noted(cells, OF_KIND[kind])
        raise


def infer_column(cells: Cells, wanted: str | None = None) -> Column:
    """Infer a column's kind, reason, levels and codecs; `wanted` is the kind it will be given, if any."""
    name, series, form, style = cells.name, cells.series, cells.form, cells.style
    if not series.notna().any():
        nothing = Seen(len(series), len(series), "other")
        return Column(name, "text", "no value at all: set aside", dtype_text(cells.came), None, nothing)
    zone = None
    if style is None and form in ("date", "text") and (wanted is None or wanted in NUMBERS):
        zone = refuse_zones(series, name)
        if form == "text":
            refuse_words(series, name, pd.Series(cells.factor[1], dtype=object))
    look = {"class": _categories, "bool": _booleans, "number": _numbers, "duration": _durations, "text": _text}
    kind, reason, seen = _dates(cells, style) if style is not None else look.get(form, _others)(cells)
    if zone is not None and kind not in (*CLASSES, "constant"):
        kind, reason = "text", f"times in zone {zone}; to have them modelled, convert them: pd.to_datetime(...)"
    levels = seen.values if kind in CLASSES else None
    if form == "class" and levels is not None:  # a level without any row would be drawn
        levels = tuple(v for v, n in zip(levels, seen.counts, strict=True) if n)
    if kind == "constant" and seen.values:
        levels = seen.values[:1]  # one date may be written in several ways
    return Column(name, kind, reason, dtype_text(cells.came), levels, seen)


_Verdict = tuple[str, str, Seen]  # kind, reason, facts


def _others(cells: Cells) -> _Verdict:
    series = cells.series
    if series.dtype.kind == "c":
        raise DataError(
            f"column {series.name!r} holds complex numbers; take their real and imaginary parts as two columns"
        )
    reason = f"cells of type {series.dtype} are not modelled; make numbers, dates or text of them"
    return "text", reason, Seen(len(series), int(series.isna().sum()), "other")


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
        return "constant", f"one date only: {texts[0]}", seen
    what = "dates" if style in ("datetime", "date") else f"text, every cell a date written as {style}"
    return "date", what + (", whole days" if whole else ", with time of day"), seen


def _durations(cells: Cells) -> _Verdict:
    series, x = cells.series, cells.seconds
    x = x[~np.isnan(x)]
    low, high = float(x.min()), float(x.max())
    codecs = fit_codecs(x)
    kind, why = continuous(x, Seen(len(series), len(series) - len(x), "duration", codecs=codecs), "durations")
    text = (span(low),) if low == high else None
    kept = tuple(c for c in codecs if kind == "positive" or not isinstance(c, Log))
    step = next((s for s in (86_400.0, 3600.0, 60.0, 1.0) if np.all(np.mod(x, s) == 0)), None)
    kept += (fit_histogram(x, None if step is None else 1 / step),)
    seen = Seen(len(series), len(series) - len(x), "duration", text, low, high, None, kept, step=step)
    if text is not None:
        return "constant", f"one duration only: {text[0]}", seen
    whole = {86_400.0: ", whole days", 3600.0: ", whole hours", 60.0: ", whole minutes"}.get(seen.step or 0.0, "")
    return "duration", why + whole, seen


def _categories(cells: Cells) -> _Verdict:
    series = cells.series
    levels = tuple(map(plain_of, series.cat.categories))
    missing = int(series.isna().sum())
    tally = tuple(np.bincount(series.cat.codes[series.notna()], minlength=len(levels)).tolist())
    used = tuple(v for v, n in zip(levels, tally, strict=True) if n)
    more = f", {len(levels) - len(used)} more that no row has" if len(used) < len(levels) else ""
    rare = 3 * len(used) > len(series) - missing
    few = len(used) <= (MAX_LEVELS if series.cat.ordered or rare else MOST_LEVELS)
    if len(levels) > MOST_LEVELS:
        levels, tally = used, tuple(n for n in tally if n)
    seen = Seen(len(series), missing, "class", levels if few else None, counts=tally if few else ())
    if len(used) == 1:
        seen = replace(seen, values=used, counts=(len(series) - missing,))
        return "constant", f"one category only: {used[0]!r}", seen
    if len(used) == 2:
        return "binary", f"pandas category of 2 levels: {shown(used, 6)}{more}", seen
    if not few:
        why = "for an order" if series.cat.ordered else "for so few rows"
        return "text", f"pandas category of {len(levels)} levels: too many {why}", seen
    if series.cat.ordered:
        return "ordinal", f"ordered pandas category of {len(used)} levels{more}", seen
    return "categorical", f"pandas category of {len(used)} levels{more}", seen


def _booleans(cells: Cells) -> _Verdict:
    x = cells.series.dropna().astype(bool).to_numpy()
    tally = {value: n for value, n in ((False, int((~x).sum())), (True, int(x.sum()))) if n}
    seen = Seen(len(cells.series), len(cells.series) - len(x), "bool", tuple(tally), counts=tuple(tally.values()))
    return ("constant", f"only {x[0]}", seen) if len(tally) == 1 else ("binary", "true and false", seen)


def _text(cells: Cells) -> _Verdict:
    series, (at, found) = cells.series, cells.factor
    at = at[at >= 0]
    counts = dict(zip(map(plain_of, found), np.bincount(at, minlength=len(found)).tolist(), strict=True))
    values = tuple(sorted(counts, key=lambda v: (isinstance(v, str), v)))
    n, k = len(at), len(values)
    seen = Seen(len(series), len(series) - n, "text")
    if k <= (MAX_LEVELS if 3 * k > n else MOST_LEVELS):
        seen = replace(seen, values=values, counts=tuple(counts[v] for v in values))
    if k == 1:
        return "constant", f"one value only: {values[0]!r}", seen
    if k == 2 and n > 2:
        return "binary", f"2 distinct values: {shown(values, 6)}", seen
    texts = pd.Series(values[:2000], dtype=object).astype(str)
    length, words = texts.str.len().mean(), texts.str.count(r"\s").mean() + 1
    if k == n:
        if length > 40 or words > 5:
            return "text", f"all different in {n} rows, {words:.0f} words each", seen
        return "identifier", f"all different text in {n} rows", seen
    if (k <= 20 and k <= 0.7 * n) or (n >= 3 * k and k <= MOST_LEVELS):
        return "categorical", f"{k} distinct values: {shown(values, 6)}", seen
    return "text", f"{k} different values in {n} rows: too many for so few rows", seen


@np.errstate(over="ignore", invalid="ignore")  # numbers near the float limit
def _numbers(cells: Cells) -> _Verdict:
    series, x = cells.series, cells.numbers
    x = x[~np.isnan(x)]
    values = np.sort(pd.unique(x))
    decimals = decimals_of(values.astype(np.float32) if str(series.dtype).lower().startswith("float32") else values)
    digits = decimals if decimals is not None or series.dtype == np.float32 else decimals_of(values, MOST_DIGITS)
    levels = tuple(int(v) if v.is_integer() else v for v in values[: MAX_LEVELS + 1].tolist())
    seen = Seen(
        rows=len(series),
        missing=len(series) - len(x),
        form="number",
        values=levels if len(values) <= MAX_LEVELS else None,
        low=float(values[0]),
        high=float(values[-1]),
        decimals=decimals,
        digits=digits,
        codecs=(*fit_codecs(x), fit_histogram(x, None if decimals is None else 10.0**decimals)),
        counts=tuple(np.bincount(np.searchsorted(values, x)).tolist()) if len(values) <= MAX_LEVELS else (),
    )
    k, span = len(values), f"{values[0]:g}..{values[-1]:g}"
    if np.abs(values).max() >= 2**53 and not pd.api.types.is_float_dtype(series.dtype):
        seen = replace(seen, values=None, counts=())
        return "identifier", f"whole numbers {span}, too large to be told apart as floats", seen
    if k == 1:
        return "constant", f"one value only: {levels[0]}", seen
    if k == 2 and len(x) > 2:
        return "binary", f"2 distinct values: {shown(levels, 6)}", seen
    if decimals != 0:
        if k <= FEW and len(x) >= 20 * k:
            return "ordinal", f"only {k} distinct numbers: {shown(levels, 6)}", seen
        return *continuous(x, seen, f"numbers {span}"), seen
    return *whole_numbers(cells.name, x, values, seen, span), seen


def refuse_empty(frame: pd.DataFrame, needed: Collection[Hashable] = ()) -> None:
    """Refuse `needed` columns without any value, and a frame of nothing else; others may be empty and are set aside."""
    empty = [name for name in frame.columns if not frame[name].notna().any()]
    bad = empty if len(empty) == frame.shape[1] else [name for name in empty if name in needed]
    if bad:
        raise DataError(
            f"no value at all in column{'s' if len(bad) > 1 else ''} {known(bad)}: all {len(frame)} rows are empty "
            f"and nothing can be learned; drop it: frame.drop(columns={known(bad)})"
        )
