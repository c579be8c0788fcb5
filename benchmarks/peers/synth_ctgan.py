"""Synthetic rows by TVAE and CTGAN of the ctgan library (the synthesizers of SDV), with their defaults.

Run by `benchmarks.tables.synthetic` under the interpreter of `$LATEN_PEERS/sdv` (`setup.sh`). Arrays in: one of each
column, `c0`, `c1`, .... Out: the same, `draws` tables of `rows` rows below one another. As SDV does, numbers are kept
within the range seen and rounded to the decimals seen.
"""

import numpy as np
import pandas as pd
import torch
from ctgan import CTGAN, TVAE
from exchange import Arrays, Clock, serve


def decimals(column: np.ndarray) -> int:
    """Fewest decimals, up to 8, that say every value."""
    return next((d for d in range(8) if np.allclose(column, np.round(column, d), rtol=0, atol=1e-9)), 8)


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Learns from the columns and draws."""
    torch.manual_seed(arguments["seed"])
    np.random.seed(arguments["seed"])  # noqa: NPY002 (the library draws from it)
    names = sorted(arrays, key=lambda n: int(n[1:]))
    frame = pd.DataFrame({n: arrays[n] for n in names})
    classes = [n for n in names if frame[n].dtype.kind not in "if"]
    model = {"TVAE": TVAE, "CTGAN": CTGAN}[arguments["method"]](epochs=arguments["epochs"], enable_gpu=False)
    with clock("fit"):
        model.fit(frame, classes)
    with clock("sample"):
        drawn = model.sample(arguments["rows"] * arguments["draws"])
    out = {}
    for n in names:
        column = drawn[n].to_numpy()
        if n not in classes:
            seen = frame[n].to_numpy()
            column = np.round(np.clip(column.astype(float), seen.min(), seen.max()), decimals(seen))
        out[n] = column.astype(frame[n].to_numpy().dtype if n not in classes else str)
    return out


if __name__ == "__main__":
    serve(work, ("ctgan", "torch"))
