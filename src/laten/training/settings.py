r"""The settings of training: how long, how fast, when to stop.

The learning rate rises linearly over the first `warmup` of the planned steps and falls along a half cosine to
`final_rate` of its peak (Loshchilov & Hutter 2017), so that a plan of any length ends in a quiet phase. An optimiser of
the user's brings its own.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any

from laten.common.errors import LatenError, LatenWarning, known, number, whole

AUTO_STEPS = 20_000
MOST_ROWS = 2**31 - 1  # a row's number is an int32
# precision -> what JAX calls it; None leaves its default
PRODUCTS = {"float32": None, "auto": "BF16_BF16_F32"}


@dataclass(frozen=True)
class Settings:
    """Options of training.

    Args:
        epochs: Passes over the rows; None plans about 20 000 steps, at least 10 and at most 1000 passes.
        batch_size: Rows a step.
        learning_rate: Peak rate.
        warmup: Share of the planned steps over which the rate rises.
        final_rate: Rate at the end, as a share of the peak.
        clip: Largest norm of the gradient; a longer one is scaled down. None: no clipping.
        patience: Epochs without a better held-out bound after which training stops; None plans it, 0 never stops early.
        validation: Share of rows held out.
        optimizer: An optax transformation, or None for Adam. It contains its own rate and schedule, which
            `learning_rate`, then 1, only multiplies.
        precision: Of the products while training: `"float32"`, or `"auto"`: operands rounded to bfloat16, sums in
            float32, on machines that are faster at it (a CPU is not, and computes in float32).
        seed: Seed of everything random.
    Raises:
        LatenError: an option out of range.
    """

    epochs: int | None = None
    batch_size: int = 128
    learning_rate: float = 1e-3
    warmup: float = 0.02
    final_rate: float = 0.02
    clip: float | None = 100.0
    patience: int | None = None
    validation: float = 0.1
    optimizer: Any = None
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self):
        for name, least in (("epochs", 1), ("batch_size", 1), ("patience", 0), ("seed", 0)):
            value = getattr(self, name)
            if value is not None or name not in ("epochs", "patience"):
                whole(name, value, least)
        if self.precision not in PRODUCTS:
            raise LatenError(f"precision must be one of {known(PRODUCTS)}, not {self.precision!r}")
        if not (number(self.learning_rate) and self.learning_rate > 0):
            raise LatenError(
                f"learning_rate must be positive and finite, not {self.learning_rate!r}; 0.001 is a good start"
            )
        for name in ("warmup", "final_rate"):
            if not (number(getattr(self, name)) and 0 <= getattr(self, name) <= 1):
                raise LatenError(f"{name} must be in [0, 1], not {getattr(self, name)!r}")
        if not (number(self.validation) and 0 <= self.validation < 1):
            raise LatenError(f"validation is the share of rows held out, in [0, 1), not {self.validation!r}")
        if self.clip is not None and not (number(self.clip) and self.clip > 0):
            raise LatenError(f"clip must be positive and finite, or None, not {self.clip!r}")

    def planned(self, rows: int, devices: int = 1) -> "Plan":
        """Return a plan with nothing left open, for this number of training rows.

        Args:
            devices: Among which a batch is shared out in equal parts; what is left over, it does without.
        Raises:
            LatenError: more rows than can be numbered; fewer than devices.
        """
        if rows > MOST_ROWS:
            raise LatenError(f"at most {MOST_ROWS} rows can be trained on, not {rows}; fit a sample of them")
        batch_size = min(self.batch_size, max(rows, 1))
        if rows < 4 * batch_size:  # few batches: equal ones, so that no share of the rows is left out
            batch_size = rows // max(round(rows / batch_size), 1)
        if devices > 1:
            batch_size = even(batch_size, devices)
        steps = max(rows // batch_size, 1)
        epochs = self.epochs or min(max(math.ceil(AUTO_STEPS / steps), 10), 1000)
        patience = max(20, math.ceil(300 / steps)) if self.patience is None else self.patience
        return Plan(self, batch_size, epochs, patience, steps)


def even(batch_size: int, devices: int) -> int:
    """Return the largest batch that devices can share out in equal parts."""
    if batch_size < devices:
        raise LatenError(f"a batch of {batch_size} rows cannot be shared by {devices} devices; use fewer of them")
    if rest := batch_size % devices:
        batch_size -= rest
        told = f"batches have {batch_size} rows, {rest} fewer, so that {devices} devices have the same number each"
        warnings.warn(LatenWarning(told), stacklevel=2)
    return batch_size


@dataclass(frozen=True)
class Plan:
    """Settings for a known number of rows."""

    settings: Settings
    batch_size: int
    epochs: int
    patience: int
    steps: int  # an epoch

    @property
    def passes(self) -> int:
        """Epochs in one round: short epochs are looked at several at a time, and at least twenty times in all."""
        return max(1, min(math.ceil(20 / self.steps), self.epochs // 20))

    @property
    def longest(self) -> int:
        """Steps of the longest round of so many rows: what is handed to the compiled loop does not depend on epochs."""
        return self.steps * math.ceil(20 / self.steps)
