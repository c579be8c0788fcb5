"""Tables larger than memory: peak memory of each command, and rows a second of the loop beside the rate in memory.

    python -m benchmarks.streaming TABLE.parquet --millions 1 5 50 --folder FOLDER --memory 2GiB

TABLE is repeated to so many million rows; each twentieth row loses two cells. Then, each in a process of its own:
`fit` (two passes over all rows, and `--seconds` of an epoch) in parts, and on at most a million rows in memory;
`score`, `impute`, `embed` of `--answered` million rows in parts; `sample` of as many. FOLDER is emptied at the end.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import laten as lt
from benchmarks.runner import footer
from laten.common.memory_size import bytes_of
from laten.data.files.open_parts import open_parts
from laten.estimator import plain_vae
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare import Prepared, prepare
from laten.estimator.prepare_parts import prepare_parts, sampled, windows_of
from laten.training.epochs import train

HOLED = 20  # one row in so many loses cells
FIRST = 3  # calls of the loop that do not count: they compile


def make(source: str, rows: int, path: Path) -> None:
    """Write a table repeated to so many rows, with holes in two of its columns."""
    table = parquet.read_table(source)
    holes = pa.array(np.arange(len(table)) % HOLED == 0)
    for name in table.column_names[4:6]:
        column = table.column(name).combine_chunks()
        holed = pa.compute.if_else(holes, pa.scalar(None, column.type), column)
        table = table.set_column(table.column_names.index(name), name, holed)
    with parquet.ParquetWriter(path, table.schema) as writer:
        for start in range(0, rows, len(table)):
            writer.write_table(table.slice(0, min(rows - start, len(table))))


def rate(vae: PlainVAE, prepared: Prepared, seconds: float) -> list[float]:
    """Train for some seconds, as Ctrl-C would end it, and return rows a second of each compiled call."""
    calls: list[tuple[float, int]] = []
    size = prepared.settings.planned(prepared.task.rows).batch_size

    def on_call(loop: Any, arguments: tuple) -> None:
        calls.append((time.perf_counter(), int(arguments[-1]) - int(arguments[-2])))
        if len(calls) > FIRST + 1 and calls[-1][0] - calls[FIRST][0] > seconds:
            os.kill(os.getpid(), signal.SIGINT)

    plain_vae.train = lambda *given, **options: train(*given, **options | {"on_call": on_call})
    vae.fit_prepared(prepared)
    pairs = zip(calls[FIRST:], calls[FIRST + 1 :], strict=False)
    return [size * steps / (after - began) for (began, steps), (after, _) in pairs]


def waits(windows: Any) -> list[float]:
    """Note how long the loop waits for each window but the first."""
    taken, found = windows._taken, list[float]()

    def timed(*which: int) -> Any:
        began = time.perf_counter()
        window = taken(*which)
        found.append(time.perf_counter() - began)
        return window

    windows._taken = timed
    return found


def child(what: str, data: str, folder: Path, memory: str, seconds: float) -> dict[str, Any]:
    """Fit in this process, and say how that went."""
    began, vae = time.perf_counter(), PlainVAE(epochs=1)
    parts = open_parts(data)
    assert parts is not None
    if what == "memory":
        return {"rates": rate(vae, prepare(next(parts.frames(10**6))[1], vae), seconds)}
    prepared, _ = prepare_parts(sampled(parts, folder), vae, bytes_of(memory), folder)
    ready, held = time.perf_counter() - began, prepared.task.windows
    waited = [] if held is None else waits(held)
    with windows_of(prepared):
        found = rate(vae, prepared, seconds)
    vae.save(folder / "model.laten")
    windows = 1 if held is None else held.count(128)
    return {"rates": found, "windows": windows, "ready": ready, "waited": sum(waited[1:]), "changes": len(waited) - 1}


def measured(words: list[str]) -> tuple[float, float, str]:
    """Run a command; return its peak memory in GiB, its seconds, and what it printed."""
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return used.ru_maxrss / 2**20, time.perf_counter() - began, said


def study(source: str, millions: float, folder: Path, memory: str, seconds: float, answered: float) -> None:
    """Measure everything for one number of rows, and print a line for each command."""
    rows, some = int(millions * 1e6), int(min(answered, millions) * 1e6)
    data, asked = folder / "data.parquet", folder / "asked.parquet"
    make(source, rows, data)
    make(source, some, asked)
    print(f"\n{rows / 1e6:g} million rows, --memory {memory}")
    own = [sys.executable, "-m", "benchmarks.streaming", str(data), "--folder", str(folder), "--memory", memory]
    own += ["--seconds", str(seconds), "--child"]
    peak, took, said = measured([*own, "parts"])
    parts = json.loads(said.splitlines()[-1])
    print(f"fit in parts   {peak:5.2f} GiB  {median(parts['rates']):9,.0f} rows/s in {parts['windows']} windows, "
          f"ready after {parts['ready']:.0f} s, {took:.0f} s in all, waited {1000 * parts['waited']:.0f} ms for "
          f"{max(parts['changes'], 0)} windows", flush=True)  # fmt: skip
    peak, took, said = measured([*own, "memory"])
    whole = json.loads(said.splitlines()[-1])
    share = median(parts["rates"]) / median(whole["rates"])
    print(f"fit in memory  {peak:5.2f} GiB  {median(whole['rates']):9,.0f} rows/s of {min(rows, 10**6) / 1e6:g} "
          f"million rows; in parts {share:.1%} of it", flush=True)  # fmt: skip
    laten, model = [sys.executable, "-m", "laten.cli.main"], str(folder / "model.laten")
    for name, more in (("score", ["--draws", "16"]), ("impute", []), ("embed", [])):
        words = [*laten, name, model, str(asked), "-o", str(folder / "out.parquet"), "--memory", memory, *more, "-q"]
        peak, took, _ = measured(words)
        print(f"{name:14} {peak:5.2f} GiB  {some / took:9,.0f} rows/s, {some / 1e6:g} million rows", flush=True)
    words = [*laten, "sample", model, "-n", str(some), "-o", str(folder / "out.parquet"), "-q"]
    peak, took, _ = measured(words)
    print(f"{'sample':14} {peak:5.2f} GiB  {some / took:9,.0f} rows/s, {some / 1e6:g} million rows", flush=True)
    for path in (data, asked, folder / "out.parquet", folder / "survey.arrow"):
        path.unlink(missing_ok=True)
    subprocess.run(["rm", "-rf", str(folder / "spool")], check=True)


def main() -> None:
    """Run the study, or what one of its processes does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--millions", type=float, nargs="+", default=[1.0, 5.0])
    parser.add_argument("--answered", type=float, default=1.0, help="million rows that are asked about, at most")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--memory", default="2GiB")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--child", choices=["parts", "memory"])
    typed = parser.parse_args()
    if typed.child:
        print(json.dumps(child(typed.child, typed.table, typed.folder, typed.memory, typed.seconds)))
        return
    typed.folder.mkdir(parents=True, exist_ok=True)
    print(
        f"laten {lt.__version__}; before anything: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"
    )
    for millions in typed.millions:
        study(typed.table, millions, typed.folder, typed.memory, typed.seconds, typed.answered)
    print(footer())


if __name__ == "__main__":
    main()
