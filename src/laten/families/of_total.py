r"""Counts of a mean that a net says, or of a share that it says of the row's total.

With `total`, the net says what share of the row each site has, and the row how much there is to share out:

$$\log\mu_s = \log T + a_s - \log\sum_t e^{a_t},\qquad \sum_s \mu_s = T .$$

The last raw parameter is then $\log T$, the one feature of the node that gives the total: it passes by the net, and
nothing learned is added to it (`Family.beside`).
"""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError
from laten.common.numerics import bound, unbound
from laten.common.sparse_rows import SparseRows
from laten.common.types import Array
from laten.families.base import Support
from laten.families.sized import Sized

LOG_RATE_LIMIT = 20.0
SHARE_LIMIT = 15.0  # of the logits of shares


@dataclass(frozen=True, repr=False)
class OfTotal(Sized):
    """Counts of a mean that a net says, or of a share that it says of the row's total.

    Args:
        size: Number of sites, or their shape.
        total: Name of the parent that gives the row's total; None: the net says the means.
    """

    total: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.total is not None and not isinstance(self.total, str):
            raise DeclarationError(
                f"{type(self).__name__}: total is the name of the node that gives a row's total, not {self.total!r}"
            )

    @property
    def support(self) -> Support:
        return Support("counts")

    @property
    def beside(self) -> str | None:
        return self.total

    @property
    def fits_sparse(self) -> bool:
        return True

    def log_means(self, first: Array, last: Array) -> Array:
        """Return log-means, of `shape`, from the first raw numbers (one a site) and those past all others."""
        first = first.reshape(self.shape)
        return bound(first, LOG_RATE_LIMIT) if self.total is None else log_share_of(first, last[0])

    def shares(self, raw: Array) -> Array:
        if self.total is None:
            return super().shares(raw)
        return jax.nn.softmax(bound(jnp.split(raw, [self.n_sites])[0], SHARE_LIMIT)).reshape(self.shape)

    def raw_of(self, mean: np.ndarray, count: np.ndarray, *rest: np.ndarray) -> np.ndarray:
        """Return raw parameters `(n_raw,)` of these means, the rest behind them, and the log of the total last."""
        if self.total is None:
            return np.concatenate([raw_rate(mean, count), *rest]).astype(np.float32)
        logits, log_total = raw_shares(mean, count)
        return np.concatenate([logits, *rest, log_total]).astype(np.float32)

    def features(self, value: Array) -> Array:
        return jnp.log1p(jnp.ravel(value))


def raw_rate(mean: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the raw number of the rate `mean`, with half a count added so that it is never zero; 0 without data."""
    rate = np.where(count > 0, (count * mean + 0.5) / np.maximum(count, 1), 1.0)
    return unbound(np.log(np.maximum(rate, 1e-8)), LOG_RATE_LIMIT)


def log_share_of(logits: Array, log_total: Array) -> Array:
    """Return the logs of what each site is expected to have of a total, of the shape of `logits`."""
    logits = bound(logits, SHARE_LIMIT)
    return jnp.clip(log_total, -LOG_RATE_LIMIT, LOG_RATE_LIMIT) + logits - jax.nn.logsumexp(logits)


def raw_shares(mean: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of shares, and the log of the total `(1,)`, of these means."""
    log_rate = np.log(np.where(count > 0, (count * mean + 0.5) / np.maximum(count, 1), 1.0))
    return unbound(log_rate - log_rate.mean(), SHARE_LIMIT), np.log(np.exp(log_rate).sum(keepdims=True))


def spread_of_totals(values: np.ndarray | SparseRows) -> float:
    """Return the variance of the rows' totals, relative to the square of their mean."""
    if isinstance(values, SparseRows):
        sums = values.totals()
    else:
        sums = np.nansum(values, axis=tuple(range(1, np.ndim(values))))
    return float(np.var(sums) / max(np.mean(sums), 1) ** 2) if len(sums) else 0.0
