"""Text read and written by a notation that is known: later rows of a column, and cells that are made.

texts --read_as(notation)--> series --write_as(notation)--> texts
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from laten.common.errors import DataError
from laten.data.messages import shown
from laten.data.text.column import ColumnText
from laten.data.text.notation import Notation
from laten.data.text.numbers import Marks
from laten.data.text.readings import Reading, dates, durations, labels, numbers, truths

_WORDS = {"number": "numbers", "month": "months", "quarter": "quarters", "time": "times of day"}


def read_as(column: ColumnText, notation: Notation, where: Callable[[np.ndarray], str]) -> Reading:
    """Read a column by the notation that an earlier file had: it is not typed anew.

    Raises:
        DataError: a cell is not written so; names its line.
    """
    codes = pa.array(notation.missing, pa.string())
    if notation.form == "text":
        lost = pc.is_in(column.trimmed, value_set=codes).to_numpy(zero_copy_only=False)
        return Reading(labels(column, ~column.empty & ~lost, notation.strip), notation)
    if not len(column.texts):
        return Reading(labels(column, ~column.empty, False), notation)
    lost = pc.is_in(column.texts, value_set=codes).to_numpy(zero_copy_only=False)
    if notation.form == "number":
        marks = Marks(notation.decimal, notation.thousands)
        fits = column.numbers.fits(marks) & ~lost
    elif notation.form == "bool":
        words = pa.array([w.lower() for w in notation.words])
        fits = pc.is_in(pc.utf8_lower(column.texts), value_set=words).to_numpy(zero_copy_only=False)
    elif notation.form in ("time", "duration"):
        fits = np.isfinite(column.seconds) & ~lost
    else:
        stamps, used = column.stamps(notation.dayfirst, notation.form)
        fits = ~np.isnat(stamps) & ~lost
    bad = np.flatnonzero(~fits & ~lost)
    if len(bad):
        words = [column.texts[int(i)].as_py() for i in bad]
        rows = np.flatnonzero(np.isin(column.at, column.present[bad]))
        raise DataError(
            f"{where(rows)}, column {column.name!r}: expected {_WORDS.get(notation.form, notation.form + 's')}, as in "
            f"earlier rows, got {shown(words)}; correct the file, or say that it is missing: missing={words[:3]!r}"
        )
    if notation.form == "number":
        found = numbers(column, fits, notation.missing, marks, False)
    elif notation.form == "bool":
        found = truths(column, notation.words)
    elif notation.form in ("time", "duration"):
        found = durations(column, fits, notation.missing)
    else:
        found = dates(column, fits, notation.missing, stamps, used, notation.dayfirst, [])
    return Reading(found.series, notation)


def write_as(series: pd.Series, notation: Notation) -> list[str]:
    """Write cells as the notation says; a missing cell is empty."""
    return ["" if lost else _write(v, notation) for v, lost in zip(series, series.isna(), strict=True)]


def _write(value: object, notation: Notation) -> str:
    if notation.form == "number" and isinstance(value, int | float | np.integer | np.floating):
        return _number(float(value) if notation.digits else value, notation)
    if notation.form == "bool" and isinstance(value, bool | np.bool_):
        return notation.words[int(value)]
    if notation.form in ("date", "month", "quarter", "time") and notation.style:
        stamp = pd.Timestamp(0) + value if notation.form == "time" else value
        return _stamp(stamp.to_timestamp() if isinstance(stamp, pd.Period) else stamp, notation)
    return str(value)


def _number(x: object, notation: Notation) -> str:
    text = (
        f"{x:,.{notation.digits}f}"
        if notation.thousands and notation.digits
        else f"{x:,}"
        if notation.thousands
        else ""
    )
    if not text:
        text = f"{x:.{notation.digits}f}" if notation.digits and notation.digits <= 12 else str(x)
    swap = {",": notation.thousands, ".": notation.decimal}
    text = "".join(swap.get(c, c) for c in text)
    minus = text.startswith("-")
    text = f"{notation.before}{text.removeprefix('-')}{notation.after}"
    return (f"({text})" if notation.brackets else f"-{text}") if minus else text


def _stamp(stamp: object, notation: Notation) -> str:
    style = notation.style
    if style in ("%s", "%s%3f"):
        count = int(pd.Timestamp(stamp).timestamp() * (1 if style == "%s" else 1000))
        return str(count)
    at = pd.Timestamp(stamp)
    style = style.replace("%q", str((at.month + 2) // 3))
    for n in range(1, 10):
        style = style.replace(f"%{n}f", f"{at.microsecond * 1000 + at.nanosecond:09d}"[:n])
    for letter, number in (("d", at.day), ("m", at.month), ("H", at.hour), ("I", at.hour % 12 or 12)):
        style = style.replace(f"%-{letter}", str(number))
    zone = notation.zone
    return at.strftime(style) + (zone if zone.startswith(("+", "-", "Z")) else "Z" if zone else "")
