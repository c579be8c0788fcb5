"""What one column of a table is: its kind, the reason, and what was seen of it.

A `Column` is a declaration, frozen and comparable, and holds all that is needed to turn cells into numbers and back
without the data it was read from. `Seen` keeps the facts (range, levels, fitted codecs), so that a kind can be changed
later and the change be checked against the data.
"""

import math
from functools import cached_property
from typing import Any

import pandas as pd

from laten.common.errors import DataError, known
from laten.data.columns.codecs import Codec, Date, Log, choose_codec
from laten.data.columns.rare_levels import GROUPS, OWN, Groups
from laten.data.histogram.histogram import Histogram
from laten.data.messages import span
from laten.data.records import Finite, Plain, Positive, Record, Whole, replace
from laten.data.text.notation import Notation

CLASSES = ("binary", "categorical", "ordinal")  # kinds with levels
NUMBERS = ("count", "positive", "real", "date", "duration")  # kinds with a codec
ASIDE = ("constant", "identifier", "text")  # kinds that are remembered, not modelled
KINDS = CLASSES + NUMBERS + ASIDE
FORMS = ("bool", "number", "date", "duration", "text", "class", "other")  # the cells; "class": a pandas category
UNSEEN = ("error", "other")  # what becomes of a class that was never seen
OTHER = "(other)"  # the entry it falls into
MAX_LEVELS = 1000  # of numbers and ordinal columns
MOST_DIGITS = 9  # after the point, that are taken for a rounding
MOST_LEVELS = 1_000_000  # of categorical columns


class Seen(Record, frozen=True):
    """Facts about a column's cells.

    Args:
        rows: Rows in the frame.
        missing: How many of them had no value.
        form: One of `FORMS`.
        values: The distinct values in order when there are at most 1000 (a million in columns of classes), else None.
        low: Smallest number (days since 1970-01-01 for dates, seconds for durations), None where there are no numbers.
        high: Largest number.
        decimals: Digits after the point that all numbers share (0: whole numbers), None when more than 4.
        codecs: Every codec the cells allow, fitted.
        counts: How many cells hold each of `values`; empty when there are none.
        digits: As `decimals`, but None when more than 9: what is drawn is rounded to them.
        step: The longest of a day, an hour, a minute and a second that all durations are multiples of, in seconds.
    """

    rows: Whole
    missing: Whole
    form: str
    values: tuple[Plain, ...] | None = None
    low: Finite | None = None
    high: Finite | None = None
    decimals: Whole | None = None
    codecs: tuple[Codec, ...] = ()
    counts: tuple[Whole, ...] = ()
    step: Positive | None = None
    digits: Whole | None = None

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise DataError(f"form must be one of {known(FORMS)}, not {self.form!r}")

    @property
    def tally(self) -> dict[Plain, int]:
        """How many cells hold each of `values`."""
        return dict(zip(self.values or (), self.counts, strict=False))

    @property
    def date(self) -> Date | None:
        """How dates stand in the column; None where there are none."""
        return next((c for c in self.codecs if isinstance(c, Date)), None)


