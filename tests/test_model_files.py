"""Model files: of every format, of a stranger, and damaged ones. None runs code, takes memory or loads with NaN."""

import io
import json
import os
import resource
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import laten as lt
from laten.estimator.former_formats import FORMAT, MIGRATIONS

FORMATS = Path(__file__).parent / "formats"
# what the version that wrote the files said of these rows
SCORES = {"table": [-3.80251924, -3.76282372, -4.31541847], "arrays": [-4.7778007, -4.14411363, -4.22291155]}


def rows():
    """The rows that the kept files were fitted to; seeded, so that scores can be compared."""
    rng, n = np.random.default_rng(0), 60
    table = pd.DataFrame({
        "x": rng.normal(size=n).round(2), "k": rng.integers(0, 5, n), "c": rng.choice(list("abc"), n),
        "b": rng.choice(["no", "yes"], n),
    })  # fmt: skip
    return {"table": table.head(3), "arrays": {"x": rng.integers(0, 2, (40, 3, 2)).astype("uint8")[:3] * 255}}


@pytest.mark.filterwarnings("ignore::laten.LatenWarning")
@pytest.mark.parametrize("of", SCORES)
@pytest.mark.parametrize("version", range(1, FORMAT + 1))
def test_a_file_of_each_format_answers_as_it_did(version, of):
    path = FORMATS / f"format-{version}-{of}.laten"
    assert path.stat().st_size < 20_000
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("model.json"))["format"] == version
    assert np.allclose(lt.load(path).score_samples(rows()[of]), SCORES[of], rtol=1e-5)
    assert set(MIGRATIONS) == set(range(1, FORMAT))


def members(of="table"):
    with zipfile.ZipFile(FORMATS / f"format-{FORMAT}-{of}.laten") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(found, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in found.items():
            archive.writestr(name, raw, method)
    return file.getvalue()


def with_head(change, of="table"):
    """Return a file whose model.json was changed in place."""
    found = members(of)
    head = json.loads(found["model.json"])
    change(head)
    return packed(found | {"model.json": json.dumps(head).encode()})


def with_weights(change, of="table"):
    found = members(of)
    return packed(found | {"weights.safetensors": change(found["weights.safetensors"])})


def header(raw):
    return 8 + int.from_bytes(raw[:8], "little")


def tensors(listed):
    text = json.dumps(listed).encode()
    return struct.pack("<Q", len(text)) + text


def patched(raw, at, value):
    """Return bytes in which the first member of the directory of a zip has another flag or method."""
    out = bytearray(raw)
    out[raw.index(b"PK\1\2") + at] = value
    return bytes(out)


def option(name, value):
    return with_head(lambda head: head["about"]["parameters"].update({name: value}))


def nets(head, **fields):
    for part in ("network", "guide"):
        for node in head[part]["nodes"].values():
            if node["via"] is not None:
                node["via"].update(fields)


def sizes(head, size):
    head["network"]["nodes"]["z"]["family"]["size"] = size


def nested(depth):
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = {
    "deep net": (lambda: with_head(lambda h: nets(h, depth=2**31)), "declares layers: 2147483648"),
    "wide net": (lambda: with_head(lambda h: nets(h, width=2**40)), "a layer of width 1099511627776"),
    "large family": (lambda: with_head(lambda h: sizes(h, [2**40])), "sites: 1099511627776"),
    "boundless family": (lambda: with_head(lambda h: sizes(h, [2**62] * 9)), "without end"),
    "a large tensor": (
        lambda: with_weights(lambda w: tensors({"a": {"dtype": "F32", "shape": [2**40, 9], "data_offsets": [0, 4]}})),
        "weights",
    ),
    "NaN": (lambda: with_weights(lambda w: w[: header(w)] + struct.pack("<f", np.nan) + w[header(w) + 4 :]), "NaN or"),
    "infinity": (lambda: with_weights(lambda w: w[:-4] + struct.pack("<f", -np.inf)), "weight '[01]/.*NaN or infinity"),
    "a million tensors": (
        lambda: with_weights(lambda w: struct.pack("<Q", 60_000_000) + b" " * 60_000_000), "tensors that hold nothing"
    ),
    "weights of other shapes": (lambda: with_weights(lambda w: w.replace(b'"shape":[', b'"shape":[1,', 1)), "expected"),
    "weights of no type": (lambda: with_weights(lambda w: w.replace(b"F32", b"F99")), "damaged"),
    "seed": (lambda: option("seed", "abc"), "seed.*abc"),
    "draws": (lambda: option("draws", 10**9), "draws=1000000000 would take"),
    "no draws": (lambda: option("draws", -1), "draws must be"),
    "clip": (lambda: option("clip", "no"), "clip"),
    "no option": (lambda: option("weights", "w"), "weights must be one of"),
    "declared": (lambda: with_head(lambda h: h["about"].update(declared=["fit"])), "declared"),
    "uneven history": (lambda: with_head(lambda h: h["about"].update(history={"a": [1], "b": [1, 2]})), "damaged"),
    **{
        f"format {version!r}": (lambda version=version: with_head(lambda h: h.update(format=version)), words)
        for version, words in [
            (-5, "format -5, which never was"), (0, "never was"), (True, "format True"), ("2", "format '2'"),
            (None, "format None"), (1.5, "never was"), (FORMAT + 1, f"of format {FORMAT + 1}.*pip install -U laten"),
        ]
    },
    "deep JSON": (lambda: packed(members() | {"model.json": b"[" * 10**5}), "recursion"),
    "deep declaration": (lambda: with_head(lambda h: sizes(h, nested(900))), "recursion|size must be"),
    "a head of blanks": (lambda: packed(members() | {"model.json": b" " * 80_000_000}), "LATEN_READ_LIMIT="),
    "encrypted": (lambda: patched(packed(members()), 8, 1), "encrypted; unpack it"),
    "odd method": (lambda: patched(packed(members()), 10, 14), "method 14"),
    "many members": (lambda: packed({f"{i}": b"" for i in range(99)} | members(), 0), "more members than one has"),
    "empty": (lambda: b"", "not a model file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_of_a_stranger_is_refused_quickly_and_in_little_memory(kind, tmp_path):
    make, words = HOSTILE[kind]
    (tmp_path / "m.laten").write_bytes(make())
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(lt.ModelFileError, match=words) as error:
        lt.load(tmp_path / "m.laten")
    took, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "m.laten" in str(error.value)
    assert took < 5 and peak < 200 * 2**20


def test_no_weight_is_made_before_shapes_agree():
    """Declared layers that the header does not list cost nothing: 4 GiB of them are refused within a few MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wide = {"a": {"dtype": "F32", "shape": [2**15, 2**5], "data_offsets": [0, 2**22]}}
    raw = tensors(wide) + bytes(2**22)
    head = json.loads(members()["model.json"])
    nets(head, width=2**15, depth=1)
    file = packed({"model.json": json.dumps(head).encode(), "weights.safetensors": raw})
    with pytest.raises(lt.ModelFileError, match="missing or not expected"):
        lt.load(io.BytesIO(file))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KiB


def test_the_same_file_with_nothing_changed_loads():
    assert lt.load(io.BytesIO(with_head(lambda head: None))).draws == 10  # the control of all of the above


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_or_a_device_is_no_model(tmp_path):
    os.mkfifo(tmp_path / "m.laten")
    for path in (tmp_path / "m.laten", "/dev/zero"):
        with pytest.raises(lt.ModelFileError, match="no regular file"):
            lt.load(path)
