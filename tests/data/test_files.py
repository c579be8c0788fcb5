"""Reading and writing: every format there and back, damaged files, nothing half-written."""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn import datasets

from laten.common.atomic_file import atomic
from laten.common.errors import DataError
from laten.data.datasets.simulated_clinic import clinic
from laten.data.files.read import read
from laten.data.files.write import write
from laten.data.schema.infer import infer_schema

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FRAME = pd.DataFrame({"a": [1.5, np.nan, 1 / 3], "b": ["x", "None", 'ü, "q"'], "n": [1, 2, 3]})
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 5, 4)).astype(np.uint8)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.TSV.gz", "t.parquet", "t.feather"])
def test_tables_there_and_back(tmp_path, name):
    write(FRAME, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    assert_frame_equal(read(tmp_path / name), FRAME)
    write(FRAME, str(tmp_path / name))
    assert (tmp_path / name).read_bytes() == first and [p.name for p in tmp_path.iterdir()] == [name]


def test_arrays_there_and_back(tmp_path):
    write(IMAGES, tmp_path / "x.npy")
    assert np.array_equal(read(tmp_path / "x.npy"), IMAGES)
    write({"x": IMAGES, "y": np.arange(3)}, tmp_path / "x.npz")
    back = read(tmp_path / "x.npz")
    assert set(back) == {"x", "y"} and np.array_equal(back["x"], IMAGES)
    write(FRAME, tmp_path / "t.npz")
    assert read(tmp_path / "t.npz")["b"].tolist() == FRAME["b"].tolist()
    write(np.eye(2), tmp_path / "m.csv")
    assert read(tmp_path / "m.csv").columns.tolist() == ["column_0", "column_1"]
    write(FRAME, tmp_path / "t.json")
    assert pd.read_json(tmp_path / "t.json", lines=True)["n"].tolist() == [1, 2, 3]


def test_text_tables_as_people_write_them(tmp_path):
    def table(text, name="t.csv"):
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return read(tmp_path / name)

    assert table("a;b\n1;2\n3;4\n").columns.tolist() == ["a", "b"]
    assert table("﻿a,b\r\n1, ?\r\n3, x\r\n")["b"].isna().tolist() == [True, False]
    assert table("a,b\nNone,NA\nx,y\n").isna().to_numpy().tolist() == [[False, True], [False, False]]
    headless = table("1,2.5,?\n3,4,1\n")
    assert headless.columns.tolist() == ["column_0", "column_1", "column_2"] and len(headless) == 2


def test_idx(tmp_path):
    def idx(array, code):
        return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()

    (tmp_path / "images-idx3-ubyte").write_bytes(idx(IMAGES, 8))
    assert np.array_equal(read(tmp_path / "images-idx3-ubyte"), IMAGES)
    with gzip.open(tmp_path / "t.idx.gz", "wb") as file:
        file.write(idx(np.arange(6, dtype=">i4").reshape(2, 3), 0x0C))
    found = read(tmp_path / "t.idx.gz")
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]] and found.dtype == np.int32
    (tmp_path / "short-ubyte").write_bytes(idx(IMAGES, 8)[:-3])
    with pytest.raises(DataError, match="cut off"):
        read(tmp_path / "short-ubyte")
    (tmp_path / "no.idx").write_bytes(b"\1\2\3\4\5")
    with pytest.raises(DataError, match="no IDX"):
        read(tmp_path / "no.idx")


