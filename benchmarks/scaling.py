"""Time and memory against rows, columns, levels, latents, draws and devices: curves, exponents, a picture.

    python -m benchmarks.scaling --out FOLDER     # everything; on a machine with nothing else to do
    python -m benchmarks.scaling --over rows draws # some of it
    python -m benchmarks.scaling --quick           # small grids: does it run?

Each point runs in a process of its own, in turn. Of an epoch's time the median after the first epoch, which compiles;
of the repeats the median. Exponents are least squares of logarithms over the whole grid, and over its upper decade.
Memory is the largest resident memory of the process; "a byte of data" is the slope of memory against the bytes handed
over, over the upper decade, where compilation no longer hides it: the data themselves count as 1. What each axis and
figure means, and what follows for 10^9 rows: docs/scaling.md.
"""

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import jobs
from benchmarks.power_law import exponent, line, upper_decade
from benchmarks.scaling_axes import AXES, Point, measured, sizes_of
from benchmarks.scaling_picture import picture


def child(name: str, size: int) -> Point:
    """Figures of one point, measured in a process of its own.

    Raises:
        RuntimeError: the process failed.
    """
    command = [sys.executable, "-m", "benchmarks.scaling", "--child", name, str(size)]
    environment = {**os.environ, **AXES[name].environment(size)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"{name} {size}: exit status {done.returncode}\n{done.stderr[-1500:]}")
    return parsed(done.stdout)


def parsed(printed: str) -> Point:
    """The last line that a child printed."""
    return {name: float(value) for name, value in json.loads(printed.splitlines()[-1]).items()}


def run(names: Sequence[str], quick: bool, repeats: int) -> pd.DataFrame:
    """Every point of some axes, medians over repeats: `axis`, `size`, and what was measured."""
    found = []
    for name in names:
        for size in sizes_of(name, quick):
            try:
                points = pd.DataFrame([child(name, size) for _ in range(repeats)])
            except RuntimeError as error:
                print(error, file=sys.stderr)  # the largest may not fit this machine; the others stay
                continue
            found.append({"axis": name, "size": size, **points.median()})
            print(f"{name} {size}: {found[-1]['seconds']:.3g} s, {found[-1]['peak'] / 2**30:.2f} GiB", flush=True)
    return pd.DataFrame(found)


def summary(name: str, points: pd.DataFrame) -> dict[str, object]:
    """A line of the table: exponents of one axis, and what its memory does."""
    sizes, upper = points["size"].to_numpy(), upper_decade(points["size"].to_numpy())
    memory = line(points["data"][upper], points["peak"][upper])
    seconds = points["seconds"].to_numpy()
    return {
        "axis": name,
        "sizes": f"{sizes.min():g} to {sizes.max():g}",
        "exponent": exponent(sizes, seconds),
        "upper decade": exponent(sizes[upper], seconds[upper]),
        "expected": AXES[name].expected,
        "GiB": f"{points['peak'].min() / 2**30:.2f} to {points['peak'].max() / 2**30:.2f}",
        "a byte of data": memory if name in ("rows", "frame") else "",
    }


def per_row(points: pd.DataFrame, column: str) -> str:
    """Of an axis of rows, what each row more costs, in nanoseconds, over the upper decade."""
    upper = upper_decade(points["size"].to_numpy())
    found = line(points["size"][upper], points[column][upper])
    return f"{1e9 * found.value:.3g}{f' ± {1e9 * found.error:.2g}' if np.isfinite(found.error) else ''} ns"


def show(table: pd.DataFrame) -> None:
    """Prints the points and what was fitted."""
    for name, points in table.groupby("axis", sort=False):
        out = points.dropna(axis=1, how="all").drop(columns="axis").set_index("size")
        for column in ("data", "before", "peak"):
            out[f"{column} MiB"] = out.pop(column) / 2**20
        print(f"\n{AXES[str(name)].what}\n{out.round(4).to_string()}")
        if name in ("rows", "frame"):
            print(f"a row: {per_row(points, 'seconds')} an epoch, {per_row(points, 'rest')} once")
        if name == "call":
            print(f"a row: {per_row(points, 'seconds')} a call, {per_row(points, 'rest')} to shuffle, once an epoch")
    lines = [summary(str(name), points) for name, points in table.groupby("axis", sort=False)]
    print(f"\n{pd.DataFrame(lines).set_index('axis').astype(str).to_string()}")
    if "devices" in set(table["axis"]):
        print(f"\ndevices in sight: {int(table['seen'].max())}; laten trains on one of them")


def main() -> None:
    """Measures, prints, writes a CSV and a PNG."""
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
    show(table)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("laten", "jax", "numpy"))
    print(f"{jobs.machine()}; Python {sys.version.split()[0]}; {versions}")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        table.to_csv(options.out / "scaling.csv", index=False)
        picture(table).savefig(options.out / "scaling.png", dpi=120)
        print(f"{options.out / 'scaling.csv'}, {options.out / 'scaling.png'}")


if __name__ == "__main__":
    main()
