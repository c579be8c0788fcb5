"""A large mixed table end to end: seconds and memory of one epoch, samples and scores at 10 000, 100 000 and all rows.

    python -m benchmarks.tables.scale

The table is KDD Cup 1999, 805 050 rows of 43 columns (`kddcup99.parquet`). Each size runs in a process of its own; its
largest resident memory is printed: interpreter, JAX, the frame, the model and the answers included. Rows are taken by
chance. As many rows are drawn and scored as were fitted.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import jax  # noqa: F401 (so that its import is not counted as reading)
import pandas as pd
import pyarrow.parquet as pq

import laten as lt
from benchmarks.peers.exchange import peak_gib
from benchmarks.runner import footer, laten_options, parser, show


def measured(file: Path, rows: int | None, draws: int, options: dict) -> dict[str, float]:
    """Return seconds and memory of each step, for this many rows."""
    warnings.simplefilter("ignore", lt.LatenWarning)
    out: dict[str, float] = {}
    began = time.perf_counter()

    def note(step: str) -> None:
        nonlocal began
        out[f"{step} s"], began = time.perf_counter() - began, time.perf_counter()

    frame = pq.read_table(file).to_pandas()
    if rows is not None and rows < len(frame):
        frame = frame.sample(rows, random_state=0, ignore_index=True)
    note("read")
    vae = lt.VAE(**{"epochs": 1, **options}).fit(frame)
    note("fit")
    vae.sample(len(frame))
    note("sample")
    vae.score_samples(frame, draws=draws)
    note("score")
    return {"rows": len(frame), **out, "peak GiB": peak_gib()}


def main() -> None:
    """Run each size in a process of its own and print them together."""
    asked = parser(__doc__)
    asked.add_argument("--rows", nargs="*", default=["10000", "100000", "all"], help="sizes; all: every row")
    asked.add_argument("--draws", type=int, default=10, help="importance draws a scored row")
    asked.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options, found = asked.parse_args(), []
    if options.child:
        file, size = options.data / "tables" / "kddcup99.parquet", options.rows[0]
        rows = None if size == "all" else int(size)
        print(json.dumps(measured(file, rows, options.draws, laten_options(options.option))))
        return
    for rows in ["2000", "4000"] if options.quick else options.rows:
        command = [sys.executable, "-m", "benchmarks.tables.scale", *sys.argv[1:], "--child", "--rows", rows]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{rows} rows: {done.stderr[-1500:]}", file=sys.stderr)
            continue
        found.append(json.loads(done.stdout.splitlines()[-1]))
    table = pd.DataFrame(found)
    for step in ("fit", "sample", "score") if found else ():
        table[f"{step} µs/row"] = 1e6 * table[f"{step} s"] / table["rows"]
    show("kddcup99, one epoch, as many rows drawn and scored as fitted", table.T, 2)
    print(footer())


if __name__ == "__main__":
    main()
