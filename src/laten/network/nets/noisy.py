r"""Nets whose weights are drawn for each example: the local reparameterisation (Kingma, Salimans & Welling 2015).

With weights $w_{ij}\sim N(\mu_{ij}, \sigma_{ij}^2)$ drawn anew for an example, what a layer puts out for its input x is
itself normal, and is drawn in place of the weights:

$$y_j \sim N\Big(\textstyle\sum_i x_i\mu_{ij},\ \sum_i x_i^2\sigma_{ij}^2\Big).$$

Two products in place of one, and a gradient whose noise falls with the size of the batch. Weights that stand in no
affine layer are drawn themselves.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.types import Array, Key
from laten.network.nets.layers import Affine

LEAST = 1e-12  # of a variance: its root keeps a gradient


class NoisyAffine(eqx.Module):
    """An affine layer with normal weights."""

    weight: Array  # (n_in, n_out) means
    bias: Array | None
    spread: Affine  # log standard deviations
    key: Key

    def __call__(self, x: Array) -> Array:
        mean, variance = x @ self.weight, jnp.square(x) @ jnp.exp(2 * self.spread.weight)
        if self.bias is not None and self.spread.bias is not None:
            mean, variance = mean + self.bias, variance + jnp.exp(2 * self.spread.bias)
        return mean + jnp.sqrt(variance + LEAST) * random.normal(self.key, mean.shape)


def noisy(net: Any, spread: Any, key: Key) -> Any:
    """Draw the weights of a net for one example; `spread` is its tree of log standard deviations, None elsewhere."""
    keys = iter(random.split(key, max(len(jax.tree.leaves(net, is_leaf=is_affine)), 1)))
    return jax.tree.map(lambda part, log_sd: noised(part, log_sd, next(keys)), net, spread, is_leaf=is_affine)


def noised(part: Any, spread: Any, key: Key) -> Any:
    """Draw the weights of one layer, or one array, of a net."""
    if is_affine(part):
        return NoisyAffine(part.weight, part.bias, spread, key)
    return part if spread is None else part + jnp.exp(spread) * random.normal(key, part.shape)


def is_affine(part: Any) -> bool:
    """Say whether a part of a net is an affine layer."""
    return isinstance(part, Affine)
