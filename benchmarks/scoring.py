"""log p(x) by importance sampling, beside the time that its matrix products alone would take.

    python -m benchmarks.scoring --data FOLDER/mnist --draws 5000                 # all 10 000 test images
    python -m benchmarks.scoring --draws 1000 --rows 500 --repeats 5              # random pixels: only shapes matter

784-500-500-50 and its mirror, or the model of `--model`. The limit: floating-point operations of the network's products
(two for each weight, draw and row; the guide's, once a row, left out) over the rate that a product of two square
matrices reaches in the same run. Rows are scored in pieces of `--piece`, the rate taken anew around each: the median of
a few products, as the whole of a piece is timed and not its best moments. Memory is the largest of the process.
"""

import time
from pathlib import Path

import jax
import numpy as np
import pandas as pd

import laten as lt
from benchmarks.device import product_rate
from benchmarks.mnist import images, network
from benchmarks.peers.exchange import peak_gib
from benchmarks.runner import footer, options_of, show

SIDE = 2048


def main() -> None:
    """Score, and print times, their ratios and the estimate."""
    asked = {"data": Path, "model": Path, "rows": int, "draws": 5000, "repeats": 1, "piece": 256}
    options = options_of(__doc__, **asked).parse_args()
    test = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28), dtype=np.uint8)
    if options.data:
        test = images(options.data)[1]
    test, plan = test[: options.rows], {"epochs": 1, "validation": 0}
    vae = lt.load(options.model) if options.model else lt.VAE(network(), **plan).fit(test[:1000])
    each = 2 * sum(w.size for w in jax.tree.leaves(vae.model_.p) if w.ndim == 2) * options.draws
    vae.score_samples(test[:16], draws=options.draws)  # compiles
    lines, scores = [], np.zeros(len(test))
    for _ in range(options.repeats):
        spent = alone = 0.0
        for rows in np.array_split(np.arange(len(test)), -(-len(test) // options.piece)):
            before = product_rate(SIDE)

            began = time.perf_counter()
            scores[rows] = vae.score_samples(test[rows], draws=options.draws)
            spent += time.perf_counter() - began
            alone += each * len(rows) * 2 / (before + product_rate(SIDE))
        rate = each * len(test) / alone / 1e9
        figures = {"seconds": spent, "products alone": alone, "ratio": spent / alone, "Gflop/s of products": rate}
        lines.append({**figures, "memory, GiB": peak_gib()})
    table = pd.DataFrame(lines)
    table.loc["median"] = table.median()
    show(f"{len(test)} rows, {options.draws} draws", table, 2)
    print(f"mean log p {scores.mean():.3f} nats (± {scores.std() / np.sqrt(len(scores)):.3f} over rows)")
    print(footer())


if __name__ == "__main__":
    main()
