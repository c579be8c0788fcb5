"""What one column of a table is: its kind, the reason, and what was seen of it.

A `Column` is a declaration, frozen and comparable, and holds all that is needed to turn cells into numbers and back
without the data it was read from. `Seen` keeps the facts (range, levels, fitted codecs), so that a kind can be changed
later and the change be checked against the data.
"""

import math
from dataclasses import asdict, dataclass, replace

import pandas as pd

from laten.data.codecs import Codec, choose_codec, codec_from_json, codec_to_json
from laten.data.plain import Plain, Reader
from laten.errors import DataError, known

CLASSES = ("binary", "categorical", "ordinal")  # kinds with levels
NUMBERS = ("count", "positive", "real", "date")  # kinds with a codec
ASIDE = ("constant", "identifier", "text")  # kinds that are remembered, not modelled
KINDS = CLASSES + NUMBERS + ASIDE
FORMS = ("bool", "number", "date", "text", "class", "other")  # what the cells are; "class" is a pandas category
MAX_LEVELS = 1000


@dataclass(frozen=True)
class Seen:
    """Facts about a column's cells.

    Args:
        rows: Rows in the frame.
        missing: How many of them had no value.
        form: One of `FORMS`.
        values: The distinct values in order when there are at most 1000, else None.
        low: Smallest number (days since 1970-01-01 for dates), None where there are no numbers.
        high: Largest number.
        decimals: Digits after the point that all numbers share (0: whole numbers), None when more than 4.
        codecs: Every codec the cells allow, fitted.
    """

    rows: int
    missing: int
    form: str
    values: tuple[Plain, ...] | None = None
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    codecs: tuple[Codec, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: Its name in the frame.
        kind: One of binary, categorical, ordinal, count, positive, real, date, constant, identifier, text.
        reason: Why this kind, in plain words.
        dtype: Its pandas dtype as text; `category, ordered` for ordered categories.
        levels: Its classes in order (binary, categorical, ordinal), or the one value of a constant.
        codec: The map to numbers of order one (count, positive, real, date).
        seen: What its cells were.
    """

    name: str | int
    kind: str
    reason: str
    dtype: str
    levels: tuple[Plain, ...] | None
    codec: Codec | None
    seen: Seen

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"column {self.name!r}: kind must be one of {known(KINDS)}, not {self.kind!r}")
        n = len(self.levels or ())
        if (self.kind == "binary" and n != 2) or (self.kind in CLASSES and n < 2):
            raise DataError(
                f"column {self.name!r}: {self.kind} needs {'2' if self.kind == 'binary' else 'some'} levels"
            )
        if self.kind in NUMBERS and (self.codec is None or type(self.codec) is not type(self._fitted(self.kind))):
            raise DataError(f"column {self.name!r}: a {self.kind} column has no codec of the right sort")

    def _fitted(self, kind: str) -> Codec | None:
        return choose_codec(kind, self.seen.codecs)

    @property
    def missing(self) -> float:
        """Share of cells without a value."""
        return self.seen.missing / max(self.seen.rows, 1)

    @property
    def classes(self) -> tuple[Plain, ...]:
        """The levels of a column of classes."""
        assert self.levels is not None
        return self.levels

    @property
    def map(self) -> Codec:
        """The codec of a column of numbers."""
        assert self.codec is not None
        return self.codec

    @property
    def size(self) -> int:
        """How many levels."""
        return len(self.levels or ())

    @property
    def low(self) -> float:
        """Smallest number seen; NaN when there are none."""
        return math.nan if self.seen.low is None else self.seen.low

    def with_kind(self, kind: str, levels: tuple[Plain, ...] | None = None) -> "Column":
        """This column as another kind, checked against the cells that were seen.

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
        if kind in CLASSES:
            return replace(self, kind=kind, levels=self._levels(kind, levels), codec=None, reason="set by hand")
        if kind in NUMBERS:
            self._check_number(kind)
            return replace(self, kind=kind, levels=None, codec=self._fitted(kind), reason="set by hand")
        only = self.seen.values if self.seen.values is not None and len(self.seen.values) == 1 else None
        if kind == "constant" and only is None:
            raise DataError(f"column {self.name!r} is not constant; to leave it out use kind 'text' or 'identifier'")
        return replace(self, kind=kind, levels=only, codec=None, reason="set by hand")

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
            levels = self.classes if self.kind in CLASSES else values
        levels = tuple(levels)
        if len(set(levels)) != len(levels):
            raise DataError(f"column {name!r}: the levels {known(levels)} name one twice")
        lost = [v for v in values if v not in levels]
        if lost and self.seen.form != "class":
            raise DataError(f"column {name!r} holds {known(lost)}, not among the levels given; add them")
        if kind == "binary" and len(levels) != 2:
            raise DataError(f"column {name!r} has {len(levels)} levels {known(levels, 5)}; binary needs exactly 2")
        if len(levels) < 2:
            raise DataError(f"column {name!r} has one value only, {levels[0]!r}; nothing can be learned from it")
        return levels

    def _check_number(self, kind: str) -> None:
        seen, name = self.seen, self.name
        is_date = seen.form == "date"
        if (kind == "date") != is_date or not seen.codecs:
            found = {"date": "dates", "bool": "true and false", "text": "text", "class": "categories"}
            what = found.get(seen.form, "numbers")
            first = f", such as {seen.values[0]!r}" if seen.values and not is_date else ""
            way = {
                "text": "convert it first: pd.to_datetime(...)" if kind == "date" else "convert it: pd.to_numeric(...)",
                "date": "use kind 'date'",
            }.get(seen.form, "convert the column first")
            raise DataError(f"column {name!r} holds {what}{first}; kind {kind!r} does not fit; {way}")
        if kind == "count" and (seen.decimals != 0 or self.low < 0):
            why = f"negative numbers, down to {self.low:g}" if self.low < 0 else "fractions"
            raise DataError(f"column {name!r} holds {why}; a count is a whole number of at least 0; use kind 'real'")
        if kind == "positive" and self._fitted(kind) is None:
            raise DataError(f"column {name!r} holds numbers down to {self.low:g}; use kind 'real'")

    def describe(self) -> str:
        """Levels or range, in few words."""
        if self.levels is not None and self.kind in (*CLASSES, "constant"):
            mark = " < " if self.kind == "ordinal" else ", "
            more = f", … ({self.size})" if self.size > 6 else ""
            return mark.join(str(v) for v in self.levels[:6]) + more
        if self.seen.form == "date" and self.seen.low is not None:
            low, high = (str(pd.Timestamp(d * 86400, unit="s").date()) for d in (self.low, self.seen.high or 0.0))
            return f"{low} .. {high}"
        if self.seen.low is not None:
            return f"{self.seen.low:g} .. {self.seen.high:g}"
        return ""

    def to_json(self) -> dict:
        """Plain JSON types only."""
        codec = None if self.codec is None else codec_to_json(self.codec)
        seen = asdict(self.seen) | {"codecs": [codec_to_json(c) for c in self.seen.codecs]}
        seen["values"] = None if self.seen.values is None else list(self.seen.values)
        levels = None if self.levels is None else list(self.levels)
        plain = {"name": self.name, "kind": self.kind, "reason": self.reason, "dtype": self.dtype}
        return plain | {"levels": levels, "codec": codec, "seen": seen}


def column_from_json(reader: Reader) -> Column:
    """Rebuilds a column from checked fields.

    Raises:
        DataError: a field is missing, of the wrong type, or does not go with the others.
    """
    reader.only(["name", "kind", "reason", "dtype", "levels", "codec", "seen"])
    name = reader.plain("name")
    if isinstance(name, bool | float):
        raise DataError(f"{reader.at}: a column name is text or a whole number, not {name!r}")
    dtype = reader.text("dtype")
    try:
        pd.api.types.pandas_dtype(dtype.removesuffix(", ordered"))
    except (TypeError, ValueError, SyntaxError, AttributeError):
        raise DataError(f"{reader.at}: {dtype!r:.80} is no pandas dtype; the file is damaged") from None
    codec = None if reader.is_none("codec") else codec_from_json(reader.object("codec"))
    levels = None if reader.is_none("levels") else reader.plains("levels")
    seen = _seen_from_json(reader.object("seen"))
    return Column(name, reader.text("kind", KINDS), reader.text("reason"), dtype, levels, codec, seen)


def _seen_from_json(reader: Reader) -> Seen:
    reader.only(["rows", "missing", "form", "values", "low", "high", "decimals", "codecs"])
    decimals = None if reader.is_none("decimals") else reader.whole("decimals")
    low, high = (None if reader.is_none(k) else reader.number(k) for k in ("low", "high"))
    values = None if reader.is_none("values") else reader.plains("values")
    codecs = tuple(codec_from_json(r) for r in reader.objects("codecs"))
    rows, missing, form = reader.whole("rows"), reader.whole("missing"), reader.text("form", FORMS)
    return Seen(rows, missing, form, values, low, high, decimals, codecs)
