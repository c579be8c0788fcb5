r"""Worlds whose log p(x) is known exactly, computed in float64 NumPy, independently of the library.

- linear-Gaussian: $z\sim N(0, I)$, $x = Wz + b + \sigma\varepsilon$, so $x\sim N(b, WW^\top + \sigma^2 I)$, and the
  posterior of z is normal with covariance $S = (I + W^\top W/\sigma^2)^{-1}$ and mean $S\,W^\top(x-b)/\sigma^2$
  (Tipping & Bishop 1999);
- probabilistic PCA's maximum: $\log p$ at the best $W, \sigma$ from the eigenvalues of the covariance;
- discrete networks: sums over all joint states;
- two-dimensional latents: Gauss-Hermite quadrature.
"""

import itertools
from collections.abc import Callable, Mapping

import numpy as np

LOG_2PI = np.log(2 * np.pi)


def normal_log_prob(x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """log N(x; mean, covariance) of rows."""
    chol = np.linalg.cholesky(covariance)
    white = np.linalg.solve(chol, (x - mean).T)
    return -0.5 * (white**2).sum(0) - np.log(np.diag(chol)).sum() - 0.5 * len(covariance) * LOG_2PI


def linear_gaussian_log_prob(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, sigma: float, seen: np.ndarray | None = None
) -> np.ndarray:
    """log p of rows under x = Wz + b + noise; `seen` (rows, columns) marginalises hidden sites exactly."""
    covariance = w @ w.T + sigma**2 * np.eye(len(w))
    if seen is None:
        return normal_log_prob(x, b, covariance)
    out = []
    for row, s in zip(x, seen, strict=True):
        out.append(normal_log_prob(row[None, s], b[s], covariance[np.ix_(s, s)])[0] if s.any() else 0.0)
    return np.array(out)


def linear_gaussian_posterior(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Means (rows, latents) and the common covariance of z given x."""
    covariance = np.linalg.inv(np.eye(w.shape[1]) + w.T @ w / sigma**2)
    return (x - b) @ w @ covariance / sigma**2, covariance


def ppca_maximum(x: np.ndarray, latents: int) -> float:
    """The largest mean log p of these rows under any x = Wz + b + sigma noise (Tipping & Bishop 1999, eq. 7-8)."""
    values = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    d = x.shape[1]
    noise = values[latents:].mean()
    return float(-0.5 * (d * LOG_2PI + np.log(values[:latents]).sum() + (d - latents) * np.log(noise) + d))


def enumerate_joint(
    sizes: Mapping[str, int], log_joint: Callable[[dict[str, int]], float], evidence: Mapping[str, int]
) -> float:
    """log p(evidence) of a discrete network by summing the joint over everything else."""
    free = [n for n in sizes if n not in evidence]
    terms = [
        log_joint({**evidence, **dict(zip(free, s, strict=True))})
        for s in itertools.product(*[range(sizes[n]) for n in free])
    ]
    top = max(terms)
    return float(top + np.log(np.sum(np.exp(np.array(terms) - top))))


def quadrature(log_likelihood: Callable[[np.ndarray], np.ndarray], points: int = 60) -> np.ndarray:
    """log ∫ N(z; 0, I) exp(log_likelihood(z)) dz for two-dimensional z.

    Args:
        log_likelihood: `(nodes, 2)` -> `(nodes, rows)`.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    grid = np.array(list(itertools.product(nodes, nodes)))
    log_weight = np.log(np.array([a * b for a, b in itertools.product(weights, weights)])) - LOG_2PI
    total = log_likelihood(grid) + log_weight[:, None]
    top = total.max(0)
    return top + np.log(np.exp(total - top).sum(0))


def discrete_joint(
    sizes: Mapping[str, int], parents: Mapping[str, tuple[str, ...]], tables: Mapping[str, np.ndarray]
) -> np.ndarray:
    """p of every joint state, an axis a variable in the order of `sizes`, one product at a time."""
    names, joint = list(sizes), np.zeros(tuple(sizes.values()))
    for state in itertools.product(*[range(k) for k in sizes.values()]):
        at = dict(zip(names, state, strict=True))
        joint[state] = np.prod([tables[n][(*[at[p] for p in parents[n]], at[n])] for n in names])
    return joint
