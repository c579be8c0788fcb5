"""Test log p(x) of MNIST after a stated time of training.

    python -m benchmarks.mnist --data FOLDER/mnist

The folder holds the four original IDX files. Trains 784-500-500-50 and its mirror on all 60 000 images, pixels
binarised anew at each visit; then estimates log p(x) of all 10 000 test images, each binarised once by chance, with
`--draws` importance samples each.
"""

import argparse
from pathlib import Path

import laten as lt
from benchmarks.runner import seconds_of


def network() -> lt.Network:
    """Return 784-500-500-50 and its mirror."""
    return lt.Network(z=lt.Normal(50), x=lt.Bernoulli((28, 28)).given("z", via=lt.MLP(500, depth=2)))


def main() -> None:
    """Train, then estimate and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=250)
    parser.add_argument("--warmup", type=float, default=0.2, help="share of the plan over which the KL's weight rises")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--rows", type=int, help="of each split; all by default")
    parser.add_argument("--out", type=Path, help="keep the model here")
    options = parser.parse_args()
    files = ("train", "t10k")
    train, test = (lt.read(options.data / f"{f}-images-idx3-ubyte.gz")[: options.rows] for f in files)
    plan = {"epochs": options.epochs, "batch_size": 128, "validation": 0, "progress": "plain"}
    vae = lt.VAE(network(), objective=lt.Elbo(warmup=options.warmup), **plan)
    minutes = seconds_of(lambda: vae.fit(train)) / 60
    bound = vae.history_["bound"].iloc[-1]
    print(f"{len(train)} images, {options.epochs} epochs: {minutes:.1f} minutes; last training bound {bound:.2f}")
    if options.out:
        vae.save(options.out)
    print(f"test, binarised anew: {vae.log_likelihood(test, options.draws)}")


if __name__ == "__main__":
    main()
