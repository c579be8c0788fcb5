"""Scores of parts, put together: those of all rows."""

import math
from dataclasses import asdict

import numpy as np
import pytest

from laten.inference import pooled
from laten.inference.diagnostics import LogLikelihood, digest
from laten.inference.pooled import Pooled


def weights(rows: int, kinds: int) -> np.ndarray:
    """Log-weights of rows, of which there are so many different ones."""
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.3, (kinds, 50))[rng.integers(0, kinds, rows)] * rng.random((1, 50))


def scored(log_w: np.ndarray) -> LogLikelihood:
    return LogLikelihood.of(digest(log_w), 50, np.zeros(len(log_w)), warn=False)


@pytest.mark.parametrize("kinds", [3, 900])
def test_parts_give_what_all_rows_give(kinds):
    log_w, together = weights(900, kinds), Pooled()
    for start in (0, 1, 400, 700):
        stop = {0: 1, 1: 400, 400: 700, 700: 900}[start]
        together.add(scored(log_w[start:stop]))
    whole, found = asdict(scored(log_w)), asdict(together.whole())
    for name in ("value", "standard_error", "rows_error", "draws"):
        assert found[name] == pytest.approx(whole[name], rel=1e-9), name
    assert together.rows == 900 and math.isfinite(found["pareto_k"])


def test_of_many_kinds_of_rows_a_share_is_kept(monkeypatch):
    monkeypatch.setattr(pooled, "MOST", 1000)
    log_w, together = weights(8000, 4000), Pooled()
    for start in range(0, 8000, 1000):
        together.add(scored(log_w[start : start + 1000]))
    assert len(together.alike) <= 1000
    assert together.whole().standard_error == pytest.approx(scored(log_w).standard_error, rel=0.15)
