"""The tables of docs/benchmarks.md, made from the results of `benchmarks.training`.

    python -m benchmarks.report RESULTS.json... [--docs FILE]      # writes them
    python -m benchmarks.report RESULTS.json... --show             # prints them

What stands between `<!-- training -->` and `<!-- /training -->` is replaced; where the markers lack, they come under a
heading of their own before the first. Of a case that is in several files the last one counts.
"""

import argparse
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.training.results import OURS, Line, is_ours, line_of, ratio

DOCS = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- training -->", "<!-- /training -->"
HEADING = "## Training beside other libraries"
INTRO = """`python -m benchmarks.training`, then `python -m benchmarks.report RESULTS.json`: each side in a process of
its own, in turn; medians over turns, in brackets the range of single turns. Rows per second leave the first epoch out;
`fit` is all epochs, set-up and compilation included. Bounds are nats a row, from each side's own nets through one
formula."""
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


def merged(files: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The last (file, case) of each case's name, in the order in which they first came."""
    found: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for file in files:
        for case in file["cases"]:
            found[case["name"]] = (file, case)
    return list(found.values())


def number(value: float, digits: int = 0) -> str:
    """A number with thin thousands; blank where there is none."""
    return "" if math.isnan(value) else f"{value:,.{digits}f}".replace(",", " ")


def compared(case: Mapping[str, Any], ours: str, side: str) -> list[str]:
    """Two cells: how many times as fast `ours` is, and how much higher its bound."""
    a, b = case["sides"][ours]["turns"], case["sides"][side]["turns"]
    if is_ours(side) or not a:
        return ["", ""]
    r = ratio(a, b, case["whole"])
    higher = line_of(a, case["whole"]).bound - line_of(b, case["whole"]).bound
    return [f"**{r.middle:.2f}** ({r.low:.2f} to {r.high:.2f})", f"{higher:+.2f}"]


def cells(line: Line, whole: bool) -> list[str]:
    """A side's own figures."""
    speed = [] if whole else [number(line.rate), number(line.first, 2)]
    return [*speed, number(line.fit, 2), number(line.gib, 2), f"{line.bound:.2f} (± {line.spread / 2:.2f})"]


def table(case: Mapping[str, Any]) -> str:
    """A case as a Markdown table."""
    sides, whole = case["sides"], case["whole"]
    ours = [s for s in sides if is_ours(s)]
    head = ["", *([] if whole else ["rows/s", "first epoch, s"]), "fit, s", "memory, GiB"]
    head += ["test log p(x)" if whole else "test bound"]
    for name in ours:
        head += [f"{name}: times as fast", "bound, higher by"]
    rows = [head, ["---"] * len(head)]
    for name, side in sides.items():
        label = NAMES.get(name, name)
        if not side["turns"]:
            rows.append([f"{label}: {side.get('failed', 'not run')}", *[""] * (len(head) - 1)])
            continue
        versus = [c for o in ours for c in compared(case, o, name)]
        rows.append([label, *cells(line_of(side["turns"], whole), whole), *versus])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def about(file: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """What a case is, in a line."""
    turns = max(len(s["turns"]) for s in case["sides"].values())
    epochs = f"{OURS} {case['epochs']} epochs" if case["whole"] else f"{case['epochs']} epochs"
    rows = f"{number(case['rows'])} training and {number(case['test_rows'])} test rows"
    parts = [rows, epochs, f"{turns} turn{'s' * (turns > 1)}"]
    parts += [f"{OURS} with `{' '.join(case['options'])}`"] if case["options"] else []
    parts += ["sizes of `--quick`: the figures mean nothing"] if file["quick"] else []
    note = f" {case['note']}" if case["note"] else ""
    return f"**{case['title']}.** {', '.join(parts)}.{note}"


def footer(files: Sequence[Mapping[str, Any]]) -> str:
    """Machine, versions and date of each file."""
    lines = []
    for file in files:
        versions = ", ".join(f"{n} {v}" for n, v in sorted(file["versions"].items()))
        where = f"{file['machine']}, {file['threads']} threads"
        lines.append(f"{file['when'][:10]}, {where}: Python {file['python']}, {versions}.")
    return "\n\n".join(lines)


def tables(files: Sequence[Mapping[str, Any]]) -> str:
    """All cases as Markdown."""
    found = merged(files)
    used = [f for f in files if any(f is file for file, _ in found)]
    parts = [f"{about(file, case)}\n\n{table(case)}" for file, case in found]
    return "\n\n".join([*parts, footer(used)])


def placed(text: str, made: str) -> str:
    """A document with the tables between their markers."""
    block = f"{BEGIN}\n{made}\n{END}"
    if BEGIN in text and END in text:
        before, rest = text.split(BEGIN, 1)
        return before + block + rest.split(END, 1)[1]
    at = text.find("\n## ")
    at = len(text) if at < 0 else at + 1
    return f"{text[:at]}{HEADING}\n\n{INTRO}\n\n{block}\n\n{text[at:]}"


def main() -> None:
    """Writes or prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--docs", type=Path, default=DOCS)
    parser.add_argument("--show", action="store_true", help="print, write nothing")
    options = parser.parse_args()
    made = tables([json.loads(path.read_text()) for path in options.results])
    if options.show:
        print(made)
        return
    options.docs.write_text(placed(options.docs.read_text(), made))


if __name__ == "__main__":
    main()
