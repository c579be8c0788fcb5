"""Seconds to the first answer: whole processes, imports included, with nothing kept and with compiled programs kept.

    python -m benchmarks.first                # three processes of each; on a machine with nothing else to do

| line | what |
|---|---|
| `laten fit wine` | the command, in a process of its own |
| `laten score` | log p of 1000 rows by the model of the line before, 500 draws a row |
| import | `lt.VAE` in Python: the package imports a name where it is first asked for, and with it what it needs |
| `fit`, 20 epochs | 1000 rows of `clinic` in Python, timed after that import |
| `fit`, default plan | the same to the end of the plan, or to where it stops early |

"cold" has an empty folder for compiled programs (`LATEN_CACHE`), "warm" the folder that the cold processes left.
Python's own compiled modules are there in both, as they are after an installation.
"""

import argparse
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import laten as lt
from benchmarks import jobs
from benchmarks.commands import show

ROWS = 1000
IMPORT = """
import time
began = time.perf_counter()
import laten as lt
lt.VAE
print(time.perf_counter() - began)
"""
FIT = """
import time, warnings
import laten as lt
warnings.simplefilter("ignore", lt.LatenWarning)
vae, frame = lt.VAE({options}), lt.read("clinic").head({rows})
began = time.perf_counter()
vae.fit(frame)
print(time.perf_counter() - began)
"""


def commands(folder: Path, rows: int) -> dict[str, list[str]]:
    """What is timed, by its name in the table. Those of Python print their seconds; of others the process is timed."""
    laten = [sys.executable, "-m", "laten.cli.main"]
    model, table = str(folder / "wine.laten"), str(folder / "rows.csv")
    return {
        "laten fit wine": [*laten, "fit", "wine", "-q", "-o", model],
        f"laten score, {rows} rows": [*laten, "score", model, table, "-o", str(folder / "scores.csv")],
        "import": [sys.executable, "-c", IMPORT],
        f"fit of {rows} rows, 20 epochs": [sys.executable, "-c", FIT.format(rows=rows, options="epochs=20")],
        f"fit of {rows} rows, default plan": [sys.executable, "-c", FIT.format(rows=rows, options="")],
    }


def seconds_of(command: list[str], cache: Path) -> float:
    """Of one process: what it prints, or all of it.

    Raises:
        RuntimeError: it failed.
    """
    began = time.perf_counter()
    environment = {**os.environ, "LATEN_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    whole = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr[-1000:]}")
    return float(done.stdout) if "-c" in command else whole


def measured(folder: Path, repeats: int, rows: int) -> pd.DataFrame:
    """Medians, and the range, of each command, cold and warm."""
    wine = lt.read("wine")
    wine.sample(rows, replace=True, random_state=0, ignore_index=True).to_csv(folder / "rows.csv", index=False)
    lines = {}
    for name, command in commands(folder, rows).items():
        caches = [folder / f"cache{i}" / name for i in range(repeats)]
        cold = [seconds_of(command, cache) for cache in caches]
        warm = [seconds_of(command, cache) for cache in caches]
        lines[name] = {
            "cold": np.median(cold), "cold, range": f"{min(cold):.1f} to {max(cold):.1f}",
            "warm": np.median(warm), "warm, range": f"{min(warm):.1f} to {max(warm):.1f}",
        }  # fmt: skip
        print(name, file=sys.stderr)
    return pd.DataFrame.from_dict(lines, orient="index")


def main() -> None:
    """Times, and prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="processes of each, cold and warm")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        show(f"seconds, {jobs.machine()}", measured(Path(folder), options.repeats, ROWS), 1)
    print(", ".join(f"{n} {importlib.metadata.version(n)}" for n in ("laten", "jax", "numpy")))


if __name__ == "__main__":
    main()
