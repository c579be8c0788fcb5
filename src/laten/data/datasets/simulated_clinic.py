r"""Simulated worlds whose true log p(x) and true conditionals can be asked for.

`Clinic` is a known Bayesian network: three hidden discrete nodes, 48 joint states s,

    age band → disease,   (age band, disease) → severity,   state → each of 15 columns, independent given the state,

so that sums over the 48 states are exact:

$$\log p(x_O) = \log\sum_s p(s)\prod_{c\in O} p(x_c\mid s), \qquad
p(x_c\mid x_O) = \sum_s p(s\mid x_O)\,p(x_c\mid s).$$

Holes: every column but `sex` and `region` loses cells completely at random (MCAR) at its own rate of `HOLES`; `change`
is lost with a probability that depends on `region`, which is always seen (MAR). Both may be ignored by a likelihood.
Log-probabilities are in nats in the data's own scale: counts, classes and dates (whole days) have masses, reals
densities.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.columns.cells import check_frame
from laten.data.datasets.clinic_columns import (
    ClassesGiven,
    Counts,
    Days,
    DiscreteGiven,
    Given,
    NormalsGiven,
    StudentGiven,
)
from laten.data.messages import unknown

HOLES = {
    "age": 0.05, "smoker": 0.15, "ward": 0.10, "drug": 0.20, "pain": 0.15, "mobility": 0.10, "visits": 0.10,
    "nights": 0.15, "crp": 0.20, "cost": 0.10, "temperature": 0.20, "admitted": 0.10,
}  # fmt: skip
CHANGE_HOLES = {"coast": 0.30, "hills": 0.15, "plain": 0.05}  # by region
_FIRST_DAY = 18628  # 2021-01-01
_DAYS = 1095  # three years


def clinic(n: int = 2000, seed: int = 0, holes: bool = True) -> pd.DataFrame:
    """Draw `n` patients of the simulated clinic.

    Args:
        n: Rows.
        seed: The same seed gives the same frame; with and without holes the cells that are seen are equal.
        holes: Empty cells as the module says (12 % of all).
    """
    frame = Clinic().sample(n, seed)
    if holes:
        rng = np.random.default_rng((seed, 1))
        rates = HOLES | {"change": frame["region"].map(CHANGE_HOLES).to_numpy(np.float64)}
        for name, rate in rates.items():
            frame[name] = frame[name].mask(rng.random(n) < rate)
    return frame


@dataclass(frozen=True, eq=False)
class ClinicDensity:
    """The exact distribution of one numeric column in each row, given the row's other observed columns.

    Dates are days since 1970-01-01 here; arguments may also be datetimes.

    Args:
        weights: `(rows, S)` probabilities of the hidden states.
        column: The column given the state.
    """

    weights: np.ndarray
    column: Given

    def _values(self, values: object) -> np.ndarray:
        x = np.asarray(values)
        if x.dtype.kind == "M":
            x = (x - np.datetime64(0, "s")) / np.timedelta64(1, "D")
        return np.broadcast_to(x.astype(np.float64), (len(self.weights),))

    def log_prob(self, values: object) -> np.ndarray:
        """Return `(rows,)` log-probabilities or -densities of one value a row, nats."""
        with np.errstate(divide="ignore"):
            return np.logaddexp.reduce(np.log(self.weights) + self.column.log_prob(self._values(values)), axis=1)

    def cdf(self, values: object) -> np.ndarray:
        """Return `(rows,)` probabilities of at most `values`."""
        return np.sum(self.weights * self.column.cdf(self._values(values)), axis=1)

    @property
    def mean(self) -> np.ndarray:
        """`(rows,)` expected values."""
        return self.weights @ self.column.mean

    def quantile(self, p: float) -> np.ndarray:
        """Return `(rows,)` smallest values whose cdf is at least `p`, 0 < p < 1."""
        if not 0 < p < 1:
            raise DataError(f"a quantile needs a probability between 0 and 1, got {p!r}")
        if isinstance(self.column, DiscreteGiven):
            first, probs = self.column.table
            return first + np.sum(self.weights @ np.cumsum(probs, axis=1) < p - 1e-12, axis=1)
        low, high = np.full(len(self.weights), -1e6), np.full(len(self.weights), 1e6)
        for _ in range(80):
            middle = (low + high) / 2
            below = self.cdf(middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return high


class Clinic:
    """The clinic's network.

    `columns` maps a name to the column given the state; `states` is `(48, 3)`: age band, disease, severity; `prior` is
    `(48,)`, their probabilities.
    """

    def __init__(self) -> None:
        self.states, self.prior = _states()
        self.columns = _columns(*self.states.T)

    def sample(self, n: int, seed: int = 0) -> pd.DataFrame:
        """Draw `n` complete rows."""
        rng = np.random.default_rng((seed, 0))
        states = rng.choice(len(self.prior), size=n, p=self.prior)
        return pd.DataFrame({name: c.present(c.draw(states, rng)) for name, c in self.columns.items()})

    def log_joint(self, frame: pd.DataFrame, without: str | None = None) -> np.ndarray:
        """Return `(rows, 48)` log p(state, observed cells), nats, leaving out column `without`.

        Raises:
            DataError: no frame, or a column that `clinic` lacks.
        """
        check_frame(frame)
        total = np.broadcast_to(np.log(self.prior), (len(frame), len(self.prior))).copy()
        for name in frame.columns:
            if name not in self.columns:
                raise unknown("clinic column", name, self.columns)
            if name != without:
                x = self.columns[name].parse(frame[name])
                seen = ~np.isnan(x)
                total[seen] += self.columns[name].log_prob(x[seen])
        return total

    def log_prob(self, frame: pd.DataFrame) -> np.ndarray:
        """Return `(rows,)` exact log p of each row's observed cells, nats; holes and absent columns are summed out.

        Raises:
            DataError: a column or a level that the clinic does not know.
        """
        return np.logaddexp.reduce(self.log_joint(frame), axis=1)

    def posterior(self, frame: pd.DataFrame, without: str | None = None) -> np.ndarray:
        """Return `(rows, 48)` exact probabilities of the states given the observed cells (except column `without`)."""
        joint = self.log_joint(frame, without)
        return np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))

    def conditional(self, frame: pd.DataFrame, column: str) -> np.ndarray | ClinicDensity:
        """Return the exact p(column | the row's other observed cells).

        Returns:
            For classes `(rows, levels)` probabilities, levels as in `Clinic().columns[column].levels`; for counts,
            numbers and dates a `Conditional`.
        """
        if column not in self.columns:
            raise unknown("clinic column", column, self.columns)
        weights, given = self.posterior(frame, without=column), self.columns[column]
        return weights @ given.probs if isinstance(given, ClassesGiven) else ClinicDensity(weights, given)


def _states() -> tuple[np.ndarray, np.ndarray]:
    """Return the 48 states and their probabilities: p(age) p(disease | age) p(severity | age, disease)."""
    p_age = np.array([0.2, 0.3, 0.3, 0.2])
    p_disease = np.array([[0.35, 0.05, 0.60], [0.40, 0.20, 0.40], [0.35, 0.45, 0.20], [0.30, 0.60, 0.10]])
    states = np.array([(a, d, s) for a in range(4) for d in range(3) for s in range(4)])
    a, d, s = states.T
    p_severity = _ordered(0.7 * (a - 1.5) + np.array([-0.3, 1.2, -0.6])[d], 4)
    return states, p_age[a] * p_disease[a, d] * p_severity[np.arange(len(a)), s]


def _ordered(location: np.ndarray, size: int, sharp: float = 1.0) -> np.ndarray:
    """Return `(S, size)` probabilities of ordered classes: cumulative logits with cuts 1.5 apart around 0."""
    cuts = 1.5 * (np.arange(size - 1) - (size - 2) / 2)
    below = 1 / (1 + np.exp(-sharp * (cuts - location[:, None])))
    edges = np.concatenate([np.zeros((len(location), 1)), below, np.ones((len(location), 1))], axis=1)
    return np.diff(edges, axis=1)


def _soft(scores: np.ndarray) -> np.ndarray:
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _two(p: np.ndarray) -> np.ndarray:
    return np.stack([1 - p, p], axis=1)


def _columns(a: np.ndarray, d: np.ndarray, s: np.ndarray) -> dict[str, Given]:
    """Build columns given age band `a` (4), disease `d` (infection, heart, injury), severity `s` (4), `(48,)` each."""
    one = np.ones((len(a), 1))
    hot = np.array([0.75, 0.05, 0.10])[d] + 0.07 * (s - 1.5) * (d == 0)
    ward = np.array([[0.5, 3.0, 0.0, -1.0, 0.0], [0.0, 0.5, 0.0, 3.0, 0.5], [1.5, 0.0, 3.0, -2.0, 0.0]])[d]
    ward = ward + np.outer(s - 1.5, [-1.5, 0.0, 0.2, 0.3, 1.6])
    drug = np.array([[3.0, 1.5, -1, -1, 0, 1], [-1.0, 0, 3.0, 2.0, -1, 1], [0.0, -1, -1, -1, 3.0, 1]])[d]
    drug = drug + np.outer(s - 1.5, [-0.5, 0.7, -0.5, 0.7, 0.4, -0.8])
    pain = _ordered(1.4 * (s - 1.5) + (d == 2), 4, 1.5)
    mobility = _ordered(3.0 - 1.2 * a - s, 5, 1.5)
    region = np.array([[0.5, 0.3, 0.2], [0.4, 0.3, 0.3], [0.25, 0.35, 0.4], [0.15, 0.35, 0.5]])[a]
    wave = np.exp(-0.5 * ((np.arange(_DAYS) - np.array([250.0, 550.0, 800.0])[:, None]) / 110) ** 2) + 1e-4
    wave /= wave.sum(axis=1, keepdims=True)
    return {
        "age": NormalsGiven(np.array([24.0, 43.0, 61.0, 79.0])[a][:, None], 5.0 * one, one),
        "sex": ClassesGiven(("female", "male"), _two(np.array([0.45, 0.62, 0.7])[d])),
        "smoker": ClassesGiven((False, True), _two(np.array([0.25, 0.65, 0.30])[d] + 0.05 * (s - 1.5)), "bool"),
        "region": ClassesGiven(("coast", "hills", "plain"), region),
        "ward": ClassesGiven(("day", "medical", "surgical", "cardiac", "intensive"), _soft(ward)),
        "drug": ClassesGiven(
            ("antibiotic", "antiviral", "statin", "betablocker", "opioid", "paracetamol"), _soft(drug)
        ),
        "pain": ClassesGiven(("none", "mild", "moderate", "severe"), pain, "ordered"),
        "mobility": ClassesGiven(("bed", "chair", "walker", "stick", "free"), mobility, "ordered"),
        "visits": Counts(np.array([1.0, 4.0, 0.6])[d] * np.array([0.6, 0.9, 1.2, 1.6])[a]),
        "nights": Counts(np.array([0.5, 2.5, 7.0, 18.0])[s], 3.0),
        "crp": NormalsGiven((np.array([2.8, 1.0, 1.6])[d] + 0.6 * s)[:, None], 0.5 * one, one, log=True),
        "cost": NormalsGiven((6.0 + 0.8 * s + np.array([0.0, 0.9, 0.4])[d])[:, None], 0.35 * one, one, log=True),
        "temperature": NormalsGiven(one * [36.8, 39.0], one * [0.3, 0.5], _two(hot)),
        "change": StudentGiven(np.array([3.0, 1.0, -2.0, -6.0])[s], np.array([1.0, 1.0, 1.5, 2.0])[s]),
        "admitted": Days(_FIRST_DAY, wave[d]),
    }  # fmt: skip
