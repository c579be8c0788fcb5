"""Fill the holes of data: by one value, by several completed copies (multiple imputation), or by intervals."""

from typing import Any

import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.sample_and_predict import LEAST_DRAWS, copies_of, table_of
from laten.common.errors import LatenError
from laten.data.rows.point_answers import intervals
from laten.inference.questions import Completions


def impute(fitted: Fitted, data: Any, draws: int, statistic: str) -> Any:
    """Fill each hidden cell of the data with a point."""
    view, came = fitted.view, fitted.view.taken(data)
    values = fitted.hidden(draws, view.rows(came.data, partial=True))
    return came.rows(view.filled(came.data, view.pointed(values, like=came.data, statistic=statistic)))


def multiply_impute(fitted: Fitted, data: Any, copies: int, draws: int, seed: int) -> list[Any]:
    """Fill the hidden cells of the data `copies` times by draws from p(hidden | observed)."""
    view, came = fitted.view, fitted.view.taken(data)
    question = Completions(max(draws, LEAST_DRAWS * copies), copies)
    made, _ = copies_of(fitted, question, view.rows(came.data, partial=True), seed, like=came.data)
    return [came.rows(view.filled(came.data, one, (seed, i))) for i, one in enumerate(made)]


def impute_interval(fitted: Fitted, data: Any, coverage: float, draws: int) -> tuple[Any, Any]:
    """Fill the hidden cells of the data by the ends of their central intervals."""
    view = table_of(fitted, "impute_interval")
    if not 0 < coverage < 1:
        raise LatenError(f"coverage is the probability inside the interval, between 0 and 1, not {coverage!r}")
    came = view.taken(data)
    frame: pd.DataFrame = came.data
    values = fitted.hidden(draws, view.rows(frame, partial=True))
    low, high = view.between(frame, *intervals(view.schema, view.blocks_of(values), coverage, like=frame))
    return came.rows(low), came.rows(high)
