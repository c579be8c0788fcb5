"""Epochs of laten beside those of other libraries: equal network, batch, rows, epochs and precision.

    sh benchmarks/peers/setup.sh pythae numpyro sdv pyod scvi      # once, minutes
    python -m benchmarks.training                                  # every case whose peers are there
    python -m benchmarks.training --peers pythae torch --also "precision='auto'"
    python -m benchmarks.report RESULTS.json                       # the tables of docs/en/benchmarks.md

The sides of a case run in turn, each in a process of its own, `--repeats` times, with another side first in each turn.
Nothing compiled is kept from turn to turn. A turn gives seconds of every epoch (the first, which compiles, apart), the
largest memory of the process, and the bound on test rows: each side's own encoder and decoder through one formula
(`peers/bounds.py`), so that a fast wrong answer shows. All sides have Adam at 0.001 and float32; laten's rate follows
its schedule, a rise over 2 % of the steps and a cosine. `--option` sets options of `lt.VAE`; each `--also` adds a side
with further ones. Results go to a file of JSON (`--json`) after every turn. mostlyai-engine is not among the peers: its
network has no latents, so that none is equal to it; `benchmarks.tables.synthetic` compares what it learns.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import runner
from benchmarks.peers.exchange import Arrays
from benchmarks.report import OURS, tables
from benchmarks.runner import Peer, PeerFailedError
from benchmarks.training.cases import CASES, LATEN, Case
from benchmarks.training.data import whole_batches


def parsed() -> argparse.Namespace:
    """Read the command's options."""
    asked = runner.parser(__doc__, [p for case in CASES for p in case.peers], repeats=5, epochs=int, json=Path)
    asked.add_argument("--also", action="append", default=[], metavar="name=value;name=value")
    options = asked.parse_args()
    if options.epochs is not None and options.epochs < 2:
        asked.error("--epochs must be at least 2: the first one loads or compiles, and is not counted")
    options.repeats = 1 if options.quick else options.repeats
    options.json = options.json or options.results / f"training{'-quick' if options.quick else ''}.json"
    return options


def sides_of(case: Case, options: argparse.Namespace) -> list[Peer]:
    """Return laten, with its variants, and the peers that are chosen."""
    chosen = [p for p in case.peers if options.peers is None or p.name in options.peers]
    ours = {OURS: options.option, **{f"{OURS}, {text}": [*options.option, *text.split(";")] for text in options.also}}
    return [Peer(n, LATEN, "", {"declared": case.declared, "options": o}) for n, o in ours.items()] + chosen


def run(case: Case, arrays: Arrays, options: argparse.Namespace, found: dict[str, Any]) -> None:
    """Add all turns of a case to the results, and write them after each."""
    epochs = (options.epochs if not case.whole else None) or (3 if options.quick else case.epochs)
    settings = {"epochs": epochs, "batch": case.batch, **case.sizes}
    shapes = {"rows": len(arrays["train"]), "columns": arrays["train"].shape[1], "test_rows": len(arrays["test"])}
    about = {n: getattr(case, n) for n in ("name", "title", "whole", "note")}
    peers = sides_of(case, options)
    sides: dict[str, dict[str, Any]] = {p.name: {"turns": []} for p in peers}
    found["cases"].append({**about, **settings, **shapes, "options": options.option, "sides": sides})

    def turn_of(peer: Peer, turn: int) -> None:
        answer, report = runner.answer_of(peer, arrays, {**settings, "seed": turn}, options)
        seconds = answer.get("seconds", ())
        rows = answer.get("rows", [len(arrays["train"])] * len(seconds))
        each = {"seconds": [float(s) for s in seconds], "rows": [int(r) for r in rows]}
        sides[peer.name]["turns"].append({**each, "fit": report["seconds"]["fit"], **report["notes"]})
        found["versions"] |= report["versions"]
        done = f"turn {turn + 1}: {report['seconds']['fit']:.1f} s, test bound {report['notes']['bound']:.2f}"
        print(f"{case.name}, {peer.name}, {done}", file=sys.stderr)
        written(options.json, found)

    _, failed = runner.in_turns({p.name: lambda turn, p=p: turn_of(p, turn) for p in peers}, options.repeats)
    for name, words in failed.items():
        sides[name]["failed"] = words
    written(options.json, found)


def written(path: Path, results: dict[str, Any]) -> None:
    """Write results, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(results, indent=1) + "\n")
    part.replace(path)


def fresh(options: argparse.Namespace) -> dict[str, Any]:
    """Return a file's content before the first turn."""
    about = {"when": runner.now(), "machine": runner.machine(), "python": sys.version.split()[0]}
    return {**about, "threads": options.threads, "quick": options.quick, "versions": {}, "cases": []}


def main() -> None:
    """Run the cases, and print their tables."""
    options = parsed()
    runner.keep_to(options.threads)
    found = fresh(options)
    for case in CASES:
        asked = [p for p in case.peers if options.peers is None or p.name in options.peers]
        if not asked:
            continue
        try:
            if not any(p.python.exists() for p in asked):
                raise PeerFailedError(f"no peer; make them with `sh benchmarks/peers/setup.sh {asked[0].family}`")
            run(case, whole_batches(case.load(options.data, options.quick), case.batch), options, found)
        except (FileNotFoundError, PeerFailedError) as error:
            print(f"{case.name}: {error}", file=sys.stderr)
    if found["cases"]:
        print(f"{tables([found])}\n\n{options.json}")


if __name__ == "__main__":
    main()
