"""What the commands of `benchmarks` share: options, peers in their own processes, sides in turn, one manner of table.

A peer is a script of `benchmarks/peers`, run by the interpreter of its own library. What it answered is kept as a line
of JSON and found again by its name, its case and its arguments (`--fresh` runs it anew), so that a slow peer can be run
once, in the background, and every later table shows its line with the date it was made.
"""

import argparse
import ast
import datetime
import importlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peers.exchange import Arrays

PEERS = Path(__file__).parent / "peers"
HOME = Path(os.environ.get("LATEN_PEERS", Path.home() / ".cache" / "laten-peers"))
DATA = Path(__file__).parents[2] / "shared" / "data"  # beside the checkout
RESULTS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "laten-benchmarks"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


AVERAGE = {"restarts": 4, "keep": "all"}  # options of `lt.VAE` of the side that `--average` adds


class PeerFailedError(Exception):
    """A peer did not answer; the message is the end of what it said."""


@dataclass(frozen=True)
class Peer:
    """A method beside laten."""

    name: str  # in the table
    worker: str  # its script in `benchmarks/peers`
    family: str = ""  # its environment made by `setup.sh`; "" is this interpreter
    arguments: dict[str, Any] = field(default_factory=dict)
    slow: bool = False  # not run unless asked for by name: its line comes from the record

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return HOME / self.family / "bin" / "python" if self.family else Path(sys.executable)


