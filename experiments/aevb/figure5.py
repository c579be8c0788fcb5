"""Figure 5: means of x at draws of z from the prior, MNIST, 2, 5, 10 and 20 latents.

python -m experiments.aevb.figure5 --samples 1e7 --data FOLDER
"""

import argparse
from functools import partial
from pathlib import Path

import jax
import numpy as np

from experiments.aevb import pictures
from experiments.aevb.curves import curve_of, grid
from experiments.aevb.settings import DATA, OUT, Panel
from laten.model import Model
from laten.types import Key

IMAGES, COLUMNS = 100, 10


def means(model: Model, shape: tuple[int, int]) -> np.ndarray:
    """`(IMAGES, height, width)`."""

    def mean(key: Key) -> jax.Array:
        z = model.network.sample(model.p, key)["z"]
        return model.network.nodes["x"].family.mean(model.p["x"].raw({"z": z}, {}))

    return np.asarray(jax.vmap(mean)(jax.random.split(jax.random.key(0), IMAGES))).reshape(-1, *shape)


def main() -> None:
    """Trains as far as asked for, and draws."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=float, default=1e6)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    found = {}
    for panel in [Panel("MNIST", n) for n in (2, 5, 10, 20)]:
        curve = curve_of(panel, "AEVB", options.data, options.out)
        curve.go(grid(options.samples), partial(print, flush=True))
        found[f"{panel.latents} latents"] = means(curve.state.model, panel.pixels)
    pictures.sheets(found, COLUMNS, options.out / "figure5.png")


if __name__ == "__main__":
    main()
