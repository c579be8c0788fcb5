r"""What objectives share: batches, estimates, and gradients through draws of classes.

Where classes $s_k\sim q$ are drawn, $f_k$ is what a draw adds to a bound, and $b_k$ a number that does not depend on
$s_k$, an unbiased gradient of $\mathbb E[\frac1K\sum f_k]$ is

$$\frac1K\sum_k \nabla f_k + (f_k - b_k)\,\nabla\log q(s_k),\qquad b_k = \frac1{K-1}\sum_{j\ne k} f_j$$

(REINFORCE with the leave-one-out baseline: Kool et al. 2019; of $\log\frac1K\sum w_k$ it is VIMCO, Mnih & Rezende
2016). It is the gradient of a term whose value is zero, which objectives add to their loss.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import DeclarationError, whole
from laten.common.types import Array, Key, Masks, Values
from laten.network.log_weights import all_sites
from laten.network.model import Draw, Model
from laten.network.sampling import Discrete

DISCRETE = {d.value: d for d in Discrete}
Share = Array | float  # in [0, 1]


class Batch(NamedTuple):
    """Rows of data: arrays with a leading axis of rows."""

    values: Values
    masks: Masks


class Estimate(NamedTuple):
    """Scalars, in nats a row."""

    loss: Array
    bound: Array
    terms: dict[str, Array]  # node -> its share of the bound; of a latent: minus its KL from the prior
    kl: Array  # KL of all latents from their priors; of several draws as they estimate it


class Objective(abc.ABC):
    """What training can minimise: subclass it for one of your own, a frozen dataclass of its options.

    Below its `__call__`, a model is asked by `Model.draws` for one row and one draw; `over_rows` maps over a batch.
    """

    @property
    def warmup(self) -> float:
        """Share of the planned steps in which the loss is not the bound yet: no epoch among them can be the best."""
        return 0.0

    @property
    def judge(self) -> "Objective":
        """What held-out rows are judged by."""
        return self

    @property
    def by_row(self) -> bool:
        """Whether loss and bound are means over rows, each computed alone.

        Devices then compute them of their own rows and exchange means alone, once a step; otherwise the compiler finds
        out what they must exchange.
        """
        return False

    def extra(self, model: Model, key: Key) -> Any:
        """Build weights of the objective's own, or None; training keeps them in `model.extra`.

        Returns:
            A module of arrays, of whatever shapes.
        """
        return None

    @abc.abstractmethod
    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        """Estimate loss and bound of a batch.

        Args:
            key: One for the batch, or one for each row.
            progress: Share of the planned steps already made, in [0, 1].
            dropout: Whether units are left out.
        """


def over_rows(one: Callable[..., Any], batch: Batch, key: Key, dropout: bool) -> Any:
    """Map `one(key, net_key, values, masks)` over the rows of a batch; `key` is one for all, or one for each row."""
    keys = key if key.ndim else random.split(key, len(next(iter(batch.values.values()))))
    net_keys = jax.vmap(lambda k: random.beside(k))(keys) if dropout else None
    return jax.vmap(one, in_axes=(0, 0 if dropout else None, 0, 0))(keys, net_keys, batch.values, batch.masks)


# -- classes that are drawn -----------------------------------------------------


class Drawing(Protocol):
    """An objective that makes draws and says what becomes of discrete latents."""

    @property
    def draws(self) -> int: ...

    @property
    def discrete(self) -> str: ...


def check_drawing(objective: Drawing) -> None:
    """Check the number of draws, and the option that says what becomes of discrete latents."""
    whole(f"{type(objective).__name__}: draws", objective.draws, error=DeclarationError)
    if objective.discrete not in DISCRETE:
        raise DeclarationError(
            f"{type(objective).__name__}: discrete must be one of {', '.join(map(repr, DISCRETE))}, "
            f"not {objective.discrete!r}"
        )


def discrete_of(objective: Drawing, model: Model) -> Discrete:
    """Say what becomes of discrete latents; too many to enumerate are sampled, for which one draw is too few."""
    discrete = DISCRETE[objective.discrete]
    if discrete is Discrete.ENUMERATED and not model.enumerable:
        discrete = Discrete.SAMPLED
    if discrete is Discrete.SAMPLED and model.discrete and objective.draws < 2:
        raise DeclarationError(
            f"{type(objective).__name__}: the discrete latents {list(model.discrete)} are sampled (too many joint "
            "states to enumerate, or asked for), and their gradient compares draws: use lt.Elbo(draws=4), "
            "lt.Iwae(draws=5), lt.WakeSleep() or discrete='relaxed'; or fewer or smaller ones"
        )
    return discrete


def check_density(model: Model, name: str) -> None:
    """Check that the guide has a density that an objective of this name can learn from.

    Raises:
        DeclarationError: it puts all mass on one value.
    """
    for latent in model.latents:
        family = model.guide.nodes[latent].family
        if family.one_value:
            raise DeclarationError(
                f"{name} learns from densities of the guide, whose {latent!r} is {family!r}: all mass on one value; "
                "use lt.Elbo()"
            )


def score(model: Model, draw: Draw) -> Array:
    """Return log q of the discrete latents of one draw that enumerates nothing."""
    return all_sites({n: draw.log_q[n] for n in model.discrete if n in draw.log_q})


def nothing_but_gradient(advantage: Array, log_q: Array) -> Array:
    """Return zero, with the gradient of `sum(advantage * log_q)`, the advantage a constant."""
    return jnp.sum(jax.lax.stop_gradient(advantage) * (log_q - jax.lax.stop_gradient(log_q)))


def leave_one_out(f: Array, log_q: Array) -> Array:
    """Return zero, with what draws of classes add to the gradient of `mean(f)`; `f` and `log_q` are `(draws,)`."""
    baseline = (jnp.sum(f) - f) / (len(f) - 1)
    return nothing_but_gradient(f - baseline, log_q) / len(f)
