"""Privacy: are synthetic rows closer to the rows they were learned from than rows of other people are?

Everything is judged against a hold-out, real rows that the generator has not seen. d(a, B) is the distance of row a to
the closest row of B (`distances.py`).

    nearest record      quantile of d(synthetic, real) / same quantile of d(hold-out, real): 1, or a little less
    closer to training  share of synthetic rows with d(s, real) < d(s, hold-out); by chance: rows of the real table
                        among both (a half when they are of equal size), which is also how ties are counted
    membership attack   AUC of telling real rows from held-out ones by -d(row, synthetic): 0.5 when nothing leaks
    exact copies        share of synthetic rows that also stand, cell by cell, in the real table
"""

import numpy as np
import pandas as pd

from laten.synthetic.classifiers import auc
from laten.synthetic.coded_tables import CodedTable
from laten.synthetic.distances import Nearest, nearest, points

QUANTILES = {"nearest record, median": 0.5, "nearest record, 5th percentile": 0.05}
ASK, AMONG = 5_000, 100_000  # rows that look for their nearest record, and rows it is sought among


def privacy(
    real: CodedTable, synthetic: CodedTable, holdout: CodedTable | None, seed: int
) -> tuple[dict[str, tuple[float, float] | str], Nearest]:
    """Measure copies, distances and attacks."""
    rng = np.random.default_rng([seed, 3])
    out: dict[str, tuple[float, float] | str] = {}
    out["exact copies"] = (copies(real, synthetic), np.nan if holdout is None else copies(real, holdout))
    t, s = real.some(AMONG, rng), synthetic.some(AMONG, rng)
    if holdout is None:
        train, queries = points(real, [t, s.some(ASK, rng)])
        why = "needs a hold-out: real rows that the generator has not seen"
        return out | dict.fromkeys([*QUANTILES, "closer to training", "membership attack"], why), Nearest(
            nearest(queries, train), np.empty(0)
        )
    h = holdout.some(AMONG, rng)
    asking = [x.some(ASK, rng) for x in (t, s, h)]
    train, made, other, some_t, some_s, some_h = points(real, [t, s, h, *asking])
    to_real = Nearest(nearest(some_s, train), nearest(some_h, train))
    for name, q in QUANTILES.items():
        near, far = (float(np.quantile(x, q)) for x in (to_real.synthetic, to_real.holdout))
        none = f"at least {q:.0%} of the hold-out's rows stand in the real table too"
        out[name] = (near / far, 1.0) if far > 0 else none
    chance = len(t) / (len(t) + len(h))
    to_other = nearest(some_s, other)
    closer = (to_real.synthetic < to_other) + chance * (to_real.synthetic == to_other)
    out["closer to training"] = (float(closer.mean()), chance)
    leak = np.concatenate([nearest(some_t, made), nearest(some_h, made)])
    out["membership attack"] = (auc(-leak, np.arange(len(leak)) < len(some_t)), 0.5)
    return out, to_real


def copies(real: CodedTable, other: CodedTable) -> float:
    """Return the share of rows that also stand in the real table."""
    a, b = (marks(t) for t in (real, other))
    return float(np.isin(b, a).mean())


def marks(table: CodedTable) -> np.ndarray:
    """Return `(rows,)` uint64: equal for equal rows, holes included."""
    cells = pd.concat([pd.DataFrame(table.numbers + 0.0), pd.DataFrame(table.classes)], axis=1)  # no -0.0
    return pd.util.hash_pandas_object(cells, index=False).to_numpy()
