"""Peers as jobs: a worker script, run by the interpreter of its own library, its scores kept as lines of JSON.

A record is found again by a hash of the worker's code (comments aside), its arguments, its data and what scored it, so
that a slow peer can be run once, in the background, and every later table shows its line with the date it was made.
"""

import ast
import datetime
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PEERS = Path(__file__).parent / "peers"
HOME = Path(os.environ.get("LATEN_PEERS", Path.home() / ".cache" / "laten-peers"))


class PeerFailedError(Exception):
    """A worker did not answer; the message is the end of what it said."""


@dataclass(frozen=True)
class Peer:
    """A method beside laten.

    Args:
        name: In the table.
        worker: Its script in `benchmarks/peers`.
        family: Its environment made by `setup.sh`; "" is this interpreter.
        arguments: Of the worker.
        slow: Not run unless asked for by name: its line comes from the record.
    """

    name: str
    worker: str
    family: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    slow: bool = False

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return HOME / self.family / "bin" / "python" if self.family else Path(sys.executable)

    @property
    def there(self) -> bool:
        """Its environment is made."""
        return self.python.exists()


def code_of(script: Path) -> str:
    """The code of a worker and of the siblings it imports, without comments and docstrings."""
    tree = ast.parse(script.read_text())
    text = []
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        text += [code_of(s) for s in (script.with_name(f"{n}.py") for n in names) if s.exists()]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            body = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
            node.body = body or [ast.Pass()]
    return "\n".join([ast.unparse(tree), *text])


def key_of(peer: Peer, arrays: dict[str, np.ndarray], arguments: dict[str, Any], scored_by: str) -> str:
    """What a record is found by."""
    found = hashlib.sha256(code_of(PEERS / peer.worker).encode())
    found.update(json.dumps([peer.family, arguments, scored_by], sort_keys=True).encode())
    for name in sorted(arrays):
        found.update(f"{name} {arrays[name].shape} {arrays[name].dtype}".encode())
        found.update(np.ascontiguousarray(arrays[name]).data)
    return found.hexdigest()[:16]


def run(
    peer: Peer, arrays: dict[str, np.ndarray], arguments: dict[str, Any], threads: int, limit: float | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Runs a worker; its arrays and its report.

    Raises:
        PeerFailedError: no environment, an error, or no answer within `limit` seconds.
    """
    if not peer.there:
        raise PeerFailedError(f"no {peer.python}; make it with `sh benchmarks/peers/setup.sh {peer.family}`")
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
    environment = os.environ | dict.fromkeys(names, str(threads)) | {"PYTHONWARNINGS": "ignore"}
    for name in ("PYTHONPATH", "JAX_COMPILATION_CACHE_DIR"):
        environment.pop(name, None)
    if not peer.family:  # this interpreter: it finds laten where this process does
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(p).resolve()) for p in sys.path)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "arrays.npz", allow_pickle=False, **arrays)
        (Path(folder) / "arguments.json").write_text(json.dumps(arguments))
        # nothing is found compiled: what a side needs to compile is in every one of its turns
        environment |= dict.fromkeys(("LATEN_CACHE", "TORCHINDUCTOR_CACHE_DIR"), str(Path(folder) / "compiled"))
        command = [str(peer.python), str(PEERS / peer.worker), folder]
        try:
            done = subprocess.run(  # in its folder: some libraries write logs where they stand
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PeerFailedError(f"no answer in {limit:.0f} s") from error
        if done.returncode:
            lines = done.stderr.strip().splitlines()[-1:]
            raise PeerFailedError(f"exit {done.returncode}: {' '.join(lines)[:300]}")
        with np.load(Path(folder) / "answer.npz", allow_pickle=False) as stored:
            answer = {name: stored[name] for name in stored.files}
        return answer, json.loads((Path(folder) / "report.json").read_text())


class Record:
    """Lines of JSON in a file, one a result; a later line of the same key counts."""

    def __init__(self, path: Path):
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.lines: dict[str, dict[str, Any]] = {(r := json.loads(line))["key"]: r for line in lines}

    def find(self, key: str) -> dict[str, Any] | None:
        """The result of that key, if there."""
        return self.lines.get(key)

    def add(self, key: str, result: dict[str, Any]) -> dict[str, Any]:
        """Appends a result, with date and machine."""
        when = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        line = {"key": key, "when": when, "machine": machine(), **result}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.lines[key] = line
        return line


def machine() -> str:
    """The processor and its cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} × {models[0] if models else platform.processor() or platform.machine()}"
