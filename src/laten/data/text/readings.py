"""Columns of a frame from texts that are known to be numbers, dates, durations, truth values or labels.

ColumnText, which texts are read --numbers | Dates.read | durations | truths | labels--> Reading
"""

import datetime
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from laten.common.errors import DataError
from laten.data.messages import shown
from laten.data.text.column import ColumnText
from laten.data.text.dates import FORM_OF, DateTexts
from laten.data.text.durations import clock_style, duration_style, is_time_of_day
from laten.data.text.epochs import epoch_unit
from laten.data.text.missing import looks_missing
from laten.data.text.notation import Notation, Note
from laten.data.text.numbers import Marks

_SOME = 1000  # durations by which their style is decided


@dataclass(frozen=True)
class Reading:
    """A column as read."""

    series: pd.Series
    notation: Notation
    notes: tuple[Note, ...] = ()


def _at(column: ColumnText, keep: np.ndarray) -> np.ndarray:
    """Return the position of each cell's text among `column.texts`, −1 where it is not kept."""
    place = np.full(len(column.written), -1)
    place[column.present[keep]] = np.flatnonzero(keep)
    return place[column.at]


def numbers(
    column: ColumnText, keep: np.ndarray, lost: tuple[str, ...], marks: Marks, unclear: bool, epoch: bool = True
) -> Reading:
    """Read numbers.

    Args:
        keep: Which distinct texts are numbers; others are missing.
        lost: Codes for missing, to be kept in the notation.
        marks: The decimal mark and that between thousands.
        unclear: Nothing decides between two marks.
        epoch: Those that look like seconds since 1970 are dates.
    """
    texts, at, notes = column.numbers, _at(column, keep), []
    x = np.full(len(keep), np.nan)
    some = pa.array(keep)
    part = texts if keep.all() else type(texts)(pc.filter(texts.values, some))
    x[keep] = part.values_by(marks)
    fraction = part.fraction(marks)
    digits = int(pc.max(pc.utf8_length(fraction)).as_py() or 0)
    padded = digits > 0 and bool(pc.all(pc.equal(pc.utf8_length(fraction), digits)).as_py())
    exponent = part.exponents()
    whole = digits == 0 and not exponent and not part.ends_in(marks.decimal)
    before, after = part.unit("before"), part.unit("after")
    cells = np.where(at >= 0, x[at], np.nan)
    series: pd.Series = pd.Series(cells, name=column.name)
    if whole and (at >= 0).all() and np.abs(x[keep]).max(initial=0) < 2**53:
        series = series.astype(np.int64)
    if before or after:
        notes.append(Note(f"{column.name!r} is numbers {'before' if after else 'after'} {(before or after).strip()!r}"))
    if part.brackets.any():
        notes.append(Note(f"brackets in {column.name!r} are negative numbers"))
    if marks.thousands or marks.decimal != ".":
        between = f", {marks.thousands!r} between thousands" if marks.thousands else ""
        notes.append(Note(f"{column.name!r} has the decimal mark {marks.decimal!r}{between}", "decimal"))
    if unclear:
        example = column.texts[int(np.flatnonzero(keep)[0])].as_py()
        notes.append(
            Note(
                f"the mark in {example!r} of {column.name!r} may be decimal or between thousands; read as "
                f"{x[keep][0]:g}",
                "decimal",
            )
        )
    unit = epoch_unit(column.name, x[keep]) if epoch and whole and not (before or after) else None
    if unit is not None:
        stamps = pd.Series(pd.to_datetime(series, unit=unit), name=column.name)
        notes = [Note(f"{column.name!r} counts {'seconds' if unit == 's' else 'milliseconds'} since 1970, in UTC")]
        style = "%s" if unit == "s" else "%s%3f"
        return Reading(
            stamps.astype("datetime64[us]").dt.tz_localize("UTC"),
            Notation("date", style=style, zone="UTC", missing=lost),
            tuple(notes),
        )
    for i in looks_missing(x[keep], column.weights[keep]):
        notes.append(Note(f"{x[keep][i]:g} in {column.name!r} looks like a code for missing", "missing"))
    notation = Notation(
        "number", marks.decimal, marks.thousands, part.significant() if exponent else digits, padded, before,
        after, bool(part.brackets.any()), whole, "%g" if exponent else "", missing=lost,
    )  # fmt: skip
    return Reading(series, notation, tuple(notes))


