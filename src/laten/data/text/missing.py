"""Codes for missing: those that always are, those that are among numbers or dates, those that look like it.

| where | what | becomes |
|---|---|---|
| any column | `ALWAYS`: empty, `NA`, `n/a`, `?`, `null`, `#N/A`, errors of spreadsheets | missing |
| among numbers, dates, … | `WORDS`: `-`, `.`, `none`, `unknown`, `inf`, … however many there are | missing, and said |
| among more than 20 different numbers | up to three other marks of three letters at most | missing; said |
| columns of text | a word that is missing in another column of the file | missing, and said |
| numbers and dates | -999, 9999, 1900-01-01 and the like, frequent or far from the others | kept; said |
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ALWAYS = (
    "", "?", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "-nan", "null", "NULL", "Null", "<NA>", "#N/A", "#NA",
    "NaT", "#N/A N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NUM!", "#NAME?", "#NULL!",
)  # fmt: skip
WORDS = (
    "-", "--", "---", "–", "—", ".", "..", "...", "*", "/", "none", "missing", "unknown", "unk", "nil", "void", "n.a.",
    "n.a", "k.a.", "n/d", "n.d.", "nd", "not available", "not applicable", "not known", "no data", "(null)", "(blank)",
    "(empty)", "(none)", "blank", "empty", "undefined", "unavailable", "inf", "-inf", "+inf", "infinity", "-infinity",
    "tbd", "tba", "pending", "<null>", "\\n", "xx", "xxx", "nr", "not reported", "no answer",
    "keine angabe", "unbekannt",
)  # fmt: skip
OTHERS, LONGEST = 3, 3  # marks that are codes although they stand in no list, and their letters
DISTINCT = 20  # different numbers or dates beside which they are
_WHOLE = re.compile(r"-?\d+")
_CODES = np.array([s * int(d * k) for k in range(2, 7) for s in (-1, 1) for d in "89"], np.float64)
_DAYS = ("1900-01-01", "1899-12-30", "1899-12-31", "1970-01-01", "1753-01-01", "1601-01-01", "9999-12-31", "2999-12-31",
         "2099-12-31", "1800-01-01", "1111-11-11")  # fmt: skip


def is_always(texts: pa.Array, codes: tuple[str, ...]) -> np.ndarray:
    """Return which texts, without blanks around them, are one of `codes`; -999 is also written -999.0."""
    found = pc.is_in(texts, value_set=pa.array(codes, pa.string())).to_numpy(zero_copy_only=False)
    whole = "|".join(c for c in codes if _WHOLE.fullmatch(c))
    return found | pc.match_substring_regex(texts, rf"^(?:{whole})[.,]0+$").to_numpy(False) if whole else found


def code_words(texts: list[str], rows: np.ndarray, distinct: int) -> list[str]:
    """Return which of the texts that do not fit a column are codes for missing; all others are faults.

    Args:
        texts: The distinct texts that are no numbers (dates, …) where the rest of the column is.
        rows: How many cells hold each.
        distinct: How many different numbers the column has.
    """
    listed = [t for t in texts if t.lower() in WORDS]
    others = [(t, n) for t, n in zip(texts, rows, strict=True) if t.lower() not in WORDS]
    words = [t for t, n in others if n > 1 and len(t) <= LONGEST and not any(c.isdigit() for c in t)]
    if len(words) == len(others) <= OTHERS and distinct > DISTINCT:
        return listed + words
    return listed


def looks_missing(values: np.ndarray, rows: np.ndarray, dates: bool = False) -> list[int]:
    """Return which of a column's distinct numbers (days, for dates) look like codes for missing.

    A number of nines or eights, or a famous date, that is three times as frequent as any other value, or lies at an end
    further from the others than three times their widest gap.
    """
    if len(values) < 5:
        return []
    known = np.array(_DAYS, "datetime64[D]").astype(np.float64) if dates else _CODES
    order = np.argsort(values)
    x, n = values[order], rows[order]
    found = []
    for i in np.flatnonzero(np.isin(x, known) & (n > 1)):
        rest = np.delete(n, i)
        inner = np.delete(x, np.flatnonzero(np.isin(x, known)))
        end = len(inner) > 3 and (x[i] < inner[0] or x[i] > inner[-1])
        gap = min(abs(x[i] - inner[0]), abs(x[i] - inner[-1])) if end else 0.0
        frequent = n[i] >= 3 * max(rest[~np.isin(np.delete(x, i), known)].max(initial=1), 1)
        if frequent or (end and gap > 3 * np.diff(inner).max()):
            found.append(int(order[i]))
    return found
