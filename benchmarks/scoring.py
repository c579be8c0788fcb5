"""log p(x) by importance sampling, beside the time that its matrix products alone would take.

    python -m benchmarks.scoring --data FOLDER/mnist --draws 5000                 # all 10 000 test images
    python -m benchmarks.scoring --draws 1000 --rows 500 --repeats 5              # random pixels: only shapes matter

784-500-500-50 and its mirror, or the model of `--model`. The limit: floating-point operations of the network's products
(two for each weight, draw and row; the guide's, once a row, left out) over the rate that a product of two square
matrices reaches in the same run. Rows are scored in pieces, the rate taken anew around each: the median of a few
products, as the whole of a piece is timed and not its best moments. Memory is the largest that the process ever had.
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


@jax.jit
def product(x: jax.Array) -> jax.Array:
    """The large product."""
    return x @ x


def product_rate(repeats: int = 5) -> float:
    """Floating-point operations a second of a large float32 product: the median of some repeats."""
    a = jnp.asarray(np.random.default_rng(0).standard_normal((SIDE, SIDE), np.float32))
    product(a).block_until_ready()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        product(a).block_until_ready()
        seconds.append(time.perf_counter() - began)
    return 2 * SIDE**3 / float(np.median(seconds))


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
    parser.add_argument("--piece", type=int, default=256, help="rows between two looks at the machine's rate")
    options = parser.parse_args()
    if options.data:
        test = lt.read(options.data / "t10k-images-idx3-ubyte.gz")
    else:
        test = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28), dtype=np.uint8)
    test = test[: options.rows]
    vae = lt.load(options.model) if options.model else untrained(test[:1000])
    each, ratios = operations(vae) * options.draws, []
    vae.score_samples(test[:16], draws=options.draws)  # compiles
    for _ in range(options.repeats):
        spent, alone, found = 0.0, 0.0, []
        for piece in np.array_split(test, -(-len(test) // options.piece)):
            rate, began = product_rate(), time.perf_counter()
            found.append(vae.score_samples(piece, draws=options.draws))
            spent += time.perf_counter() - began
            alone += each * len(piece) * 2 / (rate + product_rate())
        ratios.append(spent / alone)
        print(
            f"{len(test)} rows x {options.draws} draws: {spent:.1f} s; products alone {alone:.1f} s "
            f"at {each * len(test) / alone / 1e9:.0f} Gflop/s; ratio {ratios[-1]:.2f} ({1 / ratios[-1]:.0%}); "
            f"memory {peak_gib():.2f} GiB",
            flush=True,
        )
    print(f"median ratio {np.median(ratios):.2f}")
    scores = np.concatenate(found)
    print(f"mean log p {scores.mean():.3f} nats (± {scores.std() / np.sqrt(len(scores)):.3f} over rows)")


if __name__ == "__main__":
    main()
