r"""Mean field by coordinate ascent: a q that is a product is made better, one latent after the other.

$$q(z)=\prod_i q_i(z_i),\qquad \log q_i(z_i) = \mathbb E_{q_{-i}}[\log p(x, z)] + \text{const}$$

Each step is the maximum of the ELBO over one $q_i$ with the others held, so that the ELBO never falls (Bishop 2006,
section 10.1); for discrete latents it may end at a local maximum. For a normal posterior with precision $\Lambda$ the
step is (equation 10.13)

$$q_i = N\Big(m_i - \Lambda_{ii}^{-1}\sum_{j\ne i}\Lambda_{ij}(\mu_j - m_j),\ \Lambda_{ii}^{-1}\Big).$$
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

SWEEPS = 100
STILL = 1e-6  # change of q below which nothing moves any more: the ELBO changes by its square


class Step(NamedTuple):
    """The latent that moved (None at the start), and all parts of q: probabilities, or a mean and a variance."""

    moved: int | None
    parts: tuple[np.ndarray, ...]


def ascend(log_joint: np.ndarray, start: list[np.ndarray]) -> Iterator[Step]:
    """Yield the steps of a discrete q.

    Args:
        log_joint: log p(x, z), an axis a latent, finite.
        start: Probabilities of each latent's states.
    """

    def best(parts: list[np.ndarray], i: int) -> np.ndarray:
        logits = expected(log_joint, parts, i)
        p = np.exp(logits - logits.max())
        return p / p.sum()

    return swept(start, best)


def ascend_normal(mean: np.ndarray, precision: np.ndarray, start: list[np.ndarray]) -> Iterator[Step]:
    """Yield the steps of a normal q with independent sites.

    Args:
        mean: `(n,)` of the posterior.
        precision: `(n, n)` of the posterior.
        start: A mean and a variance of each site, `(2,)`.
    """

    def best(parts: list[np.ndarray], i: int) -> np.ndarray:
        off = np.array([p[0] for p in parts]) - mean
        off[i] = 0.0
        return np.array([mean[i] - precision[i] @ off / precision[i, i], 1 / precision[i, i]])

    return swept(start, best)


def swept(start: list[np.ndarray], best: Callable[[list[np.ndarray], int], np.ndarray]) -> Iterator[Step]:
    """Put the best in place of one part after the other, over and over, until nothing moves.

    Args:
        best: What one part should be, given all.
    """
    parts = list(start)
    yield Step(None, tuple(parts))
    for _ in range(SWEEPS):
        change = 0.0
        for i in range(len(parts)):
            new = best(parts, i)
            change = max(change, float(np.abs(new - parts[i]).max()))
            parts[i] = new
            yield Step(i, tuple(parts))
        if change < STILL or len(parts) == 1:
            return


def expected(table: np.ndarray, parts: list[np.ndarray], kept: int) -> np.ndarray:
    """Average a table over all axes except one, each weighted by its part."""
    for axis in reversed(range(table.ndim)):
        if axis != kept:
            table = np.tensordot(table, parts[axis], (axis, 0))
    return table
