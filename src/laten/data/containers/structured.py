"""Structured arrays and recarrays of NumPy as frames, and back."""

import json
from typing import Any

import numpy as np
import pandas as pd

from laten.common.errors import DataError


def of_structured(data: np.ndarray) -> tuple[pd.DataFrame, str]:
    """Return a structured array as a frame, and its types as text; bytes are read as UTF-8.

    Raises:
        DataError: a field of several cells, or more axes than one.
    """
    dtype, names = data.dtype, data.dtype.names or ()
    wide = [name for name in names if dtype[name].shape or dtype[name].names]
    if data.ndim != 1 or wide:
        what = f"its field {wide[0]!r} holds {dtype[wide[0]]}" if wide else f"its shape is {data.shape}"
        raise DataError(f"expected a structured array of one axis, with a cell in each field; {what}")
    columns = {n: pd.Series(np.char.decode(data[n], "utf-8") if dtype[n].kind == "S" else data[n]) for n in names}
    types = {name: dtype[name].str for name in names}
    return pd.DataFrame(columns), json.dumps({"types": types, "recarray": isinstance(data, np.recarray)})


def as_structured(frame: pd.DataFrame, types: str) -> np.ndarray:
    """Return a frame as a structured array; a column that `types` does not know has its own type."""
    had: dict[str, Any] = json.loads(types) if types else {"types": {}, "recarray": False}
    dtype = np.dtype([(str(n), had["types"].get(str(n), frame[n].to_numpy().dtype)) for n in frame.columns])
    made = np.empty(len(frame), dtype)
    for name in frame.columns:
        encoded = dtype[str(name)].kind == "S"
        made[str(name)] = np.char.encode(frame[name].to_numpy(str), "utf-8") if encoded else frame[name].to_numpy()
    return made.view(np.recarray) if had["recarray"] else made
