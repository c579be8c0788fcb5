"""What was typed to begin a run, kept in its folder as `run.json`, so that `laten resume DIR` can do the same again."""

import json
from pathlib import Path
from typing import Any

from laten import __version__
from laten.cli.reading import TOLD
from laten.common.atomic_file import atomic
from laten.common.errors import DataError
from laten.data.files.open_parts import files_of

NAME = "run.json"
FILES = ("data", "schema", "output")  # arguments that name files


def remember(folder: str, arguments: dict[str, Any]) -> None:
    """Write the arguments of `laten fit`, and its options of reading; files by their whole path."""
    absolute = {
        name: str(Path(value).absolute())
        for name in FILES
        if (value := arguments.get(name)) and (name != "data" or Path(value).exists() or files_of(value))
    }
    text = json.dumps({"laten": __version__, "fit": arguments | absolute, "reading": TOLD.get({})}, indent=1)
    with atomic(Path(folder) / NAME) as file:
        file.write(text.encode())


def recalled(folder: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments of `laten fit`, and its options of reading.

    Raises:
        DataError: no run of `laten fit` was begun in this folder.
    """
    path = Path(folder) / NAME
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: there is no such run folder; laten fit DATA --run {folder} begins one")
    try:
        found = json.loads(path.read_bytes())
        arguments, reading = found["fit"], found["reading"]
        if isinstance(arguments, dict) and isinstance(reading, dict) and isinstance(arguments["data"], str):
            return arguments, reading
    except FileNotFoundError:
        raise DataError(
            f"{folder}: no run was begun here by laten fit; what was begun in Python goes on there, by the same fit"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise DataError(f"{path}: is damaged; laten fit, with the same options and --run {folder}, goes on as well")
