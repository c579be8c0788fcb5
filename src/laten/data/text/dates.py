"""Dates and times in text, in the world's notations.

    texts --DateTexts--> fields (year, month, day, hour, …) --stamps--> datetime64, what fits no calendar is NaT

| shape | such as |
|---|---|
| `ymd` | 2024-01-31, 2024/1/31, 2024.01.31 |
| `xxy` | 31/01/2024, 01/31/2024, 31.1.24: day or month first |
| `dmony`, `mondy` | 31 Jan 2024, 31-Jan-24, January 31, 2024 |
| `compact` | 20240131 |
| `ym`, `my`, `mony` | months: 2024-01, 01/2024, Jan 2024 |
| `yq`, `qy` | quarters: 2024Q1, Q1 2024 |

After a day there may be a time: `T12:30`, ` 12:30:59.5`, ` 2:30 PM`, and an offset: `Z`, `+02:00`.
"""

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONG = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MORE = {"sept": 9, "mai": 5, "okt": 10, "dez": 12, "märz": 3, "mär": 3, "januar": 1, "februar": 2, "juni": 6}
_MORE |= {"juli": 7, "oktober": 10, "dezember": 12}
MONTHS = {n: i % 12 + 1 for i, n in enumerate(_MONTHS + LONG)} | _MORE
_TIME = (
    r"(?:(?P<t>T| +)(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<sec>\d{2})(?P<f>(?:[.,]\d{1,9})?))?"
    r" *(?P<half>(?:[AaPp]\.?[Mm]\.?)?)(?P<gap> *)(?P<zone>(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?))?"
)
_FURTHEST = 15 * 60  # minutes that a clock may be ahead of UTC
_DAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?"
_NAME = r"(?P<mon>[A-Za-zäé]{3,9})"
SHAPES = {
    "ymd": r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P<s2>[-/.])(?P<d>\d{1,2})" + _TIME,
    "xxy": r"(?P<a>\d{1,2})(?P<s>[-/.])(?P<b>\d{1,2})(?P<s2>[-/.])(?P<y>\d{4}|\d{2})" + _TIME,
    "dmony": _DAY + r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.)?(?P<s>[ \-/]*)" + _NAME
    + r"\.?,?[ \-/]*(?P<y>\d{4}|\d{2})" + _TIME,
    "mondy": _DAY + _NAME + r"\.?(?P<s>[ \-]+)(?P<d>\d{1,2})(?:st|nd|rd|th)?(?P<s2>,?)[ \-]+(?P<y>\d{4})" + _TIME,
    "compact": r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})",
    "ym": r"(?P<y>\d{4})(?P<s>[-/])(?P<m>\d{1,2})",
    "my": r"(?P<m>\d{1,2})(?P<s>[-/])(?P<y>\d{4})",
    "mony": _NAME + r"\.?(?P<s>[ \-/]*)(?P<y>\d{4})",
    "yq": r"(?P<y>\d{4})(?P<s>[ \-]?)[Qq](?P<q>[1-4])",
    "qy": r"[Qq](?P<q>[1-4])(?P<s>[ \-/]?)(?P<y>\d{4})",
}  # fmt: skip
FORM_OF = dict.fromkeys(("ym", "my", "mony"), "month") | {"yq": "quarter", "qy": "quarter"}  # others: date
ZERO = (
    r"^0{4}[-/.]?0{2}[-/.]?0{2}([T ]0{2}:0{2}(:0{2})?)?$|^0{2}[-/.]0{2}[-/.]0{4}$"  # what some databases write for none
)


