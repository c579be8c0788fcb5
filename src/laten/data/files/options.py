"""Options of reading: what the user says, checked. What is left open is assumed and said."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from laten.common.errors import DataError, known
from laten.data.text.column import Told
from laten.data.text.missing import ALWAYS
from laten.data.text.notation import Notation

SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " ", "blank": " ", "pipe": "|"}
Missing = str | float | Sequence[str | float] | Mapping[str | None, str | float | Sequence[str | float]] | None


@dataclass(frozen=True)
class Options:
    """What is said of a file; None: assume.

    Args:
        sep: One character between the cells of a row, or `tab`, `space`.
        encoding: Name of the text's encoding.
        decimal: `.` or `,`.
        thousands: `,`, `.`, a blank, an apostrophe, or empty: none.
        dayfirst: Whether 03/04/2024 is the third of April.
        missing: Further codes for missing, for all columns or by column (None: all); an empty list: only empty
            cells are missing.
        header: Whether the first row has the names; or the names, for a file without them or in place of its own.
        drop: Columns to leave out.
        id: Columns that name the rows: kept as text, not modelled.
        like: Column -> how an earlier file wrote it: it is read so, not typed anew.
    """

    sep: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    dayfirst: bool | None = None
    missing: Missing = None
    header: bool | Sequence[str] | None = None
    drop: Sequence[str] = ()
    id: Sequence[str] = ()
    like: Mapping[str, Notation] = field(default_factory=dict)

    def told(self, column: str) -> Told:
        """Return what is said of one column."""
        return Told(self.decimal, self.thousands, self.dayfirst, self.codes(column))

    def codes(self, column: str) -> tuple[str, ...] | None:
        """Return the codes for missing that are said of a column; None: none are said."""
        said = self.missing
        both = [said.get(column), said.get(None)] if isinstance(said, Mapping) else [said]
        lists = [[one] if isinstance(one, str | int | float) else one for one in both if one is not None]
        return tuple(c for c in map(_code, [v for found in lists for v in found]) if c) if lists else None

    def always(self, column: str) -> tuple[str, ...]:
        """Return the texts that are missing in a column whatever else it holds."""
        codes = self.codes(column)
        return () if codes == () else (*ALWAYS, *(codes or ()))


def checked(like: Mapping[str, Notation] | None = None, **options: object) -> Options:
    """Return options whose values are possible; those that are not given are open.

    Raises:
        DataError: one is not; names it.
    """
    names = ("sep", "encoding", "decimal", "thousands", "dayfirst", "missing", "header", "drop", "id")
    options = dict.fromkeys(names) | options
    sep = options["sep"]
    if sep is not None:
        sep = SEPARATORS.get(str(sep), sep)
        if not isinstance(sep, str) or len(sep) != 1 or sep in '"\r\n' or sep.isalnum():
            raise _impossible("sep", options["sep"], "one character, such as ',' or ';', or 'tab' or 'space'")
    encoding = options["encoding"]
    if encoding is not None:
        try:
            codecs.lookup(str(encoding))
        except (LookupError, ValueError):
            raise _impossible("encoding", encoding, "the name of one, such as 'utf-8', 'cp1252', 'utf-16'") from None
    decimal, thousands = options["decimal"], options["thousands"]
    if decimal not in (None, ".", ","):
        raise _impossible("decimal", decimal, "'.' or ','")
    if thousands not in (None, "", ",", ".", " ", "'") or (thousands and thousands == decimal):
        raise _impossible("thousands", thousands, "',', '.', ' ', \"'\" or '' (none), and another than decimal")
    if options["dayfirst"] not in (None, True, False):
        raise _impossible("dayfirst", options["dayfirst"], "True or False")
    header = options["header"]
    if isinstance(header, str) or not (header is None or isinstance(header, bool | Sequence)):
        raise _impossible("header", header, "True, False, or a list of names")
    if isinstance(header, Sequence) and (not header or len(set(header)) < len(header)):
        raise _impossible("header", header, "names that differ, one for each column")
    missing = options["missing"]
    if not isinstance(missing, str | int | float | Sequence | Mapping | None) or isinstance(missing, bool):
        raise _impossible("missing", missing, "a code, a list of codes, or codes by column")
    if decimal is None and thousands in (",", "."):
        decimal = "." if thousands == "," else ","
    lists = {k: (v,) if isinstance(v := options[k], str) else tuple(v or ()) for k in ("drop", "id")}  # type: ignore[arg-type]
    return Options(sep, encoding, decimal, thousands, options["dayfirst"], missing, header, like=like or {}, **lists)  # type: ignore[arg-type]


def _impossible(name: str, value: object, expected: str) -> DataError:
    return DataError(f"{name}={value!r:.60} is not possible; give {expected}")


def _code(value: str | float) -> str:
    return value.strip() if isinstance(value, str) else f"{value:.15g}"


def check_names(options: Options, names: Sequence[str], source: str) -> None:
    """Refuse options that name a column which is not there.

    Raises:
        DataError: one does.
    """
    by_column = [n for n in options.missing if n is not None] if isinstance(options.missing, Mapping) else []
    for option, wanted in (("drop", options.drop), ("id", options.id), ("missing", by_column)):
        for name in wanted:
            if name not in names:
                raise DataError(f"{source}: {option} names {name!r}, which is no column; known: {known(names)}")
