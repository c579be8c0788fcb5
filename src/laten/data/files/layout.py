"""The layout of a text table: separator, quote, comment and title lines, and whether a row of names stands on top.

    text --layout--> Layout: what to skip, how to split, the names

Decided from the first records; the whole text is split once, in `text_table.py`.
"""

import csv
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from laten.common.errors import DataError, known
from laten.data.files.options import Options
from laten.data.text.dates import SHAPES
from laten.data.text.missing import ALWAYS
from laten.data.text.notation import Note
from laten.data.text.numbers import MONEY

_SEPARATORS = (",", ";", "\t", "|")
_PROBE = 300  # records that are looked at
_TITLES = 20  # lines above the names at most
_TYPED = re.compile(
    r"[(]?[+\-−$€£]?\s?(\d[\d.,' ]*|[.,]\d+)([eE][+-]?\d+)?\s?[%€$£]?[)]?|" + "|".join(
        re.sub(r"\?P<\w+>", "", SHAPES[s]) for s in ("ymd", "xxy")
    )
)  # fmt: skip
_CELL = re.compile(
    rf"[(]?[+\-−]?({MONEY})?\s?(\d[\d.,' ]*|[.,]\d+)\s?([%‰]|{MONEY})?[)]?|\d+:\d\d(:\d\d)?|"
    + "|".join(re.sub(r"\?P<\w+>", "", pattern) for pattern in SHAPES.values())
)
_YEAR = re.compile(r"(19|20)\d\d")


@dataclass(frozen=True)
class Layout:
    """How a text is laid out.

    Args:
        sep: Between the cells of a row.
        quote: Around cells.
        names: The columns' names; of a row of names as it is written.
        header: Line of the names, counted from 1; 0: there is none.
        skip: Lines before the first row of data.
        blanks: Blanks after a separator do not count.
        notes: What was assumed.
    """

    sep: str
    quote: str
    names: tuple[str, ...]
    header: int
    skip: int
    blanks: bool = False
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Record:
    """The cells of a row, and the line on which it begins and ends, counted from 1."""

    cells: list[str]
    line: int
    last: int


def records(text: str, sep: str, quote: str, blanks: bool, limit: int | None = None) -> list[Record]:
    """Split a text into rows; lines without any character are none."""
    found: list[Record] = []
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=sep, quotechar=quote, skipinitialspace=blanks or sep == " ")
    before = 0
    for cells in reader:
        if cells and (sep != " " or any(cells)):
            cells = cells[:-1] if sep == " " and cells[-1] == "" else cells
            found.append(Record(cells, before + 1, reader.line_num))
            if limit is not None and len(found) >= limit:
                break
        before = reader.line_num
    return found


class _Lines:
    """Lines of a text with their ends, as `csv` wants them; ends are `\\n`, `\\r\\n` and `\\r`."""

    def __init__(self, text: str) -> None:
        self._found = re.finditer(r"[^\r\n]*(?:\r\n|\n|\r|$)", text)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._found)[0]
        if not line:
            raise StopIteration
        return line


def layout(text: str, name: str, options: Options) -> Layout:
    """Decide the layout of a text.

    Raises:
        DataError: two columns of one name, or names that do not go with the rows.
    """
    notes: list[Note] = []
    comments = _comments(text)
    if comments:
        notes.append(Note(f"{comments} comment line{'s' if comments > 1 else ''} on top left out"))
    body = "".join(re.findall(r"[^\r\n]*(?:\r\n|\n|\r|$)", text[: _length(text, 4 * _PROBE)])[comments:])
    sep = options.sep or (name.lower().endswith(".tsv") and "\t") or _separator(body, options.like)
    quote = _quote(body, sep)
    if quote != '"':
        notes.append(Note(f"{quote} around cells"))
    probe = records(body, sep, quote, False, _PROBE)
    blanks = sep not in " \t" and _blanks(probe) and probe != records(body, sep, quote, True, _PROBE)
    if blanks:
        notes.append(Note(f"a blank after each {sep!r} does not count"))
        probe = records(body, sep, quote, True, _PROBE)
    titles = _titles(probe)
    if titles:
        notes.append(Note(f"{titles} line{'s' if titles > 1 else ''} above the names left out", "header"))
    probe = probe[titles:]
    first = probe[0]
    names_known = options.header is None and any(c in options.like for c in first.cells)
    has = names_known or (_has_header(probe, notes) if options.header is None else options.header is True)
    if isinstance(options.header, Sequence):
        named = _has_header(probe, [])
        names, skip = list(options.header), (first.last if named else first.line - 1)
        line = 0
        if len(names) != len(first.cells):
            raise DataError(
                f"{name}: header gives {len(names)} names {known(names)}, and line {first.line + comments} has "
                f"{len(first.cells)} cells"
            )
    elif has:
        names, skip, line = first.cells, first.last, first.line + comments
    else:
        names, skip, line = [f"column_{i}" for i in range(_width(probe))], first.line - 1, 0
    return Layout(sep, quote, tuple(names), line, skip + comments, blanks, tuple(notes))