class DateTexts:
    """Texts, without blanks around them, that may be dates of one shape.

    Args:
        values: The distinct texts.
        shape: One of `SHAPES`.
    """

    def __init__(self, values: pa.Array, shape: str) -> None:
        self.values, self.shape = values, shape
        found = pc.extract_regex(values, pattern=f"^{SHAPES[shape]}$")
        self.has_shape = pc.is_valid(found).to_numpy(zero_copy_only=False)
        self.fields = {f.name: pc.fill_null(pc.struct_field(found, f.name), "") for f in found.type}

    def number(self, name: str, default: int = 0) -> np.ndarray:
        """Return a field as whole numbers; `default` where it is lacking."""
        if name not in self.fields:
            return np.full(len(self.values), default, np.int64)
        field = self.fields[name]
        field = pc.if_else(pc.equal(field, ""), str(default), field)
        return pc.cast(field, pa.int64()).to_numpy(zero_copy_only=False)

    @cached_property
    def has_time(self) -> bool:
        """Whether any has a time of day."""
        return "t" in self.fields and bool(pc.any(pc.not_equal(self.fields["t"], "")).as_py())

    @cached_property
    def year(self) -> np.ndarray:
        """Years; of two digits 69 to 99 are of the last century, as C and Python take them."""
        year = self.number("y")
        two = pc.equal(pc.utf8_length(self.fields["y"]), 2).to_numpy(zero_copy_only=False)
        return np.where(two, np.where(year < 69, 2000, 1900) + year, year)

    def stamps(self, dayfirst: bool | None) -> np.ndarray:
        """Return `(texts,)` datetime64[us] by the clock that is written, NaT for what is no date of this shape."""
        if self.shape == "xxy":
            day, month = (self.number("a"), self.number("b")) if dayfirst else (self.number("b"), self.number("a"))
        else:
            day, month = self.number("d", 1), self.number("m", 1)
        if "mon" in self.fields:
            names = [MONTHS.get(n.lower(), 0) for n in self.fields["mon"].to_pylist()]
            month = np.array(names, np.int64)
        if "q" in self.fields:
            month = 3 * self.number("q", 1) - 2
        same = True
        if "s2" in self.fields and self.shape in ("ymd", "xxy"):
            same = pc.equal(self.fields["s"], self.fields["s2"]).to_numpy(zero_copy_only=False)
        right = self.has_shape & same & (self.year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
        months = (np.where(right, self.year, 1970) - 1970) * 12 + np.where(right, month, 1) - 1
        first = months.astype("datetime64[M]").astype("datetime64[D]")
        stamp = first + (np.where(right, day, 1) - 1).astype("timedelta64[D]")
        right &= stamp.astype("datetime64[M]").astype(np.int64) == months
        seconds, fits = self._clock()
        stamp = stamp.astype("datetime64[us]") + seconds.astype("timedelta64[us]")
        fits &= np.abs(self.offsets()[0]) <= _FURTHEST
        return np.where(right & fits, stamp, np.datetime64("NaT", "us"))

    def _clock(self) -> tuple[np.ndarray, np.ndarray]:
        """Return microseconds since midnight, and whether they are of a day."""
        if not self.has_time:
            return np.zeros(len(self.values), np.int64), np.ones(len(self.values), bool)
        hour, minute, second = self.number("h"), self.number("mi"), self.number("sec")
        half = pc.utf8_lower(pc.utf8_slice_codeunits(self.fields["half"], 0, 1))
        am, pm = (pc.equal(half, h).to_numpy(zero_copy_only=False) for h in "ap")
        fits = (hour < 24) & (minute < 60) & (second < 61) & ~((am | pm) & ((hour < 1) | (hour > 12)))
        hour = np.where(pm & (hour < 12), hour + 12, np.where(am & (hour == 12), 0, hour))
        part = pc.utf8_slice_codeunits(pc.utf8_rpad(self.fields["f"], 7, "0"), 1, 7)
        part = pc.cast(pc.if_else(pc.equal(self.fields["f"], ""), "0", part), pa.int64())
        return ((hour * 60 + minute) * 60 + second) * 1_000_000 + part.to_numpy(zero_copy_only=False), fits

    def offsets(self) -> tuple[np.ndarray, list[str]]:
        """Return minutes that each time is ahead of UTC, and the distinct offsets as written; `""`: none."""
        if "zone" not in self.fields:
            return np.zeros(len(self.values), np.int64), [""]
        written = pc.filter(self.fields["zone"], pa.array(self.has_shape))
        code = pc.dictionary_encode(self.fields["zone"])
        minutes = np.array([minutes_of(z) for z in code.dictionary.to_pylist()] or [0], np.int64)
        return minutes[code.indices.to_numpy(zero_copy_only=False)], sorted(pc.unique(written).to_pylist())

    def style(self, dayfirst: bool | None) -> str:
        """Return how the texts are written, in the letters of `strftime`; `%q` is the quarter, `%-d` unpadded.

        Where some say more than others, such as seconds, it is how these are.
        """
        i = self._fullest()
        f = {name: field[i].as_py() for name, field in self.fields.items()}
        s = f.get("s", "")
        year = "%y" if len(f["y"]) == 2 else "%Y"
        day, month = ("%d", "%m") if self._padded("a", "b", "d", "m") else ("%-d", "%-m")
        if "mon" in f:
            names = pc.unique(self.fields["mon"]).to_pylist()
            month = "%B" if any(len(n) > 3 and n.lower() != "sept" for n in names) else "%b"
            month = month.replace("%", "%^") if f["mon"].isupper() else month
        first, second = (day, month) if dayfirst else (month, day)
        styles = {
            "ymd": f"{year}{s}{month}{s}{day}", "xxy": f"{first}{s}{second}{s}{year}",
            "dmony": f"{day}{s or ' '}{month}{s or ' '}{year}", "mondy": f"{month}{s}{day}{f.get('s2', '')} {year}",
            "compact": "%Y%m%d",
            "ym": f"%Y{s}{month}", "my": f"{month}{s}%Y", "mony": f"{month}{s}%Y", "yq": f"%Y{s}Q%q", "qy": f"Q%q{s}%Y",
        }  # fmt: skip
        return styles[self.shape] + (self._clock_style(f) if f.get("t") else "")

    def _fullest(self) -> int:
        """Return the first of the texts that say most of the time of day."""
        said = self.has_shape.astype(np.int64)
        for name in ("t", "sec", "f"):
            if name in self.fields:
                said += pc.utf8_length(self.fields[name]).to_numpy(zero_copy_only=False) * self.has_shape
        return int(np.argmax(said))

    def _padded(self, *names: str) -> bool:
        """Say whether none of these numbers is written with one digit."""
        lengths = [pc.utf8_length(self.fields[n]) for n in names if n in self.fields]
        return not any(pc.any(pc.equal(n, 1)).as_py() for n in lengths)

    def _clock_style(self, f: dict[str, str]) -> str:
        hour = ("" if self._padded("h") else "-") + ("I" if f["half"] else "H")
        style = f"{f['t']}%{hour}:%M"
        style += (":%S" if f["sec"] else "") + (f"{f['f'][0]}%{len(f['f']) - 1}f" if f["f"] else "")
        half = "%P" if f["half"].islower() else "%p"
        style += (" " + half if f["half"] else "") + f["gap"]
        return style + "%z" if f["zone"] else style.rstrip()


def minutes_of(zone: str) -> int:
    """Return how many minutes an offset such as `+02:00` or `Z` is ahead of UTC."""
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if zone[0] == "-" else 1)


def month_first_too(texts: DateTexts) -> tuple[bool, bool]:
    """Say whether every text of shape `xxy` is a date with its day first, and with its month first."""
    fits = [bool(~np.isnat(texts.stamps(f)[texts.has_shape]).any()) for f in (True, False)]
    return fits[0], fits[1]
