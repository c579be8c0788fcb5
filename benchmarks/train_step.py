"""Rows per second of the training loop, beside a hand-written loop of the same arithmetic (`benchmarks/bare.py`).

    python -m benchmarks.train_step

Two cases: an image-size net (784-512-20, batch 100) and a table-size net (30 real columns, 64 hidden, 8 latents, batch
64), float32, Adam. Both sides run in turn in one process; medians over epochs of equal length. Data are synthetic: only
shapes matter here.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import laten as lt
from benchmarks import bare
from benchmarks.runner import footer, in_turns, options_of, seconds_of, show
from laten.data.rows.presentation import Presentation, Store
from laten.network.model import Model, build_model
from laten.training.loop import Loop, shuffled
from laten.training.settings import Settings

PLAN = 10**6  # steps that the schedule is laid out for


def loop_of(
    models: Sequence[Model], data: np.ndarray, settings: Settings, grey: bool = False
) -> tuple[Any, Any, tuple]:
    """Return the library's compiled loop over rows `x`, its first state, and its next two arguments."""
    weights = [eqx.filter(model, eqx.is_inexact_array) for model in models]
    static = eqx.filter(models[0], eqx.is_inexact_array, inverse=True)
    presentation = Presentation(intensities=("x",) if grey else ())
    loop = Loop(weights[0], static, lt.Elbo(), presentation, settings, PLAN, False, len(models))
    store = Store({"x": jnp.asarray(data)}, {})
    return loop.run, loop.init(*weights), (loop.empty_sums(store, settings.batch_size), store)


def ours(network: lt.Network, data: np.ndarray, batch: int, grey: bool = False) -> Callable[[], None]:
    """Return one epoch of the library's loop."""
    model, key = build_model(network, lt.guide_for(network), jax.random.key(0)), jax.random.key(1)
    run, state, held = loop_of([model], data, Settings(batch_size=batch), grey)
    ends = np.int32(0), np.int32(0), np.int32(len(data) // batch)

    def epoch() -> None:
        nonlocal state
        state, tally = run(state, *held, shuffled(0, 0, len(data), batch), key, *ends)
        float(tally.bound)

    return epoch


def by_hand(data: np.ndarray, hidden: int, n_latent: int, n_raw: int, batch: int, log_prob: Callable) -> Callable:
    """Return the same by `benchmarks.bare`."""
    run, stored, key = bare.epoch(batch, log_prob), jnp.asarray(data), jax.random.key(1)
    state = bare.start(jax.random.key(0), data.shape[1], hidden, n_latent, n_raw)

    def epoch() -> None:
        nonlocal state
        *state, bound = run(*state, stored, key)
        float(bound)

    return epoch


def timed(title: str, sides: dict[str, Callable[[], None]], rows: int, repeats: int) -> None:
    """Print rows per second of each side, after one epoch to compile."""
    for side in sides.values():
        side()
    found, _ = in_turns({n: lambda turn, s=s: rows / seconds_of(s) for n, s in sides.items()}, repeats)
    table = pd.DataFrame(found).agg(["median", "min", "max"]).T
    show(f"{title}, float32, Adam: rows/s", table.assign(ratio=table["median"] / table["median"].iloc[0]), 2)


def main() -> None:
    """Time both cases."""
    options, rng = options_of(__doc__, repeats=7, rows=10_000).parse_args(), np.random.default_rng(0)
    grey = rng.integers(0, 256, (options.rows, 784), dtype=np.uint8)
    binary = (grey > 127).astype(np.uint8)
    network = lt.Network(z=lt.Normal(20), x=lt.Bernoulli(784).given("z", via=lt.MLP(512)))
    sides = {
        "by hand": by_hand(binary, 512, 20, 784, 100, bare.bernoulli),
        "laten": ours(network, binary, 100),
        "laten, binarised anew": ours(network, grey, 100, grey=True),
    }
    timed("784-512-20, batch 100", sides, options.rows, options.repeats)
    rows = 20 * options.rows // 64 * 64
    table = rng.normal(size=(rows, 30)).astype(np.float32)
    network = lt.Network(z=lt.Normal(8), x=lt.Normal(30).given("z", via=lt.MLP(64)))
    sides = {"by hand": by_hand(table, 64, 8, 60, 64, bare.normal), "laten": ours(network, table, 64)}
    timed("30 real columns, 64 hidden, 8 latents, batch 64", sides, rows, options.repeats)
    print(footer())


if __name__ == "__main__":
    main()
