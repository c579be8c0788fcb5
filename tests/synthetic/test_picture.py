"""The picture of `laten.quality`, and the command."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import image as mpl_image

from laten.cli.main import main
from laten.common.errors import LatenError
from laten.synthetic.quality import quality


def test_it_draws_what_was_found(world, tmp_path):
    fig = world.found.plot(tmp_path / "quality.png")
    assert mpl_image.imread(tmp_path / "quality.png").shape[0] > 500
    columns, pairs, near, *rest = fig.axes[:3] + [a for a in fig.axes[3:] if a.get_title(loc="right")]
    errors = world.found.columns["error"].sort_values(ascending=False)
    np.testing.assert_allclose([bar.get_width() for bar in columns.patches], errors)
    assert [t.get_text() for t in columns.get_yticklabels()] == list(errors.index)
    np.testing.assert_allclose(np.asarray(pairs.images[0].get_array()), world.found.pairs_same_bins)
    assert len(near.patches) == 2 and near.get_title(loc="left") == "Distance to the closest real row"
    assert [a.get_title(loc="left") for a in rest] == list(errors.index[:4])


def test_many_columns_are_cut_and_one_column_is_enough(tmp_path):
    rng = np.random.default_rng(0)
    wide = [
        pd.DataFrame(rng.normal(size=(60, 30)), columns=[f"${i}$ a rather long name" for i in range(30)]) for _ in "ab"
    ]
    fig = quality(*wide).plot(tmp_path / "wide.svg")
    assert len(fig.axes[0].patches) == 18 and fig.axes[1].images[0].get_array().shape == (24, 24)
    one = quality(wide[0].iloc[:, :1], wide[1].iloc[:, :1]).plot(tmp_path / "one.pdf")
    assert not one.axes[1].images
    with pytest.raises(LatenError, match="gif"):
        quality(*wide).plot(tmp_path / "wide.gif")


@pytest.fixture
def files(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("real", "synthetic", "holdout"):
        getattr(world, name).to_csv(f"{name}.csv", index=False)


def test_the_command_shows_writes_and_draws(world, files, capsys):
    base = ["quality", "real.csv", "synthetic.csv"]
    assert main([*base, "--holdout", "holdout.csv", "--target", "income", "--plot", "q.png"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[2:] == str(world.found).splitlines()[2:] and err == "Wrote q.png.\n"
    assert main([*base, "-o", "q.csv"]) == 0
    frame = pd.read_csv("q.csv")
    assert list(frame) == ["measure", "value", "better", "reference", "meaning"]
    assert frame["value"][0] == pytest.approx(world.found["column shapes"])
    assert mpl_image.imread("q.png").ndim == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothere.csv"], "nothere.csv: no such file"),
        (["digits"], "digits: holds arrays; quality compares tables"),
        (["synthetic.csv", "--target", "incme"], "did you mean 'income'"),
        (["synthetic.csv", "--plot", "q.gif"], "q.gif: do not know how to write .gif"),
        (["synthetic.csv", "-o", "q.txt"], "q.txt: do not know how to write .txt"),
        (["synthetic.csv", "--holdout", "wine"], "hold-out: its columns are not the real table's"),
    ],
)
def test_the_command_refuses_bad_input_on_one_line(files, capsys, arguments, words):
    assert main(["quality", "real.csv", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
