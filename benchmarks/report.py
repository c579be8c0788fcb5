"""The tables of docs/benchmarks.md, made from the results of `benchmarks.training`.

    python -m benchmarks.report RESULTS.json... [--docs FILE]      # writes them
    python -m benchmarks.report RESULTS.json... --show             # prints them

A file: `when`, `machine`, `python`, `threads`, `quick`, `versions`, and `cases`, each with its settings and `sides`:
name -> `turns`, or `failed` with the reason. A turn has the `seconds` and `rows` of each epoch, the first one included;
`fit`, the seconds of the whole training, set-up and compilation included; `gib`, the largest memory of the process
until then; `bound`, nats a test row.

What stands between `<!-- training -->` and `<!-- /training -->` is replaced. Of a case that is in several files the
last one counts.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Turn = Mapping[str, Any]
OURS = "laten"

DOCS = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- training -->", "<!-- /training -->"
NAMES = {
    "torch": "PyTorch",
    "torch-compile": "PyTorch, compiled",
    "numpyro": "NumPyro's example",
    "tvae": "TVAE (ctgan)",
    "pyod": "PyOD's VAE",
    "scvi": "SCVI (scvi-tools)",
    "FactorAnalysis": "FactorAnalysis (scikit-learn)",
    "PCA": "PCA (scikit-learn)",
}


def is_ours(side: str) -> bool:
    """Tell laten itself, with whatever options."""
    return side.split(",")[0] == OURS


def rate(turn: Turn) -> float:
    """Return rows per second: the median epoch after the first, which loads or compiles; NaN without another."""
    rates = np.asarray(turn["rows"], float)[1:] / np.asarray(turn["seconds"], float)[1:]
    return float(np.median(rates)) if len(rates) else float("nan")


def number(value: float, digits: int = 0) -> str:
    """Write a number with thin thousands; blank where there is none."""
    return "" if math.isnan(value) else f"{value:,.{digits}f}".replace(",", " ")


def cells(turns: Sequence[Turn], whole: bool) -> list[str]:
    """Return a side's own figures: medians over its turns, of the bound half its range too."""

    def middle(values: list[float], digits: int = 2) -> str:
        return number(float(np.median(values)), digits)

    bounds = [t["bound"] for t in turns]
    speed = [] if whole else [middle([rate(t) for t in turns], 0), middle([t["seconds"][0] for t in turns])]
    own = [middle([t[name] for t in turns]) for name in ("fit", "gib")]
    return [*speed, *own, f"{np.median(bounds):.2f} (± {(max(bounds) - min(bounds)) / 2:.2f})"]


def compared(ours: Sequence[Turn], theirs: Sequence[Turn], whole: bool) -> list[str]:
    """Return two cells: how many times as fast `ours` is, with the range of turns as they were run, and its bound."""
    a, b = ([1 / t["fit"] if whole else rate(t) for t in turns] for turns in (ours, theirs))
    every = [x / y for x, y in zip(a, b, strict=False)]
    higher = np.median([t["bound"] for t in ours]) - np.median([t["bound"] for t in theirs])
    return [f"**{np.median(a) / np.median(b):.2f}** ({min(every):.2f} to {max(every):.2f})", f"{higher:+.2f}"]


def table(case: Mapping[str, Any]) -> str:
    """Return a case as a Markdown table."""
    sides, whole = case["sides"], case["whole"]
    ours = [s for s in sides if is_ours(s)]
    head = ["", *([] if whole else ["rows/s", "first epoch, s"]), "fit, s", "memory, GiB"]
    head += ["test log p(x)" if whole else "test bound"]
    for name in ours:
        head += [f"{name}: times as fast", "bound, higher by"]
    rows = [head, ["---"] * len(head)]
    for name, side in sides.items():
        label, turns = NAMES.get(name, name), side["turns"]
        if not turns:
            rows.append([f"{label}: {side.get('failed', 'not run')}", *[""] * (len(head) - 1)])
            continue
        beside = [sides[o]["turns"] if not is_ours(name) else [] for o in ours]
        versus = [cell for mine in beside for cell in (compared(mine, turns, whole) if mine else ["", ""])]
        rows.append([label, *cells(turns, whole), *versus])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def about(file: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """Say what a case is, in a line."""
    turns = max(len(s["turns"]) for s in case["sides"].values())
    epochs = f"{OURS} {case['epochs']} epochs" if case["whole"] else f"{case['epochs']} epochs"
    rows = f"{number(case['rows'])} training and {number(case['test_rows'])} test rows"
    parts = [rows, epochs, f"{turns} turn{'s' * (turns > 1)}"]
    parts += [f"{OURS} with `{' '.join(case['options'])}`"] if case["options"] else []
    parts += ["sizes of `--quick`: the figures mean nothing"] if file["quick"] else []
    note = f" {case['note']}" if case["note"] else ""
    return f"**{case['title']}.** {', '.join(parts)}.{note}"


def tables(files: Sequence[Mapping[str, Any]]) -> str:
    """Return all cases as Markdown, of each name the last, and a line on each file that is used."""
    found = {case["name"]: (file, case) for file in files for case in file["cases"]}
    parts = [f"{about(file, case)}\n\n{table(case)}" for file, case in found.values()]
    for file in [f for f in files if any(f is file for file, _ in found.values())]:
        versions = ", ".join(f"{n} {v}" for n, v in sorted(file["versions"].items()))
        where = f"{file['machine']}, {file['threads']} threads"
        parts.append(f"{file['when'][:10]}, {where}: Python {file['python']}, {versions}.")
    return "\n\n".join(parts)


def placed(text: str, made: str) -> str:
    """Return a document with the tables between their markers."""
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{made}\n{END}{rest.split(END, 1)[1]}"


def main() -> None:
    """Write or print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--docs", type=Path, default=DOCS)
    parser.add_argument("--show", action="store_true", help="print, write nothing")
    options = parser.parse_args()
    made = tables([json.loads(path.read_text()) for path in options.results])
    if options.show:
        print(made)
    else:
        options.docs.write_text(placed(options.docs.read_text(), made))


if __name__ == "__main__":
    main()
