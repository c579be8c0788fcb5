"""Figure 5: means of x at draws of z from the prior, MNIST, 2, 5, 10 and 20 latents.

python -m experiments.aevb.figure5 --samples 1e7 --data FOLDER
"""

import jax
import numpy as np

from experiments.aevb import pictures
from experiments.aevb.curves import trained
from experiments.aevb.settings import Panel
from laten.common.types import Key
from laten.network.model import Model

IMAGES, COLUMNS = 100, 10


def means(model: Model, shape: tuple[int, int]) -> np.ndarray:
    """`(IMAGES, height, width)`."""

    def mean(key: Key) -> jax.Array:
        z = model.network.sample(model.p, key)["z"]
        return model.network.nodes["x"].family.mean(model.p["x"].raw({"z": z}, {}))

    return np.asarray(jax.vmap(mean)(jax.random.split(jax.random.key(0), IMAGES))).reshape(-1, *shape)


def main() -> None:
    """Trains as far as asked for, and draws."""
    models, out = trained([Panel("MNIST", n) for n in (2, 5, 10, 20)], __doc__)
    pictures.sheets(
        {f"{p.latents} latents": means(m, p.pixels) for p, m in models.items()}, COLUMNS, out / "figure5.png"
    )


if __name__ == "__main__":
    main()
