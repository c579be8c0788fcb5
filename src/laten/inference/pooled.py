r"""The log-likelihood of rows that are scored in parts, in memory that does not grow with them.

Mean and error over rows are those of all rows. The Monte Carlo error is $\sqrt{\sum_g (n_g\sigma_g)^2}/n$ over groups
of $n_g$ equal rows, which share their draws. Of very many groups those of small hash are kept, a share that is known,
and the sum is divided by it. Effective sample size and Pareto k are medians over parts.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from laten.inference.diagnostics import LogLikelihood

Array = np.ndarray
MOST = 100_000  # groups
EVERY = 2.0**64
NOTHING = np.zeros(0)


class Pooled:
    """What is known of the parts so far."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, LogLikelihood]] = []
        self.alike: Array = np.zeros(0, np.uint64)
        self.counts: Array = NOTHING
        self.errors: Array = NOTHING
        self.bar = EVERY

    def add(self, found: LogLikelihood) -> None:
        """Add a part."""
        rows = len(found.per_row)
        kept = found.alike.astype(np.float64) < self.bar
        alike = np.concatenate([self.alike, found.alike[kept]])
        counts = np.concatenate([self.counts, np.ones(kept.sum())])
        errors = np.concatenate([self.errors, found.errors[kept]])
        self.alike, first, group = np.unique(alike, return_index=True, return_inverse=True)
        self.counts, self.errors = np.bincount(group, counts), errors[first]
        while len(self.alike) > MOST:
            self.bar /= 2
            kept = self.alike.astype(np.float64) < self.bar
            self.alike, self.counts, self.errors = self.alike[kept], self.counts[kept], self.errors[kept]
        self.parts.append((rows, replace(found, per_row=NOTHING, errors=NOTHING, alike=NOTHING)))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(n for n, _ in self.parts)

    def whole(self) -> LogLikelihood:
        """Return the estimate for all rows, without what is known of single ones."""
        total, weights = self.rows, np.array([n for n, _ in self.parts], np.float64)

        def mean(values: Sequence[float]) -> float:
            return float(weights @ np.array(values, np.float64) / total)

        value = mean([p.value for _, p in self.parts])
        squares = [
            (n * (n - 1) * p.rows_error**2 if n > 1 else 0.0) + n * (p.value - value) ** 2 for n, p in self.parts
        ]
        tails = [p.pareto_k for _, p in self.parts if not math.isnan(p.pareto_k)]
        return LogLikelihood(
            value=value,
            standard_error=float(np.sqrt(np.square(self.counts * self.errors).sum() / (self.bar / EVERY)) / total),
            rows_error=math.sqrt(sum(squares) / (total - 1) / total) if total > 1 else math.nan,
            effective_sample_size=float(np.median([p.effective_sample_size for _, p in self.parts])),
            pareto_k=float(np.median(tails)) if tails else math.nan,
            draws=round(mean([p.draws for _, p in self.parts])),
            per_row=NOTHING,
            errors=NOTHING,
            references={n: mean([p.references[n] for _, p in self.parts]) for n in self.parts[0][1].references},
        )
