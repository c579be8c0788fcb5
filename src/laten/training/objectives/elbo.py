r"""The evidence lower bound (Kingma & Welling 2014), and how its gradient is estimated.

$$\mathrm{ELBO} = \mathbb E_q[\log p(x\mid z)] - \mathrm{KL}(q(z\mid x)\,\Vert\,p(z)) = \mathbb E_q[\log w].$$

The KL in closed form is estimator B of the paper (eq. 10), its value at the draw estimator A (eq. 6). Of A's gradient,
the part through the weights of $\log q$ has mean zero; left out ("sticking the landing", Roeder et al. 2017), the
gradient's variance falls to zero where q is the posterior.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import DeclarationError, number
from laten.common.types import Array, Key
from laten.network.log_weights import BoundParts, by_node, total
from laten.network.model import Model
from laten.network.sampling import Discrete, Sampling
from laten.training.objectives.objective import (
    Batch,
    Estimate,
    Objective,
    Share,
    check_density,
    check_drawing,
    discrete_of,
    leave_one_out,
    over_rows,
    score,
)


@dataclass(frozen=True)
class Elbo(Objective):
    r"""The evidence lower bound.

    Args:
        kl: `"closed"`: KL in closed form where one exists (estimator B of Kingma & Welling 2014, eq. 10); `"sampled"`:
            log q - log p at the draw (estimator A, eq. 6); `"path"`: the same, with the gradient through the draw alone
            (Roeder et al. 2017).
        beta: Weight of the KL in the loss (Higgins et al. 2017). The reported bound always has weight one.
        warmup: Share of the planned steps over which the weight rises from 0 to `beta` (Sønderby et al. 2016); with a
            capacity, that one rises.
        free_bits: Nats of KL a latent node may cost free of charge, on average over the batch (Kingma et al. 2016).
        draws: Draws a row.
        trim: Share of a batch's rows, those of lowest bound, that are left out of loss and bound: the trimmed
            likelihood (Neykov & Neytchev 1990), robust to odd rows among the training rows.
        discrete: What becomes of discrete latents: `"enumerated"` (sampled where there are too many states),
            `"sampled"` (leave-one-out, Kool et al. 2019; needs two draws) or `"relaxed"` (Gumbel-softmax straight
            through, Jang et al. 2017; biased).
        capacity: Nats of KL that the loss holds the latents to, on average over the batch: it charges
            `beta` times their distance (Burgess et al. 2018). None: the fewer, the better.
    Raises:
        DeclarationError: an option out of range, or both free bits and a capacity.
    """

    kl: str = "closed"
    beta: float = 1.0
    warmup: float = 0.0
    free_bits: float = 0.0
    draws: int = 1
    trim: float = 0.0
    discrete: str = "enumerated"
    capacity: float | None = None

    def __post_init__(self):
        check_drawing(self)
        if self.kl not in ("closed", "sampled", "path"):
            raise DeclarationError(f"Elbo: kl must be 'closed', 'sampled' or 'path', not {self.kl!r}")
        if not (number(self.warmup) and 0 <= self.warmup <= 1):
            raise DeclarationError(f"Elbo: warmup is a share of the planned steps in [0, 1], not {self.warmup!r}")
        for name in ("beta", "free_bits"):
            if not (number(getattr(self, name)) and getattr(self, name) >= 0):
                raise DeclarationError(f"Elbo: {name} must be finite and at least 0, not {getattr(self, name)!r}")
        if self.capacity is not None and not (number(self.capacity) and self.capacity >= 0):
            raise DeclarationError(f"Elbo: capacity must be finite and at least 0, not {self.capacity!r}")
        if self.capacity is not None and self.free_bits:
            raise DeclarationError("Elbo: free_bits and capacity both say how much KL is free; give one of them")
        if not (number(self.trim) and 0 <= self.trim < 1):
            raise DeclarationError(f"Elbo: trim is a share of the rows in [0, 1), not {self.trim!r}")

    @property
    def by_row(self) -> bool:
        return not (self.trim or self.free_bits or self.capacity is not None)

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        sampling = Sampling(discrete_of(self, model), path=self.kl == "path")
        if self.kl == "path":
            check_density(model, "Elbo(kl='path')")
        risen = jnp.minimum(1.0, progress / self.warmup) if self.warmup else 1.0
        weight = self.beta * risen if self.warmup and self.capacity is None else self.beta
        if self.capacity is not None and sampling.discrete is Discrete.SAMPLED and model.discrete:
            raise DeclarationError(
                f"Elbo: a capacity goes with latents that are not sampled, and {list(model.discrete)} are; use "
                "discrete='relaxed', or free_bits"
            )

        def one(k, net_key, values, masks):
            log_r, draw = model.draws(k, values, masks, net_key, sampling)
            return by_node(log_r, draw, masks, self.kl == "closed"), score(model, draw)

        def many(k, net_key, values, masks):
            if self.draws == 1:
                return one(k, net_key, values, masks)[0], jnp.zeros(())
            parts, log_q = jax.vmap(lambda kk: one(kk, net_key, values, masks))(random.split(k, self.draws))
            extra = jnp.zeros(())
            if sampling.discrete is Discrete.SAMPLED:
                extra = leave_one_out(total(parts.fit) - weight * total(parts.kl), log_q)
            return jax.tree.map(lambda x: x.mean(0), parts), extra

        per_row = over_rows(many, batch, key, dropout)
        parts, extra = jax.tree.map(kept_mean(per_row[0], self.trim) if self.trim else jnp.mean, per_row)
        kl = charged = total(parts.kl)
        if self.free_bits:
            charged = sum((jnp.maximum(x, self.free_bits) for x in parts.kl.values()), jnp.zeros(()))
        if self.capacity is not None:
            charged = jnp.abs(charged - self.capacity * risen)
        return Estimate(weight * charged - total(parts.fit) - extra, parts.bound, parts.terms, kl)


def kept_mean(parts: BoundParts, trim: float) -> Callable[[Array], Array]:
    """Return the mean over the rows of a batch whose bound is not among the lowest `trim` of it."""
    bounds = jax.lax.stop_gradient(parts.bound)
    kept = bounds >= jnp.quantile(bounds, trim)
    return lambda x: jnp.sum(jnp.where(kept, x, 0.0)) / jnp.sum(kept.astype(jnp.float32))
