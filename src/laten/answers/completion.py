r"""The most probable completion of what is known: of all rows that agree with the evidence, one of large p(row).

$\arg\max_x p(x)$ of a model with latents has no closed form, so the best of many candidates is taken: rows drawn given
the evidence, and what the model makes of each of these rows, twice in a row (at a row's own latents, the mode of each
column). Each is scored by importance sampling, as any row is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.sample_and_predict import sampled, table_of
from laten.answers.scores import log_likelihood
from laten.common import notebook
from laten.inference.questions import Embedding

POLISHED = 2  # times that the model's own idea of a row is taken in its place


@dataclass(frozen=True)
class Completion:
    """A row that agrees with what is known, the most probable that was found.

    Args:
        row: It, as a table of one row.
        log_p: log p(row), nats; of numbers a density, in the units of the columns.
        error: Its standard error, from the draws.
        candidates: How many rows were compared.
    """

    row: Any = field(repr=False)
    log_p: float
    error: float
    candidates: int

    def _repr_html_(self) -> str:
        return notebook.sentences(str(self))

    def __str__(self) -> str:
        cells = "\n".join(f"{name}: {value}" for name, value in self.row.iloc[0].items())
        said = f"The most probable of {self.candidates} rows: log p = {self.log_p:.2f} ± {self.error:.2f} nats."
        return f"{cells}\n{said}"


def most_probable(fitted: Fitted, given: Mapping[Any, Any], candidates: int, draws: int, seed: int) -> Completion:
    """Return the most probable of some rows that agree with the evidence."""
    view = table_of(fitted, "most_probable")
    rounds = [sampled(fitted, candidates, given, draws, seed)]
    known = [name for name in given if name in rounds[0]]
    for _ in range(POLISHED):
        _, values = fitted.ask(Embedding(fitted.means), fitted.rows(rounds[-1]))
        again = view.pointed(values, like=rounds[-1], statistic="mode")
        again = again[rounds[0].columns].astype(rounds[0].dtypes.to_dict())
        again[known] = rounds[0][known]
        rounds.append(again)
    rows = pd.concat(rounds, ignore_index=True)
    found = log_likelihood(fitted, rows, draws, warn=False)
    log_p = found.per_row.copy()
    for bad in view.torn(rows).values():  # what breaks a rule of the table is no row of it
        log_p[bad] = -np.inf
    best = int(np.argmax(log_p - found.errors))  # of many estimates the largest is one that came out too large
    row = rows.iloc[[best]].reset_index(drop=True)
    return Completion(view.returned(row), float(log_p[best]), float(found.errors[best]), len(rows))
