"""Bias, variance and time of every gradient estimator, in worlds whose gradients are known.

    python -m benchmarks.gradients [--draws 10000] [--rows 100]

Each estimator's gradient is drawn many times for one row and compared with the exact gradient of its own bound (of two
draws a row where it has several). "off" is the largest distance of a mean from the truth, in standard errors: about 3
to 4 is chance, for as many weights. "bias" is the length of mean minus truth over the length of the truth; of an
unbiased estimator that is noise, which falls with `--draws`. "noise" is the root of the summed variances over the
length of the truth, of one gradient of one row. "ms" is a gradient for a batch of MNIST's size in a net of 784-200-20
(classes: 20 binary latents, sampled), alternating between estimators, medians of nine.
"""

import argparse
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import laten as lt
from benchmarks.gradient_worlds import BOUNDS, CLASSES, NUMBERS, UNBIASED, K, exact, expected, gradients, shaken, worst
from benchmarks.runner import footer, in_turns, seconds_of, show
from laten.network.model import build_model
from laten.training.objectives import Batch

WORLDS = {
    "classes": (CLASSES, Batch({"x": jnp.array([2])}, {})),
    "numbers": (NUMBERS, Batch({"x": jnp.array([[0.8, -0.5]])}, {})),
}
SHAKEN = {"classes": 1.0, "numbers": 0.3}  # how far from where weights start
BIASED = {
    "classes": {"relaxed (biased)": (lt.Elbo(kl="sampled", discrete="relaxed"), "elbo")},
    "numbers": {"reweighted wake-sleep (guide: another aim)": (lt.ReweightedWakeSleep(K), "iwae")},
}


def accuracy(kind: str, draws: int) -> dict[str, dict[str, float]]:
    """Return a line for each estimator in a world."""
    network, batch = WORLDS[kind]
    model, lines = shaken(network, SHAKEN[kind]), {}
    for name, (objective, bound) in {**UNBIASED[kind], **BIASED[kind]}.items():
        truth = exact(model, lambda m, b=bound: expected(m, kind, BOUNDS[b]))
        found, line = gradients(objective, model, batch, draws=draws), {}
        for side, label in (("p", "network"), ("q", "guide")):
            length = np.linalg.norm(truth[side])
            line[f"{label}: off"] = worst(found[side], truth[side])
            line[f"{label}: bias"] = np.linalg.norm(found[side].mean(0) - truth[side]) / length
            line[f"{label}: noise"] = np.sqrt(found[side].var(0).sum()) / length
        lines[name] = line
    return lines


def clocked(kind: str, rows: int, repeats: int) -> dict[str, float]:
    """Return milliseconds of a gradient of each estimator, medians over turns."""
    latent = lt.Bernoulli(20).learned() if kind == "classes" else lt.Normal(20)
    p = lt.Network(z=latent, x=lt.Bernoulli(784).given("z", via=lt.MLP(200, activation="tanh")))
    model = build_model(p, lt.guide_for(p), jax.random.key(0))
    pixels = np.random.default_rng(0).random((rows, 784)) < 0.2
    batch, sides = Batch({"x": jnp.asarray(pixels, jnp.float32)}, {}), {}
    for name, (objective, _) in {**UNBIASED[kind], **BIASED[kind]}.items():
        if name == "enumerated":
            continue  # a million states
        run = jax.jit(jax.grad(lambda m, key, objective=objective: objective(m, batch, key).loss))
        jax.block_until_ready(run(model, jax.random.key(0)))

        def few(turn: int, run: Any = run) -> float:
            return (
                seconds_of(lambda: jax.block_until_ready([run(model, jax.random.key(turn)) for _ in range(5)])) / 5e-3
            )

        sides[name] = few
    return {name: float(np.median(t)) for name, t in in_turns(sides, repeats)[0].items()}


def main() -> None:
    """Print a table for each world."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    for kind in WORLDS:
        table = pd.DataFrame.from_dict(accuracy(kind, options.draws), orient="index")
        table["ms"] = pd.Series(clocked(kind, options.rows, options.repeats))
        show(f"{kind}, {options.draws} gradients of one row", table, 3)
    print(footer())


if __name__ == "__main__":
    main()
