r"""Vector quantisation: latents that are vectors of a codebook (van den Oord et al. 2017).

P's node draws codes, $p(c) = \prod_s \pi_{s, c_s}$ with learned $\pi$, and its value are their vectors $e_{c_s}$: so
log p and samples are those of any network. The guide puts all mass on the code nearest to what its net says, $h_s$:

$$z_s = e_{c_s},\quad c_s = \arg\min_c\lVert h_s - e_c\rVert,\qquad \log q = 0 .$$

The gradient of z goes to h as it is (straight through), and $\log q$, which is zero, has the gradient of
$\lVert\mathrm{sg}(h) - e\rVert^2 + \beta\lVert h - \mathrm{sg}(e)\rVert^2$: the codebook follows the net, and the net
stays near it, whatever bound is climbed. A log p(x) from guide draws is that of the one code alone, a lower bound.
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError, LatenError, number
from laten.common.numerics import host_rng, on_device
from laten.common.types import Array, Key
from laten.families.base import Family, Support
from laten.families.same_density import has_density_of
from laten.families.sizes import Shape, as_count, as_shape

START = 0.3  # standard deviation of the codebook's numbers: about what a new net puts out
ELSEWHERE = -1e30  # log q of what is not the nearest code
SAME = 1e-3  # by how much a code may be off, in rounding


@dataclass(frozen=True, repr=False)
class Vectors(Family):
    """What a codebook's node and its guide share: sites that are vectors."""

    walks: ClassVar[bool] = False

    size: int | Shape
    dim: int = 8

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", as_shape(self.size, type(self).__name__))
        object.__setattr__(self, "dim", as_count(self.dim, type(self).__name__, "dim", least=1))

    @property
    def places(self) -> int:
        """Number of codes in a value."""
        return math.prod(self.size)  # type: ignore[arg-type]

    @property
    def shape(self) -> Shape:
        return (*self.size, self.dim)  # type: ignore[misc]

    @property
    def joint(self) -> bool:
        return True

    @property
    def support(self) -> Support:
        return Support("vectors", (self.dim,))

    def as_rows(self, value: Array) -> Array:
        """Return the vectors of a value, `(places, dim)`."""
        return value.reshape(self.places, self.dim)

    def spread(self, by_place: Array) -> Array:
        """Return a log-density of each place, evenly over the numbers of its vector, of `shape`."""
        return jnp.broadcast_to(by_place[:, None] / self.dim, (self.places, self.dim)).reshape(self.shape)


