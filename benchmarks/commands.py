"""What the commands of `benchmarks` share: their options, the choice of peers, and the line under a table."""

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import laten as lt
from benchmarks import jobs
from benchmarks.jobs import Peer, Record

DATA = Path(__file__).parents[2] / "shared" / "data"  # beside the checkout
RESULTS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "laten-benchmarks"


def common(doc: str, peers: Iterable[Peer]) -> argparse.ArgumentParser:
    """The options that every command has."""
    names = ", ".join(f"{p.name} (slow)" if p.slow else p.name for p in peers)
    out = argparse.ArgumentParser(description=doc.splitlines()[0], epilog=f"Peers: {names}.")
    out.add_argument("--data", type=Path, default=DATA, help="folder of the data (default: beside the checkout)")
    out.add_argument("--results", type=Path, default=RESULTS, help=f"folder of the record (default: {RESULTS})")
    out.add_argument("--peers", nargs="*", help="peers to run; default: all but slow ones")
    out.add_argument("--option", action="append", default=[], help="name=value of lt.VAE, as Python; lt is known")
    out.add_argument("--threads", type=int, default=os.cpu_count(), help="of each peer's libraries")
    out.add_argument("--limit", type=float, help="seconds a peer may take for one answer")
    out.add_argument("--quick", action="store_true", help="a few rows, short plans: does it run? Figures mean nothing")
    return out


def parser(doc: str, peers: Iterable[Peer]) -> argparse.ArgumentParser:
    """Those of commands that keep a record: peers run where it lacks them."""
    out = common(doc, peers)
    out.add_argument("--fresh", action="store_true", help="run the chosen peers even where the record has them")
    out.add_argument("--no-laten", action="store_true", help="peers only: to fill the record in the background")
    return out


def laten_options(given: Iterable[str]) -> dict[str, Any]:
    """`name=value` texts as options of `lt.VAE`."""
    return {name: eval(value, {"lt": lt}) for name, value in (text.split("=", 1) for text in given)}


class Run:
    """One run of a command: its options and its record.

    Args:
        name: Of the command; the record is `NAME.jsonl`.
        options: Parsed.
        peers: All that the command knows.
    """

    def __init__(self, name: str, options: argparse.Namespace, peers: Iterable[Peer]):
        self.options, self.peers = options, tuple(peers)
        self.record = Record(options.results / f"{name}{'-quick' if options.quick else ''}.jsonl")
        known = [p.name for p in self.peers]
        wrong = [n for n in options.peers or () if n not in known]
        if wrong:
            sys.exit(f"no peer {wrong[0]!r}; there are: {', '.join(known)}")
        self.chosen = [p.name for p in self.peers if not p.slow] if options.peers is None else options.peers
        self.versions: dict[str, str] = {}

    def peer(
        self,
        peer: Peer,
        arrays: dict[str, np.ndarray],
        arguments: Mapping[str, Any],
        score: Callable[[dict[str, np.ndarray]], Mapping[str, Any]],
        scored_by: str,
    ) -> dict[str, Any] | None:
        """A peer's line: from the record, or run now if it is chosen; None otherwise and where it fails.

        Args:
            arrays: For the worker.
            arguments: For the worker; they go before the peer's own.
            score: The worker's answer -> plain numbers for the line.
            scored_by: A change of this text makes old records void.
        """
        arguments = {**peer.arguments, **arguments}
        key = jobs.key_of(peer, arrays, arguments, scored_by)
        line, chosen = self.record.find(key), peer.name in self.chosen
        if line is None or (chosen and self.options.fresh):
            if not chosen:
                return None
            try:
                answer, report = jobs.run(peer, arrays, arguments, self.options.threads, self.options.limit)
            except jobs.PeerFailedError as error:
                print(f"{peer.name}: {error}", file=sys.stderr)
                return None
            line = {**self.record.add(key, {"peer": peer.name, **score(answer), **report}), "when": "now"}
        self.versions |= line["versions"]
        return line

    def footer(self, lines: Iterable[Mapping[str, Any]]) -> str:
        """Machine and versions, and where lines came from."""
        own = {name: importlib.metadata.version(name) for name in ("laten", "jax", "numpy", "pandas")}
        versions = ", ".join(f"{name} {version}" for name, version in {**self.versions, **own}.items())
        old = sorted({line["when"][:10] for line in lines if line["when"] != "now"})
        kept = (
            f"\nLines marked with a date come from the record ({self.record.path}, {old[0]} to {old[-1]})."
            if old
            else ""
        )
        return f"{jobs.machine()}; Python {sys.version.split()[0]}; {versions}.{kept}"


def show(title: str, table: pd.DataFrame, digits: int = 4) -> None:
    """Prints a table under its title; what is lacking stays blank."""
    print(f"\n{title}\n{table.round(digits).astype(object).where(table.notna(), '').to_string()}", flush=True)
