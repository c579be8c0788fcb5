r"""Time and memory against rows, columns, levels, latents, draws and devices: curves, exponents, a picture.

    python -m benchmarks.scaling --out FOLDER     # everything; on a machine with nothing else to do
    python -m benchmarks.scaling --over rows draws # some of it
    python -m benchmarks.scaling --quick           # small grids: does it run?

Each point runs in a process of its own, in turn. Of an epoch's time the median after the first epoch, which compiles;
of the repeats the median. Exponents, $\log y = a + b\log n$ by least squares, are over the whole grid, and over its
upper decade. Memory is the largest resident memory of the process; "a byte of data" is the slope of memory against the
bytes handed over, over the upper decade, where compilation no longer hides it: the data themselves count as 1. What
each axis and figure means, and what follows for 10^9 rows: docs/scaling.md.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.runner import footer, show
from benchmarks.scaling_axes import AXES, Point, measured, sizes_of
from laten.plots.canvas import BLUE, GREY, RED, figure, tidy

ACROSS = 4  # panels
MEMORY = ["data", "before", "peak"]


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
    middle = x - x.mean()
    value = float(middle @ y / (middle @ middle))
    start = float(y.mean() - value * x.mean())
    left = y - start - value * x
    error = float(np.sqrt(left @ left / (len(x) - 2) / (middle @ middle))) if len(x) > 2 else np.nan
    return Slope(value, error, start)


def exponent(n: np.ndarray, y: np.ndarray) -> Slope:
    """Return b of y ~ n^b; `start` is the logarithm of the factor."""
    return line(np.log(n), np.log(y))


def upper_decade(points: pd.DataFrame) -> pd.DataFrame:
    """Return the points within a factor of ten of the largest: there a constant weighs least."""
    return points[points["size"] >= 0.099 * points["size"].max()]


def child(name: str, size: int) -> Point:
    """Return the figures of one point, measured in a process of its own: the last line that it prints.

    Raises:
        RuntimeError: the process failed.
    """
    command = [sys.executable, "-m", "benchmarks.scaling", "--child", name, str(size)]
    environment = {**os.environ, **AXES[name].environment(size)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"{name} {size}: exit status {done.returncode}\n{done.stderr[-1500:]}")
    return {figure: float(value) for figure, value in json.loads(done.stdout.splitlines()[-1]).items()}


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
    upper, of_rows = upper_decade(points), name in ("rows", "frame", "call")
    each = {of: line(upper["size"], upper[column]).value for column, of in (("seconds", "row"), ("rest", "once"))
            if of_rows and column in points}  # fmt: skip
    return {
        "axis": name,
        "sizes": f"{points['size'].min():g} to {points['size'].max():g}",
        "exponent": exponent(points["size"], points["seconds"]),
        "upper decade": exponent(upper["size"], upper["seconds"]),
        "expected": AXES[name].expected,
        "GiB": f"{points['peak'].min() / 2**30:.2f} to {points['peak'].max() / 2**30:.2f}",
        "a byte of data": line(upper["data"], upper["peak"]) if name in ("rows", "frame") else "",
        "ns a row": f"{1e9 * each['row']:.3g}" if "row" in each else "",
        "ns a row, once": f"{1e9 * each['once']:.3g}" if "once" in each else "",
    }


def picture(table: pd.DataFrame) -> Figure:
    """Draw for each axis of at least two points time above (dotted: proportional to size), memory below."""
    axes = [(str(n), p) for n, p in table.groupby("axis", sort=False) if len(p) > 1]
    across, down = max(min(ACROSS, len(axes)), 1), max(math.ceil(len(axes) / ACROSS), 1)
    fig = figure(3.4 * across, 5.2 * down + 0.4, "Time and memory")
    panels = fig.subplots(2 * down, across, squeeze=False)
    for ax in panels.ravel():  # those that are left over stay so
        ax.set_visible(False)
    for i, (name, points) in enumerate(axes):
        above, below = panels[2 * (i // ACROSS) : 2 * (i // ACROSS) + 2, i % ACROSS]
        size, seconds = points["size"].to_numpy(np.float64), points["seconds"].to_numpy()
        found = exponent(size, seconds)
        for ax, title in ((above, f"{name}: exponent {found}"), (below, "")):
            ax.set_visible(True)
            tidy(ax, title)
            ax.set(xscale="log", xlim=(size.min() / 1.5, size.max() * 1.5))
        above.loglog(size, seconds, "o", color=BLUE, markersize=4)
        above.plot(size, np.exp(found.start) * size**found.value, color=BLUE, linewidth=1)
        above.plot(size, seconds[-1] * size / size[-1], ":", color=GREY, linewidth=1)
        above.set_ylabel("seconds (dotted: proportional)", fontsize=8, color=GREY)
        below.plot(size, points["peak"] / 2**30, "o-", color=RED, markersize=4, linewidth=1)
        below.plot(size, points["data"] / 2**30, "--", color=GREY, linewidth=1)
        below.set(ylim=(0, 1.1 * points["peak"].max() / 2**30))
        below.set_ylabel("GiB at most (dashed: the data)", fontsize=8, color=GREY)
        below.set_xlabel(AXES[name].what, fontsize=8, color=GREY)
    return fig


def tables(table: pd.DataFrame) -> None:
    """Print the points and what was fitted."""
    for name, points in table.groupby("axis", sort=False):
        out = points.dropna(axis=1, how="all").drop(columns="axis").set_index("size")
        out[MEMORY] /= 2**20
        show(AXES[str(name)].what, out.rename(columns={n: f"{n} MiB" for n in MEMORY}))
    lines = [summary(str(name), points) for name, points in table.groupby("axis", sort=False)]
    show("exponents", pd.DataFrame(lines).set_index("axis").astype(str))
    if "devices" in set(table["axis"]):
        print(f"\ndevices in sight: {int(table['seen'].max())}; laten trains on one of them")


def main() -> None:
    """Measure, print, write a CSV and a PNG."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--over", nargs="*", default=list(AXES), choices=list(AXES), help="default: all")
    parser.add_argument("--repeats", type=int, help="processes a point (default: 3, with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="small grids: does it run? Exponents mean little")
    parser.add_argument("--out", type=Path, help="folder for scaling.csv and scaling.png")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
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
