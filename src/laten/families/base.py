r"""What a variable may be.

A family is a declaration: a frozen, hashable description of one node's values. It sees **one example**. Its
parameters arrive as one flat vector `raw` of `n_raw` real numbers without constraints; the first `n_net` come from a
net, the rest are constants learned per site. Every family is a normalised density over independent *sites*:

$$\log p(\text{value}\mid\text{raw}) = \sum_{s}\texttt{log\_prob}(\text{raw}, \text{value})_s$$

with every constant included, so that log p can be compared between models. `shape` is the event shape *and* the
shape of sites: a value of a `Categorical((8, 3, 41))` is three integer codes.
"""

import abc
import math
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError
from laten.common.types import Array, Key
from laten.families.sizes import Shape

SMALLEST = 1e-30  # of a probability, in float32
TEMPERATURE = 0.5  # of relaxed draws of classes


class Support(NamedTuple):
    """The values that a site can take. Families of equal support may stand for each other.

    Args:
        kind: `real`, `positive`, `counts` (0, 1, 2, ...), `levels` (whole numbers between two ends), `binary` (0 and
            1, as numbers) or `classes` (codes from 0); a family may add a word of its own.
        sizes: Of classes: the number of codes of each site. Of levels: the smallest and the largest.
    """

    kind: str
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, repr=False)
class Family(abc.ABC):
    """One node's distribution. Subclasses are final; their fields are their whole state.

    The class attributes below say what the rest of the library asks of a family; no file outside this folder asks
    which family it has.
    """

    has_density: ClassVar[bool] = True  # False: the parents fix the value (`Deterministic`)
    reparameterised: ClassVar[bool] = False  # draws carry a gradient, so that a guide of this family can learn
    standard_root: ClassVar[bool] = False  # a root that does not say whether it learns stays at raw zero
    models_missing: ClassVar[bool] = False  # a missing cell is one of the values (`Informative`)
    starts_from_p: ClassVar[bool] = False  # in a guide: `finish` is told what P says of the node (`Relative`)
    made_of_guide: ClassVar[bool] = False  # a root: raw parameters are the guide's at pseudo-rows (`Vamp`)
    one_value: ClassVar[bool] = False  # in a guide: all mass on one value, which the row settles (`Nearest`)
    walks: ClassVar[bool] = True  # annealing and HMC can walk over its values, by `to_real` and `from_real`
    is_input: ClassVar[bool] = False  # every row gives the value, and nothing draws it (`Given`)
    ordered: ClassVar[bool] = False  # codes lie on a line (`Binned`, `Ordinal`)

    @property
    @abc.abstractmethod
    def shape(self) -> Shape:
        """Event shape, which is also the shape of sites."""

    @property
    @abc.abstractmethod
    def n_raw(self) -> int:
        """Length of the raw parameter vector."""

    @property
    def n_net(self) -> int:
        """Number of raw parameters that a net supplies (the first ones); the rest are learned constants."""
        return self.n_raw

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return math.prod(self.shape)

    @property
    def n_features(self) -> int:
        """Length of `features`."""
        return self.n_sites

    @property
    def n_states(self) -> int | None:
        """Number of values of the whole event when finite, else None."""
        return None

    @property
    def support(self) -> Support:
        """The values that a site can take."""
        return Support("real")

    @property
    def moves(self) -> bool:
        """Whether values that are moved and stretched are of the same family: then arrays of them are standardised."""
        return False

    @property
    def one_unit(self) -> bool:
        """Whether arrays that are standardised have one unit for all sites, as one scale for all of them needs."""
        return False

    @property
    def classes(self) -> tuple[int, ...] | None:
        """Number of classes of each site, which `chances` packs; None for numbers."""
        return None

    @property
    def beside(self) -> str | None:
        """Name of the parent whose one feature is the last raw parameter, past the net and without a constant."""
        return None

    @property
    def fits_sparse(self) -> bool:
        """Whether `fit_raw` takes `SparseRows`; others are handed these filled up."""
        return False

    @property
    def joint(self) -> bool:
        """Whether sites depend on one another, so that the event is seen whole or not at all."""
        return False

    @property
    def dtype(self) -> type:
        """NumPy scalar type of a value."""
        return np.float32

    @property
    def neutral(self) -> float:
        """A value inside the support, put where a site is hidden."""
        return 0.0

    @abc.abstractmethod
    def log_prob(self, raw: Array, value: Array) -> Array:
        """Return the log-density (or log-mass) per site, in nats.

        Args:
            raw: `(n_raw,)` raw parameters.
            value: `shape`.
        Returns:
            Array of `shape`.
        """

    @abc.abstractmethod
    def sample_and_log_prob(self, raw: Array, key: Key) -> tuple[Array, Array]:
        """Draw one value, and return it with its log-density per site, both of `shape`."""

    def sample(self, raw: Array, key: Key) -> Array:
        """Draw one value of `shape`."""
        return self.sample_and_log_prob(raw, key)[0]

    def sample_relaxed(self, raw: Array, key: Key) -> Array:
        """Draw classes, as weights of its features `(n_features,)` that carry the gradient of a softmax.

        Raises:
            DeclarationError: the family has no relaxed draws.
        """
        raise DeclarationError(f"{self!r} has no relaxed draws; Categorical and Bernoulli have")

    @abc.abstractmethod
    def mean(self, raw: Array) -> Array:
        """Return the expected value: `shape` for numbers; class probabilities, packed `(sum of sizes,)`, for classes.

        Means of several draws may be averaged; `point` turns the average into a value.
        """

    def mean_given(self, raw: Array, value: Array, seen: Array) -> Array:
        """Return the `mean`, as packed there, given which sites are seen and their values, both of `shape`.

        It differs from `mean` where that tells more (`Informative`).
        """
        return self.mean(raw)

    def chances(self, mean: Array) -> Array:
        """Return the probabilities of all `classes`, packed site after site, `(sum of classes,)`, from a `mean`."""
        return mean

    def point(self, mean: Array) -> Array:
        """Return the value of `shape` that a (possibly averaged) `mean` stands for."""
        return mean

    def certain(self, value: Array) -> Array:
        """Return the `mean` of a value of `shape` that is known for sure: itself, or for classes one-hot."""
        return value

    def sample_given(self, raw: Array, key: Key, value: Array, seen: Array) -> Array:
        """Draw one value of `shape` that agrees with what is known: seen sites keep their values."""
        return jnp.where(seen, value, self.sample(raw, key))

    def to_real(self, value: Array) -> Array:
        """Map a value to real numbers of `shape`, in which annealing and HMC walk."""
        return value

    def from_real(self, u: Array) -> tuple[Array, Array]:
        """Return the value that `to_real` maps to `u`, and log |d value / d u| per site, both of `shape`."""
        return u, jnp.zeros(self.shape)

    @abc.abstractmethod
    def mode(self, raw: Array) -> Array:
        """Return a most probable value, of `shape`."""

    def quantile(self, raw: Array, p: Array) -> Array:
        """Return the value of `shape` at probability `p` per site (`p` broadcasts to `shape`).

        Raises:
            DeclarationError: the family has no quantile function.
        """
        raise DeclarationError(f"{self!r} has no quantile function; draw samples instead")

    def cdf(self, raw: Array, value: Array) -> Array:
        """Return P(site <= value) per site, of `shape`.

        Raises:
            DeclarationError: the family has none.
        """
        raise DeclarationError(f"{self!r} has no cumulative distribution function; draw samples instead")

    def log_mass(self, raw: Array, allowed: Array) -> Array:
        """Return log P(site is allowed) per site, of `shape`, in nats: what a range or a list adds to a log-weight.

        Args:
            allowed: `(2, *shape)`, the ends of a closed interval, infinite where open. For classes: `(total,)` shares
                in [0, 1] of each class that are allowed, packed.
        """
        mass = self.cdf(raw, allowed[1]) - self.cdf(raw, allowed[0])
        return jnp.where(jnp.isinf(allowed).all(axis=0), 0.0, jnp.log(jnp.maximum(mass, SMALLEST)))

    def sample_allowed(self, raw: Array, key: Key, allowed: Array) -> Array:
        """Draw one value of `shape` from what is allowed (see `log_mass`)."""
        low, high = self.cdf(raw, allowed[0]), self.cdf(raw, allowed[1])
        u = low + (high - low) * jnp.clip(random.uniform(key, self.shape), 1e-6, 1 - 1e-6)
        return jnp.clip(self.quantile(raw, jnp.clip(u, 1e-6, 1 - 1e-6)), allowed[0], allowed[1])

    def kl(self, raw: Array, other: "Family", other_raw: Array) -> Array | None:
        """Return KL(self(raw) ‖ other(other_raw)) per site, of `shape`, in nats; None without a closed form."""
        return None

    def shares(self, raw: Array) -> Array:
        """Return what share of a row's total each site is expected to be, of `shape`.

        Raises:
            DeclarationError: the family has no totals.
        """
        raise DeclarationError(f"{self!r} has no total; counts have, as in lt.Poisson(12, total='library')")

    def features(self, value: Array) -> Array:
        """Return what a net sees of `value`: `(n_features,)` floats of order one."""
        return jnp.ravel(value)

    @property
    def feature_sites(self) -> np.ndarray | None:
        """`(n_features,)` index of the site behind each feature; None when features are sites, in order."""
        return None

    def states(self) -> np.ndarray:
        """List all values of the event, `(n_states, *shape)`, when they are finite.

        Raises:
            DeclarationError: the values are not finitely many, or too many to list.
        """
        raise DeclarationError(f"{self!r} has no finite list of states")

    def fit_raw(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Return raw parameters `(n_raw,)` that match the columns of data: where training starts.

        Args:
            values: `(rows, *shape)`.
            mask: `(rows, *shape)`, True where observed.
        """
        return np.zeros(self.n_raw, np.float32)

    def fresh_raw(self, rng: np.random.Generator) -> np.ndarray:
        """Return raw parameters `(n_raw,)` at which a latent root starts, without data."""
        return np.zeros(self.n_raw, np.float32)

    @property
    def reference(self) -> "Family":
        """A family without weights of its own that says what the sites are like by themselves."""
        return self

    def body(self, key: Key) -> Any:
        """Build the weights that belong to the family beside its raw parameters `(n_raw,)`: a module, or None."""
        return None

    def bound(self, body: Any) -> "Family":
        """Return the family with its weights, which answers in its place; without any, itself."""
        return self

    def finish(self, raw: Array, p: "Family", p_raw: Array) -> Array:
        """Return a guide node's raw parameters `(n_raw,)`, made of a net's and of what P says of the node.

        Args:
            raw: `(n_raw,)` from the guide's net and constants.
            p, p_raw: The node's family in P, and its raw parameters there.
        """
        return raw

    def can_start_from(self, p: "Family") -> bool:
        """Say whether `finish` can start from this family of P."""
        return True

    def guide(self) -> "Family":
        """Return the family that a guide uses for this node when it is latent."""
        return self

    def given(self, *parents: str, via=None) -> "Node":
        """Declare this family's parents and the net between: `lt.Bernoulli(784).given("z", via=lt.MLP(500))`."""
        return Node(self, parents, via)

    def learned(self) -> "Node":
        """Declare a root whose raw parameters are learned."""
        return Node(self, learn=True)

    def standard(self) -> "Node":
        """Declare a root fixed at raw parameters zero (`Normal`: the standard normal; classes: uniform)."""
        return Node(self, learn=False)

    def __repr__(self) -> str:
        shown = []
        for field in fields(self):
            value = getattr(self, field.name)
            if not field.repr:
                continue
            if field.name == "size" and isinstance(value, tuple) and len(value) == 1:
                value = value[0]  # Normal(20), not Normal((20,))
            if field.default is MISSING:
                shown.append(repr(value))
            elif value != field.default:
                shown.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True)
class Node:
    """What `family.given(...)` returns; `lt.Network` binds it to a name.

    Args:
        family: The node's distribution.
        parents: Names of the nodes it depends on.
        via: Net recipe between the parents' features and the raw parameters; None means linear.
        learn: For a root: whether its raw parameters are learned. None leaves it to the family
            (`Normal` roots are standard normal, all others are learned).
    """

    family: "Family"
    parents: tuple[str, ...] = ()
    via: Any = None
    learn: bool | None = None

    def __post_init__(self):
        for parent in self.parents:
            if not isinstance(parent, str):
                raise DeclarationError(
                    f"given(): parents are names of nodes, not {parent!r}; write given('z', via=...)"
                )
        if len(set(self.parents)) < len(self.parents):
            raise DeclarationError(f"given(): a parent is named twice in {self.parents}")
        if self.via is not None and not callable(getattr(self.via, "between", self.via)):
            raise DeclarationError(f"given(): via must be a net such as lt.MLP(500), not {self.via!r}")
        if self.via is not None and not self.parents:
            raise DeclarationError("given(): a net needs parents; name at least one, e.g. given('z', via=...)")
