"""Random tables in random notations, as texts of files: what hypothesis draws, and how it is written."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from laten.data.text.missing import ALWAYS, WORDS

LABELS = ["Zürich", "New York", "a,b", 'say "hi"', "x;y", "O'Brien", "été", "A1", "007", "1st", "north",
         "South", "two\nlines", "#5", "Ünïcode ☃", "tab\there", "|", "long " * 6 + "end", "=1+1",
         "(none of it)", "N", "Y/N"]  # fmt: skip
DATES = ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d.%m.%y", "%Y%m%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y",
         "%Y/%m/%d", "%d %B %Y", "%-d/%-m/%Y"]  # fmt: skip
CLOCKS = ["", "", " %H:%M", "T%H:%M:%S", " %I:%M %p", " %H:%M:%S.%f"]
ZONES = ["", "", "Z", "+02:00", "-0530"]
TRUTHS = [
    ("FALSE", "TRUE"),
    ("false", "true"),
    ("False", "True"),
    ("no", "yes"),
    ("N", "Y"),
    ("nein", "ja"),
    ("0", "1"),
]
NAMES = ["age", " code", "größe", "x", "When?", "a b", "2019", "N", "id", "price ($)"]
UNITS = [*[("", "")] * 3, ("$", ""), ("€ ", ""), ("", "%"), ("", " EUR"), ("", " %")]
LOST = ["", "", "", "NA", "?", "N/A", "null", "-", "unknown"]
MARKS = [(".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'")]


class Table(NamedTuple):
    """A file: its bytes, and what is in it.

    Args:
        names: Of the columns.
        cells: Rows of texts.
        full: Rows of booleans: the cell has a value.
        sep: Between cells.
        raw: The file.
    """

    names: list[str]
    cells: list[list[str]]
    full: list[list[bool]]
    sep: str
    raw: bytes


def number_texts(rng: np.random.Generator, draw, rows: int) -> list[str]:
    """Numbers with marks, money, percent, brackets, or an exponent."""
    digits, (decimal, thousands) = draw(st.integers(0, 6)), draw(st.sampled_from(MARKS))
    before, after = draw(st.sampled_from(UNITS))
    brackets, padded = draw(st.booleans()), draw(st.booleans())
    size = draw(st.sampled_from([1, 100, 5000, 10**6]))
    x = rng.normal(0, size, rows) if draw(st.booleans()) else rng.gamma(2, size, rows)
    few = draw(st.integers(0, 4)) == 0
    x = rng.choice(x[:3], rows) if few else x
    found = []
    for v in x.tolist():
        if size == 1 and digits == 6 and not before + after:
            text = f"{abs(v):.3e}".replace(".", decimal)
        else:
            text = f"{abs(v):{',' if thousands else ''}.{digits}f}"
            text = text.rstrip("0").rstrip(".") if digits and not padded else text
            text = text.replace(",", "t").replace(".", decimal).replace("t", thousands)
        text = f"{before}{text}{after}"
        found.append(text if v >= 0 else f"({text})" if brackets else f"-{text}")
    return found


def date_texts(rng: np.random.Generator, draw, rows: int) -> list[str]:
    """Dates and times."""
    style, clock = draw(st.sampled_from(DATES)), draw(st.sampled_from(CLOCKS))
    clock = "" if style == "%Y%m%d" else clock
    zone = draw(st.sampled_from(ZONES)) if clock else ""
    days = pd.Timestamp("1971-01-01") + pd.to_timedelta(rng.integers(0, 18_000, rows), unit="D")
    at = days + pd.to_timedelta(rng.integers(0, 86_400_000, rows), unit="ms")
    return [t.strftime(style + clock) + zone for t in at]


def span_texts(rng: np.random.Generator, draw, rows: int) -> list[str]:
    """Months, quarters, times of day and durations."""
    minutes = rng.integers(1, 1440, rows).tolist()
    months = [pd.Period("1990-01", "M") + int(m) for m in rng.integers(0, 300, rows)]
    ways = {
        "month": lambda: [str(m) for m in months],
        "named month": lambda: [m.strftime("%b %Y") for m in months],
        "quarter": lambda: [f"{m.year}Q{m.quarter}" for m in months],
        "clock": lambda: [f"{m // 60:02d}:{m % 60:02d}" for m in minutes],
        "seconds": lambda: [f"{m // 60}:{m % 60:02d}:{m % 7:02d}" for m in minutes],
        "half": lambda: [f"{m // 60 % 12 or 12}:{m % 60:02d} {'AM' if m < 720 else 'PM'}" for m in minutes],
        "words": lambda: [f"{m // 60 + 1}h {m % 60}m" for m in minutes],
        "iso": lambda: [f"PT{m // 60 + 1}H{m % 60}M" for m in minutes],
        "long": lambda: [f"{m // 60 + 20}:{m % 60:02d}" for m in minutes],
        "days": lambda: [f"{m % 9} days {m // 60:02d}:{m % 60:02d}:00" for m in minutes],
    }
    return ways[draw(st.sampled_from(sorted(ways)))]()


def means_itself(word: str) -> bool:
    """No hole: neither blank nor a code that the reader takes for missing, and says so; no number either."""
    return word not in ALWAYS and word.lower() not in WORDS and not word.isdigit()


def label_texts(rng: np.random.Generator, draw, rows: int) -> list[str]:
    """Words, codes with leading zeros, long numbers, truth values; some have blanks around them."""
    sort = draw(st.sampled_from(["words", "words", "codes", "ids", "truth", "odd"]))
    if sort == "truth":
        return rng.choice(draw(st.sampled_from(TRUTHS)), rows).tolist()
    if sort == "codes":
        return [f"{i:05d}" for i in rng.integers(0, 30, rows)]
    if sort == "ids":
        return [str(90_071_992_547_409_930 + 7 * int(i)) for i in rng.permutation(rows)]
    words = draw(st.lists(st.sampled_from(LABELS), min_size=2, max_size=6, unique=True))
    if sort == "odd":
        words = draw(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5),
                              min_size=2, max_size=5, unique=True))  # fmt: skip
        words = [w if means_itself(w.strip()) else f"{w}w" for w in words]
    pads = draw(st.sampled_from(["", "", " ", "  "]))
    return [w + pads if i % 3 == 0 else w for i, w in enumerate(rng.choice(np.array(words, object), rows).tolist())]


COLUMNS = [number_texts, number_texts, date_texts, span_texts, label_texts, label_texts]


@st.composite
def tables(draw) -> Table:
    """A table of 12 to 40 rows and 2 to 5 columns, with holes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, width = draw(st.integers(12, 40)), draw(st.integers(2, 5))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=width, max_size=width, unique=True))
    columns, full = [], []
    for _ in range(width):
        texts = draw(st.sampled_from(COLUMNS))(rng, draw, rows)
        lost, share = draw(st.sampled_from(LOST)), draw(st.sampled_from([0.0, 0.1, 0.3]))
        there = rng.random(rows) >= share
        there[:4] = True
        columns.append([t if ok else lost for t, ok in zip(texts, there, strict=True)])
        full.append(there.tolist())
    # a name that is also a label below it cannot be told from a row
    names = [f"{name} 1" if name in texts else name for name, texts in zip(names, columns, strict=True)]
    cells = [list(row) for row in zip(*columns, strict=True)]
    there = [list(row) for row in zip(*full, strict=True)]
    sep = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    end, everything = draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans())
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    return Table(names, cells, there, sep, text_of([names, *cells], sep, end, everything).encode(encoding))


def later(table: Table, seed: int) -> Table:
    """Some of the rows in another order and with more holes, in a file of another layout: a later batch."""
    rng = np.random.default_rng(seed)
    at = rng.permutation(len(table.cells))[: rng.integers(1, len(table.cells))]
    lost = rng.random((len(at), len(table.names))) < 0.2
    cells = [["" if lost[k, j] else t for j, t in enumerate(table.cells[i])] for k, i in enumerate(at)]
    full = [[f and not lost[k, j] for j, f in enumerate(table.full[i])] for k, i in enumerate(at)]
    sep = str(rng.choice([",", ";", "\t"]))
    return Table(table.names, cells, full, sep, text_of([table.names, *cells], sep).encode())


def text_of(rows: list[list[str]], sep: str, end: str = "\n", everything: bool = False) -> str:
    """A file's text; all text in quotes, or only what needs them."""

    def cell(text: str) -> str:
        need = any(c in text for c in f'{sep}"\r\n') or (everything and text and not text[0].isdigit())
        return '"' + text.replace('"', '""') + '"' if need else text

    return "".join(sep.join(map(cell, row)) + end for row in rows)
