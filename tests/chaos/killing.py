"""A tiny fit that is killed at random moments and gone on with: `python tests/chaos/killing.py FOLDER KILLS [SEED]`.

Everything is imported once; each training is a fork of this process, made before JAX starts its threads. Checkpoints
are written as often as can be, so that most kills fall into the writing of one. For each kill a line is printed: when
it was, what lay in the folder, and whether the weights of the run that went on are those of the run without a break,
byte for byte.
"""

import functools
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pandas as pd

from laten.estimator import plain_vae
from laten.estimator.plain_vae import PlainVAE
from laten.training import checkpoints as kept

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": RNG.gamma(2, size=120), "b": RNG.normal(size=120), "c": RNG.choice(list("xyz"), 120)})
FRAME.loc[::7, "a"] = np.nan
OPTIONS = {"latent": 2, "width": 4, "epochs": 120, "batch_size": 54, "restarts": 2, "patience": 0}


def train(run: Path | None, result: Path, begun: int | None = None) -> None:
    """Fit, and write the weights as they are in memory, beside the history."""
    if begun is not None:
        begin = kept.Checkpoints.begin

        def said(self, *arguments):
            found = begin(self, *arguments)
            os.write(begun, b".")  # it is compiled next, and trained
            return found

        kept.Checkpoints.begin = said
    if run is not None:
        plain_vae.train = functools.partial(plain_vae.train, call_seconds=1e-5)  # a checkpoint a step
    vae = PlainVAE(**OPTIONS).fit(FRAME, run=run)
    if begun is not None:
        os.write(begun, b".")
    parts = [np.asarray(x).tobytes() for x in jax.tree.leaves((vae.model_.p, vae.model_.q))]
    history = vae.history_.drop(columns="seconds").to_csv().encode()
    part = result.with_suffix(".part")
    part.write_bytes(b"".join(parts) + history)
    part.rename(result)


def forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own, and return its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def finished(child: int) -> bool:
    """Wait for a process, and say whether it ended well."""
    return os.waitpid(child, 0)[1] == 0


def watched(run: Path, result: Path, after: float | None = None) -> tuple[float, int]:
    """Train in a run folder; return how many seconds passed from its beginning to its end, and its exit status.

    Args:
        after: Seconds after which it is killed; None: it is not.
    """
    reading, writing = os.pipe()
    child = forked(lambda: train(run, result, writing))
    os.close(writing)
    os.read(reading, 1)
    began = time.monotonic()
    if after is None:
        os.read(reading, 1)
    else:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    ended = time.monotonic()
    os.close(reading)
    return ended - began, os.waitpid(child, 0)[1]


def main(folder: str, kills: str, seed: str = "0") -> int:
    """Kill so many trainings; return 0 when all of them went on to the same bytes."""
    kept.EVERY, kept.SHARE = 0.0, 1e9
    home, chance, right, torn = Path(folder), random.Random(int(seed)), 0, 0
    assert finished(forked(lambda: train(None, home / "whole")))
    lasts, status = watched(home / "unbroken", home / "kept")
    whole = (home / "whole").read_bytes()
    assert status == 0
    assert whole == (home / "kept").read_bytes()
    for i in range(int(kills)):
        status, again = 0, 0
        while status == 0:  # it had ended before it could be killed: another one, sooner
            run, result = home / f"run{i}.{again}", home / f"result{i}"
            when, status = watched(run, result, chance.uniform(0, lasts * 0.8**again))
            again += 1
        files = sorted(path.name for path in run.iterdir())
        torn += any(name.endswith(".part") for name in files)
        assert finished(forked(lambda run=run, result=result: train(run, result)))
        same = result.read_bytes() == whole
        right += same
        print(f"kill {i}: {when:5.2f} s {' '.join(files)} -> {'same' if same else 'OTHER'}", flush=True)
    print(f"{right} of {kills} the same bytes; {torn} were killed while a checkpoint was written")
    return 0 if right == int(kills) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
