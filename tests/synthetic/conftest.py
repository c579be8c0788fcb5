"""A small world whose rows are drawn three times: to learn from, as a perfect generator would, and to hold out."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from laten.synthetic.quality import quality
from laten.synthetic.result import Quality

ROWS = 600


class World(NamedTuple):
    """Rows of one distribution, and what is found of them."""

    real: pd.DataFrame
    synthetic: pd.DataFrame
    holdout: pd.DataFrame
    found: Quality


def people(rows: int, seed: int) -> pd.DataFrame:
    """A table whose columns go together, with holes, rare levels, dates and two columns that are set aside."""
    rng = np.random.default_rng(seed)
    age = rng.normal(45, 12, rows)
    rich = rng.random(rows) < 1 / (1 + np.exp(-(age - 45) / 6))
    city = np.where(rich, rng.choice(["Jakarta", "Medan"], rows), rng.choice(["Bandung", "Medan"], rows))
    frame = pd.DataFrame(
        {
            "number": np.arange(rows),
            "age": age.round(1),
            "wage": np.exp(8 + age / 40 + rng.normal(0, 0.3, rows)).round(2),
            "income": np.where(rich, ">50K", "<=50K"),
            "city": np.where(rng.random(rows) < 0.03, rng.choice(["Ende", "Kupang", "Ternate"], rows), city),
            "born": pd.Timestamp("2020-01-01") - pd.to_timedelta((365 * age).round(), unit="D"),
            "land": "Indonesia",
        }
    )
    frame.loc[rng.random(rows) < 0.1, "wage"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "city"] = None
    return frame


@pytest.fixture(scope="session", autouse=True)
def few_trees() -> Iterator[None]:
    """A third of the trees tell the same of small tables, in a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("laten.synthetic.classifiers.TREES", 30)
        yield


@pytest.fixture(scope="session")
def world(few_trees: None) -> World:
    real, synthetic, holdout = (people(ROWS, seed) for seed in range(3))
    return World(real, synthetic, holdout, quality(real, synthetic, holdout, target="income"))
