r"""What the paper says of its experiments (section 5), and what it leaves open.

Said: one hidden layer of tanh, 500 units (MNIST), 200 (Frey) or 100 (figure 3); p(x given z) Bernoulli for MNIST, for
Frey normal, its mean squashed to (0, 1) by a sigmoid; minibatches of 100 rows with one draw of z each; Adagrad, its
step one of 0.01, 0.02 and 0.1, chosen on the training set in the first iterations; a prior p(theta) = N(0, I); weights
that start from N(0, 0.01).

Not said, and here: 0.01 may be a variance or a standard deviation, so that both starts race, with each step; they are
compared by the bound of training rows, a third of the six left after 10^5 rows, and all but the best after 10^6 (the
best after 10^5 is not the best later: few latents gain by the wide start, 200 by the narrow one); minibatches take each
row once a pass; the prior is on theta, the weights of the network, not on those of the guide; the first 50 000 images
of MNIST to learn from (as in figure 3) and the 10 000 of its test set; grey pixels in [0, 1] are taken as probabilities
(`--binary` binarises them anew at each visit); 1 665 of Frey's faces to learn from and 300 to test, split by chance.
"""

from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from benchmarks.mnist import images
from benchmarks.runner import DATA

import laten as lt
from laten.common.types import Array

RATES = (0.01, 0.02, 0.1)
STARTS = (0.1, 0.01)  # standard deviations of the first weights
BATCH = 100
MNIST_ROWS, FREY_ROWS = 50_000, 1_665
OUT = Path("build/aevb")
PAPER = DATA.parent / "reference" / "kw2014_figures_digitised.csv"


@dataclass(frozen=True, repr=False)
class Plain(lt.Normal):
    """A normal as in appendix C.2: what the net puts out is the logarithm of the variance itself, without bounds.

    `squashed`: its mean lies in (0, 1).
    """

    squashed: bool = False

    def parameters(self, raw: Array) -> tuple[Array, Array]:
        loc, log_variance = jnp.split(raw, 2)
        loc = 1 / (1 + jnp.exp(-loc)) if self.squashed else loc
        return loc.reshape(self.shape), 0.5 * log_variance.reshape(self.shape)


@dataclass(frozen=True)
class Panel:
    """One world of figure 2: a data set and a number of latents."""

    data: str
    latents: int

    @property
    def name(self) -> str:
        return f"{self.data}-Nz{self.latents}"

    @property
    def pixels(self) -> tuple[int, int]:
        return (28, 28) if self.data == "MNIST" else (28, 20)


PANELS = tuple(Panel("MNIST", n) for n in (3, 5, 10, 20, 200)) + tuple(Panel("Frey", n) for n in (2, 5, 10, 20))


def declared(panel: Panel, hidden: int | None = None) -> tuple[lt.Network, lt.Network]:
    """Network and guide of a panel."""
    net = lt.MLP(hidden or (500 if panel.data == "MNIST" else 200), activation="tanh")
    x = lt.Bernoulli(784) if panel.data == "MNIST" else Plain(560, squashed=True)
    p = lt.Network(z=lt.Normal(panel.latents), x=x.given("z", via=net))
    return p, lt.Network(z=Plain(panel.latents).given("x", via=net))


def rows_of(folder: Path, data: str, rows: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Training and test images, uint8 `(rows, pixels)`."""
    if data == "MNIST":
        train, test = (x.reshape(-1, 784) for x in images(folder / "mnist"))
        return train[: rows or MNIST_ROWS], test
    with np.load(folder / "freyfaces" / "freyfaces.npz") as stored:
        faces = next(stored[k] for k in stored.files).reshape(-1, 560)
    train, test = np.split(faces[np.random.default_rng(0).permutation(len(faces))], [FREY_ROWS])
    return train, test
