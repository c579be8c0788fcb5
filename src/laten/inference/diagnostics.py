r"""How far an importance-sampling estimate can be trusted.

With weights $w_1..w_S$ of one row, normalised $\bar w$:

- **effective sample size** $1/\sum\bar w^2$ (Kong 1992);
- **standard error** of $\log\frac1S\sum w$, by the delta method: $\sqrt{(S/\mathrm{ESS}-1)/S}$;
- **Pareto k**: shape of a generalised Pareto distribution fitted to the largest $M = \min(S/5, 3\sqrt S)$ weights
  (Vehtari et al. 2024, "Pareto smoothed importance sampling"), by the estimator of Zhang & Stephens (2009). Above 0.7
  the estimate is unreliable, and S draws are too few.

NumPy on the host, vectorised over rows. Log-weights of a few rows at a time are summarised as a `Digest`, so that
memory does not grow with rows x draws.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from laten.common import notebook
from laten.common.errors import LatenWarning

ACTIVE = 0.01  # variance over rows of a posterior mean above which a unit is active (Burda et al. 2016)
UNRELIABLE = 0.7
FEWEST_TAIL = 5
IN_CACHE = 128  # rows whose tails are fitted at once


def effective_sample_size(log_w: np.ndarray) -> np.ndarray:
    """Return the effective sample size `(rows,)`: between 1 and the number of draws."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return 1 / np.square(w / w.sum(axis=1, keepdims=True)).sum(axis=1)


def monte_carlo_error(log_w: np.ndarray) -> np.ndarray:
    """Return standard errors `(rows,)` of the log-mean-exp of each row, in nats."""
    return log_mean_error(effective_sample_size(log_w), log_w.shape[1])


def log_mean_error(effective: np.ndarray, draws: int | np.ndarray) -> np.ndarray:
    """Return the same from effective sample sizes."""
    return np.sqrt(np.maximum(draws / effective - 1, 0) / draws)


