"""Models fitted for one question, as faces of `lt.VAE` are. A file of its own, for scikit-learn is slow to import."""

from typing import Any

import numpy as np

from laten.estimator.detector import Detector
from laten.estimator.imputer import Imputer
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.synthesizer import Synthesizer


def detected(data: Any) -> tuple[PlainVAE, np.ndarray]:
    """Fit a detector to rows; return its model of all rows, and how usual each row is `(rows,)`."""
    found = Detector().fit(data)
    return found.vae_, found.score_samples(data)


def for_filling(data: Any) -> PlainVAE:
    """Fit an imputer to rows with holes; return its model."""
    return Imputer().fit(data).vae_


def for_drawing(data: Any) -> PlainVAE:
    """Fit a synthesizer to rows; return its model."""
    return Synthesizer().fit(data).vae_
