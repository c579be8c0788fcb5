"""Rows per second of the training loop, beside a hand-written loop of the same arithmetic.

    python -m benchmarks.train_step

Two cases, as in the issue of the first release: an image-size net (784-512-20, batch 100) and a table-size net (30 real
columns, 64 hidden, 8 latents, batch 64), float32, Adam. Both sides run in turn in one process; medians over epochs of
equal length. Data are synthetic: only shapes matter here.
"""

import argparse

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import laten as lt
from benchmarks import bare
from benchmarks.runner import footer, in_turns, medians, seconds_of, show
from laten.data.rows.presentation import Presentation, Store
from laten.network.model import build_model
from laten.training.loop import Loop, shuffled
from laten.training.settings import Settings


def ours(network: lt.Network, data: np.ndarray, batch: int, grey: bool = False):
    """Return one epoch of the library's loop as a callable."""
    model = build_model(network, lt.guide_for(network), jax.random.key(0))
    weights, static = eqx.partition(model, eqx.is_inexact_array)
    presentation, settings = Presentation(intensities=("x",) if grey else ()), Settings(batch_size=batch)
    steps = len(data) // batch
    loop = Loop(weights, static, lt.Elbo(), presentation, settings, 1000 * steps, False)
    state, store, key = loop.init(weights), Store({"x": jnp.asarray(data)}, {}), jax.random.key(1)
    empty, ends = loop.empty_sums(store, batch), (np.int32(0), np.int32(0), np.int32(steps))

    def epoch() -> None:
        nonlocal state
        state, tally = loop.run(state, empty, store, shuffled(0, 0, len(data), batch), key, *ends)
        float(tally.bound)

    return epoch


def by_hand(data: np.ndarray, hidden: int, n_latent: int, n_raw: int, batch: int, log_prob):
    """Return the same by `benchmarks.bare`."""
    run = bare.epoch(n_latent, batch, log_prob)
    state = bare.start(jax.random.key(0), data.shape[1], hidden, n_latent, n_raw)
    stored, key = jnp.asarray(data), jax.random.key(1)

    def epoch() -> None:
        nonlocal state
        *state, bound = run(*state, stored, key)
        float(bound)

    return epoch


def timed(title: str, sides: dict, rows: int, repeats: int) -> None:
    """Print rows per second of each side, after one epoch to compile."""
    for side in sides.values():
        side()
    found, _ = in_turns({n: lambda turn, s=s: rows / seconds_of(s) for n, s in sides.items()}, repeats)
    show(title, medians(found, "by hand", "rows/s"), 2)


def main() -> None:
    """Time both cases."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--rows", type=int, default=10_000)
    options, rng = parser.parse_args(), np.random.default_rng(0)
    grey = rng.integers(0, 256, (options.rows, 784), dtype=np.uint8)
    binary = (grey > 127).astype(np.uint8)
    network = lt.Network(z=lt.Normal(20), x=lt.Bernoulli(784).given("z", via=lt.MLP(512)))
    sides = {
        "by hand": by_hand(binary, 512, 20, 784, 100, bare.bernoulli),
        "laten": ours(network, binary, 100),
        "laten, binarised anew": ours(network, grey, 100, grey=True),
    }
    timed("784-512-20, batch 100, float32, Adam", sides, options.rows, options.repeats)
    rows = 20 * options.rows // 64 * 64
    table = rng.normal(size=(rows, 30)).astype(np.float32)
    network = lt.Network(z=lt.Normal(8), x=lt.Normal(30).given("z", via=lt.MLP(64)))
    sides = {"by hand": by_hand(table, 64, 8, 60, 64, bare.normal), "laten": ours(network, table, 64)}
    timed("30 real columns, 64 hidden, 8 latents, batch 64, float32, Adam", sides, rows, options.repeats)
    print(footer())


if __name__ == "__main__":
    main()
