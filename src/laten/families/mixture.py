r"""A mixture at each site: $k$ components of one family of numbers, with weights of their own.

$$\log p(x) = \log\sum_{j=1}^k w_j\, p_j(x),\qquad w = \mathrm{softmax}(l),\qquad F(x) = \sum_j w_j F_j(x).$$

Raw parameters hold the logits $l$ (k a site), then what a net gives each component, then the constants of each.
The quantile lies between the least and the greatest of the components' quantiles; bisection on $F$ finds it. Components
start on successive slices of the data, equally many rows in each: they differ, and the mixture has the data's moments.

Where sites of the last axis choose one component `together`, as the colours of a pixel should, with $c$ of them

$$\log p(x_1,\dots,x_c) = \log\sum_j w_j\prod_i p_j(x_i),$$

spread evenly over the group, $l$ the mean of its sites' logits. Then a group is seen whole or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError
from laten.common.numerics import bisect
from laten.common.types import Array, Key
from laten.families.base import Family, Support
from laten.families.column_moments import observed
from laten.families.sizes import Shape, as_count


@dataclass(frozen=True, repr=False)
class Mixture(Family):
    """Independent sites, each a mixture of `k` components.

    Args:
        component: Any family of numbers at independent sites, such as `Normal`, `StudentT`, `LogNormal`, `Poisson`; its
            size is the mixture's.
        k: Number of components.
        together: Whether sites along the last axis choose one component together, as channels of a pixel.
    Raises:
        DeclarationError: a component of classes, of joint sites, without a density or for guides; `k` below 1, or no
            axis.
    """

    component: Family
    k: int
    together: bool = False

    def __post_init__(self) -> None:
        part = self.component
        alone = isinstance(part, Family) and not part.joint and part.beside is None
        if not (alone and part.has_density and part.classes is None) or part.is_input or part.starts_from_p:
            raise DeclarationError(
                "Mixture: component must be a family of numbers at independent sites, such as Normal, StudentT, "
                f"LogNormal or Poisson: lt.Mixture(lt.Normal(12), 5), not {part!r}"
            )
        object.__setattr__(self, "k", as_count(self.k, "Mixture", "k", least=1))
        if self.together and not part.shape:
            raise DeclarationError(f"Mixture: together=True needs an axis, and {part!r} has one site without any")

    @property
    def shape(self) -> Shape:
        return self.component.shape

    @property
    def support(self) -> Support:
        return self.component.support

    @property
    def moves(self) -> bool:
        return self.component.moves

    @property
    def joint(self) -> bool:
        return self.together

    @property
    def n_raw(self) -> int:
        return self.k * (self.n_sites + self.component.n_raw)

    @property
    def n_net(self) -> int:
        return self.k * (self.n_sites + self.component.n_net)

    @property
    def neutral(self) -> float:
        return self.component.neutral

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        """Return log-weights `(k, *shape)` and the components' raw parameters `(k, component.n_raw)`."""
        n_logits = self.k * self.n_sites
        logits, from_net, constants = jnp.split(raw, [n_logits, self.n_net])  # not cut: see `scale.location_scale`
        log_w = jax.nn.log_softmax(self.grouped(jnp.mean, logits.reshape(self.k, *self.shape)), axis=0)
        from_net = from_net.reshape(self.k, self.component.n_net)
        constants = constants.reshape(self.k, self.component.n_raw - self.component.n_net)
        return log_w, jnp.concatenate([from_net, constants], axis=1)

    def grouped(self, how: Callable[..., Array], x: Array) -> Array:
        """Add up or average `(k, *shape)` over the sites that choose together, and give each of them the result."""
        return jnp.broadcast_to(how(x, axis=-1, keepdims=True), x.shape) if self.together else x

    def log_prob(self, raw: Array, value: Array) -> Array:
        log_w, raws = self.parameters(raw)
        parts = self.grouped(jnp.sum, jax.vmap(self.component.log_prob, (0, None))(raws, value))
        log_p = jax.nn.logsumexp(log_w + parts, axis=0)
        return log_p / self.shape[-1] if self.together else log_p

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        log_w, raws = self.parameters(raw)
        choice_key, draw_key = random.split(key)
        noise = random.gumbel(choice_key, (*log_w.shape[:-1], 1) if self.together else log_w.shape)
        draws = jax.vmap(self.component.sample)(raws, random.split(draw_key, self.k))
        value = _pick(draws, jnp.argmax(log_w + noise, axis=0))
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        log_w, raws = self.parameters(raw)
        return jnp.sum(jnp.exp(log_w) * jax.vmap(self.component.mean)(raws), axis=0)

    def point(self, mean: Array) -> Array:
        return self.component.point(mean)

    def mode(self, raw: Array) -> Array:
        """Return the best of the components' modes, of `shape` (exact when components are well apart)."""
        modes = jax.vmap(self.component.mode)(self.parameters(raw)[1])
        return _pick(modes, jnp.argmax(jax.vmap(self.log_prob, (None, 0))(raw, modes), axis=0))

    def cdf(self, raw: Array, value: Array) -> Array:
        log_w, raws = self.parameters(raw)
        return jnp.sum(jnp.exp(log_w) * jax.vmap(self.component.cdf, (0, None))(raws, value), axis=0)

    def quantile(self, raw: Array, p: Array) -> Array:
        p = jnp.broadcast_to(p, self.shape)
        ends = jax.vmap(self.component.quantile, (0, None))(self.parameters(raw)[1], p)
        return self.point(bisect(lambda x: self.cdf(raw, x), p, jnp.min(ends, axis=0), jnp.max(ends, axis=0), 160))

    def features(self, value: Array) -> Array:
        return self.component.features(value)

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        values = np.asarray(values)
        seen = observed(values, mask)
        order = np.argsort(np.where(seen, values, np.inf), axis=0, kind="stable")  # hidden rows last
        rank = np.argsort(order, axis=0, kind="stable")
        part = np.where(seen, rank * self.k // np.maximum(seen.sum(axis=0), 1), -1)
        slices = [np.where((part == j).any(axis=0), part == j, seen) for j in range(self.k)]  # too few rows: all
        raws = [self.component.fit_raw(values, piece) for piece in slices]
        n_net = self.component.n_net
        pieces = [np.zeros(self.k * self.n_sites), *(r[:n_net] for r in raws), *(r[n_net:] for r in raws)]
        return np.concatenate(pieces).astype(np.float32)

    def guide(self) -> Family:
        return self.component.guide()


def _pick(choices: Array, index: Array) -> Array:
    """Return `choices[index]` site by site: `(k, *shape)`, `shape` -> `shape`."""
    return jnp.take_along_axis(choices, index[None], axis=0)[0]
