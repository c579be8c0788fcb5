r"""Linear-Gaussian networks, exactly: every node normal, its mean linear in its parents, its spread constant.

$$z_i = b_i + \sum_{j\in\text{parents}} A_{ij} z_j + \sigma_i\varepsilon_i \quad\Longrightarrow\quad
\text{all nodes together are normal,}$$

with mean and covariance built up node by node; conditioning is linear algebra (Bishop 2006, sections 2.3.1 and 8.1.4).
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.classical.identity import Normals
from laten.conditionals import Conditional
from laten.errors import DeclarationError
from laten.families import Normal
from laten.families.node import Node
from laten.nets import Linear
from laten.network import Network


class Joint(NamedTuple):
    """All sites of all nodes: where each node's stand, mean and covariance, float64."""

    places: dict[str, np.ndarray]  # node -> (sites,) indices
    normals: Normals


def is_linear_gaussian(network: Network) -> bool:
    """Whether every node is `Normal`, with a linear net and a spread that does not depend on parents."""
    return all(is_linear(node) for node in network.nodes.values())


def is_linear(node: Node) -> bool:
    """Whether a node's mean is linear in its parents and its spread constant."""
    if not isinstance(node.family, Normal):
        return False
    return not node.parents or (isinstance(node.via or Linear(), Linear) and node.family.scale != "net")


def check_linear(network: Network) -> None:
    """Refuses a network whose posterior is not normal.

    Raises:
        DeclarationError: naming the node.
    """
    for name, node in network.nodes.items():
        if not is_linear(node):
            raise DeclarationError(
                f"node {name!r}: {node.family!r} via {node.via or 'Linear()'} has no exact posterior here; exact are "
                'discrete latents, and networks of lt.Normal(n, scale="site") or a fixed scale over linear nets'
            )


def joint_of(network: Network, weights: Mapping[str, Conditional]) -> Joint:
    """The joint normal of a linear-Gaussian network."""
    check_linear(network)
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
    return Joint(places, Normals(mean, covariance))


def linear_part(network: Network, conditional: Conditional, node: Node) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope `(sites, sites of parents)`, offset and variance `(sites,)`, from the mean at zero and at unit parents."""
    family = node.family
    assert isinstance(family, Normal)
    shapes = [network.nodes[p].family.shape for p in node.parents]
    sizes = [network.nodes[p].family.n_sites for p in node.parents]
    total = sum(sizes)
    points = jnp.concatenate([jnp.zeros((1, total)), jnp.eye(total)])

    def at(point):
        parts = jnp.split(point, np.cumsum(sizes)[:-1]) if sizes else []
        values = {p: x.reshape(s) for p, x, s in zip(node.parents, parts, shapes, strict=True)}
        loc, log_sd = family.parameters(conditional.raw(values, {}))
        return jnp.ravel(loc), jnp.ravel(jnp.broadcast_to(log_sd, family.shape))

    loc, log_sd = (np.asarray(x, np.float64) for x in jax.vmap(at)(points))
    return (loc[1:] - loc[0]).T, loc[0], np.exp(2 * log_sd[0])


def conditioned(normals: Normals, kept: np.ndarray, seen: np.ndarray, x: np.ndarray) -> Normals:
    """The normal of the sites `kept` where the sites `seen` have the values `x`."""
    m, s = normals
    gain = np.linalg.solve(s[np.ix_(seen, seen)], s[np.ix_(seen, kept)]).T
    return Normals(m[kept] + gain @ (x - m[seen]), s[np.ix_(kept, kept)] - gain @ s[np.ix_(seen, kept)])


def marginal(normals: Normals, kept: np.ndarray) -> Normals:
    """The normal of the sites `kept`."""
    return Normals(normals.mean[kept], normals.covariance[np.ix_(kept, kept)])


def kl(q: Normals, p: Normals) -> float:
    """KL(q ‖ p) of two normals, nats."""
    off = p.mean - q.mean
    ratio = np.linalg.solve(p.covariance, q.covariance)
    log_det = np.linalg.slogdet(p.covariance)[1] - np.linalg.slogdet(q.covariance)[1]
    return float(0.5 * (np.trace(ratio) + off @ np.linalg.solve(p.covariance, off) - len(off) + log_det))


def energy(joint: Normals, q: Normals, latent: np.ndarray, seen: np.ndarray, x: np.ndarray) -> float:
    """E_q[log p(x, z)], nats: the log density at q's mean, less half the trace of precision times q's covariance."""
    both = np.concatenate([latent, seen])
    m, s = marginal(joint, both)
    precision = np.linalg.inv(s)
    off = np.concatenate([q.mean, x]) - m
    at_mean = -0.5 * (off @ precision @ off + np.linalg.slogdet(2 * np.pi * s)[1])
    n = len(latent)
    return float(at_mean - 0.5 * np.trace(precision[:n, :n] @ q.covariance))


def entropy(q: Normals) -> float:
    """H(q), nats."""
    return float(0.5 * np.linalg.slogdet(2 * np.pi * np.e * q.covariance)[1])
