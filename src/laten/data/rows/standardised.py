"""Rows as plain coordinates, for distances between them: numbers in spreads of the fit, and codes of levels.

Nothing is an error that is merely odd: a level never seen is a code of its own, and a number of any size stays a
number. A hidden cell stands where most are: at the mean, or at the most frequent level.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from laten.data.columns.cells import Cells, cells_of
from laten.data.columns.codecs import Date, Standardise
from laten.data.columns.column import Column
from laten.data.columns.encode import numbers_of
from laten.data.schema.contract import Name
from laten.data.schema.schema import Schema

FARTHEST = 1e50  # spreads; sums of distances stay finite


class Coordinates(NamedTuple):
    """Rows to measure distances between."""

    numbers: np.ndarray  # (rows, columns of numbers) float64
    classes: np.ndarray  # (rows, columns of classes) int64

    def take(self, index: np.ndarray) -> "Coordinates":
        """Return some of the rows."""
        return Coordinates(self.numbers[index], self.classes[index])


def standardised(schema: Schema, frame: pd.DataFrame) -> Coordinates:
    """Return coordinates of the modelled columns of a frame, each scaled as the fit saw it.

    Raises:
        DataError: a column is lacking, or its cells are of another type.
    """
    cells: Mapping[Name, Cells] = cells_of(frame)
    numbers, classes = [], []
    for column in (c for block in schema.blocks for c in block.columns):
        scale = scale_of(column)
        if scale is None:
            classes.append(levels_of(column, cells[column.name]))
        else:
            x = (numbers_of(column, cells[column.name], odd=True) - scale.loc) / scale.scale
            numbers.append(np.clip(np.where(np.isnan(x), 0.0, x), -FARTHEST, FARTHEST))
    shape = (len(frame), 0)
    return Coordinates(
        np.stack(numbers, axis=1) if numbers else np.zeros(shape),
        np.stack(classes, axis=1) if classes else np.zeros(shape, np.int64),
    )


def scale_of(column: Column) -> Standardise | Date | None:
    """Return mean and spread of a column of numbers, dates or durations; None of levels without them."""
    return next((c for c in column.seen.codecs if isinstance(c, Standardise | Date)), None)


def levels_of(column: Column, cells: Cells) -> np.ndarray:
    """Return positions `(rows,)` among the levels; of a level never seen their number, of a hidden cell the usual."""
    levels, counts = column.levels or (), column.seen.tally
    at = cells.codes(levels, len(levels))
    return np.where(at < 0, int(np.argmax([counts.get(v, 0) for v in levels])), at)
