"""`python -m fuzz` in `tests/`: mutated files to every reader, in a process that is watched from outside.

Prints how many inputs, crashes (an error that is no `LatenError`, or a process that died), hangs (more than a second of
processor time, or two minutes by the clock), files left behind, and inputs that took the process above its budget of
memory. Exits with 1 where any is.
"""

import argparse
import collections
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import laten as lt
from fuzz.mutants import mutant, read

SLOW, STUCK = 1.0, 120.0  # seconds
BUDGET, STEP = 2**20, 2**16  # kB of memory, and by how much an input must raise the peak to be named


def work(first: int, count: int, folder: Path) -> None:
    """Run inputs, saying before each which it is, and what went wrong."""
    warnings.simplefilter("ignore")
    peak = BUDGET - STEP
    at, faults = (folder.parent / "at").open("w"), (folder.parent / "faults").open("a")
    for number in range(first, first + count):
        at.seek(0)
        at.write(f"{number:20d} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:12d}\n")
        at.flush()
        name, raw = mutant(number, str(folder))
        began, what = time.process_time(), ""
        try:
            read(name, raw, folder, number % 10 == 0)
        except lt.LatenError:
            pass
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__}: {error!s:.100} ({Path(last.filename).name}:{last.lineno})"
        took, used = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if used > peak + STEP:
            what, peak = what or f"peak {used / 2**20:.1f} GiB", used
        if what or (took > SLOW and number > first + 50):  # the first load what they use
            print(json.dumps([number, name, what or f"{took:.1f} s"]), file=faults, flush=True)


def main() -> int:
    """Run, watch, count."""
    told = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    told.add_argument("--inputs", type=int, default=10**6, help="how many (default %(default)s)")
    told.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    told.add_argument("--first", type=int, default=0, help="number of the first input")
    told.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = told.parse_args()
    if options.work:
        work(int(options.work[0]), int(options.work[1]), Path(options.work[2]))
        return 0
    with tempfile.TemporaryDirectory() as top:
        return watch(Path(top), options.first, options.inputs, options.seconds)


def watch(top: Path, first: int, count: int, seconds: float) -> int:
    """Start processes that run inputs, one after the other until all are done."""
    folder, number, end, peak, died = top / "files", first, first + count, 0, []
    folder.mkdir()
    began = time.monotonic()
    env = os.environ | {"TMPDIR": str(folder), "JAX_PLATFORMS": "cpu"}
    while number < end and time.monotonic() - began < seconds:
        command = [sys.executable, "-m", "fuzz", "--work", str(number), str(end - number), str(folder)]
        with subprocess.Popen(command, env=env, cwd=Path(__file__).parents[1], stderr=subprocess.PIPE) as child:
            last, since = number, time.monotonic()
            while child.poll() is None:
                time.sleep(0.5)
                text = (top / "at").read_text().split() if (top / "at").exists() else []
                now, peak = (int(text[0]), max(peak, int(text[1]))) if len(text) == 2 else (last, peak)
                if now != last:
                    last, since = now, time.monotonic()
                stuck = time.monotonic() - since > (STUCK if now != number else 10 * STUCK)
                if stuck or time.monotonic() - began > seconds:
                    child.kill()
                    died += [(last, "stuck")] if stuck else []
                    break
            else:
                died += [(last, f"died: {child.returncode}")] if child.returncode else []
            number = last + 1
    return report(top, number - first, time.monotonic() - began, peak, died)


def report(top: Path, count: int, took: float, peak: int, died: list) -> int:
    """Print what was found."""
    lines = (top / "faults").read_text().splitlines() if (top / "faults").exists() else []
    faults = [tuple(json.loads(line)) for line in lines] + [(n, mutant(n, str(top))[0], what) for n, what in died]
    slow = [f for f in faults if f[2].endswith(" s") or f[2] == "stuck"]
    large = [f for f in faults if f[2].startswith("peak ")]
    left = [p for p in top.rglob("*") if p.is_file() and p.name not in ("at", "faults", "kept.sqlite")]
    left = [p for p in left if not p.name.startswith("x.")]
    kinds = collections.Counter((f[1], f[2]) for f in faults)
    for (name, what), n in kinds.most_common(40):
        print(f"{n:6d} x {name}: {what}, such as input {next(f[0] for f in faults if f[1:] == (name, what))}")
    crashes = len(faults) - len(slow) - len(large)
    print(
        f"{count} inputs in {took:.0f} s ({count / took:.0f} a second): {crashes} crashes, {len(slow)} hangs over "
        f"{SLOW:.0f} s, {len(left)} files left, {len(large)} over {BUDGET / 2**20:.0f} GiB, peak {peak / 2**20:.2f} GiB"
    )
    return int(bool(faults or left))


if __name__ == "__main__":
    sys.exit(main())
