"""How well each column is told from the others: hidden in each row in turn, and asked for.

Of a column $x_c$ with the rest $x_{-c}$ of a row:

- *gain*: mean of log p(x_c | x_{-c}) less log p(x_c) by its histogram, nats: what the others tell of it;
- *tail*: the same in the outermost hundredth of the rows; below 0 the model is worse there than a histogram;
- *right*: share of classes that are predicted; or, of numbers, the share of variance that predictions explain (R²);
- *inside*: share of rows in the central 90 % interval; *off*: mean distance of class probabilities from frequencies.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from laten.answers import sample_and_predict
from laten.answers.fitted import Fitted
from laten.data.columns.cells import Cells
from laten.data.columns.column import CLASSES, Column
from laten.data.columns.encode import numbers_of
from laten.data.rows.point_answers import intervals
from laten.data.rows.views import TableView

ROWS = 400  # rows that are asked
COLUMNS = 40  # columns that are asked
DRAWS = 128
LEVELS = (0.5, 0.8, 0.9, 0.95)  # coverages of intervals
JUDGED = 0.9
TAIL = 0.01  # of the rows, at either end
FEW_IN_TAIL = 5  # rows below which nothing is said of a tail
BINS = 10


@dataclass(frozen=True)
class ColumnFigures:
    """What is found of a column; NaN where it does not apply.

    Args:
        rows: That have a value there.
        gain: nats a row.
        right: Share of classes that are right, or R² of numbers.
        base: The same of the most frequent class; of numbers 0.
        inside: Coverage -> share of rows inside.
        tail: (lower, upper) nats a row that are gained in the tails, `ends` where they begin.
        log_p: `(rows,)` nats, of each row's own value given its other columns.
    """

    name: str
    kind: str
    rows: int
    gain: float
    right: float
    base: float
    inside: dict[float, float] = field(default_factory=dict)
    tail: tuple[float, float] = (float("nan"), float("nan"))
    ends: tuple[Any, Any] = (None, None)
    log_p: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)


@dataclass(frozen=True)
class ByColumn:
    """All columns, and calibration of all of their probabilities together.

    Args:
        stated, happened, count: `(bins,)` mean stated probability of classes, share of rows in which they came, and how
            many probabilities a bin holds.
        left_out: Columns that were not asked.
    """

    columns: tuple[ColumnFigures, ...]
    stated: np.ndarray
    happened: np.ndarray
    count: np.ndarray
    rows: int
    left_out: int

    @property
    def off(self) -> float:
        """How far stated probabilities are from what happens, on average over them; NaN where there are no classes."""
        return float(np.average(np.abs(self.stated - self.happened), weights=self.count)) if len(self.count) else np.nan

    @property
    def inside(self) -> dict[float, float]:
        """Coverage -> share of cells of all numbers that lie inside."""
        counted = [c for c in self.columns if c.inside]
        return {
            q: float(np.average([c.inside[q] for c in counted], weights=[c.rows for c in counted]))
            for q in (counted[0].inside if counted else ())
        }


def by_column(fitted: Fitted, frame: pd.DataFrame, say: Callable[[str], None] = lambda name: None) -> ByColumn:
    """Ask for each column of some rows, given the others.

    Args:
        frame: Rows; of many, some evenly spread over them are asked.
        say: Told of each column.
    """
    view = fitted.view
    assert isinstance(view, TableView)
    some = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), ROWS)).astype(int))
    frame = frame.iloc[some].reset_index(drop=True)
    modelled = [c for name in view.schema.names for b in view.schema.blocks for c in b.columns if c.name == name]
    alone = alone_of(fitted, view, frame)
    found: list[ColumnFigures] = []
    pairs: list[np.ndarray] = [np.zeros((0, 2))]
    for column in modelled[:COLUMNS]:
        if column.name in frame and frame[column.name].notna().sum() >= FEW_IN_TAIL:
            say(str(column.name))
            figures, stated = one(fitted, view, frame, column, alone.get(column.name))
            found.append(figures)
            pairs.append(stated)
    stated, happened, count = reliability(np.concatenate(pairs))
    return ByColumn(tuple(found), stated, happened, count, len(frame), max(0, len(modelled) - COLUMNS))


def alone_of(fitted: Fitted, view: TableView, frame: pd.DataFrame) -> dict[Any, np.ndarray]:
    """Return log p of each cell by independent columns in the data's scale: column -> `(rows,)` nats."""
    if fitted.references is None:
        return {}
    rows, log_det = view.scored(frame, partial=True)
    found: dict[Any, np.ndarray] = {}
    for node, x in fitted.references.by_site(fitted.model.network, rows).items():
        whole = x + log_det[node].reshape(rows.n, -1) if node in log_det else x
        names = next((b.names for b in view.schema.blocks if b.node == node), ())
        if len(names) == whole.shape[1]:
            found |= {name: whole[:, i] for i, name in enumerate(names)}
    return found


