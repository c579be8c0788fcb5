"""The imputers of the hyperimpute library, told the kind of each column as far as they can be told.

Run by `benchmarks.tables.imputation` under the interpreter of `$LATEN_PEERS/hyperimpute` (`setup.sh`).

`hyperimpute` and `missforest` know classes only by a threshold on the number of values; it is set just above the
largest categorical column. The first stops after `seconds`, with the last whole iteration as its answer. `miwae` and
`gain` take real numbers alone and get indicators (`encoding.py`); the sizes of `miwae` are those of its paper's
experiments, because the plugin's own defaults are one hidden unit and one latent.
"""

import time

import numpy as np
import pandas as pd
from encoding import Encoding, to_levels
from exchange import Arrays, Clock, serve
from hyperimpute.plugins.imputers import Imputers


class OutOfTimeError(Exception):
    """The time given is spent; `filled` is what there is."""

    def __init__(self, filled: pd.DataFrame):
        super().__init__("out of time")
        self.filled = filled


def threshold(X: np.ndarray, kinds: list[str]) -> int:
    """Columns with fewer values than this (a hole counts as one) are classes."""
    sizes = [len(np.unique(c[~np.isnan(c)])) for c, k in zip(X.T, kinds, strict=True) if k == "cat"]
    return max(sizes, default=0) + 2


def iterated(X: np.ndarray, kinds: list[str], plugin: str, arguments: dict) -> np.ndarray:
    """`hyperimpute` or `missforest` on the table itself."""
    ends, seen = time.monotonic() + arguments["seconds"], arguments["notes"]

    def look(iteration: int, filled: pd.DataFrame) -> None:
        seen["iterations"] = iteration
        if iteration and time.monotonic() > ends:
            raise OutOfTimeError(filled)

    options = {"class_threshold": threshold(X, kinds), "inner_loop_hook": look, "random_state": arguments["seed"]}
    if plugin == "missforest":
        options |= {"classifier_seed": ["random_forest"], "regression_seed": ["random_forest_regressor"]}
    imputer = Imputers().get("hyperimpute", **options)
    try:
        filled = imputer.fit_transform(pd.DataFrame(X))
    except OutOfTimeError as out:
        filled = out.filled
        seen["stopped"] = "time"
    return to_levels(np.asarray(filled, float), X, kinds)


def on_matrix(X: np.ndarray, kinds: list[str], plugin: str, arguments: dict) -> np.ndarray:
    """`miwae` or `gain` on indicators and standardised numbers."""
    encoding = Encoding(X, kinds)
    matrix = encoding.forward(X)
    sizes = {"latent_size": 10, "n_hidden": 128, "batch_size": 64} if plugin == "miwae" else {}
    if "epochs" in arguments and plugin in ("miwae", "gain"):
        sizes["n_epochs"] = arguments["epochs"]
    imputer = Imputers().get(plugin, random_state=arguments["seed"], **sizes)
    return encoding.back(np.asarray(imputer.fit_transform(pd.DataFrame(matrix)), float))


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Fills the holes of X."""
    plugin = arguments["plugin"]
    how = iterated if plugin in ("hyperimpute", "missforest") else on_matrix
    with clock("fit"):
        filled = how(arrays["X"], arguments["kinds"], plugin, arguments)
    return {"X": filled}


if __name__ == "__main__":
    serve(work, ("hyperimpute", "torch", "pandas"))
