"""The steps in which a column's numbers go, and numbers rounded to them."""

from collections.abc import Callable

import numpy as np

from laten.data.columns.column import Column
from laten.data.histogram.histogram import Histogram
from laten.data.records import replace
from laten.data.schema.ties import DAY


def step_of(column: Column) -> float:
    """Return the smallest difference of two numbers of a column, days of dates."""
    grid = grid_of(column)
    size = 1.0 / grid if grid else 1e-6 * max(abs(column.low), 1.0)
    return size / DAY if column.seen.form == "duration" else size


def grid_of(column: Column) -> float | None:
    """Return of which number's inverse all cells are whole multiples, in the column's own scale."""
    return next((c.grid for c in column.seen.codecs if isinstance(c, Histogram)), None)


def to_grid(column: Column, x: np.ndarray, towards: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Round numbers down or up to what the column's cells can be."""
    grid = grid_of(column)
    if grid is None:
        return x
    scale = grid * DAY if column.seen.form == "duration" else grid
    near = np.round(x * scale)
    return np.where(np.abs(x * scale - near) < 1e-6, near, towards(x * scale)) / scale


def unbounded(column: Column) -> Column:
    """Return a column without hard edges: what is computed may lie beyond what was seen."""
    codecs = tuple(replace(c, low=None, high=None) if isinstance(c, Histogram) else c for c in column.seen.codecs)
    return replace(column, seen=replace(column.seen, codecs=codecs))
