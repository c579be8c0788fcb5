"""One row decoded while one latent after another moves, as arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from laten.common.errors import LatenError
from laten.plots.contents.containers import as_images, n_rows, unit
from laten.plots.contents.model import FittedModel, continuous


@dataclass(frozen=True)
class Traversal:
    """Mean images while a latent moves; the latents that vary most come first."""

    note: str
    names: tuple[str, ...]  # of the latents
    values: np.ndarray  # (latents, steps) where each stands
    images: np.ndarray  # (latents, steps, height, width[, 3])


def traversal(vae: FittedModel, data: Any, row: int = 0, latents: int = 8, steps: int = 9) -> Traversal:
    """Move one latent of a row at a time, two standard deviations of its means over the rows to either side.

    Args:
        data: Rows, from which the deviations come, and which latents vary most.
        row: Which of them is moved.
        latents: How many are shown at most.
        steps: Images of each.
    Raises:
        LatenError: no images, no latent of numbers, or no such row.
    """
    if not 0 <= row < n_rows(data):
        raise LatenError(f"traversal: there is no row {row}; the data have {n_rows(data)}")
    z = np.asarray(vae.transform(data), np.float64)
    usable = np.flatnonzero(continuous(vae))
    chosen = usable[np.argsort(-z[:, usable].var(axis=0), kind="stable")[:latents]]
    if not len(chosen):
        raise LatenError("a traversal moves latents that are numbers; every latent of this network is a class")
    values = z[:, chosen].mean(0)[:, None] + z[:, chosen].std(0)[:, None] * np.linspace(-2, 2, steps)
    moved = np.tile(z[row], (len(chosen), steps, 1))
    for i, j in enumerate(chosen):
        moved[i, :, j] = values[i]
    images = as_images(vae.inverse_transform(moved.reshape(-1, z.shape[1]).astype(np.float32)))
    if images is None:
        raise LatenError("a traversal shows images; for tables use plot_manifold or latent_effects")
    names = tuple(str(n) for n in np.asarray(vae.get_feature_names_out())[chosen])
    note = f"means decoded for row {row} while one latent moves by two standard deviations to either side"
    if len(usable) > len(chosen):
        note += f"; the {len(chosen)} of {len(usable)} latents that vary most"
    return Traversal(note, names, values, unit(images).reshape(len(chosen), steps, *images.shape[1:]))
