"""Bounded reading: what a file may take of the machine is decided before it is taken.

A file of a stranger may say that it holds more than it does, or hold little that unpacks to a lot. So a reader allows
each file a budget that grows with its own bytes, and asks `afford` before it makes anything whose size the file
declares; what unpacks without saying its size is counted while it comes (`drained`).

    budget = max(64 MiB, 200 x bytes of the file), at most half of the machine's memory

`LATEN_READ_LIMIT=BYTES` in the environment takes its place, for whoever knows the file.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from laten.common.errors import DataError, LatenError

LIFTED_BY = "LATEN_READ_LIMIT"
FLOOR = 64 * 2**20  # what any file may take
RATIO = 200  # how many bytes one byte of a file may become
AT_ONCE = 2**20
ENCRYPTED = 1  # flag of a zip's member


def memory() -> int:
    """Return the bytes of memory of this machine; 16 GiB where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 16 * 2**30


def budget(held: int, ratio: int = RATIO) -> int:
    """Return how many bytes a file of `held` bytes may take."""
    said = os.environ.get(LIFTED_BY, "")
    return int(said) if said.isdecimal() else min(max(FLOOR, ratio * held), memory() // 2)


def size(n: int) -> str:
    """Write a number of bytes for people."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if n >= 2**power:
            return f"{n / 2**power:.3g} {unit}"
    return f"{n} bytes"


def afford(
    needed: int, held: int, name: str, what: str, ratio: int = RATIO, error: type[LatenError] = DataError
) -> None:
    """Refuse what a file of `held` bytes should not take.

    Args:
        needed: The bytes that it would take.
        held: The bytes of the file.
        name: Of the file.
        what: It is that takes them, such as "its tables".
    Raises:
        DataError: or `error`: they are more than its budget.
    """
    most = budget(held, ratio)
    if needed > most:
        raise error(
            f"{name}: {what} would take {size(needed)} of memory, and {size(most)} is what a file of {size(held)} may "
            f"take; is it damaged? If you trust it, set {LIFTED_BY}={needed} in the environment"
        )


def drained(stream: IO[bytes], held: int, name: str) -> bytes:
    """Return all that a stream of unpacked bytes gives, counting.

    Raises:
        DataError: it is more than the budget of a file of `held` bytes.
    """
    parts, total = [], 0
    while part := stream.read(AT_ONCE):
        parts.append(part)
        total += len(part)
        if total > budget(held):
            raise DataError(
                f"{name}: its {size(held)} unpack to more than {size(budget(held))}; if it is what it should be, "
                f"unpack it first, or set {LIFTED_BY}=BYTES in the environment to what it may take"
            )
    return b"".join(parts)


def check_regular(path: str | os.PathLike, error: type[LatenError] = DataError) -> None:
    """Refuse a pipe, a device or a socket, which may never end; a file that is not there passes.

    Raises:
        DataError: or `error`.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise error(f"{os.fspath(path)}: is no regular file but a pipe, a device or a socket; save it to a file first")


def read_file(path: str | os.PathLike) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        DataError: it is none, or larger than the memory.
        OSError: it cannot be read.
    """
    check_regular(path)
    held = Path(path).stat().st_size
    if held > memory() and LIFTED_BY not in os.environ:
        raise DataError(f"{os.fspath(path)}: its {size(held)} are more than this machine's memory, {size(memory())}")
    return Path(path).read_bytes()


def check_members(
    archive: ZipFile, members: list[ZipInfo], held: int, name: str, error: type[LatenError] = DataError
) -> None:
    """Refuse members of a zip that cannot be read, or that declare more bytes than they may take.

    No more bytes than a member declares are ever read of it.

    Raises:
        DataError: or `error`.
    """
    for member in members:
        if member.flag_bits & ENCRYPTED:
            raise error(f"{name}: {member.filename!r:.80} in it is encrypted; unpack it with its password first")
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2):
            raise error(
                f"{name}: {member.filename!r:.80} in it is packed by method {member.compress_type}, which is not read; "
                "pack it anew, by deflation"
            )
    afford(sum(member.file_size for member in members), held, name, "what is packed in it", error=error)


@contextmanager
def door(message: str, *damage: type[Exception], error: type[LatenError] = DataError) -> Iterator[None]:
    """Turn what a library raises at a damaged file into one error; a `LatenError` passes.

    Args:
        message: What is said: the file, and the way out. `{}` stands for what the library said.
        damage: The errors of that library.
        error: What is raised.
    Raises:
        DataError: or `error`.
    """
    try:
        yield
    except LatenError:
        raise
    except damage as found:
        why = " ".join(str(found).split()) or type(found).__name__
        raise error(message.replace("{}", f"{why:.200}")) from None
