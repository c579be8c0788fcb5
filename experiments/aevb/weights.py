"""Full variational Bayes over the weights (appendix F), of which the paper shows no experiment: MNIST, few images.

    python -m experiments.aevb.weights --data FOLDER                              # 1000 images, 100 hidden units
    python -m experiments.aevb.weights --images 300 --latents 10 --epochs 300 1000

The same network, guide, optimiser and epochs three times: weights as points, with a prior N(0, 1) (maximum a
posteriori), and with a normal distribution of each, over which answers average. log p of test images by importance
sampling, nats an image, grey pixels taken as probabilities as in the paper's figures.
"""

import argparse
import time
import warnings
from pathlib import Path

import pandas as pd

import laten as lt
from experiments.aevb.settings import DATA, Panel, declared, rows_of
from laten.errors import LatenWarning

WEIGHTS = {"point": "points", "map": "maximum a posteriori", "bayes": "variational Bayes"}


def main() -> None:
    """Fits the three at each length of training, and prints log p of training and test images."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--latents", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--epochs", type=int, nargs="+", default=[100, 300, 1000, 3000])
    parser.add_argument("--draws", type=int, default=3200)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    train, test = rows_of(options.data, "MNIST", options.images)
    p, q = declared(Panel("MNIST", options.latents), options.hidden)
    lines = []
    for epochs in options.epochs:
        for seed in range(options.seeds):
            for weights, name in WEIGHTS.items():
                began = time.perf_counter()
                vae = lt.VAE(
                    p, q, weights=weights, epochs=epochs, batch_size=100, validation=0, binarise="none", seed=seed
                ).fit({"x": train})
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", LatenWarning)  # Pareto k is in the table
                    found = {
                        split: vae.log_likelihood({"x": rows[: options.test]}, options.draws)
                        for split, rows in (("train", train), ("test", test))
                    }
                line = {"epochs": epochs, "weights": name, **{s: f.value for s, f in found.items()}}
                line |= {"± rows": found["test"].rows_error, "Pareto k": found["test"].pareto_k}
                lines.append({**line, "seed": seed, "seconds": time.perf_counter() - began})
                print(pd.DataFrame([lines[-1]]).round(2).to_string(index=False, header=len(lines) == 1), flush=True)
    table = pd.DataFrame(lines)
    print(table.groupby(["epochs", "weights"], sort=False)[["train", "test"]].median().round(2))


if __name__ == "__main__":
    main()
