"""Write a file whole or not at all.

It is written under another name in the same folder, synced to the disk, and renamed: a reader sees the old file or the
new one, never half of one. A link goes on pointing where it points, and a file that is overwritten keeps its mode and
its owner. Parts that a killed process left behind go when the folder is next written to.
"""

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from laten.common.errors import DataError
from laten.common.file_lock import held

PREFIX, SUFFIX = ".laten-", ".part"
SETTLED = 60.0  # seconds; a part that is older, and that nobody holds, belongs to no process any more


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file for writing bytes that takes the name `path` only when the block ends without an error.

    Raises:
        DataError: the folder does not exist or cannot be written to, the disk is full, or `path` is a folder, a device
            or a pipe.
    """
    target = checked(path)
    sweep(target.parent)
    part, handle = opened(path, target)
    try:
        with os.fdopen(handle, "wb") as file:
            held(file)
            yield file
            file.flush()
            keep_mode(file, target)
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(part)):
            raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error
        raise
    sync(target.parent)


def check_writable(path: str | Path) -> None:
    """Check that `atomic` could write a file, by beginning one.

    Raises:
        DataError: as `atomic`.
    """
    part, handle = opened(path, checked(path))
    os.close(handle)
    part.unlink()


def checked(path: str | Path) -> Path:
    """Return the file that is written: what a link points to.

    Raises:
        DataError: a folder, a device, a pipe, or a name that no file can have.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be written: {reason}; give another name") from None
    if stat.S_ISDIR(mode):
        raise DataError(f"{path}: is a folder; give the name of a file in it")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path}: is a device or a pipe, which would be replaced; give the name of a file")
    return target


def opened(path: str | Path, target: Path) -> tuple[Path, int]:
    """Begin a part beside the target; return its name, which is short whatever the target's is, and its handle."""
    part = target.parent / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return part, os.open(part, flags, 0o666)  # less what the user's mask takes away
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}; does the folder exist?") from None


def keep_mode(file: IO[bytes], target: Path) -> None:
    """Give a part the owner and the mode of the file whose place it takes."""
    if not target.exists() or not hasattr(os, "fchown"):
        return
    old = target.stat()
    with contextlib.suppress(OSError):  # only root gives files away
        os.fchown(file.fileno(), old.st_uid, old.st_gid)
    with contextlib.suppress(OSError):
        os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))


def sweep(folder: Path) -> None:
    """Remove parts that a killed process left in a folder."""
    with contextlib.suppress(OSError):
        for part in folder.glob(f"{PREFIX}*{SUFFIX}"):
            if time.time() - part.stat().st_mtime < SETTLED:
                continue
            with part.open("rb") as file:
                if held(file):
                    part.unlink()


def sync(folder: Path) -> None:
    """Sync a folder to the disk, so that a new name in it outlives a power cut."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
