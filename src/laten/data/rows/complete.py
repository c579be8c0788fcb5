"""Hidden cells of a frame filled, so that rows keep the ties of their schema; observed cells stay bit for bit."""

from typing import Any

import numpy as np
import pandas as pd

from laten.data.rows import tables
from laten.data.rows.keep_ties import keep
from laten.data.schema.schema import Schema


def completed(schema: Schema, frame: pd.DataFrame, found: pd.DataFrame, seed: Any = None) -> pd.DataFrame:
    """Return a frame with hidden cells taken from `found`, so that rows keep the ties.

    Args:
        seed: Of draws among combinations; None takes the most frequent.
    """
    full, hidden, decoded = opened(frame, found)
    there = {n: ~hidden[n].to_numpy() if n in hidden else np.ones(len(full), bool) for n in full.columns}
    rng = None if seed is None else np.random.default_rng(seed)
    return keep(schema, tables.fill(full, decoded, hidden), there, rng)


def between(
    schema: Schema, frame: pd.DataFrame, low: pd.DataFrame, high: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a frame filled with each of two ends of intervals; cells that ties settle have one value in both."""
    tied = completed(schema, frame, low), completed(schema, frame, high)
    columns = [n for n in low.columns if n in tied[0]]
    same = (tied[0][columns] == tied[1][columns]).to_numpy()
    settled = tied[0][columns].set_axis(low.index)
    full, hidden, _ = opened(frame, low[columns])
    first, last = (tables.fill(full, end[columns].where(~same, settled), hidden) for end in (low, high))
    return first, last


def opened(frame: pd.DataFrame, found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the frame with the columns that it lacks, which cells of `found`'s columns are hidden, and `found`."""
    decoded = found.set_axis(frame.index)
    full = frame.reindex(columns=[*frame.columns, *[n for n in decoded.columns if n not in frame.columns]])
    return full, full[list(decoded.columns)].isna(), decoded
