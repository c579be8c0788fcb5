"""Files of strangers: each reader has a budget, and what it refuses it names, with the way out."""

import bz2
import gc
import gzip
import io
import lzma
import os
import sqlite3
import time
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

import laten as lt
from laten.common import bounded_reading

ZEROS = bytes(80 * 2**20)


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def zipped(name, raw):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, raw)
    return file.getvalue()


def bif(parents, end):
    names = [f"v{i}" for i in range(parents + 1)]
    variables = "".join(f"variable {n} {{ type discrete [ 2 ] {{ a, b }}; }}\n" for n in names)
    roots = "".join(f"probability ( {n} ) {{ table 0.5, 0.5; }}\n" for n in names[:-1])
    return f"{variables}{roots}probability ( {names[-1]} | {', '.join(names[:-1])} ) {{ {end} }}\n".encode()


def parquet_of(cells):
    file = io.BytesIO()
    parquet.write_table(pa.table({"a": pa.array(np.ones(cells)).dictionary_encode()}), file)
    return file.getvalue()


HOSTILE = {
    "x.csv.gz": (lambda: gzip.compress(ZEROS, 9), "unpack to more than 64 MiB.*LATEN_READ_LIMIT"),
    "x.csv.bz2": (lambda: bz2.compress(ZEROS), "unpack to more than 64 MiB"),
    "x.csv.xz": (lambda: lzma.compress(ZEROS, preset=0), "unpack to more than 64 MiB"),
    "x.csv.zst": (lambda: pa.Codec("zstd").compress(ZEROS, asbytes=True), "unpack to more than 64 MiB"),
    "x.csv.zip": (lambda: zipped("a.csv", ZEROS), "would take 80 MiB.*LATEN_READ_LIMIT"),
    "x.npz": (lambda: zipped("a.npy", npy(np.zeros(10**7))), "would take 76.3 MiB"),
    "lie.npy": (lambda: npy(np.zeros(3)).replace(b"(3,), }", b"(3000000000000,), }"), "should hold 24000000000"),
    "objects.npy": (lambda: npy(np.array([{}], object)), "Python objects.*never read"),
    "token.npy": (lambda: npy(np.zeros(3)).replace(b"{'descr'", b"{'''escr'"), "damaged"),
    "deep.json": (lambda: b"[" * 10**5, "recursion.*damaged"),
    "sparse.json": (lambda: b"[" + b",".join(b'{"k%d":1}' % i for i in range(9000)) + b"]", "9000 records of 9000"),
    "x.parquet": (lambda: parquet_of(10**7), "10000000 rows.*LATEN_READ_LIMIT"),
    "x.bif": (lambda: bif(24, "default 0.5, 0.5;"), "line 50: variable 'v24'.*leave parents out"),
    "y.bif": (lambda: bif(70, "default 0.5, 0.5;"), "more than 60 parents"),
    "x.bif.gz": (lambda: gzip.compress(ZEROS, 9), "unpack to more than 64 MiB"),
    "broken.bif.gz": (lambda: gzip.compress(b"network x {}")[:-9] + b"\0" * 9, "cannot be unpacked"),
    "x.toml": (lambda: b"[columns.a]\nkind = 'real'\nrange = [" + b"9" * 5000 + b", 1]\n", "no schema: .*5000 digits"),
    "y.toml": (lambda: b"a = " + b"[" * 10**4, "nested too deeply|no TOML"),
}


def read(path):
    if ".bif" in path.name:
        return lt.read_bif(path)
    return lt.read_schema(path, lt.read("wine")) if path.suffix == ".toml" else lt.read(path)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_eat_the_machine_is_refused_by_name(name, tmp_path):
    make, words = HOSTILE[name]
    (tmp_path / name).write_bytes(make())
    began = time.process_time()
    with pytest.raises(lt.DataError, match=f"(?s){words}") as error:
        read(tmp_path / name)
    assert name in str(error.value) and time.process_time() - began < 3


def test_the_limit_is_lifted_by_the_environment(tmp_path, monkeypatch):
    cells = b"a,b\n" + b"1,2\n" * 2**14
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(cells))
    monkeypatch.setattr(bounded_reading, "FLOOR", 100)
    with pytest.raises(lt.DataError, match="unpack it first"):
        lt.read(tmp_path / "x.csv.gz")
    monkeypatch.setenv("LATEN_READ_LIMIT", "1000000")
    assert lt.read(tmp_path / "x.csv.gz").shape == (2**14, 2)


