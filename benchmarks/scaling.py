r"""Time and memory against rows, columns, levels, latents, draws and devices: curves, exponents, a picture.

    python -m benchmarks.scaling --out FOLDER      # everything; on a machine with nothing else to do
    python -m benchmarks.scaling --over rows draws # some of it
    python -m benchmarks.scaling --quick           # small grids: does it run?

What each axis and figure means, and what follows for 10^9 rows: docs/en/scaling.md. Each point is measured in a
process of its own, `--repeats` times (3; with --quick 1), of which the medians count. Memory is the largest resident
memory of the process, `before` what it was when the data lay there and nothing had been fitted. Data are synthetic:
only shapes matter.
"""

import argparse
import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.figure import Figure

import laten as lt
from benchmarks.peers.exchange import peak_gib
from benchmarks.runner import footer, options_of, output_of, seconds_of, show
from benchmarks.train_step import loop_of
from laten.data.datasets.simulated_clinic import clinic
from laten.network.model import build_model
from laten.plots.canvas import BLUE, GREY, RED, figure, tidy
from laten.training.loop import shuffled
from laten.training.settings import Settings

Point = dict[str, float]
BATCH = 128
COLUMNS, HIDDEN, LATENT = 30, 64, 8  # of the net that is not varied
CALLS = 5
ACROSS = 4  # panels
MEMORY = ["data", "before", "peak"]


class Axis(NamedTuple):
    """One thing that is varied."""

    what: str  # its unit, and what is timed
    sizes: tuple[int, ...]  # a geometric grid
    quick: tuple[int, ...]  # a smaller one, to see that it runs
    measure: Callable[[int], Point]  # from a size to figures: `seconds`, and `data`, the bytes of what was given
    expected: str  # what the exponent of `seconds` should be


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


def trained(data: Any, model: lt.Network | None = None, epochs: int = 4, **options: Any) -> Point:
    """Return seconds of an epoch (the median after the first, which compiles), of the first, of all else in `fit`."""
    vae = lt.VAE(model, epochs=epochs, batch_size=BATCH, **options)
    size = data["x"].nbytes if isinstance(data, dict) else data.memory_usage(deep=True).sum()
    before, total = peak_gib(), seconds_of(lambda: vae.fit(data))
    seconds = vae.history_["seconds"]
    found = {"seconds": seconds.iloc[1:].median(), "first": seconds.iloc[0], "rest": total - seconds.sum()}
    return {**found, **memory(size, before)}


def memory(data: float, before: float) -> Point:
    """Return the bytes of the data, of the process before the work, and at most."""
    return {"data": float(data), "before": before * 2**30, "peak": peak_gib() * 2**30}


