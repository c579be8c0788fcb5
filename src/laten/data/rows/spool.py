"""Encoded rows on the disk: one file of bytes a node, from which any stretch of rows is read again.

    folder/spool/ manifest.json, 0.values, 0.masks (a bit a site), 1.values, …

It is read, not mapped: pages of a map count as memory of the process. A spool is written under another name, and
renamed when it is whole; where one is there and of the same rows, it is taken as it is.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from laten.common.atomic_file import sync
from laten.common.errors import DataError
from laten.data.rows.rows import Rows

NAME, PART, MANIFEST = "spool", "spool.part", "manifest.json"
AT_ONCE = 2**20  # rows
Arrays = dict[str, np.ndarray]


class Node(NamedTuple):
    """How one node lies on the disk."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    masked: bool
    digest: str

    @property
    def width(self) -> int:
        """Bytes of a row."""
        return np.dtype(self.dtype).itemsize * math.prod(self.shape)

    @property
    def bits(self) -> int:
        """Bytes of a row's mask."""
        return -(-math.prod(self.shape) // 8)


class Spool(NamedTuple):
    """Rows on the disk.

    Args:
        folder: Where they lie.
        rows: How many.
        nodes: What each holds.
        about: What else was said when they were written, in plain JSON types.
    """

    folder: Path
    rows: int
    nodes: tuple[Node, ...]
    about: dict[str, Any]

    @property
    def width(self) -> int:
        """Bytes that a row takes in memory, its masks included."""
        return sum(n.width + math.prod(n.shape) * n.masked for n in self.nodes)

    def empty(self, rows: int) -> tuple[Arrays, Arrays]:
        """Return values and masks of so many rows, all zero."""
        values = {n.name: np.zeros((rows, *n.shape), n.dtype) for n in self.nodes}
        return values, {n.name: np.zeros((rows, *n.shape), bool) for n in self.nodes if n.masked}

    def read(self, stretches: Sequence[tuple[int, int]], size: int) -> tuple[Arrays, Arrays]:
        """Read stretches of rows `(start, stop)` one after the other.

        Args:
            size: Rows of the arrays, those of the stretches or more; the others are zero.
        Returns:
            Values and masks.
        Raises:
            DataError: they are not there any more.
        """
        values, masks = self.empty(size)
        for i, node in enumerate(self.nodes):
            into(self.folder / f"{i}.values", stretches, node.width, values[node.name].reshape(size, -1))
            if node.masked:
                packed = np.zeros((size, node.bits), np.uint8)
                into(self.folder / f"{i}.masks", stretches, node.bits, packed)
                flat = masks[node.name].reshape(size, -1)
                flat[:] = np.unpackbits(packed, axis=1, count=flat.shape[1])
        return values, masks

    def shown(self, names: Collection[str]) -> int:
        """Return how many rows show a site of one of some nodes."""
        places = [(i, node) for i, node in enumerate(self.nodes) if node.name in names]
        count = 0
        for start in range(0, self.rows if places else 0, AT_ONCE):
            stop = min(start + AT_ONCE, self.rows)
            seen = np.zeros(stop - start, bool)
            for i, node in places:
                packed = np.full((stop - start, node.bits), not node.masked, np.uint8)
                if node.masked:
                    into(self.folder / f"{i}.masks", [(start, stop)], node.bits, packed)
                seen |= packed.any(axis=1)
            count += int(seen.sum())
        return count


def into(path: Path, stretches: Sequence[tuple[int, int]], width: int, rows: np.ndarray) -> None:
    """Fill the first of some rows with stretches of a file's."""
    at = 0
    try:
        with path.open("rb", buffering=0) as file:
            for start, stop in stretches:
                file.seek(start * width)
                wanted = memoryview(rows[at : at + stop - start]).cast("B")  # type: ignore[arg-type]
                while len(wanted):
                    got = file.readinto(wanted)
                    if not got:
                        raise DataError(f"{path}: is cut off; remove the folder, and begin again")
                    wanted = wanted[got:]
                at += stop - start
    except OSError as error:
        raise DataError(f"{path}: cannot be read any more: {error.strerror or error}") from None


class SpoolWriter:
    """Writes rows to a folder's spool, a part at a time.

    Args:
        folder: In which the spool will stand; it is there.
        dtypes: Node -> type of its values, wide enough for all rows.
    """

    def __init__(self, folder: Path, dtypes: Mapping[str, np.dtype]) -> None:
        self.folder, self.dtypes = folder, dtypes
        self.rows = 0
        self.files: dict[str, tuple[Any, Any, Any]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.masked: set[str] = set()
        shutil.rmtree(folder / PART, ignore_errors=True)
        try:
            (folder / PART).mkdir()
        except OSError as error:
            raise full(folder, error) from None

    def append(self, rows: Rows) -> None:
        """Add rows.

        Raises:
            DataError: the disk is full.
        """
        try:
            for i, (name, values) in enumerate(rows.values.items()):
                if name not in self.files:
                    made = ((self.folder / PART / f"{i}.{what}").open("wb") for what in ("values", "masks"))
                    self.files[name] = (*made, hashlib.sha256())  # type: ignore[assignment]
                    self.shapes[name] = values.shape[1:]
                to, bits, digest = self.files[name]
                raw = np.ascontiguousarray(values.astype(self.dtypes[name], copy=False))
                mask = rows.mask.get(name)
                mask = np.ones(values.shape, bool) if mask is None else mask
                self.masked |= set() if mask.all() else {name}
                packed = np.packbits(mask.reshape(rows.n, -1), axis=1)
                for file, array in ((to, raw), (bits, packed)):
                    file.write(array.data)
                    digest.update(array.data)
        except OSError as error:
            raise full(self.folder, error) from None
        self.rows += rows.n

    def finish(self, about: dict[str, Any]) -> Spool:
        """Give the spool its name, and open it."""
        nodes = []
        try:
            for i, (name, (to, bits, digest)) in enumerate(self.files.items()):
                for file in (to, bits):
                    file.flush()
                    os.fsync(file.fileno())
                    file.close()
                if name not in self.masked:
                    (self.folder / PART / f"{i}.masks").unlink()
                masked = name in self.masked
                nodes.append(Node(name, str(self.dtypes[name]), self.shapes[name], masked, digest.hexdigest()))
            told = {"rows": self.rows, "nodes": [list(n) for n in nodes], "about": about}
            (self.folder / PART / MANIFEST).write_text(json.dumps(told))
            shutil.rmtree(self.folder / NAME, ignore_errors=True)
            (self.folder / PART).rename(self.folder / NAME)
        except OSError as error:
            raise full(self.folder, error) from None
        sync(self.folder)
        return Spool(self.folder / NAME, self.rows, tuple(nodes), about)

    def drop(self) -> None:
        """Remove what was written."""
        for to, bits, _ in self.files.values():
            to.close()
            bits.close()
        shutil.rmtree(self.folder / PART, ignore_errors=True)


def full(folder: Path, error: OSError) -> DataError:
    """Say that rows cannot be kept."""
    why = error.strerror or error
    return DataError(f"{folder}: the encoded rows cannot be kept here: {why}; give a run folder where there is room")


def open_spool(folder: Path, key: str) -> Spool | None:
    """Return the spool of a folder if it was written for `key`; else None."""
    try:
        found = json.loads((folder / NAME / MANIFEST).read_text())
        nodes = tuple(Node(n, d, tuple(s), m, h) for n, d, s, m, h in found["nodes"])
        spool = Spool(folder / NAME, int(found["rows"]), nodes, found["about"])
        whole = all(
            (spool.folder / f"{i}.values").stat().st_size == spool.rows * node.width for i, node in enumerate(nodes)
        )
        return spool if whole and spool.about.get("key") == key else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
