r"""Importance sampling from the guide, for one example, in constant memory.

With draws $z_k\sim q$ and $w_k = p(x, z_k)/q(z_k|x)$,

$$\log p(x)\approx\log\frac1S\sum_k w_k,\qquad \mathbb E[f\mid x]\approx\sum_k\bar w_k f(z_k),\qquad z\sim p(z\mid
x)\approx\text{Categorical}(\bar w).$$

Draws are made in chunks. A running maximum keeps the weighted mean exact, and posterior draws are kept by the
Gumbel-max rule: the draw with the largest $\log w_k + g_k$, $g_k$ standard Gumbel, is a draw from $\bar w$, and maxima
of chunks can be merged.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.model import IMPOSSIBLE, Draw, Model
from laten.types import Array, Key, Masks, Values

DRAWS_AT_ONCE = 256
Collect = Callable[[Draw], Any]


class Weighted(NamedTuple):
    """Log-weights `(draws,)` in nats, discrete latents summed over, and the weighted mean of what was collected."""

    log_w: Array
    mean: Any


def chunked_keys(key: Key, draws: int) -> tuple[Key, Array]:
    """Keys `(chunks, chunk)` for `draws` draws, and which of them count."""
    chunks = math.ceil(draws / DRAWS_AT_ONCE)
    chunk = math.ceil(draws / chunks)
    counts = np.arange(chunks * chunk).reshape(chunks, chunk) < draws
    return jax.random.split(key, (chunks, chunk)), jnp.asarray(counts)


def weighted_mean(model: Model, key: Key, values: Values, masks: Masks, draws: int, collect: Collect) -> Weighted:
    """Log-weights of one example, and the posterior mean of `collect(draw)`.

    Args:
        collect: From one draw to a pytree of arrays.
    """

    def one(k: Key):
        log_r, found = model.draws(k, values, masks)
        return log_r + jax.vmap(lambda d: d.log_weight)(found), jax.vmap(collect)(found)

    def chunk(carry, xs):
        top, total, mean = carry
        log_w, got = jax.vmap(one)(xs[0])  # (chunk, states)
        log_w = jnp.where(xs[1][:, None], log_w, IMPOSSIBLE)
        higher = jnp.maximum(top, log_w.max())
        w, shrink = jnp.exp(log_w - higher), jnp.exp(top - higher)
        mean = jax.tree.map(lambda m, g: m * shrink + jnp.tensordot(w, g.astype(jnp.float32), 2), mean, got)
        return (higher, total * shrink + w.sum(), mean), jax.nn.logsumexp(log_w, axis=1)

    keys, counts = chunked_keys(key, draws)
    shapes = jax.eval_shape(lambda k: one(k)[1], keys[0, 0])
    zero = jax.tree.map(lambda s: jnp.zeros(s.shape[1:], jnp.float32), shapes)
    start = jnp.full((), IMPOSSIBLE), jnp.zeros(()), zero
    (_, total, mean), log_w = jax.lax.scan(chunk, start, (keys, counts))
    return Weighted(log_w.ravel()[:draws], jax.tree.map(lambda m: m / total, mean))


def posterior_draws(
    model: Model, key: Key, values: Values, masks: Masks, draws: int, kept: int
) -> tuple[Values, Array]:
    """Draws from the posterior of one example's inner nodes by resampling.

    Returns:
        Values `(kept, ...)` of all stochastic nodes that are not leaves, and the log-weights `(draws,)`.
    """
    names = [n for n in model.network.stochastic if n not in model.network.leaves]

    def one(k: Key):
        log_r, found = model.draws(k, values, masks)
        return log_r + jax.vmap(lambda d: d.log_weight)(found), {n: found.values[n] for n in names}

    def chunk(carry, xs):
        best, held = carry
        log_w, got = jax.vmap(one)(xs[0])
        log_w = jnp.where(xs[1][:, None], log_w, IMPOSSIBLE)
        raced = log_w.ravel()[None] + jax.random.gumbel(xs[2], (kept, log_w.size))
        winner, height = raced.argmax(1), raced.max(1)
        flat = jax.tree.map(lambda g: g.reshape(log_w.size, *g.shape[2:])[winner], got)
        better = height > best
        held = jax.tree.map(lambda h, f: jnp.where(better.reshape(-1, *[1] * (f.ndim - 1)), f, h), held, flat)
        return (jnp.maximum(best, height), held), jax.nn.logsumexp(log_w, axis=1)

    draw_key, race_key = jax.random.split(key)
    keys, counts = chunked_keys(draw_key, draws)
    shapes = jax.eval_shape(lambda k: one(k)[1], keys[0, 0])
    zero = jax.tree.map(lambda s: jnp.zeros((kept, *s.shape[1:]), s.dtype), shapes)
    start = jnp.full(kept, 2 * IMPOSSIBLE), zero
    (_, held), log_w = jax.lax.scan(chunk, start, (keys, counts, jax.random.split(race_key, len(keys))))
    return held, log_w.ravel()[:draws]