@dataclass(frozen=True, repr=False)
class Quantised(Vectors):
    """Vectors of a learned codebook, with a learned chance of each code at each place: a prior.

    Args:
        size: Number of places, or their shape; a value has the shape `(*size, dim)`.
        dim: Numbers of a vector.
        codes: Vectors of the codebook.
    Raises:
        DeclarationError: a number that is no whole number of at least 1; fewer than two codes.
    """

    weights = None  # not a field: a declaration has none

    codes: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "codes", as_count(self.codes, "Quantised", "codes", least=2))

    @property
    def n_raw(self) -> int:
        return self.places * self.codes

    def body(self, key: Key) -> Any:
        rng, shape = host_rng(key), (self.codes, self.dim)
        if rng is None:
            return jnp.zeros(shape, jnp.float32)
        return on_device(rng.standard_normal(shape, np.float32) * np.float32(START))

    def bound(self, body: Any) -> Family:
        return Bound(self.size, self.dim, self.codes, body)

    def nearest(self, vectors: Array) -> Array:
        """Return the code `(places,)` nearest to each of `(places, dim)` vectors.

        Raises:
            LatenError: the family is a declaration, without a codebook.
        """
        book = jax.lax.stop_gradient(self.codebook)
        vectors = jax.lax.stop_gradient(vectors)
        exact = jax.lax.Precision.HIGHEST  # rounded operands would take another code
        crossed = jnp.matmul(vectors, book.T, precision=exact)
        return jnp.argmin(jnp.sum(jnp.square(book), axis=1)[None] - 2 * crossed, axis=1)

    @property
    def codebook(self) -> Array:
        """The vectors `(codes, dim)`.

        Raises:
            LatenError: the family is a declaration.
        """
        if self.weights is None:
            raise LatenError(f"{self!r} has weights; ask the node of a model: model.p[name].distribution")
        return self.weights

    def log_chances(self, raw: Array) -> Array:
        """Return log-probabilities `(places, codes)`."""
        return jax.nn.log_softmax(raw.reshape(self.places, self.codes), axis=1)

    def log_prob(self, raw: Array, value: Array) -> Array:
        """Return the log-probability of the nearest codes, evenly over the numbers of each, in nats, of `shape`."""
        code = self.nearest(self.as_rows(value))
        return self.spread(jnp.take_along_axis(self.log_chances(raw), code[:, None], axis=1)[:, 0])

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        log_p = self.log_chances(raw)
        code = jnp.argmax(log_p + random.gumbel(key, log_p.shape), axis=1)
        chosen = jnp.take_along_axis(log_p, code[:, None], axis=1)[:, 0]
        return self.codebook[code].reshape(self.shape), self.spread(chosen)

    def mean(self, raw: Array) -> Array:
        return (jnp.exp(self.log_chances(raw)) @ self.codebook).reshape(self.shape)

    def mode(self, raw: Array) -> Array:
        return self.codebook[jnp.argmax(self.log_chances(raw), axis=1)].reshape(self.shape)

    def guide(self) -> Family:
        return Nearest(self.size, self.dim)


@dataclass(frozen=True, repr=False, eq=False)
class Bound(Quantised):
    """A `Quantised` with its codebook: what a model asks."""

    weights: Any = field(default=None, repr=False)


@dataclass(frozen=True, repr=False)
class Nearest(Vectors):
    """The guide of `lt.Quantised`: the code nearest to what the net says.

    Args:
        size, dim: As there.
        commitment: β, how strongly the net is held near its code.
    Raises:
        DeclarationError: a number out of range.
    """

    reparameterised: ClassVar[bool] = True
    starts_from_p: ClassVar[bool] = True
    one_value: ClassVar[bool] = True

    commitment: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (number(self.commitment) and self.commitment >= 0):
            raise DeclarationError(f"Nearest: commitment must be finite and at least 0, not {self.commitment!r}")

    @property
    def n_raw(self) -> int:
        return 2 * self.n_sites

    @property
    def n_net(self) -> int:
        return self.n_sites

    def can_start_from(self, p: Family) -> bool:
        return has_density_of(p, Quantised)

    def finish(self, raw: Array, p: Family, p_raw: Array) -> Array:
        """Return what the net says, and the codes' vectors after it, `(n_raw,)`."""
        assert isinstance(p, Quantised)
        said = raw[: self.n_sites]
        return jnp.concatenate([said, jnp.ravel(p.codebook[p.nearest(self.as_rows(said))])])

    def log_prob(self, raw: Array, value: Array) -> Array:
        """Return zeros of `shape`, in nats, with the gradient that teaches codebook and net; elsewhere -1e30."""
        said, code = (part.reshape(self.shape) for part in jnp.split(raw, 2))
        still = jax.lax.stop_gradient
        cost = jnp.square(still(said) - code) + self.commitment * jnp.square(said - still(code))
        off = jnp.abs(still(value) - still(code)) > SAME * (1 + jnp.abs(still(code)))
        return jnp.where(jnp.any(off), ELSEWHERE / self.n_sites, cost - still(cost))

    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        said, code = (part.reshape(self.shape) for part in jnp.split(raw, 2))
        value = said + jax.lax.stop_gradient(code - said)
        return value, self.log_prob(raw, value)

    def mean(self, raw: Array) -> Array:
        return raw[self.n_sites :].reshape(self.shape)

    def mode(self, raw: Array) -> Array:
        return self.mean(raw)
