"""The picture of a traversal: a row of images for each latent."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from laten.plots.canvas import capital, caption, mosaic, picture, plain, saved
from laten.plots.contents.model import FittedModel
from laten.plots.contents.traversal import traversal


def plot_traversal(
    vae: FittedModel, data: Any, row: int = 0, latents: int = 8, steps: int = 9, path: str | Path | None = None
) -> Figure:
    """Draw what becomes of an image while one latent after another moves: each latent is a row of images.

    Args:
        data: Images, from which it is known how far each latent varies.
        row: Which of them is moved.
        latents: How many are shown, those that vary most.
        steps: Images of each.
        path: Also write the picture: .png, .svg or .pdf.
    Raises:
        LatenError: no images, no latent of numbers, or no such row.
    """
    t = traversal(vae, data, row, latents, steps)
    image = mosaic(t.images.reshape(-1, *t.images.shape[2:]), steps)
    fig, ax = picture(image, 0.6 * steps + 1.0, "Traversal", 0.6)
    height = len(image) / len(t.names)
    ax.set_yticks((np.arange(len(t.names)) + 0.5) * height - 0.5, [plain(name) for name in t.names])
    ax.set_xticks([])
    return saved(caption(fig, capital(t.note)), path)
