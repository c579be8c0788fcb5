r"""A family seen through a flow: what it draws is mapped by an invertible map with weights of its own.

$$x = f_\theta(u;\, h),\quad u\sim \text{base},\qquad
\log p(x) = \log p_{\text{base}}(u) - \log\Big|\frac{\partial x}{\partial u}\Big| .$$

The weights $\theta$ belong to the family (`Family.body`), not to the raw parameters: these are the base's, and a
context h that a net gives to the flow. Sites depend on one another: the log-density belongs to the vector, and is
spread evenly over its sites so that their sum is right.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError, LatenError, whole
from laten.common.types import Array, Key
from laten.families.base import Family
from laten.families.sizes import Shape

MEAN_DRAWS = 256  # of which a mean is the average


@dataclass(frozen=True, repr=False)
class Transformed(Family):
    """A base family through a flow: `lt.Transformed(lt.Normal(20), lt.Spline(4, 64))`, a prior or a guide's node.

    Args:
        base: A family of real numbers with reparameterised draws.
        flow: `lt.Spline(...)`, `lt.Autoregressive(...)`, or a recipe of your own (`laten.families.flows`).
        context: Numbers that the node's net gives to the flow; 0 for a root.
    Raises:
        DeclarationError: a base of other values, something that is no flow, or a context below 0.
    """

    reparameterised: ClassVar[bool] = True
    weights = None  # not a field: a declaration has none

    base: Family
    flow: Any
    context: int = 0

    def __post_init__(self) -> None:
        base = self.base
        if not (isinstance(base, Family) and base.reparameterised and base.support.kind == "real"):
            raise DeclarationError(
                "Transformed: base must be a family of real numbers with a gradient, such as lt.Normal(20), "
                f"not {base!r}"
            )
        if isinstance(base, Transformed):
            raise DeclarationError(
                f"Transformed: base must be without weights of its own, not {base!r}; one flow of more layers does the "
                "same, such as lt.Spline(8)"
            )
        if not callable(self.flow):
            raise DeclarationError(f"Transformed: flow must be one such as lt.Spline(4, 64), not {self.flow!r}")
        whole("Transformed: context", self.context, 0, DeclarationError)

    @property
    def shape(self) -> Shape:
        return self.base.shape

    @property
    def n_raw(self) -> int:
        return self.base.n_raw + self.context

    @property
    def n_net(self) -> int:
        return self.base.n_net + self.context

    @property
    def moves(self) -> bool:
        return self.base.moves

    @property
    def joint(self) -> bool:
        return True

    @property
    def reference(self) -> Family:
        return self.base.reference

    def body(self, key: Key) -> Any:
        """Build the flow between vectors `(n_sites,)`, and check both of its directions.

        Raises:
            DeclarationError: one returns something else.
        """
        module = self.flow(self.n_sites, self.context, key)
        vectors = [jax.ShapeDtypeStruct((n,), jnp.float32) for n in (self.n_sites, self.context)]
        for way in ("__call__", "inverse"):
            try:
                out = eqx.filter_eval_shape(lambda m, u, c, way=way: getattr(m, way)(u, c), module, *vectors)
            except Exception as error:  # whatever a flow of the user's raises, or a net that is no flow
                raise DeclarationError(
                    f"{self!r}: its flow's {way}(vector, context) fails: {error}; use a flow such as lt.Spline(4, 64)"
                ) from error
            if not isinstance(out, tuple | list) or [jnp.shape(x) for x in out] != [(self.n_sites,), ()]:
                raise DeclarationError(
                    f"{self!r}: its flow's {way} must return a vector ({self.n_sites},) and one log-slope, not {out}; "
                    "use a flow such as lt.Spline(4, 64)"
                )
        return module

    def bound(self, body: Any) -> "Bound":
        return Bound(self.base, self.flow, self.context, body)

    def split(self, raw: Array) -> tuple[Array, Array]:
        """Return the base's raw parameters `(base.n_raw,)` and the flow's context `(context,)`."""
        net, context, constants = jnp.split(raw, [self.base.n_net, self.n_net])
        return jnp.concatenate([net, constants]), context

    def through(self, u: Array, context: Array) -> tuple[Array, Array]:
        """Map a value of the base, of `shape`, and return the log-slope as well.

        Raises:
            LatenError: the family is a declaration, without weights.
        """
        if self.weights is None:
            raise LatenError(f"{self!r} has weights; ask the node of a model: model.p[name].distribution")
        x, slope = self.weights(jnp.ravel(u), context)
        return x.reshape(self.shape), slope

    def spread(self, log_u: Array, slope: Array) -> Array:
        """Return the log-density of the vector, spread evenly over its sites, of `shape`."""
        return jnp.full(self.shape, (jnp.sum(log_u) - slope) / self.n_sites)

    def log_prob(self, raw: Array, value: Array) -> Array:
        """Return the log-density of the vector, spread evenly over its sites, in nats, of `shape`.

        Raises:
            LatenError: the family is a declaration, without weights.
        """
        if self.weights is None:
            raise LatenError(f"{self!r} has weights; ask the node of a model: model.p[name].distribution")
        base_raw, context = self.split(raw)
        u, slope = self.weights.inverse(jnp.ravel(value), context)
        return self.spread(self.base.log_prob(base_raw, u.reshape(self.shape)), slope)

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        base_raw, context = self.split(raw)
        u, log_u = self.base.sample_and_log_prob(base_raw, key)
        value, slope = self.through(u, context)
        return value, self.spread(log_u, slope)

    def mean(self, raw: Array) -> Array:
        """Return the average of 256 draws, always the same ones, of `shape`: there is no closed form."""
        base_raw, context = self.split(raw)
        keys = random.split(random.key(0), MEAN_DRAWS)
        draws = jax.vmap(lambda k: self.through(self.base.sample(base_raw, k), context)[0])(keys)
        return jnp.mean(draws, axis=0)

    def mode(self, raw: Array) -> Array:
        """Return the base's mode, mapped, of `shape`: near the middle of the values, not their densest place."""
        base_raw, context = self.split(raw)
        return self.through(self.base.mode(base_raw), context)[0]

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        return self.padded(self.base.fit_raw(values, mask))

    def fresh_raw(self, rng: np.random.Generator) -> np.ndarray:
        return self.padded(self.base.fresh_raw(rng))

    def padded(self, raw: np.ndarray) -> np.ndarray:
        """Put a context of zeros into the base's raw parameters: `(base.n_raw,)` to `(n_raw,)`."""
        return np.insert(raw, self.base.n_net, np.zeros(self.context, raw.dtype))

    def guide(self) -> Family:
        return self.base.guide()


@dataclass(frozen=True, repr=False, eq=False)
class Bound(Transformed):
    """A `Transformed` with the weights of its flow: what a model asks."""

    weights: Any = field(default=None, repr=False)
