"""`laten impute` of a text file: full cells come back to the letter, filled ones in their column's notation."""

import csv
import io
import re

import numpy as np
import pytest

import laten as lt
from laten.cli.main import main
from laten.data.text.written import write_as

HEADER = ["day", "price", "share", "ok", " code", ""]
NEW = {"day": r"\d\d/\d\d/\d{4}", "price": r"-?(\d{1,3}\.)*\d{1,3}(,\d{1,2})?", "share": r"\d+%", "ok": "TRUE|FALSE"}


def cells(rows: int = 60) -> list[list[str]]:
    """Rows in notations that no program writes by itself; some digits, blanks and zeros are lacking on purpose."""
    rng = np.random.default_rng(3)
    found = []
    for i in range(rows):
        price = ["7.219,00", "1.034,5", "999", "12.000,25"][rng.integers(4)]
        day = f"{rng.integers(13, 29)}/{rng.integers(1, 13):02d}/{rng.choice([2021, 2022])}"
        row = [
            day,
            price,
            f"{rng.integers(1, 99)}%",
            rng.choice(["TRUE", "FALSE"]),
            f"{rng.integers(1, 99):05d}",
            "a b",
        ]
        row[i % 4] = "" if i % 5 == 0 else row[i % 4]
        found.append([str(c) for c in row])
    return found


def text(rows: list[list[str]]) -> str:
    return "\r\n".join(";".join(row) for row in [HEADER, *rows]) + "\r\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    (folder / "t.csv").write_text(text(cells()), encoding="cp1252", newline="")
    options = ["-q", "--epochs", "1", "--latent", "2", "--width", "4"]
    assert main(["fit", str(folder / "t.csv"), "-o", str(folder / "m.laten"), *options]) == 0
    return folder


@pytest.mark.parametrize("samples", [[], ["--samples", "2"]])
def test_full_cells_come_back_to_the_letter(laten, files, samples):
    done = laten("impute", str(files / "m.laten"), str(files / "t.csv"), "-q", *samples)
    head, *rows = csv.reader(io.StringIO(done.out))
    skip = 1 if samples else 0
    assert head[skip:] == HEADER and len(rows) == 60 * (2 if samples else 1)
    filled = 0
    for row, old in zip(rows, cells() * 2, strict=False):
        for name, new, was in zip(HEADER, row[skip:], old, strict=True):
            assert new == was if was else re.fullmatch(NEW[name], new), (name, was, new)
            filled += not was
    assert filled == 12 * (2 if samples else 1)


def test_a_notation_alone_would_rewrite_some(files):
    """Control: digits that a cell lacks are no part of its column's notation."""
    frame = lt.read(files / "t.csv")
    price = [row[1] for row in cells()]
    again = write_as(frame["price"], lt.assumed(frame).columns["price"])
    assert sum(a != b for a, b in zip(again, price, strict=True)) > 10
