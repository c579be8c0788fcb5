"""The text of a BIF file, packed or not."""

from pathlib import Path

from laten.common.bounded_reading import door, read_file
from laten.common.errors import DataError
from laten.data.files.unpack import ARCHIVES, unpack


def read_text(path: str | Path) -> str:
    """Read a file's text; packed files (`.gz`, `.xz`, `.bz2`, `.zst`, `.zip`) are unpacked.

    Raises:
        DataError: no such file, it is no text, or it cannot be unpacked.
    """
    try:
        raw = read_file(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    message = f"{path}: cannot be unpacked: {{}}; its name says how it is packed"
    with door(message, *ARCHIVES, EOFError, OSError, RuntimeError, ValueError):
        unpacked = unpack(raw, str(path))[0]
    with door(f"{path}: is not UTF-8 text: {{}}; is it a BIF file?", UnicodeDecodeError):
        return unpacked.decode("utf-8-sig")
