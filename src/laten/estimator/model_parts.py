"""The parts of a model file, opened and bounded; nothing of a model is built here.

    file --zip--> model.json, weights.safetensors, references.safetensors --bounded--> JSON; arrays and their shapes

What the file declares is compared with its own bytes before memory is taken: the directory of the zip, the sizes of its
members, the tensors that a header lists. `declared_fits` does the same for the sizes of nets and families.
"""

import json
import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
import safetensors
import safetensors.numpy

from laten.common.bounded_reading import check_members, check_regular, door
from laten.common.errors import ModelFileError
from laten.families.flows import Autoregressive, Spline
from laten.families.vamp import Vamp
from laten.network.nets.image_layers import Conv, Deconv
from laten.network.nets.layers import MLP, ResMLP
from laten.network.nets.table import Table
from laten.network.nets.tokens import Residual
from laten.network.network import Network

JSON, WEIGHTS, REFERENCES = "model.json", "weights.safetensors", "references.safetensors"
END = b"PK\5\6"  # of a zip: after it, at 6 and 8, how many members it has and the bytes of their directory
MOST_MEMBERS, MOST_DIRECTORY = 16, 2**16
HEADER, PER_BYTE = 2**20, 64  # bytes that a list of tensors may take, beside these for each byte of the tensors
DAMAGE = (
    AttributeError, EOFError, LookupError, MemoryError, OverflowError, RuntimeError, TypeError, ValueError,
    safetensors.SafetensorError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error,
)  # fmt: skip


class Tensors(NamedTuple):
    """Arrays as they lie in a file.

    Args:
        raw: The bytes.
        shapes: Name -> shape.
    """

    raw: bytes
    shapes: dict[str, tuple[int, ...]]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays.

        Raises:
            ModelFileError: one holds NaN or infinity.
            safetensors.SafetensorError, KeyError: they are damaged, or of a type that is not known.
        """
        found = safetensors.numpy.load(self.raw) if self.raw else {}
        for name, x in found.items():
            if x.dtype.kind == "f" and not np.isfinite(x).all():
                raise ModelFileError(
                    f"weight {name!r:.200} holds NaN or infinity, and so would answers; take another copy, or fit again"
                )
        return found


class Parts(NamedTuple):
    """The parts of a model file."""

    head: dict[str, Any]
    weights: Tensors
    beside: Tensors  # what the model is compared with; empty in files of before


def called(path: str | os.PathLike | BinaryIO) -> str:
    """Return the name of a file, for messages."""
    return str(os.fspath(path)) if isinstance(path, str | os.PathLike) else "the open file"


def parts_of(path: str | os.PathLike | BinaryIO) -> Parts:
    """Open a model file.

    Raises:
        ModelFileError: no such file, no regular one, not a model file, truncated, or one that declares more than it
            holds.
    """
    name = called(path)
    if isinstance(path, str | os.PathLike):
        if not Path(path).exists():
            raise ModelFileError(f"there is no file {name!r}")
        check_regular(path, ModelFileError)
    way = f"{name!r} is not a model file, or is truncated ({{}}). Model files are written by vae.save(path)"
    try:
        with door(way, *DAMAGE, error=ModelFileError):
            if not isinstance(path, str | os.PathLike):
                return opened(path, name)
            with Path(path).open("rb") as file:
                return opened(file, name)
    except OSError as error:
        raise ModelFileError(f"cannot read {name!r}: {error.strerror or error}") from error


def opened(file: BinaryIO, name: str) -> Parts:
    """Read the members of a zip whose directory is small."""
    held = file.seek(0, os.SEEK_END)
    file.seek(max(held - MOST_DIRECTORY - 22, 0))
    end = file.read().rpartition(END)[2]
    if int.from_bytes(end[6:8], "little") > MOST_MEMBERS or int.from_bytes(end[8:12], "little") > MOST_DIRECTORY:
        raise ModelFileError(f"{name!r} is not a model file: it lists more members than one has")
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        there = [archive.getinfo(m) for m in (JSON, WEIGHTS)]
        there += [archive.getinfo(REFERENCES)] if REFERENCES in archive.namelist() else []
        check_members(archive, there, held, repr(name), ModelFileError)
        raw = [archive.read(member) for member in there]
    head = json.loads(raw[0])
    if not isinstance(head, dict):
        raise ModelFileError(f"{name!r} is not a model file: its model.json holds no declaration")
    return Parts(head, listed(raw[1], name), listed(raw[2], name) if len(raw) > 2 else Tensors(b"", {}))


class Tensor(msgspec.Struct):
    """What a header says of a tensor."""

    shape: tuple[int, ...]


def listed(raw: bytes, name: str) -> Tensors:
    """Read the header of tensors: its length, 8 bytes; then JSON from name to type, shape and place."""
    length = int.from_bytes(raw[:8], "little")
    if length > HEADER + PER_BYTE * max(len(raw) - 8 - length, 0):
        raise ModelFileError(f"{name!r} is damaged: it lists tensors that hold nothing. Take another copy")
    found = msgspec.json.decode(raw[8 : 8 + length], type=dict[str, Tensor])
    return Tensors(raw, {n: t.shape for n, t in found.items()})


def declared_fits(network: Network, weights: Tensors) -> None:
    """Refuse nets and families that are larger than a file's weights can be.

    A hidden layer has a tensor, and each of its units a number; so have a family's raw parameters, and the states of
    a table's parents.

    Raises:
        ModelFileError: one declares more.
    """
    numbers, tensors = len(weights.raw) // 4, len(weights.shapes)

    def check(node: str, what: str, found: int, most: int) -> None:
        if found > most:
            raise ModelFileError(
                f"node {node!r} declares {what} {found if found < 10**18 else 'without end'}, but its file has weights "
                f"for {most}; it is damaged. Take another copy"
            )

    for name, node in network.nodes.items():
        net = node.via
        if isinstance(net, MLP | ResMLP):
            widths, depth = (net.width, len(net.width)) if isinstance(net.width, tuple) else ((net.width,), net.depth)
            check(name, "layers:", depth, tensors)
            check(name, "a layer of width", max(widths, default=0), numbers)
        if isinstance(net, Conv | Deconv | Residual):
            widest, depth = net.size
            check(name, "layers:", depth, tensors)
            check(name, "a layer of width", widest, numbers)
            check(name, "a kernel of numbers:", net.kernel**2 if depth else 1, numbers)
        if isinstance(net, Table):
            check(name, "a table of rows:", math.prod(net.parts), numbers)
        flow = getattr(node.family, "flow", None)
        if isinstance(flow, Spline | Autoregressive):
            check(name, "layers of a flow:", flow.layers, tensors)
            check(name, "a layer of width", flow.width, numbers)
        check(name, "sites:", node.family.n_sites, numbers)
        raw = node.family.k if isinstance(node.family, Vamp) else node.family.n_raw
        check(name, "raw parameters:", raw, numbers)
