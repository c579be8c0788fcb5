"""Column shapes: how far each column's distribution is from the real one, by itself.

    numbers    Kolmogorov-Smirnov statistic  max_x |F(x) - G(x)|
    classes    total variation distance      1/2 sum_k |f_k - g_k|

over the cells that are there (sdmetrics: 1 - KSComplement, 1 - TVComplement), and the difference of the shares of
missing cells.
"""

import numpy as np
import pandas as pd

from laten.synthetic.coded_tables import CodedTable, Coding


def ks(x: np.ndarray, y: np.ndarray) -> float:
    """Return the largest gap between two distribution functions; 1 when one has no value, 0 when both have none."""
    x, y = np.sort(x[~np.isnan(x)]), np.sort(y[~np.isnan(y)])
    if not len(x) or not len(y):
        return float(len(x) != len(y))
    at = np.concatenate([x, y])
    f, g = (np.searchsorted(v, at, side="right") / len(v) for v in (x, y))
    return float(np.abs(f - g).max())


def shares(codes: np.ndarray, size: int) -> np.ndarray:
    """Return the `(size,)` share of each class among the cells that are there."""
    there = codes[codes >= 0]
    return np.bincount(there, minlength=size) / max(len(there), 1)


def tv(a: np.ndarray, b: np.ndarray, size: int) -> float:
    """Return half the sum of differences of shares; 1 when one has no value, 0 when both have none."""
    if not (a >= 0).any() or not (b >= 0).any():
        return float((a >= 0).any() != (b >= 0).any())
    return float(np.abs(shares(a, size) - shares(b, size)).sum() / 2)


def shape_errors(coding: Coding, real: CodedTable, other: CodedTable) -> np.ndarray:
    """Return the error of each column's distribution, `(columns,)` in the schema's order."""
    numbers = [ks(x, y) for x, y in zip(real.numbers.T, other.numbers.T, strict=True)]
    classes = [tv(a, b, k) for a, b, k in zip(real.classes.T, other.classes.T, coding.sizes, strict=True)]
    return np.array(numbers + classes)[coding.order]


def missing_shares(coding: Coding, table: CodedTable) -> np.ndarray:
    """Return the `(columns,)` share of cells without a value."""
    return np.concatenate([np.isnan(table.numbers).mean(0), (table.classes < 0).mean(0)])[coding.order]


def unseen_shares(coding: Coding, real: CodedTable, other: CodedTable) -> np.ndarray:
    """Return the `(columns,)` share of cells outside the real range, or of levels that the real table lacks."""
    low = np.fmin.reduce(real.numbers, initial=np.inf)  # holes do not count
    high = np.fmax.reduce(real.numbers, initial=-np.inf)
    outside = (other.numbers < low) | (other.numbers > high)
    new = other.classes >= np.array(coding.known, np.int64)
    return np.concatenate([outside.mean(0), new.mean(0)])[coding.order]


def by_column(coding: Coding, real: CodedTable, synthetic: CodedTable, holdout: CodedTable | None) -> pd.DataFrame:
    """Return a frame with one row a measured column, indexed by its name."""
    columns = {
        "kind": [c.kind for c in coding.columns],
        "by": ["KS" if c.name in coding.numbers else "TV" for c in coding.columns],
        "error": shape_errors(coding, real, synthetic),
        "reference": np.nan if holdout is None else shape_errors(coding, real, holdout),
        "missing_real": missing_shares(coding, real),
        "missing_synthetic": missing_shares(coding, synthetic),
        "unseen": unseen_shares(coding, real, synthetic),
    }
    return pd.DataFrame(columns, index=pd.Index(coding.names, name="column"))


def shapes(
    coding: Coding, real: CodedTable, holdout: CodedTable | None, columns: pd.DataFrame
) -> dict[str, tuple[float, float]]:
    """Average over the columns: the synthetic table's, the hold-out's."""
    gaps = (columns["missing_synthetic"] - columns["missing_real"]).abs().mean()
    least = np.nan
    if holdout is not None:
        least = float(np.abs(missing_shares(coding, holdout) - columns["missing_real"].to_numpy()).mean())
    errors = (float(columns["error"].mean()), float(columns["reference"].mean()))
    return {"column shapes": errors, "missing cells": (float(gaps), least)}
