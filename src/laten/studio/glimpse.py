"""A picture of a model that is still learning: rows in its latents, and what it draws."""

from typing import Any

import numpy as np

from laten.estimator.plain_vae import PlainVAE
from laten.plots.contents.containers import n_rows, take
from laten.plots.contents.model import latent_map, samples
from laten.studio.as_json import histogram

ROWS = 1000
IMAGES = 16
COLUMNS = 6


def glimpse(vae: PlainVAE, data: Any) -> dict[str, Any]:
    """Return the map of some rows, and some of what is drawn, with the data beside it."""
    n = n_rows(data)
    some = take(data, np.unique(np.linspace(0, n - 1, min(n, ROWS)).astype(int)))
    place = latent_map(vae, some)
    drawn = samples(vae, IMAGES, some)
    return {
        "points": np.round(place.points, 3).tolist(), "axes": list(place.axes),
        "images": None if drawn.images is None else np.round(drawn.images, 2).tolist(),
        "columns": [histogram(m) for m in drawn.marginals[:COLUMNS]],
    }  # fmt: skip
