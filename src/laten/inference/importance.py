r"""Importance sampling from the guide, for one example, in constant memory.

With draws $z_k\sim q$ and $w_k = p(x, z_k)/q(z_k|x)$,

$$\log p(x)\approx\log\frac1S\sum_k w_k,\qquad \mathbb E[f\mid x]\approx\sum_k\bar w_k f(z_k),\qquad z\sim p(z\mid
x)\approx\text{Categorical}(\bar w).$$

Evidence may be softer than a value: an interval, or some of the classes. A site with such evidence is hidden from the
guide, and each weight is multiplied by P(allowed | z) (`Family.log_mass`).

A label that taught its factor of the guide (`lt.WithLabels`) is inferred by that factor, the classifier, and all else
given it: within a chunk the weights of each label's draws are scaled to sum to q(label | evidence) of the whole. The
network alone says less of it: p(x | label, z) with a z that explains everything leaves labels open.

Draws are made in chunks. A running maximum keeps the weighted mean exact, and posterior draws are kept by the
Gumbel-max rule: the draw with the largest $\log w_k + g_k$, $g_k$ standard Gumbel, is a draw from $\bar w$, and maxima
of chunks can be merged.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.types import Array, Key, Masks, Values
from laten.inference.defence import defensible, from_prior, log_share, states_of
from laten.network.log_weights import by_state
from laten.network.model import IMPOSSIBLE, MEMBER, Draw, Model

DRAWS_AT_ONCE = 256
Collect = Callable[[Draw], Any]


class Weighted(NamedTuple):
    """Log-weights `(draws,)` in nats, discrete latents summed over, and the weighted mean of what was collected."""

    log_w: Array
    mean: Any


def chunked_keys(key: Key, draws: int) -> tuple[Key, Array]:
    """Return keys `(chunks, chunk)` for `draws` draws, and which of them count."""
    chunks = math.ceil(draws / DRAWS_AT_ONCE)
    chunk = math.ceil(draws / chunks)
    counts = np.arange(chunks * chunk).reshape(chunks, chunk) < draws
    return random.split(key, (chunks, chunk)), jnp.asarray(counts)


def weighing(
    model: Model,
    values: Values,
    masks: Masks,
    collect: Collect,
    allowed: Values | None,
    prior: float = 0.0,
    labels: Sequence[str] = (),
) -> Callable[[Key, Array], tuple[Array, Any]]:
    """Return the function that draws a chunk: keys, and which of them count -> log-weights and what was collected.

    Both have the axes `(chunk, states)`; a draw that does not count is impossible.

    Args:
        collect: From one draw to a pytree of arrays.
        allowed: Leaf -> what is allowed of it, as `Family.log_mass` takes it: soft evidence, which the weights count.
        prior: Share of each chunk, about, that is drawn from the prior (`defence.py`).
        labels: Nodes of classes that the guide infers from evidence alone, and whose factor has the last word.
    """
    families = model.guide.families
    labels = [n for n in labels if families[n].n_sites == 1 and (n not in values or n in masks)]
    labels = [] if model.members else labels
    prior = prior if prior and defensible(model, values, masks) else 0.0

    def one(key: Key, share: float, held: Callable[[Values], Values]) -> tuple[Any, ...]:
        log_r, found = model.draws(key, values, masks, held=held)
        log_w = by_state(log_r, found)
        if share:
            names = states_of(model, values, masks)
            log_w += jax.vmap(lambda draw: log_share(draw, masks, names, share))(found)
        soft = jnp.zeros_like(log_w)
        for name, part in (allowed or {}).items():
            family = model.p[name].distribution
            mass = jax.vmap(family.log_mass, (0, None))(found.raw[name], part)
            soft += mass.reshape(len(log_w), -1).sum(1)
        told = jax.vmap(lambda draw: said(draw, model, labels, values, masks))(found)
        return log_w, soft, jax.vmap(collect)(found), told

    def chunk(keys: Key, counts: Array) -> tuple[Array, Any]:
        last = round(prior * len(keys))
        share = last / len(keys)
        found = jax.vmap(lambda k: one(k, share, lambda states: states))(keys[last:])
        if last:
            more = jax.vmap(lambda k: one(k, share, lambda s: s | from_prior(model, k, values, masks, s)))(keys[:last])
            found = jax.tree.map(lambda *xs: jnp.concatenate(xs), more, found)
        log_w, soft, got, (code, log_q) = found
        log_w = jnp.where(counts[:, None], log_w, IMPOSSIBLE)
        if labels:  # by hard evidence, which is all that the guide sees
            log_w = by_labels(log_w, code, log_q, math.prod(families[n].n_states or 1 for n in labels))
        return log_w + soft, got

    return chunk


def said(draw: Draw, model: Model, labels: Sequence[str], values: Values, masks: Masks) -> tuple[Array, Array]:
    """Return the code of a draw's labels among all joint ones, and log q of them in nats; of a shown label 0."""
    code, log_q = jnp.zeros((), jnp.int32), jnp.zeros(())
    for name in labels:
        value = jnp.ravel(draw.values[name])[0].astype(jnp.int32)
        code = code * (model.guide.nodes[name].family.n_states or 1) + value
        log_q += jnp.sum(draw.log_q[name])
        if name in values:
            other = jnp.ravel(masks[name])[0] & (value != jnp.ravel(values[name])[0])
            log_q += jnp.where(other, IMPOSSIBLE, 0.0)
    return code, log_q


