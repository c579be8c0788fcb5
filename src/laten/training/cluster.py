"""Processes that train one model together, on one machine or many: joining, agreeing, and noticing a loss.

JAX connects the processes (`jax.distributed`: gloo between CPUs, NCCL between GPUs) and notices after 100 seconds that
one is dead, and never that one is alive and stuck. So heartbeats of our own go beside it (`common/heartbeats.py`): what
a lost process leaves behind ends with a sentence and exit code 75 (sysexits' "try again later"), since the thread that
waits inside a collective cannot be called back. The run folder then has the last checkpoint.

All processes do the same in the same order. What only one knows (a signal, a clock, a file) is agreed on first.
"""

import atexit
import contextlib
import inspect
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from laten.common.errors import LatenError, number, whole
from laten.common.heartbeats import Heartbeats, accepted, connected, listening

LOST = 75  # exit code
TIMEOUT = 30.0
COME = 300.0  # seconds within which all processes must have come
DONE = 86400.0  # seconds that a process which is done waits for the others


class Membership:
    """What this process is in a cluster; there is one cluster a process."""

    heartbeats: Heartbeats | None = None
    run: Path | None = None  # the run folder, for the message
    trained = False  # to the end
    exit_code: int | None = None  # of this process, where it is known before it ends


HERE = Membership()


def join_cluster(
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
    timeout: float = TIMEOUT,
) -> None:
    """Make this process one of several that train together; call it before anything else of JAX.

    Every process does the same: joins, reads the same data, calls the same `fit`. Rows of each batch are shared out
    among all their devices. Under Slurm, Open MPI and Kubernetes nothing needs to be said: JAX finds out.

    Args:
        coordinator: `"host:port"` of process 0, by a name that all can reach; any free port.
        processes: How many there are.
        process: The number of this one, from 0.
        timeout: Seconds of silence after which a process is lost. Then the others end with exit code 75.
    Raises:
        LatenError: something was computed before, the port is taken, or the cluster cannot be found out.
    """
    check(coordinator, processes, process, timeout)
    initialise(coordinator, processes, process, timeout)
    hosts = own_names() if coordinator is None else [coordinator.rpartition(":")[0].strip("[]")]
    others = jax.process_count() - 1
    if not others:
        return
    me, listener = jax.process_index(), None
    if me == 0:
        listener = listening()
        where = {"hosts": hosts, "port": listener.getsockname()[1], "token": secrets.token_hex(16)}
    told = json.loads(from_first(json.dumps(where).encode() if me == 0 else b""))
    if listener is not None:
        links = accepted(listener, told["token"], others, COME)
    else:
        links = {0: connected(told["hosts"], told["port"], told["token"], me, COME)}
    HERE.heartbeats = Heartbeats(me, links, timeout, end)
    atexit.register(leave)


def check(coordinator: str | None, processes: int | None, process: int | None, timeout: float) -> None:
    """Refuse what cannot be meant."""
    if not (number(timeout) and timeout >= 1):
        raise LatenError(f"timeout is a number of seconds, at least 1, not {timeout!r}")
    if coordinator is None and processes is None and process is None:
        return
    if coordinator is None or processes is None or process is None:
        raise LatenError("give all of coordinator, processes and process, or none of them")
    whole("processes", processes)
    if whole("process", process, 0) >= processes:
        raise LatenError(f"process must be a number from 0 to {processes - 1}, not {process}")
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal():
        raise LatenError(f"coordinator must be HOST:PORT of process 0, such as 10.0.0.1:7777, not {coordinator!r}")


