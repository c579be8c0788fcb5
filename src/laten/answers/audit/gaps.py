r"""Bounds from guide draws, and how their gap splits into the guide's shape and its haste.

$$\log p(x)-\mathrm{ELBO}(q)=\underbrace{\log p(x)-\mathrm{ELBO}(q^*)}_{\text{approximation gap}}
  +\underbrace{\mathrm{ELBO}(q^*)-\mathrm{ELBO}(q)}_{\text{amortisation gap}}$$

with $q^*$ the best guide for this very row (Cremer, Li & Duvenaud 2018; `inference/own_guide.py`).

IWAE bounds with fewer draws than were made are averages over groups of them (Burda et al. 2016, eq. 8): unbiased, and
all from one pass.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.common.types import Array, Key, Masks, Values
from laten.inference.diagnostics import log_mean_weight
from laten.inference.importance import chunked_keys
from laten.network.log_weights import by_node, log_weight, total
from laten.network.model import Model


class Bounds(NamedTuple):
    """Bounds from guide draws of one example."""

    log_w: Array  # (draws,) log-weights in nats, discrete latents summed over
    elbo: Array  # (draws,) one-draw estimates of the ELBO, all alike where the guide is the posterior
    terms: Values  # node -> its share of the ELBO, averaged over draws


def bounds(model: Model, key: Key, values: Values, masks: Masks, draws: int) -> Bounds:
    """Draw from the guide of one example, a chunk at a time: memory grows by two numbers a draw."""

    def one(k: Key) -> tuple[Array, Array, Values]:
        log_r, draw = model.draws(k, values, masks)
        terms = by_node(log_r, draw, masks, False).terms
        return log_weight(log_r, draw), total(terms), terms

    def chunk(sums: Values, xs: tuple[Array, Array]) -> tuple[Values, tuple[Array, Array]]:
        log_w, elbo, terms = jax.vmap(one)(xs[0])
        add = jax.tree.map(lambda t: jnp.sum(jnp.where(xs[1], t, 0.0)), terms)
        return jax.tree.map(jnp.add, sums, add), (log_w, elbo)

    chunks = chunked_keys(key, draws)
    shapes = jax.eval_shape(lambda k: one(k)[2], chunks[0][0, 0])
    zero = jax.tree.map(lambda s: jnp.zeros(s.shape), shapes)
    sums, (log_w, elbo) = jax.lax.scan(chunk, zero, chunks)
    return Bounds(log_w.ravel()[:draws], elbo.ravel()[:draws], jax.tree.map(lambda t: t / draws, sums))


def grouped(log_w: np.ndarray, size: int) -> np.ndarray:
    """Return IWAE bounds `(rows, groups)` of groups of `size` draws; draws that fill no group are left out."""
    rows, draws = log_w.shape
    return log_mean_weight(log_w[:, : draws // size * size].reshape(-1, size)).reshape(rows, -1)