def by_labels(log_w: Array, code: Array, log_q: Array, states: int) -> Array:
    """Scale the weights of each label's draws to q of it, of their sum, which stays."""
    flat, label = log_w.ravel(), code.ravel()
    top = jax.ops.segment_max(flat, label, states)
    total = top + jnp.log(jax.ops.segment_sum(jnp.exp(flat - top[label]), label, states))
    return log_w - total[code] + log_q + jax.nn.logsumexp(log_w)


def log_weights(model: Model, key: Key, values: Values, masks: Masks, draws: int) -> Array:
    """Return log-weights `(draws,)` of one example, in nats, discrete latents summed over; E[w] = p(x)."""
    weigh = weighing(model, values, masks, lambda draw: (), None)

    def chunk(carry, xs):
        return carry, jax.nn.logsumexp(weigh(*xs)[0], axis=1)

    return jax.lax.scan(chunk, None, chunked_keys(key, draws))[1].ravel()[:draws]


def weights_and(
    model: Model, key: Key, values: Values, masks: Masks, draws: int, collect: Collect, allowed: Values
) -> tuple[Array, Any]:
    """Return log-weights `(draws * states,)` and `collect(draw)` of each draw, stacked alike."""
    weigh = weighing(model, values, masks, collect, allowed)
    _, (log_w, got) = jax.lax.scan(lambda carry, xs: (carry, weigh(*xs)), None, chunked_keys(key, draws))
    return log_w.ravel(), jax.tree.map(lambda x: x.reshape(log_w.size, *x.shape[3:]), got)


def weighted_mean(
    model: Model,
    key: Key,
    values: Values,
    masks: Masks,
    draws: int,
    collect: Collect,
    allowed: Values | None = None,
    labels: Sequence[str] = (),
) -> Weighted:
    """Return log-weights of one example, and the posterior mean of `collect(draw)`; `labels` as in `weighing`."""
    weigh = weighing(model, values, masks, collect, allowed, labels=labels)

    def chunk(carry, xs):
        top, total, mean = carry
        log_w, got = weigh(*xs)
        higher = jnp.maximum(top, log_w.max())
        w, shrink = jnp.exp(log_w - higher), jnp.exp(top - higher)
        mean = jax.tree.map(lambda m, g: m * shrink + jnp.tensordot(w, g.astype(jnp.float32), 2), mean, got)
        return (higher, total * shrink + w.sum(), mean), jax.nn.logsumexp(log_w, axis=1)

    keys, counts = chunked_keys(key, draws)
    _, shapes = jax.eval_shape(weigh, keys[0], counts[0])
    zero = jax.tree.map(lambda s: jnp.zeros(s.shape[2:], jnp.float32), shapes)
    start = jnp.full((), IMPOSSIBLE), jnp.zeros(()), zero
    (_, total, mean), log_w = jax.lax.scan(chunk, start, (keys, counts))
    return Weighted(log_w.ravel()[:draws], jax.tree.map(lambda m: m / total, mean))


def posterior_draws(
    model: Model,
    key: Key,
    values: Values,
    masks: Masks,
    draws: int,
    kept: int,
    allowed: Values | None = None,
    prior: float = 0.0,
    labels: Sequence[str] = (),
) -> tuple[Values, Array]:
    """Draw from the posterior of one example's inner nodes by resampling.

    Args:
        prior: Share of the draws that is from the prior, as in `weighing`; then `draws` is a multiple of 256.
        labels: As in `weighing`.
    Returns:
        Values `(kept, ...)` of all stochastic nodes that are not leaves, of an average with the member that drew them;
        and the log-weights `(draws,)`.
    """
    names = [n for n in model.network.stochastic if n not in model.network.leaves] + [MEMBER] * bool(model.members)
    weigh = weighing(model, values, masks, lambda draw: {n: draw.values[n] for n in names}, allowed, prior, labels)

    def chunk(carry, xs):
        best, held = carry
        log_w, got = weigh(*xs[:2])
        raced = log_w.ravel()[None] + random.gumbel(xs[2], (kept, log_w.size))
        winner, height = raced.argmax(1), raced.max(1)
        flat = jax.tree.map(lambda g: g.reshape(log_w.size, *g.shape[2:])[winner], got)
        better = height > best
        held = jax.tree.map(lambda h, f: jnp.where(better.reshape(-1, *[1] * (f.ndim - 1)), f, h), held, flat)
        return (jnp.maximum(best, height), held), jax.nn.logsumexp(log_w, axis=1)

    draw_key, race_key = random.split(key)
    keys, counts = chunked_keys(draw_key, draws)
    _, shapes = jax.eval_shape(weigh, keys[0], counts[0])
    zero = jax.tree.map(lambda s: jnp.zeros((kept, *s.shape[2:]), s.dtype), shapes)
    start = jnp.full(kept, 2 * IMPOSSIBLE), zero
    (_, held), log_w = jax.lax.scan(chunk, start, (keys, counts, random.split(race_key, len(keys))))
    return held, log_w.ravel()[:draws]