def named(names: Sequence[str], line: int, name: str) -> tuple[list[str], tuple[Note, ...]]:
    """Return names that differ: two that lack are numbered, one stays empty.

    Raises:
        DataError: two columns of one name.
    """
    twice = [n for n, k in Counter(n for n in names if n.strip()).items() if k > 1]
    if twice:
        raise DataError(
            f"{name}, line {line}: two columns of one name: {known(twice)}; rename one of each, or name all columns: "
            f"header={[n if n not in twice else f'{n}_{i + 1}' for i, n in enumerate(names)]!r:.300}"
        )
    lacking = [i for i, n in enumerate(names) if not n.strip()]
    if not lacking:
        return list(names), ()
    if len(lacking) == 1:
        return ["" if i in lacking else n for i, n in enumerate(names)], (
            Note(f"column {lacking[0] + 1} has no name", "header"),
        )
    found = [f"column_{i}" if i in lacking else n for i, n in enumerate(names)]
    return found, (Note(f"columns without a name are called {known(found[i] for i in lacking)}", "header"),)


def _length(text: str, lines: int) -> int:
    """Return where a number of lines ends."""
    for count, found in enumerate(re.finditer(r"\r\n|\n|\r", text)):
        if count >= lines:
            return found.end()
    return len(text)


def _comments(text: str) -> int:
    """Return how many lines on top are comments or blank: `#` first, and fewer cells than the line after them."""
    lines = re.split(r"\r\n|\n|\r", text[: _length(text, _TITLES + 2)])
    count = 0
    while count < len(lines) - 1 and lines[count].lstrip().startswith(("#", "//")):
        count += 1
    if count and len(lines) > count:
        last, after = lines[count - 1], lines[count]
        marks = max((last.count(s) for s in _SEPARATORS), default=0)
        if marks and any(last.count(s) == after.count(s) == marks for s in _SEPARATORS):
            count -= 1  # names that begin with #
    return count


def _separator(body: str, known: Collection[str] = ()) -> str:
    """Return the separator that splits the most rows into the same number of cells, two or more.

    Args:
        known: Names that the file should have: one that splits the first row into some of them is taken.
    """
    tried = ((s, records(body, s, '"', False, 1)) for s in (*_SEPARATORS, " ") if known)
    named = {s: sum(c in known for c in rows[0].cells) for s, rows in tried if rows}
    if any(named.values()):
        return max(named, key=lambda s: named[s])
    best, score = ",", (0.0, False, 0, 0.0)
    for sep in (*_SEPARATORS, " "):
        try:
            sizes = [len(r.cells) for r in records(body, sep, '"', False, 100)]
        except csv.Error:
            continue
        if not sizes:
            continue
        width, times = Counter(sizes).most_common(1)[0]
        share = times / len(sizes)
        if width < 2 or (sep == " " and (share < 1 or len(sizes) < 3 or score[0] > 0)):
            continue
        first = sizes[0] >= max(2, width - 1)  # names are split as rows are, but for a separator that ends these
        if (round(share, 1), first, width, share) > score:
            best, score = sep, (round(share, 1), first, width, share)
    return best


def _quote(body: str, sep: str) -> str:
    """Return the quote: single where cells are enclosed in these and none in double ones."""
    cell = rf"(?:^|{re.escape(sep)})'[^'\r\n]*'(?={re.escape(sep)}|\r|\n|$)"
    lines = body.count("\n") + body.count("\r")
    return "'" if len(re.findall(cell, body, re.MULTILINE)) > 0.5 * lines and '"' not in body else '"'


