"""Embedded data sets, by name, without a download: `laten.datasets.load("wine")`.

Sets that an installed library brings, and the simulated clinic, whose true log p(x) is known.
No reader of the user's files lives here (see `files/`).
"""

from laten.data.datasets.embedded import DATASETS, load
from laten.data.datasets.simulated_clinic import Clinic, clinic

__all__ = ["DATASETS", "Clinic", "clinic", "load"]
