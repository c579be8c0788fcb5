"""log p(x) by importance sampling, beside the time that its matrix products alone would take.

    python -m benchmarks.scoring --data FOLDER/mnist --draws 5000                 # all 10 000 test images
    python -m benchmarks.scoring --draws 1000 --rows 500 --repeats 5              # random pixels: only shapes matter

784-500-500-50 and its mirror, or the model of `--model`. The limit: floating-point operations of the network's products
(two for each weight, draw and row; the guide's, once a row, left out) over the rate that a product of two square
matrices reaches in the same run, timed before each repeat. Memory is the largest that the process ever had.
"""

import argparse
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import laten as lt
from benchmarks.peers.measure import peak_gib

SIDE = 2048


def product_rate(repeats: int = 5) -> float:
    """Floating-point operations a second of a large float32 product: the best of some repeats."""
    a = jnp.asarray(np.random.default_rng(0).standard_normal((SIDE, SIDE), np.float32))
    product, best = jax.jit(lambda x: x @ x), np.inf
    product(a).block_until_ready()
    for _ in range(repeats):
        began = time.perf_counter()
        product(a).block_until_ready()
        best = min(best, time.perf_counter() - began)
    return 2 * SIDE**3 / best


def operations(vae: lt.VAE) -> int:
    """Of the network's products, for one draw of one row."""
    return 2 * sum(w.size for w in jax.tree.leaves(vae.model_.p) if w.ndim == 2)


def untrained(data: np.ndarray) -> lt.VAE:
    """The net of `benchmarks.mnist` after an epoch."""
    p = lt.Network(z=lt.Normal(50), x=lt.Bernoulli((28, 28)).given("z", via=lt.MLP(500, depth=2)))
    return lt.VAE(p, epochs=1, validation=0).fit(data)


def main() -> None:
    """Scores, and prints times, their ratios and the estimate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with MNIST's IDX files; else random pixels")
    parser.add_argument("--model", type=Path, help="a saved model of 28 x 28 pixels")
    parser.add_argument("--rows", type=int, help="of the test images; all by default")
    parser.add_argument("--draws", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    if options.data:
        test = lt.read(options.data / "t10k-images-idx3-ubyte.gz")
    else:
        test = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28), dtype=np.uint8)
    test = test[: options.rows]
    vae = lt.load(options.model) if options.model else untrained(test[:1000])
    needed = operations(vae) * options.draws * len(test)
    vae.score_samples(test[:16], draws=options.draws)  # compiles
    ratios = []
    for _ in range(options.repeats):
        rate, began = product_rate(), time.perf_counter()
        found = vae.log_likelihood(test, draws=options.draws)
        seconds = time.perf_counter() - began
        rate = (rate + product_rate()) / 2
        ratios.append(seconds / (needed / rate))
        print(
            f"{len(test)} rows x {options.draws} draws: {seconds:.1f} s; products alone {needed / rate:.1f} s "
            f"at {rate / 1e9:.0f} Gflop/s; ratio {ratios[-1]:.2f} ({1 / ratios[-1]:.0%}); memory {peak_gib():.2f} GiB"
        )
    print(f"median ratio {np.median(ratios):.2f}")
    print(found)


if __name__ == "__main__":
    main()
