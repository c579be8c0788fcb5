"""Copies of rows do not pass for values that repeat; values that repeat by nature are left alone."""

import numpy as np
import pandas as pd

import laten as lt
from laten.data.histogram.histogram import Histogram
from laten.data.schema.duplicate_rows import copies

RNG = np.random.default_rng(0)
WHOLE = pd.DataFrame({"a": RNG.gamma(2, size=400), "b": RNG.normal(size=400), "c": RNG.choice(list("xyz"), 400)})
DRAWN = WHOLE.iloc[RNG.integers(0, 400, 400)].reset_index(drop=True)


def cells(frame: pd.DataFrame, name: str) -> Histogram:
    schema = lt.infer_schema(frame)
    return next(c for c in schema[name].seen.codecs if isinstance(c, Histogram))


def test_what_counts_as_copies():
    again = copies(DRAWN)
    assert again is not None and 0.3 < again.mean() < 0.45
    assert len(DRAWN[~again].drop_duplicates()) == len(DRAWN[~again])
    assert copies(WHOLE) is None
    assert copies(pd.DataFrame({"a": RNG.integers(0, 5, 500), "b": RNG.integers(0, 5, 500)})) is None  # by chance
    assert copies(pd.DataFrame({"a": np.where(RNG.random(500) < 0.4, 0, RNG.gamma(2, size=500))})) is None
    assert copies(pd.DataFrame({"a": [[1], [1], [2]]})) is None  # cells that cannot be compared


def test_copied_values_are_no_atoms():
    found, alone = cells(DRAWN, "a"), cells(DRAWN.drop_duplicates(), "a")
    assert found.edges == alone.edges
    assert not np.any(np.diff(found.edges) == 0)
    assert sum(found.mass) > sum(alone.mass) + 100  # all rows are counted
    x = DRAWN["a"].to_numpy()
    shares = np.bincount(found.encode(x), minlength=found.size)
    assert np.allclose(found.centres, np.bincount(found.encode(x), x) / shares)
    alike = pd.DataFrame({"a": np.repeat(WHOLE["a"][:40], 10).to_numpy()})  # control: without copies they are
    assert np.any(np.diff(cells(alike, "a").edges) == 0)