def answer_of(
    peer: Peer, arrays: Arrays, arguments: Mapping[str, Any], options: argparse.Namespace
) -> tuple[Arrays, dict[str, Any]]:
    """Run a peer's worker; its arrays, and its report: `seconds`, `versions`, `notes`.

    Its own arguments give way to `arguments`; `options` has the `threads` of its libraries and `limit`, the seconds it
    may take. PeerFailedError where there is no environment, an error, or no answer in time.
    """
    if not peer.python.exists():
        raise PeerFailedError(f"no {peer.python}; make it with `sh benchmarks/peers/setup.sh {peer.family}`")
    environment = os.environ | dict.fromkeys(THREADS, str(options.threads)) | {"PYTHONWARNINGS": "ignore"}
    for name in ("PYTHONPATH", "JAX_COMPILATION_CACHE_DIR"):
        environment.pop(name, None)
    if not peer.family:  # this interpreter: it finds laten where this process does
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(p).resolve()) for p in sys.path)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        np.savez(folder / "arrays.npz", allow_pickle=False, **arrays)
        (folder / "arguments.json").write_text(json.dumps({**peer.arguments, **arguments}))
        # nothing is found compiled: what a side needs to compile is in every one of its turns
        environment |= dict.fromkeys(("LATEN_CACHE", "TORCHINDUCTOR_CACHE_DIR"), str(folder / "compiled"))
        command = [str(peer.python), str(PEERS / peer.worker), made]
        try:
            done = subprocess.run(  # in its folder: some libraries write logs where they stand
                command, cwd=made, env=environment, capture_output=True, text=True, timeout=options.limit, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PeerFailedError(f"no answer in {options.limit:.0f} s") from error
        if done.returncode:
            raise PeerFailedError(f"exit {done.returncode}: {' '.join(done.stderr.strip().splitlines()[-1:])[:300]}")
        with np.load(folder / "answer.npz", allow_pickle=False) as stored:
            answer = {name: stored[name] for name in stored.files}
        return answer, json.loads((folder / "report.json").read_text())


def options_of(
    doc: str | None, choices: Mapping[str, Iterable[Any]] | None = None, **defaults: Any
) -> argparse.ArgumentParser:
    """Return a parser of options by their defaults: a type where there is none, a list where several may be given.

    The whole of `doc` is shown by --help: it says what the options mean.
    """
    out = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in defaults.items():
        flag, some = "--" + name.replace("_", "-"), default[0] if isinstance(default, list) else default
        if some is False:
            out.add_argument(flag, action="store_true")
            continue
        kind, given = (some, None) if isinstance(some, type) else (type(some), default)
        many = {"nargs": "*"} if some is not default else {}
        out.add_argument(
            flag, type=kind, default=given, choices=(choices or {}).get(name), help=f"default: {given}", **many
        )
    return out


def parser(doc: str | None, peers: Iterable[Peer] = (), record: bool = False, **more: Any) -> argparse.ArgumentParser:
    """Return the options that commands with peers have; `record`: answers are kept; `more`: as of `options_of`."""
    kept = {"fresh": False, "no_laten": False} if record else {}  # run anew what is on record; peers only
    out = options_of(doc, data=DATA, results=RESULTS, limit=float, quick=False, threads=os.cpu_count(), **kept, **more)
    names = [p.name for p in peers]
    if names:
        out.epilog = "Peers: " + ", ".join(f"{p.name} (slow)" if p.slow else p.name for p in peers)
    out.add_argument("--peers", nargs="*", choices=names, metavar="PEER", help="default: all but slow ones")
    out.add_argument("--option", action="append", default=[], help="name=value of lt.VAE: 128, 'normal', lt.Elbo(...)")
    return out


def laten_options(given: Iterable[str]) -> dict[str, Any]:
    """Read `name=value` texts as options of `lt.VAE`."""
    return {name: value_of(ast.parse(value, mode="eval").body) for name, value in (t.split("=", 1) for t in given)}


def value_of(node: ast.expr) -> Any:
    """Read a literal, or a call such as `lt.Elbo(warmup=0.5)` or `optax.adam(1e-3)` whose arguments are such values."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="lt" | "optax" as module), attr=name)):
            call = getattr(importlib.import_module({"lt": "laten"}.get(module, module)), name)
            return call(*map(value_of, node.args), **{str(k.arg): value_of(k.value) for k in node.keywords})
    return ast.literal_eval(node)


class Run:
    """One run of a command that keeps a record: `NAME.jsonl`, a line a result; of one key the last counts."""

    def __init__(self, name: str, options: argparse.Namespace, peers: Iterable[Peer]):
        self.options, self.peers = options, tuple(peers)
        self.path = options.results / f"{name}{'-quick' if options.quick else ''}.jsonl"
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.record: dict[str, dict[str, Any]] = {(r := json.loads(line))["key"]: r for line in lines}
        self.chosen = [p.name for p in self.peers if not p.slow] if options.peers is None else options.peers
        self.versions: dict[str, str] = {}

    def lines(
        self,
        case: str,
        arrays: Arrays,
        arguments: Mapping[str, Any],
        score: Callable[[Arrays], Mapping[str, Any]],
        of_peer: Callable[[Peer], Mapping[str, Any]] = lambda peer: {},
    ) -> dict[str, dict[str, Any]]:
        """Return each peer's line, with what `score` makes of its answer; none where it fails.

        From the record, found by `case`, name and arguments, those of `of_peer` too; or run now if it is chosen.
        """
        found = {}
        for peer in self.peers:
            given = {**arguments, **of_peer(peer)}
            key = json.dumps([case, peer.name, {**peer.arguments, **given}], sort_keys=True)
            chosen = peer.name in self.chosen
            if key in self.record and not (chosen and self.options.fresh):
                found[peer.name] = self.record[key]
            elif chosen:
                try:
                    answer, report = answer_of(peer, arrays, given, self.options)
                except PeerFailedError as error:
                    print(f"{peer.name}: {error}", file=sys.stderr)
                    continue
                line = {"key": key, "when": now(), "machine": machine(), **score(answer), **report}
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                self.record[key], found[peer.name] = line, {**line, "when": "now"}
        for line in found.values():
            self.versions |= line["versions"]
        return found


def in_turns(sides: Mapping[str, Callable[[int], Any]], turns: int) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Call each side once a turn, another side first in each turn; what each returned, and why a side was left out."""
    found, failed, names = {name: list[Any]() for name in sides}, {}, list(sides)
    for turn in range(turns):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            if name in failed:
                continue
            try:
                found[name].append(sides[name](turn))
            except PeerFailedError as error:
                failed[name] = str(error)
                print(f"{name}: {error}", file=sys.stderr)
    return found, failed


def output_of(command: list[str], **environment: str) -> str:
    """Run a process of its own; what it printed last. RuntimeError where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])}: exit status {done.returncode}\n{done.stderr[-1500:]}")
    return done.stdout.strip().split("\n")[-1]


def seconds_of(call: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def keep_to(threads: int) -> None:
    """Keep this process, and those it starts, to some cores: not all libraries can be told a number of threads."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def show(title: str, table: pd.DataFrame, digits: int = 4) -> None:
    """Print a table under its title; what is lacking stays blank."""
    print(f"\n{title}\n{table.round(digits).astype(object).where(table.notna(), '').to_string()}", flush=True)


def footer(versions: Mapping[str, str] | None = None) -> str:
    """Return the line under the tables: machine and versions."""
    known = {name: importlib.metadata.version(name) for name in ("laten", "jax", "numpy", "pandas")}
    shown = ", ".join(f"{name} {version}" for name, version in {**(versions or {}), **known}.items())
    return f"\n{machine()}; Python {sys.version.split()[0]}; {shown}."


def now() -> str:
    """Return date and time, to the second."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def machine() -> str:
    """Return the processor and its cores."""
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return f"{os.cpu_count()} × {model[1].strip() if model else platform.processor() or platform.machine()}"
