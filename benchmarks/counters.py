"""Programs compiled, and arrays carried between host and device, counted: no clock is read.

Programs are counted by JAX's own monitoring events. Arrays to the device are counted by JAX's transfer guard, which
writes a line for each to standard error. Arrays from the device are counted where they become numbers or NumPy arrays:
on a CPU that costs no copy, so that the guard is silent, but it waits for the device all the same. An array that is
read twice counts once. `check` sees to it that all three still count under the running version of JAX.
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
    """Count the programs that JAX lowers."""
    global made
    made += event == PROGRAM


jax.monitoring.register_event_duration_secs_listener(noted)  # for good: older versions cannot take it back


class Count(NamedTuple):
    """Since counting began."""

    programs: int
    sent: int  # arrays to the device
    read: int  # arrays from the device

    def since(self, before: "Count") -> "Count":
        """Return what was added after `before`."""
        return Count(*(now - then for now, then in zip(self, before, strict=True)))


@contextlib.contextmanager
def counting() -> Iterator[Callable[[], Count]]:
    """Hand out a function that says what was counted so far; standard error waits until the end."""
    began, read, before = made, {}, os.dup(2)
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log, readers(read):

        def lines() -> list[str]:
            log.seek(0)
            return log.read().decode(errors="replace").splitlines()

        os.dup2(log.fileno(), 2)
        try:
            with jax.transfer_guard_host_to_device("log_explicit"):
                yield lambda: Count(made - began, sum(SENT in line for line in lines()), len(read))
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            print(*(line for line in lines() if SENT not in line and line.strip()), sep="\n", end="", file=sys.stderr)


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

    # `np.array` and `np.asarray` read a CPU's memory without asking the array
    places = [*((concrete, name) for name in READERS), (np, "array"), (np, "asarray")]
    with contextlib.ExitStack() as stack:
        for owner, name in places:
            stack.enter_context(mock.patch.object(owner, name, watched(getattr(owner, name))))
        yield


def check() -> None:
    """Count what is known: where JAX tells of it in another way, a guard would pass whatever happens."""
    rows = np.ones((3, 5), np.float32)
    with counting() as now:
        double = jax.jit(lambda x: 2 * x)
        twice = double(double(rows) + rows)
        found = np.asarray(twice), float(twice[0, 0]), jax.device_get(twice)
        found = now()
    if found.programs < 1 or found.sent < 2 or found.read != 2:
        raise RuntimeError(f"benchmarks.counters does not count under JAX {jax.__version__}: {found}")


def cost(lowered: Any) -> dict[str, float]:
    """Return operations, bytes accessed, bytes set aside while it runs, and callbacks of a lowered program, by XLA.

    A loop's body counts once where the number of trips is an argument, as in training, and where there is one trip.
    """
    compiled = lowered.compile()
    found, aside = compiled.cost_analysis(), compiled.memory_analysis().temp_size_in_bytes
    found = found[0] if isinstance(found, list) else found  # a list in older versions
    told = {"flops": found["flops"], "bytes": found["bytes accessed"], "temporary": aside}
    return {**told, "callbacks": lowered.as_text().count("callback")}
