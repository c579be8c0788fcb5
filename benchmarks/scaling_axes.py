"""What `benchmarks.scaling` varies, and what is timed at each size. Data are synthetic: only shapes matter.

One point is measured in one process (`measured`). Memory is the largest resident memory that the process ever had;
`before` is what it was when the data lay there and nothing had been fitted.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

import laten as lt
from benchmarks.peers.exchange import peak_gib
from benchmarks.runner import seconds_of
from laten.data.datasets.simulated_clinic import clinic
from laten.data.rows.presentation import Presentation, Store
from laten.network.model import build_model
from laten.training import epochs
from laten.training.settings import Settings

Point = dict[str, float]
BATCH = 128
COLUMNS, HIDDEN, LATENT = 30, 64, 8  # of the net that is not varied
CALLS = 5


@dataclass(frozen=True)
class Axis:
    """One thing that is varied."""

    what: str  # its unit, and what is timed
    sizes: tuple[int, ...]  # a geometric grid
    quick: tuple[int, ...]  # a smaller one, to see that it runs
    measure: Callable[[int], Point]  # from a size to figures: `seconds`, and `data`, the bytes of what was given
    expected: str  # what the exponent of `seconds` should be
    environment: Callable[[int], dict[str, str]] = field(default=lambda size: {})  # of the process of a size


def grid(low: float, high: float, each: int = 2) -> tuple[int, ...]:
    """Return sizes from `low` to `high`, this many a decade."""
    steps = round(each * np.log10(high / low))
    return tuple(int(x) for x in np.geomspace(low, high, steps + 1).round())


def normal_rows(rows: int, columns: int) -> np.ndarray:
    """`(rows, columns)` float32, made without a larger array on the way."""
    out = np.empty((rows, columns), np.float32)
    np.random.default_rng(0).standard_normal(out=out, dtype=np.float32)
    return out


def table_net(columns: int = COLUMNS, latent: int = LATENT) -> lt.Network:
    """Real columns over a shared hidden layer."""
    return lt.Network(z=lt.Normal(latent), x=lt.Normal(columns).given("z", via=lt.MLP(HIDDEN)))


def peak() -> float:
    """Return the largest resident memory so far, bytes."""
    return peak_gib() * 2**30


def trained(data: Any, model: lt.Network | None = None, epochs: int = 4, **options: Any) -> Point:
    """Return seconds of an epoch (the median after the first, which compiles), of the first, of all else in `fit`."""
    vae = lt.VAE(model, epochs=epochs, batch_size=BATCH, **options)
    before, total = peak(), seconds_of(lambda: vae.fit(data))
    seconds = vae.history_["seconds"]
    return {
        "seconds": float(seconds.iloc[1:].median()),
        "first": float(seconds.iloc[0]),
        "rest": float(total - seconds.sum()),
        "data": float(data["x"].nbytes if isinstance(data, dict) else data.memory_usage(deep=True).sum()),
        "before": before,
        "peak": peak(),
    }


def by_rows(rows: int) -> Point:
    """Train real columns: the compiling epoch, and more of the shorter ones."""
    epochs = 1 + min(max(2_000_000 // rows, 3), 30)
    return trained({"x": normal_rows(rows, COLUMNS)}, table_net(), epochs, validation=0)


def by_frame_rows(rows: int) -> Point:
    """Train a proposed mixed table with holes: rows of `clinic`, drawn with replacement."""
    frame = clinic(10_000).sample(rows, replace=True, random_state=0, ignore_index=True)
    return trained(frame, latent=LATENT, width=HIDDEN)


def by_columns(columns: int) -> Point:
    """Train 20 000 rows of real columns."""
    return trained({"x": normal_rows(20_000, columns)}, table_net(columns), validation=0)


def by_levels(levels: int) -> Point:
    """Train 20 000 rows of one column of classes."""
    network = lt.Network(z=lt.Normal(LATENT), x=lt.Categorical(levels).given("z", via=lt.MLP(HIDDEN)))
    codes = np.random.default_rng(0).integers(0, levels, 20_000).astype(np.int32)
    return trained({"x": codes}, network, validation=0)


def by_latents(latents: int) -> Point:
    """Train 20 000 rows of real columns."""
    return trained({"x": normal_rows(20_000, COLUMNS)}, table_net(latent=latents), validation=0)


def by_devices(devices: int) -> Point:
    """Train 200 000 rows with this many devices in sight."""
    return {**by_rows(200_000), "seen": len(jax.devices())}


def scored(rows: int, draws: int) -> Point:
    """Score by a net that was hardly trained; the program is compiled before."""
    x = normal_rows(max(rows, 1000), COLUMNS)
    vae = lt.VAE(table_net(), epochs=1, batch_size=BATCH, validation=0).fit({"x": x[:1000]})
    vae.score_samples({"x": x[:1]}, draws=draws)
    before, seconds = peak(), seconds_of(lambda: vae.score_samples({"x": x[:rows]}, draws=draws))
    return {"seconds": seconds, "data": float(x[:rows].nbytes), "before": before, "peak": peak()}


def by_call(rows: int) -> Point:
    """Call the compiled training loop without a step, by the rows of the epoch; `rest`: their shuffling."""
    network = lt.Network(z=lt.Normal(1), x=lt.Normal(1).given("z"))
    model = build_model(network, lt.guide_for(network), jax.random.key(0))
    store = Store({"x": jax.device_put(np.zeros((rows, 1), np.float32))}, {})
    task = epochs.Task(model, lt.Elbo(), store, Presentation(), 0.0, {})
    run, before, none = epochs.Training(task, Settings(epochs=1, batch_size=BATCH)), peak(), np.int32(0)
    order = epochs.shuffled(0, 0, rows, BATCH)

    def call() -> None:
        run.state, _ = run.loop.run(run.state, run.empty, store, order, run.key, none, none, none)
        jax.block_until_ready(run.state)

    shuffled = seconds_of(lambda: epochs.shuffled(0, 0, rows, BATCH))
    first, *calls = (seconds_of(call) for _ in range(1 + CALLS))  # the first compiles
    memory = {"data": float(order.nbytes), "before": before, "peak": peak()}
    return {"seconds": float(np.median(calls)), "first": first, "rest": shuffled, **memory}


def in_sight(devices: int) -> dict[str, str]:
    """Show a process the first few of the GPUs that this one sees."""
    names = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(64)))
    return {"CUDA_VISIBLE_DEVICES": ",".join(names.split(",")[:devices])}


AXES = {
    "rows": Axis("rows; an epoch of 30 real columns", grid(1e4, 3.162e6), grid(2e3, 2e5, 1), by_rows, "1.00 ± 0.05"),
    "frame": Axis(
        "rows; an epoch of a mixed table", grid(3e4, 3e6), grid(3e3, 3e4), by_frame_rows,
        "1, where rows are enough for the same network",
    ),
    "call": Axis(
        "rows; a call of the loop without a step", grid(1e5, 3.162e7), grid(1e4, 1e6, 1), by_call, "0 would be best",
    ),
    "columns": Axis("real columns; an epoch", grid(4, 4e3), (4, 40, 400), by_columns, "1 from below: constants go"),
    "levels": Axis("levels of one column; an epoch", grid(4, 4e3), (4, 40, 400), by_levels, "1 from below"),
    "latents": Axis("latents; an epoch", grid(2, 2e3), (2, 20, 200), by_latents, "1 from below"),
    "draws": Axis(
        "draws a row; scores of 256 rows", grid(1e2, 1e5), (10, 100, 1000), lambda n: scored(256, n),
        "1; memory constant",
    ),
    "scored": Axis(
        "rows; scores with 1000 draws", grid(1e2, 1e5), (10, 100, 1000), lambda n: scored(n, 1000),
        "1; memory constant",
    ),
    "devices": Axis("devices; an epoch of 30 real columns", (), (), by_devices, "-1 would be perfect", in_sight),
}  # fmt: skip


def sizes_of(name: str, quick: bool) -> tuple[int, ...]:
    """Return the grid of an axis; of devices 1, 2, 4, ... up to what there is."""
    if name == "devices":
        return tuple(2**i for i in range(len(jax.devices()).bit_length()))
    return AXES[name].quick if quick else AXES[name].sizes


def measured(name: str, size: int) -> Point:
    """Return the figures of one point, in this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lt.LatenWarning)  # hardly trained, scores are poor: what they are is no matter
        return AXES[name].measure(size)
