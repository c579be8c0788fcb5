"""What a run is: its rows, its settings, its program, and the machine it runs on. Where all agree, so do all bits."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import jax
import numpy as np

from laten import __version__
from laten.common.compilation_cache import processor
from laten.common.errors import known
from laten.data.rows.presentation import Store
from laten.training.settings import Settings

LIBRARIES = ("jax", "jaxlib", "numpy", "equinox")
Head = dict[str, Any]


def fingerprint(
    store: Store,
    parts: Mapping[str, np.ndarray | None],
    settings: Settings,
    copies: int,
    program: str,
    shares: int = 1,
) -> Head:
    """Return what tells one run from another, in plain JSON types.

    Args:
        store: All rows.
        parts: Which rows are trained on and held out, and their weights.
        settings: Of training; an optimiser of the user's shows in the program alone.
        copies: Models trained side by side.
        program: Text of the lowered loop: network, guide, objective, optimiser, and how rows are presented.
        shares: Devices among which a batch is shared out.
    """
    told = {f.name: getattr(settings, f.name) for f in fields(settings) if f.name != "optimizer"}
    masks = {name: digest(np.packbits(np.asarray(x))) for name, x in store.masks.items()}
    devices = jax.devices()
    return {
        "settings": told | {"restarts": copies},
        "rows": len(next(iter(store.values.values()))),
        "data": {name: digests(x) + masks.get(name, "") for name, x in store.values.items()},
        "parts": {name: None if x is None else digest(x) for name, x in parts.items()},
        "versions": {"laten": __version__, **{name: version(name) for name in LIBRARIES}},
        "machine": {
            "processor": processor(),
            "device": devices[0].device_kind,
            "number of devices": len(devices),
            "number of cores": cores() if devices[0].platform == "cpu" else None,  # large products are cut by it
            "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
            # what older runs do not say is one
            **({"number of processes": jax.process_count(), "devices of a batch": shares} if shares > 1 else {}),
        },
        "program": hashlib.sha256(program.encode()).hexdigest(),
    }


def cores() -> str | int:
    """Return how many threads XLA computes with on a CPU."""
    own = getattr(os, "sched_getaffinity", None)
    return os.environ.get("NPROC") or (len(own(0)) if own else os.cpu_count() or 1)


def digests(stored: Any) -> str:
    """Return the digests of a node's rows: of one array, or of those that sparse rows are made of."""
    return "".join(digest(np.asarray(x)) for x in jax.tree.leaves(stored))


def digest(array: np.ndarray) -> str:
    """Return a digest of an array's type, shape and bytes."""
    found = hashlib.sha256(f"{array.dtype} {array.shape} ".encode())
    found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def difference(before: Head, now: Head, labels: Mapping[str, tuple[str, ...]], exact: bool = True) -> str | None:
    """Say in which respect two runs differ, the way out included; None: in none.

    Args:
        labels: Node -> names of its columns, for the message.
        exact: Versions and machine must agree too.
    """
    old, new = before["settings"], now["settings"]
    for name in new:
        if old.get(name) != new[name]:
            return f"it was begun with {name} {old.get(name)!r}, not {new[name]!r}; give that"
    if before["rows"] != now["rows"]:
        return f"it was begun with {before['rows']} rows, not {now['rows']}; give the same data"
    nodes = [n for n in {**now["data"], **before["data"]} if before["data"].get(n) != now["data"].get(n)]
    if nodes or before["parts"] != now["parts"]:
        columns = [column for node in nodes for column in labels.get(node, ()) or (node,)]
        where = f" (they differ in {known(columns, 4)})" if columns else ""
        return f"it was begun with other data, or another schema{where}; give the same"
    for of in ("versions", "machine") if exact else ():
        for name in {**before[of], **now[of]}:
            old, new = before[of].get(name), now[of].get(name)
            if old != new:
                return (
                    f"it was begun under another {name}, {old!r} (now {new!r}), so that its last digits would differ "
                    "from those of an uninterrupted run; go on there, say exact=False"
                )
    alike = before["versions"] == now["versions"] and before["machine"] == now["machine"]
    if alike and before["program"] != now["program"]:
        return "it was begun with another network, guide, objective or optimiser; give the same"
    return None
