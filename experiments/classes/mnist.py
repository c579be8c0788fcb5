"""Few labels and no labels on the 60 000 images of MNIST, by the templates and what laten does by itself.

    python -m experiments.classes.mnist --data FOLDER/mnist --seeds 5

Prints for each seed the error of labels on the 10 000 test images, 100 images labelled, ten of each digit; and the
accuracy of ten clusters on the training images, each called by the digit that fits best. `--rows` takes fewer images.
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
from benchmarks.mnist import images
from benchmarks.runner import DATA, options_of

import laten as lt
from experiments.classes.digits import by_best_digit

X = lt.Bernoulli((28, 28))
PIXELS = {"validation": 0, "binarise": "none", "patience": 0}  # intensities as they are: a classifier sees them whole


def error_of_labels(train: tuple, test: tuple, epochs: int, seed: int) -> float:
    """Return the share of wrong labels on test images."""
    (x, label), (x_test, label_test) = train, test
    rng = np.random.default_rng(seed)
    shown = np.concatenate([rng.choice(np.flatnonzero(label == digit), 10, replace=False) for digit in range(10)])
    y = np.full(len(x), np.nan)
    y[shown] = label[shown]
    network = lt.templates.semi_supervised(X, classes=10, latent=20)
    vae = lt.VAE(network, epochs=epochs, batch_size=128, seed=seed, **PIXELS).fit({"x": x, "y": y})
    return float(np.mean(vae.transform({"x": x_test})[:, :10].argmax(1) != label_test))


def accuracy_of_clusters(train: tuple, test: tuple, epochs: int, seed: int) -> float:
    """Return the share of training images whose cluster's digit is theirs."""
    network = lt.templates.mixture(X, components=10, width=500)
    vae = lt.VAE(network, epochs=epochs, batch_size=128, seed=seed, **PIXELS).fit(train[0])
    return by_best_digit(vae.transform(train[0])[:, :10].argmax(1), train[1])


MEASURES: dict[str, Callable[[tuple, tuple, int, int], float]] = {
    "labels": error_of_labels,
    "clusters": accuracy_of_clusters,
}


def main() -> None:
    """Print a line for each seed."""
    asked = {"data": DATA / "mnist", "seeds": 5, "epochs": 10, "rows": int, "measures": list(MEASURES)}
    options = options_of(__doc__, {"measures": MEASURES}, **asked).parse_args()
    warnings.simplefilter("ignore", lt.LatenWarning)
    labels = (lt.read(options.data / f"{part}-labels-idx1-ubyte.gz") for part in ("train", "t10k"))
    train, test = ((x, np.asarray(label, int)) for x, label in zip(images(options.data), labels, strict=True))
    train = train[0][: options.rows], train[1][: options.rows]
    for name in options.measures:
        for seed in range(options.seeds):
            began = time.perf_counter()
            found = MEASURES[name](train, test, options.epochs, seed)
            what = "error of labels" if name == "labels" else "accuracy of clusters"
            print(f"{what}, seed {seed}: {found:.4f} ({time.perf_counter() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
