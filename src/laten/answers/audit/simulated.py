r"""Questions about rows that the model made itself: their latents are an exact draw of the posterior.

- **Sandwich**: log p(x) between two bounds (`annealing`).
- **Simulation-based calibration** (Talts et al. 2018): simulate $u^*, x$; draw $u_1..u_L$ from what claims to be the
  posterior. If it is, the rank of $u^*_d$ among them is uniform on $0..L$ in each coordinate d. Ranks heaped at both
  ends tell of a guide that is too narrow, in the middle of one too wide, at one end of one that is shifted.

Ranks are compared with uniform by Pearson's $\chi^2$ over equal bins; the smallest p-value of d coordinates is
multiplied by d (Bonferroni), which is right however they depend on one another.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from laten.answers.audit.annealing import AnnealingPlan, sandwich
from laten.common import random
from laten.common.types import Array, Key, Masks, Values
from laten.inference.posterior import Posterior
from laten.network.model import Model

EXPECTED = 10  # rows a bin, at least


def simulated(model: Model, key: Key, values: Values, masks: Masks) -> tuple[Posterior, Array, Values]:
    """Draw a row from the model, hiding what `masks` hides.

    Args:
        values: Which nodes are observed; what they hold is not looked at.
    Returns:
        Its posterior, a draw `(d,)` of it, and all values.
    """
    draw_key, idle_key = random.split(key)
    drawn = model.network.sample(model.conditionals, draw_key)
    posterior = Posterior(model, {n: drawn[n] for n in values}, masks)
    return posterior, posterior.point(idle_key, drawn), drawn


def read_by_model(posterior: Posterior) -> tuple[Values, Masks]:
    """Return what a model reads of a row: values, and masks of all of them."""
    values, masks = posterior.values, posterior.masks
    return values, {n: masks[n] if n in masks else jnp.ones(v.shape, bool) for n, v in values.items()}


@dataclass(frozen=True)
class Sandwiched:
    """A question: bounds on log p of one simulated row, its values, and which of them are shown."""

    plan: AnnealingPlan

    @property
    def draws(self) -> int:
        return 3 * self.plan.work

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        draw_key, walk_key = random.split(key)
        posterior, exact, _ = simulated(model, draw_key, values, masks)
        return sandwich(posterior, walk_key, exact, self.plan), *read_by_model(posterior)


@dataclass(frozen=True)
class Ranks:
    """A question: ranks `(2, d)` of a simulated row's latents, among guide draws and among posterior draws."""

    kept: int  # L, draws ranked against
    draws: int  # of the guide; the first L are ranked against, and L of all resampled by their weights

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        draw_key, guide_key, choice_key = random.split(key, 3)
        posterior, exact, _ = simulated(model, draw_key, values, masks)
        points = jax.vmap(posterior.from_guide)(random.split(guide_key, self.draws))
        found = jax.vmap(posterior.densities)(points)
        share = jnp.cumsum(jax.nn.softmax(found.joint - found.guide))
        spots = random.uniform(choice_key, (self.kept,)) * share[-1]
        chosen = points[jnp.searchsorted(share, spots)]
        return jnp.stack([jnp.sum(p < exact[None], axis=0) for p in (points[: self.kept], chosen)])


def bins_for(rows: int, kept: int) -> int:
    """Say how many bins, all of as many ranks, leave at least `EXPECTED` rows in each; at most 20."""
    return max((b for b in range(2, 21) if (kept + 1) % b == 0 and rows >= EXPECTED * b), default=2)


def uniformity(ranks: np.ndarray, kept: int) -> np.ndarray:
    """Return p-values `(d,)` of ranks `(rows, d)` in 0..kept being uniform."""
    rows, bins = len(ranks), bins_for(len(ranks), kept)
    counts = np.stack([np.bincount(r * bins // (kept + 1), minlength=bins) for r in ranks.T])
    expected = rows / bins
    statistic = np.square(counts - expected).sum(axis=1) / expected
    return np.asarray(jax.scipy.special.gammaincc((bins - 1) / 2, jnp.asarray(statistic / 2, jnp.float32)), np.float64)


def smallest(p: np.ndarray) -> float:
    """Make one p-value of several that may depend on one another (Bonferroni)."""
    return float(min(1.0, len(p) * p.min()))
