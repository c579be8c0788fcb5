"""Follow a row through `fit` and `impute`: the files it enters are those of docs/walks.md, and each step goes down.

A row *enters* a file when a function there is handed whole rows: a frame, a dict or a record of arrays, with as many
rows as the table has. Single columns, one example under `vmap`, and weights are not rows; what a container of rows does
with itself is no step.
"""

import dataclasses
import os
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

import laten as lt

pytestmark = pytest.mark.trains

ROOT = Path(__file__).parents[1]
PACKAGE = Path(lt.__file__).parent
ROWS = 97  # a number that nothing else has
MOST = {"fit": 12, "impute": 10}


def is_rows(x: object) -> bool:
    """A container of whole rows."""
    if isinstance(x, pd.DataFrame):
        return len(x) == ROWS
    if isinstance(x, dict):
        return any(isinstance(v, np.ndarray | jax.Array) and v.ndim > 1 and len(v) == ROWS for v in x.values())
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return any(map(is_rows, x))
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return any(is_rows(getattr(x, f.name, None)) for f in dataclasses.fields(x))
    return False


def walk(ask: Callable[[], Any]) -> tuple[list[str], set[tuple[str, str]]]:
    """The files that rows enter, in order, and the steps from file to file."""
    entered: list[str] = []
    steps: set[tuple[str, str]] = set()

    start = f"{PACKAGE}{os.sep}"

    def ours(frame: Any) -> str | None:
        path = frame.f_code.co_filename
        return Path(path[len(start) :]).as_posix() if path.startswith(start) else None

    def watch(frame: Any, event: str, _: object) -> None:
        file = ours(frame) if event == "call" else None
        if file is None or file == "__init__.py":
            return
        code = frame.f_code
        names = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]) - {"self"}
        if not any(is_rows(frame.f_locals.get(name)) for name in names):
            return
        if file not in entered:
            entered.append(file)
        caller = frame.f_back
        while caller is not None and ours(caller) is None:
            caller = caller.f_back
        if caller is not None and (before := ours(caller)) not in (None, file):
            steps.add((before, file))

    sys.setprofile(watch)
    try:
        ask()
    finally:
        sys.setprofile(None)
    return entered, steps


@pytest.fixture(scope="module")
def walks() -> dict[str, tuple[list[str], set[tuple[str, str]]]]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 9, ROWS).round(1),
            "visits": rng.poisson(3, ROWS),
            "city": rng.choice(["a", "b", "c"], ROWS),
            "when": pd.date_range("2020-01-01", periods=ROWS),
        }
    )
    frame.loc[::7, "age"] = np.nan
    vae = lt.VAE(latent=2, width=8, epochs=2)
    return {"fit": walk(lambda: vae.fit(frame)), "impute": walk(lambda: vae.impute(frame))}


def floors() -> dict[str, int]:
    """Folder -> its height."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers" and c["containers"] == ["laten"])
    return {name: height for height, floor in enumerate(reversed(layers)) for name in floor.split(" | ")}


@pytest.mark.parametrize("question", ["fit", "impute"])
def test_rows_enter_the_files_of_the_document_and_no_others(walks, question):
    entered, _ = walks[question]
    text = (ROOT / "docs" / "walks.md").read_text("utf-8").split(f"`{question}`", 1)[1].split("\n## ")[0]
    assert entered == re.findall(r"^\d+\. `([a-z_/]+\.py)`", text, re.M)
    assert len(entered) <= MOST[question]


@pytest.mark.parametrize("question", ["fit", "impute"])
def test_each_step_goes_down(walks, question):
    height = floors()
    up = [f"{a} -> {b}" for a, b in walks[question][1] if height[a.split("/")[0]] < height[b.split("/")[0]]]
    assert not up


def test_the_watch_sees_rows_and_nothing_else():
    frame = pd.DataFrame({"a": np.arange(ROWS)})
    assert is_rows(frame) and is_rows({"x": np.zeros((ROWS, 2))})
    assert not is_rows(frame["a"]) and not is_rows(frame.head()) and not is_rows({"x": np.zeros(ROWS)})
