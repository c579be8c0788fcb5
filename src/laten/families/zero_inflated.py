r"""Counts with more zeros than a family of counts has: with probability $\pi$ a site is zero whatever the family says.

$$p(0) = \pi + (1-\pi) f(0),\qquad p(v) = (1-\pi) f(v)\ \text{ for } v > 0,\qquad \pi = \sigma(g).$$

Raw parameters hold what a net gives the family, the logits $g$ (one a site), then the family's constants. With
$\log(1-\pi) = -\mathrm{softplus}(g)$, $\log p(0) = \log(e^g + f(0)) - \mathrm{softplus}(g)$: nothing cancels.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError
from laten.common.numerics import LOGIT_LIMIT, bound
from laten.common.types import Array, Key
from laten.families.base import Family, Support
from laten.families.sizes import Shape

FEW = -3.0  # logit of where extra zeros start: one site in twenty


@dataclass(frozen=True, repr=False)
class ZeroInflated(Family):
    """Independent counts of a family, any of them zero by chance as well.

    Args:
        of: `Poisson` or `NegativeBinomial`; its size is this one's.
    Raises:
        DeclarationError: a family that is not of counts.
    """

    of: Family

    def __post_init__(self) -> None:
        known = isinstance(self.of, Family) and self.of.support.kind == "counts"
        if not known or isinstance(self.of, ZeroInflated):
            raise DeclarationError(
                "ZeroInflated: the family must be one of counts, such as lt.ZeroInflated(lt.NegativeBinomial(12)), "
                f"not {self.of!r}"
            )

    @property
    def shape(self) -> Shape:
        return self.of.shape

    @property
    def support(self) -> Support:
        return self.of.support

    @property
    def beside(self) -> str | None:
        return self.of.beside

    @property
    def fits_sparse(self) -> bool:
        return self.of.fits_sparse

    @property
    def n_raw(self) -> int:
        return self.n_sites + self.of.n_raw

    @property
    def n_net(self) -> int:
        return self.n_sites + self.of.n_net

    def parts(self, raw: Array) -> tuple[Array, Array]:
        """Return the logit of an extra zero, of `shape`, and the family's raw parameters."""
        inner, gate, rest = jnp.split(raw, [self.of.n_net, self.n_net])
        return bound(gate.reshape(self.shape), LOGIT_LIMIT), jnp.concatenate([inner, rest])

    def log_prob(self, raw: Array, value: Array) -> Array:
        gate, inner = self.parts(raw)
        log_p = self.of.log_prob(inner, value)
        return _with_zeros(gate, log_p, value)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        gate, inner = self.parts(raw)
        zero_key, count_key = random.split(key)
        extra = random.uniform(zero_key, self.shape) < jax.nn.sigmoid(gate)
        value = jnp.where(extra, 0.0, self.of.sample(inner, count_key))
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        gate, inner = self.parts(raw)
        return jax.nn.sigmoid(-gate) * self.of.mean(inner)

    def mode(self, raw: Array) -> Array:
        mode = self.of.mode(self.parts(raw)[1])
        zero = self.log_prob(raw, jnp.zeros(self.shape)) >= self.log_prob(raw, mode)
        return jnp.where(zero, 0.0, mode)

    def cdf(self, raw: Array, value: Array) -> Array:
        gate, inner = self.parts(raw)
        share = jax.nn.sigmoid(gate)
        return jnp.where(value < 0, 0.0, share + (1 - share) * self.of.cdf(inner, value))

    def quantile(self, raw: Array, p: Array) -> Array:
        gate, inner = self.parts(raw)
        rest = 1 - (1 - jnp.broadcast_to(p, self.shape)) * (1 + jnp.exp(gate))  # (p - share) / (1 - share)
        return jnp.where(rest <= 0, 0.0, self.of.quantile(inner, jnp.clip(rest, 1e-7, 1 - 1e-7)))

    def shares(self, raw: Array) -> Array:
        """Return what share of a row's total each site is expected to be, of `shape`, extra zeros apart.

        Raises:
            DeclarationError: the family has no totals.
        """
        return self.of.shares(self.parts(raw)[1])

    def features(self, value: Array) -> Array:
        return self.of.features(value)

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        n = self.of.n_net
        inner, constants = np.split(self.of.fit_raw(values, mask), [n])
        return np.concatenate([inner, np.full(self.n_sites, FEW), constants]).astype(np.float32)


@jax.custom_jvp
def _with_zeros(gate: Array, log_p: Array, value: Array) -> Array:
    """Return log p where a site is zero by chance as well.

    Derivatives are written out, and `log1p` is not used, whose last digits are lost beside a nat: less work a site.
    """
    zero = value == 0
    most = jnp.where(zero, jnp.maximum(gate, log_p), log_p)
    return most + jnp.where(zero, _rest(gate - log_p), 0.0) - (jnp.maximum(gate, 0) + _rest(gate))


@_with_zeros.defjvp
def _with_zeros_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    gate, log_p, value = primals
    extra = jnp.where(value == 0, jax.nn.sigmoid(gate - log_p), 0.0)  # that a zero is one by chance
    moved = (extra - jax.nn.sigmoid(gate)) * tangents[0] + (1 - extra) * tangents[1]
    return _with_zeros(*primals), moved


def _rest(x: Array) -> Array:
    """Return log(1 + exp(-|x|)), what log(e^a + e^b) of a - b = x has above its larger term, to the digits of 1."""
    return jnp.log(1 + jnp.exp(-jnp.abs(x)))
