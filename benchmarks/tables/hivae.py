"""The tables, the masks and the error of the HI-VAE benchmark (Nazabal et al. 2020, `probabilistic-learning/HI-VAE`).

A folder a set holds `data.csv`, `data_types.csv` and `masks.npz`. Cells of the mask are hidden; methods see what is
left of all rows, and fill them; cells that were never there are not scored. Error of a column: share of wrong classes;
|difference of ranks| / number of classes; root mean square error / range. The figure is the mean over columns.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import laten as lt
from laten.common.errors import LatenError

KINDS = {"cat": "categorical", "ordinal": "ordinal", "count": "count", "pos": "positive", "real": "real"}
SETS = ("adult", "wine", "default_credit")


@dataclass(frozen=True)
class Case:
    """A table with holes.

    Args:
        name: Set and mask.
        truth: The table; columns c0, c1, ....
        types: Row i says what column i is: `type` and `nclass`.
        hidden: Cells to fill, `(rows, columns)`.
    """

    name: str
    truth: pd.DataFrame
    types: pd.DataFrame
    hidden: np.ndarray

    @property
    def holed(self) -> pd.DataFrame:
        """What methods see."""
        return self.truth.mask(self.hidden)

    @property
    def kinds(self) -> list[str]:
        """cat, ordinal, count, pos or real, by column."""
        return list(self.types["type"])

    @property
    def schema(self) -> lt.Schema:
        """The declared kinds; where the cells do not allow one (zeros in a positive column), the column is real."""
        schema = lt.infer_schema(self.holed)
        for name, kind in zip(self.truth.columns, self.kinds, strict=True):
            try:
                schema = schema.with_kind(name, KINDS[kind])
            except LatenError:
                schema = schema.with_kind(name, "real")
        return schema


def load(folder: Path, mask: str, rows: int | None = None) -> Case:
    """A set and one of its masks, e.g. `Missing20_1`; `rows`: the first so many only."""
    frame = pd.read_csv(folder / "data.csv", header=None)
    frame.columns = [f"c{i}" for i in frame.columns]
    with np.load(folder / "masks.npz") as packed:
        hidden = np.unpackbits(packed[mask], count=frame.size).reshape(frame.shape).astype(bool)
    hidden &= frame.notna().to_numpy()
    types = pd.read_csv(folder / "data_types.csv")
    return Case(f"{folder.name} {mask}", frame[:rows], types, hidden[:rows])


def errors(case: Case, filled: np.ndarray) -> np.ndarray:
    """Error of each column by the rule above, for a filled table `(rows, columns)`."""
    out, table = [], case.truth.to_numpy(float)
    for i, kind in enumerate(case.kinds):
        true, t, g = table[:, i], table[case.hidden[:, i], i], filled[case.hidden[:, i], i]
        if kind == "cat":
            out.append(float(np.mean(t != g)))
        elif kind == "ordinal":
            out.append(float(np.mean(np.abs(t - g)) / int(case.types["nclass"].iloc[i])))
        else:
            out.append(float(np.sqrt(np.mean((t - g) ** 2)) / (np.nanmax(true) - np.nanmin(true))))
    return np.array(out)


def mean_mode(case: Case) -> np.ndarray:
    """Each hole by its column's mean, or mode for classes."""
    holed = case.holed
    fill = {
        n: holed[n].mode()[0] if k in ("cat", "ordinal") else holed[n].mean()
        for n, k in zip(holed, case.kinds, strict=True)
    }
    return holed.astype(float).fillna(fill).to_numpy()
