r"""Objectives: what training minimises, as functions of log-weights.

The evidence lower bound (Kingma & Welling 2014) and its importance-weighted sharpening (Burda et al. 2016):

$$\mathrm{ELBO} = \mathbb E_q[\log w] \;\le\;
\mathcal L_K = \mathbb E\Big[\log\tfrac1K\sum_k w_k\Big] \;\le\; \log p(x).$$

An objective is `(model, batch, key, progress) -> Estimate(loss, bound, terms)`. It returns the loss to differentiate
*and* the bound to report, which differ when the loss is tempered; `terms` are the bound by node. All are means over the
batch, in nats a row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp

from laten.errors import DeclarationError
from laten.model import APART, Draw, Model
from laten.numerics import log_mean_exp
from laten.types import Array, Key, Masks, Values


class Batch(NamedTuple):
    """Rows of data: arrays with a leading axis of rows."""

    values: Values
    masks: Masks


class Estimate(NamedTuple):
    """Scalars, in nats a row."""

    loss: Array
    bound: Array
    terms: dict[str, Array]  # node -> its share of the bound; of a latent: minus its KL from the prior
    kl: Array  # KL of all latents from their priors; for Iwae as its draws estimate it


class Objective(Protocol):
    """What training can minimise."""

    def __call__(
        self, model: Model, batch: Batch, key: Key, progress: Array | float = 1.0, dropout: bool = False
    ) -> Estimate:
        """Estimates loss and bound. `progress` in [0, 1] is the share of the planned steps already made."""
        ...


def over_rows(one, batch: Batch, key: Key, dropout: bool):
    """Maps `one(key, net_key, values, masks)` over the rows of a batch.

    Args:
        key: One for the batch, or one for each row.
    """
    keys = key if key.ndim else jax.random.split(key, len(next(iter(batch.values.values()))))
    net_keys = jax.vmap(lambda k: jax.random.fold_in(k, APART))(keys) if dropout else None
    return jax.vmap(one, in_axes=(0, 0 if dropout else None, 0, 0))(keys, net_keys, batch.values, batch.masks)


@dataclass(frozen=True)
class Elbo:
    r"""The evidence lower bound.

    Args:
        kl: `"closed"`: KL in closed form where one exists (estimator B of Kingma & Welling 2014, eq. 10); `"sampled"`:
            log q - log p at the draw (estimator A, eq. 6).
        beta: Weight of the KL in the loss (Higgins et al. 2017). The reported bound always has weight one.
        warmup: Share of the planned steps over which the weight rises from 0 to `beta` (Sønderby et al. 2016).
        free_bits: Nats of KL a latent node may cost free of charge, on average over the batch (Kingma et al. 2016).
        draws: Draws a row.
        trim: Share of a batch's rows, those of lowest bound, that are left out of loss and bound: the trimmed
            likelihood (Neykov & Neytchev 1990), robust to odd rows among the training rows.
    Raises:
        DeclarationError: an option out of range.
    """

    kl: str = "closed"
    beta: float = 1.0
    warmup: float = 0.0
    free_bits: float = 0.0
    draws: int = 1
    trim: float = 0.0

    def __post_init__(self):
        if self.kl not in ("closed", "sampled"):
            raise DeclarationError(f"Elbo: kl must be 'closed' or 'sampled', not {self.kl!r}")
        if not 0 <= self.warmup <= 1:
            raise DeclarationError(f"Elbo: warmup is a share of the planned steps in [0, 1], not {self.warmup!r}")
        if self.beta < 0 or self.free_bits < 0 or self.draws < 1:
            raise DeclarationError("Elbo: beta and free_bits must be at least 0 and draws at least 1")
        if not 0 <= self.trim < 1:
            raise DeclarationError(f"Elbo: trim is a share of the rows in [0, 1), not {self.trim!r}")

    def __call__(
        self, model: Model, batch: Batch, key: Key, progress: Array | float = 1.0, dropout: bool = False
    ) -> Estimate:
        def one(k, net_key, values, masks):
            return elbo_terms(model, k, net_key, values, masks, self.kl == "closed")

        def many(k, net_key, values, masks):
            if self.draws == 1:
                return one(k, net_key, values, masks)
            terms = jax.vmap(lambda kk: one(kk, net_key, values, masks))(jax.random.split(k, self.draws))
            return jax.tree.map(lambda x: x.mean(0), terms)

        per_row = over_rows(many, batch, key, dropout)
        fit, kl = jax.tree.map(kept_mean(per_row, self.trim) if self.trim else jnp.mean, per_row)
        total_kl = sum(kl.values(), jnp.zeros(()))
        bound = sum(fit.values(), jnp.zeros(())) - total_kl
        charged = total_kl
        if self.free_bits:
            charged = sum((jnp.maximum(x, self.free_bits) for x in kl.values()), jnp.zeros(()))
        weight = self.beta * jnp.minimum(1.0, progress / self.warmup) if self.warmup else self.beta
        loss = weight * charged - sum(fit.values(), jnp.zeros(()))
        terms = {name: fit.get(name, 0.0) - kl.get(name, 0.0) for name in {**kl, **fit}}
        return Estimate(loss, bound, terms, total_kl)


@dataclass(frozen=True)
class Iwae:
    r"""The importance-weighted bound with `draws` draws a row (Burda et al. 2016, eq. 8).

    `terms` are averages under the normalised weights; they do not add up to the bound.
    """

    draws: int = 50

    def __post_init__(self):
        if not isinstance(self.draws, int) or self.draws < 1:
            raise DeclarationError(f"Iwae: draws must be a whole number of at least 1, not {self.draws!r}")

    def __call__(
        self, model: Model, batch: Batch, key: Key, progress: Array | float = 1.0, dropout: bool = False
    ) -> Estimate:
        def one(k, net_key, values, masks):
            def draw(kk):
                log_r, found = model.draws(kk, values, masks, net_key)
                kl = sum(by_node(log_r, found, masks, True)[1].values(), jnp.zeros(()))
                return log_r + jax.vmap(lambda d: d.log_weight)(found), jax.vmap(node_terms)(found), kl

            log_w, terms, kl = jax.vmap(draw)(jax.random.split(k, self.draws))  # (draws, states)
            share = jax.lax.stop_gradient(jax.nn.softmax(log_w.ravel())).reshape(log_w.shape)
            bound = log_mean_exp(jax.nn.logsumexp(log_w, axis=1))
            return bound, jax.tree.map(lambda t: jnp.sum(share * t), terms), kl.mean()

        bound, terms, kl = jax.tree.map(jnp.mean, over_rows(one, batch, key, dropout))
        return Estimate(-bound, bound, terms, kl)


def kept_mean(per_row: tuple[Values, Values], trim: float) -> Callable[[Array], Array]:
    """The mean over the rows of a batch whose bound is not among the lowest `trim` of it."""
    fit, kl = per_row
    bounds = jax.lax.stop_gradient(sum(fit.values(), jnp.zeros(())) - sum(kl.values(), jnp.zeros(())))
    kept = bounds >= jnp.quantile(bounds, trim)
    return lambda x: jnp.sum(jnp.where(kept, x, 0.0)) / jnp.sum(kept.astype(jnp.float32))


def elbo_terms(
    model: Model, key: Key, net_key: Key | None, values: Values, masks: Masks, closed: bool
) -> tuple[Values, Values]:
    """The ELBO of one example, from one draw: what observed sites add by node, and what latent nodes take away."""
    return by_node(*model.draws(key, values, masks, net_key), masks, closed)


def by_node(log_r: Array, draw: Draw, masks: Masks, closed: bool) -> tuple[Values, Values]:
    """One draw's parts of the ELBO as two dictionaries of scalars, averaged over the enumerated states.

    Args:
        closed: Take the KL in closed form where there is one.
    Returns:
        Node -> log p of its observed sites; latent node -> its KL from the prior.
    """
    share = jnp.exp(log_r)
    fit: Values = {}
    kl: Values = {}
    for name, log_p in draw.log_p.items():
        if name not in draw.log_q:
            fit[name] = by_state(share, log_p)
            continue
        log_q = draw.log_q[name]
        seen = masks.get(name)
        hidden_p = log_p if seen is None else jnp.where(seen, 0.0, log_p)
        kl[name] = by_state(share, draw.kl[name] if closed and name in draw.kl else log_q - hidden_p)
        if seen is not None:
            fit[name] = by_state(share, jnp.where(seen, log_p, 0.0))
    return fit, kl


def by_state(share: Array, per_site: Array) -> Array:
    """Sum over sites, averaged over the enumerated states."""
    per_state = per_site.reshape(len(share), -1).sum(1)
    return per_state[0] if len(share) == 1 else jnp.sum(share * per_state)


def node_terms(draw: Draw) -> dict[str, Array]:
    """log p - log q by node, of one draw."""
    return {
        name: log_p.sum() - draw.log_q[name].sum() if name in draw.log_q else log_p.sum()
        for name, log_p in draw.log_p.items()
    }


OBJECTIVES: dict[str, type] = {"Elbo": Elbo, "Iwae": Iwae}
