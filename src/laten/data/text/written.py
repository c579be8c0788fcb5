"""Cells that are made, written as the other cells of their column are.

series, notation --write_as--> texts
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from laten.data.text.dates import LONG, minutes_of
from laten.data.text.durations import write_duration
from laten.data.text.notation import Notation
from laten.data.text.stored import EPOCHS

_NAMES = ("", *(name.capitalize() for name in LONG))


def write_as(series: pd.Series, notation: Notation) -> np.ndarray:
    """Write cells as the notation says.

    Returns:
        `(rows,)` texts; None where a cell is missing.
    """
    at, values = pd.factorize(series)
    texts = np.array([*(_write(v, notation) for v in values), None], object)
    return texts[at]


def _write(value: object, notation: Notation) -> str:
    form = notation.form
    if form == "bool":
        known = value if isinstance(value, bool | np.bool_) else None
        return str(value) if known is None else notation.words[int(known)]
    if form == "number" and not isinstance(value, str | bool | np.bool_):
        return _number(value, notation)
    if form in ("time", "duration") and notation.style and not isinstance(value, str):
        span = pd.Timedelta(value)
        if form == "duration":
            return write_duration(span.total_seconds(), notation.style)
        return _stamp(pd.Timestamp(0) + span, notation)
    if form in ("date", "month", "quarter") and notation.style and not isinstance(value, str):
        return _stamp(value.to_timestamp() if isinstance(value, pd.Period) else pd.Timestamp(value), notation)
    return str(value).removesuffix(" 00:00:00") if form == "date" else str(value)


def _number(x: Any, notation: Notation) -> str:
    n, mark = notation.digits, "," if notation.thousands else ""
    whole = n == 0 and x == round(x)
    if notation.style == "%g":
        text = f"{x:.{max(n, 1)}g}"
    elif whole:
        text = f"{int(x):{mark}d}"
    elif n:
        text = f"{x:{mark}.{n}f}"
        text = text if notation.padded else text.rstrip("0").rstrip(".")
    else:
        text = f"{float(x):{mark}}"
    minus = text.startswith("-") and re.search("[1-9]", text)
    swap = {",": notation.thousands, ".": notation.decimal or "."}
    text = "".join(swap.get(c, c) for c in text.removeprefix("-"))
    text = f"{notation.before}{text}{notation.after}"
    return (f"({text})" if notation.brackets else f"-{text}") if minus else text


def _stamp(at: pd.Timestamp, notation: Notation) -> str:
    style, zone = notation.style, notation.zone
    if style in EPOCHS:
        at = at if at.tzinfo is None else at.tz_convert("UTC").tz_localize(None)
        return str((at - pd.Timestamp(0)) // pd.Timedelta(1, EPOCHS[style]))
    if at.tzinfo is not None:
        at = at.tz_convert("UTC").tz_localize(None) + pd.Timedelta(minutes=minutes_of(zone))
    half = "AM" if at.hour < 12 else "PM"
    parts = {
        "%Y": f"{at.year:04d}", "%y": f"{at.year % 100:02d}", "%q": str((at.month + 2) // 3), "%z": zone, "%p": half,
        "%P": half.lower(), "%B": _NAMES[at.month], "%b": _NAMES[at.month][:3], "%^B": _NAMES[at.month].upper(),
        "%^b": _NAMES[at.month][:3].upper(),
    }  # fmt: skip
    for letter, number in (
        ("d", at.day), ("m", at.month), ("H", at.hour), ("I", at.hour % 12 or 12), ("M", at.minute), ("S", at.second),
    ):  # fmt: skip
        parts |= {f"%{letter}": f"{number:02d}", f"%-{letter}": str(number)}
    fraction = f"{at.microsecond * 1000 + at.nanosecond:09d}"
    parts |= {f"%{n}f": fraction[:n] for n in range(1, 10)}
    return re.sub(r"%[-^]?\d?[A-Za-z]", lambda token: parts[token[0]], style)
