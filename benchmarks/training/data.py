"""What the cases of `benchmarks.training` train and test on: arrays as the workers get them, `train` and `test`.

The folder is laid out as `shared/data` is. Rows are held out by chance, seed 0. Training rows are cut to whole batches,
so that every side takes the same number of steps, whatever it does with a rest.
"""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.mnist import images
from benchmarks.peers.exchange import Arrays
from benchmarks.runner import Peer, answer_of
from benchmarks.tables import synthetic

QUICK = 2000  # training rows of a quick run
GENES = 2000
PREPARE = Peer("prepare", "train_torch.py", "sdv", {"side": "prepare", "seed": 0})


def grey(folder: Path, quick: bool) -> Arrays:
    """MNIST: training images as intensities, test images binarised once, by chance."""
    train, test = (x.reshape(-1, 784) for x in images(folder / "mnist"))
    train, test = (train[:QUICK], test[:500]) if quick else (train, test)
    return {"train": train, "test": binarised(test, 1)}


def binary(folder: Path, quick: bool) -> Arrays:
    """MNIST: all images binarised once, by chance: a pixel is on with probability intensity / 255."""
    arrays = grey(folder, quick)
    return {**arrays, "train": binarised(arrays["train"], 0)}


def binarised(intensity: np.ndarray, seed: int) -> np.ndarray:
    """Zeros and ones, uint8."""
    return (255 * np.random.default_rng(seed).random(intensity.shape, np.float32) < intensity).astype(np.uint8)


def split(x: np.ndarray, quick: bool) -> list[np.ndarray]:
    """Shuffled rows, nine tenths to train on."""
    x = x[np.random.default_rng(0).permutation(len(x))[: QUICK if quick else None]]
    return np.split(x, [round(0.9 * len(x))])


def adult(folder: Path, quick: bool) -> Arrays:
    """Adult as the matrix that TVAE makes of it, and the matrix's layout.

    Raises:
        PeerFailedError: TVAE's environment is not there.
    """
    found = synthetic.load(folder, "adult", QUICK if quick else None)
    frames = {"train": found.train, "test": found.test}
    columns = {f"{part}{i}": x for part, f in frames.items() for i, x in enumerate(synthetic.plain(f).values())}
    return answer_of(PREPARE, columns, {}, Namespace(threads=1, limit=None))[0]


def outliers(name: str) -> Callable[[Path, bool], Arrays]:
    """A set of ADBench, nine tenths to train on, standardised by them."""

    def load(folder: Path, quick: bool) -> Arrays:
        with np.load(folder / "adbench" / f"{name}.npz") as stored:
            x = stored["X"].astype(np.float64)
        train, test = split(x, quick)
        mean, sd = train.mean(0), train.std(0)
        return {n: ((a - mean) / sd).astype(np.float32) for n, a in (("train", train), ("test", test))}

    return load


def cells(folder: Path, quick: bool) -> Arrays:
    """Neurons of C. elegans: counts of the genes whose log1p varies most in the training cells.

    One cell in ten is held out; cells without a count in these genes are left out.
    """
    with np.load(folder / "single_cell" / "worm_neuron.npz") as stored:
        shape, data, column = stored["shape"], stored["data"], stored["indices"].astype(int)
        row = np.repeat(np.arange(shape[0]), np.diff(stored["indptr"]))
    counts = np.zeros(shape, np.float32)
    counts[row, column] = data
    train, test = split(counts, quick)
    chosen = np.sort(np.argsort(-np.log1p(train).var(0), kind="stable")[:GENES])
    return {n: a[:, chosen][a[:, chosen].any(1)] for n, a in (("train", train), ("test", test))}


def whole_batches(arrays: Arrays, batch: int) -> Arrays:
    """The same with as many training rows as fill batches."""
    rows = len(arrays["train"]) // batch * batch
    return {**arrays, "train": arrays["train"][:rows]}
