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

import pandas as pd
import pyarrow.parquet as pq

import laten as lt
from benchmarks import commands
from benchmarks.commands import Run, show
from benchmarks.peers.measure import peak_gib


def measured(file: Path, rows: int | None, draws: int, options: dict) -> dict[str, float]:
    """Seconds and memory of each step, for so many rows."""
    warnings.simplefilter("ignore", lt.LatenWarning)
    out: dict[str, float] = {}
    began = time.perf_counter()

    def note(step: str) -> None:
        nonlocal began
        now = time.perf_counter()
        out[f"{step} s"], out[f"{step} GiB"], began = now - began, peak_gib(), now

    import jax  # noqa: F401 (so that its import is not counted as reading)

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
    return {"rows": len(frame), **out}


def main() -> None:
    """Runs each size in a process of its own and prints them together."""
    parser = commands.parser(__doc__, ())
    parser.add_argument("--rows", nargs="*", default=["10000", "100000", "all"], help="sizes; all: every row")
    parser.add_argument("--draws", type=int, default=10, help="importance draws a scored row")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    file = options.data / "tables" / "kddcup99.parquet"
    if options.child:
        size = None if options.rows == ["all"] else int(options.rows[0])
        print(json.dumps(measured(file, size, options.draws, commands.laten_options(options.option))))
        return
    found = []
    for rows in ["2000", "4000"] if options.quick else options.rows:
        given = [x for o in options.option for x in ("--option", o)]
        command = [sys.executable, "-m", __spec__.name, "--child", "--data", str(options.data), "--rows", rows, *given]
        done = subprocess.run([*command, "--draws", str(options.draws)], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{rows} rows: {done.stderr[-1500:]}", file=sys.stderr)
            continue
        found.append(json.loads(done.stdout.splitlines()[-1]))
    table = pd.DataFrame(found)
    if len(table):
        table["peak GiB"] = table.pop("score GiB")
        steps = ["fit", "sample", "score"]
        for step in steps:
            table[f"{step} µs/row"] = 1e6 * table[f"{step} s"] / table["rows"]
        show("kddcup99, one epoch, as many rows drawn and scored as fitted", table.set_index("rows").T, 2)
    print(Run("scale", options, ()).footer([]))


if __name__ == "__main__":
    main()
