"""The columns that make one node, and what one array of them is."""

from dataclasses import dataclass

import numpy as np

from laten.data.columns.column import Column
from laten.data.histogram.histogram import Histogram
from laten.data.histogram.periods import waves
from laten.data.schema.contract import Name


@dataclass(frozen=True)
class Block:
    """The columns of one node: one array, `(rows, columns)`, or `(rows,)` when `scalar`.

    Args:
        node: Name of the node.
        family_kind: binary (uint8 0/1), categorical or ordinal (codes in the smallest whole type), count (float32 whole
            numbers), real (float32 after the codec) or bins (codes).
        columns: In order of the array's columns.
        scalar: True for a single column without a column axis.
    """

    node: str
    family_kind: str
    columns: tuple[Column, ...]
    scalar: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of classes, of groups of them, or of bins, of each column."""
        return tuple(c.size for c in self.columns)

    @property
    def points(self) -> tuple[tuple[tuple[float, ...], ...], ...]:
        """For each column of a binned block, its bins' features (`Histogram.points`); else empty."""
        return tuple(c.codec.points for c in self.columns if isinstance(c.codec, Histogram))

    @property
    def waves(self) -> tuple[int, ...]:
        """For each column of a binned block, how many features are waves of the calendar; empty where none has any."""
        found = tuple(len(waves(np.zeros(1), c.codec.periods)) for c in self.columns if isinstance(c.codec, Histogram))
        return found if any(found) else ()

    @property
    def names(self) -> tuple[Name, ...]:
        """Names of the columns."""
        return tuple(c.name for c in self.columns)

    @property
    def shape(self) -> tuple[int, ...]:
        """Event shape of the node."""
        return () if self.scalar else (len(self.columns),)

    @property
    def dtype(self) -> np.dtype:
        """The smallest type that holds the block."""
        if self.family_kind in ("count", "real"):
            return np.dtype(np.float32)
        return np.min_scalar_type(max(self.sizes) - 1)
