"""Anomaly scores of PyOD's detectors, with their defaults.

Run by `benchmarks.tables.anomaly` under the interpreter of `$LATEN_PEERS/pyod` (`setup.sh`).

PyOD's VAE clips its divergence to at most `capacity`, whose default of 0 turns it off: what is left is an autoencoder
with noise. `VAE with KL` lifts the clip. Both score by the error of reconstruction. CBLOF cannot tell large from small
clusters on some data with its eight; it then gets one more until it can. `KNN, 30` has thirty neighbours in place of
five: about what gives the unsupervised figures of KNN that DTE published, which the default does not.
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


def fitted(method: str, X: np.ndarray, seed: int, epochs: int):
    """The detector after its fit."""
    if method == "CBLOF":
        return cblof(X, seed)
    if method.startswith("VAE"):
        free = {"capacity": 1e9} if method == "VAE with KL" else {}
        return detector("VAE")(random_state=seed, epoch_num=epochs, verbose=0, **free).fit(X)
    if method == "IForest":
        return detector(method)(random_state=seed).fit(X)
    if method == "PCA":  # its score divides by each component's variance: none may be zero
        return detector(method)(n_components=int(np.linalg.matrix_rank(X - X.mean(0)))).fit(X)
    if method == "KNN, 30":
        return detector("KNN")(n_neighbors=30).fit(X)
    return detector(method)().fit(X)


def work(arrays: Arrays, arguments: dict, clock: Clock) -> Arrays:
    """Scores of the test rows; larger is odder."""
    detector(arguments["method"].split()[0].strip(","))  # its import is not its fit
    with clock("fit"):
        model = fitted(arguments["method"], arrays["train"], arguments.get("seed", 0), arguments.get("epochs", 30))
    with clock("score"):
        scores = model.decision_function(arrays["test"])
    return {"scores": np.nan_to_num(np.asarray(scores, float))}


if __name__ == "__main__":
    serve(work, ("pyod", "scikit-learn"))
