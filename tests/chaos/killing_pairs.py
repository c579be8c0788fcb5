"""As `killing.py`, with two processes that train together: `python tests/chaos/killing_pairs.py FOLDER KILLS [SEED]`.

One of the two is killed; the other must end by itself, with the exit code that says "start all again". Then both are
started again.
"""

import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

import jax
import killing

from laten.training import checkpoints as kept
from laten.training.cluster import LOST, join_cluster


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def pair(run: Path, result: Path, begun: int | None = None) -> list[int]:
    """Start two processes that train together; return their numbers."""
    where = f"127.0.0.1:{free_port()}"

    def work(process: int) -> None:
        join_cluster(where, 2, process)
        killing.train(run, result.with_name(f"{result.name}.{process}"), None if process else begun)
        jax.distributed.shutdown()  # waits for the other, as the end of an interpreter does

    return [killing.forked(lambda process=process: work(process)) for process in range(2)]


def whole(run: Path, result: Path) -> bytes:
    """Train to the end; return the bytes of both processes, which are the same."""
    children = pair(run, result)
    assert all(killing.finished(child) for child in children)
    first, second = (result.with_name(f"{result.name}.{process}").read_bytes() for process in range(2))
    assert first == second
    return first


def killed(run: Path, result: Path, which: int, after: float) -> tuple[int, float]:
    """Kill one of two; return the exit status of the other, and how many seconds later it came."""
    reading, writing = os.pipe()
    children = pair(run, result, writing)
    os.close(writing)
    os.read(reading, 1)
    time.sleep(after)
    os.kill(children[which], signal.SIGKILL)
    began = time.monotonic()
    status = os.waitpid(children[1 - which], 0)[1]
    ended = time.monotonic()
    os.waitpid(children[which], 0)
    os.close(reading)
    return status, ended - began


def main(folder: str, kills: str, seed: str = "0") -> int:
    """Kill one of so many pairs; return 0 when all pairs went on to the same bytes."""
    kept.EVERY, kept.SHARE = 0.0, 1e9
    home, chance, right = Path(folder), random.Random(int(seed)), 0
    began = time.monotonic()
    unbroken = whole(home / "unbroken", home / "whole")
    lasts = time.monotonic() - began
    for i in range(int(kills)):
        which, status, again, took = chance.randrange(2), 0, 0, 0.0
        while status == 0:  # both had ended before one could be killed: again, sooner
            run = home / f"run{i}.{again}"
            after = chance.uniform(0, 0.5 * lasts * 0.7**again)
            status, took = killed(run, home / f"result{i}", which, after)
            again += 1
        assert os.waitstatus_to_exitcode(status) == LOST, status
        files = sorted(path.name for path in run.iterdir())
        same = whole(run, home / f"result{i}") == unbroken
        right += same
        print(
            f"process {which} killed at {after:5.2f} s, the other ended {took:.2f} s later; {' '.join(files)} -> "
            f"{'same' if same else 'OTHER'}",
            flush=True,
        )
    print(f"{right} of {kills} the same bytes")
    return 0 if right == int(kills) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
