r"""Classes or bins that may be missing because of what they are.

A site is one of K classes or *missing*, coded K. With $p_k$ the base family's probabilities, $z$ what the net knows of
the row, and a score $t_k$ of each class,

$$\varphi_k = P(\text{missing}\mid k, z) = \sigma\big(h(z) + a\,t_k\big),\qquad
P(k, \text{seen}) = p_k\,(1-\varphi_k),\qquad P(\text{missing}) = \sum_k p_k\,\varphi_k .$$

So the mask is a part of the row, as in not-MIWAE (Ipsen et al. 2021), whose self-masking and row-dependent mechanisms
these are together, but the missing value is summed out exactly instead of drawn. With $a = 0$ cells are missing at
random given z. What a missing cell was follows from $p_k\varphi_k / \sum_j p_j\varphi_j$. For bins of numbers $t_k$ is
where the bin lies, so that $a$ is one slope a column; for classes each has its own constant.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError
from laten.common.numerics import softplus
from laten.common.types import Array, Key
from laten.families.base import Family, Support
from laten.families.binned import Binned
from laten.families.categorical import Categorical
from laten.families.ragged import Packing
from laten.families.sizes import Shape


@dataclass(frozen=True, repr=False)
class Informative(Family):
    """A `Categorical` or `Binned` family with one more code a site, the number of its classes: missing.

    Args:
        base: The family of the values.
    Raises:
        DeclarationError: a base that is neither `Categorical` nor `Binned`.
    """

    models_missing: ClassVar[bool] = True

    base: Categorical

    def __post_init__(self) -> None:
        if not isinstance(self.base, Categorical):
            raise DeclarationError(f"Informative: base must be a Categorical or Binned, not {self.base!r}")

    @property
    def packing(self) -> Packing:
        """How the classes of all columns lie one after the other."""
        return self.base.packing

    @property
    def sizes(self) -> int | tuple[int, ...]:
        """Classes of each site, without missing."""
        return self.base.sizes

    @property
    def shape(self) -> Shape:
        return self.base.shape

    @property
    def n_slopes(self) -> int:
        """Number of slopes: one for each class."""
        return self.n_sites if isinstance(self.base, Binned) else self.packing.total

    @property
    def n_net(self) -> int:
        return self.base.n_net + self.n_sites

    @property
    def n_raw(self) -> int:
        return self.base.n_raw + self.n_sites + self.n_slopes

    @property
    def n_features(self) -> int:
        return self.base.n_features + self.n_sites

    @property
    def feature_sites(self) -> np.ndarray:
        return np.concatenate([self.base.feature_sites, np.arange(self.n_sites, dtype=np.int32)])

    @property
    def support(self) -> Support:
        return Support("classes", tuple(n + 1 for n in self.classes))

    @property
    def classes(self) -> tuple[int, ...]:
        return self.base.classes

    @property
    def dtype(self) -> type:
        return np.int32

    def base_raw(self, raw: Array) -> Array:
        """Return the base family's raw parameters `(base.n_raw,)`: what a net gives it, and its constants."""
        return jnp.concatenate([raw[: self.base.n_net], raw[self.n_net : self.base.n_raw + self.n_sites]])

    def missing(self, raw: Array) -> tuple[Array, Array]:
        """Return log of P(missing | class) and of P(seen | class), packed `(total,)`."""
        slopes = raw[self.base.n_raw + self.n_sites :]
        if isinstance(self.base, Binned):
            score = np.concatenate([[one[0] for one in column] for column in self.base.points])
            slopes = self.packing.spread(slopes) * score.astype(np.float32)
        logit = self.packing.spread(raw[self.base.n_net : self.n_net]) + slopes
        return -softplus(-logit), -softplus(logit)

    def split(self, value: Array) -> tuple[Array, Array]:
        """Return a class within the base's (0 where missing), and whether it is missing, both of `shape`."""
        gone = value >= jnp.asarray(np.array(self.packing.sizes, np.int32)).reshape(self.shape)
        return jnp.where(gone, 0, value), gone

    def log_prob(self, raw: Array, value: Array) -> Array:
        code, gone = self.split(value)
        log_p, (log_missing, log_seen) = self.base.log_probs(self.base_raw(raw)), self.missing(raw)
        seen = self.packing.column_sums((log_p + log_seen) * self.packing.one_hot(code.reshape(-1), raw.dtype))
        lost = jnp.log(jnp.maximum(self.packing.column_sums(jnp.exp(log_p + log_missing)), 1e-30))
        return jnp.where(gone.reshape(-1), lost, seen).reshape(self.shape)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        """Draw the value, seen or not; its log-density is that of a row in which it is seen. Both of `shape`."""
        value = self.base.sample(self.base_raw(raw), key)
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        """Return probabilities of the values, seen or not, packed `(sum of sizes,)`."""
        return self.base.mean(self.base_raw(raw))

    def mean_given(self, raw: Array, value: Array, seen: Array) -> Array:
        """Return the `mean`, packed `(sum of sizes,)`; where a site is known to be missing, given that."""
        p, lost = self.mean(raw), self.mean(raw) * jnp.exp(self.missing(raw)[0])
        lost = lost / self.packing.spread(jnp.maximum(self.packing.column_sums(lost), 1e-30))
        gone = (self.split(value)[1] & seen).reshape(-1)
        return jnp.where(self.packing.spread(gone.astype(jnp.float32)) > 0, lost, p)

    def sample_given(self, raw: Array, key: Key, value: Array, seen: Array) -> Array:
        """Draw a complete value of `shape`: seen sites keep theirs, those known to be missing are drawn given that."""
        noise = random.gumbel(key, (self.packing.total,))
        drawn = self.packing.argmax(jnp.log(jnp.maximum(self.mean_given(raw, value, seen), 1e-30)) + noise)
        code, gone = self.split(value)
        return jnp.where(seen & ~gone, code, drawn.reshape(self.shape))

    def log_mass(self, raw: Array, allowed: Array) -> Array:
        """Return log P(value is allowed) per site, of `shape`, in nats, seen or not.

        A range says nothing of whether the cell was filled.
        """
        return self.base.log_mass(self.base_raw(raw), allowed)

    def sample_allowed(self, raw: Array, key: Key, allowed: Array) -> Array:
        return self.base.sample_allowed(self.base_raw(raw), key, allowed)

    def point(self, mean: Array) -> Array:
        return self.base.point(mean)

    def certain(self, value: Array) -> Array:
        return self.base.certain(self.split(value)[0])

    def mode(self, raw: Array) -> Array:
        return self.base.mode(self.base_raw(raw))

    def features(self, value: Array) -> Array:
        code, gone = self.split(value)
        flag, x = gone.reshape(-1).astype(jnp.float32), self.base.features(code)
        return jnp.concatenate([x * (1 - flag[self.base.feature_sites]), flag])

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Match frequencies and shares of missing cells, with slopes of zero (missing at random): `(n_raw,)`."""
        sizes = np.array(self.packing.sizes).reshape(self.shape)
        gone = np.asarray(values) >= sizes
        seen = np.ones(gone.shape, bool) if mask is None else np.asarray(mask, bool)
        start = self.base.fit_raw(np.where(gone, 0, values), seen & ~gone)
        count = seen.sum(axis=0)
        share = np.ravel(((gone & seen).sum(axis=0) + 0.5) / (count + 1))
        n, logit = self.base.n_net, np.log(share) - np.log1p(-share)
        return np.concatenate([start[:n], logit, start[n:], np.zeros(self.n_slopes)]).astype(np.float32)