def initialise(coordinator: str | None, processes: int | None, process: int | None, timeout: float) -> None:
    """Start JAX's own runtime, which would otherwise end the process with a stack trace when not all come."""

    def give_up() -> None:
        where = "" if coordinator is None else f" at {coordinator}"
        speak(f"not all processes have come{where} within {COME:g} seconds; is each number started, and reachable?")
        os._exit(LOST)

    timer = threading.Timer(COME, give_up)
    timer.daemon = True
    timer.start()
    patience = {"initialization": 2 * COME, "heartbeat": max(100, 3 * timeout), "shutdown": DONE}
    names = {f"{name}_timeout{end}": int(seconds) for name, seconds in patience.items() for end in ("", "_seconds")}
    taken = inspect.signature(jax.distributed.initialize).parameters  # older versions of JAX have fewer
    options: Any = {name: seconds for name, seconds in names.items() if name in taken}
    try:
        jax.distributed.initialize(coordinator, processes, process, **options)
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        first = str(error).strip().splitlines()[0]
        if "before any JAX" in first or "only be called once" in first:
            raise LatenError(
                "join_cluster must come before everything that computes, at the top of a program"
            ) from None
        if coordinator is None:
            raise LatenError(
                f"no cluster can be found out here ({first}); give coordinator, processes, process"
            ) from None
        raise LatenError(f"{coordinator}: the cluster cannot be joined: {first}") from None
    finally:
        timer.cancel()


def own_names() -> list[str]:
    """Return names by which other machines may reach this one."""
    names = [socket.gethostname(), socket.getfqdn()]
    with contextlib.suppress(OSError):
        names.append(socket.gethostbyname(names[0]))
    return list(dict.fromkeys(names))


# -- a loss ----------------------------------------------------------------------


def end(text: str) -> None:
    """End this process, in whose main thread a collective may wait for ever."""
    kept = f" The run is kept in {HERE.run}: to go on, start all processes again." if HERE.run else ""
    speak(f"{text}. This process ends too.{kept}")
    os._exit(LOST)


def speak(text: str) -> None:
    """Write a line to standard error, whatever the main thread does."""
    os.write(2, f"\nlaten: {text}\n".encode())


def leave() -> None:
    """Say farewell to the other processes."""
    if HERE.heartbeats is not None:
        HERE.heartbeats.leave()
        if HERE.exit_code is not None:
            if HERE.trained:
                jax.distributed.shutdown()  # waits for the others, to whom the first is a server
            elif first():
                time.sleep(1)  # they end too, and speak before
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(HERE.exit_code)  # taken apart piece by piece, JAX's CPU client may wait for ever


@contextlib.contextmanager
def at_work(run: Path | None) -> Iterator[None]:
    """Let a loss end this process while the block runs.

    Args:
        run: The run folder, if it is kept here.
    """
    HERE.run = run
    with contextlib.nullcontext() if HERE.heartbeats is None else HERE.heartbeats.at_work():
        yield
    HERE.trained = True


@contextlib.contextmanager
def failing() -> Iterator[None]:
    """Let an error that comes before the end of training end this process without waiting for the others."""
    try:
        yield
    except BaseException as error:
        if not HERE.trained:
            stopped = {KeyboardInterrupt: 130, SystemExit: 143}
            ending(stopped.get(type(error), 2 if isinstance(error, (LatenError, OSError)) else 1))
        raise


def ending(code: int) -> int:
    """Note the exit code of this process, if it is one of a cluster, and return it."""
    if HERE.heartbeats is not None:
        HERE.exit_code = code
    return code


def waiting(kind: str) -> Any:
    """Return a context for a call that all processes must come to."""
    return contextlib.nullcontext() if HERE.heartbeats is None else HERE.heartbeats.waiting(kind)


# -- agreeing --------------------------------------------------------------------


def first() -> bool:
    """Say whether this is the process that keeps files and speaks."""
    return jax.process_index() == 0


def gathered(numbers: list[int]) -> np.ndarray:
    """Return whole numbers of every process, `(processes, numbers)`."""
    if jax.process_count() == 1:
        return np.array([numbers], np.int32)
    with waiting("agreement"):
        return np.asarray(multihost_utils.process_allgather(np.array(numbers, np.int32)))


def from_first(text: bytes) -> bytes:
    """Return the first process's bytes to all."""
    if jax.process_count() == 1:
        return text
    with waiting("news"):
        size = int(multihost_utils.broadcast_one_to_all(np.int32(len(text))))
        held = np.zeros(size, np.uint8)
        if first():
            held[:] = np.frombuffer(text, np.uint8)
        return np.asarray(multihost_utils.broadcast_one_to_all(held), np.uint8).tobytes()
