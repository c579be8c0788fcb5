"""Rows drawn from a model, all together or as many at a time as memory holds."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.sample_and_predict import sampled
from laten.common.errors import DataError

MOST_AT_ONCE = 2**18  # rows drawn together; of more, memory would grow with their number


def sample(fitted: Fitted, n: int, given: Mapping[Any, Any] | None, draws: int, seed: int, holes: bool = False) -> Any:
    """Draw `n` rows, from the network or, given something, from the posterior; with holes as the fitted rows have."""
    found = [*sample_parts(fitted, n, given, draws, seed, holes)]
    return fitted.view.returned(found[0] if len(found) == 1 else joined(found))


def sample_parts(
    fitted: Fitted, n: int, given: Mapping[Any, Any] | None, draws: int, seed: int, holes: bool = False
) -> Iterator[Any]:
    """Draw the rows of `sample` as the view has them, some at a time, each time with a seed of its own."""
    if given is not None and not isinstance(given, Mapping):
        raise DataError(
            f"given: expected a dict {{column: value}}, got {type(given).__name__}; to draw the rest of each of "
            "several rows use conditional(X, targets, samples=...) or impute(X, samples=...)"
        )
    for i, start in enumerate(range(0, n, MOST_AT_ONCE)):
        own = seed if i == 0 else int(np.random.SeedSequence((seed, i)).generate_state(1)[0])
        found = sampled(fitted, min(MOST_AT_ONCE, n - start), given or {}, draws, own)
        yield fitted.view.emptied(found, given or {}, own) if holes else found


def joined(parts: list[Any]) -> Any:
    """Join parts of drawn rows: frames, or arrays by node."""
    if isinstance(parts[0], pd.DataFrame):
        return pd.concat(parts, ignore_index=True)
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
