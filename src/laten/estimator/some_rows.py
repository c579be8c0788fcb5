"""Some rows, as nets see them: where the parts of a model start."""

from collections.abc import Collection

import numpy as np

from laten.common.sparse_rows import SparseRows
from laten.data.rows.rows import Rows

START_ROWS = 10_000  # rows that are enough to place the constants of each node
START_CELLS = 2**22  # of sparse rows, when they are filled


def some_rows_of(
    rows: Rows, most: int = START_ROWS, cells: int | None = None, among: np.ndarray | None = None,
    shown: Collection[str] = (),
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:  # fmt: skip
    """Return some rows, evenly spread, and their masks, by node: where parts of a model start.

    Args:
        most, cells: Rows, and cells of them all; None: as many as these rows have.
        among: Rows of which they are; None: all.
        shown: Nodes; all rows that show one of them are among them, as far as `most` goes.
    """
    among = np.arange(rows.n) if among is None else among
    widest = max((x.width for x in rows.values.values() if isinstance(x, SparseRows)), default=1)
    width = sum(x.width if isinstance(x, SparseRows) else x[:1].size for x in rows.values.values())
    most = min(len(among), most, max(START_CELLS // widest, 1), most if cells is None else max(cells // width, 1))
    index = among[np.linspace(0, len(among) - 1, most).astype(int)]
    if most < len(among) and shown:
        seen = np.any([rows.mask[n].reshape(rows.n, -1).any(axis=1) for n in shown], axis=0)
        told = among[seen[among]][:most]
        index = np.union1d(told, index[np.linspace(0, most - 1, most - len(told)).astype(int)])
    grey = {n for n, visit in rows.visit.items() if visit == "intensity"}
    values = {n: x[index] / np.float32(255) if n in grey else np.asarray(x[index]) for n, x in rows.values.items()}
    return values, {n: x[index] for n, x in rows.mask.items()}
