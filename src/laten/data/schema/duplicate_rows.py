r"""Rows that are copies of others, such as a bootstrap makes: they must not pass for values that repeat.

In $n$ rows of columns that are independent, values $v$ of column $j$ having shares $p_{jv}$, about
$\tfrac{n^2}{2}\prod_j\sum_v p_{jv}^2$ pairs of rows are equal by chance. Where far more are, one row of each kind says
where a histogram's pieces lie (else each copied value would be an atom), and all rows say how much lies in each.
"""

import numpy as np
import pandas as pd

from laten.data.columns.cells import Cells
from laten.data.columns.column import Column
from laten.data.columns.encode import numbers_of
from laten.data.histogram.find_bins import recounted
from laten.data.histogram.histogram import Histogram
from laten.data.records import replace

LEAST = 0.02  # share of copies that matters
FACTOR = 10  # times as many equal pairs as chance gives


def copies(frame: pd.DataFrame) -> np.ndarray | None:
    """Mark rows that equal an earlier one, `(rows,)`; None where there are few, or no more than chance explains."""
    try:
        rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
        again = pd.Series(rows).duplicated().to_numpy()
        if again.mean() < LEAST:
            return None
        times = np.unique(rows, return_counts=True)[1].astype(np.float64)
        shares = [frame[name].value_counts(dropna=False, normalize=True).to_numpy(np.float64) for name in frame]
    except TypeError:  # cells that cannot be compared
        return None
    chance = np.sum([np.log(np.sum(p**2)) for p in shares]) + 2 * np.log(len(frame))
    return again if np.log(np.sum(times * (times - 1))) > chance + np.log(FACTOR) else None


def without_copies(column: Column, distinct: Column, cells: Cells) -> Column:
    """Return a column with the pieces of `distinct`, inferred from one row of each kind, and all rows' masses.

    Args:
        cells: Of all rows.
    """
    found = [c for c in distinct.seen.codecs if isinstance(c, Histogram)]
    if not found or distinct.kind != column.kind:
        return column
    x = numbers_of(column, cells)
    bins = recounted(found[0], x[~np.isnan(x)])
    codecs = tuple(bins if isinstance(c, Histogram) else c for c in column.seen.codecs)
    return replace(column, seen=replace(column.seen, codecs=codecs))
