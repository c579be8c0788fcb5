"""An audit on its way: how it is to be done, what it asks, and what it has found so far."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.answers.audit import annealing, harmonic
from laten.answers.audit.result import BOUNDS, Figure
from laten.answers.fitted import Fitted
from laten.common.errors import LatenError, LatenWarning, known, whole
from laten.data.rows.rows import Rows
from laten.inference.asking import Keys

LEAST_ACCEPTED = 0.3


class Options(NamedTuple):
    """The options of an audit; see `Answers.audit`."""

    only: tuple[str, ...] = ()
    rows: int = 100
    draws: int = 5000
    bridges: annealing.AnnealingPlan = annealing.AnnealingPlan()
    chains: harmonic.HarmonicPlan = harmonic.HarmonicPlan()
    ranked: int = 1000
    own_steps: int = 300
    seed: int = 0


def options(
    only: Sequence[str], rows: int, draws: int, bridges: int, chains: int, start: str, sampler: str, seed: int
) -> Options:
    """Return the options, checked."""
    if start not in annealing.STARTS:
        raise LatenError(f"audit: annealing starts at one of {known(annealing.STARTS)}, not {start!r}")
    if sampler not in harmonic.SAMPLERS:
        raise LatenError(f"audit: the sampler is one of {known(harmonic.SAMPLERS)}, not {sampler!r}")
    return Options(
        only=(only,) if isinstance(only, str) else tuple(only),
        rows=whole("rows", rows),
        draws=whole("draws", draws),
        bridges=annealing.AnnealingPlan(start, whole("bridges", bridges), whole("chains", chains)),
        chains=harmonic.HarmonicPlan(sampler=sampler),
        seed=seed,
    )


@dataclass
class Study:
    """An audit on its way: what is asked of what, and what has been found."""

    fitted: Fitted
    rows: Rows
    shift: np.ndarray  # (rows,) nats from the model's scale to the data's own
    options: Options
    say: Callable[[str], None]
    figures: list[Figure] = field(default_factory=list)
    by_row: dict[str, np.ndarray] = field(default_factory=dict)
    terms: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))
    units: pd.DataFrame = field(default_factory=pd.DataFrame)
    simulated: pd.DataFrame = field(default_factory=pd.DataFrame)
    ranks: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), int))
    elbo: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def add(self, group: str, name: str, value: float, kind: str, meaning: str, error: float = np.nan) -> None:
        """Keep a figure."""
        self.figures.append(Figure(group, name, float(value), float(error), kind, meaning))

    def log_p(self, name: str, per_row: np.ndarray, errors: np.ndarray, kind: str, meaning: str) -> None:
        """Keep an estimate of log p of each row, in the data's own scale, from one in the model's."""
        self.by_row[name] = per_row.astype(np.float64) + self.shift
        error = np.sqrt(np.square(errors).sum()) / len(errors)
        self.add(BOUNDS, name, self.by_row[name].mean(), kind, meaning, error)

    def ask(self, question: Any) -> Any:
        """Ask the rows."""
        return self.fitted.ask(question, self.rows, Keys(self.options.seed))

    def ask_by_position(self, question: Any) -> Any:
        """Ask the rows, equal ones with different draws."""
        return self.fitted.ask(question, self.rows, Keys(self.options.seed, np.arange(self.rows.n)))

    def ask_simulated(self, question: Any, rows: int) -> Any:
        """Ask about rows that the model makes, which hide what the rows of the data hide, over and over."""
        index = np.arange(rows) % self.rows.n
        return self.fitted.ask(question, self.rows.take(index), Keys(self.options.seed, np.arange(rows)))


def spread(x: np.ndarray) -> np.ndarray:
    """Return `(rows,)` standard errors of the means of `(rows, n)`; NaN when n is 1."""
    n = x.shape[1]
    return x.std(axis=1, ddof=1) / np.sqrt(n) if n > 1 else np.full(len(x), np.nan)


def check_acceptance(name: str, found: np.ndarray, remedy: str) -> None:
    """Warn where HMC hardly moved."""
    share = float(np.mean(found))
    if share < LEAST_ACCEPTED:
        warnings.warn(
            f"audit: in {name!r} HMC accepted only {share:.0%} of its moves: do not trust its figures; {remedy}",
            LatenWarning,
            stacklevel=5,
        )


def check_chains(name: str, r_hat: np.ndarray) -> None:
    """Warn where chains of one row are in different places."""
    share = float(np.mean(r_hat > harmonic.DISAGREE))
    if share > 0.05:
        warnings.warn(
            f"audit: in {name!r} the chains of {share:.0%} of the rows stay in different places (R-hat above "
            f"{harmonic.DISAGREE}): log p of these rows is too low by an unknown amount; trust 'quadrature' or 'ais'",
            LatenWarning,
            stacklevel=5,
        )
