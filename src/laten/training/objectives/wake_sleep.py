r"""Wake-sleep: network and guide, each with a gradient of its own.

- *Wake*, for the network: draws $z\sim q(z\mid x)$ of data are taken for the truth, $\nabla_\theta\log p(x,z)$;
- *sleep*, for the guide: the network dreams $(z,x)\sim p$, with hidden sites where the row has some, and the guide
  learns to tell z from x, $\nabla_\phi\log q(z\mid x)$ (Hinton et al. 1995). It lowers
  $\mathbb E_{p(x)}\mathrm{KL}(p(z\mid x)\,\Vert\,q)$, not the KL the other way round that the ELBO has;
- *reweighted* (Bornschein & Bengio 2015): the network climbs the importance-weighted bound, and the guide learns from
  dreams, or from draws of its own with their normalised weights (a *wake* phase of its own), or from both.

Nothing is differentiated through a draw: classes are no harder than numbers.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import DeclarationError, whole
from laten.common.types import Array, Key, Masks, Values
from laten.network.log_weights import all_sites, by_node, by_state, total
from laten.network.model import Model
from laten.training.objectives.importance_weighted import power_mean, weigh
from laten.training.objectives.objective import Batch, Estimate, Objective, Share, check_density, over_rows

PHASES = ("sleep", "wake", "both")


@dataclass(frozen=True)
class WakeSleep(Objective):
    """The wake-sleep algorithm (Hinton et al. 1995): the paper's baseline. The bound is the ELBO."""

    @property
    def by_row(self) -> bool:
        return True

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        check_density(model, "WakeSleep")

        def one(k, net_key, values, masks):
            wake, sleep = random.split(k)
            parts = by_node(*model.frozen_guide().draws(wake, values, masks, net_key), masks, False)
            loss = -parts.bound - dreamt(model, sleep, net_key, values, masks)
            return loss, parts.bound, parts.terms, total(parts.kl)

        return Estimate(*jax.tree.map(jnp.mean, over_rows(one, batch, key, dropout)))


@dataclass(frozen=True)
class ReweightedWakeSleep(Objective):
    """Reweighted wake-sleep (Bornschein & Bengio 2015). The bound is the importance-weighted one.

    Args:
        draws: Draws a row.
        guide: What the guide learns from: `"wake"` (draws of its own, by weight), `"sleep"` (dreams) or `"both"`.
    Raises:
        DeclarationError: an option out of range.
    """

    draws: int = 5
    guide: str = "wake"

    def __post_init__(self):
        whole("ReweightedWakeSleep: draws", self.draws, error=DeclarationError)
        if self.guide not in PHASES:
            raise DeclarationError(f"ReweightedWakeSleep: guide must be one of {PHASES}, not {self.guide!r}")

    @property
    def by_row(self) -> bool:
        return True

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        check_density(model, "ReweightedWakeSleep")

        def one(k, net_key, values, masks):
            wake, sleep = random.split(k)
            found = weigh(model.frozen_guide(), wake, net_key, values, masks, self.draws)
            bound = power_mean(found.log_w, 1.0)
            loss = -bound
            if self.guide != "sleep":
                loss -= weighted_log_q(model, wake, net_key, values, masks, self.draws)
            if self.guide != "wake":
                loss -= dreamt(model, sleep, net_key, values, masks)
            return loss, bound, found.terms, found.kl

        return Estimate(*jax.tree.map(jnp.mean, over_rows(one, batch, key, dropout)))


def dreamt(model: Model, key: Key, net_key: Key | None, values: Values, masks: Masks) -> Array:
    """Return log q of the latents of one draw from the network, given those of its sites that the row shows."""
    dream_key, key = random.split(key)
    inputs = {n: x for n, x in values.items() if model.network.nodes[n].family.is_input}
    dream = jax.lax.stop_gradient(model.network.sample(model.conditionals, dream_key, inputs))
    shown = {name: dream[name].astype(x.dtype) for name, x in values.items()}
    return all_sites(model.draw(key, shown, masks, {n: dream[n] for n in model.latents}, net_key).log_q)


def weighted_log_q(model: Model, key: Key, net_key: Key | None, values: Values, masks: Masks, draws: int) -> Array:
    r"""Return $\sum_k\bar w_k\log q(z_k\mid x)$: weights and draws constants."""

    def draw(k):
        log_r, found = jax.lax.stop_gradient(model.draws(k, values, masks, net_key))
        latent = {n: found.values[n] for n in model.latents if n in found.log_q}
        log_q = jax.vmap(lambda z: all_sites(model.draw(key, values, masks, z, net_key).log_q))(latent)
        return by_state(log_r, found), log_q

    log_w, log_q = jax.vmap(draw)(random.split(key, draws))  # (draws, states)
    share = jax.nn.softmax(log_w.ravel()).reshape(log_w.shape)
    return jnp.sum(share * log_q)