def pareto_k(log_w: np.ndarray) -> np.ndarray:
    """Return the tail shapes k `(rows,)`.

    NaN where there are too few draws (fewer than 25) to say, minus infinity where all weights are equal.
    """
    rows, draws = log_w.shape
    tail = int(min(draws // 5, math.ceil(3 * math.sqrt(draws))))
    if tail < FEWEST_TAIL:
        return np.full(rows, np.nan)
    top = np.sort(log_w.astype(np.float64), axis=1)[:, -tail - 1 :]
    scaled = np.exp(top - top[:, -1:])
    excess = scaled[:, 1:] - scaled[:, :1]  # ascending, over the cut-off
    flat = excess[:, -1] <= 1e-6  # float32 log-weights that differ by rounding only
    k = np.full(rows, -np.inf)
    if not flat.all():
        uneven = np.maximum(excess[~flat], 1e-30)
        blocks = (uneven[i : i + IN_CACHE] for i in range(0, len(uneven), IN_CACHE))
        k[~flat] = np.concatenate([generalised_pareto_k(block) for block in blocks])
    return k


def generalised_pareto_k(x: np.ndarray) -> np.ndarray:
    """Fit the shape of a generalised Pareto distribution (Zhang & Stephens 2009), with the weak prior of Vehtari et al.

    Args:
        x: Ascending excesses `(rows, n)`.
    Returns:
        Array `(rows,)`.
    """
    n = x.shape[1]
    grid = 30 + int(math.sqrt(n))
    quartile = x[:, int(n / 4 + 0.5) - 1]
    j = np.arange(1, grid + 1) - 0.5
    b = 1 / x[:, -1:] + (1 - np.sqrt(grid / j))[None] / (3 * quartile[:, None])  # (rows, grid)
    k = np.log1p(-b[:, :, None] * x[:, None, :]).mean(axis=2)
    profile = n * (np.log(-b / k) - k - 1)
    with np.errstate(over="ignore"):
        weight = 1 / np.exp(profile[:, None, :] - profile[:, :, None]).sum(axis=2)
    best = (weight * b).sum(axis=1) / weight.sum(axis=1)
    shape = np.log1p(-best[:, None] * x).mean(axis=1)
    return (n * shape + 5) / (n + 10)


class Digest(NamedTuple):
    """What is kept of each row's log-weights `(rows, draws)`."""

    log_mean: np.ndarray  # (rows,) log of the mean weight, nats
    effective: np.ndarray  # (rows,) effective sample size
    tail: np.ndarray  # (rows,) Pareto k
    mark: np.ndarray  # (rows, 3) the first log-weights: equal rows have equal ones


def log_mean_weight(log_w: np.ndarray) -> np.ndarray:
    """Return the logarithm of each row's mean weight `(rows,)`: the estimate of log p, nats."""
    log_w = log_w.astype(np.float64)
    top = log_w.max(axis=1)
    return top + np.log(np.exp(log_w - top[:, None]).mean(axis=1))


def digest(log_w: np.ndarray) -> Digest:
    """Summarise log-weights row by row, to save memory."""
    log_w = log_w.astype(np.float64)
    # a copy: a view would keep all log-weights alive
    return Digest(log_mean_weight(log_w), effective_sample_size(log_w), pareto_k(log_w), log_w[:, :3].copy())


def hashed(mark: np.ndarray) -> np.ndarray:
    """Return a number for each row of marks, `(rows,)` uint64: equal rows have equal ones."""
    bits, total = np.ascontiguousarray(mark, np.float64).view(np.uint64), np.zeros(len(mark), np.uint64)
    for column in bits.T:
        total = (total ^ column) * np.uint64(0x9E3779B97F4A7C15)
        total ^= total >> np.uint64(29)
    return total


@dataclass(frozen=True)
class LogLikelihood:
    """An estimate of log p of rows, and how far to trust it.

    Args:
        value: Mean log p(row), in nats a row.
        standard_error: Monte Carlo error of `value` as an estimate for these very rows: more draws make it smaller.
        rows_error: Error of `value` as an estimate for all rows like these (standard deviation over rows / sqrt(rows)):
            more rows make it smaller.
        effective_sample_size: Median over rows.
        pareto_k: Share-of-tail shape, 95th percentile over rows; above 0.7 draws are too few.
        draws: Draws a row, on average.
        per_row: `(rows,)` nats.
        errors: `(rows,)` Monte Carlo error of each row's log p.
        references: Name -> mean log p of the same rows by simpler models; empty where none were computed.
        alike: `(rows,)` uint64, the same for rows that share their draws.
    """

    value: float
    standard_error: float
    rows_error: float
    effective_sample_size: float
    pareto_k: float
    draws: int
    per_row: np.ndarray = field(repr=False)
    errors: np.ndarray = field(repr=False)
    references: Mapping[str, float] = field(default_factory=dict, repr=False)
    alike: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64), repr=False)

    @staticmethod
    def of(found: Digest, draws: int | np.ndarray, shift: np.ndarray, warn: bool = True) -> "LogLikelihood":
        """Build from what is known of each row, and what to add to its log p (codecs' log-determinants)."""
        per_row, k = found.log_mean + shift, found.tail
        used = round(float(np.mean(draws)))
        rows = len(per_row)
        bad = float((k > UNRELIABLE).mean())
        if warn and bad > 0.05:
            warnings.warn(
                f"log-likelihood: Pareto k is above {UNRELIABLE} in {bad:.0%} of the rows, so their log p is too low "
                f"by an unknown amount; use more than {used} draws, or train longer or with lt.Iwae",
                LatenWarning,
                stacklevel=4,
            )
        # equal rows share their draws, and so their error
        _, first, counts = np.unique(found.mark, axis=0, return_index=True, return_counts=True)
        errors = log_mean_error(found.effective, draws)
        known_k = k[~np.isnan(k)]
        return LogLikelihood(
            value=float(per_row.mean()),
            standard_error=float(np.sqrt(np.square(counts * errors[first]).sum()) / rows),
            rows_error=float(per_row.std(ddof=1) / math.sqrt(rows)) if rows > 1 else math.nan,
            effective_sample_size=float(np.median(found.effective)),
            pareto_k=float(np.quantile(known_k, 0.95, method="higher")) if len(known_k) else math.nan,
            draws=used,
            per_row=per_row,
            errors=errors,
            alike=hashed(found.mark),
        )

    def _repr_html_(self) -> str:
        first, *more = str(self).split("; ")
        return notebook.sentences("\n".join([f"{first}.", "; ".join(more) + "."]))

    def __str__(self) -> str:
        whole = math.hypot(self.standard_error, 0.0 if math.isnan(self.rows_error) else self.rows_error)
        over = "" if math.isnan(self.rows_error) else f"± {figure(self.rows_error)} over rows, "
        more = [f"{gain(self.value - x)} {name}" for name, x in self.references.items()]
        return "; ".join(
            [
                f"log p = {self.value:.{digits(whole)}f} nats a row ({over}"
                f"± {figure(self.standard_error)} from {self.draws} draws)",
                *more,
                f"effective sample size {self.effective_sample_size:.0f}, Pareto k {self.pareto_k:.2f}",
            ]
        )


def digits(error: float) -> int:
    """Return how many decimals a number with this standard error is worth: 13.42 ± 0.03, 13.421 ± 0.012; at most 6."""
    if not error > 0 or not math.isfinite(error):
        return 3
    place = math.floor(math.log10(error))
    return min(max((error / 10**place < 2.95) - place, 0), 6)


def figure(error: float) -> str:
    """Write a standard error by its own digits."""
    return f"{error:.{digits(error)}f}"


def gain(nats: float) -> str:
    """Say how far a log p is above or below another, in nats and in bits."""
    return f"{abs(nats):.2f} nats ({abs(nats) / math.log(2):.2f} bits) {'above' if nats >= 0 else 'below'}"
