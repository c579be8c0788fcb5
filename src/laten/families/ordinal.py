r"""The ordinal family: ordered classes by cumulative logits (McCullagh 1980).

A logistic variable around the location $\eta$ falls between ordered cutpoints $c_1 < \dots < c_{K-1}$:

$$P(y \le k) = \mathrm{sigmoid}\big((c_{k+1} - \eta)/s\big),\quad k = 0,\dots,K-2 .$$

The net puts out $\eta$, one number a column; the cutpoints are learned constants, and $s = 1$ unless the net gives it
too. Raw zero gives equal classes: with $d_j$ the step between the logits of $j/K$ and $(j+1)/K$,

$$c_1 = \mathrm{logit}\tfrac1K + r_1,\qquad
c_{j+1} = c_j + d_j\,\big(\epsilon + (1-\epsilon)\,\mathrm{softplus}(r_{j+1})/\log 2\big).$$

Steps never vanish ($\epsilon = 10^{-3}$), so every log-probability is finite. A value enters a net as a thermometer:
$[y \ge 1], \dots, [y \ge K-1]$, over $\sqrt{K-1}$.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.numerics import log_logistic_cell, log_scale, softplus, softplus_inverse
from laten.common.types import Array, Key
from laten.families.base import Family
from laten.families.classes import Classes
from laten.families.ragged import Packing, packing
from laten.families.same_density import has_density_of
from laten.families.scale import check_source

FAR = 1e9  # an open end: finite, so that gradients are
LEAST_STEP = 1e-3


@dataclass(frozen=True, repr=False)
class Ordinal(Classes):
    """Ordered classes, coded 0, 1, ... as int32.

    Args:
        sizes: Number of classes. `5`: one code, shape `()`; `(5, 3)`: two codes, shape `(2,)`.
        scale: `"site"`: sharpness lies in the learned cutpoints alone; `"net"`: the net gives a log-scale a column too.
    Raises:
        DeclarationError: a number of classes below 2, or another scale.
    """

    least: ClassVar[int] = 2
    ordered: ClassVar[bool] = True

    scale: str = "site"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_source(self.scale, "Ordinal", "scale")

    @property
    def cuts(self) -> Packing:
        """How the cutpoints are packed: one fewer a column than classes."""
        return packing(tuple(n - 1 for n in self.packing.sizes))

    @property
    def n_net(self) -> int:
        return self.n_sites * (2 if self.scale == "net" else 1)

    @property
    def n_raw(self) -> int:
        return self.n_net + self.cuts.total

    @property
    def n_features(self) -> int:
        return self.cuts.total

    def parameters(self, raw: Array) -> tuple[Array, Array, Array, Array]:
        """Return location and 1/scale, `(columns,)`; cutpoints and the steps before them, packed."""
        n = self.n_sites
        loc, spread, increments = jnp.split(raw, [n, self.n_net])  # not cut: see `scale.location_scale`
        inverse_scale = jnp.exp(-log_scale(spread)) if self.scale == "net" else jnp.ones(n, raw.dtype)
        first, start, step = _uniform_cuts(self.packing.sizes)
        steps = jnp.asarray(step, raw.dtype) * (LEAST_STEP + (1 - LEAST_STEP) / math.log(2) * softplus(increments))
        pieces = jnp.where(first, start.astype(raw.dtype) + increments, steps)
        return loc, inverse_scale, self.cuts.cumulative(pieces), steps

    def log_prob(self, raw: Array, value: Array) -> Array:
        loc, inverse_scale, cut, step = self.parameters(raw)
        code = value.reshape(-1)
        above, below = self.cuts.one_hot(code, raw.dtype), self.cuts.one_hot(code - 1, raw.dtype)
        lower, upper, width = self.cuts.column_sums(jnp.stack([cut * below, cut * above, step * above]))
        bottom, top = code == 0, code == np.array(self.packing.sizes, np.int32) - 1
        lower = jnp.where(bottom, -FAR, (lower - loc) * inverse_scale)
        upper = jnp.where(top, FAR, (upper - loc) * inverse_scale)
        width = jnp.where(bottom | top, FAR, width * inverse_scale)
        return log_logistic_cell(lower, upper, width).reshape(self.shape)

    def log_probs(self, raw: Array) -> Array:
        last = np.array(self.packing.sizes, np.int32) - 1
        codes = np.minimum(np.arange(last.max() + 1, dtype=np.int32)[:, None], last)
        table = jax.vmap(lambda code: self.log_prob(raw, code).reshape(-1))(jnp.asarray(codes))
        return table[self.packing.ranks, self.packing.sites]

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        loc, inverse_scale, cut, _ = self.parameters(raw)
        latent = loc + random.logistic(key, loc.shape) / inverse_scale
        passed = (self.cuts.spread(latent) > cut).astype(jnp.float32)
        value = self.cuts.column_sums(passed).astype(jnp.int32).reshape(self.shape)
        return value, self.log_prob(raw, value)

    def point(self, mean: Array) -> Array:
        """Return the median class of each column, of `shape`, which has the least expected absolute error in rank."""
        return self._class_at(mean, 0.5)

    def mode(self, raw: Array) -> Array:
        return self.packing.argmax(self.log_probs(raw)).reshape(self.shape)

    def cdf(self, raw: Array, value: Array) -> Array:
        upto = self.packing.spread(value.reshape(-1).astype(jnp.float32)) >= self.packing.ranks.astype(np.float32)
        return self.packing.column_sums(self.mean(raw) * upto.astype(raw.dtype)).reshape(self.shape)

    def quantile(self, raw: Array, p: Array) -> Array:
        return self._class_at(self.mean(raw), p)

    def _class_at(self, probabilities: Array, p: Array | float) -> Array:
        """Return the first class of each column whose cumulative probability reaches `p`."""
        p = jnp.broadcast_to(jnp.asarray(p, probabilities.dtype), self.shape).reshape(-1)
        short = self.packing.cumulative(probabilities) < self.packing.spread(p)
        code = self.packing.column_sums(short.astype(jnp.float32)).astype(jnp.int32)
        return jnp.minimum(code, np.array(self.packing.sizes, np.int32) - 1).reshape(self.shape)

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        if not (has_density_of(self, Ordinal) and has_density_of(other, Ordinal)):
            return None
        log_p, log_q = self.log_probs(raw), other.log_probs(other_raw)
        return self.packing.column_sums(jnp.exp(log_p) * (log_p - log_q)).reshape(self.shape)

    def features(self, value: Array) -> Array:
        reached = self.cuts.spread(value.reshape(-1).astype(jnp.float32)) > self.cuts.ranks.astype(np.float32)
        weight = 1 / np.sqrt(np.array(self.cuts.sizes, np.float32))
        return reached.astype(jnp.float32) * weight[self.cuts.sites]

    @property
    def feature_sites(self) -> np.ndarray:
        return self.cuts.sites

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Return location 0 and scale 1, and cutpoints that give back the columns' frequencies: `(n_raw,)`."""
        frequencies = np.split(self.packing.frequencies(values, mask), np.cumsum(self.packing.sizes)[:-1])
        cut = np.concatenate([_logit(np.cumsum(p)[:-1]) for p in frequencies])
        first, start, step = _uniform_cuts(self.packing.sizes)
        ratio = (np.diff(cut, prepend=0.0) / step - LEAST_STEP) / (1 - LEAST_STEP)
        increments = softplus_inverse(math.log(2) * np.maximum(np.where(first, 1.0, ratio), 1e-4))
        return np.concatenate([np.zeros(self.n_net), np.where(first, cut - start, increments)]).astype(np.float32)


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p) - np.log1p(-p)


def _uniform_cuts(sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, packed by cutpoint: is it its column's first, its place for equal classes, the step before it."""
    first = np.concatenate([np.arange(n - 1) == 0 for n in sizes])
    start = np.concatenate([_logit(np.arange(1, n) / n) for n in sizes])
    return first, start, np.where(first, 1.0, np.diff(start, prepend=0.0))
