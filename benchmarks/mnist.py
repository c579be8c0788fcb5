"""Test log p(x) of MNIST after a stated time of training.

    python -m benchmarks.mnist --data FOLDER/mnist

The folder holds the four original IDX files. Trains 784-500-500-50 and its mirror on all 60 000 images, pixels
binarised anew at each visit; then estimates log p(x) of all 10 000 test images, each binarised once by chance, with
`--draws` importance samples each.
"""

import argparse
import time
from pathlib import Path

import laten as lt


def main() -> None:
    """Trains, then estimates and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=250)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--warmup", type=float, default=0.2, help="share of the plan over which the KL's weight rises")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="keep the model here")
    options = parser.parse_args()
    train = lt.read(options.data / "train-images-idx3-ubyte.gz")
    test = lt.read(options.data / "t10k-images-idx3-ubyte.gz")
    net = lt.MLP(500, depth=2)
    p = lt.Network(z=lt.Normal(50), x=lt.Bernoulli((28, 28)).given("z", via=net))
    vae = lt.VAE(
        p,
        objective=lt.Elbo(warmup=options.warmup),
        epochs=options.epochs,
        batch_size=options.batch,
        learning_rate=options.rate,
        validation=0,
        progress="plain",
    )
    began = time.perf_counter()
    vae.fit(train)
    fitted = time.perf_counter()
    print(
        f"{len(train)} images, {options.epochs} epochs, batch {options.batch}: {(fitted - began) / 60:.1f} minutes; "
        f"last training bound {vae.history_['bound'].iloc[-1]:.2f}"
    )
    if options.out:
        vae.save(options.out)
    print(f"test, binarised anew: {vae.log_likelihood(test, options.draws)}")
    print(f"estimated in {(time.perf_counter() - fitted) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
