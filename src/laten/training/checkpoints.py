"""Checkpoints of a training in a run folder: a kill loses seconds, and what goes on is the same to the bit.

A checkpoint is one file: a line with the digest of the rest, then arrays and, as JSON, what stood on the host. It is
written whole or not at all, and the last two are kept: where a disk has spoilt the newer, the one before is taken. A
lock keeps a second process out of the folder. Writing takes at most a hundredth of the time, and no checkpoint follows
another within two seconds.
"""

import hashlib
import json
import os
import re
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import jax
import numpy as np
import safetensors
import safetensors.numpy

from laten.common.atomic_file import atomic, check_writable
from laten.common.errors import DataError, LatenWarning
from laten.common.file_lock import held
from laten.training.cluster import from_first
from laten.training.fingerprint import Head, difference

EVERY = 2.0  # seconds between two checkpoints, at least
SHARE = 0.01  # of the time may go into writing them
RETRY = 60.0  # seconds after one that could not be written
KEPT = 2
MAGIC = b"laten checkpoint 1 "
NAME = re.compile(r"checkpoint-(\d{8})")
AGAIN = "or another run folder"


class Snapshot(NamedTuple):
    """All that a later process needs."""

    arrays: dict[str, np.ndarray]  # bytes of each array of the device
    host: Any  # a dictionary of plain JSON types


class Checkpoints:
    """The checkpoints of one run folder, which is made if need be and locked while this is open (`with`).

    Args:
        folder: The run folder.
        exact: Refuse to go on under other versions or on another machine, where the last digits would differ.
    """

    def __init__(self, folder: str | os.PathLike, exact: bool = True):
        self.folder, self.exact = Path(folder), exact
        self.lock: IO[Any] | None = None
        self.head: Head = {}
        self.next, self.failed = 0.0, False

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            check_writable(self.folder / "checkpoint")
            self.lock = (self.folder / "run.lock").open("a")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataError(f"{self.folder}: cannot be a run folder: {reason}; give another") from None
        if not held(self.lock):
            self.lock.close()
            raise DataError(
                f"{self.folder}: another process trains in this run folder; wait until it ends, or give another"
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.lock is not None:
            self.lock.close()

    def found(self) -> list[Path]:
        """Return the checkpoints of the folder, the oldest first."""
        return sorted(path for path in self.folder.iterdir() if NAME.fullmatch(path.name) and path.is_file())

    def begin(self, head: Head, labels: Mapping[str, tuple[str, ...]]) -> Snapshot | None:
        """Return where the run stood when it was last kept; None: it has not begun.

        Args:
            head: What the run is now (`fingerprint`).
            labels: Node -> names of its columns, for messages.
        Raises:
            DataError: the folder holds another run, or none of its checkpoints can be read.
        """
        self.head, self.next = head, time.monotonic() + EVERY
        damaged: list[Path] = []
        for path in reversed(self.found()):
            opened = read(path)
            if opened is None:
                damaged.append(path)
                continue
            try:
                other = difference(opened.host.pop("head"), head, labels, self.exact)
            except (KeyError, TypeError, AttributeError):
                other = "it was begun by another version of laten; begin it anew"
            if other is not None:
                raise DataError(f"{self.folder}: is the folder of another run: {other}, {AGAIN}")
            for spoilt in damaged:
                told = f"{spoilt}: is damaged, and removed; the run goes on from the checkpoint before"
                warnings.warn(LatenWarning(told), stacklevel=2)
                spoilt.unlink()
            return opened
        if damaged:
            raise DataError(f"{self.folder}: all checkpoints are damaged; remove them to begin anew, {AGAIN}")
        return None

    def offer(self, snapshot: Callable[[], Snapshot], now: bool = False) -> None:
        """Write a checkpoint if it is time, or `now`; where that fails, warn once: those before are still there."""
        began = time.monotonic()
        if began < self.next and not now:
            return
        try:
            self.write(snapshot())
        except (DataError, OSError) as error:
            self.next = began + RETRY
            if not self.failed:
                told = f"no checkpoint could be written: {error}. Training goes on; the last one is kept"
                warnings.warn(LatenWarning(told), stacklevel=2)
            self.failed = True
            return
        ended = time.monotonic()
        self.next, self.failed = ended + max(EVERY, (ended - began) / SHARE), False

    def write(self, snapshot: Snapshot) -> None:
        """Write a checkpoint, and remove those before the last two."""
        there = self.found()
        number = int(there[-1].name[-8:]) + 1 if there else 1
        body = encoded(snapshot._replace(host=snapshot.host | {"head": self.head}))
        with atomic(self.folder / f"checkpoint-{number:08d}") as file:
            file.write(MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n")
            file.write(body)
        for path in there[: 1 - KEPT]:
            path.unlink(missing_ok=True)


def read(path: Path) -> Snapshot | None:
    """Read a checkpoint; None: it is damaged.

    Raises:
        DataError: it cannot be read, or is of another version.
    """
    try:
        with path.open("rb") as file:
            line, body = file.readline(len(MAGIC) + 65), file.read()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    if line.startswith(MAGIC[:-2]) and not line.startswith(MAGIC):
        raise DataError(f"{path}: is of another version of laten; go on with that, {AGAIN}")
    try:
        if line != MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n":
            return None
        found = decoded(body)
        return found if isinstance(found.host, dict) and isinstance(found.host.get("head"), dict) else None
    except (ValueError, KeyError, TypeError, RecursionError, safetensors.SafetensorError):
        return None


def encoded(snapshot: Snapshot) -> bytes:
    """Return a snapshot as bytes."""
    return safetensors.numpy.save(snapshot.arrays, {"host": json.dumps(snapshot.host)})


def decoded(body: bytes) -> Snapshot:
    """Undo `encoded`."""
    size = int.from_bytes(body[:8], "little")
    host = json.loads(json.loads(body[8 : 8 + size])["__metadata__"]["host"])
    return Snapshot(safetensors.numpy.load(body), host)


def begun(checkpoints: Checkpoints | None, head: Head, labels: Mapping[str, tuple[str, ...]]) -> Snapshot | None:
    """Return where the run stood: in every process of a cluster, of which the first keeps it.

    Raises:
        DataError: as `Checkpoints.begin`; or this process's run is not the first one's.
    """
    found, refused = None, None
    if checkpoints is not None:
        try:
            found = checkpoints.begin(head, labels)
        except DataError as error:
            refused = error
    if jax.process_count() > 1:
        kept = Snapshot({}, None) if found is None else found
        news = {"head": head, "error": refused and str(refused), "kept": kept.host}
        told = decoded(from_first(encoded(Snapshot(kept.arrays, news))))
        refused = refused or unlike(told.host, head, labels)
        found = None if told.host["kept"] is None else Snapshot(told.arrays, told.host["kept"])
    if refused is not None:
        raise refused
    return found


def unlike(told: dict[str, Any], head: Head, labels: Mapping[str, tuple[str, ...]]) -> DataError | None:
    """Return what keeps this process from training with the first; warn of a machine of another kind."""
    if told["error"]:
        return DataError(told["error"])
    other = difference(told["head"], head, labels, exact=False)
    if other is None and told["head"]["versions"] != head["versions"]:
        other = f"it has other versions, {told['head']['versions']}"
    if other is not None:
        return DataError(f"process 0 trains something else: {other}")
    if told["head"]["machine"] != head["machine"]:
        warnings.warn(
            LatenWarning("this machine is of another kind than process 0's: last digits of weights may drift apart"),
            stacklevel=2,
        )
    return None
