"""Epochs of laten beside those of other libraries: equal network, batch, rows, epochs and precision.

    sh benchmarks/peers/setup.sh pythae numpyro sdv pyod scvi      # once, minutes
    python -m benchmarks.training                                  # every case whose peers are there
    python -m benchmarks.training --peers pythae torch --also "precision='auto'"
    python -m benchmarks.report RESULTS.json                       # the tables of docs/benchmarks.md

The sides of a case run in turn, each in a process of its own, `--repeats` times, with another side first in each turn.
Nothing compiled is kept from turn to turn. A turn gives seconds of every epoch (the first, which compiles, apart), the
largest memory of the process, and the bound on test rows after the same number of epochs: each side's own encoder and
decoder through one formula (`peers/bounds.py`), so that a fast wrong answer shows. All sides have Adam at 0.001 and
float32; laten's rate follows its schedule, a rise over 2 % of the steps and a cosine. `--option` sets options of
`lt.VAE`; each `--also` adds a side with further ones. Results go to a file of JSON after every turn.

mostlyai-engine is not among the peers: its network predicts columns one after another, without latents, so that none is
equal to it; `benchmarks.tables.synthetic --peers TabularARGN` compares what it learns, and the seconds it takes.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import commands, jobs
from benchmarks.jobs import Peer
from benchmarks.report import tables
from benchmarks.training import results
from benchmarks.training.cases import CASES, LATEN, Case
from benchmarks.training.data import Arrays, whole_batches


def parsed() -> argparse.Namespace:
    """The command's options."""
    parser = commands.common(__doc__, [p for case in CASES for p in case.peers])
    parser.add_argument("--repeats", type=int, default=5, help="turns of each side")
    parser.add_argument("--epochs", type=int, help="of each turn (default: the case's)")
    parser.add_argument("--also", action="append", default=[], metavar="OPTIONS",
                        help="another side of laten: name=value of lt.VAE, several apart by ;")  # fmt: skip
    parser.add_argument("--json", type=Path, help="results (default: training.json in the folder of the record)")
    options = parser.parse_args()
    if options.epochs is not None and options.epochs < 2:
        parser.error("--epochs must be at least 2: the first one loads or compiles, and is not counted")
    options.repeats = 1 if options.quick else options.repeats
    options.json = options.json or options.results / f"training{'-quick' if options.quick else ''}.json"
    return options


def sides_of(case: Case, options: argparse.Namespace) -> list[Peer]:
    """laten, with its variants, and the peers that are chosen."""
    chosen = [p for p in case.peers if options.peers is None or p.name in options.peers]
    ours = {results.OURS: options.option}
    ours |= {f"{results.OURS}, {text}": [*options.option, *text.split(";")] for text in options.also}
    return [Peer(n, LATEN, "", {"declared": case.declared, "options": o}) for n, o in ours.items()] + chosen


def turn_of(peer: Peer, arrays: Arrays, arguments: Mapping[str, Any], options: argparse.Namespace):
    """One turn of one side: what it measured, and its versions.

    Raises:
        PeerFailedError: it did not answer.
    """
    answer, report = jobs.run(peer, arrays, {**arguments, **peer.arguments}, options.threads, options.limit)
    seconds = answer.get("seconds", ())
    rows = answer.get("rows", [len(arrays["train"])] * len(seconds))
    turn = {"seconds": [float(s) for s in seconds], "rows": [int(r) for r in rows]}
    return {**turn, "fit": report["seconds"]["fit"], **report["notes"]}, report["versions"]


def run(case: Case, arrays: Arrays, options: argparse.Namespace, found: dict[str, Any]) -> None:
    """All turns of a case, into the results."""
    epochs = (options.epochs if not case.whole else None) or (3 if options.quick else case.epochs)
    settings = {"epochs": epochs, "batch": case.batch, **case.sizes}
    shapes = {"rows": len(arrays["train"]), "columns": arrays["train"].shape[1], "test_rows": len(arrays["test"])}
    about = {n: getattr(case, n) for n in ("name", "title", "whole", "note")}
    sides: dict[str, dict[str, Any]] = {p.name: {"turns": []} for p in sides_of(case, options)}
    found["cases"].append({**about, **settings, **shapes, "options": options.option, "sides": sides})
    for turn in range(options.repeats):
        order = sides_of(case, options)
        for peer in order[turn % len(order) :] + order[: turn % len(order)]:
            if "failed" in sides[peer.name]:
                continue
            try:
                measured, versions = turn_of(peer, arrays, {**settings, "seed": turn}, options)
            except jobs.PeerFailedError as error:
                print(f"{case.name}, {peer.name}: {error}", file=sys.stderr)
                sides[peer.name]["failed"] = str(error)
                continue
            sides[peer.name]["turns"].append(measured)
            found["versions"] |= versions
            done = f"turn {turn + 1}: {measured['fit']:.1f} s, test bound {measured['bound']:.2f}"
            print(f"{case.name}, {peer.name}, {done}", file=sys.stderr)
            results.write(options.json, found)


def main() -> None:
    """Runs the cases, and prints their tables."""
    options = parsed()
    known = [p.name for case in CASES for p in case.peers]
    wrong = [n for n in options.peers or () if n not in known]
    if wrong:
        sys.exit(f"no peer {wrong[0]!r}; there are: {', '.join(known)}")
    if sys.platform == "linux":  # inherited by every side: not all of them can be told a number of threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    found = results.fresh(options.threads, options.quick)
    for case in CASES:
        asked = [p for p in case.peers if options.peers is None or p.name in options.peers]
        if not any(p.there for p in asked):
            if asked:
                family = " ".join(sorted({p.family for p in asked}))
                print(f"{case.name}: no peer; make them with `sh benchmarks/peers/setup.sh {family}`", file=sys.stderr)
            continue
        try:
            arrays = whole_batches(case.load(options.data, options.quick), case.batch)
        except (FileNotFoundError, jobs.PeerFailedError) as error:
            print(f"{case.name}: {error}", file=sys.stderr)
            continue
        run(case, arrays, options, found)
    if found["cases"]:
        print(f"{tables([found])}\n\n{options.json}")


if __name__ == "__main__":
    main()
