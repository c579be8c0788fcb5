"""Seconds to the first answer: whole processes, imports included, with nothing kept and with compiled programs kept.

    python -m benchmarks.first                # three processes of each; on a machine with nothing else to do

Fits in Python are timed after their import. "cold" has an empty folder for compiled programs (`LATEN_CACHE`), "warm"
the folder that the cold processes left. Python's own compiled modules are there in both, as after an installation.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd

import laten as lt
from benchmarks.runner import footer, options_of, output_of, seconds_of, show

IMPORT = "import time; began = time.perf_counter(); import laten as lt; lt.VAE; print(time.perf_counter() - began)"
FIT = """
import time, warnings
import laten as lt
warnings.simplefilter("ignore", lt.LatenWarning)
vae, frame = lt.VAE({options}), lt.read("clinic").head({rows})
began = time.perf_counter()
vae.fit(frame)
print(time.perf_counter() - began)
"""


def commands(folder: Path, rows: int) -> dict[str, list[str]]:
    """Return what is timed, by its name. Those of Python print their seconds; of others the process is timed."""
    laten, model = [sys.executable, "-m", "laten.cli.main"], str(folder / "wine.laten")
    score = [model, str(folder / "rows.csv"), "-o", str(folder / "scores.csv")]
    return {
        "laten fit wine": [*laten, "fit", "wine", "-q", "-o", model],
        f"laten score, {rows} rows": [*laten, "score", *score],
        "import": [sys.executable, "-c", IMPORT],
        f"fit of {rows} rows, 20 epochs": [sys.executable, "-c", FIT.format(rows=rows, options="epochs=20")],
        f"fit of {rows} rows, default plan": [sys.executable, "-c", FIT.format(rows=rows, options="")],
    }


def seconds_in(command: list[str], cache: Path) -> float:
    """Return those of one process: what it prints, or all of it."""
    printed: list[str] = []
    environment = {"LATEN_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
    whole = seconds_of(lambda: printed.append(output_of(command, **environment)))
    return float(printed[0]) if "-c" in command else whole


def main() -> None:
    """Time, and print medians and ranges of each command."""
    options, found = options_of(__doc__, repeats=3, rows=1000).parse_args(), {}
    with tempfile.TemporaryDirectory() as made:
        folder, wine = Path(made), lt.read("wine")
        wine.sample(options.rows, replace=True, random_state=0, ignore_index=True).to_csv(folder / "rows.csv")
        for name, command in commands(folder, options.rows).items():
            caches = [folder / f"cache{i}" / name for i in range(options.repeats)]
            found |= {(name, kind): [seconds_in(command, cache) for cache in caches] for kind in ("cold", "warm")}
            print(name, file=sys.stderr)
    show("seconds of processes", pd.DataFrame(found).agg(["median", "min", "max"]).T, 2)
    print(footer())


if __name__ == "__main__":
    main()