class Column(Record, frozen=True):
    """One column of a table. Two are equal whatever the words of their reasons.

    Args:
        name: Its name in the frame.
        kind: One of binary, categorical, ordinal, count, positive, real, date, duration, constant, identifier, text.
        reason: Why this kind, in plain words.
        dtype: Its pandas dtype as text; `category, ordered` for ordered categories.
        levels: Its values in order (binary, categorical, ordinal), or the one value of a constant.
        seen: What its cells were.
        unseen: What becomes of a class that was never seen: `error`, or `other`: it falls into one more entry,
            `(other)`, which learns from the levels that are `folded` into it (categorical only; see `unseen_levels`).
        folded: Levels that are one entry together.
        binned: The codec of numbers is their histogram, and of more than 256 classes the rare ones share entries (see
            `rare_levels`).
        notation: How its cells are written, where they were text.
    """

    name: str | int
    kind: str
    reason: str
    dtype: str
    levels: tuple[Plain, ...] | None
    seen: Seen
    unseen: str = "error"
    folded: tuple[Plain, ...] = ()
    binned: bool = False
    notation: Notation | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"column {self.name!r}: kind must be one of {known(KINDS)}, not {self.kind!r}")
        n = self.class_count
        if (self.kind == "binary" and n != 2) or (self.kind in CLASSES and n < 2):
            raise DataError(
                f"column {self.name!r}: {self.kind} needs {'2' if self.kind == 'binary' else 'some'} levels"
            )
        if self.unseen not in UNSEEN or (self.folded and self.unseen == "error"):
            raise DataError(f"column {self.name!r}: unseen must be one of {known(UNSEEN)}, not {self.unseen!r}")
        if self.unseen == "other" and (self.kind != "categorical" or n < 2 or OTHER in (self.levels or ())):
            raise DataError(f"column {self.name!r} cannot fold unseen levels into {OTHER!r}")
        if self.kind in NUMBERS and self.codec is None:
            way = "was not seen in data and has no bins; infer_schema(frame) finds them"
            raise DataError(f"column {self.name!r} {way if self.binned else f'is {self.kind} and has no codec for it'}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Column) and self._facts == other._facts

    def __hash__(self) -> int:
        return hash(self._facts)

    @property
    def _facts(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name != "reason")

    @cached_property
    def codec(self) -> Codec | None:
        """The map of a column of numbers to what a model sees: its histogram where `binned`; None for other kinds."""
        if self.binned and self.kind in NUMBERS:
            return next((c for c in self.seen.codecs if isinstance(c, Histogram)), None)
        return choose_codec(self.kind, self.seen.codecs)

    @property
    def missing(self) -> float:
        """Share of cells without a value."""
        return self.seen.missing / max(self.seen.rows, 1)

    @property
    def classes(self) -> tuple[Plain, ...]:
        """What the codes of a column of classes stand for: its levels or, with `other`, those kept, and `(other)`."""
        assert self.levels is not None
        if self.unseen == "error":
            return self.levels
        lost = set(self.folded)
        return (*(v for v in self.levels if v not in lost), OTHER)

    @property
    def map(self) -> Codec:
        """The codec of a column of numbers."""
        assert self.codec is not None
        return self.codec

    @property
    def date(self) -> Date:
        """How dates stand in a column of dates."""
        assert self.seen.date is not None
        return self.seen.date

    @property
    def histogram(self) -> Histogram:
        """The codec of a binned column of numbers."""
        assert isinstance(self.codec, Histogram)
        return self.codec

    @property
    def class_count(self) -> int:
        """Number of classes; 1 for a constant."""
        return len(self.levels or ()) - len(self.folded) + (self.unseen == "other")

    @property
    def size(self) -> int:
        """Number of entries a model sees: classes, groups of them, or bins."""
        if isinstance(self.codec, Histogram):
            return self.codec.size
        return self.class_count if self.groups is None else self.groups.size

    @cached_property
    def groups(self) -> Groups | None:
        """The entries of a binned column of more than 256 classes; None of other columns."""
        if not self.binned or self.kind != "categorical" or self.class_count <= OWN + GROUPS:
            return None
        rows = self.seen.tally
        other = sum(rows.get(v, 0) for v in self.folded)
        return Groups(tuple(rows.get(v, 0) if v != OTHER else other for v in self.classes))

    @property
    def above(self) -> bool:
        """A positive column that holds no 0, for its codec is a logarithm."""
        return self.kind == "positive" and isinstance(self.codec, Log) and self.codec.shift == 0

    @property
    def low(self) -> float:
        """Smallest number seen; NaN when there are none."""
        return math.nan if self.seen.low is None else self.seen.low

    @property
    def bounds(self) -> tuple[float, float]:
        """The hard edges of a column of numbers, infinite where there is none."""
        found = next((c for c in self.seen.codecs if isinstance(c, Histogram)), None)
        return (-math.inf, math.inf) if found is None else found.kept()

    def with_kind(self, kind: str, levels: tuple[Plain, ...] | None = None) -> "Column":
        """Return this column as another kind, checked against the cells that were seen.

        Args:
            kind: The new kind.
            levels: Classes in order, for class kinds; all that were seen must be among them.
        Raises:
            DataError: the cells do not allow it.
        """
        if kind not in KINDS:
            raise DataError(f"column {self.name!r}: there is no kind {kind!r}; known: {known(KINDS)}")
        if levels is not None and kind not in CLASSES:
            raise DataError(f"column {self.name!r}: levels belong to {known(CLASSES)}, not to {kind!r}")
        by_hand: dict[str, Any] = {"reason": "set by hand", "unseen": "error", "folded": ()}
        if kind in CLASSES:
            return replace(self, kind=kind, levels=self._levels(kind, levels), **by_hand)
        if kind in NUMBERS:
            self._check_number(kind)
            return replace(self, kind=kind, levels=None, **by_hand)
        only = self.seen.values if self.seen.values is not None and len(self.seen.values) == 1 else None
        if kind == "constant" and only is None:
            raise DataError(f"column {self.name!r} is not constant; to leave it out use kind 'text' or 'identifier'")
        return replace(self, kind=kind, levels=only, **by_hand)

    def _levels(self, kind: str, levels: tuple[Plain, ...] | None) -> tuple[Plain, ...]:
        values, name = self.seen.values, self.name
        if values is None:
            raise DataError(
                f"column {name!r} has more than {MAX_LEVELS} different values: too many for kind {kind!r}; "
                "group them first, or use another kind"
            )
        if levels is None and kind == "ordinal" and self.seen.form == "text" and self.kind != "ordinal":
            raise DataError(
                f"column {name!r}: the order of its levels is not known; "
                f"say it, low to high: schema.with_kind({name!r}, 'ordinal', levels={list(values[:4])!r}) and so on"
            )
        if levels is None:
            levels = self.levels if self.levels is not None and self.kind in CLASSES else values
        levels = tuple(levels)
        if len(set(levels)) != len(levels):
            raise DataError(f"column {name!r}: the levels {known(levels)} name one twice")
        lost = [v for v in values if v not in levels]
        if lost and self.seen.form != "class":
            raise DataError(f"column {name!r} holds {known(lost)}, not among the levels given; add them")
        if kind == "ordinal" and len(levels) > MAX_LEVELS:
            raise DataError(f"column {name!r} has {len(levels)} levels; ordinal takes up to {MAX_LEVELS}")
        if kind == "binary" and len(levels) != 2:
            raise DataError(f"column {name!r} has {len(levels)} levels {known(levels, 5)}; binary needs exactly 2")
        if len(levels) < 2:
            raise DataError(f"column {name!r} has one value only, {levels[0]!r}; nothing can be learned from it")
        return levels

    def _check_number(self, kind: str) -> None:
        seen, name = self.seen, self.name
        own = {"date", "duration"}  # forms with a kind of their own
        if (kind != seen.form and own & {kind, seen.form}) or not seen.codecs:
            found = {"date": "dates", "duration": "durations", "bool": "true and false", "text": "text"}
            what = (found | {"class": "categories"}).get(seen.form, "numbers")
            first = f", such as {seen.values[0]!r}" if seen.values and seen.form not in own else ""
            to = {"date": "pd.to_datetime(...)", "duration": "pd.to_timedelta(...)"}.get(kind, "pd.to_numeric(...)")
            way = f"convert it first: {to}" if seen.form == "text" else "convert the column first"
            way = f"use kind {seen.form!r}" if seen.form in own else way
            raise DataError(f"column {name!r} holds {what}{first}; kind {kind!r} does not fit; {way}")
        if kind == "count" and (seen.decimals != 0 or self.low < 0):
            why = f"negative numbers, down to {self.low:g}" if self.low < 0 else "fractions"
            raise DataError(f"column {name!r} holds {why}; a count is a whole number of at least 0; use kind 'real'")
        if kind == "positive" and choose_codec(kind, seen.codecs) is None:
            raise DataError(f"column {name!r} holds numbers down to {self.low:g}; use kind 'real'")

    def describe(self) -> str:
        """Say the levels or the range, in few words."""
        if self.levels is not None and self.kind in (*CLASSES, "constant"):
            mark, entries = " < " if self.kind == "ordinal" else ", ", self.classes
            more = f", … ({len(entries)})" if len(entries) > 6 else ""
            return mark.join(str(v) for v in entries[:6]) + more
        if self.seen.low is None or self.seen.high is None:
            return ""
        forms = {"date": lambda d: str(pd.Timestamp(d * 86400, unit="s").date()), "duration": span}
        text = forms.get(self.seen.form, "{:g}".format)
        return f"{text(self.seen.low)} .. {text(self.seen.high)}"
