"""What `laten fit` and `laten schema` say is worth a look, constraints as options, and holes in samples."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.trains

TINY = ["--epochs", "1", "--latent", "2", "--width", "4", "--batch-size", "16"]
N = 300


@pytest.fixture
def shop(laten):
    rng = np.random.default_rng(0)
    city = rng.integers(0, 9, N)
    a, b = rng.poisson(4, N), rng.poisson(6, N)
    frame = pd.DataFrame({"a": a, "b": b, "total": a + b, "city": [f"c{c}" for c in city],
                          "capital-state": [f"s{c % 3}" for c in city], "share": rng.random(N).round(3)})  # fmt: skip
    frame["income"] = np.where(rng.random(N) < 0.1, -999, rng.gamma(2, 20_000, N).round())
    frame.loc[::3, "share"] = np.nan
    frame.to_csv("shop.csv", index=False)
    return laten


@pytest.mark.slow
def test_a_fit_ends_with_what_is_worth_a_look(shop):
    ran = shop("fit", "shop.csv", "-o", "m.laten", *TINY)
    end = ran.err.split("Worth a look:")[1]
    assert ran.code == 0 and ran.err.count("Worth a look:") == 1
    assert "--missing 'income=-999'" in end and "--no-constraint 'total = a + b'" in end
    assert "city -> `capital-state` in all rows" in end and "schema." not in end
    again = shop("schema", "shop.csv", "--missing", "income=-999").err  # the file has -999.0
    assert "Worth a look:" in again and "-999" not in again.split("Worth a look:")[1]
    info = shop("info", "m.laten").out
    assert "Kept in samples and filled cells: total = a + b; city -> `capital-state`" in info


def test_constraints_are_options_of_fit_and_schema(shop):
    ran = shop("schema", "shop.csv", "--constraint", "-1 <= share <= 1", "--no-constraint", "total=a+b")
    assert ran.code == 0 and "Worth a look:" in ran.err
    assert tomllib.loads(ran.out)["constraints"] == ["city -> `capital-state`", "-1 <= share <= 1"]
    none = shop("schema", "shop.csv", "--no-constraint", "all")
    assert tomllib.loads(none.out)["constraints"] == []
    Path("s.toml").write_text(ran.out)
    assert (
        shop("fit", "shop.csv", "--schema", "s.toml", "--constraint", "a <= total", "-o", "m.laten", "-q", *TINY).code
        == 0
    )
    rows = shop("sample", "m.laten", "-n", "300", "-o", "rows.csv")
    drawn = pd.read_csv("rows.csv")
    assert rows.code == 0 and (drawn["a"] <= drawn["total"]).all() and (drawn["total"] != drawn["a"] + drawn["b"]).any()
    broken = shop("fit", "shop.csv", "--constraint", "total <= a", "-o", "n.laten", *TINY)
    assert broken.code == 2 and "'total <= a' is broken by rows" in broken.err
    wrong = shop("schema", "shop.csv", "--constraint", "totl <= a")
    assert wrong.code == 2 and "did you mean 'total'" in wrong.err
    assert "edits a proposal" in shop("schema", "shop.csv", "--check", "s.toml", "--constraint", "a <= b").err


@pytest.mark.slow
def test_samples_have_holes_where_asked(shop):
    quiet = shop("fit", "shop.csv", "-o", "m.laten", "-q", *TINY)
    assert quiet.code == 0 and "Worth" not in quiet.err
    assert shop("sample", "m.laten", "-n", "3000", "--holes", "-o", "rows.csv").code == 0
    rows = pd.read_csv("rows.csv")
    assert rows["share"].isna().mean() == pytest.approx(1 / 3, abs=0.03) and not rows["a"].isna().any()
    assert (rows["total"] == rows["a"] + rows["b"]).all()
