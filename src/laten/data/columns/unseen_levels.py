r"""Levels that were never seen: one more class, `(other)`, stands for them.

    level --codes--> position in `column.classes`, whose last is (other) --from_other--> position in `column.levels`

A model can say nothing about a class it never met, but it can learn how rare classes behave. Under the policy `other`
the levels that hold fewer than two rows when fitting are folded into one entry; whatever level a later frame brings
falls into it too. The way back never writes `(other)` into the user's column: a code of that entry becomes one of the
folded levels, drawn in their proportion (the most frequent of them where a point is asked for), or the most frequent
level where none was folded.

Where rows are scored a level that was never seen needs no such entry: it has the probability that is left for what was
not seen (Good 1953, after Turing), $\max(n_1, \frac12) / (n + \frac12)$ with $n_1$ levels of one row in $n$ rows, and
the row's other cells are scored without it. Numbers share it by their distance $d$ from what was seen, $e^{-d/s}/2s$,
$s$ half the range. The levels that were seen have probability one among them; what is left is not taken from them.
"""

import warnings
from collections.abc import Collection

import numpy as np
import pandas as pd

from laten.common.errors import DataError, LatenWarning, known
from laten.data.columns.column import OTHER, UNSEEN, Column
from laten.data.messages import shown
from laten.data.records import Plain, replace

LEAST = 2  # rows that a level needs to stay a class of its own


def with_unseen(column: Column, policy: str, keep: Collection[Plain] | None = None) -> Column:
    """Return this column with what becomes of levels that were never seen.

    Args:
        column: A categorical column, for `other`.
        policy: One of `UNSEEN`.
        keep: Levels that may be classes of their own; None: all. The others are folded however frequent they are.
    Raises:
        DataError: no such policy, another kind, a level that is called `(other)`, or no level has two rows.
    """
    name = column.name
    if policy not in UNSEEN:
        raise DataError(f"column {name!r}: unseen must be one of {known(UNSEEN)}, not {policy!r}")
    if policy == "error":
        return replace(column, unseen="error", folded=())
    if column.kind != "categorical":
        why = {
            "binary": "binary has two levels and no room for a third; make it 'categorical'",
            "ordinal": "an unseen level has no place in the order; make it 'categorical', or leave unseen = 'error'",
        }.get(column.kind, "only a categorical column has levels to fold")
        raise DataError(f"column {name!r} is {column.kind}, so unseen = 'other' does not fit: {why}")
    levels = column.levels or ()
    if OTHER in levels:
        raise DataError(f"column {name!r} has a level {OTHER!r} of its own; rename it to have unseen = 'other'")
    counts, own = column.seen.tally, set(levels if keep is None else keep)
    folded = tuple(v for v in levels if counts.get(v, 0) < LEAST or v not in own)
    if len(folded) == len(levels):
        raise DataError(f"column {name!r}: no level holds {LEAST} rows, so all would be {OTHER!r}; make it 'text'")
    return replace(column, unseen="other", folded=folded)


def listed(column: Column) -> tuple[Plain, ...]:
    """Return the levels to write into a contract, so that imposing it on the same cells folds the same ones.

    All, where those folded are the rare ones. Where frequent ones were folded too, they were not listed: then those
    kept and those that no cell holds.
    """
    counts, folded = column.seen.tally, set(column.folded)
    by_rule = all(counts.get(v, 0) < LEAST for v in folded)
    return tuple(v for v in column.levels or () if by_rule or v not in folded or counts.get(v, 0) == 0)


def log_left(column: Column, odd: pd.Series) -> np.ndarray:
    """Return the log of the probability left for the cells `odd`, `(rows,)` nats; warn, and name them.

    Args:
        odd: Levels of a column of classes that were never seen, or numbers that a kind does not allow.
    """
    seen, counts = column.seen, np.array(column.seen.counts)
    n = max(seen.rows - seen.missing, 1)
    share = float(max((counts == 1).sum() if column.levels else 0, 0.5) / (n + 0.5))
    warnings.warn(
        f"column {column.name!r}: {shown(odd.head(50))} ({len(odd)} row{'s' if len(odd) > 1 else ''}) was never seen "
        f"when fitting; it is scored with the probability that is left for new values, {share:.2g}",
        LatenWarning,
        stacklevel=2,
    )
    values = column.levels or (seen.low or 0.0, seen.high or 0.0)
    if not pd.api.types.is_numeric_dtype(odd) or any(isinstance(v, str) for v in values):
        return np.full(len(odd), np.log(share))
    ordered, x = np.sort(np.array(values, np.float64)), odd.to_numpy(np.float64)
    above = np.searchsorted(ordered, x).clip(1, len(ordered) - 1)
    distance = np.minimum(np.abs(x - ordered[above - 1]), np.abs(x - ordered[above]))
    scale = (ordered[-1] - ordered[0]) / 2 or 1.0
    return np.log(share) - distance / scale - np.log(2 * scale)


def from_other(column: Column, codes: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """Turn positions among `column.classes` into positions among `column.levels`: no `(other)` is left.

    Args:
        codes: `(rows,)` positions among the classes.
        rng: Draws folded levels in their proportion; None takes the most frequent of them.
    Returns:
        `(rows,)` int64. Where no level was folded, `(other)` becomes the most frequent level.
    """
    levels, folded, counts = column.levels or (), set(column.folded), column.seen.tally
    kept = np.array([i for i, v in enumerate(levels) if v not in folded])
    codes = np.clip(np.asarray(codes).astype(np.int64), 0, len(kept))
    out, lost = kept[np.minimum(codes, len(kept) - 1)], codes == len(kept)
    weights = np.array([counts.get(v, 0) for v in levels])
    rare = np.array([i for i, v in enumerate(levels) if v in folded and weights[i] > 0], np.int64)
    if len(rare) and rng is not None:
        below = np.cumsum(weights[rare])
        at = np.searchsorted(below, rng.random(len(codes)) * below[-1], side="right")  # one a row, whatever is lost
        out[lost] = rare[at[lost]]
    else:
        some = rare if len(rare) else kept
        out[lost] = some[np.argmax(weights[some])]
    return out
