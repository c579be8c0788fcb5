r"""Which of two models explains the same rows better: the mean of $d_i = \log p_A(x_i) - \log p_B(x_i)$.

Rows that are hard for one model are hard for the other too, so the standard error of the mean difference is far smaller
than that of either mean: $\mathrm{sd}(d)/\sqrt n$, in which the Monte Carlo errors of both scores are contained.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.scores import judged
from laten.common import notebook
from laten.common.errors import DataError, LatenError, known
from laten.data.columns.column import CLASSES
from laten.data.rows.views import ArrayView, TableView, View
from laten.inference.diagnostics import figure, gain

ENOUGH = 1.96  # standard errors of a difference that is no chance


@dataclass(frozen=True)
class Comparison:
    """How much better a model explains rows than another.

    Args:
        difference: Mean of log p(row) under the first less that under the second, nats.
        standard_error: Of `difference`, for all rows like these.
        wins: Share of rows to which the first gives more.
        frame: A row each: `log_p_a`, `log_p_b`, `difference`.
        names: Of the two models.
    """

    difference: float
    standard_error: float
    wins: float
    frame: pd.DataFrame = field(repr=False)
    names: tuple[str, str] = ("the first model", "the second")

    @property
    def better(self) -> str | None:
        """The name of the model that is better by more than chance; None where these rows cannot tell."""
        if not abs(self.difference) > ENOUGH * self.standard_error:
            return None
        return self.names[0] if self.difference > 0 else self.names[1]

    @property
    def log_p(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Mean log p(row) under each model with its standard error, nats."""
        found = self.frame[["log_p_a", "log_p_b"]]
        error = found.std(ddof=1) / math.sqrt(len(found))
        first, second = ((float(found[name].mean()), float(error[name])) for name in found)
        return first, second

    def _repr_html_(self) -> str:
        return notebook.sentences(str(self))

    def __str__(self) -> str:
        rows, error = len(self.frame), figure(self.standard_error)
        if self.better is None:
            bits = f"{self.difference / math.log(2):+.2f} bits"
            return (
                f"These {rows} rows show no clear difference: log p under {self.names[0]} minus log p under "
                f"{self.names[1]} is {self.difference:+.2f} ± {error} nats ({bits}) a row."
            )
        other = self.names[1] if self.better == self.names[0] else self.names[0]
        share = self.wins if self.better == self.names[0] else 1 - self.wins
        return (
            f"{self.better} explains these {rows} rows better: {gain(abs(self.difference))} {other} a row "
            f"(± {error} nats); it gives a higher log p to {share:.0%} of them."
        )


def compare(
    one: Fitted, other: Fitted, data: Any, draws: int | None, error: float, names: tuple[str, str]
) -> Comparison:
    """Compare two models on the same rows.

    Raises:
        LatenError: models of different columns, or of columns of different kinds; fewer than two rows.
    """
    refuse_unlike(one.view, other.view, names)
    a, b = (judged(fitted, data, draws, error).per_row for fitted in (one, other))
    if len(a) < 2:
        raise LatenError(f"compare needs at least 2 rows, not {len(a)}")
    difference, standard_error = paired(a, b)
    d = a - b
    frame = pd.DataFrame({"log_p_a": a, "log_p_b": b, "difference": d})
    if isinstance(data, pd.DataFrame):
        frame.index = data.index
    return Comparison(difference, standard_error, float((d > 0).mean()), frame, names)


def paired(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the mean of a less b over the same rows, `(rows,)` each, and its standard error."""
    d = a - b
    return float(d.mean()), float(d.std(ddof=1) / math.sqrt(len(d))) if len(d) > 1 else math.nan


def refuse_unlike(one: View, other: View, names: tuple[str, str]) -> None:
    """Refuse models whose log p are not of the same cells, or not in the same units."""
    a, b = modelled(one), modelled(other)
    if set(a) != set(b):
        lacks = [f"{name} lacks {known(sorted(map(str, more)))}" for name, more in
                 ((names[1], set(a) - set(b)), (names[0], set(b) - set(a))) if more]  # fmt: skip
        raise DataError(
            f"the models have different columns: {'; '.join(lacks)}. With fewer columns log p is higher for that "
            "reason alone; fit both models to the same columns"
        )
    unlike = [name for name in a if a[name] != b[name]]
    if unlike:
        name = unlike[0]
        raise DataError(
            f"column {str(name)!r} is {a[name]} for {names[0]} and {b[name]} for {names[1]}: their log p have "
            "different units; fit both with the same kind"
        )


def modelled(view: View) -> dict[Any, str]:
    """Return what each modelled column (or node) is: classes or numbers."""
    if isinstance(view, ArrayView):
        return {node: f"{np.shape(np.zeros(view.specs[node].shape))} {view.specs[node].what}" for node in view.nodes}
    assert isinstance(view, TableView)
    return {c.name: "of classes" if c.kind in CLASSES else "of numbers" for b in view.schema.blocks for c in b.columns}
