"""Schemas of the first format of model files, mapped to the present fields."""

from typing import Any


def upgraded(value: Any) -> Any:
    """Map a schema of format 1 to the present fields: codecs were kept twice, and `in_cells` stood for all columns."""
    try:
        kept = {k: v for k, v in value.items() if k != "in_cells"}
        return kept | {"columns": [_upgraded(c, value["in_cells"]) for c in value["columns"]]}
    except (KeyError, TypeError, AttributeError):
        return value  # the present format, or damaged


def _upgraded(column: dict, binned: bool) -> dict:
    names = {"cells": "histogram"}
    codecs = [c | {"codec": names.get(c["codec"], c["codec"])} for c in column["seen"]["codecs"]]
    kept = {k: v for k, v in column.items() if k not in ("codec", "grouped")}
    return kept | {"seen": column["seen"] | {"codecs": codecs}, "binned": binned}
