"""How long one question about one row takes, warm: what a page, a server or a loop over rows waits for.

    python -m benchmarks.one_row

A default model of `clinic` (15 columns, some of them hidden), fitted for a few epochs: their number changes no time.
Medians and 95th percentiles of `--repeats`, in milliseconds; the first answer, which compiles, beside them.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import laten as lt
from benchmarks.runner import options_of, show


def timed(ask: Callable[[], object], repeats: int) -> dict[str, float]:
    """Return milliseconds of the first answer, and median and 95th percentile of the following ones."""
    took = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    return {"first": took[0], "median": float(np.median(took[1:])), "95 %": float(np.quantile(took[1:], 0.95))}


def main() -> None:
    """Fit, ask, print."""
    options = options_of(__doc__, repeats=200, epochs=5).parse_args()
    frame = lt.read("clinic")
    vae, row = lt.VAE(epochs=options.epochs).fit(frame), frame.head(1)
    given = {"ward": "cardiac", "age": lt.between(60, 80)}
    asked: dict[str, Callable[[], object]] = {
        "score_samples": lambda: vae.score_samples(row),
        "predict_proba, one column": lambda: vae.predict_proba(row, "drug"),
        "impute": lambda: vae.impute(row),
        "transform": lambda: vae.transform(row),
        "marginals, all columns given two": lambda: vae.marginals(given),
    }
    found = {name: timed(ask, options.repeats) for name, ask in asked.items()}
    show("milliseconds for one row", pd.DataFrame.from_dict(found, orient="index"), 1)


if __name__ == "__main__":
    main()
