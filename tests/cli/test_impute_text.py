"""Text files on the command line: full cells come back to the letter, made ones in the notation of their column."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.cli.main import main
from laten.data.files.write import write
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


def test_a_file_that_is_filled_keeps_its_separator(laten, files):
    """Cells with the other marks stay what they are; decimal commas need no quotes between semicolons."""
    old = text(cells()).replace("\r\n", "\n").split("\n")
    for mark in (";", "\t", "|"):
        (files / "other.csv").write_text("\n".join(old).replace(";", mark), encoding="cp1252")
        assert laten("impute", str(files / "m.laten"), str(files / "other.csv"), "-q", "-o", "out.csv").code == 0
        new = Path("out.csv").read_text("utf-8").split("\n")
        assert len(new) == len(old) and new[0].replace('"', "") == old[0].replace(";", mark)
        assert '"' not in "".join(new[1:])
        for a, b in zip(old[1:-1], new[1:-1], strict=True):
            assert all(x in ("", y) for x, y in zip(a.split(";"), b.split(mark), strict=True))
    quoted = pd.DataFrame({"a": ["x;y", "x,y", "NA", 'q"'], "b": [1.5, 2, 3, 4]})
    write(quoted, "quoted.csv", ";")
    assert lt.read("quoted.csv").equals(quoted) and '"x;y";1.5\nx,y;2.0\n"NA"' in Path("quoted.csv").read_text()


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


def test_full_cells_of_standard_input_too(laten, files, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text(cells()).encode())))
    done = laten("impute", files / "m.laten", "-", "-q")
    _, *rows = csv.reader(io.StringIO(done.out))
    assert all(
        new == was for row, old in zip(rows, cells(), strict=True) for new, was in zip(row, old, strict=True) if was
    )


def test_what_is_drawn_looks_like_the_file_and_is_read_again(laten, files):
    laten("sample", files / "m.laten", "-n", "30", "-o", files / "s.tsv")
    head, *rows = csv.reader(io.StringIO((files / "s.tsv").read_text()), delimiter="\t")
    assert len(rows) == 30 and {"day", "price", "share", "ok"} <= set(head)
    for row in rows:
        for name, cell in zip(head, row, strict=True):
            assert name not in NEW or re.fullmatch(NEW[name], cell), (name, cell)
    for command in ("score", "embed", "reconstruct"):
        done = laten(command, files / "m.laten", files / "s.tsv", "-q")
        assert done.code == 0 and len(done.out.splitlines()) == 31, done.err
    _, *means = csv.reader(io.StringIO(done.out))
    assert all(re.fullmatch(NEW[n], c) for row in means for n, c in zip(head, row, strict=True) if n in NEW)


def test_a_later_batch_is_not_typed_anew(laten, files):
    """Alone these cells would be whole numbers, a month first, a number, words."""
    later = files / "later.csv"
    later.write_text(" code,day,price,share,ok,\n7,01/02/2021,1.034,5%,true,b\n,,,,,\n")
    frame = lt.read(later, like=lt.load(files / "m.laten"))
    assert frame.iloc[0].tolist() == ["7", pd.Timestamp(2021, 2, 1), 1034.0, 5, True, "b"]
    assert laten("score", files / "m.laten", later, "-q").code == 0
    later.write_text("day,price,share,ok\n2021-02-01T10:00,1034.5,5%,true\n")
    done = laten("score", files / "m.laten", later, "-q")
    assert done.code == 2 and "line 2, column 'price': expected numbers, as in earlier rows, got '1034.5'" in done.err
    assert "say its marks: --decimal, --thousands" in done.err
    done = laten("impute", files / "m.laten", later, "-q", "--decimal", ".")
    assert "1034.5" in done.out


def test_a_kind_that_some_cells_do_not_allow(laten, files):
    bad = files / "bad.csv"
    bad.write_text("when,x\n" + "".join(f"2024-01-{1 + i % 28:02d},{i / 7:.2f}\n" for i in range(48)) + "31 foo,1\n")
    done = laten("fit", bad, "--kind", "when=date", "-q", "-o", files / "b.laten")
    assert done.code == 2 and "line 50, column 'when': '31 foo' where the other cells are dates" in done.err
