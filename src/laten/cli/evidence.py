"""`--given column=value`: text into what the model's column or node takes.

`age=30..40` is an interval, either end of which may be left open; a column that is named several times may have any of
its values.
"""

import math
from typing import Any

import pandas as pd

from laten.cli.data_in_out import column_named
from laten.common.errors import DataError, known
from laten.data.columns.column import CLASSES, NUMBERS, Column
from laten.data.messages import did_you_mean, unknown
from laten.data.records import Plain
from laten.data.rows.calendar_names import named_days
from laten.data.rows.evidence import Between
from laten.data.rows.views import ArrayView
from laten.estimator.plain_vae import PlainVAE


def evidence(vae: PlainVAE, given: list[str]) -> dict[Any, Any]:
    """Parse what is given, by column or node."""
    found: dict[Any, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise DataError(f"--given {text}: expected COLUMN=VALUE, e.g. --given age=40")
        view = vae.view_
        if isinstance(view, ArrayView):
            key: str | int = name
            parsed = for_node(view, name, value)
        else:
            key = column_named(name, view.schema.names)
            if key not in view.schema.names:
                raise unknown("column", name, view.schema.names)
            parsed = soft(view.schema[key], value)
        if key not in found:
            found[key] = parsed
            continue
        values = found[key] if isinstance(found[key], list) else [found[key]]
        if isinstance(view, ArrayView) or any(isinstance(v, Between) for v in (*values, parsed)):
            raise DataError(f"--given: {name!r} is given twice; only a column's plain values can be several")
        found[key] = [*values, parsed]
    return found


def soft(column: Column, text: str) -> Any:
    """Parse a value of a table's column, or an interval LOW..HIGH of one that has an order."""
    low, dots, high = text.partition("..")
    ordered = column.kind in NUMBERS or column.kind == "ordinal"
    if not dots or not ordered or text in map(str, column.levels or ()):
        return for_column(column, text)
    ends = [for_column(column, end.strip()) if end.strip() else None for end in (low, high)]
    if ends == [None, None]:
        raise DataError(f"--given {column.name}={text}: expected LOW..HIGH, LOW.. or ..HIGH")
    try:
        return Between(*ends)
    except DataError as error:
        raise DataError(f"column {column.name!r}: {error}") from error


def for_column(column: Column, text: str) -> Any:
    """Parse a value of a table's column; of columns set aside keep the text: the model says why they are refused."""
    if column.kind in CLASSES:
        return level(column, text)
    if column.kind not in NUMBERS:
        return text
    if column.kind == "duration":
        span = pd.to_timedelta(text, errors="coerce") if not math.isfinite(as_float(text)) else pd.NaT
        if pd.isna(span):
            raise DataError(
                f"column {column.name!r}: {text!r} is no duration; write it as in '2 days 03:30:00' or 90min"
            )
        return span
    if column.kind == "date":
        if named_days(column, text) is not None:
            return text
        stamp = pd.to_datetime(text, errors="coerce")
        if pd.isna(stamp):
            raise DataError(f"column {column.name!r}: {text!r} is no date; write it as in 2024-12-31")
        return stamp.strftime(column.date.style) if "%" in column.date.style else stamp
    return number(f"column {column.name!r}", text, column.describe())


def level(column: Column, text: str) -> Plain:
    """Find the level that a text names: as it is written, else as a number, else in any case."""
    levels = column.levels or ()
    if column.unseen == "other" and text not in map(str, levels):
        return text
    for same in (
        lambda v: str(v) == text,
        lambda v: not isinstance(v, str) and as_float(text) == v,
        lambda v: str(v).casefold() == text.strip().casefold(),
    ):
        for value in levels:
            if same(value):
                return value
    close = did_you_mean(text, levels)
    raise DataError(
        f"column {column.name!r}: {text!r} was never seen when fitting{close}; known levels: {known(levels)}"
    )


def as_float(text: str) -> float:
    """Parse a number; NaN for other text."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def number(where: str, text: str, seen: str = "") -> float:
    """Parse a finite number."""
    value = as_float(text)
    if not math.isfinite(value):
        raise DataError(f"{where}: {text!r} is no finite number{f'; the fitted values are {seen}' if seen else ''}")
    return value


def for_node(view: ArrayView, name: str, text: str) -> float | int:
    """Parse a value of a node of one site."""
    specs = view.specs
    if name not in specs:
        raise unknown("node", name, specs)
    if specs[name].shape:
        raise DataError(
            f"node {name!r} is of shape {specs[name].shape}; give it in Python: vae.sample(given={{{name!r}: array}})"
        )
    value = number(f"node {name!r}", text)
    return int(value) if specs[name].what == "classes" and value.is_integer() else value