def by_rows(rows: int) -> Point:
    """Train real columns: the compiling epoch, and more of the shorter ones."""
    epochs = 1 + min(max(2_000_000 // rows, 3), 30)
    return trained({"x": normal_rows(rows, COLUMNS)}, table_net(), epochs, validation=0)


def by_frame_rows(rows: int) -> Point:
    """Train a proposed mixed table with holes: rows of `clinic`, drawn with replacement."""
    frame = clinic(10_000).sample(rows, replace=True, random_state=0, ignore_index=True)
    return trained(frame, latent=LATENT, width=HIDDEN)


def by_shape(columns: int = COLUMNS, latents: int = LATENT) -> Point:
    """Train 20 000 rows of real columns."""
    return trained({"x": normal_rows(20_000, columns)}, table_net(columns, latents), validation=0)


def by_levels(levels: int) -> Point:
    """Train 20 000 rows of one column of classes."""
    network = lt.Network(z=lt.Normal(LATENT), x=lt.Categorical(levels).given("z", via=lt.MLP(HIDDEN)))
    codes = np.random.default_rng(0).integers(0, levels, 20_000).astype(np.int32)
    return trained({"x": codes}, network, validation=0)


def scored(rows: int, draws: int) -> Point:
    """Score by a net that was hardly trained; the program is compiled before."""
    x = normal_rows(max(rows, 1000), COLUMNS)
    vae = lt.VAE(table_net(), epochs=1, batch_size=BATCH, validation=0).fit({"x": x[:1000]})
    vae.score_samples({"x": x[:1]}, draws=draws)
    before, seconds = peak_gib(), seconds_of(lambda: vae.score_samples({"x": x[:rows]}, draws=draws))
    return {"seconds": seconds, **memory(x[:rows].nbytes, before)}


def by_call(rows: int) -> Point:
    """Call the compiled training loop without a step, by the rows of the epoch; `rest`: their shuffling."""
    network = lt.Network(z=lt.Normal(1), x=lt.Normal(1).given("z"))
    model, key = build_model(network, lt.guide_for(network), jax.random.key(0)), jax.random.key(1)
    run, state, held = loop_of([model], np.zeros((rows, 1), np.float32), Settings(batch_size=BATCH))
    before, order = peak_gib(), shuffled(0, 0, rows, BATCH)

    def call() -> None:
        nonlocal state
        state, _ = jax.block_until_ready(run(state, *held, order, key, *np.zeros(3, np.int32)))

    rest = seconds_of(lambda: shuffled(0, 0, rows, BATCH))
    first, *calls = (seconds_of(call) for _ in range(1 + CALLS))  # the first compiles
    return {"seconds": float(np.median(calls)), "first": first, "rest": rest, **memory(order.nbytes, before)}


SCORED = grid(1e2, 1e5), (10, 100, 1000)
AXES = {
    "rows": Axis("rows; an epoch of 30 real columns", grid(1e4, 3.162e6), grid(2e3, 2e5, 1), by_rows, "1.00 ± 0.05"),
    "frame": Axis("rows; an epoch of a mixed table", grid(3e4, 3e6), grid(3e3, 3e4), by_frame_rows, "1 from 30 000 on"),
    "call": Axis("rows; a loop without a step", grid(1e5, 3.162e7), grid(1e4, 1e6, 1), by_call, "0 would be best"),
    "columns": Axis("real columns; an epoch", grid(4, 4e3), (4, 40, 400), by_shape, "1 from below"),
    "levels": Axis("levels of one column; an epoch", grid(4, 4e3), (4, 40, 400), by_levels, "1 from below"),
    "latents": Axis("latents; an epoch", grid(2, 2e3), (2, 20, 200), lambda n: by_shape(latents=n), "1 from below"),
    "draws": Axis("draws a row; scores of 256 rows", *SCORED, lambda n: scored(256, n), "1; memory constant"),
    "scored": Axis("rows; scores with 1000 draws", *SCORED, lambda n: scored(n, 1000), "1; memory constant"),
    "devices": Axis("devices; an epoch of 30 real columns", (), (), lambda n: by_rows(200_000), "-1 would be perfect"),
}


def sizes_of(name: str, quick: bool) -> tuple[int, ...]:
    """Return the grid of an axis; of devices 1, 2, 4, ... up to what there is."""
    if name == "devices":
        return tuple(2**i for i in range(len(jax.devices()).bit_length()))
    return AXES[name].quick if quick else AXES[name].sizes


def measured(name: str, size: int) -> Point:
    """Return the figures of one point, in this process."""
    warnings.simplefilter("ignore", lt.LatenWarning)  # hardly trained, scores are poor: what they are is no matter
    return {**AXES[name].measure(size), "seen": len(jax.devices())}


class Slope(NamedTuple):
    """A slope, its standard error, and where the line meets the axis; NaN where there are too few points."""

    value: float
    error: float
    start: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ± {self.error:.2f}" if np.isfinite(self.error) else f"{self.value:.2f}"


def line(x: np.ndarray, y: np.ndarray) -> Slope:
    """Fit by least squares; the standard error is of independent errors of one size, which takes three points."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(np.unique(x)) < 2:
        return Slope(np.nan, np.nan, np.nan)
    found = scipy.stats.linregress(x, y)
    return Slope(found.slope, found.stderr if len(x) > 2 else np.nan, found.intercept)


def exponent(n: np.ndarray, y: np.ndarray) -> Slope:
    """Return b of y ~ n^b; `start` is the logarithm of the factor."""
    return line(np.log(n), np.log(y))


def upper_decade(points: pd.DataFrame) -> pd.DataFrame:
    """Return the points within a factor of ten of the largest: there a constant weighs least."""
    return points[points["size"] >= 0.099 * points["size"].max()]


def child(name: str, size: int) -> Point:
    """Return the figures of one point, measured in a process of its own."""
    command, environment = [sys.executable, "-m", "benchmarks.scaling", "--child", name, str(size)], {}
    if name == "devices":  # it sees the first few of the GPUs that this one sees
        names = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(64)))
        environment = {"CUDA_VISIBLE_DEVICES": ",".join(names.split(",")[:size])}
    return json.loads(output_of(command, **environment))


def run(names: Sequence[str], quick: bool, repeats: int) -> pd.DataFrame:
    """Measure every point of some axes, medians over repeats: `axis`, `size`, and what was measured."""
    found = []
    for name in names:
        for size in sizes_of(name, quick):
            try:
                points = pd.DataFrame([child(name, size) for _ in range(repeats)])
            except RuntimeError as error:
                print(error, file=sys.stderr)  # the largest may not fit this machine; the others stay
                continue
            found.append({"axis": name, "size": size, **points.median()})
            print(f"{name} {size}: {found[-1]['seconds']:.3g} s", file=sys.stderr)
    return pd.DataFrame(found)


def summary(name: str, points: pd.DataFrame) -> dict[str, object]:
    """Return a line of the table: exponents of one axis, what its memory does, and what each row more costs."""
    upper, sizes, gib = upper_decade(points), points["size"], points["peak"] / 2**30
    each = {"ns a row": "seconds", "ns a row, once": "rest"} if name in ("rows", "frame", "call") else {}
    return {
        "axis": name,
        "sizes": f"{sizes.min():g} to {sizes.max():g}",
        "exponent": exponent(sizes, points["seconds"]),
        "upper decade": exponent(upper["size"], upper["seconds"]),
        "expected": AXES[name].expected,
        "GiB": f"{gib.min():.2f} to {gib.max():.2f}",
        "a byte of data": line(upper["data"], upper["peak"]) if name in ("rows", "frame") else "",
        **{told: f"{1e9 * line(upper['size'], upper[column]).value:.3g}" for told, column in each.items()},
    }


def picture(table: pd.DataFrame) -> Figure:
    """Draw for each axis of at least two points time above (dotted: proportional to size), memory below."""
    axes = [(str(n), p) for n, p in table.groupby("axis", sort=False) if len(p) > 1]
    across, down = max(min(ACROSS, len(axes)), 1), max(math.ceil(len(axes) / ACROSS), 1)
    fig = figure(3.4 * across, 5.2 * down + 0.4, "Time and memory")
    for i, (name, points) in enumerate(axes):
        place = 2 * (i // ACROSS) * across + i % ACROSS + 1
        above, below = (fig.add_subplot(2 * down, across, place + k * across) for k in (0, 1))
        size, seconds = points["size"].to_numpy(np.float64), points["seconds"].to_numpy()
        found = exponent(size, seconds)
        tidy(above, f"{name}: exponent {found}", up="seconds (dotted: proportional)")
        tidy(below, across=AXES[name].what, up="GiB at most (dashed: the data)")
        above.loglog(size, seconds, "o", color=BLUE, markersize=4)
        above.plot(size, np.exp(found.start) * size**found.value, color=BLUE, linewidth=1)
        above.plot(size, seconds[-1] * size / size[-1], ":", color=GREY, linewidth=1)
        below.semilogx(size, points["peak"] / 2**30, "o-", color=RED, markersize=4, linewidth=1)
        below.plot(size, points["data"] / 2**30, "--", color=GREY, linewidth=1)
        below.set(ylim=(0, 1.1 * points["peak"].max() / 2**30))
    return fig


def tables(table: pd.DataFrame) -> None:
    """Print the points and what was fitted."""
    for name, points in table.groupby("axis", sort=False):
        out = points.dropna(axis=1, how="all").drop(columns=["axis", "seen"], errors="ignore").set_index("size")
        out[MEMORY] /= 2**20
        show(AXES[str(name)].what, out.rename(columns={n: f"{n} MiB" for n in MEMORY}))
    lines = [summary(str(name), points) for name, points in table.groupby("axis", sort=False)]
    show("exponents", pd.DataFrame(lines).set_index("axis").fillna("").astype(str))
    print(f"\ndevices in sight: {int(table['seen'].max())}; laten trains on one of them")


def main() -> None:
    """Measure, print, write a CSV and a PNG."""
    asks = options_of(__doc__, {"over": AXES}, over=[*AXES], repeats=int, quick=False, out=Path)
    asks.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = asks.parse_args()
    if options.child:
        print(json.dumps(measured(options.child[0], int(options.child[1]))))
        return
    table = run(options.over, options.quick, options.repeats or (1 if options.quick else 3))
    if table.empty:
        sys.exit("nothing could be measured")
    tables(table)
    print(footer())
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        table.to_csv(options.out / "scaling.csv", index=False)
        picture(table).savefig(options.out / "scaling.png", dpi=120)
        print(f"{options.out / 'scaling.csv'}, {options.out / 'scaling.png'}")


if __name__ == "__main__":
    main()
