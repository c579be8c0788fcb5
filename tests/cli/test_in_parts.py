"""Commands on tables that are larger than memory: the same answers, byte for byte, and a word for what cannot be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from laten.answers import samples
from laten.cli.main import main
from laten.cli.work import in_parts
from laten.data.files.write import write

SMALL = ["--memory", "512MiB"]  # less than the programs take: any table is larger

pytestmark = pytest.mark.trains


def rows(number: int = 130) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(20, 3, number).round(1)
    frame = pd.DataFrame(
        {
            "size": size,
            "count": (size + rng.normal(size=number)).round(),
            "kind": np.where(size + rng.normal(size=number) > 20, "a", "b"),
            "name": [f"n{i}" for i in range(number)],
        }
    )
    frame.loc[100::3, "count"] = np.nan  # the first parts have no hole
    frame.loc[5, "kind"] = None
    return frame


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the rows in three formats, and a model of them."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "many").mkdir()
    for i, part in enumerate((rows().iloc[:60], rows().iloc[60:])):
        write(part, folder / "many" / f"{i}.parquet")
    write(rows(), folder / "t.csv")
    words = ["--epochs", "1", "--latent", "2", "--width", "4", "--batch-size", "16", "-q"]
    assert main(["fit", str(folder / "t.csv"), "-o", str(folder / "m.laten"), *words]) == 0
    return folder


@pytest.fixture
def answered(place, tmp_path, monkeypatch, capsys):
    """Asks a question as usual and in parts of 40 rows; returns both files and what was said in parts."""
    monkeypatch.setattr(in_parts, "PART", 40)

    def ask(question: str, data: str, output: str) -> tuple[bytes, bytes, str]:
        name, *words = question.split()
        found = []
        for i, more in enumerate(([], SMALL)):
            to = tmp_path / f"{i}-{output}"
            capsys.readouterr()
            given = [name, place / "m.laten", place / data, "-o", to, *words, *more]
            assert main([str(x) for x in given]) == 0
            found.append(to.read_bytes())
        return found[0], found[1], capsys.readouterr().err

    return ask


@pytest.mark.parametrize(
    ("question", "data", "output"),
    [
        ("score", "many", "s.csv"),
        pytest.param("score --draws 20 --by-column", "t.csv", "s.parquet", marks=pytest.mark.slow),
        ("score --draws 20 --id name", "t.csv", "s.csv.gz"),
        ("impute", "many/*.parquet", "i.parquet"),
        ("impute", "t.csv", "i.csv"),
        ("impute --given kind=a", "many", "i.json"),
        ("embed", "t.csv", "e.parquet"),
        ("reconstruct", "many", "r.csv"),
        ("outliers --top 7 --draws 20 --join", "many", "o.csv"),
    ],
)
def test_answers_in_parts_are_the_same_file(question, data, output, answered):
    whole, parts, said = answered(question, data, output)
    assert whole == parts
    assert "needs more than 512 MiB of memory, and is read in parts" in said


def test_the_mean_of_parts_is_that_of_all_rows(place, monkeypatch, capsys):
    monkeypatch.setattr(in_parts, "PART", 40)
    said = []
    for more in ([], SMALL):
        assert main(["score", str(place / "m.laten"), str(place / "t.csv"), "--draws", "50", *more]) == 0
        said.append(capsys.readouterr().err.strip().splitlines()[-1].partition("; effective")[0])
    assert said[0].startswith("130 rows: log p = ") and " from 50 draws" in said[0]
    assert said[0] == said[1]


def test_samples_come_in_parts(place, tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "MOST_AT_ONCE", 40)
    monkeypatch.setattr("laten.cli.work.ask.MOST_AT_ONCE", 40)
    found = []
    for n, name in ((90, "a.csv"), (90, "b.parquet"), (40, "c.csv")):
        assert main(["sample", str(place / "m.laten"), "-n", str(n), "-o", str(tmp_path / name), "--seed", "1"]) == 0
        path = tmp_path / name
        found.append(pd.read_csv(path) if name.endswith("csv") else pd.read_parquet(path))
    assert list(map(len, found)) == [90, 90, 40]
    assert np.array_equal(found[0]["size"], found[1]["size"])
    assert found[0].iloc[:40].equals(found[2])  # the first part is what would be drawn alone
    assert not np.array_equal(found[0]["size"][:40], found[0]["size"][40:80])


def test_a_fit_in_parts_says_so_and_goes_on(place, tmp_path, capsys):
    words = ["--epochs", "1", "--latent", "2", "--width", "4", "--batch-size", "16", "--run", str(tmp_path / "run")]
    assert main(["fit", str(place / "t.csv"), "-o", str(tmp_path / "m.laten"), *words, *SMALL]) == 0
    said = capsys.readouterr().err
    assert "is read in parts (--memory)" in said and "130 rows. How each column is modelled" in said
    assert "Held-out rows (13)" in said
    before = (tmp_path / "m.laten").read_bytes()
    assert main(["resume", str(tmp_path / "run")]) == 0
    assert (tmp_path / "m.laten").read_bytes() == before


WRONG = {
    "fit {d} --memory 7": "7 bytes are too little",
    "fit {d} --memory lots": "no amount of memory",
    "fit wine --memory 1GiB": "wine cannot be read in parts",
    "impute {m} {d} --samples 3 --memory 512MiB": "--samples: looks at all rows at once",
    "score {m} {d} --by-column --memory 512MiB": "--by-column: ",
    "outliers {m} {d} --top 0 --memory 512MiB": "--top 0: ",
    "score {m} {d} -o x.npz --memory 512MiB": "cannot be written a part at a time",
    "fit {d}/many/*.csv --memory 512MiB": "no file matches",
}


@pytest.mark.parametrize("typed", WRONG)
def test_what_cannot_be_is_one_line(typed, place, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [w.format(d=place / "t.csv", m=place / "m.laten") for w in typed.split()]
    assert main(words) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("laten: ") and WRONG[typed] in said[-1]
    assert not list(tmp_path.iterdir())
