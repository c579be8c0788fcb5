"""Anomaly scores of PyOD's detectors, with their defaults.

Run by `benchmarks.tables.anomaly` under the interpreter of `$LATEN_PEERS/pyod` (`setup.sh`). CBLOF cannot tell large
from small clusters on some data with its eight; it then gets one more until it can. `KNN, 30` has thirty neighbours in
place of five: about what gives the unsupervised figures of KNN that DTE published, which the default does not. PyOD's
VAE clips its divergence to at most `capacity`, whose default of 0 turns it off: what is left is an autoencoder with
noise; `VAE, KL` lifts the clip.
"""

import importlib

import numpy as np
from exchange import Arrays, Clock, serve


def detector(method: str):
    """The class, importing its own module alone: the others' imports take longer than most fits."""
    return getattr(importlib.import_module(f"pyod.models.{method.lower()}"), method)


def cblof(X: np.ndarray, seed: int):
    """CBLOF with the fewest clusters, from eight, that it accepts."""
    for n in range(8, 40):
        try:
            return detector("CBLOF")(n_clusters=n, random_state=seed).fit(X)
        except ValueError as error:
            if "valid cluster separation" not in str(error):
                raise
    raise ValueError("CBLOF: no number of clusters from 8 to 39 will do")


def fitted(method: str, X: np.ndarray, seed: int):
    """The detector after its fit."""
    if method == "CBLOF":
        return cblof(X, seed)
    options = {
        "IForest": lambda: {"random_state": seed},
        # its score divides by each component's variance: none may be zero
        "PCA": lambda: {"n_components": int(np.linalg.matrix_rank(X - X.mean(0)))},
        "KNN, 30": lambda: {"n_neighbors": 30},
        "VAE": lambda: {"random_state": seed, "verbose": 0},
        "VAE, KL": lambda: {"random_state": seed, "verbose": 0, "capacity": 1e9},
    }.get(method, dict)()
    return detector(method.split(",")[0])(**options).fit(X)


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Scores of the test rows; larger is odder."""
    detector(arguments["method"].split(",")[0])  # its import is not its fit
    with clock("fit"):
        model = fitted(arguments["method"], arrays["train"], arguments.get("seed", 0))
    with clock("score"):
        scores = model.decision_function(arrays["test"])
    return {"scores": np.nan_to_num(np.asarray(scores, float))}


if __name__ == "__main__":
    serve(work, ("pyod", "scikit-learn"))
