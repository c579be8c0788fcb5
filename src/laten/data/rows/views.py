"""Views: how the user's container becomes rows, and how answers are returned in the same kind of container.

A container is a frame, a matrix or a dictionary of arrays. A view is made once, when fitting, and kept in the model
file; every later question goes through the same one, so that columns, types, levels and binarisation are those of the
fit. `TableView` holds a schema; `ArrayView` holds what each declared node takes.
"""

from typing import Any, TypeAlias

from laten.data.records import read
from laten.data.rows.array_view import ArrayView
from laten.data.rows.table_view import TableView

View: TypeAlias = TableView | ArrayView

__all__ = ["ArrayView", "TableView", "View", "view_from_json"]


def view_from_json(value: Any) -> View:
    """Rebuild a view, checking every field.

    Raises:
        DataError: a field is missing, of the wrong type, or does not go with the others.
    """
    view: View = read(value, TableView | ArrayView, "data view")
    if isinstance(view, TableView):
        view.schema.check_read()
    return view
