"""Numbers in text: decimal and thousands marks, money, percent, brackets for negatives, scientific notation.

    texts --NumberTexts--> sign, body, exponent, money --fits(marks)--> which are numbers --values(marks)--> float64

A body such as `1.234` fits several pairs of marks; which are meant is decided from all cells of a column (`choose`),
where these leave it open from the other columns, and said where nothing decides.
"""

import re
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SIGNS = r"[$€£¥₹₩₽₺₪฿₴₫]|R\$|US\$|A\$|C\$|HK\$"
_NAMES = (
    r"USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RON|AUD|CAD|NZD|BRL|ZAR|RUB|HKD|SGD|MXN|TRY|KRW|ILS|THB|"
    r"Fr\.|kr\.?|zł|Kč|Ft|Rs\.?|lei"
)
MONEY = f"{_SIGNS}|{_NAMES}"
_BLANKS = " \u00a0\u2009\u202f"  # also those that do not break
_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_SHAPE = (
    rf"^(?P<open>\(?)\s*(?P<sign>[+\-−]?)\s*(?P<before>{MONEY})?(?P<gap1>[{_BLANKS}]*)(?P<sign2>[+\-−]?)"
    rf"(?P<body>\d(?:[\d.,'’{_BLANKS}]*\d)?[.,]?|[.,]\d+)(?P<exp>(?:[eE][+\-]?\d+)?)"
    rf"(?P<gap2>[{_BLANKS}]*)(?P<after>%|‰|{MONEY})?\s*(?P<close>\)?)(?P<minus>-?)$"
)
FEW, LONG = 50, 100  # texts, and their characters
PROBE = 200  # texts that are tried before all are
LONGEST = 15  # digits that a float keeps; longer whole numbers are codes


class Marks(NamedTuple):
    """The decimal mark and the mark between thousands; the latter is empty where there is none."""

    decimal: str
    thousands: str


MARKS = (
    Marks(".", ""), Marks(".", ","), Marks(",", ""), Marks(",", "."), Marks(".", " "), Marks(",", " "), Marks(".", "'"),
    Marks(",", "'"),
)  # fmt: skip
_ANY = {" ": f"[{_BLANKS}]", "'": "['’]", ",": ",", ".": r"\."}


