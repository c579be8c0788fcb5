r"""The learning rate over a training: a linear rise, then half a cosine.

$$r(t) = r_\text{peak}\,\min(1, t/t_\text{warm})\,\big(f + (1 - f)\tfrac12(1 + \cos\pi t)\big),$$

with $t$ the share of the planned steps already made, and $f$ the share of the peak rate that is left at the end.

All of it are arguments of the compiled program: another rate, warm-up, clip or number of epochs compiles nothing anew.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from laten.common.types import Array
from laten.training.settings import Settings

SHORTEST = 1e-30  # warm-up whose inverse float32 holds


class Pace(NamedTuple):
    """How fast training goes; scalars, on the host or traced.

    Where a number is divided by, its inverse stands here: that is what XLA makes of a constant, bit for bit.
    """

    step: Array  # 1 / planned steps
    peak: Array
    rise: Array  # 1 / warm-up, 0 without one
    floor: Array  # f
    half: Array  # (1 - f) / 2
    clip: Array  # largest norm of a gradient


def pace_of(settings: Settings, planned_steps: int) -> Pace:
    """Return the numbers of a plan, float32; an optimiser of the user's keeps its own schedule."""
    own = settings.optimizer is not None
    warmup, final = (0.0, 1.0) if own else (settings.warmup, settings.final_rate)
    one = np.float32(1)
    rise = one / np.float32(max(warmup, SHORTEST)) if warmup else np.float32(0)
    clip = math.inf if settings.clip is None else settings.clip
    numbers = (settings.learning_rate, rise, final, (1 - final) * 0.5, clip)
    return Pace(*(np.asarray(x, np.float32) for x in (one / np.float32(planned_steps), *numbers)))  # type: ignore[arg-type]


def learning_rate(pace: Pace, progress: Array) -> Array:
    """Return the learning rate at `progress` in [0, 1]."""
    rise = jnp.where(pace.rise > 0, jnp.minimum(1.0, progress * pace.rise), 1.0)
    fall = pace.floor + pace.half * (1 + jnp.cos(jnp.pi * progress))
    return pace.peak * rise * fall
