"""The tables of docs/en/benchmarks.md, made from the results of `benchmarks.training`.

    python -m benchmarks.report RESULTS.json... [--docs FILE]      # writes them
    python -m benchmarks.report RESULTS.json... --show             # prints them

A file: `when`, `machine`, `python`, `threads`, `quick`, `versions`, and `cases`, each with its settings and `sides`:
name -> `turns`, or `failed` with the reason. A turn has the `seconds` and `rows` of each epoch, the first one included;
`fit`, the seconds of the whole training, set-up and compilation included; `gib`, the largest memory of the process
until then; `bound`, nats a test row.

What stands between `<!-- training -->` and `<!-- /training -->` is replaced. Of a case that is in several files the
last one counts.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.runner import options_of

Turns = Sequence[Mapping[str, Any]]
OURS = "laten"

DOCS = Path(__file__).parents[1] / "docs" / "en" / "benchmarks.md"
BEGIN, END = "<!-- training -->", "<!-- /training -->"
NAMES = {
    "torch": "PyTorch", "torch-compile": "PyTorch, compiled", "numpyro": "NumPyro's example", "tvae": "TVAE (ctgan)",
    "pyod": "PyOD's VAE", "scvi": "SCVI (scvi-tools)", "FactorAnalysis": "FactorAnalysis (scikit-learn)",
    "PCA": "PCA (scikit-learn)",
}  # fmt: skip


def rate(turn: Mapping[str, Any]) -> float:
    """Return rows per second: the median epoch after the first, which loads or compiles; NaN without another."""
    rates = np.asarray(turn["rows"], float)[1:] / np.asarray(turn["seconds"], float)[1:]
    return float(np.median(rates)) if len(rates) else float("nan")


def number(value: float, digits: int = 0) -> str:
    """Write a number with thin thousands; blank where there is none."""
    return "" if math.isnan(value) else f"{value:,.{digits}f}".replace(",", " ")


def cells(turns: Turns, whole: bool) -> dict[str, str]:
    """Return a side's own figures by column: medians over its turns, of the bound half its range too."""
    middle = {name: float(np.median([t[name] for t in turns])) for name in ("fit", "gib", "bound")}
    bounds, speed = [t["bound"] for t in turns], {}
    if not whole:
        speed = {"rows/s": number(float(np.median([rate(t) for t in turns])))}
        speed["first epoch, s"] = number(float(np.median([t["seconds"][0] for t in turns])), 2)
    own = {"fit, s": number(middle["fit"], 2), "memory, GiB": number(middle["gib"], 2)}
    spread = f"{middle['bound']:.2f} (± {(max(bounds) - min(bounds)) / 2:.2f})"
    return {**speed, **own, "test log p(x)" if whole else "test bound": spread}


def compared(ours: Turns, theirs: Turns, whole: bool) -> list[str]:
    """Return two cells: how many times as fast `ours` is, with the range of turns as they were run, and its bound."""
    a, b = ([1 / t["fit"] if whole else rate(t) for t in turns] for turns in (ours, theirs))
    every = [x / y for x, y in zip(a, b, strict=False)]
    higher = np.median([t["bound"] for t in ours]) - np.median([t["bound"] for t in theirs])
    return [f"**{np.median(a) / np.median(b):.2f}** ({min(every):.2f} to {max(every):.2f})", f"{higher:+.2f}"]


def table(case: Mapping[str, Any]) -> str:
    """Return a case as a Markdown table."""
    sides, whole = case["sides"], case["whole"]
    ours = {n: s["turns"] for n, s in sides.items() if n.split(",")[0] == OURS}  # with whatever options
    own = {n: cells(s["turns"], whole) for n, s in sides.items() if s["turns"]}
    columns = list(next(iter(own.values()), {}))
    versus = [c for name in ours for c in (f"{name}: times as fast", "bound, higher by")]
    rows = [["", *columns, *versus], ["---"] * (1 + len(columns) + len(versus))]
    for name, side in sides.items():
        label, beside = NAMES.get(name, name), [""] * len(versus)
        if name not in own:
            rows.append([f"{label}: {side.get('failed', 'not run')}", *[""] * len(columns), *beside])
            continue
        if name not in ours:
            each = [compared(mine, side["turns"], whole) if mine else ["", ""] for mine in ours.values()]
            beside = [cell for pair in each for cell in pair]
        rows.append([label, *own[name].values(), *beside])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def about(file: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """Say what a case is, in a line."""
    turns = max(len(s["turns"]) for s in case["sides"].values())
    parts = [f"{number(case['rows'])} training and {number(case['test_rows'])} test rows"]
    parts += [f"{OURS} " * case["whole"] + f"{case['epochs']} epochs", f"{turns} turn{'s' * (turns > 1)}"]
    parts += [f"{OURS} with `{' '.join(case['options'])}`"] if case["options"] else []
    parts += ["sizes of `--quick`: the figures mean nothing"] if file["quick"] else []
    return f"**{case['title']}.** {', '.join(parts)}. {case['note']}".strip()


def tables(files: Sequence[Mapping[str, Any]]) -> str:
    """Return all cases as Markdown, of each name the last, and a line on each file that is used."""
    found = {case["name"]: (file, case) for file in files for case in file["cases"]}
    parts = [f"{about(file, case)}\n\n{table(case)}" for file, case in found.values()]
    for file in [f for f in files if any(f is file for file, _ in found.values())]:
        versions = ", ".join(f"{n} {v}" for n, v in sorted(file["versions"].items()))
        where = f"{file['machine']}, {file['threads']} threads"
        parts.append(f"{file['when'][:10]}, {where}: Python {file['python']}, {versions}.")
    return "\n\n".join(parts)


def main() -> None:
    """Write or print the tables."""
    asks = options_of(__doc__, docs=DOCS, show=False)
    asks.add_argument("results", type=Path, nargs="+")
    options = asks.parse_args()
    made = tables([json.loads(path.read_text()) for path in options.results])
    if options.show:
        print(made)
        return
    before, rest = options.docs.read_text().split(BEGIN, 1)
    options.docs.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    main()
