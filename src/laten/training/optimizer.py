r"""Adam (Kingma & Ba 2015), laid out for memory traffic.

$$m\leftarrow\beta_1 m+(1-\beta_1)g,\quad v\leftarrow\beta_2 v+(1-\beta_2)g^2,\quad
\Delta = -\frac{m}{1-\beta_1^t}\Big/\Big(\sqrt{v/(1-\beta_2^t)}+\epsilon\Big)$$

The same numbers as `optax.adam`. On a CPU the optimiser of a small net costs as much as its products, all of it memory:
here both moments are updated in place before the step reads them, which spares the compiler a copy of each at every
step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from laten.common.types import Array
from laten.network.model import Model


class AdamMoments(NamedTuple):
    """Carried from step to step."""

    made: Array  # () steps
    mean: Model
    square: Model


class Optimizer(NamedTuple):
    """`init(weights) -> state`, and `update(gradient, state, weights, good, shrink, pace) -> (weights, state)`.

    `good` is False for a step that must leave everything as it was, `shrink` the factor that clips the gradient, `pace`
    the learning rate.
    """

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


def adam(b1: float = 0.9, b2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """Make Adam."""

    def init(weights: Any) -> AdamMoments:
        def zeros() -> Any:
            return jax.tree.map(jnp.zeros_like, weights)

        return AdamMoments(jnp.zeros((), jnp.int32), zeros(), zeros())

    def update(
        gradient: Any, state: AdamMoments, weights: Any, good: Array, shrink: Array | float, pace: Array
    ) -> tuple[Any, AdamMoments]:
        mean = jax.tree.map(lambda m, g: jnp.where(good, b1 * m + (1 - b1) * shrink * g, m), state.mean, gradient)
        square = jax.tree.map(
            lambda v, g: jnp.where(good, b2 * v + (1 - b2) * jnp.square(shrink * g), v), state.square, gradient
        )
        mean, square = jax.lax.optimization_barrier((mean, square))
        made = state.made + good.astype(jnp.int32)
        t = jnp.maximum(made, 1).astype(jnp.float32)
        rise, spread = pace / (1 - b1**t), 1 / (1 - b2**t)
        rise = jnp.where(good, rise, 0.0)
        weights = jax.tree.map(lambda w, m, v: w - rise * m / (jnp.sqrt(spread * v) + epsilon), weights, mean, square)
        return weights, AdamMoments(made, mean, square)

    return Optimizer(init, update)


def wrapped(transformation: Any) -> Optimizer:
    """Wrap an `optax.GradientTransformation`. Not imported here: whoever has one has imported optax."""

    def update(
        gradient: Any, state: Any, weights: Any, good: Array, shrink: Array | float, pace: Array
    ) -> tuple[Any, Any]:
        step, new = transformation.update(jax.tree.map(lambda g: shrink * g, gradient), state, weights)
        weights = jax.tree.map(lambda w, u: jnp.where(good, w + pace * u, w), weights, step)
        return weights, jax.tree.map(lambda n, o: jnp.where(good, n, o), new, state)

    return Optimizer(transformation.init, update)
