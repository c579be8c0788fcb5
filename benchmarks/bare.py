"""The floor under our training loop: the same VAE, batches and Adam by hand, in plain JAX around one `lax.scan`.

Nothing but what the arithmetic needs: no masks, no terms by node, no finite checks, no schedule. The data set is
shuffled once an epoch.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp


def init(key: jax.Array, sizes: tuple[int, ...]) -> list[tuple[jax.Array, jax.Array]]:
    """Weights of a fully connected net."""
    pairs = zip(jax.random.split(key, len(sizes) - 1), sizes[:-1], sizes[1:], strict=True)
    return [(jax.random.normal(k, (a, b)) * math.sqrt(1 / a), jnp.zeros(b)) for k, a, b in pairs]


def forward(layers: list[tuple[jax.Array, jax.Array]], x: jax.Array) -> jax.Array:
    """The net's output, with rectifiers between its layers."""
    for w, b in layers[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = layers[-1]
    return x @ w + b


def bernoulli(raw: jax.Array, x: jax.Array) -> jax.Array:
    """log p(x) of binary values, summed, from their logits."""
    return jnp.sum(x * raw - jax.nn.softplus(raw))


def normal(raw: jax.Array, x: jax.Array) -> jax.Array:
    """log p(x) of real values, summed, from means and log standard deviations side by side."""
    loc, log_sd = jnp.split(raw, 2, axis=-1)
    return jnp.sum(-0.5 * jnp.square((x - loc) * jnp.exp(-log_sd)) - log_sd - 0.5 * math.log(2 * math.pi))


def epoch(n_latent: int, batch: int, log_prob: Callable, rate: float = 1e-3) -> Callable:
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


def start(key: jax.Array, n: int, hidden: int, n_latent: int, n_raw: int):
    """Weights and Adam's moments of an n - hidden - 2·latent - hidden - raw VAE."""
    a, b = jax.random.split(key)
    weights = (init(a, (n, hidden, 2 * n_latent)), init(b, (n_latent, hidden, n_raw)))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    return weights, (zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), jnp.int32))
