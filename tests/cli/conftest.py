"""Two tiny models, fitted through the command line once, and a way to run a command as a user would see it."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from laten.cli.main import main

TINY = ["--epochs", "2", "--latent", "2", "--width", "4", "--batch-size", "16"]


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


class Fitted(NamedTuple):
    """A model file and the data it was fitted to."""

    model: str
    data: str
    log: str  # what `fit` said on standard error


def people(rows: int = 40) -> pd.DataFrame:
    """A small mixed table with holes; without counts, whose sampling compiles slowly."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "height": rng.normal(170, 10, rows).round(1),
            "income": np.where(rng.random(rows) < 0.5, ">50K", "<=50K"),
            "city": rng.choice(["Bandung", "Jakarta", "Medan"], rows),
            "shoe": rng.choice([38, 40, 41, 42, 43, 44, 45, 36, 37, 39, 46, 47], rows),
            "born": pd.date_range("1980-01-01", periods=rows, freq="97D").strftime("%Y-%m-%d"),
            "country": "Indonesia",
        }
    )
    frame.loc[3, "height"] = np.nan
    frame.loc[5, ["city", "shoe"]] = np.nan
    return frame


@pytest.fixture
def laten(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs `laten` with arguments, in a folder that holds `people.csv`."""
    monkeypatch.chdir(tmp_path)
    people().to_csv("people.csv", index=False)

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fitted")


@pytest.fixture(scope="session")
def table(folder: Path) -> Fitted:
    """A table's model."""
    data, model = folder / "people.csv", folder / "people.laten"
    people().to_csv(data, index=False)
    return fitted(data, model, "--kind", "shoe=real")


@pytest.fixture(scope="session")
def images(folder: Path) -> Fitted:
    """A model of images, from a file that also holds labels."""
    data, model = folder / "faces.npz", folder / "faces.laten"
    rng = np.random.default_rng(0)
    np.savez(data, x=rng.integers(0, 256, (30, 4, 5), dtype=np.uint8), label=np.arange(30) % 3)
    return fitted(data, model)


def fitted(data: Path, model: Path, *more: str) -> Fitted:
    """Fits, or fails with what was said."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = main(["fit", str(data), "-o", str(model), *TINY, *more])
    assert code == 0, said.getvalue()
    return Fitted(str(model), str(data), said.getvalue())
