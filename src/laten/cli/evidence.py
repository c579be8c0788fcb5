"""`--given`: text into what the model's columns or nodes take, by the grammar of `data/rows/evidence_text.py`.

A column that is named several times may have any of its values.
"""

import math
from collections.abc import Iterable
from typing import Any

from laten.common.errors import DataError
from laten.data.columns.column import CLASSES, NUMBERS
from laten.data.messages import unknown
from laten.data.rows.between import Between, Missing
from laten.data.rows.evidence_text import as_float, named, understood
from laten.data.rows.views import ArrayView, TableView
from laten.estimator.plain_vae import PlainVAE


def evidence(vae: PlainVAE, given: list[str]) -> dict[Any, Any]:
    """Parse what is given, by column or node."""
    view = vae.view_
    names = view.schema.names if isinstance(view, TableView) else tuple(view.specs)
    found: dict[Any, Any] = {}
    for text in given:
        name, value = parted(text, names, "column" if isinstance(view, TableView) else "node")
        if isinstance(view, ArrayView):
            parsed = for_node(view, name, value)
        else:
            parsed = for_column(view, name, value)
        if name not in found:
            found[name] = parsed
            continue
        values = found[name] if isinstance(found[name], list) else [found[name]]
        if isinstance(view, ArrayView) or any(isinstance(v, Between | Missing) for v in (*values, parsed)):
            raise DataError(
                f"--given: {name!r} is given twice; only a column's plain values can be several. A range is written "
                "LOW..HIGH"
            )
        found[name] = [*values, parsed]
    return found


def parted(text: str, names: Iterable[Any], what: str) -> tuple[Any, str]:
    """Split the text of a `--given` into a name and what is said of it.

    Raises:
        DataError: none of the names, or nothing is said of it.
    """
    found = named(text, names)
    if found is not None:
        return found
    name, sign, _ = text.partition("=")
    if sign and name:
        raise unknown(what, name, names)
    form = "VARIABLE=STATE, e.g. --given smoke=yes" if what == "variable" else f"{what.upper()}=VALUE, e.g. age=40"
    raise DataError(f"--given {text}: expected {form}; also 'age=30..40', 'age>40' and 'age is missing'")


def for_column(view: TableView, name: Any, text: str) -> Any:
    """Parse what is said of a table's column, and check that it can be."""
    column = view.schema[name]
    if column.kind not in (*CLASSES, *NUMBERS):
        return text  # the model says why it cannot be given
    try:
        return understood(column, text)
    except DataError as error:
        whose = f"column {name!r}"
        raise DataError(str(error) if whose in str(error) else f"{whose}: {error}") from error


def for_node(view: ArrayView, name: str, text: str) -> float | int:
    """Parse a value of a node of one site."""
    spec = view.specs[name]
    if spec.shape:
        raise DataError(
            f"node {name!r} is of shape {spec.shape}; give it in Python: vae.sample(given={{{name!r}: array}})"
        )
    value = as_float(text)
    if not math.isfinite(value):
        raise DataError(f"node {name!r}: {text!r} is no finite number")
    return int(value) if spec.what == "classes" and value.is_integer() else value
