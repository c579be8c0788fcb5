"""A detector fitted to data for `laten outliers DATA`. A file of its own: scikit-learn takes a second to import."""

from typing import Any

import numpy as np

from laten.estimator.detector import Detector
from laten.estimator.plain_vae import PlainVAE


def detected(data: Any) -> tuple[PlainVAE, np.ndarray]:
    """Fit a detector to rows; return its model of all rows, and how usual each row is `(rows,)`."""
    found = Detector().fit(data)
    return found.vae_, found.score_samples(data)
