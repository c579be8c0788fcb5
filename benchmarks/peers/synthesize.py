"""Synthetic rows by TVAE or CTGAN of the ctgan library (SDV's synthesizers) or TabularARGN, with their defaults.

Run by `benchmarks.tables.synthetic` under the interpreter of `$LATEN_PEERS/sdv` or `$LATEN_PEERS/mostlyai`
(`setup.sh`). Arrays in: one of each column, `c0`, `c1`, .... Out: the same, `draws` tables of `rows` rows below one
another. As SDV does, numbers of TVAE and CTGAN are kept within the range seen and rounded to the decimals seen.
TabularARGN holds rows out and stops early by itself; `epochs` is the most it may take.
"""

import numpy as np
import pandas as pd
import torch
from exchange import Arrays, Clock, serve


def rounded(column: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Numbers within the range seen, with the fewest decimals, up to 8, that say every value seen."""
    decimals = next((d for d in range(8) if np.allclose(seen, np.round(seen, d), rtol=0, atol=1e-9)), 8)
    return np.round(np.clip(column.astype(float), seen.min(), seen.max()), decimals)


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Learns from the columns and draws."""
    torch.manual_seed(arguments["seed"])
    np.random.seed(arguments["seed"])  # noqa: NPY002 (ctgan draws from it)
    names = sorted(arrays, key=lambda n: int(n[1:]))
    numbers = [n for n in names if arrays[n].dtype.kind in "if"]
    frame, method, epochs = pd.DataFrame({n: arrays[n] for n in names}), arguments["method"], arguments["epochs"]
    with clock("fit"):
        if method == "TabularARGN":
            from mostlyai.engine import TabularARGN

            model = TabularARGN(max_epochs=epochs, random_state=arguments["seed"], device="cpu")
            model.fit(frame)
        else:
            import ctgan

            model = getattr(ctgan, method)(epochs=epochs, enable_gpu=False)
            model.fit(frame, [n for n in names if n not in numbers])
    with clock("sample"):
        drawn = {n: x.to_numpy() for n, x in model.sample(arguments["rows"] * arguments["draws"]).items()}
    if method != "TabularARGN":
        drawn |= {n: rounded(drawn[n], arrays[n]) for n in numbers}
    return {n: drawn[n].astype(arrays[n].dtype if n in numbers else str) for n in names}


if __name__ == "__main__":
    serve(work, ("torch", "ctgan", "mostlyai-engine"))
