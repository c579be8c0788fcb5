"""Programs compiled, and arrays carried between host and device, counted: no clock is read.

Programs are counted by JAX's own monitoring events. Arrays to the device are counted by JAX's transfer guard, which
sees each one, whoever sends it; it writes a line for each to standard error, and the lines are counted. Arrays from the
device are counted where they become numbers or NumPy arrays: on a CPU that costs no copy, so that the guard is silent,
but it waits for the device all the same. An array that is read twice counts once.

`check` sees to it that all three still count under the running version of JAX.
"""

import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

PROGRAM = "/jax/core/compile/jaxpr_to_mlir_module_duration"
SENT = "host-to-device transfer"
READERS = ("__array__", "__int__", "__float__", "__complex__", "__bool__", "__index__", "item", "tolist")

made = 0


def noted(event: str, seconds: float, **kwargs: str | int) -> None:
    """Counts the programs that JAX lowers."""
    global made
    made += event == PROGRAM


jax.monitoring.register_event_duration_secs_listener(noted)  # for good: older versions cannot take it back


class Count(NamedTuple):
    """Since counting began."""

    programs: int
    sent: int  # arrays to the device
    read: int  # arrays from the device

    def since(self, before: "Count") -> "Count":
        """What was added after `before`."""
        return Count(*(now - then for now, then in zip(self, before, strict=True)))


@contextlib.contextmanager
def counting() -> Iterator[Callable[[], Count]]:
    """While open, the function that is handed out says what was counted so far."""
    began, read = made, {}
    with tempfile.TemporaryFile() as log, readers(read), kept_apart(log):

        def now() -> Count:
            log.seek(0)
            sent = log.read().decode(errors="replace").count(SENT)
            return Count(made - began, sent, len(read))

        with jax.transfer_guard_host_to_device("log_explicit"):
            yield now


@contextlib.contextmanager
def kept_apart(log: Any) -> Iterator[None]:
    """Standard error of the process goes to a file; what is not about transfers is written out at the end."""
    sys.stderr.flush()
    before = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)
        log.seek(0)
        for line in log.read().decode(errors="replace").splitlines():
            if SENT not in line and line.strip():
                print(line, file=sys.stderr)


@contextlib.contextmanager
def readers(read: dict[int, Any]) -> Iterator[None]:
    """While open, device arrays that are turned into numbers are kept in `read`, each once."""
    concrete: Any = type(jnp.zeros(()))

    def watched(convert: Callable) -> Callable:
        @functools.wraps(convert)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], concrete):
                read[id(args[0])] = args[0]
            return convert(*args, **kwargs)

        return wrapped

    with contextlib.ExitStack() as stack:
        for name in READERS:
            stack.enter_context(mock.patch.object(concrete, name, watched(getattr(concrete, name))))
        for name in ("array", "asarray"):  # these read a CPU's memory without asking the array
            stack.enter_context(mock.patch.object(np, name, watched(getattr(np, name))))
        yield


def check() -> None:
    """Counts what is known.

    Raises:
        RuntimeError: this version of JAX tells of it in another way, so that a guard would pass whatever happens.
    """
    rows = np.ones((3, 5), np.float32)
    with counting() as now:
        double = jax.jit(lambda x: 2 * x)
        twice = double(double(rows) + rows)
        found = np.asarray(twice), float(twice[0, 0]), jax.device_get(twice)
        found = now()
    if found.programs < 1 or found.sent < 2 or found.read != 2:
        raise RuntimeError(f"benchmarks.counters does not count under JAX {jax.__version__}: {found}")


def cost(lowered: Any) -> dict[str, float]:
    """Of a lowered program, by XLA's analysis: operations, bytes accessed, bytes set aside while it runs, callbacks.

    XLA counts the body of a loop once where the number of trips is an argument, as in training; and where there is one
    trip, as with draws that fit one chunk.
    """
    compiled = lowered.compile()
    found = analysed(compiled)
    return {
        "flops": found["flops"],
        "bytes": found["bytes accessed"],
        "temporary": compiled.memory_analysis().temp_size_in_bytes,
        "callbacks": lowered.as_text().count("callback"),
    }


def analysed(compiled: Any) -> dict[str, float]:
    """What XLA's analysis says of a compiled program."""
    found = compiled.cost_analysis()
    return found[0] if isinstance(found, list) else found  # a list in older versions