class NumberTexts:
    """Texts, without blanks around them, that may be numbers.

    Args:
        values: The distinct texts.
    """

    def __init__(self, values: pa.Array) -> None:
        self.values = values
        self.plain = matches(values, _PLAIN)
        self.some = (
            values if len(values) <= PROBE else values.take(pa.array(np.linspace(0, len(values) - 1, PROBE, dtype=int)))
        )

    @cached_property
    def _parts(self) -> dict[str, pa.Array]:
        found = pc.extract_regex(self.values, pattern=_SHAPE)
        names = [field.name for field in found.type]
        return {n: pc.fill_null(pc.struct_field(found, n), "") for n in names}

    @cached_property
    def none(self) -> bool:
        """No text that was probed is a number in any notation."""
        return not self.all_plain and not matches(self.some, _SHAPE).any()

    @cached_property
    def all_plain(self) -> bool:
        """No text has money, percent, a decimal comma or a mark between thousands."""
        return bool(self.plain.all())

    @cached_property
    def body(self) -> pa.Array:
        """Digits and marks of each text, without sign and exponent; empty where it is no number."""
        if self.all_plain:
            return pc.replace_substring_regex(self.values, pattern=r"^[+-]|[eE].*$", replacement="")
        return self._parts["body"]

    @cached_property
    def negative(self) -> np.ndarray:
        """Which are below zero, by a sign before or after or by brackets."""
        if self.all_plain:
            return matches(self.values, "^-")
        minus = pa.array(["-", "−"])
        parts = self._parts
        found = [pc.is_in(parts[n], value_set=minus) for n in ("sign", "sign2", "minus")]
        return np.logical_or.reduce([_bools(f) for f in found] + [self.brackets])

    @cached_property
    def brackets(self) -> np.ndarray:
        """Which stand in brackets."""
        if self.all_plain:
            return np.zeros(len(self.values), bool)
        return _bools(pc.equal(self._parts["open"], "("))

    @cached_property
    def _shaped(self) -> np.ndarray:
        """Which have brackets on both sides or on none, and one sign at most."""
        parts = self._parts
        closed = _bools(pc.equal(parts["close"], ")")) == self.brackets
        signs = sum((_bools(pc.not_equal(parts[n], ""))).astype(int) for n in ("sign", "sign2", "minus"))
        return closed & (signs + self.brackets <= 1) & _bools(pc.not_equal(self.body, ""))

    def fits(self, marks: Marks) -> np.ndarray:
        """Return which texts are numbers with these marks."""
        if self.all_plain and marks == MARKS[0]:
            return self.plain
        if self.none:
            return np.zeros(len(self.values), bool)
        dec = _ANY[marks.decimal]
        body = rf"\d+({dec}\d*)?|{dec}\d+"
        if marks.thousands:
            tho = _ANY[marks.thousands]
            groups = rf"({tho}\d{{3}})+" if marks.thousands != "," else rf"({tho}\d{{2}})*({tho}\d{{3}})+"
            body = rf"\d+({dec}\d*)?|[1-9]\d{{0,2}}{groups}({dec}\d*)?"
        right = matches(self.body, f"^({body})$")
        return right if self.all_plain else right & self._shaped

    @cached_property
    def open(self) -> bool:
        """Whether each mark may be a decimal one or one between thousands: all bodies are such as `1.234`, `12,000`."""
        if self.none or matches(self.some, r"^[+-]?0|[.,](\d{0,2}|\d{4,})$").any():  # quick: most columns end here
            return False
        marked = pc.filter(self.body, pc.match_substring_regex(self.body, r"[.,]"))
        if matches(self.values, r"\d[eE]").any():
            return False
        return len(marked) > 0 and bool(matches(marked, r"^[1-9]\d{0,2}([.]\d{3}|,\d{3})$").all())

    def affixes(self, name: str, which: np.ndarray) -> list[str]:
        """Return the distinct texts `before` or `after` the numbers that `which` picks, empty ones included."""
        if self.all_plain:
            return [""]
        return pc.unique(pc.filter(self._parts[name], pa.array(which))).to_pylist()

    def unit(self, name: str) -> str:
        """Return the text `before` or `after` the numbers, with the blank between."""
        if self.all_plain:
            return ""
        parts = self._parts
        has = pc.not_equal(parts[name], "")
        both = ("before", "gap1") if name == "before" else ("gap2", "after")
        joined = pc.binary_join_element_wise(*(parts[n] for n in both), "").filter(has)
        return joined[0].as_py() if len(joined) else ""

    def has_unit(self, name: str, unit: str) -> np.ndarray:
        """Return which texts have `unit` `before` or `after` the number, or nothing."""
        if self.all_plain:
            return np.ones(len(self.values), bool)
        return _bools(pc.is_in(self._parts[name], value_set=pa.array(["", unit])))

    def values_by(self, marks: Marks) -> np.ndarray:
        """Return `(texts,)` float64; the texts must fit."""
        if self.all_plain and marks == MARKS[0]:
            return _floats(self.values)
        body = self.body
        if marks.thousands:
            body = pc.replace_substring_regex(body, pattern=_ANY[marks.thousands], replacement="")
        if marks.decimal != ".":
            body = pc.replace_substring(body, pattern=marks.decimal, replacement=".")
        x = _floats(pc.binary_join_element_wise(body, self._parts["exp"], ""))
        return np.where(self.negative, -x, x)

    def fraction(self, marks: Marks) -> pa.Array:
        """Return the digits after the decimal mark; of numbers with an exponent too."""
        found = pc.extract_regex(self.body, pattern=rf"{_ANY[marks.decimal]}(?P<f>\d*)$")
        return pc.fill_null(pc.struct_field(found, "f"), "")

    def exponents(self) -> bool:
        """Say whether any has an exponent, as `1e-3`."""
        return bool(matches(self.values, r"\d[.,]?[eE][+-]?\d").any())

    def significant(self) -> int:
        """Return the most digits of any number, without zeros before them."""
        digits = pc.replace_substring_regex(self.body, pattern=r"\D", replacement="")
        return int(pc.max(pc.utf8_length(pc.utf8_ltrim(digits, "0"))).as_py())

    def ends_in(self, mark: str) -> bool:
        """Say whether any ends in its decimal mark, as `5.` does, and so is no whole number."""
        return bool(matches(self.body, f"{_ANY[mark]}$").any())

    def is_code(self) -> str:
        """Say why numbers are rather codes: leading zeros, too many digits, a plus before each; empty: not so."""
        zeros = matches(self.body, r"^0\d")
        if zeros.any():
            return "leading zeros"
        if matches(self.body, rf"^\d{{{LONGEST + 1},}}$").any():
            return f"more than {LONGEST} digits"
        plus = matches(self.values, r"^\+\d{6,}$")
        return "a plus before each" if len(plus) and plus.all() else ""


def choose(texts: NumberTexts, rows: np.ndarray, allowed: tuple[Marks, ...], usual: str | None) -> tuple[Marks, bool]:
    """Choose the marks that the most cells fit.

    Args:
        rows: How many cells hold each text.
        allowed: Marks to choose from.
        usual: The decimal mark of other columns of the file, where they tell.
    Returns:
        The marks; and whether another choice fits as well and gives other numbers, undecided by `usual`.
    """
    if texts.all_plain and MARKS[0] in allowed and not texts.open:
        return MARKS[0], False
    fit = {m: int(rows[texts.fits(m)].sum()) for m in allowed}
    most = max(fit.values())
    best = [m for m in allowed if fit[m] == most]
    if len(best) == 1 or not texts.open:
        return best[0], False
    decided = [m for m in best if m.decimal == usual]
    return (decided[0], False) if decided else (best[0], len({m.decimal for m in best}) > 1)


def _floats(texts: pa.Array) -> np.ndarray:
    try:
        return pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # such as +1 or 1.e5
        return np.array([float(t) if t else np.nan for t in texts.to_pylist()], np.float64)


def matches(texts: pa.Array, pattern: str) -> np.ndarray:
    """Return which texts hold a pattern. For a few, Arrow would take longer to compile it than Python to search."""
    few = texts.to_pylist() if len(texts) <= FEW else []
    if not few or any(t is not None and len(t) > LONG for t in few):  # Arrow's time is linear, Python's may not be
        return _bools(pc.match_substring_regex(texts, pattern=pattern))
    search = re.compile(pattern, re.ASCII).search
    return np.array([t is not None and search(t) is not None for t in few], bool)


def _bools(found: pa.Array) -> np.ndarray:
    return pc.fill_null(found, False).to_numpy(zero_copy_only=False).astype(bool)
