"""Records: declarations that are written as JSON, and read back with every field checked.

A file may have been damaged or made by hand. `read` believes nothing: an unknown field, a missing one, another type, a
number that is not finite are errors with the path to the field, and each record checks what goes together.
"""

import math
from typing import Annotated, Any

import msgspec
import numpy as np

from laten.common.errors import DataError

_MOST = float(np.finfo(np.float64).max)
Whole = Annotated[int, msgspec.Meta(ge=0)]
Finite = Annotated[float, msgspec.Meta(ge=-_MOST, le=_MOST)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=_MOST)]
Plain = bool | int | Finite | str  # what a level of a column, or a column's name, may be
replace = msgspec.structs.replace


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """A frozen declaration; its fields' types are checked when it is read from JSON."""

    def to_json(self) -> Any:
        """Return plain JSON types only; `read` makes the record again."""
        return msgspec.to_builtins(self, enc_hook=lambda number: number.item())  # NumPy's numbers


def read(value: Any, kind: Any, at: str) -> Any:
    """Build a `kind` from plain JSON types.

    Args:
        value: What was parsed.
        kind: A record, or a union of tagged ones.
        at: Path for messages, such as `schema`.
    Raises:
        DataError: a field is missing, unknown, of the wrong type, or does not go with the others.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        raise DataError(f"{at}{path.removesuffix('`')}: {what}; the file is damaged") from None


def is_plain(value: object) -> bool:
    """Say whether a value is text, a boolean, a whole number or a finite float."""
    return isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


def plain_of(value: object) -> Plain:
    """Return a level as plain JSON: numbers and booleans stay (whole floats become int), anything else its text."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def name_of(value: Plain) -> str:
    """Say what a value is, in words."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    return names[type(value)]
