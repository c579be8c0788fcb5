"""Few labels and no labels on 1500 handwritten digits of 8 x 8: with what laten does by itself, and without.

    python -m experiments.classes.digits --seeds 3

Prints for each seed the error of labels on 297 other digits, 100 digits labelled, with the plain bound
(`lt.Elbo()`) and by default; and the accuracy of ten clusters, each called by the digit that fits best.
"""

import argparse
import time
import warnings

import numpy as np
from scipy.optimize import linear_sum_assignment

import laten as lt


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return images `(1797, 8, 8)` and labels in one fixed random order."""
    digits = lt.read("digits")
    order = np.random.default_rng(0).permutation(len(digits["x"]))
    return digits["x"][order], digits["label"][order].astype(int)


def error_of_labels(x: np.ndarray, label: np.ndarray, seed: int, objective: object, epochs: int) -> float:
    """Return the share of wrong labels on rows that the fit has not seen."""
    y = np.where(np.arange(1500) < 100, label[:1500], np.nan)
    network = lt.templates.semi_supervised(lt.Bernoulli((8, 8)), classes=10, latent=8, width=128)
    vae = lt.VAE(network, objective=objective, epochs=epochs, validation=0, binarise="none", seed=seed).fit(
        {"x": x[:1500], "y": y}
    )
    return float(np.mean(vae.impute({"x": x[1500:]})["y"] != label[1500:]))


def accuracy_of_clusters(x: np.ndarray, label: np.ndarray, seed: int, objective: object, epochs: int) -> float:
    """Return the share of rows whose cluster's digit is theirs."""
    network = lt.templates.mixture(lt.Bernoulli((8, 8)), components=10, latent=10, width=128)
    vae = lt.VAE(network, objective=objective, epochs=epochs, validation=0, binarise="none", seed=seed).fit(x[:1500])
    return by_best_digit(vae.transform(x[:1500])[:, :10].argmax(axis=1), label[:1500])


def by_best_digit(found: np.ndarray, label: np.ndarray) -> float:
    """Return the share of rows that are right when each cluster is called by one digit, in the best of all ways."""
    counts = np.zeros((10, 10))
    np.add.at(counts, (found, label), 1)
    return float(counts[linear_sum_assignment(-counts)].sum() / len(label))


def main() -> None:
    """Print a line for each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", lt.LatenWarning)
    x, label = data()
    for name, measure in (("error of labels", error_of_labels), ("accuracy of clusters", accuracy_of_clusters)):
        for seed in range(asked.seeds):
            begun = time.perf_counter()
            plain, default = (measure(x, label, seed, objective, asked.epochs) for objective in (lt.Elbo(), None))
            seconds = time.perf_counter() - begun
            print(f"{name}, seed {seed}: plain {plain:.3f}, default {default:.3f} ({seconds:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
