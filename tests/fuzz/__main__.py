"""`python -m fuzz` in `tests/`: mutated files to every reader, in a process that is watched from outside.

Prints how many inputs, crashes (an error that is no `LatenError`, or a process that died), hangs (more than a second of
processor time, or two minutes by the clock), files written or left outside the one that is read, and inputs that took
the process above its budget of memory; then inputs and milliseconds of each reader. Exits with 1 where anything is
wrong.
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

import numpy as np

import laten as lt
from fuzz.mutants import kept, mutant, read

SLOW, STUCK = 1.0, 120.0  # seconds
BUDGET, STEP = 2**20, 2**16  # kB of memory, and by how much an input must raise the peak to be named
MOST_DEAD = 100  # processes: then something else is wrong
BATCH = 50_000  # inputs of a process: what it keeps of them (programs, types) goes with it
NUMBER, PEAK, COUNTS = 0, 1, 2  # places of the notes: the input, kB; then inputs and microseconds of each reader
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
MAKING = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1}  # event -> which argument is made


def notes(top: Path, many: int) -> np.ndarray:
    """Return numbers that both processes see: they outlast the one that dies."""
    path = top / "notes"
    if not path.exists():
        path.write_bytes(bytes(8 * (COUNTS + 2 * many)))
    return np.memmap(path, np.int64, "r+")


def watch_writes(folder: Path, outside: list[str]) -> None:
    """Note each file that Python opens to write, makes or renames outside a folder."""

    def hook(event: str, told: tuple) -> None:
        if event == "open":
            path = told[0] if told[2] & WRITING else None
        else:
            path = told[MAKING[event]] if event in MAKING else None
        if isinstance(path, str | bytes | os.PathLike):
            where = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - no link is followed
            if not where.startswith(str(folder)) and where != os.devnull:
                outside.append(where)

    sys.addaudithook(hook)


def work(first: int, count: int, folder: Path) -> None:
    """Run inputs, noting before each which it is, and what went wrong."""
    warnings.simplefilter("ignore")
    good = kept(str(folder))
    for name, files in good.items():  # the first of a kind loads what it uses
        for raw in files:
            read(name, raw, folder, True)
    places, noted = {name: COUNTS + 2 * i for i, name in enumerate(good)}, notes(folder.parent, len(good))
    peak, outside = BUDGET - STEP, list[str]()
    with (folder.parent / "faults").open("a") as faults:
        watch_writes(folder, outside)
        for number in range(first, first + count):
            noted[NUMBER] = number
            name, raw, more = mutant(number, str(folder))
            began, what = time.process_time(), ""
            try:
                read(name, raw, folder, more)
            except lt.LatenError:
                pass
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                what = f"{type(error).__name__}: {error!s:.100} ({Path(last.filename).name}:{last.lineno})"
            took, used = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            noted[places[name]] += 1
            noted[places[name] + 1] += int(1e6 * took)
            noted[PEAK] = max(noted[PEAK], used)
            if used > peak + STEP:
                what, peak = what or f"peak {used / 2**20:.1f} GiB", used
            if outside:
                what = what or f"wrote {outside[0]}"
                outside.clear()
            if what or took > SLOW:
                print(json.dumps([number, name, what or f"{took:.1f} s"]), file=faults, flush=True)
        noted[NUMBER] = first + count - 1


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
        return watch(Path(top).resolve(), options.first, options.inputs, options.seconds)


def watch(top: Path, first: int, count: int, seconds: float) -> int:
    """Start processes that run inputs, one after the other until all are done."""
    folder, number, end, died = top / "files", first, first + count, list[tuple[int, str]]()
    folder.mkdir()
    noted = notes(top, len(kept(str(folder))))
    began = time.monotonic()
    env = os.environ | {"TMPDIR": str(folder), "JAX_PLATFORMS": "cpu", "LATEN_CACHE": "off"}
    env |= {"PYTHONDONTWRITEBYTECODE": "1"}
    while number < end and time.monotonic() - began < seconds:
        noted[NUMBER] = number
        many = min(BATCH, end - number)
        command = [sys.executable, "-X", "faulthandler", "-m", "fuzz", "--work", str(number), str(many), str(folder)]
        with (
            (top / "said").open("w") as said,
            subprocess.Popen(command, env=env, cwd=Path(__file__).parents[1], stderr=said) as child,
        ):
            last, since = number, time.monotonic()
            while child.poll() is None:
                time.sleep(0.2)
                if int(noted[NUMBER]) != last:
                    last, since = int(noted[NUMBER]), time.monotonic()
                stuck = time.monotonic() - since > STUCK
                if stuck or time.monotonic() - began > seconds:
                    child.kill()
                    died += [(last, "stuck")] if stuck else []
                    break
            else:
                if child.returncode:
                    words = (top / "said").read_text().split("\n")
                    died.append((int(noted[NUMBER]), f"died: {child.returncode}"))
                    print(f"died: {child.returncode} after input {last}, saying", *words[-20:], sep="\n", flush=True)
            number = int(noted[NUMBER]) + 1
        if len(died) > MOST_DEAD:
            print((top / "said").read_text()[-2000:], file=sys.stderr)
            break
    return report(top, number - first, time.monotonic() - began, died)


def report(top: Path, count: int, took: float, died: list[tuple[int, str]]) -> int:
    """Print what was found."""
    names = list(kept(str(top / "files")))
    noted = notes(top, len(names))
    lines = (top / "faults").read_text().splitlines() if (top / "faults").exists() else []
    faults = [tuple(json.loads(line)) for line in lines]
    faults += [(n, mutant(n, str(top / "files"))[0], what) for n, what in died]
    slow = [f for f in faults if f[2].endswith(" s") or f[2] == "stuck"]
    large = [f for f in faults if f[2].startswith("peak ")]
    wrote = [f for f in faults if f[2].startswith("wrote ")]
    left = [p for p in (top / "files").rglob("*") if p.is_file() and not p.name.startswith("x.")]
    kinds = collections.Counter((f[1], f[2]) for f in faults)
    for (name, what), n in kinds.most_common(40):
        print(f"{n:6d} x {name}: {what}, such as input {next(f[0] for f in faults if f[1:] == (name, what))}")
    own = noted[COUNTS:].reshape(-1, 2)
    for name, (n, microseconds) in zip(names, own.tolist(), strict=True):
        print(f"{n:8d} {name:13s} {microseconds / max(n, 1) / 1000:6.2f} ms each")
    crashes, used = len(faults) - len(slow) - len(large) - len(wrote), resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{count} inputs in {took:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of a processor: {crashes} crashes, "
        f"{len(slow)} hangs over {SLOW:.0f} s, {len(wrote)} files written outside and {len(left)} left, {len(large)} "
        f"over {BUDGET / 2**20:.0f} GiB, peak {noted[PEAK] / 2**20:.2f} GiB"
    )
    return int(bool(faults or left))


if __name__ == "__main__":
    sys.exit(main())
