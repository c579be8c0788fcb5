"""The kept corpus: a small good file for each reader, made here, and how each is packed: its inside is mutated too."""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image
from pyarrow import feather, parquet

ROWS = 24
FORMATS = Path(__file__).parents[1] / "formats"
BIF = b"""network asia { property "a b"; }
variable smoke { type discrete [ 2 ] { yes, no }; }
variable lung { type discrete [ 3 ] { "a b", c, d }; }
probability ( smoke ) { table 0.5, 0.5; }
probability ( lung | smoke ) { (yes) 0.1, 0.8, 0.1; default 0.2, 0.3, 0.5; } // end
"""
TOML = b"""extra = "ignore"
constraints = ["n >= 0"]
[nodes]
both = ["x", "y"]
[columns.x]
kind = "real"
range = [-10.0, 10.0]
[columns.y]
kind = "real"
[columns.n]
kind = "count"
[columns.c]
kind = "categorical"
levels = ["a", "b", "c"]
unseen = "other"
[columns.d]
kind = "date"
missing = 0.1
"""


@cache
def frame() -> pd.DataFrame:
    """Return a small table of all kinds of columns."""
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "x": rng.normal(size=ROWS).round(3), "y": rng.normal(size=ROWS), "n": rng.integers(0, 9, ROWS),
        "c": list("abc") * (ROWS // 3), "d": pd.date_range("2024-01-30", periods=ROWS),
        "t f": [True, False] * (ROWS // 2),
    })  # fmt: skip


def into(write: Callable[[io.BytesIO], object]) -> bytes:
    """Return what is written."""
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    """Pack files as a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def unzipped(raw: bytes) -> dict[str, bytes]:
    """Undo `zipped`."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {m: archive.read(m) for m in archive.namelist()}


def database(table: pd.DataFrame, folder: Path) -> bytes:
    """Return an SQLite file of one table."""
    path = folder / "kept.sqlite"
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    base.execute("create table t (x real, n integer, c text)")
    base.executemany("insert into t values (?, ?, ?)", [(float(r.x), int(r.n), r.c) for r in table.itertuples()])
    base.commit()
    base.close()
    found = path.read_bytes()
    path.unlink()
    return found


def stream(table: pa.Table) -> bytes:
    """Return Arrow's stream format."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def corpus(folder: Path) -> dict[str, list[bytes]]:
    """Return good files by the name that each gets: `x.csv`, `x.npz`, ….

    Args:
        folder: Where a database may be made.
    """
    f = frame()
    arrow = pa.Table.from_pandas(f, preserve_index=False)
    text = f.to_csv(index=False).encode()
    german = f.assign(x=f["x"].map(lambda v: f"{v:.3f}".replace(".", ",")), d=f["d"].dt.strftime("%d.%m.%Y"))
    texts = [text, german.to_csv(index=False, sep=";").encode("utf-16"), b'# a\n"a, b";c\n1;"x ""y"""\n2;NA\n3;z\n' * 3]
    pixels = np.random.default_rng(0).integers(0, 255, (6, 5, 3), np.uint8)
    arrays = [into(lambda s, a=a: np.save(s, a)) for a in (np.eye(4), pixels, np.array(["a", "bc"]), f.to_records())]
    return {
        "x.csv": texts, "x.tsv": [f.to_csv(index=False, sep="\t").encode()],
        "x.csv.gz": [gzip.compress(text)], "x.csv.bz2": [bz2.compress(text)], "x.csv.xz": [lzma.compress(text)],
        "x.csv.zst": [pa.Codec("zstd").compress(text, asbytes=True)], "x.csv.zip": [zipped({"a.csv": text})],
        "x.json": [f.astype({"d": str}).to_json(orient="records").encode(), f[["x", "n"]].to_json().encode()],
        "x.jsonl": [f.astype({"d": str}).to_json(orient="records", lines=True).encode()],
        "x.parquet": [into(lambda s: parquet.write_table(arrow, s)),
                      into(lambda s: parquet.write_table(arrow, s, compression="zstd", use_dictionary=False))],
        "x.feather": [into(lambda s: feather.write_feather(arrow, s)), stream(arrow),
                      into(lambda s: feather.write_feather(arrow, s, compression="uncompressed"))],
        "x.npy": arrays[:3], "x.npz": [zipped({"a.npy": arrays[0], "b.npy": arrays[1]})],
        "x.idx": [b"\0\0\x08\x03" + np.array([2, 3, 4], ">i4").tobytes() + bytes(24)],
        "x.xlsx": [into(lambda s: f.to_excel(s, index=False))],
        "x.sqlite": [database(f, folder)], "x.bif": [BIF], "x.toml": [TOML],
        "images/x.png": [into(lambda s: Image.fromarray(pixels).save(s, "png")),
                         into(lambda s: Image.fromarray(pixels[..., 0]).save(s, "png"))],
        "images/x.jpg": [into(lambda s: Image.fromarray(pixels).save(s, "jpeg"))],
        "x.laten": [p.read_bytes() for p in sorted(FORMATS.glob("*.laten"))],
    }  # fmt: skip


PACKINGS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    ".gz": (gzip.decompress, lambda raw: gzip.compress(raw, 1)),
    ".bz2": (bz2.decompress, bz2.compress),
    ".xz": (lzma.decompress, lambda raw: lzma.compress(raw, preset=0)),
}
ZIPS = (".zip", ".npz", ".xlsx", ".laten")


def leaves(value: object, path: tuple = ()) -> list[tuple]:
    """Return the paths of all parts of parsed JSON."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for k, v in inside for found in leaves(v, (*path, k)))]


def changed(text: bytes, choose: Callable[[int], int], values: list) -> bytes:
    """Put another value in one place of a JSON text, or leave the place out."""
    tree = {"": json.loads(text)}
    places = leaves(tree[""], ("",))
    *above, last = places[choose(len(places))]
    part: object = tree
    for step in above:
        part = part[step]  # type: ignore[index]
    if choose(8) == 0 and above:
        del part[last]  # type: ignore[attr-defined]
    else:
        part[last] = values[choose(len(values))]  # type: ignore[index]
    return json.dumps(tree[""]).encode()
