"""Rare levels: do the seldom classes come at all, and as often as they should?

Present: of the levels with at least 5 rows in the real table and at least 5 expected among as many rows as the
synthetic table has, the share that occurs in it. Frequency: the share of cells that hold a level rarer than 1 % in the
real table, synthetic over real.
"""

import numpy as np

from laten.synthetic.coded_tables import CodedTable, Coding
from laten.synthetic.shapes import shares

LEAST, SELDOM = 5, 0.01


def rare(
    coding: Coding, real: CodedTable, synthetic: CodedTable, holdout: CodedTable | None
) -> dict[str, tuple[float, float] | str]:
    """Return the share of levels present, and the ratio of the frequencies of rare levels."""
    names = ("rare levels present", "rare levels' frequency")
    if not coding.classes:
        return dict.fromkeys(names, "there is no column of classes")
    found = levels(coding, real, synthetic)
    least = (np.nan, np.nan) if holdout is None else levels(coding, real, holdout)
    whys = (f"no level has {LEAST} rows", f"no level is rarer than {SELDOM:.0%}")
    return {n: why if np.isnan(a) else (a, b) for n, why, a, b in zip(names, whys, found, least, strict=True)}


def levels(coding: Coding, real: CodedTable, other: CodedTable) -> tuple[float, float]:
    """Return (share present, ratio of frequencies); NaN where the real table has no such level."""
    owed = had = 0
    f_rare = g_rare = 0.0
    for a, b, size in zip(real.classes.T, other.classes.T, coding.sizes, strict=True):
        f, g = shares(a, size), shares(b, size)
        rows = np.array([(a >= 0).sum(), (b >= 0).sum()])
        due = f * rows.min() >= LEAST - 1e-9
        owed, had = owed + int(due.sum()), had + int((g[due] > 0).sum())
        seldom = (f > 0) & (f < SELDOM)
        f_rare, g_rare = f_rare + float(f[seldom].sum()), g_rare + float(g[seldom].sum())
    return (had / owed if owed else np.nan, g_rare / f_rare if f_rare else np.nan)
