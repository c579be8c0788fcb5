r"""The learning rate over a training: a linear rise, then half a cosine.

$$r(t) = r_\text{peak}\,\min(1, t/t_\text{warm})\,\big(f + (1 - f)\tfrac12(1 + \cos\pi t)\big),$$

with $t$ the share of the planned steps already made, and $f$ the share of the peak rate that is left at the end.
"""

import jax.numpy as jnp

from laten.common.types import Array
from laten.training.settings import Settings


def learning_rate(settings: Settings, progress: Array) -> Array:
    """Return the learning rate at `progress` in [0, 1]; constant beside an optimiser of the user's."""
    if settings.optimizer is not None:
        return jnp.full((), settings.learning_rate, jnp.float32)
    rise = jnp.minimum(1.0, progress / settings.warmup) if settings.warmup else 1.0
    fall = settings.final_rate + (1 - settings.final_rate) * 0.5 * (1 + jnp.cos(jnp.pi * progress))
    return settings.learning_rate * rise * fall
