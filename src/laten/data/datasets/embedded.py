"""Embedded data sets, by name, without a download.

| name | what | gives |
|---|---|---|
| `digits` | 1797 handwritten digits of 8 x 8 pixels (UCI) | `{"x": uint8 (1797, 8, 8), "label": int32 (1797,)}` |
| `wine` | 178 wines, 13 measurements, their cultivar | frame, `cultivar` a category |
| `breast_cancer` | 569 tumours, 30 measurements, their diagnosis | frame, `diagnosis` a category |
| `clinic` | 2000 simulated patients, mixed columns, holes; true log p(x) known (see `simulated_clinic`) | frame |

The first three are read from files of scikit-learn, which is not imported for it: that takes a second. Pixels of
`digits`, 0..16 there, are scaled to intensities 0..255.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from laten.common.errors import DataError
from laten.data.datasets.simulated_clinic import clinic
from laten.data.messages import unknown

DATASETS = ("digits", "wine", "breast_cancer", "clinic")

WINE = (
    "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
    "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280_od315_of_diluted_wines", "proline",
)  # fmt: skip
CELL = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points", "symmetry",
    "fractal_dimension",
)  # fmt: skip


def load(name: str) -> pd.DataFrame | dict[str, np.ndarray]:
    """Return the embedded data set called `name`: a frame, or for digits arrays of the shape `(rows, ...)` by name.

    Raises:
        DataError: no such set, or the installed scikit-learn does not bring it.
    """
    if name not in DATASETS:
        raise unknown("embedded data set", name, DATASETS)
    if name == "clinic":
        return clinic()
    if name == "digits":
        digits = np.loadtxt(stored("digits.csv.gz"), delimiter=",")
        levels = np.round(digits[:, :-1] * (255 / 16)).astype(np.uint8)  # 0..16 -> 0..255
        return {"x": levels.reshape(-1, 8, 8), "label": digits[:, -1].astype(np.int32)}
    if name == "wine":
        return table("wine_data.csv", WINE, "cultivar")
    columns = [f"mean_{x}" for x in CELL] + [f"{x}_error" for x in CELL] + [f"worst_{x}" for x in CELL]
    return table("breast_cancer.csv", columns, "diagnosis")


def stored(file: str) -> Path:
    """Open one of scikit-learn's files."""
    found = find_spec("sklearn")
    for folder in (found and found.submodule_search_locations) or ():
        if (path := Path(folder, "datasets", "data", file)).exists():
            return path
    raise DataError(f"the scikit-learn that is installed has no {file} among its data; another version of it may")


def table(file: str, columns: Sequence[str], target: str) -> pd.DataFrame:
    """Read a table whose last column numbers the classes that the first line names, after two counts."""
    path = stored(file)
    names = path.read_text().split("\n", 1)[0].split(",")[2:]
    frame = pd.read_csv(path, skiprows=1, header=None, names=[*columns, target])
    frame[target] = pd.Categorical.from_codes(frame[target].to_numpy(), names)
    return frame.astype(dict.fromkeys(columns, np.float64))
