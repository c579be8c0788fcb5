"""Whatever is wrong with the input: exit code 2, one line on standard error with the way out, no file left."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.trains


def csv(change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> str:
    """Writes a changed table to `bad.csv`."""
    frame = pd.read_csv("people.csv")
    changed = change(frame)
    (frame if changed is None else changed).to_csv("bad.csv", index=False)
    return "bad.csv"


def text(content: str | bytes, name: str = "bad.csv") -> str:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def newer(model: str) -> str:
    """A model file of a later format."""
    with zipfile.ZipFile(model) as old, zipfile.ZipFile("bad.laten", "w") as new:
        head = json.loads(old.read("model.json")) | {"format": 99}
        new.writestr("model.json", json.dumps(head))
        new.writestr("weights.safetensors", old.read("weights.safetensors"))
    return "bad.laten"


def closed(name: str) -> str:
    """A folder in which nothing can be made: it is a file."""
    return f"{text('x', name)}/model.laten"


def assign(**columns: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**columns)


def npz(**arrays: np.ndarray) -> str:
    np.savez("bad.npz", **arrays)
    return "bad.npz"


FIT: list[tuple[Callable[[], list[object]], list[str]]] = [
    (lambda: ["nothere.csv"], ["nothere.csv", "no such file", "embedded sets"]),
    (lambda: ["wein"], ["wein", "did you mean 'wine'"]),
    (lambda: ["no/where.csv"], ["nor the folder"]),
    (lambda: [text("", "bad.csv")], ["bad.csv", "empty"]),
    (lambda: [text(b"\x89PNG\0\0\0")], ["zero bytes", "UTF-8"]),
    (lambda: [text("a,b\n1,2\n", "bad.xls")], ["bad.xls", "do not know how to read"]),
    (lambda: [text(b"PAR1 oops", "bad.parquet")], ["bad.parquet", "damaged"]),
    (lambda: [text("a,b\n")], ["no rows"]),
    (lambda: [text("a,b\n1,2\n")], ["1 row", "fewer than 2"]),
    (lambda: [text("a,b\n1,x\n2,y\n3,x\n1,2,3\n")], ["bad.csv", "line 5 has 3"]),
    (lambda: [text("a,b,a\n1,2,3\n4,5,6\n")], ["two columns of one name", "'a'", "rename"]),
    (lambda: [csv(lambda f: f[["height"]].assign(height="", city=""))], ["'height'", "no value", "drop"]),
    (lambda: [csv(lambda f: f[["country"]].assign(planet="Earth"))], ["no column is left to model", "constant"]),
    (lambda: [csv(lambda f: f), "--kind", "hight=real"], ["no column 'hight'", "did you mean 'height'"]),
    (lambda: [csv(lambda f: f), "--kind", "height=tall"], ["'height'", "no kind 'tall'", "categorical"]),
    (lambda: [csv(lambda f: f), "--kind", "height"], ["--kind height", "COLUMN=KIND"]),
    (lambda: [csv(lambda f: f), "--kind", "city=ordinal"], ["order of its levels", "ordinal:Bandung,Jakarta,Medan"]),
    (lambda: [csv(lambda f: f), "--kind", "city=ordinal:Medan,Jakarta,Bandun"], ["'Bandun'", "did you mean 'Bandung'"]),
    (lambda: [csv(lambda f: f), "--kind", "city=count"], ["'city'", "text", "count"]),
    (lambda: [npz(a=np.zeros((4, 2, 2)), b=np.zeros(4))], ["bad.npz", "['a', 'b']", "'x'"]),
    (lambda: [npz(x=np.full((40, 2, 2), 300))], ["node 'x'", "binary", "300"]),
    (lambda: [npz(x=np.zeros((4, 2, 2))), "--kind", "x=real"], ["--kind", "arrays have no columns"]),
    (lambda: ["wine", "--epochs", "0"], ["--epochs", "1; see laten fit"]),
    (lambda: ["wine", "--epochs", "many"], ["--epochs", "valid int"]),
    (lambda: ["wine", "--objective", "elbow"], ["--objective", "'elbow'", "'iwae'"]),
    (lambda: ["wine", "--binarise", "maybe"], ["--binarise", "'maybe'"]),
    (lambda: ["wine", "--learning-rate", "-1"], ["--learning-rate", "positive"]),
    (lambda: ["wine", "--validation", "1"], ["validation", "[0, 1)"]),
    (lambda: ["wine", "--epoch", "3"], ["--epoch", "--epochs"]),
    (list, ["Missing argument 'DATA'", "laten fit --help"]),
    (lambda: ["wine", "-o", "no/where.laten"], ["no folder 'no'"]),
    (lambda: ["wine", "-o", "."], ["is a folder"]),
    (lambda: ["wine", "-o", closed("file")], ["no folder 'file'"]),
    (lambda: [csv(lambda f: f), "-o", "bad.csv"], ["is read by this command", "another name"]),
]  # fmt: skip

# M is the fitted model, D its data.
ASK: list[tuple[Callable[[str, str], list[object]], list[str]]] = [
    (lambda M, D: ["sample", "nothere.laten"], ["no file 'nothere.laten'"]),
    (lambda M, D: ["embed", D, D], ["not a model file"]),
    (lambda M, D: ["info", "."], ["cannot read '.'"]),
    (lambda M, D: ["info", text(Path(M).read_bytes()[:-3000], "bad.laten")], ["not a model file, or is truncated"]),
    (lambda M, D: ["info", newer(M)], ["format 99", "upgrade"]),
    (lambda M, D: ["sample", M, "--given", "incme=>50K"], ["no column 'incme'", "did you mean 'income'"]),
    (lambda M, D: ["sample", M, "--given", "income=50K"], ["'income'", "'50K'", "never seen", "'>50K'"]),
    (lambda M, D: ["sample", M, "--given", "height=tall"], ["'height'", "'tall'", "expected a number"]),
    (lambda M, D: ["sample", M, "--given", "height=inf"], ["'height'", "expected a number"]),
    (lambda M, D: ["sample", M, "--given", "born=soon"], ["'born'", "'soon'", "expected a date", "2024-12-31"]),
    (lambda M, D: ["sample", M, "--given", "country=Indonesia"], ["'country'", "not modelled", "constant"]),
    (lambda M, D: ["sample", M, "--given", "income"], ["--given income", "COLUMN=VALUE"]),
    (lambda M, D: ["sample", M, "--given", "shoe=40..42", "--given", "shoe=45"], ["'shoe' is given twice"]),
    (lambda M, D: ["sample", M, "--given", "shoe=.."], ["'shoe'", "'..'", "30..40"]),
    (lambda M, D: ["sample", M, "--given", "shoe=42..40"], ["'shoe'", "exchange"]),
    (lambda M, D: ["sample", M, "--given", "born=1980..soon"], ["'born'", "'soon'", "expected a date"]),
    (lambda M, D: ["sample", M, "-n", "0"], ["-n", "1; see laten sample"]),
    (lambda M, D: ["sample", M, "-o", "rows.xls"], ["rows.xls", "do not know how to write", "'.parquet'"]),
    (lambda M, D: ["sample", M, "-o", "no/rows.csv"], ["no folder 'no'"]),
    (lambda M, D: ["sample", M, "-o", M], [".laten", "do not know how to write"]),
    (lambda M, D: ["score", M, "nothere.csv"], ["no such file"]),
    (lambda M, D: ["score", M, csv(lambda f: f.drop(columns="city"))], ["lacks the fitted column", "'city'"]),
    (lambda M, D: ["score", M, csv(assign(height="tall"))], ["'height'", "expected numbers", "'tall'"]),
    (lambda M, D: ["impute", M, csv(assign(city="Bogor"))], ["'city'", "'Bogor'", "never seen"]),
    (lambda M, D: ["score", M, csv(assign(height=np.inf))], ["'height'", "expected numbers", "'inf'"]),
    (lambda M, D: ["score", M, csv(lambda f: f.head(0))], ["no rows"]),
    (lambda M, D: ["score", M, npz(x=np.zeros((3, 4)))], ["bad.npz", "holds arrays", "'height'"]),
    (lambda M, D: ["impute", M, D, "--samples", "0"], ["--samples", "1; see laten impute"]),
    (lambda M, D: ["impute", M, D, "--draws", "5"], ["--draws", "is now --samples 5"]),
    (lambda M, D: ["plot", M, "--what", "latents", "-o", "p.png"], ["needs rows"]),
    (lambda M, D: ["plot", M, D, "--what", "latents", "--colour", "sity", "-o", "p.png"], ["'sity'"]),
    (lambda M, D: ["plot", M, "--what", "history", "-o", "p.gif"], ["p.gif", "'.png'"]),
    (lambda M, D: ["plot", M, "--what", "future", "-o", "p.png"], ["--what", "'future'"]),
    (lambda M, D: ["info", M, "--svg", "p.png"], ["p.png", "'.svg'"]),
    (lambda M, D: ["guess", M], ["No such command 'guess'", "laten --help"]),
    (lambda M, D: ["demo", "--folder", text("x", "file")], ["file", "cannot be a folder"]),
]  # fmt: skip

IMAGES: list[tuple[Callable[[str, str], list[object]], list[str]]] = [
    (lambda M, D: ["sample", M], ["4 × 5", "fit no table", "-o FILE.npy"]),
    (lambda M, D: ["reconstruct", M, D, "-o", "rows.csv"], ["4 × 5", "fit no table"]),
    (lambda M, D: ["score", M, npz(x=np.zeros((3, 5, 5), np.uint8))], ["'x'", "expected shape (n, 4, 5)", "(3, 5, 5)"]),
    (lambda M, D: ["score", M, npz(x=np.zeros((0, 4, 5), np.uint8))], ["no rows"]),
    (lambda M, D: ["score", M, npz(a=np.zeros((3, 4, 5)), b=np.zeros(3))], ["none of the fitted nodes ['x']"]),
    (lambda M, D: ["score", M, csv(lambda f: f)], ["is a table", "['x']"]),
    (lambda M, D: ["sample", M, "-o", "s.npy", "--given", "y=3"], ["no node 'y'", "'x'"]),
    (lambda M, D: ["sample", M, "-o", "s.npy", "--given", "x=3"], ["(4, 5)", "only nodes of one site"]),
    (lambda M, D: ["plot", M, D, "--what", "latents", "--colour", "lable", "-o", "p.png"], ["did you mean 'label'"]),
]  # fmt: skip


def refused(laten: Callable[..., Any], arguments: list[object], words: list[str]) -> None:
    before = set(Path().iterdir())
    ran = laten(*arguments)
    assert ran.code == 2, ran
    assert ran.out == "", ran
    assert ran.err.startswith("laten: ") and ran.err.count("\n") == 1, ran.err
    missing = [w for w in words if w not in ran.err]
    assert not missing, f"{missing} not in: {ran.err}"
    assert set(Path().iterdir()) == before, "a file was left behind"


@pytest.mark.parametrize(("arguments", "words"), FIT, ids=[" ".join(words)[:40] for _, words in FIT])
def test_fit_refuses(laten, arguments, words):
    refused(laten, ["fit", *arguments()], words)


@pytest.mark.parametrize(("arguments", "words"), ASK, ids=[" ".join(words)[:40] for _, words in ASK])
def test_questions_are_refused(laten, table, arguments, words):
    refused(laten, arguments(table.model, table.data), words)


@pytest.mark.parametrize(("arguments", "words"), IMAGES, ids=[" ".join(words)[:40] for _, words in IMAGES])
def test_questions_about_images_are_refused(laten, images, arguments, words):
    refused(laten, arguments(images.model, images.data), words)


def test_a_failing_fit_leaves_the_old_model(laten, table):
    Path("people.laten").write_text("precious")
    assert laten("fit", csv(lambda f: f.head(1)), "-o", "people.laten").code == 2
    assert Path("people.laten").read_text() == "precious"


def test_an_unreadable_file_is_one_line(laten, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "secret.csv")

    monkeypatch.setattr("laten.cli.work.fit.for_fit", refuse)
    assert laten("fit", "secret.csv") == (2, "", "laten: secret.csv: Permission denied\n")
