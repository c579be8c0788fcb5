r"""log p(x) where it is known exactly: linear-Gaussian networks, and networks whose latents are all enumerated.

When every node is `Normal` with a spread of its own over `Linear` nets, all values are an affine map of standard normal
noise, $v = m + A\varepsilon$. The network is asked for $m$ and $A$ themselves: the map at zero and its Jacobian. Then
$v\sim N(m, AA^\top)$, and the observed sites $o$ of a row have $\log p = \log N(v_o;\,m_o, A_oA_o^\top)$, in float64.

Discrete latents are summed out by `model.py` in every log-weight: when there are no others, one is exact.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from laten.errors import LatenError
from laten.families import Deterministic, Normal
from laten.model import Model
from laten.nets import Linear
from laten.numerics import LOG_2PI
from laten.types import Array, Values

MOST_SITES = 4096


@dataclass(frozen=True, eq=False)
class JointNormal:
    """All stochastic nodes of a network as one normal vector, by node in the network's order.

    Args:
        mean: `(sites,)`.
        covariance: `(sites, sites)`.
        places: Node -> where its sites stand.
    """

    mean: np.ndarray
    covariance: np.ndarray
    places: Mapping[str, slice]

    def log_prob(self, values: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray]) -> np.ndarray:
        """log p of the observed sites of rows `(rows,)`, in nats, all else marginalised.

        Args:
            values: Node -> `(rows, *shape)`.
            masks: Node -> True where observed.
        """
        n = len(next(iter(values.values())))
        x, seen = np.zeros((n, len(self.mean))), np.zeros((n, len(self.mean)), bool)
        for name, value in values.items():
            x[:, self.places[name]] = np.reshape(value, (n, -1))
            seen[:, self.places[name]] = np.reshape(masks.get(name, np.ones_like(value, bool)), (n, -1))
        out = np.zeros(n)
        kinds, which = np.unique(seen, axis=0, return_inverse=True)
        for k, sites in enumerate(kinds):
            rows = np.flatnonzero(np.ravel(which) == k)
            if sites.any():
                out[rows] = self.of(x[np.ix_(rows, sites)], sites)
        return out

    def of(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        """log N of rows `(rows, chosen)` at the chosen sites `(sites,)`."""
        factor = np.linalg.cholesky(self.covariance[np.ix_(sites, sites)])
        white = np.linalg.solve(factor, (x - self.mean[sites]).T)
        return -0.5 * np.square(white).sum(0) - np.log(np.diag(factor)).sum() - 0.5 * x.shape[1] * LOG_2PI


def not_linear(model: Model) -> str:
    """Why a network is not linear-Gaussian; empty when it is."""
    sites = 0
    for name, node in model.network.nodes.items():
        if node.via is not None and not isinstance(node.via, Linear):
            return f"node {name!r} is not linear in its parents ({node.via!r})"
        if isinstance(node.family, Deterministic):
            continue
        if not isinstance(node.family, Normal):
            return f"node {name!r} is {node.family!r}, not Normal"
        if node.parents and node.family.scale == "net":
            return f"the spread of node {name!r} depends on its parents (scale='site' does not)"
        sites += math.prod(node.family.shape)
    return "" if sites <= MOST_SITES else f"its nodes have {sites} sites, more than {MOST_SITES}"


def joint_normal(model: Model) -> JointNormal:
    """The joint density of a linear-Gaussian network.

    Raises:
        LatenError: it is not linear-Gaussian.
    """
    why = not_linear(model)
    if why:
        raise LatenError(f"the network is not linear-Gaussian: {why}")
    places, start = {}, 0
    for name in model.network.stochastic:
        n = model.network.nodes[name].family.n_sites
        places[name], start = slice(start, start + n), start + n

    def values_of(noise: Array) -> Array:
        values: Values = {}
        for name, node in model.network.nodes.items():
            family, raw = node.family, model.p[name].raw(values, {})
            if isinstance(family, Normal):
                mean, log_scale = family.parameters(raw)
                values[name] = mean + jnp.exp(log_scale) * noise[places[name]].reshape(family.shape)
            else:
                values[name] = raw.reshape(family.shape)
        return jnp.concatenate([jnp.ravel(values[name]) for name in places])

    zero = jnp.zeros(start)
    mean, factor = (
        np.asarray(x, np.float64) for x in jax.jit(lambda e: (values_of(e), jax.jacfwd(values_of)(e)))(zero)
    )
    return JointNormal(mean, factor @ factor.T, places)
