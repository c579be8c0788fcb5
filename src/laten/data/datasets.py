"""Embedded data sets, by name, without a download.

| name | what | gives |
|---|---|---|
| `digits` | 1797 handwritten digits of 8 x 8 pixels (UCI) | `{"x": uint8 (1797, 8, 8), "label": int32 (1797,)}` |
| `wine` | 178 wines, 13 measurements, their cultivar | frame, `cultivar` a category |
| `breast_cancer` | 569 tumours, 30 measurements, their diagnosis | frame, `diagnosis` a category |
| `clinic` | 2000 simulated patients, mixed columns, holes; true log p(x) known (`laten.data.worlds`) | frame |

The first three come with scikit-learn. Pixels of `digits`, 0..16 there, are scaled to intensities 0..255.
"""

import numpy as np
import pandas as pd
from sklearn import datasets

from laten.data.checks import unknown
from laten.data.worlds import Clinic, clinic

__all__ = ["DATASETS", "Clinic", "clinic", "load"]

DATASETS = ("digits", "wine", "breast_cancer", "clinic")


def load(name: str) -> pd.DataFrame | dict[str, np.ndarray]:
    """The embedded data set called `name`.

    Raises:
        DataError: no such set.
    """
    if name not in DATASETS:
        raise unknown("embedded data set", name, DATASETS)
    if name == "clinic":
        return clinic()
    if name == "digits":
        digits = datasets.load_digits()
        levels = np.round(digits.images * (255 / 16)).astype(np.uint8)  # 0..16 -> 0..255
        return {"x": levels, "label": digits.target.astype(np.int32)}
    bunch = datasets.load_wine(as_frame=True) if name == "wine" else datasets.load_breast_cancer(as_frame=True)
    target = "cultivar" if name == "wine" else "diagnosis"
    names = [str(n) for n in bunch.target_names]
    frame = bunch.data.rename(columns=lambda c: c.replace(" ", "_").replace("/", "_"))
    frame[target] = pd.Categorical.from_codes(bunch.target.to_numpy(), names)
    return frame
