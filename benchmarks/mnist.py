"""Test log p(x) of MNIST after a stated time of training.

    python -m benchmarks.mnist --data FOLDER/mnist

The folder holds the four original IDX files. Trains 784-500-500-50 and its mirror on all 60 000 images, pixels
binarised anew at each visit, the KL's weight rising over a share `--warmup` of the plan; then estimates log p(x) of all
10 000 test images, each binarised once by chance, with `--draws` importance samples each. `--out` keeps the model.
"""

from pathlib import Path

import numpy as np

import laten as lt
from benchmarks.runner import DATA, options_of, seconds_of


def network() -> lt.Network:
    """Return 784-500-500-50 and its mirror."""
    return lt.Network(z=lt.Normal(50), x=lt.Bernoulli((28, 28)).given("z", via=lt.MLP(500, depth=2)))


def images(folder: Path) -> tuple[np.ndarray, ...]:
    """Return the training and the test images, uint8 `(n, 28, 28)`.

    Args:
        folder: Of IDX files; or a `.npz` file of `images` and of `is_train`, which says which of them are for training.
    """
    if folder.suffix == ".npz":
        found = lt.read(folder)
        return found["images"][found["is_train"]], found["images"][~found["is_train"]]
    return tuple(np.asarray(lt.read(folder / f"{part}-images-idx3-ubyte.gz")) for part in ("train", "t10k"))


def main() -> None:
    """Train, then estimate and print."""
    asked = {"data": DATA / "mnist", "epochs": 250, "warmup": 0.2, "draws": 1000, "rows": int, "out": Path}
    options = options_of(__doc__, **asked).parse_args()
    train, test = (x[: options.rows] for x in images(options.data))
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
