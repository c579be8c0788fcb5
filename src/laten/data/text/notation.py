"""What was assumed of a table of text: a notation for each column, the layout of the file, and notes.

    frame.attrs["laten"] --assumed--> Assumed

pandas copies `attrs` with every frame and writes them into Parquet as JSON, so the record is kept there as one text.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import pandas as pd

from laten.common.errors import DataError
from laten.data.records import Record, Whole, read

ATTRIBUTE = "laten"
FORMS = ("number", "date", "month", "quarter", "time", "duration", "bool", "text")


class Note(Record, frozen=True):
    """Something assumed.

    Args:
        text: In plain words.
        option: The parameter of `read` that changes it; empty where none does.
    """

    text: str
    option: str = ""


class Notation(Record, frozen=True):
    """How the cells of a column are written.

    Args:
        form: One of `FORMS`.
        decimal: The mark before the fraction; empty: to be decided from the cells.
        thousands: The mark between thousands; empty: none.
        digits: Most digits after the decimal mark; where the style is `%g`, most digits at all.
        padded: Every cell has all of these digits, as `1.50`.
        before: Money sign before a number.
        after: Percent or money sign after it.
        brackets: Negative numbers stand in brackets.
        whole: No cell has a fraction.
        style: How dates, times and durations are written, in the letters of `strftime`; `%q` is the quarter, `%D`
            days, `%z` the zone as below; of numbers: `%g` where some have an exponent.
        dayfirst: Of `03/04/2024`, whether 3 is the day; None where it does not matter.
        zone: Offset of times from UTC, as `+02:00` or `UTC`; empty: none.
        words: How true and false are written; of text, labels that are no codes for missing, such as `NA`.
        strip: Blanks around labels do not count.
        missing: Codes for missing that were found, besides empty cells.
    """

    form: str
    decimal: str = "."
    thousands: str = ""
    digits: Whole = 0
    padded: bool = True
    before: str = ""
    after: str = ""
    brackets: bool = False
    whole: bool = False
    style: str = ""
    dayfirst: bool | None = None
    zone: str = ""
    words: tuple[str, ...] = ()
    strip: bool = False
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise DataError(f"a notation's form must be one of {FORMS}, not {self.form!r}")

    @property
    def open(self) -> bool:
        """Nothing but the form is known."""
        return self in (Notation(self.form), Notation(self.form, decimal=""))


OF_KIND = {
    **dict.fromkeys(("count", "positive", "real"), Notation("number", decimal="")), "date": Notation("date"),
    "duration": Notation("duration"), **dict.fromkeys(("text", "identifier"), Notation("text")),
}  # fmt: skip


class Assumed(Record, frozen=True):
    """What was assumed when a table was read.

    Args:
        source: The file.
        format: What it was read as: `text`, `xlsx`, `json`, ….
        encoding: Of text.
        sep: Between the cells of a row of text.
        quote: Around cells of text.
        header: Line of the names, counted from 1; 0: the file has none.
        columns: Column -> its notation, of columns that were text.
        ids: Columns that are identifiers by the option `id`.
        notes: What is worth a word, with the option that changes it.
    """

    source: str
    format: str = "text"
    encoding: str = ""
    sep: str = ""
    quote: str = ""
    header: Annotated[int, msgspec.Meta(ge=0)] = 1
    columns: dict[str, Notation] = msgspec.field(default_factory=dict)
    ids: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def plain(self) -> bool:
        """Nothing was assumed that is worth a word: UTF-8, commas (tabs in `.tsv`), names in the first line."""
        usual = "\t" if self.source.lower().endswith(".tsv") else ","
        text = (self.encoding, self.sep, self.header) in (("utf-8", usual, 1), ("utf-8", ",", 1))
        return not self.notes and (text or self.format != "text")

    def line(self, prefix: str = "") -> str:
        """Say what was assumed in one line, each with the option that changes it; `prefix` stands before options."""
        parts = []
        if self.format == "text":
            marks = {"\t": "tabs", " ": "blanks"}
            sep = marks.get(self.sep, f"{self.sep!r}")
            head = f"names in line {self.header}" if self.header else "no names in the file"
            parts = [f"{self.encoding} [{prefix}encoding]", f"{sep} between cells [{prefix}sep]"]
            parts += [f"{head} [{prefix}header]"]
        parts += [f"{text} [{prefix}{option}]" if option else text for text, option in gathered(self.notes)]
        return f"{self.source}: read as " + "; ".join(parts or [self.format])


def gathered(notes: tuple[Note, ...]) -> list[tuple[str, str]]:
    """Return texts and options of notes, with one for all columns of which the same is said of their marks."""
    found: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        name, said, rest = note.text.partition(" has the decimal mark ")
        key = (said + rest, note.option) if said else (note.text, note.option)
        found.setdefault(key, []).append(name if said else "")
    return [
        (", ".join(names) + (text if len(names) == 1 else text.replace(" has ", " have ", 1)), option)
        if names[0]
        else (text, option)
        for (text, option), names in found.items()
    ]


def attach(frame: pd.DataFrame, record: Assumed) -> pd.DataFrame:
    """Keep what was assumed with a frame."""
    frame.attrs[ATTRIBUTE] = json.dumps(record.to_json(), ensure_ascii=False)
    return frame


def assumed(frame: pd.DataFrame) -> Assumed | None:
    """Return what was assumed when `read` made a frame; it stays with copies and parts of the frame.

    Returns:
        Encoding, separator, the notation of each column, and notes with the options that change them; None for a frame
        that `read` did not make.
    Raises:
        DataError: the record with the frame was overwritten.
    """
    return recorded(getattr(frame, "attrs", {}))


def recorded(attributes: Mapping[Any, Any]) -> Assumed | None:
    """Return the record among a frame's `attrs`, if there is one."""
    text = attributes.get(ATTRIBUTE)
    if text is None:
        return None
    try:
        value: Any = json.loads(text)
    except (TypeError, ValueError):
        raise DataError(f"frame.attrs[{ATTRIBUTE!r}] is no record of what was assumed; delete it") from None
    found: Assumed = read(value, Assumed, f"frame.attrs[{ATTRIBUTE!r}]")
    return found
