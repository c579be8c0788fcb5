"""Synthetic rows by TabularARGN of mostlyai-engine, with its defaults: columns predicted one after another.

Run by `benchmarks.tables.synthetic` under the interpreter of `$LATEN_PEERS/mostlyai` (`setup.sh`); arrays as in
`synth_ctgan.py`. It holds rows out and stops early by itself; `epochs` is the most it may take.
"""

import numpy as np
import pandas as pd
from exchange import Arrays, Clock, serve
from mostlyai.engine import TabularARGN


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Learns from the columns and draws."""
    names = sorted(arrays, key=lambda n: int(n[1:]))
    frame = pd.DataFrame({n: arrays[n] for n in names})
    model = TabularARGN(max_epochs=arguments["epochs"], random_state=arguments["seed"], device="cpu")
    with clock("fit"):
        model.fit(frame)
    with clock("sample"):
        drawn = model.sample(arguments["rows"] * arguments["draws"])
    out = {}
    for n in names:
        kind = arrays[n].dtype
        out[n] = drawn[n].to_numpy().astype(kind if kind.kind in "if" else str)
    return {n: np.asarray(x) for n, x in out.items()}


if __name__ == "__main__":
    serve(work, ("mostlyai-engine", "torch"))
