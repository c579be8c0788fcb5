"""Figure 4: the manifolds that two latents span, MNIST and Frey faces.

    python -m experiments.aevb.figure4 --samples 1e7 --data FOLDER

Equally spaced squares of probability are mapped through the normal's inverse cumulative distribution to values of z,
and each z to the mean of p(x given z).
"""

import jax
import jax.numpy as jnp
import numpy as np

from experiments.aevb import pictures
from experiments.aevb.curves import trained
from experiments.aevb.settings import Panel
from laten.common.types import Array
from laten.network.model import Model

SIDE = 20


def manifold(model: Model, shape: tuple[int, int]) -> np.ndarray:
    """Means of x on a grid of z, `(SIDE * SIDE, height, width)`."""
    line = jax.scipy.special.ndtri((jnp.arange(SIDE) + 0.5) / SIDE)
    grid = jnp.stack(jnp.meshgrid(line, -line), -1).reshape(-1, 2)

    def mean(z: Array) -> Array:
        return model.network.nodes["x"].family.mean(model.p["x"].raw({"z": z}, {}))

    return np.asarray(jax.vmap(mean)(grid)).reshape(-1, *shape)


def main() -> None:
    """Trains as far as asked for, and draws."""
    models, out = trained((Panel("Frey", 2), Panel("MNIST", 2)), __doc__)
    pictures.sheets(
        {f"{p.data}, 2 latents": manifold(m, p.pixels) for p, m in models.items()}, SIDE, out / "figure4.png"
    )


if __name__ == "__main__":
    main()
