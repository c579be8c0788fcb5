"""Which cells of the fitted rows were empty: kept as patterns, from which holes of drawn rows are drawn.

A pattern is a row of bits, a column each, so that cells that are empty together stay so. At most `MOST` rows' patterns
are kept, spread evenly over the rows: a column's rate is then off by half a point at most, one standard error.
"""

import base64
import zlib
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.records import Record, Whole
from laten.data.schema.contract import Name

MOST = 10_000


class Holes(Record, frozen=True):
    """Patterns of empty cells.

    Args:
        columns: Of the table, in its order.
        rows: How many patterns there are.
        bits: Their bits, row after row, packed, compressed, in base64.
    """

    columns: Whole
    rows: Whole
    bits: str

    def patterns(self) -> np.ndarray:
        """Return the patterns `(rows, columns)`, True where empty.

        Raises:
            DataError: the file is damaged.
        """
        try:
            packed = np.frombuffer(zlib.decompress(base64.b64decode(self.bits)), np.uint8)
            flat = np.unpackbits(packed, count=self.rows * self.columns)
            return flat.reshape(self.rows, self.columns).astype(bool)
        except (ValueError, zlib.error) as error:
            raise DataError(f"holes: the patterns cannot be read: {error}; the file is damaged") from None

    def cut(
        self, frame: pd.DataFrame, names: Sequence[Name], kept: Collection[Name], rng: np.random.Generator
    ) -> pd.DataFrame:
        """Return rows with cells emptied by patterns that are drawn.

        Args:
            names: Columns of the table.
            kept: Columns that stay full.
        """
        patterns, place = self.patterns(), {name: i for i, name in enumerate(names)}
        empty = patterns[rng.integers(0, len(patterns), len(frame))]
        out = frame.copy()
        for name in frame.columns:
            mask = empty[:, place[name]]
            if name not in kept and mask.any():
                out[name] = frame[name].mask(mask)
        return out


def holes_of(empty: np.ndarray) -> Holes | None:
    """Return the patterns of empty cells `(rows, columns)`; None where no cell is empty."""
    if not empty.any():
        return None
    kept = empty[np.unique(np.linspace(0, len(empty) - 1, min(len(empty), MOST)).astype(int))]
    bits = base64.b64encode(zlib.compress(np.packbits(kept).tobytes(), 9)).decode()
    return Holes(empty.shape[1], len(kept), bits)
