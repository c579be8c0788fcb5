"""Rows per second of the training loop, beside a hand-written loop of the same arithmetic.

    python -m benchmarks.train_step

Two cases, as in the issue of the first release: an image-size net (784-512-20, batch 100) and a table-size net (30 real
columns, 64 hidden, 8 latents, batch 64), float32, Adam. Both sides run in turn in one process; medians over epochs of
equal length. Data are synthetic: only shapes matter here.
"""

import argparse
import time

import equinox as eqx
import jax
import numpy as np

import laten as lt
from benchmarks import bare
from laten.data.rows.presentation import Presentation, Store
from laten.network.guide import guide_for
from laten.network.model import build_model
from laten.training.loop import Loop, shuffled
from laten.training.settings import Settings


def ours(network: lt.Network, data: np.ndarray, batch: int, how: Presentation):
    """One epoch of the library's loop as a callable that returns the mean bound."""
    model = build_model(network, guide_for(network), jax.random.key(0))
    weights, static = eqx.partition(model, eqx.is_inexact_array)
    steps = len(data) // batch
    loop = Loop(weights, static, lt.Elbo(), how, Settings(batch_size=batch), 1000 * steps, False)
    state, store, key = loop.init(weights), Store({"x": jax.numpy.asarray(data)}, {}), jax.random.key(1)

    empty = loop.empty_sums(store, batch)

    def epoch() -> float:
        nonlocal state
        order = shuffled(0, 0, len(data), batch)
        ends = np.int32(0), np.int32(0), np.int32(steps)
        state, sums = loop.run(state, empty, store, order, key, *ends)
        return float(sums.bound) / steps

    return epoch


def by_hand(data: np.ndarray, hidden: int, n_latent: int, n_raw: int, batch: int, log_prob):
    """The same by `benchmarks.bare`."""
    run = bare.epoch(n_latent, batch, log_prob)
    state = bare.start(jax.random.key(0), data.shape[1], hidden, n_latent, n_raw)
    stored, key = jax.numpy.asarray(data), jax.random.key(1)

    def epoch() -> float:
        nonlocal state
        *state, bound = run(*state, stored, key)
        return float(bound)

    return epoch


def timed(sides: dict, rows: int, repeats: int) -> dict[str, list[float]]:
    """Rows per second of each side, the sides in turn, after one epoch to compile."""
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        side()
    for _ in range(repeats):
        for name, side in sides.items():
            began = time.perf_counter()
            side()
            rates[name].append(rows / (time.perf_counter() - began))
    return rates


def show(title: str, rates: dict[str, list[float]]) -> None:
    """Prints each side's median and best, and its ratio to the hand-written loop."""
    floor = np.median(rates["by hand"])
    print(title)
    for name, r in rates.items():
        middle = np.median(r)
        print(f"  {name:<28} {middle:>10,.0f} rows/s   (best {max(r):,.0f})   {middle / floor:.2f} of by hand")


def main() -> None:
    """Times both cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)

    rows = options.rows
    grey = rng.integers(0, 256, (rows, 784), dtype=np.uint8)
    binary = (grey > 127).astype(np.uint8)
    network = lt.Network(z=lt.Normal(20), x=lt.Bernoulli(784).given("z", via=lt.MLP(512)))
    sides = {
        "by hand": by_hand(binary, 512, 20, 784, 100, bare.bernoulli),
        "laten": ours(network, binary, 100, Presentation()),
        "laten, binarised anew": ours(network, grey, 100, Presentation(intensities=("x",))),
    }
    show("784-512-20, batch 100, float32, Adam", timed(sides, rows, options.repeats))

    rows = 20 * options.rows // 64 * 64
    table = rng.normal(size=(rows, 30)).astype(np.float32)
    network = lt.Network(z=lt.Normal(8), x=lt.Normal(30).given("z", via=lt.MLP(64)))
    sides = {
        "by hand": by_hand(table, 64, 8, 60, 64, bare.normal),
        "laten": ours(network, table, 64, Presentation()),
    }
    show("30 real columns, 64 hidden, 8 latents, batch 64, float32, Adam", timed(sides, rows, options.repeats))


if __name__ == "__main__":
    main()
