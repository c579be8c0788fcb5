"""All columns of a table of text: each is read by its own cells, and where these leave it open by the other columns."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from laten.data.records import replace
from laten.data.text.column import ColumnText, Told
from laten.data.text.notation import Notation, Note
from laten.data.text.readings import Reading
from laten.data.text.stored import read_as
from laten.data.text.typed import Around, read_column


def read_columns(
    cells: pa.Table,
    options: Any,
    like: Mapping[str, Notation],
    where: Callable[[np.ndarray], str],
    commas: bool = False,
    quoted: Mapping[str, tuple[tuple[str, ...], pa.ChunkedArray]] | None = None,
) -> tuple[pd.DataFrame, dict[str, Notation], tuple[Note, ...]]:
    """Read columns of text as what they are.

    Args:
        cells: Column -> texts.
        options: Gives `told(column)`, `codes(column)`, `always(column)` and `id`.
        like: Column -> a notation to read it by.
        where: Names the lines of some rows.
        commas: Where nothing tells, a comma is the decimal mark.
        quoted: Column -> texts that look like codes for missing and are labels if it is text, and cells in which such
            codes as are missing nevertheless are empty.
    Returns:
        The frame, the notation of each column, and notes.
    """
    names = cells.column_names
    labels = {n: like[n].words if n in like and like[n].form == "text" else () for n in names}
    said = {n: options.codes(n) or () for n in names}

    def text_of(name: str, column: pa.ChunkedArray) -> ColumnText:
        codes = tuple(c for c in options.always(name) if c in said[name] or c not in labels[name])
        return ColumnText(name, column, codes)

    texts = {n: text_of(n, cells.column(n)) for n in names}
    opened = [n for n in names if n in like and like[n].open and like[n].form != "text"]
    free = [n for n in names if (n not in like or n in opened) and n not in options.id]
    marks = [texts[n].decimal_mark(options.told(n)) for n in free]
    marks += [like[n].decimal for n in names if n in like and (like[n].digits or like[n].thousands)]
    decimal = next((m for m in (",", ".") if marks.count(m) > marks.count("," if m == "." else ".")), None)
    if decimal is None and commas and "." not in marks:
        decimal = ","
    orders = {pair[0] for n in free if (pair := texts[n].orders) is not None and pair[0] != pair[1]}
    dayfirst = next(iter(orders)) if len(orders) == 1 else None
    around = Around(decimal, dayfirst, (), where)
    found: dict[str, Reading] = {}
    for name in names:
        if name in options.id:
            found[name] = read_as(texts[name], Notation("text"), where)
        elif name in opened:
            found[name] = _of_form(texts[name], like[name], options.told(name), around)
        elif name in like:
            found[name] = read_as(texts[name], like[name], where, options.told(name))
        else:
            found[name] = read_column(texts[name], options.told(name), around)
        if quoted and name in quoted and found[name].notation.form == "text":
            more, column = quoted[name]
            labels[name] = tuple(dict.fromkeys((*labels[name], *more)))
            texts[name] = text_of(name, column.slice(0, len(cells)))
            notation = replace(found[name].notation, words=labels[name])
            found[name] = read_as(texts[name], notation, where)
    others = {c for n in free if found[n].notation.form != "text" for c in found[n].notation.missing}
    around = Around(decimal, dayfirst, tuple(sorted(others)), where)
    for name in names if others else ():
        if name in like and like[name].form == "text":
            codes_too = tuple(sorted({*like[name].missing, *others} - {*labels[name]}))
            found[name] = read_as(texts[name], replace(like[name], missing=codes_too), where)
        elif name in free and found[name].notation.form == "text":
            found[name] = read_column(texts[name], options.told(name), around)
    frame = pd.DataFrame({n: found[n].series for n in names}, index=pd.RangeIndex(len(cells)))
    notations = {n: _told(found[n].notation, said[n], labels[n], decimal) for n in names}
    return frame, notations, tuple(note for n in names for note in found[n].notes)


def _of_form(column: ColumnText, notation: Notation, told: Told, around: Around) -> Reading:
    """Read a column of which the form alone is known: as it would be by itself, where that is of the form."""
    found = read_column(column, told, around)
    return found if found.notation.form == notation.form else read_as(column, notation, around.where, told)


def _told(notation: Notation, codes: tuple[str, ...], labels: tuple[str, ...], decimal: str | None) -> Notation:
    """Return a notation with what was said or seen beside the column: codes for missing, labels, the decimal mark."""
    if codes:
        notation = replace(notation, missing=tuple(dict.fromkeys((*notation.missing, *codes))))
    if notation.form == "text" and labels:
        notation = replace(notation, words=labels)
    if notation.whole and not notation.thousands and decimal:
        notation = replace(notation, decimal=decimal)
    return notation
