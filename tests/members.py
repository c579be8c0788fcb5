"""Processes of one training, as a user starts them."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence

QUICK = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def started(
    commands: Sequence[Sequence[object]], host: str = "127.0.0.1", before: Sequence[Sequence[str]] = ()
) -> list:
    """Start `laten COMMAND` in as many processes as there are commands, which train together.

    Args:
        before: What goes before each command, such as `ip netns exec NAME`.
    """
    where = ["--coordinator", f"{host}:{free_port()}", "--processes", len(commands)]
    out = []
    for i, command in enumerate(commands):
        typed = [sys.executable, "-m", "laten.cli.main", *command, *where, "--process", i]
        prefix = before[i] if before else ()
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        out.append(subprocess.Popen([*prefix, *map(str, typed)], env={**os.environ, **QUICK}, **pipes))
    return out


def ended(processes: list) -> list[tuple[int, str]]:
    """Wait for processes; return the exit code and standard error of each."""
    said = [p.communicate(timeout=300)[1] for p in processes]
    return [(p.returncode, text) for p, text in zip(processes, said, strict=True)]
