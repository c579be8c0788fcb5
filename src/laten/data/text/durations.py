"""Durations and times of day in text, as timedelta64.

`7h 6m`, `2 days 03:30:00`, `PT1H30M`, `26:15:00`; `17:05` and `5:05 PM` are times of day when none passes 24 hours. A
letter alone after one number (`5m`, `3s`) may be a unit of anything and is left as text.
"""

import re

import numpy as np

_UNITS = {
    86_400.0: ("d", "day", "days"), 3600.0: ("h", "hr", "hrs", "hour", "hours"),
    60.0: ("m", "min", "mins", "minute", "minutes"), 1.0: ("s", "sec", "secs", "second", "seconds"),
    0.001: ("ms", "milliseconds"),
}  # fmt: skip
_SECONDS = {name: unit for unit, names in _UNITS.items() for name in names}
_UNIT = "|".join(sorted(_SECONDS, key=len, reverse=True))
_ONE = re.compile(rf"(\d+(?:\.\d+)?)\s*({_UNIT})(?![a-z])", re.IGNORECASE)
_COMPOUND = re.compile(rf"[+-]?\s*(?:\d+(?:\.\d+)?\s*(?:{_UNIT})(?![a-z])[\s,]*)+", re.IGNORECASE)
_LONE = re.compile(r"[+-]?\s*\d+(?:\.\d+)?\s*[ms]", re.IGNORECASE)
_CLOCK = re.compile(r"([+-]?)(?:(\d+) days?,? )?(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?( ?[AaPp]\.?[Mm]\.?)?")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def seconds_of(text: str) -> float:
    """Return a duration, or a time since midnight, in seconds; NaN when the text is none."""
    if found := _CLOCK.fullmatch(text):
        sign, days, hours, minutes, seconds, half = found.groups()
        if int(minutes) > 59 or float(seconds or 0) >= 61 or (days and int(hours) > 23):
            return np.nan
        hour = int(hours)
        if half:
            if days or not 1 <= hour <= 12:
                return np.nan
            hour = hour % 12 + (12 if half.strip()[0] in "pP" else 0)
        total = 86_400 * int(days or 0) + 3600 * hour + 60 * int(minutes) + float(seconds or 0)
        return -total if sign == "-" else total
    if _COMPOUND.fullmatch(text) and not _LONE.fullmatch(text):
        total = sum(float(n) * _SECONDS[unit.lower()] for n, unit in _ONE.findall(text))
        return -total if text.startswith("-") else total
    found = _ISO.fullmatch(text)
    if found and any(found.groups()):
        days, hours, minutes, seconds = (float(g or 0) for g in found.groups())
        return 86_400 * days + 3600 * hours + 60 * minutes + seconds
    return np.nan


def clock_style(text: str) -> str:
    """Return how a time of day is written, in the letters of `strftime`."""
    found = _CLOCK.fullmatch(text)
    assert found is not None
    half, seconds = found[6], found[5]
    digits = len(seconds.partition(".")[2]) if seconds else 0
    hour = ("%I" if half else "%H") if len(found[3]) == 2 else ("%-I" if half else "%-H")
    return f"{hour}:%M" + (":%S" if seconds else "") + (f".%{digits}f" if digits else "") + (" %p" if half else "")


def is_time_of_day(texts: list[str], seconds: np.ndarray) -> bool:
    """Say whether all are written as on a clock, `17:05`, and lie within a day."""
    clocks = all(":" in t and "day" not in t for t in texts)
    return clocks and bool(np.all((seconds >= 0) & (seconds < 86_400)))
