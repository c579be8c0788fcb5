"""How a worker of `benchmarks/peers` and the benchmark that started it hand data to one another: files in a folder.

A worker is run by the interpreter of its own library as `python worker.py FOLDER`. There it finds `arrays.npz` and
`arguments.json`, and leaves `answer.npz` and `report.json`. It knows nothing of laten, and measures itself.
"""

import importlib.metadata
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


class Clock:
    """Seconds of the named parts of the work and of its epochs, and memory at the end of the last part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.epochs: list[float] = []
        self.gib = 0.0

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Add the seconds of the block to `part`; the first epoch begins with it."""
        began = time.perf_counter()
        self.start()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - began
        self.gib = peak_gib()

    def start(self) -> None:
        """Let the next epoch begin now, not where the last one ended."""
        self.began = time.perf_counter()

    def end(self) -> None:
        """End an epoch; the next one begins."""
        self.epochs.append(time.perf_counter() - self.began)
        self.start()


def peak_gib() -> float:
    """Return the largest resident memory of this process so far, GiB.

    On Linux from the kernel's own record: what `getrusage` says includes the parent at the time of the fork.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)


def serve(work: Callable[[Arrays, dict, Clock], Arrays], packages: tuple[str, ...] = ()) -> None:
    """Run `work` on the folder of the command line: (arrays, arguments, clock) -> arrays.

    What it adds to `arguments["notes"]` goes into the report, with the versions of those packages that are there.
    """
    folder, clock = Path(sys.argv[1]), Clock()
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arguments = {**json.loads((folder / "arguments.json").read_text()), "notes": {}}
    answer = work(arrays, arguments, clock)
    if clock.epochs:
        answer["seconds"] = np.array(clock.epochs)
    np.savez(folder / "answer.npz", **answer)
    versions = {}
    for name in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    report = {"seconds": clock.seconds, "versions": versions, "notes": {"gib": clock.gib, **arguments["notes"]}}
    (folder / "report.json").write_text(json.dumps(report))
