"""Views: how the user's container becomes rows, and how answers come back in its like.

A container is a frame, a matrix or a dictionary of arrays. A view is made once, when fitting, and kept in the model
file; every later question goes through the same one, so that columns, types, levels and binarisation are those of the
fit. `TableView` holds a schema; `ArrayView` holds what each declared node takes.
"""

from typing import Any, TypeAlias

from laten.common.errors import DataError
from laten.data.json_reader import Reader
from laten.data.rows.array_view import ArrayView
from laten.data.rows.arrays import ArraySpec
from laten.data.rows.table_view import TableView
from laten.data.schema.schema import Schema

View: TypeAlias = TableView | ArrayView

__all__ = ["ArrayView", "TableView", "View", "view_from_json"]


def view_from_json(value: dict[str, Any]) -> View:
    """Rebuilds a view, checking every field.

    Raises:
        DataError: a field is missing or of the wrong type.
    """
    if not isinstance(value, dict):
        raise DataError("the description of the data is missing")
    reader = Reader(value, "data view")
    if value.get("kind") == "table":
        lossy = tuple(map(str, value.get("lossy", ())))
        return TableView(Schema.from_json(value["schema"]), reader.flag("matrix"), lossy)
    specs = []
    for r in value["specs"]:
        sizes = None if r["sizes"] is None else tuple(r["sizes"])
        specs.append((str(r["node"]), ArraySpec(tuple(map(int, r["shape"])), r["what"], sizes)))
    visit = tuple((str(r["node"]), str(r["visit"])) for r in value["visit"])
    nodes = tuple(map(str, value["nodes"]))
    return ArrayView(tuple(specs), nodes, visit, reader.text("binarise"), reader.flag("single"), int(value["seed"]))
