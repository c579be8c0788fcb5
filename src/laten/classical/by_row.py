"""Rows of a table as evidence for a discrete network: those with the same cells filled are one elimination."""

import math

import numpy as np
import pandas as pd

from laten.classical import elimination
from laten.classical.elimination import Factor
from laten.classical.probability_tables import ProbabilityTables
from laten.classical.question import States, check_name, code_of
from laten.common.errors import DataError

WORK = 2**22  # entries of the largest factor times rows, of one elimination


def by_row(network: ProbabilityTables, frame: pd.DataFrame, keep: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return p(keep, row's filled cells) as tables `(rows, *sizes)` of largest entry one, and their logs `(rows,)`.

    Rows with the same cells filled are one elimination, equal rows one of its rows.
    """
    names, codes = codes_of(network.states, frame)
    tables, logs = np.zeros((len(frame), *(network.sizes[n] for n in keep))), np.zeros(len(frame))
    kinds, kind = np.unique(codes >= 0, axis=0, return_inverse=True)
    for i, filled in enumerate(kinds):
        rows, columns = np.flatnonzero(kind.ravel() == i), np.flatnonzero(filled)
        distinct, back = np.unique(codes[np.ix_(rows, columns)], axis=0, return_inverse=True)
        seen = [names[c] for c in columns]
        factors = network.above({*seen, *keep})

        def asked(some: np.ndarray, factors=factors, seen=seen) -> elimination.Eliminated:
            at = {name: some[:, i] for i, name in enumerate(seen)}
            return elimination.eliminate([elimination.seen(f, at) for f in factors], keep, network.sizes, len(some))

        free = [Factor(tuple(n for n in f.names if n not in seen), f.table) for f in factors]
        largest = elimination.weight(elimination.plan(free, keep, network.sizes).largest, network.sizes)
        step = max(1, int(WORK / math.exp(min(largest, 50.0))))
        found = [asked(distinct[at : at + step]) for at in range(0, len(distinct), step)]
        tables[rows] = np.concatenate([f.table for f in found])[back.ravel()]
        logs[rows] = np.concatenate([f.log_scale for f in found])[back.ravel()]
    return tables, logs


def codes_of(states: States, frame: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Turn a frame into the names of its columns, and codes `(rows, columns)` of its states, -1 where empty.

    Raises:
        DataError: an unknown column or state.
    """
    names = [check_name(states, name) for name in frame.columns]
    codes = np.full(frame.shape, -1)
    for i, name in enumerate(names):
        kind, found = pd.factorize(frame[name])  # -1 where empty
        for k, value in enumerate(found):
            try:
                codes[kind == k, i] = code_of(states, name, value)
            except DataError as error:
                raise DataError(f"row {int((kind == k).argmax())}: {error}") from None
    return names, codes
