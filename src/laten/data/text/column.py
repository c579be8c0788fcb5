"""One column of text: what its cells can be read as, and which cells cannot.

cells --ColumnText--> distinct texts --readings--> numbers | dates | durations | truth values, each with what fits
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from laten.data.text.dates import FORM_OF, SHAPES, ZERO, DateTexts, month_first_too
from laten.data.text.durations import seconds_of
from laten.data.text.missing import is_always
from laten.data.text.numbers import MARKS, Marks, NumberTexts, choose, matches

PAIRS = (
    ("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"), ("nein", "ja"), ("non", "oui"),
    ("no", "si"), ("no", "sí"), ("falsch", "wahr"), ("faux", "vrai"),
)  # fmt: skip
_PROBE = 200  # distinct texts that are tried before all are


@dataclass(frozen=True)
class Told:
    """What is said rather than assumed; None: assume.

    Args:
        decimal: Decimal mark.
        thousands: Mark between thousands; empty: none.
        dayfirst: Whether `03/04/2024` has its day first.
        missing: Codes for missing besides empty cells; empty: none.
    """

    decimal: str | None = None
    thousands: str | None = None
    dayfirst: bool | None = None
    missing: tuple[str, ...] | None = None

    @property
    def marks(self) -> tuple[Marks, ...]:
        """Marks of numbers to choose from."""
        found = tuple(m for m in MARKS if self.decimal in (None, m.decimal) and self.thousands in (None, m.thousands))
        return found or (Marks(self.decimal or ("," if self.thousands == "." else "."), self.thousands or ""),)


class ColumnText:
    """The cells of a column as they are written.

    Args:
        name: The column's name.
        cells: `(rows,)` texts.
        codes: Texts that are missing in any column.
    """

    def __init__(self, name: str, cells: pa.Array, codes: tuple[str, ...]) -> None:
        self.name = name
        whole = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
        code = pc.dictionary_encode(pc.fill_null(whole, ""))
        self.written = pc.cast(code.dictionary, pa.string())
        self.at = code.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        self.rows = np.bincount(self.at, minlength=len(self.written))
        self.trimmed = pc.utf8_trim_whitespace(self.written)
        self.empty = is_always(self.trimmed, (*codes, ""))

    @cached_property
    def present(self) -> np.ndarray:
        """Which of the distinct texts are not missing in any column, as positions."""
        return np.flatnonzero(~self.empty)

    @cached_property
    def texts(self) -> pa.Array:
        """These texts, without blanks around them."""
        return self.trimmed.take(pa.array(self.present))

    @cached_property
    def weights(self) -> np.ndarray:
        """How many cells hold each of them."""
        return self.rows[self.present]

    @cached_property
    def numbers(self) -> NumberTexts:
        """These texts as numbers."""
        return NumberTexts(self.texts)

    def marks(self, told: Told, usual: str | None) -> tuple[Marks, bool]:
        """Return the marks of the column's numbers, and whether nothing decides between two."""
        return choose(self.numbers, self.weights, told.marks, usual)

    def decimal_mark(self, told: Told) -> str | None:
        """Return the decimal mark where the column's numbers leave no doubt of it; else None."""
        if not len(self.texts) or self.numbers.none or self.numbers.open:
            return None
        marks, _ = self.marks(told, None)
        fits = self.numbers.fits(marks)
        shown = pc.match_substring_regex(pc.filter(self.numbers.body, pa.array(fits)), r"[.,]")
        return marks.decimal if fits.mean() > 0.5 and pc.any(shown).as_py() else None

    @cached_property
    def dates(self) -> tuple[DateTexts, ...]:
        """These texts as dates of each shape that any of the first has."""
        probe = self.texts.slice(0, _PROBE)
        if len(self.texts) > _PROBE:  # and some from all over
            probe = self.texts.take(pa.array(np.linspace(0, len(self.texts) - 1, _PROBE).astype(np.int64)))
        likely = [s for s, p in SHAPES.items() if matches(probe, f"^{p}$").any()]
        if not likely or matches(probe, r"\d{4}|\d[-/. ]").sum() < len(probe) / 3:
            return ()
        return tuple(DateTexts(self.texts, s) for s in likely)

    @cached_property
    def orders(self) -> tuple[bool, bool] | None:
        """Whether all dates such as 03/04/2024 can have their day first, and their month first; None: no such dates."""
        found = next((d for d in self.dates if d.shape == "xxy"), None)
        return None if found is None else month_first_too(found)

    @cached_property
    def seconds(self) -> np.ndarray:
        """These texts as durations in seconds, NaN where they are none."""
        probe = [seconds_of(t) for t in self.texts.slice(0, 20).to_pylist()]
        if not np.isfinite(probe).any():
            return np.full(len(self.texts), np.nan)
        return np.array([seconds_of(t) for t in self.texts.to_pylist()], np.float64)

    @cached_property
    def zero_dates(self) -> np.ndarray:
        """Which texts are the `0000-00-00` that some databases write for no date."""
        return pc.match_substring_regex(self.texts, ZERO).to_numpy(zero_copy_only=False)

    def truth(self) -> tuple[str, str] | None:
        """Return the pair of words, lower case, that all texts are one of; None when there is none."""
        if not 0 < len(self.texts) <= 8:
            return None
        found = {t.lower() for t in self.texts.to_pylist()}
        return next((p for p in PAIRS if found <= set(p) and (len(found) > 1 or p == PAIRS[0])), None)

    def stamps(self, dayfirst: bool | None, form: str | None = None) -> tuple[np.ndarray, list[DateTexts]]:
        """Return the texts as dates, NaT where they are none, and the shapes that were used.

        Args:
            dayfirst: Whether 03/04/2024 has its day first.
            form: `date`, `month` or `quarter`; None: dates where there are any, else the other.
        """
        forms = self.forms
        form = form or ("date" if "date" in forms or len(forms) != 1 else next(iter(forms)))
        stamps, used = np.full(len(self.texts), np.datetime64("NaT", "us")), []
        for d in self.dates:
            if FORM_OF.get(d.shape, "date") != form:
                continue
            found = d.stamps(dayfirst)
            new = np.isnat(stamps) & ~np.isnat(found)
            stamps = np.where(new, found, stamps)
            used += [d] if new.any() else []
        return stamps, used

    @property
    def forms(self) -> set[str]:
        """Forms that dates of the column have: `date`, `month`, `quarter`."""
        return {FORM_OF.get(d.shape, "date") for d in self.dates}
