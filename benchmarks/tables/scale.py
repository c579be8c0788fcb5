"""A large mixed table end to end: seconds and memory of one epoch, samples and scores at 10 000, 100 000 and all rows.

    python -m benchmarks.tables.scale

The table is KDD Cup 1999, 805 050 rows of 43 columns (`kddcup99.parquet`). Each size runs in a process of its own; its
largest resident memory is printed: interpreter, JAX, the frame, the model and the answers included. Rows are taken by
chance. As many rows are drawn and scored as were fitted.
"""

import argparse
import json
import sys
import warnings

import jax  # noqa: F401 (so that its import is not counted as reading)
import pandas as pd
import pyarrow.parquet as pq

import laten as lt
from benchmarks.peers.exchange import peak_gib
from benchmarks.runner import footer, laten_options, output_of, parser, seconds_of, show


def measured(options: argparse.Namespace) -> dict[str, float]:
    """Return seconds and memory of each step, for the number of rows of `--child`."""
    warnings.simplefilter("ignore", lt.LatenWarning)
    frame, vae = pd.DataFrame(), lt.VAE(**{"epochs": 1, **laten_options(options.option)})

    def read() -> None:
        nonlocal frame
        frame = pq.read_table(options.data / "tables" / "kddcup99.parquet").to_pandas()
        if options.child != "all" and int(options.child) < len(frame):
            frame = frame.sample(int(options.child), random_state=0, ignore_index=True)

    steps = {
        "read": read,
        "fit": lambda: vae.fit(frame),
        "sample": lambda: vae.sample(len(frame)),
        "score": lambda: vae.score_samples(frame, draws=options.draws),
    }
    seconds = {f"{step} s": seconds_of(call) for step, call in steps.items()}
    return {"rows": len(frame), **seconds, "peak GiB": peak_gib()}


def main() -> None:
    """Run each size in a process of its own and print them together."""
    options, found = parser(__doc__, rows=["10000", "100000", "all"], draws=10, child=str).parse_args(), []
    if options.child:
        print(json.dumps(measured(options)))
        return
    for rows in ["2000", "4000"] if options.quick else options.rows:
        command = [sys.executable, "-m", "benchmarks.tables.scale", *sys.argv[1:], "--child", rows]
        try:
            found.append(json.loads(output_of(command)))
        except RuntimeError as error:
            print(error, file=sys.stderr)
    table = pd.DataFrame(found)
    for step in ("fit", "sample", "score") if found else ():
        table[f"{step} µs/row"] = 1e6 * table[f"{step} s"] / table["rows"]
    show("kddcup99, one epoch, as many rows drawn and scored as fitted", table.T, 2)
    print(footer())


if __name__ == "__main__":
    main()
