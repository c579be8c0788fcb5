"""What the owner of a table should look at: things that a schema accepts, and that may be mistakes.

A remark says what was seen and what settles it, in Python and on the command line. Nothing here is an error.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from laten.common.errors import known
from laten.data.columns.cells import Cells
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.constraints import Name, columns_of
from laten.data.messages import where
from laten.data.records import Record
from laten.data.schema.find_ties import Found
from laten.data.schema.number_kinds import named_as_id
from laten.data.schema.ties import own_numbers
from laten.data.text.missing import looks_missing

SHARE = 0.8  # of distinct texts that are numbers or dates, for a column to look like them
LOOKED_AT = 1000  # distinct texts
TIES = 0.3  # of the rows that hold one value, among more than 20
FAR, OFTEN = 1.0, 0.01  # widths of the rest by which a value lies apart, and its share of the rows
MOST_SHOWN = 8  # remarks of one sort
_MONEY = re.compile(r"^[-+(]?\s*[^\w\s.,()+-]{0,3}\s*[-+]?\d[\d.,'\s]*\s*[^\w\s.,()+-]{0,3}\s*\)?$")


class Remark(Record, frozen=True):
    """Something worth a look.

    Args:
        columns: What it is about.
        what: `missing`, `aside`, `labels`, `follows`, `nearly`, `ties` or `id`.
        text: In words.
        python: What settles it in Python.
        option: What settles it on the command line; empty where nothing there does.
    """

    columns: tuple[Name, ...]
    what: str
    text: str
    python: str = ""
    option: str = ""


def remarks(columns: Sequence[Column], cells: Mapping[Name, Cells], found: Sequence[Found]) -> tuple[Remark, ...]:
    """Find what is worth a look in a table.

    Args:
        found: Relations between its columns.
    """
    out: list[Remark] = []
    for column in columns:
        own = cells[column.name]
        aside = list(_set_aside(column, own))
        looks = (_missing_codes, _labels, _heavy) if aside else (_missing_codes, _labels, _heavy, _ids)
        out += [*aside, *(remark for look in looks for remark in look(column, own))]
    return (*out, *_relations(found))


def listing(found: Sequence[Remark], python: bool = True) -> str:
    """Write remarks a line each, those of one sort together; empty where there are none.

    Args:
        python: Name what settles them in Python, else on the command line.
    """
    by_sort: dict[str, list[Remark]] = defaultdict(list)
    for remark in found:
        by_sort[remark.what].append(remark)
    lines = []
    for same in by_sort.values():
        for remark in same[:MOST_SHOWN]:
            way = remark.python if python else remark.option
            lines.append(f"  {remark.text}{': ' if way else ''}{way}")
        if len(same) > MOST_SHOWN:
            lines.append(f"  … and {len(same) - MOST_SHOWN} more like this")
    return "\n".join(["Worth a look:", *lines]) if lines else ""


def _set_aside(column: Column, cells: Cells) -> Iterator[Remark]:
    """Notice text columns that look like numbers, money or dates."""
    if column.kind not in ("text", "identifier") or column.seen.form != "text":
        return
    distinct = pd.Series(cells.factor[1][:LOOKED_AT], dtype=object)
    texts = distinct[[isinstance(v, str) for v in distinct]].str.strip()
    if len(texts) < 3:
        return
    plain = pd.to_numeric(texts, errors="coerce").notna()
    money = plain | texts.str.fullmatch(_MONEY)
    read = pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)  # some with a zone, some without
    dates = texts.str.contains(r"\d\D+\d") & ~money & read.notna()
    zeros = texts.str.fullmatch(r"0\d+").any()
    name, n = column.name, len(distinct)
    for good, what, way in (
        (plain, "numbers", f"frame[{name!r}] = pd.to_numeric(frame[{name!r}], errors='coerce')"),
        (money, "numbers with signs or units", "lt.read(path) reads them from a file"),
        (dates, "dates", f"frame[{name!r}] = pd.to_datetime(frame[{name!r}], format=...)"),
    ):
        if good.sum() < SHARE * n or zeros:
            continue
        odd = distinct[~good.reindex(distinct.index, fill_value=False)]
        but = f", but {known(odd, 3)}" if len(odd) else ""
        option = f"--missing '{name}={odd.iloc[0]}'" if len(odd) else ""
        yield Remark((name,), "aside", f"{name!r} is not modelled, and looks like {what}{but}", way, option)
        return


def _missing_codes(column: Column, cells: Cells) -> Iterator[Remark]:
    """Notice numbers and dates that look like codes for missing."""
    if column.kind not in NUMBERS or column.kind == "duration":
        return
    x = own_numbers(column, cells)
    value, count = np.unique(x[np.isfinite(x)], return_counts=True)
    is_date = column.kind == "date"
    for i in sorted({*looks_missing(value, count, is_date), *_apart(value, count, is_date)}):
        text = str(pd.Timestamp(value[i] * 86400, unit="s").date()) if is_date else f"{value[i]:.12g}"
        cells_of = f"frame[{column.name!r}]"
        cell, empty = (f"pd.Timestamp({text!r})", "pd.NaT") if is_date else (text, "float('nan')")
        yield Remark(
            (column.name,),
            "missing",
            f"{text} in {count[i]} of {len(x)} rows of {column.name!r} looks like a code for missing",
            f"{cells_of} = {cells_of}.replace({cell}, {empty})",
            f"--missing '{column.name}={text}'",
        )


def _apart(value: np.ndarray, count: np.ndarray, is_date: bool) -> list[int]:
    """Return the first or last number where it is frequent, and farther from the rest than all the rest is wide."""
    rows = count.sum()
    if len(value) < 20:
        return []
    found = []
    for i, gap, width in ((0, value[1] - value[0], value[-1] - value[1]),
                          (len(value) - 1, value[-1] - value[-2], value[-2] - value[0])):  # fmt: skip
        rest = count[1:] if i == 0 else count[:-1]
        often = count[i] >= max(5, OFTEN * rows) and count[i] >= 3 * np.median(rest)
        if often and gap > FAR * width and (value[i] < 0 or is_date or i > 0):
            found.append(i)
    return found


def _labels(column: Column, cells: Cells) -> Iterator[Remark]:
    """Notice labels that differ by case or blanks alone."""
    if column.kind not in CLASSES or column.levels is None:
        return
    alike: dict[str, list[str]] = defaultdict(list)
    for level in column.levels:
        if isinstance(level, str):
            alike[" ".join(level.split()).casefold()].append(level)
    same = [group for group in alike.values() if len(group) > 1]
    if same:
        few = "; ".join(" and ".join(map(repr, group)) for group in same[:3]) + ("; …" if len(same) > 3 else "")
        way = f"frame[{column.name!r}] = frame[{column.name!r}].str.strip().str.lower()"
        yield Remark((column.name,), "labels", f"labels of {column.name!r} differ by case or blanks alone: {few}", way)


def _heavy(column: Column, cells: Cells) -> Iterator[Remark]:
    """Notice numbers of which one fills much of the column."""
    if column.kind not in ("count", "positive", "real") or column.seen.form != "number":
        return
    x = cells.numbers
    x = x[np.isfinite(x)]
    value, count = np.unique(x, return_counts=True)
    top = int(np.argmax(count))
    if len(value) > 20 and count[top] >= TIES * len(x):
        text = (
            f"{column.name!r} is {value[top]:.6g} in {count[top] / len(x):.0%} of the rows, and has {len(value)} values"
        )
        yield Remark((column.name,), "ties", f"{text}: a bin of its own")


def _ids(column: Column, cells: Cells) -> Iterator[Remark]:
    """Notice names of rows, set aside or modelled."""
    name = column.name
    if column.kind == "identifier":
        yield Remark((name,), "id", f"{name!r} names rows and is not modelled ({column.reason})")
    elif column.kind in NUMBERS and named_as_id(name) and column.seen.form == "number":
        text = f"{name!r} is called like a name of rows, and is modelled as {column.kind}"
        yield Remark((name,), "id", text, f"kinds={{{name!r}: 'identifier'}}", f"--id {name}")


def _relations(found: Sequence[Found]) -> Iterator[Remark]:
    """Say what rows keep, and what nearly all do."""
    per_sort = Counter(f.exact for f in found)
    for f in found:
        text, names = str(f.constraint), columns_of(f.constraint)
        if f.exact:
            yield Remark(
                names,
                "follows",
                f"{text} in all rows: kept in samples and filled cells",
                f"schema.without_constraints({text!r}) drops it" if per_sort[True] else "",
                f"--no-constraint '{text}' drops it",
            )
        else:
            yield Remark(
                names,
                "nearly",
                f"{text} in all rows but {int(f.bad.sum())} ({where(f.bad, 3)}): not kept",
                "correct these rows",
                "correct these rows",
            )
