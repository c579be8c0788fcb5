r"""Linear-Gaussian networks, exactly: every node normal, its mean linear in its parents, its spread constant.

$$z_i = b_i + \sum_{j\in\text{parents}} A_{ij} z_j + \sigma_i\varepsilon_i \quad\Longrightarrow\quad
\text{all nodes together are normal,}$$

with mean and covariance built up node by node in float64; conditioning is linear algebra (Bishop 2006, sections 2.3.1
and 8.1.4). A deterministic node over a linear net counts as one without noise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError
from laten.common.numerics import LOG_2PI
from laten.families import Node, Normal
from laten.families.same_density import has_density_of
from laten.network.conditional import Conditional
from laten.network.nets.layers import Linear
from laten.network.network import Network

MOST_SITES = 4096


class Normals(NamedTuple):
    """Mean `(n,)` and covariance `(n, n)` of some sites."""

    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True, eq=False)
class JointNormal:
    """All sites of all nodes as one normal vector, float64."""

    normals: Normals
    places: Mapping[str, np.ndarray]  # node -> `(sites,)` indices of its sites

    def log_prob(self, values: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return log p of the observed sites of rows `(rows,)`, in nats, all else marginalised.

        Args:
            values: Node -> `(rows, *shape)`.
            masks: Node -> True where observed.
        """
        n, sites = len(next(iter(values.values()))), len(self.normals.mean)
        x, seen = np.zeros((n, sites)), np.zeros((n, sites), bool)
        for name, value in values.items():
            x[:, self.places[name]] = np.reshape(value, (n, -1))
            seen[:, self.places[name]] = np.reshape(masks.get(name, np.ones_like(value, bool)), (n, -1))
        out = np.zeros(n)
        patterns, which = np.unique(seen, axis=0, return_inverse=True)
        for k, pattern in enumerate(patterns):
            rows, chosen = np.flatnonzero(np.ravel(which) == k), np.flatnonzero(pattern)
            if len(chosen):
                out[rows] = log_normal(x[np.ix_(rows, chosen)], marginal(self.normals, chosen))
        return out


def not_linear(network: Network) -> str:
    """Say why a network is not linear-Gaussian; empty when it is."""
    sites = 0
    for name, node in network.nodes.items():
        if node.via is not None and not isinstance(node.via, Linear):
            return f"node {name!r} is not linear in its parents ({node.via!r})"
        if not node.family.has_density:
            continue
        if not has_density_of(node.family, Normal):
            return f"node {name!r} is {node.family!r}, not Normal"
        if node.parents and node.family.scale == "net":
            return f"the spread of node {name!r} depends on its parents (scale='site' does not)"
        sites += node.family.n_sites
    return "" if sites <= MOST_SITES else f"its nodes have {sites} sites, more than {MOST_SITES}"


def joint_normal(network: Network, weights: Mapping[str, Conditional]) -> JointNormal:
    """Return the joint density of a linear-Gaussian network.

    Raises:
        DeclarationError: it is not linear-Gaussian, naming the node.
    """
    why = not_linear(network)
    if why:
        raise DeclarationError(
            f"the network is not linear-Gaussian: {why}; it has no exact posterior here. Exact answers exist "
            'for discrete latents, and for networks of lt.Normal(n, scale="site") or a fixed scale with linear nets'
        )
    places: dict[str, np.ndarray] = {}
    mean, covariance = np.zeros(0), np.zeros((0, 0))
    for name, node in network.nodes.items():
        old, new = len(mean), node.family.n_sites
        slope, offset, variance = linear_part(network, weights[name], node)
        above = np.concatenate([places[p] for p in node.parents]) if node.parents else np.zeros(0, int)
        cross = slope @ covariance[above]  # (new, old)
        mean = np.concatenate([mean, offset + slope @ mean[above]])
        own = slope @ covariance[np.ix_(above, above)] @ slope.T + np.diag(variance)
        covariance = np.block([[covariance, cross.T], [cross, own]])
        places[name] = np.arange(old, old + new)
    return JointNormal(Normals(mean, covariance), places)


def linear_part(network: Network, conditional: Conditional, node: Node) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return slope `(sites, sites of parents)`, offset and variance `(sites,)`.

    They are read off the mean at zero and at unit parents.
    """
    family = node.family
    families = [network.nodes[p].family for p in node.parents]
    sizes = [f.n_sites for f in families]
    points = jnp.concatenate([jnp.zeros((1, sum(sizes))), jnp.eye(sum(sizes))])

    def at(point):
        parts = jnp.split(point, np.cumsum(sizes)[:-1]) if sizes else []
        values = {p: x.reshape(f.shape) for p, x, f in zip(node.parents, parts, families, strict=True)}
        raw = conditional.raw(values, {})
        if not has_density_of(family, Normal):
            return jnp.ravel(raw), jnp.full(family.n_sites, -jnp.inf)
        loc, log_sd = family.parameters(raw)
        return jnp.ravel(loc), jnp.ravel(jnp.broadcast_to(log_sd, family.shape))

    loc, log_sd = (np.asarray(x, np.float64) for x in jax.vmap(at)(points))
    return (loc[1:] - loc[0]).T, loc[0], np.exp(2 * log_sd[0])


def log_normal(x: np.ndarray, n: Normals) -> np.ndarray:
    """Return the log density of points `(..., sites)`, in nats, `(...)`."""
    factor = np.linalg.cholesky(n.covariance)
    white = np.linalg.solve(factor, np.moveaxis(np.atleast_2d(x - n.mean), -1, 0))
    log_p = -0.5 * np.square(white).sum(0) - np.log(np.diag(factor)).sum() - 0.5 * len(n.mean) * LOG_2PI
    return log_p.reshape(np.shape(x)[:-1])


def conditioned(normals: Normals, kept: np.ndarray, seen: np.ndarray, x: np.ndarray) -> Normals:
    """Return the normal of the sites `kept` where the sites `seen` have the values `x`."""
    m, s = normals
    gain = np.linalg.solve(s[np.ix_(seen, seen)], s[np.ix_(seen, kept)]).T
    return Normals(m[kept] + gain @ (x - m[seen]), s[np.ix_(kept, kept)] - gain @ s[np.ix_(seen, kept)])


def marginal(normals: Normals, kept: np.ndarray) -> Normals:
    """Return the normal of the sites `kept`."""
    return Normals(normals.mean[kept], normals.covariance[np.ix_(kept, kept)])


def kl(q: Normals, p: Normals) -> float:
    """Return KL(q ‖ p) of two normals, in nats."""
    off = p.mean - q.mean
    ratio = np.linalg.solve(p.covariance, q.covariance)
    log_det = np.linalg.slogdet(p.covariance)[1] - np.linalg.slogdet(q.covariance)[1]
    return float(0.5 * (np.trace(ratio) + off @ np.linalg.solve(p.covariance, off) - len(off) + log_det))


def energy(joint: Normals, q: Normals, latent: np.ndarray, seen: np.ndarray, x: np.ndarray) -> float:
    """Return E_q[log p(x, z)], in nats: log p at q's mean, less half the trace of precision times covariance."""
    both = np.concatenate([latent, seen])
    over = marginal(joint, both)
    precision, n = np.linalg.inv(over.covariance), len(latent)
    at_mean = float(log_normal(np.concatenate([q.mean, x]), over))
    return at_mean - 0.5 * float(np.trace(precision[:n, :n] @ q.covariance))


def entropy(q: Normals) -> float:
    """Return H(q), in nats."""
    return float(0.5 * np.linalg.slogdet(2 * np.pi * np.e * q.covariance)[1])
