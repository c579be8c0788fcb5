"""What every side of a benchmark measures about itself: the seconds of its epochs, the memory of its process."""

import resource
import sys
import time
from pathlib import Path


def peak_gib() -> float:
    """Largest resident memory of this process so far, GiB.

    On Linux from the kernel's own record: what `getrusage` says includes the parent at the time of the fork.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)


class Epochs:
    """Seconds of epochs that follow one another: called at the end of each."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.began = time.perf_counter()

    def start(self) -> None:
        """The next epoch begins now, not where the last one ended."""
        self.began = time.perf_counter()

    def __call__(self) -> None:
        """Ends an epoch; the next one begins."""
        now = time.perf_counter()
        self.seconds.append(now - self.began)
        self.began = now
