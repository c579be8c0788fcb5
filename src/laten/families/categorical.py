r"""The categorical family: one of $K_c$ classes in each of several ragged columns, packed in one vector.

With logits $l_{ci}$, smoothly bounded to $\pm 30$ so that no exponential overflows,

$$\log p(k)_c = l_{ck} - \log\sum_i e^{l_{ci}},\qquad \mathrm{KL}_c = \sum_i p_{ci}\,(\log p_{ci} - \log p'_{ci}).$$

A draw is the largest of logits plus Gumbel noise; a relaxed one has, for its gradient alone, the softmax of the same
sums divided by a temperature (straight-through Gumbel-softmax, Jang et al. 2017). See `ragged.py` for sums over ragged
columns.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.numerics import LOGIT_LIMIT, bound, unbound
from laten.common.types import Array, Key
from laten.families.base import TEMPERATURE, Family
from laten.families.classes import Classes
from laten.families.same_density import has_density_of


@dataclass(frozen=True, repr=False)
class Categorical(Classes):
    """Unordered classes, coded 0, 1, ... as int32.

    Args:
        sizes: Number of classes. `10`: one code, shape `()`; `(8, 3, 41)`: three codes, shape `(3,)`.
    Raises:
        DeclarationError: a number of classes below 2.
    """

    @property
    def n_raw(self) -> int:
        return self.packing.total

    @property
    def n_features(self) -> int:
        return self.packing.total

    def logits(self, raw: Array) -> Array:
        """Return the bounded logits, packed `(total,)`."""
        return bound(raw, LOGIT_LIMIT)

    def log_prob(self, raw: Array, value: Array) -> Array:
        logit = self.logits(raw)
        chosen = self.packing.column_sums(logit * self.weights(value).astype(raw.dtype))
        return (chosen - jnp.log(self.packing.column_sums(jnp.exp(logit)))).reshape(self.shape)

    def log_probs(self, raw: Array) -> Array:
        """Return the log-probability of every class, packed `(total,)`, in nats."""
        logit = self.logits(raw)
        return logit - self.packing.spread(jnp.log(self.packing.column_sums(jnp.exp(logit))))

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        noise = random.gumbel(key, (self.packing.total,))
        value = self.packing.argmax(self.logits(raw) + noise).reshape(self.shape)
        return value, self.log_prob(raw, value)

    def sample_relaxed(self, raw: Array, key: Key) -> Array:
        noise = random.gumbel(key, (self.packing.total,))
        height = (self.logits(raw) + noise) / TEMPERATURE
        hard = self.packing.one_hot(self.packing.argmax(height), raw.dtype)
        top = self.packing.spread(self.packing.column_sums(height * hard))
        weight = jnp.exp(height - jax.lax.stop_gradient(top))
        soft = weight / self.packing.spread(self.packing.column_sums(weight))
        return hard + soft - jax.lax.stop_gradient(soft)

    def point(self, mean: Array) -> Array:
        return self.packing.argmax(mean).reshape(self.shape)

    def mode(self, raw: Array) -> Array:
        return self.packing.argmax(self.logits(raw)).reshape(self.shape)

    def kl(self, raw: Array, other: Family, other_raw: Array) -> Array | None:
        if not (has_density_of(self, Categorical) and has_density_of(other, Categorical)):
            return None
        log_p, log_q = self.log_probs(raw), other.log_probs(other_raw)
        return self.packing.column_sums(jnp.exp(log_p) * (log_p - log_q)).reshape(self.shape)

    def weights(self, value: Array) -> Array:
        """Return one-hot columns `(total,)`; draws of `sample_relaxed` are weights already."""
        return value if value.shape != self.shape else self.packing.one_hot(value.reshape(-1), jnp.float32)

    def features(self, value: Array) -> Array:
        return self.weights(value)

    @property
    def feature_sites(self) -> np.ndarray:
        return self.packing.sites

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        log_p = np.log(self.packing.frequencies(values, mask))
        centre = np.bincount(self.packing.sites, log_p) / np.array(self.packing.sizes)
        return unbound(log_p - centre[self.packing.sites], LOGIT_LIMIT).astype(np.float32)
