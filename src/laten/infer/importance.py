r"""Importance sampling from the guide, for one example, in constant memory.

With draws $z_k\sim q$ and $w_k = p(x, z_k)/q(z_k|x)$,

$$\log p(x)\approx\log\frac1S\sum_k w_k,\qquad \mathbb E[f\mid x]\approx\sum_k\bar w_k f(z_k),\qquad z\sim p(z\mid
x)\approx\text{Categorical}(\bar w).$$

Evidence may be softer than a value: an interval, or some of the classes. A site with such evidence is hidden from the
guide, and each weight is multiplied by P(allowed | z) (`Family.log_mass`).

Draws are made in chunks. A running maximum keeps the weighted mean exact, and posterior draws are kept by the
Gumbel-max rule: the draw with the largest $\log w_k + g_k$, $g_k$ standard Gumbel, is a draw from $\bar w$, and maxima
of chunks can be merged. Where the weights of P are uncertain, each chunk draws them anew: all answers are averages over
them too.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.bayes import drawn, is_uncertain
from laten.model import IMPOSSIBLE, Draw, Model
from laten.types import Array, Key, Masks, Values

DRAWS_AT_ONCE = 256
WEIGHTS = 32  # draws of uncertain weights
Collect = Callable[[Draw], Any]


class Weighted(NamedTuple):
    """Log-weights `(draws,)` in nats, discrete latents summed over, and the weighted mean of what was collected."""

    log_w: Array
    mean: Any


def chunked_keys(model: Model, key: Key, draws: int) -> tuple[Key, Array, Array]:
    """Keys `(chunks, chunk)` for `draws` draws, which of them count, and the numbers of the chunks."""
    chunks = max(math.ceil(draws / DRAWS_AT_ONCE), min(WEIGHTS, draws) if is_uncertain(model.p) else 1)
    chunk = math.ceil(draws / chunks)
    counts = np.arange(chunks * chunk).reshape(chunks, chunk) < draws
    return jax.random.split(key, (chunks, chunk)), jnp.asarray(counts), jnp.arange(chunks)


def with_weights(model: Model, number: Array) -> Model:
    """The model of a chunk: uncertain weights are drawn once for it, the same for all rows."""
    if not is_uncertain(model.p):
        return model
    return Model(model.network, model.guide, drawn(model.p, jax.random.fold_in(jax.random.key(0), number)), model.q)


def weights_of(model: Model, key: Key, values: Values, masks: Masks, allowed: Values) -> tuple[Array, Draw]:
    """One draw with its log-weights `(states,)`, soft evidence counted in.

    Args:
        allowed: Leaf -> what is allowed of it, as `Family.log_mass` takes it.
    """
    log_r, found = model.draws(key, values, masks)
    log_w = log_r + jax.vmap(lambda d: d.log_weight)(found)
    for name, part in allowed.items():
        family = model.network.nodes[name].family
        mass = jax.vmap(family.log_mass, (0, None))(found.raw[name], part)
        log_w += mass.reshape(len(log_w), -1).sum(1)
    return log_w, found


def weights_and(
    model: Model, key: Key, values: Values, masks: Masks, draws: int, collect: Collect, allowed: Values
) -> tuple[Array, Any]:
    """Log-weights `(draws * states,)` and `collect(draw)` of each draw, stacked alike."""

    def chunk(carry, xs):
        one = with_weights(model, xs[2])
        log_w, found = jax.vmap(lambda k: weights_of(one, k, values, masks, allowed))(xs[0])
        return carry, (jnp.where(xs[1][:, None], log_w, IMPOSSIBLE), jax.vmap(jax.vmap(collect))(found))

    _, (log_w, got) = jax.lax.scan(chunk, None, chunked_keys(model, key, draws))
    return log_w.ravel(), jax.tree.map(lambda x: x.reshape(log_w.size, *x.shape[3:]), got)


def weighted_mean(
    model: Model, key: Key, values: Values, masks: Masks, draws: int, collect: Collect, allowed: Values | None = None
) -> Weighted:
    """Log-weights of one example, and the posterior mean of `collect(draw)`.

    Args:
        collect: From one draw to a pytree of arrays.
        allowed: Soft evidence on leaves.
    """

    def one(model: Model, k: Key):
        log_w, found = weights_of(model, k, values, masks, allowed or {})
        return log_w, jax.vmap(collect)(found)

    def chunk(carry, xs):
        top, total, mean = carry
        log_w, got = jax.vmap(partial(one, with_weights(model, xs[2])))(xs[0])  # (chunk, states)
        log_w = jnp.where(xs[1][:, None], log_w, IMPOSSIBLE)
        higher = jnp.maximum(top, log_w.max())
        w, shrink = jnp.exp(log_w - higher), jnp.exp(top - higher)
        mean = jax.tree.map(lambda m, g: m * shrink + jnp.tensordot(w, g.astype(jnp.float32), 2), mean, got)
        return (higher, total * shrink + w.sum(), mean), jax.nn.logsumexp(log_w, axis=1)

    keys, counts, numbers = chunked_keys(model, key, draws)
    shapes = jax.eval_shape(lambda k: one(model, k)[1], keys[0, 0])
    zero = jax.tree.map(lambda s: jnp.zeros(s.shape[1:], jnp.float32), shapes)
    start = jnp.full((), IMPOSSIBLE), jnp.zeros(()), zero
    (_, total, mean), log_w = jax.lax.scan(chunk, start, (keys, counts, numbers))
    return Weighted(log_w.ravel()[:draws], jax.tree.map(lambda m: m / total, mean))


def posterior_draws(
    model: Model, key: Key, values: Values, masks: Masks, draws: int, kept: int, allowed: Values | None = None
) -> tuple[Values, Array]:
    """Draws from the posterior of one example's inner nodes by resampling.

    Returns:
        Values `(kept, ...)` of all stochastic nodes that are not leaves, and the log-weights `(draws,)`.
    """
    names = [n for n in model.network.stochastic if n not in model.network.leaves]

    def one(model: Model, k: Key):
        log_w, found = weights_of(model, k, values, masks, allowed or {})
        return log_w, {n: found.values[n] for n in names}

    def chunk(carry, xs):
        best, held = carry
        log_w, got = jax.vmap(partial(one, with_weights(model, xs[2])))(xs[0])
        log_w = jnp.where(xs[1][:, None], log_w, IMPOSSIBLE)
        raced = log_w.ravel()[None] + jax.random.gumbel(xs[3], (kept, log_w.size))
        winner, height = raced.argmax(1), raced.max(1)
        flat = jax.tree.map(lambda g: g.reshape(log_w.size, *g.shape[2:])[winner], got)
        better = height > best
        held = jax.tree.map(lambda h, f: jnp.where(better.reshape(-1, *[1] * (f.ndim - 1)), f, h), held, flat)
        return (jnp.maximum(best, height), held), jax.nn.logsumexp(log_w, axis=1)

    draw_key, race_key = jax.random.split(key)
    keys, counts, numbers = chunked_keys(model, draw_key, draws)
    shapes = jax.eval_shape(lambda k: one(model, k)[1], keys[0, 0])
    zero = jax.tree.map(lambda s: jnp.zeros((kept, *s.shape[1:]), s.dtype), shapes)
    start = jnp.full(kept, 2 * IMPOSSIBLE), zero
    (_, held), log_w = jax.lax.scan(chunk, start, (keys, counts, numbers, jax.random.split(race_key, len(keys))))
    return held, log_w.ravel()[:draws]
