"""How a worker of `benchmarks/peers` and the benchmark that started it hand data to one another: files in a folder.

A worker is run by the interpreter of its own library as `python worker.py FOLDER`. There it finds `arrays.npz` and
`arguments.json`, and leaves `answer.npz` and `report.json`. It knows nothing of laten.
"""

import importlib.metadata
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


class Clock:
    """Seconds of the named parts of the work."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Adds the seconds of the block to `part`."""
        began = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - began


def serve(work: Callable[[Arrays, dict, Clock], Arrays], packages: tuple[str, ...] = ()) -> None:
    """Runs `work` on the folder of the command line.

    Args:
        work: (arrays, arguments, clock) -> arrays. What it adds to `arguments["notes"]` goes into the report.
        packages: Whose versions the report names.
    """
    folder = Path(sys.argv[1])
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arguments = json.loads((folder / "arguments.json").read_text())
    arguments["notes"], clock = {}, Clock()
    answer = work(arrays, arguments, clock)
    np.savez(folder / "answer.npz", **answer)
    versions = {name: importlib.metadata.version(name) for name in packages}
    report = {"seconds": clock.seconds, "versions": versions, "notes": arguments["notes"]}
    (folder / "report.json").write_text(json.dumps(report))
