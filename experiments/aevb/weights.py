"""Full variational Bayes over the weights (appendix F), of which the paper shows no experiment: MNIST, few images.

    python -m experiments.aevb.weights --data FOLDER                              # 1000 images, 100 hidden units
    python -m experiments.aevb.weights --images 300 --latents 10 --epochs 300 1000

The same network, guide, optimiser and epochs three times: weights as points, with a prior N(0, 1), and with a normal
distribution of each, over which answers average. log p of test images by importance sampling, nats an image, grey
pixels taken as probabilities. A guide that has learned a thousand images by heart finds the posterior of others badly:
before each estimate the guide alone is trained on the images that are scored (`--refit` passes).
"""

import copy
import itertools
import math
import time
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from benchmarks.runner import DATA, options_of

import laten as lt
from experiments.aevb.settings import Panel, declared, rows_of
from laten.common.types import Array, Key
from laten.network.model import Model
from laten.network.nets.noisy import noised
from laten.training.objectives import Batch, Elbo

WEIGHTS = {"point": "points", "map": "maximum a posteriori", "bayes": "variational Bayes"}


def refitted(vae: lt.VAE, rows: np.ndarray, passes: int) -> lt.VAE:
    """The same network with a guide trained on these rows."""
    model, pixels, steps, out = vae.model_, jnp.asarray(rows), passes * len(rows) // 100, copy.copy(vae)
    optimizer = optax.adam(optax.cosine_decay_schedule(1e-3, steps))
    moving, still = eqx.partition(model.q, eqx.is_inexact_array)

    def with_guide(q: Any) -> Model:
        return Model(model.network, model.guide, model.p, eqx.combine(q, still))

    def step(i: Array, carry: tuple) -> tuple:
        q, state = carry
        which, draws = jax.random.split(jax.random.fold_in(jax.random.key(0), i))
        x = pixels[jax.random.randint(which, (100,), 0, len(pixels))].astype(jnp.float32) / 255
        gradient = jax.grad(lambda q: Elbo()(with_guide(q), Batch({"x": x}, {}), draws).loss)(q)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(q, updates), state

    run = jax.jit(lambda c: jax.lax.fori_loop(0, steps, step, c))
    out.model_ = with_guide(run((moving, optimizer.init(moving)))[0])
    return out


def log_likelihood(vae: lt.VAE, rows: np.ndarray, draws: int) -> np.ndarray:
    """`(rows,)` log p(x), nats: importance sampling of z, what the weights of the last layer add summed out.

    Given z and the hidden layer, logits are normal and independent under q(weights): a pixel's probability is an
    integral over one number, by Gauss-Hermite quadrature. 784 pixels' worth of noise would need too many draws.
    """
    model, pixels = vae.model_, jnp.asarray(rows)
    nodes, weights = np.polynomial.hermite_e.hermegauss(16)
    places, log_weights = jnp.asarray(nodes, jnp.float32), jnp.asarray(np.log(weights / weights.sum()), jnp.float32)
    net, spread, c = model.p["x"].net, model.p["x"].spread, model.p["x"].constants

    def log_p(key: Key, x: Array, z: Array) -> Array:
        first, last = net.layers
        if spread is None:
            logit = last(jnp.tanh(first(z))) + c
            return jnp.sum(x * logit - jax.nn.softplus(logit))
        hidden = jnp.tanh(noised(first, spread.layers[0], key)(z))
        sd = jnp.sqrt(jnp.square(hidden) @ jnp.exp(2 * spread.layers[1].weight))
        logit = last(hidden) + c + sd * places[:, None]  # (nodes, pixels)
        inside = x * logit - jax.nn.softplus(logit) + log_weights[:, None]
        return jnp.sum(jax.nn.logsumexp(inside, axis=0))

    def one(xs: tuple[Key, Array]) -> Array:
        x = xs[1].astype(jnp.float32) / 255

        def draw(k: Key) -> Array:
            found = model.draw(k, {"x": x}, {})
            return found.log_p["z"].sum() - found.log_q["z"].sum() + log_p(k, x, found.values["z"])

        log_w = jax.lax.map(draw, jax.random.split(xs[0], draws), batch_size=50)
        return jax.nn.logsumexp(log_w) - math.log(draws)

    keys = jax.random.split(jax.random.key(1), len(rows))
    return np.asarray(jax.jit(lambda a: jax.lax.map(one, a, batch_size=10))((keys, pixels)))


def main() -> None:
    """Fits the three at each length of training, and prints log p of training and test images."""
    sizes = {"images": 1000, "test": 1000, "latents": 3, "hidden": 100, "epochs": [100, 300, 1000, 3000]}
    options = options_of(__doc__, data=DATA, **sizes, draws=500, refit=500, seeds=1).parse_args()
    train, test = rows_of(options.data, "MNIST", options.images)
    p, q = declared(Panel("MNIST", options.latents), options.hidden)
    lines, plan = [], {"batch_size": 100, "validation": 0, "binarise": "none"}
    for epochs, seed, weights in itertools.product(options.epochs, range(options.seeds), WEIGHTS):
        began = time.perf_counter()
        vae = lt.VAE(p, q, weights=weights, epochs=epochs, seed=seed, **plan).fit({"x": train})
        line: dict = {"epochs": epochs, "weights": WEIGHTS[weights]}
        for split, rows in (("train", train[: options.test]), ("test", test[: options.test])):
            per_row = log_likelihood(refitted(vae, rows, options.refit), rows, options.draws)
            line[split] = per_row.mean()
        line["± rows"] = per_row.std() / math.sqrt(len(per_row))
        lines.append({**line, "seed": seed, "seconds": time.perf_counter() - began})
        print(pd.DataFrame([lines[-1]]).round(2).to_string(index=False, header=len(lines) == 1), flush=True)
    table = pd.DataFrame(lines)
    print(table.groupby(["epochs", "weights"], sort=False)[["train", "test"]].median().round(2))


if __name__ == "__main__":
    main()
