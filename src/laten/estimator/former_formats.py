"""Model files of former formats, brought to the present one: a function from each format to the next.

    format 1 --from_1--> format 2 = FORMAT

A function maps `model.json` as it was parsed; what it does not know it leaves, for the reader to refuse. A field that
is new and has a default needs no format of its own. `tests/formats/` keeps a file of each.
"""

from collections.abc import Callable
from typing import Any

FORMAT = 2


def from_1(head: Any) -> Any:
    """Map format 1: schemas and views of before records.

    Codecs of a column were kept twice, `in_cells` stood for all columns; specs and visits of arrays were lists.
    """
    view = head["about"]["view"]
    view = view | (table(view) if view["kind"] == "table" else arrays(view))
    return head | {"about": head["about"] | {"view": view}}


def table(view: dict) -> dict:
    """Map the schema of a table."""
    schema = view["schema"]
    if "in_cells" not in schema:
        return {}
    kept = {k: v for k, v in schema.items() if k != "in_cells"}
    return {"schema": kept | {"columns": [column(c, schema["in_cells"]) for c in schema["columns"]]}}


def column(former: dict, binned: bool) -> dict:
    """Map a column."""
    names = {"cells": "histogram"}
    codecs = [c | {"codec": names.get(c["codec"], c["codec"])} for c in former["seen"]["codecs"]]
    kept = {k: v for k, v in former.items() if k not in ("codec", "grouped")}
    return kept | {"seen": former["seen"] | {"codecs": codecs}, "binned": binned}


def arrays(view: dict) -> dict:
    """Map specs and visits of arrays."""
    if not isinstance(view["specs"], list):
        return {}
    visit = {r["node"]: r["visit"] for r in view["visit"]}
    return {"specs": {r["node"]: {k: v for k, v in r.items() if k != "node"} for r in view["specs"]}, "visit": visit}


MIGRATIONS: dict[int, Callable[[Any], Any]] = {1: from_1}


def migrated(head: dict[str, Any], version: int) -> dict[str, Any]:
    """Bring `model.json` of a former format to the present one.

    Raises:
        KeyError, TypeError, AttributeError: it is damaged.
    """
    for former in range(version, FORMAT):
        head = MIGRATIONS[former](head)
    return head
