"""Levels of a column that the ties of a schema leave open, given the other cells of each row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from laten.data.columns.cells import Cells
from laten.data.constraints import Name, columns_of
from laten.data.records import Plain
from laten.data.schema.schema import Schema
from laten.data.schema.ties import broken


def only_possible(schema: Schema, frame: pd.DataFrame, name: Name, found: pd.DataFrame) -> pd.DataFrame:
    """Return probabilities `(rows, levels)` with none for levels that would break a tie; the rest sum to one again.

    A row that no level can mend keeps its own.

    Args:
        frame: The other cells of the rows.
        name: The column of classes that is asked for.
        found: Its probabilities under the network, which knows of no ties.
    """
    open_ = _open_levels(schema, frame, name, list(found.columns))
    left = np.where(open_, found.to_numpy(), 0.0)
    total = left.sum(axis=1, keepdims=True)
    shares = np.divide(left, total, out=found.to_numpy(copy=True), where=total > 0)
    return pd.DataFrame(shares, index=found.index, columns=found.columns)


def _open_levels(schema: Schema, frame: pd.DataFrame, name: Name, levels: Sequence[Plain]) -> np.ndarray:
    """Mark, for each row and level, whether all ties of the column would be kept."""
    columns = {c.name: c for c in schema.columns}
    cells = {n: Cells(n, frame[n]) for n in frame.columns if n in columns and n != name}
    ties = [t for t in schema.ties if name in (names := columns_of(t)) and all(n in cells or n == name for n in names)]
    open_ = np.ones((len(frame), len(levels)), bool)
    for i, level in enumerate(levels if ties else ()):
        cells[name] = Cells(name, pd.Series([level] * len(frame), index=frame.index, dtype=object))
        for tie in ties:
            open_[:, i] &= ~broken(tie, columns, cells)
    return open_
