r"""Columns of a simulated world: distributions of one column given each of S hidden states.

For a column $x$ and states $s$, each class gives $\log p(x\mid s)$ as `(rows, S)`, the distribution function, the mean,
and draws, exactly, in NumPy alone. Values are float64 inside: codes of classes, days since 1970-01-01 of dates, NaN =
hidden. A sum over states weighted by p(s | other columns) is the column's true conditional (`simulated_clinic.py`).
"""

import abc
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from laten.data.columns.cells import Cells

_LOG_2PI = math.log(2 * math.pi)
_lgamma = np.frompyfunc(math.lgamma, 1, 1)
_erfc = np.frompyfunc(math.erfc, 1, 1)


def _choose(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one code a row from `(rows, K)` probabilities."""
    return np.minimum((rng.random((len(p), 1)) > np.cumsum(p, axis=1)).sum(axis=1), p.shape[1] - 1)


class Given(abc.ABC):
    """A column given the hidden state. Parameters have the states on their first axis."""

    @abc.abstractmethod
    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Return `(rows, S)` log-probabilities or -densities of `(rows,)` values, nats."""

    @abc.abstractmethod
    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return `(rows, S)` probabilities of at most `(rows,)` values."""

    @property
    @abc.abstractmethod
    def mean(self) -> np.ndarray:
        """`(S,)` expected values."""

    @abc.abstractmethod
    def draw(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one value for each of `(rows,)` states."""

    def parse(self, series: pd.Series) -> np.ndarray:
        """Turn cells into `(rows,)` float64, NaN where hidden."""
        return Cells(series.name, series).numbers

    def present(self, x: np.ndarray) -> object:
        """Turn values into what stands in a frame."""
        return x


class DiscreteGiven(Given):
    """Whole numbers from a first one on, given by a table of probabilities."""

    @property
    @abc.abstractmethod
    def table(self) -> tuple[float, np.ndarray]:
        """The first value, and `(S, K)` probabilities of it and the whole numbers after it."""

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        first, probs = self.table
        at = x - first
        inside = (at >= 0) & (at < probs.shape[1]) & (at == np.floor(at))
        return np.where(inside[:, None], np.log(probs.T[np.where(inside, at, 0).astype(int)]), -np.inf)

    def cdf(self, x: np.ndarray) -> np.ndarray:
        first, probs = self.table
        at = np.floor(x - first).astype(int)
        total = np.cumsum(probs, axis=1).T[np.clip(at, 0, probs.shape[1] - 1)]
        return np.where(at[:, None] < 0, 0.0, total)

    @property
    def mean(self) -> np.ndarray:
        first, probs = self.table
        return first + probs @ np.arange(probs.shape[1])

    def draw(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        first, probs = self.table
        return first + _choose(probs[states], rng)


@dataclass(frozen=True, eq=False)
class ClassesGiven(DiscreteGiven):
    """Named levels with `(S, K)` probabilities. `form`: text, bool, or ordered."""

    levels: tuple
    probs: np.ndarray
    form: str = "text"

    def parse(self, series: pd.Series) -> np.ndarray:
        at = Cells(series.name, series).codes(self.levels)
        return np.where(at < 0, np.nan, at)

    def present(self, x: np.ndarray) -> object:
        codes = x.astype(int)
        if self.form == "ordered":
            return pd.Categorical.from_codes(codes, list(self.levels), ordered=True)
        return pd.array(codes == 1, dtype="boolean") if self.form == "bool" else np.array(self.levels)[codes]

    @property
    def table(self) -> tuple[float, np.ndarray]:
        return 0.0, self.probs


@dataclass(frozen=True, eq=False)
class Counts(DiscreteGiven):
    """Negative binomial of `(S,)` rate and one `size` (variance rate + rate²/size); Poisson when size is None."""

    rate: np.ndarray
    size: float | None = None

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        k, rate, r = x[:, None], self.rate[None, :], self.size
        if r is None:
            return k * np.log(rate) - rate - _lgamma(k + 1).astype(float)
        log_choose = (_lgamma(k + r) - _lgamma(k + 1)).astype(float) - math.lgamma(r)
        return log_choose + r * np.log(r / (r + rate)) + k * np.log(rate / (r + rate))

    @property
    def mean(self) -> np.ndarray:
        return self.rate

    def draw(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        rate = self.rate[states]
        if self.size is not None:
            rate = rng.gamma(self.size, rate / self.size)
        return rng.poisson(rate).astype(float)

    def present(self, x: np.ndarray) -> object:
        return pd.array(x.astype(np.int64), dtype="Int64")

    @property
    def table(self) -> tuple[float, np.ndarray]:
        return 0.0, np.exp(self.log_prob(np.arange(1000.0))).T


@dataclass(frozen=True, eq=False)
class Days(DiscreteGiven):
    """Whole days from `first` (days since 1970-01-01) with `(S, K)` probabilities."""

    first: int
    probs: np.ndarray

    def parse(self, series: pd.Series) -> np.ndarray:
        cells = Cells(series.name, series)
        return cells.days(cells.style or "%Y-%m-%d", whole=True)

    def present(self, x: np.ndarray) -> object:
        return x.astype("datetime64[D]").astype("datetime64[us]")

    @property
    def table(self) -> tuple[float, np.ndarray]:
        return float(self.first), self.probs


@dataclass(frozen=True, eq=False)
class NormalsGiven(Given):
    """A mixture of normals: `loc`, `scale`, `weight` of `(S, C)`. With `log`, of the logarithm: a log-normal."""

    loc: np.ndarray
    scale: np.ndarray
    weight: np.ndarray
    log: bool = False

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        y, jacobian = (np.log(x), np.log(x)) if self.log else (x, 0.0 * x)
        z = (y[:, None, None] - self.loc) / self.scale
        parts = np.log(self.weight) - 0.5 * z**2 - np.log(self.scale) - 0.5 * _LOG_2PI
        return np.logaddexp.reduce(parts, axis=2) - jacobian[:, None]

    def cdf(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            y = np.log(np.maximum(x, 0)) if self.log else x
        z = (y[:, None, None] - self.loc) / self.scale
        return np.sum(self.weight * 0.5 * np.asarray(_erfc(-z / math.sqrt(2)), np.float64), axis=2)

    @property
    def mean(self) -> np.ndarray:
        return np.sum(self.weight * (np.exp(self.loc + self.scale**2 / 2) if self.log else self.loc), axis=1)

    def draw(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        part = _choose(self.weight[states], rng)
        y = self.loc[states, part] + self.scale[states, part] * rng.standard_normal(len(states))
        return np.exp(y) if self.log else y


@dataclass(frozen=True, eq=False)
class StudentGiven(Given):
    """Student's t with 4 degrees of freedom, `loc` and `scale` of `(S,)`."""

    loc: np.ndarray
    scale: np.ndarray

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        z = (x[:, None] - self.loc) / self.scale
        return math.log(3 / 8) - np.log(self.scale) - 2.5 * np.log1p(z**2 / 4)

    def cdf(self, x: np.ndarray) -> np.ndarray:
        z = (x[:, None] - self.loc) / self.scale
        u = z / np.sqrt(1 + z**2 / 4)
        return 0.5 + 3 / 8 * u * (1 - u**2 / 12)

    @property
    def mean(self) -> np.ndarray:
        return self.loc

    def draw(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.loc[states] + self.scale[states] * rng.standard_t(4, len(states))
