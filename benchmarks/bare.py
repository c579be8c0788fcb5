"""The floor under our training loop: the same VAE, batches and Adam by hand, in plain JAX around one `lax.scan`.

Nothing but what the arithmetic needs: no masks, no terms by node, no finite checks, no schedule. The data set is
shuffled once an epoch.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp


def start(key: jax.Array, n: int, hidden: int, n_latent: int, n_raw: int) -> tuple:
    """Weights and Adam's moments of an n - hidden - 2·latent - hidden - raw VAE."""
    sizes, keys = ((n, hidden), (hidden, 2 * n_latent), (n_latent, hidden), (hidden, n_raw)), jax.random.split(key, 4)
    layers = [
        (jax.random.normal(k, size) * math.sqrt(1 / size[0]), jnp.zeros(size[1]))
        for k, size in zip(keys, sizes, strict=True)
    ]
    weights = layers[:2], layers[2:]
    return weights, (*(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)), jnp.zeros((), jnp.int32))


def forward(layers: list[tuple[jax.Array, jax.Array]], x: jax.Array) -> jax.Array:
    """The net's output, with a rectifier between its layers."""
    (w, b), (v, c) = layers
    return jax.nn.relu(x @ w + b) @ v + c


def bernoulli(raw: jax.Array, x: jax.Array) -> jax.Array:
    """log p(x) of binary values, summed, from their logits."""
    return jnp.sum(x * raw - jax.nn.softplus(raw))


def normal(raw: jax.Array, x: jax.Array) -> jax.Array:
    """log p(x) of real values, summed, from means and log standard deviations side by side."""
    loc, log_sd = jnp.split(raw, 2, axis=-1)
    return jnp.sum(-0.5 * jnp.square((x - loc) * jnp.exp(-log_sd)) - log_sd - 0.5 * math.log(2 * math.pi))


def epoch(batch: int, log_prob: Callable, rate: float = 1e-3) -> Callable:
    """A compiled epoch: (weights, moments, data, key) -> (weights, moments, mean bound)."""

    def loss(weights, x, key):
        q, p = weights
        mean, log_sd = jnp.split(forward(q, x), 2, axis=-1)
        z = mean + jnp.exp(log_sd) * jax.random.normal(key, mean.shape)
        kl = 0.5 * jnp.sum(jnp.exp(2 * log_sd) + mean**2 - 1 - 2 * log_sd)
        return (kl - log_prob(forward(p, z), x)) / x.shape[0]

    def step(carry, index, data, key):
        weights, (m, v, t) = carry
        value, g = jax.value_and_grad(loss)(weights, data[index].astype(jnp.float32), jax.random.fold_in(key, t))
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        a = rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        weights = jax.tree.map(lambda w, m, v: w - a * m / (jnp.sqrt(v) + 1e-8), weights, m, v)
        return (weights, (m, v, t)), value

    def run(weights, moments, data, key):
        steps = data.shape[0] // batch
        order = jax.random.permutation(key, data.shape[0])[: steps * batch].reshape(steps, batch)
        (weights, moments), values = jax.lax.scan(lambda c, i: step(c, i, data, key), (weights, moments), order)
        return weights, moments, -values.mean()

    return jax.jit(run, donate_argnums=(0, 1))