def test_real_files_stay_far_below_the_limits(tmp_path):
    """Data that compress well, such as repeated rows, are no bombs."""
    frame = pd.concat([lt.read("wine")] * 50)
    frame.to_csv(tmp_path / "w.csv.gz", index=False)
    frame.to_parquet(tmp_path / "w.parquet")
    for name in ("w.csv.gz", "w.parquet"):
        assert lt.read(tmp_path / name).shape == frame.shape


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("name", ["x.csv", "x.npy", "x.parquet", "x.bif", "x.toml", "x.png"])
def test_pipes_and_devices_are_not_read(name, tmp_path):
    for sort, place in enumerate((tmp_path / "pipe", tmp_path / "device")):
        place.mkdir()
        path = place / name
        path.symlink_to("/dev/zero") if sort else os.mkfifo(path)
        with pytest.raises(lt.DataError, match="no regular file"):
            read(path.parent if name.endswith("png") else path)


def test_the_sum_of_a_folder_of_images_is_bounded(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(np.zeros((4000, 4000), np.uint8)).save(tmp_path / "0.png")
    for i in range(1, 20):
        (tmp_path / f"{i}.png").hardlink_to(tmp_path / "0.png")
    with pytest.raises(lt.DataError, match=r"20 images of \(4000, 4000\) would take 305 MiB"):
        lt.read(tmp_path)


@pytest.mark.parametrize("what", ["select i from n", "select count(*) as k from n"])
def test_a_view_without_end_ends(what, tmp_path):
    base = sqlite3.connect(tmp_path / "x.sqlite")
    base.execute(f"create view v as with recursive n(i) as (select 1 union all select i + 1 from n) {what}")
    base.commit()
    base.close()
    with pytest.raises(lt.DataError, match=r"x\.sqlite"):
        lt.read(tmp_path / "x.sqlite")


def test_damaged_feather_is_refused_and_not_followed(tmp_path):
    """An offset that points out of its buffer crashed the process that converted it."""
    table = pa.table({"a": ["abc", "de", "f"] * 9})
    file = io.BytesIO()
    feather.write_feather(table, file, compression="uncompressed")
    offsets = np.frombuffer(table["a"].chunk(0).buffers()[1], np.int32)[: len(table) + 1]
    bad = offsets.copy()
    bad[5] = 2**30
    raw = file.getvalue().replace(offsets.tobytes(), bad.tobytes())
    assert raw != file.getvalue()
    (tmp_path / "x.feather").write_bytes(raw)
    with pytest.raises(lt.DataError, match=r"x\.feather.*damaged"):
        lt.read(tmp_path / "x.feather")


def test_complex_columns_are_refused_by_name():
    frame = lt.read("wine").assign(z=1 + 2j)
    with pytest.raises(lt.DataError, match="column 'z' holds complex numbers"):
        lt.infer_schema(frame)


def test_the_mask_of_a_matrix_is_honoured():
    rng = np.random.default_rng(0)
    x = np.ma.MaskedArray(rng.normal(size=(30, 2)), mask=rng.random((30, 2)) < 0.3)
    x.data[x.mask] = 1e6
    schema = lt.VAE(latent=1, width=2, epochs=1).fit(x).schema_
    for i, column in enumerate(schema.columns):
        assert column.seen.missing == x.mask[:, i].sum() and column.describe().find("e+06") < 0


def test_escape_sequences_do_not_reach_the_terminal(tmp_path, capsys):
    from laten.cli.main import main

    frame = lt.read("wine").rename(columns={"alcohol": "\x1b[31mred\x07"})
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert main(["schema", str(tmp_path / "x.csv"), "-o", str(tmp_path / "x.toml")]) == 0
    assert main(["fit", str(tmp_path / "x.csv"), "--schema", str(tmp_path / "no\x1b[2J.toml")]) == 2
    said = "".join(capsys.readouterr())
    assert "\x1b" not in said and "\x07" not in said and r"\x1b[31mred\x07" in said and r"no\x1b[2J" in said


def test_thousands_of_columns_are_read_in_seconds(tmp_path):
    """A column cost forty patterns, compiled anew for each: 20 000 took more than a minute."""
    names = [f"c{i}" for i in range(1000)]
    pd.DataFrame(np.random.default_rng(0).normal(size=(3, 1000)).round(3), columns=names).to_csv(tmp_path / "x.csv")
    lt.read("wine")
    began = time.process_time()
    assert lt.read(tmp_path / "x.csv").shape == (3, 1001)
    assert time.process_time() - began < 3


@pytest.mark.parametrize("memory", [None, "512MiB"])
def test_a_damaged_file_leaves_no_memory_taken(tmp_path, memory):
    """Arrow's streams lose a buffer of a megabyte where they fail."""
    path, packed = tmp_path / "x.csv.zst", pa.Codec("zstd").compress(b"a,b\n1,2\n" * 200, asbytes=True)
    path.write_bytes(packed[:-3])

    def refused():
        with pytest.raises(lt.DataError, match=r"x\.csv\.zst"):
            lt.read(path) if memory is None else lt.VAE().fit(str(path), memory=memory)

    refused()
    tracemalloc.start()
    for _ in range(8):
        refused()
    gc.collect()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert left < 4 * 2**20
