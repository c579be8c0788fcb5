"""Results of `benchmarks.training` as JSON, the figures of a turn, and what the tables say of several.

A file: `when`, `machine`, `python`, `threads`, `quick`, `versions`, and `cases`, each with its settings and `sides`:
name -> `turns`, or `failed` with the reason. A turn is what a worker measured:

    seconds   of each epoch, the first one included
    rows      of each epoch
    fit       seconds of the whole training, set-up and compilation included
    gib       largest memory of the process until then
    bound     on the test rows, nats a row
"""

import datetime
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.jobs import machine

Turn = Mapping[str, Any]
OURS = "laten"


def fresh(threads: int, quick: bool) -> dict[str, Any]:
    """A file's content before the first turn."""
    when = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    python = sys.version.split()[0]
    about = {"when": when, "machine": machine(), "python": python, "threads": threads, "quick": quick}
    return {**about, "versions": {}, "cases": []}


def write(path: Path, results: Mapping[str, Any]) -> None:
    """Writes the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(results, indent=1) + "\n")
    part.replace(path)


def is_ours(side: str) -> bool:
    """laten itself, with whatever options."""
    return side.split(",")[0] == OURS


def rate(turn: Turn) -> float:
    """Rows per second: the median epoch after the first, which loads or compiles; NaN where there is no other."""
    rates = np.asarray(turn["rows"], float)[1:] / np.asarray(turn["seconds"], float)[1:]
    return float(np.median(rates)) if len(rates) else float("nan")


def speed(turn: Turn, whole: bool) -> float:
    """What is compared, the more the better: rows per second, or fits per second."""
    return 1 / turn["fit"] if whole else rate(turn)


class Line(NamedTuple):
    """One side of a case: medians over its turns."""

    rate: float
    first: float  # seconds of the first epoch
    fit: float
    gib: float
    bound: float
    spread: float  # largest less smallest bound
    turns: int


def line_of(turns: Sequence[Turn], whole: bool = False) -> Line:
    """Medians over turns."""

    def middle(values: list[float]) -> float:
        return float(np.median(values))

    bounds = [t["bound"] for t in turns]
    return Line(
        rate=float("nan") if whole else middle([rate(t) for t in turns]),
        first=float("nan") if whole else middle([t["seconds"][0] for t in turns]),
        fit=middle([t["fit"] for t in turns]),
        gib=middle([t["gib"] for t in turns]),
        bound=middle(bounds),
        spread=max(bounds) - min(bounds),
        turns=len(turns),
    )


class Ratio(NamedTuple):
    """How many times as fast: of the medians, and the smallest and largest of single turns."""

    middle: float
    low: float
    high: float


def ratio(ours: Sequence[Turn], theirs: Sequence[Turn], whole: bool = False) -> Ratio:
    """Ours over theirs; turns are paired in the order they were run."""
    a, b = ([speed(t, whole) for t in turns] for turns in (ours, theirs))
    every = [x / y for x, y in zip(a, b, strict=False)]
    return Ratio(float(np.median(a) / np.median(b)), min(every), max(every))