def dates(
    column: ColumnText, keep: np.ndarray, lost: tuple[str, ...], stamps: np.ndarray, used: list[DateTexts],
    dayfirst: bool | None, notes: list[Note],
) -> Reading:  # fmt: skip
    """Read dates, months or quarters from the stamps of the texts."""
    name, at = column.name, _at(column, keep)
    form = FORM_OF.get(used[0].shape, "date")
    notes = list(notes)
    cells = np.where(at >= 0, stamps[at], np.datetime64("NaT", "us"))
    series = pd.Series(cells, name=name)
    zone = ""
    offsets = [d.offsets() for d in used]
    zones = sorted({z for _, written in offsets for z in written})
    if zones != [""]:
        if "" in zones:
            some = shown(z for z in zones if z)
            raise DataError(f"column {name!r}: some times have a time zone, {some}, and others have none; "
                            f"write all of them with a zone, or leave the column out: drop=[{name!r}]")  # fmt: skip
        ahead = sum((m for m, _ in offsets), np.zeros(len(stamps), np.int64))
        shift = pd.Series(np.where(at >= 0, ahead[at], 0).astype("timedelta64[m]"))
        minutes = sorted(set(ahead[keep].tolist()))
        utc = (series - shift).astype("datetime64[us]").dt.tz_localize("UTC")
        if len(minutes) > 1:
            notes.append(Note(f"times in {name!r} have {len(minutes)} offsets, {shown(zones)}; read as times in UTC"))
        zone = zones[0] if len(minutes) == 1 else "Z"
        series = utc if minutes[0] == 0 or len(minutes) > 1 else utc.dt.tz_convert(_fixed(minutes[0]))
    if form != "date":
        series = series.dt.to_period("M" if form == "month" else "Q")
        notes.append(Note(f"{name!r} is {form}s"))
    if len(used) > 1:
        styles = [d.style(dayfirst) for d in used]
        notes.append(Note(f"dates in {name!r} are written in {len(used)} ways: {shown(styles)}"))
    values = stamps[keep].astype("datetime64[D]").astype(np.float64)
    for i in looks_missing(values, column.weights[keep], dates=True) if form == "date" else ():
        text = column.texts[int(np.flatnonzero(keep)[i])].as_py()
        notes.append(Note(f"{text} in {name!r} looks like a code for missing", "missing"))
    style = used[0].style(dayfirst)
    if used[0].shape == "compact":
        notes.append(Note(f"{name!r} is dates such as {column.texts[int(np.flatnonzero(keep)[0])].as_py()}"))
    if "%y" in style:
        notes.append(Note(f"years of two digits in {name!r} are 1969 to 2068"))
    ordered = dayfirst if any(d.shape == "xxy" for d in used) else None
    return Reading(series, Notation(form, style=style, dayfirst=ordered, zone=zone, missing=lost), tuple(notes))


def _fixed(minutes: int) -> object:
    return datetime.timezone(datetime.timedelta(minutes=minutes))


def durations(column: ColumnText, keep: np.ndarray, lost: tuple[str, ...]) -> Reading:
    """Read durations, or times of day as time since midnight."""
    at, seconds = _at(column, keep), column.seconds
    texts = pc.filter(column.texts, pa.array(keep)).to_pylist()
    unit, scale = ("s", 1) if np.all(np.mod(seconds[keep], 1) == 0) else ("us", 1_000_000)
    whole = np.where(keep, np.round(np.nan_to_num(seconds) * scale), 0).astype(np.int64).astype(f"timedelta64[{unit}]")
    series = pd.Series(np.where(at >= 0, whole[at], np.array("NaT", f"timedelta64[{unit}]")), name=column.name)
    if is_time_of_day(texts, seconds[keep]):
        note = Note(f"{column.name!r} is times of day, read as time since midnight")
        return Reading(series, Notation("time", style=clock_style(texts[0]), missing=lost), (note,))
    notation = Notation("duration", style=duration_style(texts[:_SOME]), missing=lost)
    return Reading(series, notation, (Note(f"{column.name!r} is durations"),))


def truths(column: ColumnText, keep: np.ndarray, pair: tuple[str, ...], spelled: tuple[str, ...] = ()) -> Reading:
    """Read words for true and false: `TRUE` as booleans, others as text of one spelling.

    Args:
        keep: Which distinct texts are; others are missing.
        pair: The words, false first.
        spelled: How they are spelled; empty: as most cells do. With it other words may be among the cells; they stay.
    """
    pair = tuple(w.lower() for w in pair)
    texts = column.texts.to_pylist()
    words = list(spelled) or _spelled(pair, texts, column.weights)
    at = _at(column, keep)
    truth = np.array([t.lower() == pair[1] for t in texts], bool)
    note = (Note(f"{column.name!r} is {words[0]!r} or {words[1]!r}, in whatever case"),) if len(texts) > 2 else ()
    notation = Notation("bool", words=tuple(words))
    if pair[0] != "false":
        labels = [dict(zip(pair, words, strict=True)).get(t.lower(), t) for t in texts]
        cells = np.where(at >= 0, np.array([*labels, ""], object)[at], None)
        return Reading(as_text(pa.array(cells, pa.string()), column.name), notation, note)
    if (at >= 0).all():
        return Reading(pd.Series(truth[at], name=column.name), notation, note)
    cells = np.append(truth, False)[at].astype(object)
    cells[at < 0] = np.nan
    return Reading(pd.Series(cells, name=column.name), notation, note)


def _spelled(pair: tuple[str, ...], texts: list[str], weights: np.ndarray) -> list[str]:
    """Return the most frequent spelling of each word; of one that no cell holds, as the other is spelled."""
    found = [max(((int(n), t) for t, n in zip(texts, weights, strict=True) if t.lower() == w), default=(0, w))
             for w in pair]  # fmt: skip
    model = max(found)[1]
    case = str.upper if model.isupper() else str.capitalize if model[:1].isupper() else str
    return [t if n else case(t) for n, t in found]


def labels(column: ColumnText, keep: np.ndarray, strip: bool) -> pd.Series:
    """Return cells as text, those that are not kept as missing; an empty column holds no type."""
    if not keep.any():
        return pd.Series(np.full(len(column.at), np.nan), name=column.name)
    source = column.trimmed if strip else column.written
    known = pc.if_else(pa.array(keep), source, pa.scalar(None, pa.string()))
    return as_text(known.take(pa.array(column.at)), column.name)


def as_text(cells: pa.Array, name: str) -> pd.Series:
    """Return Arrow texts as a column."""
    series = cells.to_pandas()
    return (series.where(series.notna(), np.nan) if series.dtype == object else series).rename(name)
