"""A column of text becomes a column of a frame, by rules that stand here once; what was assumed is recorded.

    ColumnText --read_column--> Reading: series, notation, notes, and codes for missing that other columns may hold too

In this order: truth values; numbers, unless they are codes (leading zeros, more than 15 digits) or compact dates;
dates, months and quarters; times of day and durations; text. A column is numbers, dates, … when every cell that is not
missing is one. Where all but a few are, the others are codes for missing (`missing.py`) or faults, named by line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from laten.common.errors import DataError
from laten.data.messages import shown
from laten.data.text.column import ColumnText, Told
from laten.data.text.missing import DISTINCT, code_words
from laten.data.text.notation import Notation, Note
from laten.data.text.numbers import Marks
from laten.data.text.readings import Reading, dates, durations, labels, numbers, truths

MOST_FAULTS = 0.1  # share of cells up to which those that do not fit are faults; one cell always is
Where = Callable[[np.ndarray], str]  # names the lines of some rows


@dataclass(frozen=True)
class Around:
    """What the rest of the file says.

    Args:
        decimal: The decimal mark of columns that leave no doubt.
        dayfirst: Whether other dates have their day first.
        codes: Codes for missing that were found in columns of numbers and dates.
        where: Names the lines of some rows.
    """

    decimal: str | None = None
    dayfirst: bool | None = None
    codes: tuple[str, ...] = ()
    where: Where = field(default=lambda rows: f"row {int(rows[0])}")


@dataclass(frozen=True)
class _Way:
    """One way to read a column.

    Args:
        fits: Which distinct texts it reads.
        make: Builds the reading, from which of them are kept and the codes for missing.
        measure: Its cells are measured or dates, so that others among them are faults.
    """

    fits: np.ndarray
    make: Callable[[np.ndarray, tuple[str, ...]], Reading]
    measure: bool


def read_column(column: ColumnText, told: Told, around: Around) -> Reading:
    """Decide what a column of text is, and read it so.

    Raises:
        DataError: a few cells among numbers or dates are none, and are no codes for missing; names their lines.
    """
    if not len(column.texts):
        return Reading(labels(column, np.zeros(len(column.written), bool), False), Notation("text"))
    pair = column.truth()
    if pair is not None:
        return truths(column, np.ones(len(column.texts), bool), pair)
    code = column.numbers.is_code() if column.numbers.fits(Marks(".", "")).any() else ""
    for way in _ways(column, told, around, code):
        if way.fits.all():
            return way.make(way.fits, ())
        zero = column.zero_dates & ~way.fits if way.measure and column.dates else np.zeros(len(way.fits), bool)
        lost = np.flatnonzero(~way.fits & ~zero)
        words = [column.texts[int(i)].as_py() for i in lost]
        known = code_words(words, column.weights[lost], int(way.fits.sum())) if told.missing != () else []
        if len(known) == len(words) and way.fits.any():
            zeros = pc.filter(column.texts, pa.array(zero)).to_pylist()
            return _with_codes(way.make(way.fits, tuple(known + zeros)), known + zeros)
        bad = np.array([i for i, w in zip(lost, words, strict=True) if w not in known])
        few = column.weights[bad].sum() <= max(1, MOST_FAULTS * column.weights.sum())
        if few and way.fits.sum() > 2 and not code:
            _refuse_faults(column, way, bad, around)
            note = _odd(column, bad, around)
            return _texts(column, told, around, (note,))
    notes = (Note(f"{column.name!r} kept as text: {code}"),) if code and column.numbers.plain.all() else ()
    return _texts(column, told, around, notes)


def _ways(column: ColumnText, told: Told, around: Around, code: str) -> list[_Way]:
    """Return the ways that read at least half of the cells, the one that reads most first."""
    ways = []
    marks, unclear = column.marks(told, around.decimal)
    fits = column.numbers.fits(marks)
    compact = next((d for d in column.dates if d.shape == "compact" and len(d.values) > 1), None)
    if compact is not None and not np.isnat(compact.stamps(None)).any():
        fits = np.zeros(len(fits), bool)
    affix = {n: [a for a in column.numbers.affixes(n, fits) if a] for n in ("before", "after")} if fits.any() else {}
    one_unit = sum(map(len, affix.values())) <= 1
    if fits.any() and not code and one_unit:
        fraction = bool(pc.any(pc.not_equal(column.numbers.fraction(marks), "")).as_py())
        ways.append(_Way(fits, lambda keep, lost: numbers(column, keep, lost, marks, unclear), fraction))
    dates = _dates_way(column, told, around)
    if dates is not None:
        ways.append(dates)
    spans = np.isfinite(column.seconds)
    if spans.any() and not fits.all():
        ways.append(_Way(spans, lambda keep, lost: durations(column, keep, lost), True))
    total = column.weights.sum()
    ways = [w for w in ways if 2 * column.weights[w.fits].sum() >= total or len(w.fits[w.fits]) > DISTINCT]
    return sorted(ways, key=lambda w: -column.weights[w.fits].sum())


def _refuse_faults(column: ColumnText, way: _Way, bad: np.ndarray, around: Around) -> None:
    """Refuse a few cells that are no numbers in a column of fractions, no dates in one of dates, or words."""
    words = [column.texts[int(i)].as_py() for i in bad]
    if not way.measure and any(any(c.isdigit() for c in w) for w in words):
        return
    rows = np.flatnonzero(np.isin(column.at, column.present[bad]))
    raise DataError(
        f"{around.where(rows)}, column {column.name!r}: {shown(words)} where the other cells are "
        f"{'dates' if not column.numbers.plain[way.fits].any() and column.dates else 'numbers'}; correct "
        f"{'it' if len(rows) == 1 else 'them'}, or read {'it' if len(words) == 1 else 'them'} as missing: "
        f"missing={words[:5]!r}, or keep the column as text: id={[column.name]!r}"
    )


def _odd(column: ColumnText, bad: np.ndarray, around: Around) -> Note:
    words = [column.texts[int(i)].as_py() for i in bad]
    rows = np.flatnonzero(np.isin(column.at, column.present[bad]))
    return Note(f"{column.name!r} kept as text: {shown(words)} ({around.where(rows)}) among whole numbers", "missing")


def _with_codes(reading: Reading, codes: list[str]) -> Reading:
    note = Note(f"{shown(codes)} in {reading.series.name!r} is missing", "missing")
    return Reading(reading.series, reading.notation, (*reading.notes, note))


def _dates_way(column: ColumnText, told: Told, around: Around) -> _Way | None:
    shapes = column.dates
    if not shapes:
        return None
    notes: list[Note] = []
    dayfirst = told.dayfirst
    orders = column.orders
    if orders is not None and dayfirst is None:
        dayfirst = orders[0] if orders[0] != orders[1] else around.dayfirst
        if orders[0] == orders[1]:
            sep = next(d for d in shapes if d.shape == "xxy").fields["s"][0].as_py()
            usual = sep in ".-" if dayfirst is None else dayfirst
            if dayfirst is None and orders[0]:
                what = "day" if usual else "month"
                notes.append(
                    Note(f"dates in {column.name!r} fit day first and month first; {what} first is taken", "dayfirst")
                )
            dayfirst = usual
        else:
            notes.append(
                Note(f"dates in {column.name!r} have their {'day' if dayfirst else 'month'} first", "dayfirst")
            )
    stamps, used = column.stamps(dayfirst)
    if not used:
        return None
    fits = ~np.isnat(stamps)
    return _Way(fits, lambda keep, lost: dates(column, keep, lost, stamps, used, dayfirst, notes), True)


def _texts(column: ColumnText, told: Told, around: Around, notes: tuple[Note, ...] = ()) -> Reading:
    """Read text: as it is written, unless some labels differ by blanks alone."""
    shorter = len(pc.unique(column.texts)) < len(column.texts)
    codes = [t for t in around.codes if t in set(column.texts.to_pylist())] if told.missing != () else []
    keep = ~column.empty
    if codes and len(codes) < len(pc.unique(column.texts)):
        keep &= ~pc.is_in(column.trimmed, value_set=pa.array(codes, pa.string())).to_numpy(zero_copy_only=False)
        notes = (*notes, Note(f"{shown(codes)} in {column.name!r} is missing, as in other columns", "missing"))
    if shorter:
        notes = (*notes, Note(f"blanks around labels in {column.name!r} do not count"))
    names = pc.unique(pc.filter(column.trimmed, pa.array(keep))).to_pylist() if len(column.texts) <= 200 else []
    twins: dict[str, list[str]] = {}
    for label in names:
        twins.setdefault(label.casefold(), []).append(label)
    cased = [t for t in twins.values() if len(t) > 1]
    if cased:
        notes = (*notes, Note(f"labels in {column.name!r} differ by case alone: {shown(cased[0])}"))
    odd = [t for t in names if t.lstrip("-").isdigit() and set(t.lstrip("-")) <= {"8", "9"} and len(t) > 1]
    if len(odd) == 1 and not any(c.isdigit() for t in names if t not in odd for c in t):
        notes = (*notes, Note(f"{odd[0]} in {column.name!r} looks like a code for missing", "missing"))
    return Reading(labels(column, keep, shorter), Notation("text", strip=shorter, missing=tuple(codes)), notes)
