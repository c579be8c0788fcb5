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
_ISO_PART = re.compile(r"(\d+(?:\.\d+)?)([DHMS])")
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


def duration_style(texts: list[str]) -> str:
    """Return how durations are written, as `%H:%M`, `%-D days %H:%M:%S`, `%-Hh %-Mm`, `PT%-HH%-MM`.

    Where some say more than others it is how these are. The largest unit has no limit: 26 hours are 26:00.
    """
    best: tuple[str, ...] = ()
    for text in texts:
        parts: tuple[str, ...]
        if found := _CLOCK.fullmatch(text):
            _, days, hours, _, seconds, _ = found.groups()
            hour = "%H" if len(hours) > 1 else "%-H"
            parts = ("%-D days " if days else "", f"{hour}:%M", _seconds(seconds, ":%S"))
        elif _ISO.fullmatch(text):
            parts = ("P", *_tokens(_ISO_PART, text.removeprefix("P")))
        else:
            parts = tuple(_tokens(_ONE, text.lstrip("+- ")))
        parts = tuple(p for p in parts if p)
        best = max(best, parts, key=lambda p: (len(p), len("".join(p)), p))
    return "".join(best)


def _seconds(text: str | None, token: str) -> str:
    digits = len((text or "").partition(".")[2])
    return "" if text is None else token + (f".%{digits}f" if digits else "")


def _tokens(pattern: re.Pattern, text: str) -> list[str]:
    """Return the parts of a text: each number becomes the token of its unit; what stands between stays."""
    found, at = [], 0
    for part in pattern.finditer(text):
        unit = _SECONDS[part[2].lower()]
        token = {86_400.0: "%-D", 3600.0: "%-H", 60.0: "%-M", 0.001: "%-L"}.get(unit) or _seconds(part[1], "%-S")
        found.append(text[at : part.start()] + token + part[0][len(part[1]) :])
        at = part.end()
    return found


def write_duration(seconds: float, style: str) -> str:
    """Write a duration as `duration_style` says."""
    tokens = re.findall(r"%-?([DHMSL])", style)
    digits = re.search(r"%(\d)f", style)
    least = {"D": 86_400.0, "H": 3600.0, "M": 60.0, "S": 10.0 ** -int(digits[1]) if digits else 1.0, "L": 0.001}
    step = least[tokens[-1]]
    count = round(abs(seconds) / step)  # of the smallest part
    rest, text = count * step + step / 4, style
    for i, token in enumerate(tokens):
        size = {"D": 86_400.0, "H": 3600.0, "M": 60.0, "S": 1.0, "L": 0.001}[token]
        whole, rest = divmod(rest, size)
        text = text.replace(f"%-{token}", str(int(whole)), 1).replace(f"%{token}", f"{int(whole):02d}", 1)
        if digits and i == len(tokens) - 1:
            text = text.replace(digits[0], f"{int(rest / step):0{digits[1]}d}", 1)
    return f"-{text}" if seconds < 0 and count else text


def is_time_of_day(texts: list[str], seconds: np.ndarray) -> bool:
    """Say whether all are written as on a clock, `17:05`, and lie within a day."""
    clocks = all(":" in t and "day" not in t for t in texts)
    return clocks and bool(np.all((seconds >= 0) & (seconds < 86_400)))