def test_folder_of_images(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    for i, pixels in enumerate(IMAGES):
        image.fromarray(pixels).save(tmp_path / f"{i}.png")
    (tmp_path / "notes.txt").write_text("not an image")
    assert np.array_equal(read(tmp_path), IMAGES)
    image.fromarray(np.zeros((6, 4), np.uint8)).save(tmp_path / "9.png")
    with pytest.raises(DataError, match=r"9\.png.*\(6, 4\) differs from \(5, 4\) of 0\.png"):
        read(tmp_path)
    image.fromarray(np.zeros((5, 4, 3), np.uint8)).save(tmp_path / "9.png")
    with pytest.raises(DataError, match="all grey or all in colour"):
        read(tmp_path)
    (tmp_path / "9.png").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    with pytest.raises(DataError, match=r"9\.png.*cannot be read"):
        read(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match=r"laten\[images\]"):
        read(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="no PNG or JPEG"):
        read(empty)
    (empty / "notes.docx").write_text("-")
    with pytest.raises(DataError, match=r"no PNG or JPEG images; found \['notes\.docx'"):
        read(empty)


def whole(tmp_path, name, data=FRAME):
    write(data, tmp_path / ("whole" + name))
    return (tmp_path / ("whole" + name)).read_bytes()


BAD = {
    "empty.csv": (lambda p: b"", ["empty"]),
    "blank.csv": (lambda p: b"  \n\n", ["empty"]),
    "headeronly.csv": (lambda p: b"a,b\n", ["no rows"]),
    "twice.csv": (lambda p: b"a,b,a\n1,2,3\n", ["one name", "'a'"]),
    "ragged.csv": (lambda p: b"a,b\n1,2\n1,2,3\n", ["line 3"]),
    "binary.csv": (lambda p: b"\x89PNG\0\0\0", ["no text table"]),
    "quote.csv": (lambda p: b'a,b\n"1,2\n', ["cannot be read"]),
    "cut.csv.gz": (lambda p: whole(p, ".csv.gz")[:-9], ["cut off"]),
    "nogz.csv.gz": (lambda p: b"a,b\n1,2\n", ["cannot be read"]),
    "cut.parquet": (lambda p: whole(p, ".parquet")[:-30], ["parquet"]),
    "cut.feather": (lambda p: whole(p, ".feather")[:-30], ["feather"]),
    "cut.npy": (lambda p: whole(p, ".npy", IMAGES)[:-3], ["npy"]),
    "text.npy": (lambda p: b"hello", ["npy"]),
    "cut.npz": (lambda p: whole(p, ".npz", {"x": IMAGES})[:-40], ["npz"]),
    "table.xls": (lambda p: b"PK", [".xls", "'.csv'"]),
    "table.xlsx": (lambda p: b"PK", ["cannot be read as .xlsx"]),
    "noextension": (lambda p: b"a", ["without extension"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(tmp_path, name):
    make, words = BAD[name]
    (tmp_path / name).write_bytes(make(tmp_path))
    with pytest.raises(DataError) as error:
        read(tmp_path / name)
    assert all(w in str(error.value) for w in [name, *words]), error.value
    assert "\n" not in str(error.value)


def test_extensions_that_lie(tmp_path):
    """An array of the other sort behind .npy and .npz."""
    (tmp_path / "x.npz").write_bytes(whole(tmp_path, ".npy", IMAGES))
    with pytest.raises(DataError, match=r"x\.npz"):
        read(tmp_path / "x.npz")
    (tmp_path / "y.npy").write_bytes(whole(tmp_path, ".npz", IMAGES))
    with pytest.raises(DataError, match=r"y\.npy"):
        read(tmp_path / "y.npy")


def test_no_pickles(tmp_path):
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", x=np.array([{"a": 1}], dtype=object))
    for name in ("o.npy", "o.npz"):
        with pytest.raises(DataError, match="never read"):
            read(tmp_path / name)


def test_wrong_paths(tmp_path):
    write(FRAME, tmp_path / "adult.csv")
    with pytest.raises(DataError, match=r"did you mean 'adult\.csv'"):
        read(tmp_path / "adlut.csv")
    with pytest.raises(DataError, match="did you mean 'digits'"):
        read("digit")
    with pytest.raises(DataError, match="nor the folder"):
        read(tmp_path / "nowhere" / "x.csv")
    with pytest.raises(DataError, match=r"usable path|no such file"):
        read("a\0b")


def test_writing_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x.csv"
    write(FRAME, path)
    old = path.read_bytes()
    with pytest.raises(RuntimeError, match="half way"), atomic(path) as file:
        file.write(b"half a fi")
        raise RuntimeError("half way")
    assert path.read_bytes() == old and [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    with pytest.raises(DataError, match="parquet"):
        write(pd.DataFrame({"a": [{"b": 1}, 3, "x"]}), tmp_path / "y.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("x.xlsx", FRAME, "'.csv'"),
        ("x", FRAME, "without extension"),
        ("x.csv", IMAGES, "npy"),
        ("x.csv", {"x": IMAGES}, "npz"),
        ("x.npy", {"x": IMAGES}, "npz"),
        ("x.npz", {"file": IMAGES}, "rename"),
        ("x.npy", FRAME, "parquet"),
        ("nowhere/x.csv", FRAME, "folder"),
    ],
)
def test_what_cannot_be_written(tmp_path, name, data, word):
    with pytest.raises(DataError, match=word):
        write(data, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == []


def test_embedded_sets():
    digits = read("digits")
    assert digits["x"].shape == (1797, 8, 8) and digits["x"].dtype == np.uint8
    assert (digits["x"].min(), digits["x"].max()) == (0, 255) and np.unique(digits["label"]).tolist() == list(range(10))
    wine, cancer = read("wine"), read("breast_cancer")
    assert wine.shape == (178, 14) and wine["cultivar"].cat.categories.tolist() == ["class_0", "class_1", "class_2"]
    assert cancer.shape == (569, 31) and (cancer["diagnosis"] == "benign").sum() == 357
    assert infer_schema(wine)["cultivar"].kind == "categorical" and infer_schema(cancer)["diagnosis"].kind == "binary"
    assert_frame_equal(read("clinic"), clinic())


def test_embedded_sets_are_scikit_learns():
    """Read from its files without it, they are what it gives."""
    for name, target in (("wine", "cultivar"), ("breast_cancer", "diagnosis")):
        bunch, found = getattr(datasets, f"load_{name}")(as_frame=True), read(name)
        assert [c.replace(" ", "_").replace("/", "_") for c in bunch.feature_names] == list(found.columns[:-1])
        np.testing.assert_array_equal(found.drop(columns=target), bunch.data)
        np.testing.assert_array_equal(found[target], np.asarray(bunch.target_names)[bunch.target])
    digits, found = datasets.load_digits(), read("digits")
    np.testing.assert_array_equal(found["x"], np.round(digits.images * (255 / 16)))
    np.testing.assert_array_equal(found["label"], digits.target)


def test_an_embedded_set_that_is_not_there(monkeypatch):
    monkeypatch.setattr("laten.data.datasets.embedded.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"no wine_data\.csv"):
        read("wine")


def test_real_files():
    if not SHARED.exists():
        pytest.skip("no ../shared/data here")
    assert read(SHARED / "mnist" / "t10k-images-idx3-ubyte.gz").shape == (10000, 28, 28)
    assert np.bincount(read(SHARED / "mnist" / "t10k-labels-idx1-ubyte.gz")).tolist()[:3] == [980, 1135, 1032]
    assert read(SHARED / "freyfaces" / "freyfaces.npz")["images"].shape == (1965, 28, 20)
    assert read(SHARED / "hivae" / "adult" / "data.csv").shape == (32561, 12)
    assert read(SHARED / "tables" / "adult_train.csv.gz").isna().sum().sum() == 4262
