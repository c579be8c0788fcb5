"""The least probable rows of a table or of arrays, and which columns make them so.

A column's share of a row's surprise (`surprise`) is large for every row where the column has many values. What is odd
about a row is its *excess*: the share less the median share of the column over the rows that are asked.
"""

from typing import Any

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.sample_and_predict import table_of
from laten.answers.scores import judged, surprise
from laten.data.rows.views import TableView
from laten.inference.until_precise import FIRST

REASONS = 3  # columns named for a row
USUAL = 500  # rows, at most, that say what a column usually costs
LEAST = 0.5  # nats of excess that are worth a word


def outliers(
    fitted: Fitted, data: Any, top: int | None, by_column: bool, draws: int | None, error: float, usual: Any = None
) -> Any:
    """Return the `top` least probable rows, the oddest first; `usual` `(rows,)` orders them in place of log p.

    Returns:
        A frame of their places (`row`), `log_p`, its `error`, and for tables `why`: the columns whose cells cost most
        beyond what is usual, with the nats. With `by_column` the excess of each column in place of words.
    """
    found = judged(fitted, data, draws, error, warn=False)
    order = np.argsort(found.per_row if usual is None else np.asarray(usual), kind="stable")[:top]
    out = pd.DataFrame({"row": order, "log_p": found.per_row[order], "error": found.errors[order]})
    if usual is not None:
        out.insert(1, "score", np.asarray(usual)[order])
    if not isinstance(fitted.view, TableView):
        return out
    frame = fitted.view.opened(data)
    some = usual_rows(len(frame))
    return explained(fitted, out, frame.iloc[order], frame.iloc[some], by_column, draws)


def usual_rows(rows: int) -> np.ndarray:
    """Return numbers of the rows that say what a column usually costs."""
    return np.linspace(0, rows - 1, min(rows, USUAL)).astype(int)


def explained(
    fitted: Fitted, out: pd.DataFrame, cells: pd.DataFrame, some: pd.DataFrame, by_column: bool, draws: int | None
) -> pd.DataFrame:
    """Add to a frame of odd rows why they are.

    Args:
        out: A line for each.
        cells: The rows themselves.
        some: Rows that say what is usual.
    """
    shares = surprise(fitted, pd.concat([cells, some]), draws or FIRST).reset_index(drop=True)
    excess = (shares - shares.iloc[len(out) :].median()).iloc[: len(out)]
    names = [str(n) for n in table_of(fitted, "outliers").schema.names if str(n) in excess.columns]
    if by_column:
        return pd.concat([out, excess[names]], axis=1)
    by_text = {str(c): c for c in cells.columns}
    rows = ({n: cells[by_text[n]].iloc[i] for n in names} for i in range(len(out)))
    out["why"] = [reasons(excess[names].iloc[i], row) for i, row in enumerate(rows)]
    return out


def reasons(excess: pd.Series, cells: dict[str, Any]) -> str:
    """Name the columns that cost most, with their cells and nats: `age = 17 (+6.2), job = judge (+4.1)`."""
    most = excess.sort_values(ascending=False).head(REASONS)
    parts = [f"{name} = {cell_text(cells[name])} (+{x:.1f})" for name, x in most.items() if x >= LEAST]
    return ", ".join(parts) or "no single column: how they go together"


def cell_text(cell: Any) -> str:
    """Write a cell to be read: numbers to six digits, days without a time."""
    if isinstance(cell, float | np.floating):
        return f"{cell:.6g}"
    return str(cell.date() if isinstance(cell, pd.Timestamp) and cell == cell.normalize() else cell)