def one(
    fitted: Fitted, view: TableView, frame: pd.DataFrame, column: Column, alone: np.ndarray | None
) -> tuple[ColumnFigures, np.ndarray]:
    """Ask for one column; also return `(n, 2)` stated probabilities of its classes, and whether they came."""
    name, there = column.name, frame[column.name].notna().to_numpy()
    log_p = sample_and_predict.conditional(fitted, frame, name, None, 0, DRAWS, fitted.seed).log_density
    means = sample_and_predict.means_of(fitted, frame, name, DRAWS, None)
    points = view.pointed(means)[name]
    gains = np.full(len(frame), np.nan) if alone is None else log_p - alone
    gain = float(np.mean(gains[there]))
    kept: dict[str, Any] = {"name": str(name), "kind": column.kind, "rows": int(there.sum()), "gain": gain}
    kept["log_p"] = log_p[there]
    if column.kind in CLASSES:
        p = view.probabilities(means, name)
        place = {str(level): i for i, level in enumerate(p.columns)}
        own = np.array([place.get(str(v), -1) for v in frame[name]])
        seen = there & (own >= 0)
        hits = np.array([str(a) == str(b) for a, b in zip(points, frame[name], strict=True)])
        base = float(frame[name][there].astype(str).value_counts(normalize=True).iloc[0])
        stated = p.to_numpy(float)[seen]
        came = own[seen][:, None] == np.arange(p.shape[1])[None]
        pairs = np.stack([stated.ravel(), came.ravel()], axis=1).astype(float)
        return ColumnFigures(right=float(hits[there].mean()), base=base, **kept), pairs
    x, guess = (numbers_of(column, Cells(name, s)) for s in (frame[name], points))
    spread = float(np.var(x[there]))
    right = 1 - float(np.mean((x[there] - guess[there]) ** 2)) / spread if spread > 0 else np.nan
    inside = {}
    if column.binned:
        for q in LEVELS:
            low, high = intervals(view.schema, view.blocks_of(means), q)
            a, b = (numbers_of(column, Cells(name, end[name])) for end in (low, high))
            inside[q] = float(np.mean((x[there] >= a[there] - 1e-9) & (x[there] <= b[there] + 1e-9)))
    tail, ends = tails(x, gains, there, frame[name])
    return ColumnFigures(right=right, base=0.0, inside=inside, tail=tail, ends=ends, **kept), np.zeros((0, 2))


def tails(
    x: np.ndarray, gains: np.ndarray, there: np.ndarray, cells: pd.Series
) -> tuple[tuple[float, float], tuple[Any, Any]]:
    """Return the mean gain in the lowest and highest hundredth of the rows, at least five, and where they begin."""
    rows = np.flatnonzero(there)
    count = max(FEW_IN_TAIL, round(TAIL * len(rows)))
    if len(rows) < 10 * count or np.isnan(gains).any():
        return (np.nan, np.nan), (None, None)
    order = rows[np.argsort(x[rows], kind="stable")]
    low, high = order[:count], order[-count:]
    return (float(gains[low].mean()), float(gains[high].mean())), (cells.iloc[low[-1]], cells.iloc[high[0]])


def reliability(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group `(n, 2)` stated probabilities and outcomes: mean stated, share that came, and number, of bins not empty."""
    place = np.minimum((pairs[:, 0] * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    sums = [np.bincount(place, pairs[:, i], BINS) for i in (0, 1)]
    some = count > 0
    return sums[0][some] / count[some], sums[1][some] / count[some], count[some]
