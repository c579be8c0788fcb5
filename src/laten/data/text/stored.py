"""Text read by a notation that is known: later rows of a column are not typed anew.

    texts, notation --read_as--> Reading

A later file may say more than the first: marks between thousands that no cell needed, words for missing, an option.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from laten.common.errors import DataError
from laten.data.messages import shown
from laten.data.records import replace
from laten.data.text.column import ColumnText, Told
from laten.data.text.missing import WORDS
from laten.data.text.notation import Notation, Note
from laten.data.text.numbers import MARKS, Marks, NumberTexts
from laten.data.text.readings import Reading, dates, durations, labels, numbers, truths

EPOCHS = {"%s": "s", "%s%3f": "ms"}  # styles of times that are counted since 1970, and their unit
_LOST = pa.array([w for w in WORDS if "inf" not in w])  # an infinity is rather a fault
_NOTHING = Told()
_PLAIN = Marks(".", "")
_WORDS = {
    "number": "numbers",
    "month": "months",
    "quarter": "quarters",
    "time": "times of day",
    "bool": "true or false",
}
_WAYS = {"number": "its marks: decimal=, thousands=", "date": "its order: dayfirst="}


@dataclass(frozen=True)
class Way:
    """How the texts of a column are read by a notation.

    Args:
        fits: Which distinct texts are.
        make: Reads them, given which are kept.
    """

    fits: np.ndarray
    make: Callable[[np.ndarray], Reading]


def read_as(
    column: ColumnText, notation: Notation, where: Callable[[np.ndarray], str], told: Told = _NOTHING, way: str = ""
) -> Reading:
    """Read a column by the notation that an earlier file had: it is not typed anew.

    Args:
        where: Names the lines of some rows.
        told: What is said of this file goes before the notation.
        way: The way out that an error names; empty: options of reading.
    Raises:
        DataError: a cell is not written so; names its line.
    """
    codes = pa.array(notation.missing, pa.string())
    if notation.form == "text":
        lost = pc.is_in(column.trimmed, value_set=codes).to_numpy(zero_copy_only=False)
        return Reading(labels(column, ~column.empty & ~lost, notation.strip), notation)
    nothing = Reading(labels(column, np.zeros(len(column.written), bool), False), notation)
    if not len(column.texts):
        return nothing
    lost = pc.is_in(column.texts, value_set=codes).to_numpy(zero_copy_only=False)
    found_by = _WAY.get(notation.form, _dates)(column, notation, told, lost)
    words = pc.is_in(pc.utf8_lower(column.texts), value_set=_LOST).to_numpy(zero_copy_only=False)
    new = ~found_by.fits & ~lost & words & (told.missing != ())
    bad = np.flatnonzero(~found_by.fits & ~lost & ~new)
    if len(bad):
        some = [column.texts[int(i)].as_py() for i in bad]
        rows = np.flatnonzero(np.isin(column.at, column.present[bad]))
        more = f", or say {_WAYS[notation.form]}" if notation.form in _WAYS else ""
        raise DataError(
            f"{where(rows)}, column {column.name!r}: expected {_WORDS.get(notation.form, notation.form + 's')}, "
            f"{'got the text' if notation.open else 'as in earlier rows, got'} {shown(some)}; "
            + (way or f"correct the file, or say that it is missing: missing={some[:3]!r}{more}")
        )
    if not (found_by.fits & ~lost).any():
        return nothing
    found = found_by.make(found_by.fits & ~lost)
    some = pc.filter(column.texts, pa.array(new)).to_pylist()
    notes = (Note(f"{shown(some)} in {column.name!r} is missing", "missing"),) if some else ()
    return Reading(found.series, found.notation, notes)


def _numbers(column: ColumnText, notation: Notation, told: Told, lost: np.ndarray) -> Way:
    texts, (marks, unclear) = column.numbers, column.marks(told, None)
    if notation.decimal and told.decimal is None and told.thousands is None:
        marks, unclear = _known(texts, notation, lost), False
    fits = texts.fits(marks)
    own = {"before": notation.before.strip(), "after": notation.after.strip()}
    for name, unit in own.items() if notation.decimal else ():
        fits &= texts.has_unit(name, unit)

    def make(keep: np.ndarray) -> Reading:
        found = numbers(column, keep, notation.missing, marks, unclear, epoch=False)
        if not notation.decimal:
            return found
        return Reading(found.series, replace(notation, decimal=marks.decimal, thousands=marks.thousands))

    return Way(fits, make)


def _known(texts: NumberTexts, notation: Notation, lost: np.ndarray) -> Marks:
    """Return the notation's marks, or such as go with them and fit all texts: of cells that had none they are open."""
    own = Marks(notation.decimal, notation.thousands)
    if (texts.fits(own) | lost).all():
        return own
    more = [m for m in MARKS if not own.thousands and (m.decimal == own.decimal or notation.whole)]
    return next((m for m in more if (texts.fits(m) | lost).all()), own)


def _truths(column: ColumnText, notation: Notation, told: Told, lost: np.ndarray) -> Way:
    words = tuple(w.lower() for w in notation.words)
    known = pc.is_in(pc.utf8_lower(column.texts), value_set=pa.array(words)).to_numpy(zero_copy_only=False)
    fits = known if words[0] == "false" else np.ones(len(known), bool)  # others are labels, and may have a third
    return Way(fits, lambda keep: truths(column, keep, words, notation.words))


def _durations(column: ColumnText, notation: Notation, told: Told, lost: np.ndarray) -> Way:
    return Way(np.isfinite(column.seconds), lambda keep: durations(column, keep, notation.missing))


def _dates(column: ColumnText, notation: Notation, told: Told, lost: np.ndarray) -> Way:
    if notation.style in EPOCHS:
        fits = column.numbers.fits(_PLAIN)
        return Way(fits, lambda keep: _since_1970(column, keep, notation))
    dayfirst = notation.dayfirst if told.dayfirst is None else told.dayfirst
    if dayfirst is None and column.orders is not None:  # nothing was known of it
        dayfirst = column.orders[0] and not column.orders[1]
    stamps, used = column.stamps(dayfirst, notation.form)

    def make(keep: np.ndarray) -> Reading:
        found = dates(column, keep, notation.missing, stamps, used, dayfirst, [])
        return Reading(found.series, notation if notation.style else found.notation)

    return Way(~np.isnat(stamps), make)


def _since_1970(column: ColumnText, keep: np.ndarray, notation: Notation) -> Reading:
    count = numbers(column, keep, notation.missing, _PLAIN, False, epoch=False).series
    stamps = pd.to_datetime(count, unit=EPOCHS[notation.style])
    return Reading(stamps.astype("datetime64[us]").dt.tz_localize("UTC").rename(column.name), notation)


_WAY = {"number": _numbers, "bool": _truths, "time": _durations, "duration": _durations}
