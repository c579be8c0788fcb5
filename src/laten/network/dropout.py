"""The dropout of a model's nets as arrays, so that training at another rate is the same compiled program."""

from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np

from laten.common.types import Array
from laten.network.model import Model
from laten.network.nets.layers import Layers, Residual, least_of, leaves_out


def dropping(model: Model) -> list[Layers | Residual]:
    """Return the nets of this library that leave units out, also those inside a net of the user's."""
    nets = [c.net for part in (model.p, model.q) for c in part.values()]
    return [net for net in jax.tree.leaves(nets, is_leaf=leaves_out) if leaves_out(net)]


def dropout_of(model: Model) -> tuple[np.ndarray, ...]:
    """Return what `with_dropout` tells each net, `()` uint32 each."""
    return tuple(least_of(net.dropout) for net in dropping(model))


def with_dropout(model: Model, least: Sequence[Array]) -> Model:
    """Return the same model, whose nets take their dropout from arrays."""
    if not least:
        return model
    return eqx.tree_at(lambda m: [net.least for net in dropping(m)], model, list(least), is_leaf=lambda x: x is None)
