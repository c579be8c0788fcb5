"""TOML, as far as a schema needs it: values and keys written, text read, and the line on which a key stands.

Reading is Python's own `tomllib`; it says where bad syntax is, but not where a good key stands, which `lines_of` finds.
"""

import datetime
import json
import math
import re
import tomllib
from collections.abc import Sequence
from typing import Any

from laten.common.errors import DataError

WIDTH = 120
MOST_DEPTH = 8  # of a key whose line is told
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def quoted(text: str) -> str:
    """Write a text as a TOML string.

    Raises:
        DataError: it cannot be written as UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"the text {text!r:.80} holds half a character and cannot be written; rename it") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: object) -> str:
    """Write a name as a TOML key, quoted where it must be."""
    text = str(name)
    return text if _BARE.fullmatch(text) else quoted(text)


def value(v: object) -> str:
    """Write a text, boolean, number, date or list of them as TOML; lists are wrapped."""
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, str):
        return quoted(v)
    if isinstance(v, datetime.date):
        return v.isoformat()
    if isinstance(v, float):
        return repr(v) if math.isfinite(v) else {math.inf: "inf", -math.inf: "-inf"}.get(v, "nan")
    return listed(v) if isinstance(v, Sequence) else str(v)


def listed(items: Sequence[Any], used: int = 12) -> str:
    """Write a list on one line, or over several of at most 120 characters. `used`: characters before it."""
    parts = [value(v) for v in items]
    line = "[" + ", ".join(parts) + "]"
    if len(line) + used <= WIDTH:
        return line
    lines, row = [], "   "
    for part in parts:
        if len(row) + len(part) + 2 > WIDTH and row.strip():
            lines.append(row)
            row = "   "
        row += f" {part},"
    return "\n".join(["[", *lines, row, "]"])


def comment(text: str) -> str:
    """Return a text that may follow a `#`: on one line, without control characters."""
    return " ".join(_UNPRINTABLE.sub(" ", text).encode("utf-8", "replace").decode().split())


def loads(text: str, source: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        DataError: bad syntax, with its line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{source}: is no TOML: {error}") from None
    except (ValueError, OverflowError) as error:  # a whole number of thousands of digits
        raise DataError(f"{source}: is no schema: {error!s:.100}") from None
    except RecursionError:
        raise DataError(f"{source}: is no schema: its lists are nested too deeply") from None


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """Find where tables and keys stand: path -> line, from 1. Lines inside multi-line texts may be taken for keys."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = line.lstrip().startswith("[")
        head = line.strip() if header else line.partition("=")[0] + "= 0"
        try:
            path = _path(tomllib.loads(head))
        except (ValueError, RecursionError):
            continue
        if len(path) > MOST_DEPTH:
            continue
        if header:
            table, path = path, ()
        for n in range(1 if header else len(table) + 1, len(table + path) + 1):
            found.setdefault((table + path)[:n], number)
    return found


def _path(parsed: Any) -> tuple[str, ...]:
    """Return the one path of a TOML document of one header or key."""
    path = []
    while isinstance(parsed, dict) and parsed:
        (name, parsed), *_ = parsed.items()
        path.append(name)
        if isinstance(parsed, list):
            parsed = parsed[0]
    return tuple(path)
