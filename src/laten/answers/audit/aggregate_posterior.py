r"""What the latents carry, over many rows: mutual information, the aggregate posterior, active units.

With $q(z)=\frac1N\sum_n q(z\mid x_n)$ over the N given rows, and their mean KL
$\frac1N\sum_n \mathrm{KL}(q(z\mid x_n)\,\|\,p(z))$,

$$\text{mean KL}=\underbrace{I_q(x;z)}_{\text{mutual information}}+\mathrm{KL}\big(q(z)\,\|\,p(z)\big)$$

(Hoffman & Johnson 2016). Every draw is compared with every row, no minibatches. What is wanted is $q(z)$ over all rows
there could be, of which N are a sample, and that has a bias of known sign both ways: with a draw's own row in the
average, I is too low, and never above log N; without it, too high (Poole et al. 2019, eq. 10 and the leave-one-out
bound of section 2). Both are given; where they part, N rows are too few to say.

A unit is active when the variance over rows of its posterior mean is above 0.01 (Burda et al. 2016, section 2.4).
"""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from laten.common import random
from laten.common.types import Array, Key, Masks, Values
from laten.inference.posterior import Posterior
from laten.network.model import Model


def guide_points(posterior: Posterior, key: Key, draws: int) -> tuple[Array, Array]:
    """Return guide draws `(draws, d)` and log p(u) of each."""
    points = jax.vmap(posterior.from_guide)(random.split(key, draws))
    return points, jax.vmap(lambda u: posterior.densities(u).prior)(points)


class GuideDensities(eqx.Module):
    """A question: log q(u | x) at given points `(n, d)`."""

    points: Array

    @property
    def draws(self) -> int:
        return len(self.points)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        posterior = Posterior(model, values, masks)
        return jax.vmap(lambda u: posterior.densities(u).guide)(self.points)


@dataclass(frozen=True)
class Information:
    """Mutual information and mean KL, in nats. The truth about I lies between `low` and `high`, on average.

    Args:
        low: I_q(x; z), a draw's own row in the average.
        high: Without it.
        kl: Mean over rows of KL(q(z | x) ‖ p(z)).
        error: Standard error of `low` from the draws, for these very rows; that of the others is about the same.
    """

    low: float
    high: float
    kl: float
    error: float


def information(log_q: np.ndarray, log_prior: np.ndarray) -> Information:
    """Compute the information from log-densities of every draw under every row.

    Args:
        log_q: `(rows, rows * each)` log q(u_j | x_i); the first `each` draws are the first row's, and so on.
        log_prior: `(rows * each,)` log p(u_j).
    """
    log_q = log_q.astype(np.float64)
    rows, draws = log_q.shape
    owner, place = np.repeat(np.arange(rows), draws // rows), np.arange(draws)
    own, without = log_q[owner, place], log_q.copy()
    without[owner, place] = -np.inf

    def log_mean(x: np.ndarray, count: int) -> np.ndarray:
        top = x.max(axis=0)
        return top + np.log(np.exp(x - top).sum(axis=0) / count)

    low = own - log_mean(log_q, rows)
    per_row = low.reshape(rows, -1)
    return Information(
        low=float(low.mean()),
        high=float((own - log_mean(without, rows - 1)).mean()),
        kl=float((own - log_prior).mean()),
        error=float(np.sqrt(per_row.var(axis=1, ddof=1).sum() / per_row.shape[1]) / rows),
    )
