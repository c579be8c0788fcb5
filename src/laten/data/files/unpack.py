"""Bytes of a file, unpacked: gzip, xz, bzip2, zstd, a member of a zip; or standard input."""

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from laten.common.bounded_reading import AT_ONCE, check_members, drained
from laten.common.errors import DataError, known
from laten.data.messages import did_you_mean

PACKED = (".gz", ".xz", ".bz2", ".zst", ".zip")
ARCHIVES = (lzma.LZMAError, pa.ArrowException, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error)  # raised by damage
MOST_DICTIONARY = 2**28  # that an .xz may ask for; `xz -9` asks for a quarter
_OPENED: dict[str, Callable[[io.BytesIO], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    # Arrow's own `read` loses the memory that it had made ready when a file is damaged
    ".zst": lambda file: io.BufferedReader(pa.input_stream(file, compression="zstd"), AT_ONCE),
}
_FIRST = {b"\x1f\x8b": ".gz", b"\xfd7zXZ": ".xz", b"BZh": ".bz2", b"\x28\xb5\x2f\xfd": ".zst"}


def unpack(raw: bytes, name: str, member: str | None = None) -> tuple[bytes, str]:
    """Return what is packed in a file, and its name without the packing's extension; what is not packed as it is.

    Args:
        raw: The file.
        name: Its name.
        member: Of a zip, which file in it; None: the only one.
    Raises:
        DataError: a zip of several files, none of them named, or without the one that is; or it unpacks to more than
            it may.
    """
    lower = name.lower()
    packing = next((p for p in PACKED if lower.endswith(p)), "")
    if not packing and name == "-":
        packing = next((p for start, p in _FIRST.items() if raw.startswith(start)), "")
    if not packing:
        return raw, name
    inner = name[: -len(packing)] if name != "-" else name
    if packing == ".zip":
        return _member(raw, name, member)
    if packing == ".xz":
        lzma.LZMADecompressor(memlimit=MOST_DICTIONARY).decompress(raw, max_length=1)
    return drained(_OPENED[packing](io.BytesIO(raw)), len(raw), name), inner


def _member(raw: bytes, name: str, member: str | None) -> tuple[bytes, str]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX")]
        names = [n for n in names if not Path(n).name.startswith(".")]
        if member is not None and member not in names:
            raise DataError(f"{name}: holds no {member!r}{did_you_mean(member, names)}; it holds {known(names)}")
        if member is None and len(names) != 1:
            raise DataError(
                f"{name}: holds {len(names)} files, {known(names)}; name one: {name}::{names[0] if names else 'FILE'}"
            )
        chosen = archive.getinfo(names[0] if member is None else member)
        check_members(archive, [chosen], len(raw), name)
        return archive.read(chosen), chosen.filename


def standard_input() -> bytes:
    """Return all of standard input.

    Raises:
        DataError: it is a terminal.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise DataError("-: standard input is a terminal; pipe a file into it")
    return sys.stdin.buffer.read()
