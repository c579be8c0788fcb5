r"""A product of experts: each parent says a normal, and what a row does not show says nothing (Wu & Goodman 2018).

$$q(z\mid x_1, \ldots, x_m)\propto N(z; 0, 1)\prod_{i\text{ seen}}\exp\big(\eta_i(x_i)\,z -
\tfrac12\lambda_i(x_i)\,z^2\big),$$

so that any subset of views has its guide, learned or not: with none it is the standard normal. An expert says
$\eta = \lambda\mu$ and its precision $\lambda$, not its mean $\mu$: of one that is unsure yet, $\mu$ would hardly count
and hardly learn.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError
from laten.common.numerics import LOG_SCALE_LIMIT, host_keys, log_scale
from laten.common.types import Array, Key
from laten.network.nets.layers import MLP
from laten.network.nets.recipe import Ends, Net, build, call

EDGE = 0.999  # of the range of log-scales


@dataclass(frozen=True)
class Experts:
    """One net for each parent, whose normals are multiplied: for a guide's `lt.Normal(k).given("a", "b", via=...)`.

    Args:
        net: Of each parent, such as `lt.MLP(200)`.
    Raises:
        DeclarationError: when it is built, for a node that is not normal with a scale from the net.
    """

    net: Any = field(default_factory=lambda: MLP(200))

    def between(self, ends: Ends, key: Key) -> "Product":
        """Build the nets, a module from features `(ends.n_in,)` to raw numbers `(ends.n_out,)`.

        Raises:
            DeclarationError: the node is not normal.
        """
        sites = math.prod(ends.shape)
        if ends.n_out != 2 * sites:
            raise DeclarationError(
                f"experts are normals, of {2 * sites} raw numbers, and the node takes {ends.n_out}; use "
                f"lt.Normal({sites}) there"
            )
        keys = host_keys(key, len(ends.inputs))
        nets = [
            build(self.net, Ends((slot,), ends.shape, ends.n_out), k, slot.name)
            for slot, k in zip(ends.inputs, keys, strict=True)
        ]
        masks = tuple(math.prod(slot.shape) if slot.hidden else 0 for slot in ends.inputs)
        return Product(tuple(nets), tuple(slot.n for slot in ends.inputs), masks)


class Product(eqx.Module):
    """The nets of several parents."""

    nets: tuple[Net, ...]
    widths: tuple[int, ...] = eqx.field(static=True)
    masks: tuple[int, ...] = eqx.field(static=True)  # length of the mask at the end of a parent's features

    def __call__(self, x: Array, key: Key | None = None) -> Array:
        parts = jnp.split(x, np.cumsum(self.widths)[:-1])
        keys = [None] * len(parts) if key is None else list(random.split(key, len(parts)))
        precision, weighted = jnp.ones(()), jnp.zeros(())
        for net, part, mask, own in zip(self.nets, parts, self.masks, keys, strict=True):
            eta, log_sd = jnp.split(call(net, part, own), 2)
            seen = jnp.max(part[-mask:]) if mask else 1.0
            precision, weighted = precision + seen * jnp.exp(-2 * log_scale(log_sd)), weighted + seen * eta
        log_sd = jnp.clip(-0.5 * jnp.log(precision) / LOG_SCALE_LIMIT, -EDGE, EDGE)
        return jnp.concatenate([weighted / precision, LOG_SCALE_LIMIT * jnp.arctanh(log_sd)])
