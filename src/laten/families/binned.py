r"""Numbers sorted into bins: a categorical family whose classes lie on a line.

The real line is cut into bins $c_1 < \dots < c_K$ by the data layer. The net gives their probabilities,

$$P(x \in c_k) = \mathrm{softmax}(l)_k,$$

and inside a bin the density is fixed, so that any shape (skewed, bounded, of several modes, with spikes) costs one
softmax. Draws, scores and the log-mass are those of `Categorical`. Two things differ:

- what a net sees of a value: not one input for each bin, which a guide overfits, but the few numbers that say where it
  lies;
- with few rows, what a net gives a column: not K free logits but R coefficients $a_r$ of smooth functions over
  constants $c$ that hold the column's own shape,

$$l_k = c_k + \sum_{r=1}^{R} a_r\,\phi_r(t_k),\qquad
\phi = \big(t,\ (t^2-1)/\sqrt2,\ \sqrt2\cos \pi u,\ \sqrt2\cos 2\pi u,\ \dots\big),\quad u = \Phi(t),$$

  with t the bin's normal score: R = 2 tilts the column as a normal in its normal scores, R = K is free. Bins of dates
  have the waves of a year, a week or a day among these functions too, so that all Januaries share their coefficients.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError
from laten.common.numerics import LOGIT_LIMIT, bound
from laten.common.types import Array
from laten.families.categorical import Categorical

MOST_DENSE = 2**22  # numbers of a basis that is one matrix
Points = tuple[tuple[float, ...], ...]  # of one column: for each bin, its features


@dataclass(frozen=True, repr=False)
class Binned(Categorical):
    """Codes of ordered bins, 0, 1, ... as int32.

    Args:
        sizes: Number of bins of each column, as in `Categorical`.
        points: For each column its bins' features, each a tuple of as many numbers of order one; the second (or only)
            one is the normal score.
        rank: Coefficients a column that a net gives; None: a logit for each bin. Columns with no more bins than that
            have a logit for each.
        waves: For each column how many of its last features are functions with a coefficient of their own; empty: none.
    Raises:
        DeclarationError: points, rank or waves that do not fit sizes.
    """

    ordered: ClassVar[bool] = True

    points: tuple[Points, ...]
    rank: int | None = None
    waves: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        points = tuple(tuple(tuple(map(float, one)) for one in column) for column in self.points)
        object.__setattr__(self, "points", points)
        found = tuple(map(len, points))
        if found != self.packing.sizes:
            raise DeclarationError(f"Binned: points of {found} bins were given for columns of {self.packing.sizes}")
        for i, column in enumerate(points):
            if len({len(one) for one in column}) != 1 or not column[0] or not np.isfinite(column).all():
                raise DeclarationError(f"Binned: each bin of column {i} needs the same number of finite features")

        if self.rank is not None and (isinstance(self.rank, bool) or not isinstance(self.rank, int) or self.rank < 1):
            raise DeclarationError(f"Binned: rank must be a whole number of at least 1 or None, not {self.rank!r}")
        waves = tuple(self.waves)
        object.__setattr__(self, "waves", waves)
        if waves and (self.rank is None or len(waves) != len(found)):
            raise DeclarationError(
                f"Binned: waves {waves} need a rank, and one number for each of {len(found)} columns"
            )

    @property
    def ranks(self) -> tuple[int, ...]:
        """Coefficients of each column."""
        sizes, waves = self.packing.sizes, self.waves or (0,) * len(self.packing.sizes)
        return tuple(n if self.rank is None else min(n, self.rank + w) for n, w in zip(sizes, waves, strict=True))

    @property
    def n_net(self) -> int:
        return sum(self.ranks)

    @property
    def n_raw(self) -> int:
        return self.packing.total if self.rank is None else self.n_net + self.packing.total

    def bases(self) -> Iterator[np.ndarray]:
        """Yield what each coefficient of a column adds to each of its bins' logits, `(rank, bins)`."""
        for points, n, r in zip(self.points, self.packing.sizes, self.ranks, strict=True):
            smoothness = min(r, self.rank or n)
            waves = math.sqrt(2) * np.array(points).T[len(points[0]) - (r - smoothness) :]
            t = np.array([one[min(1, len(one) - 1)] for one in points])
            yield np.eye(n) if r == n else np.concatenate([smooth(t, smoothness), waves])

    def basis(self) -> np.ndarray:
        """Return what each coefficient adds to each bin's logit, `(n_net, total)`."""
        out = np.zeros((self.n_net, self.packing.total), np.float32)
        row = column = 0
        for own in self.bases():
            out[row : row + own.shape[0], column : column + own.shape[1]] = own
            row, column = row + own.shape[0], column + own.shape[1]
        return out

    def blocks(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the basis a column a block, since one matrix of many columns is nearly all zeros.

        Returns:
            `(columns, ranks, bins)` bases, filled with zeros; `(n_net,)` and `(total,)` places of coefficients and of
            logits in `(columns, ranks)` and `(columns, bins)`.
        """
        ranks, bins = max(self.ranks), max(self.packing.sizes)
        out = np.zeros((len(self.ranks), ranks, bins), np.float32)
        for block, own in zip(out, self.bases(), strict=True):
            block[: own.shape[0], : own.shape[1]] = own
        into = [c * ranks + i for c, r in enumerate(self.ranks) for i in range(r)]
        out_of = [c * bins + i for c, n in enumerate(self.packing.sizes) for i in range(n)]
        return out, np.array(into, np.int32), np.array(out_of, np.int32)

    def logits(self, raw: Array) -> Array:
        if self.rank is None:
            return super().logits(raw)
        from_net, constants = jnp.split(raw, [self.n_net])  # not cut: see `scale.location_scale`
        if self.n_net * self.packing.total <= MOST_DENSE:
            return bound(from_net @ jnp.asarray(self.basis(), raw.dtype) + constants, LOGIT_LIMIT)
        blocks, into, out_of = self.blocks()
        columns, ranks, _ = blocks.shape
        padded = jnp.zeros(columns * ranks, raw.dtype).at[into].set(from_net).reshape(columns, 1, ranks)
        own = jnp.matmul(padded, jnp.asarray(blocks, raw.dtype))  # (columns, 1, bins)
        return bound(own.ravel()[out_of] + constants, LOGIT_LIMIT)

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        start = super().fit_raw(values, mask)
        return start if self.rank is None else np.concatenate([np.zeros(self.n_net, np.float32), start])

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of features of each column."""
        return tuple(len(column[0]) for column in self.points)

    @property
    def n_features(self) -> int:
        return sum(self.widths)

    @property
    def feature_sites(self) -> np.ndarray:
        return np.repeat(np.arange(self.n_sites, dtype=np.int32), self.widths)

    def features(self, value: Array) -> Array:
        """Return the numbers of each column's bin, one column after the other, `(n_features,)`."""
        first = np.concatenate([[0], np.cumsum(np.multiply(self.packing.sizes, self.widths))[:-1]])
        rank = np.concatenate([np.arange(n) for n in self.widths])
        table = np.concatenate([np.ravel(column) for column in self.points]).astype(np.float32)
        sites = self.feature_sites
        index = value.reshape(-1)[sites] * np.repeat(self.widths, self.widths) + first[sites] + rank
        return jnp.asarray(table)[index]

    def __repr__(self) -> str:
        return f"Binned({self.sizes}{'' if self.rank is None else f', rank={self.rank}'})"


def smooth(t: np.ndarray, r: int) -> np.ndarray:
    """Return `(r, len(t))` smooth functions of normal scores."""
    u = np.array([NormalDist().cdf(x) for x in t])
    waves = [math.sqrt(2) * np.cos(math.pi * k * u) for k in range(1, r - 1)]
    return np.stack([t, (t**2 - 1) / math.sqrt(2), *waves][:r])
