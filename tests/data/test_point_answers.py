"""The point of a hole lies where the column has values: dates with an open end, numbers with a code far off."""

import numpy as np
import pandas as pd

from laten.data.rows.point_answers import expected
from laten.data.schema.infer import infer_schema

RNG = np.random.default_rng(0)
N = 800
END = pd.Series(pd.Timestamp("2021-03-01") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D")).astype("datetime64[s]")
FRAME = pd.DataFrame({
    "end": END.mask(RNG.random(N) < 0.25, pd.Timestamp("9999-12-31")),
    "code": np.where(RNG.random(N) < 0.25, -9999.0, RNG.normal(50, 10, N)).round(1),
    "spent": np.where(RNG.random(N) < 0.4, 0.0, RNG.uniform(1000, 2000, N)).round(2),
    "x": RNG.lognormal(0, 1.5, N).round(3),
})  # fmt: skip
SCHEMA = infer_schema(FRAME).binned()


def points(statistic: str) -> pd.Series:
    """Of a row of which nothing is known: each bin has the share of its rows."""
    (block,) = SCHEMA.blocks
    shares = []
    for column in block.columns:
        bins = column.histogram
        shares.append(np.add.reduceat(np.array(bins.mass), bins.starts) / np.sum(bins.mass))
    return expected(SCHEMA, {block.node: np.concatenate(shares)[None]}, statistic=statistic).iloc[0]


def test_a_mean_where_nothing_is_gives_way_to_the_median():
    auto, mean, median = points("auto"), points("mean"), points("median")
    assert mean["end"].year > 3000 and auto["end"] == median["end"] and 2021 <= auto["end"].year <= 2023
    assert mean["code"] < -1000 and auto["code"] == median["code"] and 20 < auto["code"] < 80


def test_other_numbers_keep_the_mean():
    """Between nothing and 1000 the mean has the least squared error; a long tail is no gap."""
    auto, mean = points("auto"), points("mean")
    for name in ("spent", "x"):
        assert abs(auto[name] - mean[name]) < 0.01 and abs(auto[name] - FRAME[name].mean()) < 0.05 * FRAME[name].std()
