"""What it costs to keep a training in a run folder: the share of its time that goes into checkpoints.

    python -m benchmarks.checkpoints

A table with the default model, and digits with wide layers, whose weights and optimiser are some megabytes. Each is
trained for `--seconds` in a run folder; the clock runs while a checkpoint is made and written. Beside it are rows a
second in the run folder and without one, in turns: how much a busy machine scatters them is seen there too.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import laten as lt
from benchmarks.runner import footer, options_of, show
from laten.estimator import plain_vae
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare import prepare
from laten.training.checkpoints import Checkpoints
from laten.training.epochs import train

CASES: dict[str, dict[str, Any]] = {"clinic": {}, "digits": {"width": 1024}}
FIRST = 3  # calls of the loop that do not count: they compile


def trained(name: str, seconds: float, run: Path | None) -> dict[str, float]:
    """Train for some seconds; return seconds, rows a second, and what checkpoints took."""
    vae = PlainVAE(epochs=10**6, patience=0, progress="quiet", **CASES[name])
    data = lt.read(name)
    prepared = prepare(data["x"] if isinstance(data, dict) else data, vae)
    size = prepared.settings.planned(prepared.task.rows).batch_size
    calls, writing, sizes = list[tuple[float, int]](), list[float](), list[int]()
    offer, write = Checkpoints.offer, Checkpoints.write

    def on_call(loop: Any, arguments: tuple) -> None:
        calls.append((time.perf_counter(), int(arguments[-1]) - int(arguments[-2])))

    def enough(record: dict[str, Any]) -> bool:
        return len(calls) > FIRST + 1 and calls[-1][0] - calls[FIRST][0] > seconds

    def timed(self: Checkpoints, *arguments: Any) -> None:
        began = time.perf_counter()
        offer(self, *arguments)
        if len(calls) > FIRST:
            writing.append(time.perf_counter() - began)

    def noted(self: Checkpoints, *arguments: Any) -> None:
        write(self, *arguments)
        sizes.append(self.found()[-1].stat().st_size)

    plain_vae.train = lambda *given, **options: train(*given, **options | {"on_call": on_call})
    Checkpoints.offer, Checkpoints.write = timed, noted  # type: ignore[method-assign]
    try:
        if run is None:
            vae.fit_prepared(prepared, report=enough)
        else:
            with Checkpoints(run) as kept:
                vae.fit_prepared(prepared, kept, report=enough)
    finally:
        Checkpoints.offer, Checkpoints.write = offer, write  # type: ignore[method-assign]
    # the last one, when the training ends, is no cost of keeping it
    took, rows = calls[-1][0] - calls[FIRST][0], size * sum(steps for _, steps in calls[FIRST:-1])
    return {
        "seconds": took, "rows a second": rows / took, "checkpoints": max(len(sizes) - 1, 0),
        "MB of each": np.mean(sizes) / 1e6 if sizes else 0.0, "share of time, %": 100 * sum(writing[:-1]) / took,
    }  # fmt: skip


def main() -> None:
    """Train, print."""
    options = options_of(__doc__, seconds=20.0, turns=3).parse_args()
    for name in CASES:
        rows: dict[str, list[dict[str, float]]] = {"in a run folder": [], "without": []}
        for turn in range(options.turns):
            for side in list(rows)[:: 1 if turn % 2 else -1]:
                with tempfile.TemporaryDirectory() as folder:
                    run = Path(folder) / "run" if side == "in a run folder" else None
                    rows[side].append(trained(name, options.seconds, run))
        show(name, pd.DataFrame({side: pd.DataFrame(found).median() for side, found in rows.items()}).T, 2)
    print(footer())


if __name__ == "__main__":
    main()