def _blanks(probe: list[Record]) -> bool:
    """Say whether a blank follows every separator."""
    cells = [c for r in probe[1:] for c in r.cells[1:] if c]
    return len(cells) > 1 and all(c.startswith(" ") and c.strip() for c in cells)


def _width(probe: list[Record]) -> int:
    return Counter(len(r.cells) for r in probe).most_common(1)[0][0]


def _titles(probe: list[Record]) -> int:
    """Return how many records on top are titles: less than half of the usual number of cells is filled."""
    width = _width(probe[1:] or probe)
    count = 0
    while width > 1 and count < min(_TITLES, len(probe) - 1):
        filled = [bool(c.strip()) for c in probe[count].cells]
        if 2 * sum(filled) >= width or (any(filled) and not filled[0]):
            break
        count += 1
    return count if count < min(_TITLES, len(probe) - 1) else 0


def _typed(cell: str) -> bool:
    """Say whether a cell below the names is a number, a date or a time; a name that looks so may be a name."""
    return bool(_TYPED.fullmatch(cell) or _CELL.fullmatch(cell))


def _has_header(probe: list[Record], notes: list[Note]) -> bool:
    """Say whether the first record has the names: it differs from the cells below it."""
    first, rest = probe[0].cells, [r.cells for r in probe[1:]]
    columns = [[r[i].strip() for r in rest if i < len(r) and r[i].strip()] for i in range(len(first))]
    own = [bool(_TYPED.fullmatch(c.strip())) for c in first]
    if not any(own) and rest:
        typed = [bool(c) and sum(_typed(v) for v in c) > len(c) / 2 for c in columns]
        if any(typed):
            return True
        again = [f.strip() in c for f, c in zip(first, columns, strict=True) if f.strip()]
        if len(rest) > 3 and again and all(again):
            notes.append(Note("the first row is taken for data: all of its cells come again below", "header"))
            return False
        return True
    if not any(own):
        return True
    typed = [len(c) > 0 and sum(_typed(v) for v in c) > len(c) / 2 for c in columns]
    if any(t and f.strip() not in ALWAYS and not o for t, o, f in zip(typed, own, first, strict=True)):
        return True
    if not any(f.strip() in c for f, c in zip(first, columns, strict=True)) and _stands_out(first, own, columns):
        return True
    numbers = [c.strip() for c, o in zip(first, own, strict=True) if o]
    whole = [int(n) for n in numbers if n.isdigit()]
    run = len(whole) == len(numbers) > 1 and whole == list(range(whole[0], whole[0] + len(whole)))
    if run and len(rest) > 1 and ((whole[0] in (0, 1) and len(whole) > 2) or all(_YEAR.fullmatch(n) for n in numbers)):
        notes.append(Note(f"{first[:3]} … are taken for names", "header"))
        return True
    return False


def _stands_out(first: list[str], own: list[bool], columns: list[list[str]]) -> bool:
    """Say whether cells that never come again are names, although some are numbers.

    They are where such a number is a year above cells that are no whole numbers over 999, where a word stands above
    cells that all come again, or where something else stands above numbers that all have as many digits.
    """
    places = list(zip(first, own, columns, strict=True))
    large = [any(v.isdigit() and len(v) > 3 for v in c) for c in columns]
    years = [bool(o and c and _YEAR.fullmatch(f.strip()) and not n) for (f, o, c), n in zip(places, large, strict=True)]
    words = [not o and len(c) > 5 and min(Counter(c).values()) > 1 for _, o, c in places]
    codes = [_apart(f.strip(), c) for f, _, c in places]
    return any(words) or any(codes) or (any(years) and years == own)


def _apart(first: str, column: list[str]) -> bool:
    """Say whether a cell is above days, codes or long numbers of one length, and neither one nor before one."""
    cells = [c for c in column if c.isdigit()]  # the others are codes for missing
    if len(cells) < max(6, len(column) / 2) or len({len(c) for c in cells}) > 1:
        return False
    codes = len(cells[0]) > 4 or any(c.startswith("0") for c in cells)
    return codes and not (first.isdigit() and (len(first) == len(cells[0]) or int(first) + 1 == int(cells[0])))
