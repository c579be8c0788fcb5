"""Options of reading, the same for every command that reads data. Loads typer and nothing else.

@reads command(data, …) --the user types--> TOLD, then command --data_in_out--> laten.data.files.read.read(name, **TOLD)
"""

import ast
import functools
import inspect
import re
import shlex
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any

from laten.cli.options import option

GROUP = "Reading text tables"
TOLD: ContextVar[dict[str, Any]] = ContextVar("what is said of the files that a command reads")
MISSING_HELP = "A further code for missing cells, or COLUMN=CODE. '': only empty cells are missing. Repeatable."
HEADER_HELP = "Does the first row hold the names? yes or no; or give the names: a,b,c."
_OPTIONS: dict[str, Any] = {
    "sep": Annotated[
        str | None, option(metavar="CHAR", help="Separator of cells: one character, tab or space.", group=GROUP)
    ],
    "encoding": Annotated[
        str | None, option(metavar="NAME", help="Encoding of the text: utf-8, cp1252, utf-16.", group=GROUP)
    ],
    "decimal": Annotated[str | None, option(metavar="CHAR", help="Decimal mark: . or ,", group=GROUP)],
    "thousands": Annotated[str | None, option(metavar="CHAR", help="Mark between thousands; '': none.", group=GROUP)],
    "dayfirst": Annotated[
        bool | None,
        option("--dayfirst/--monthfirst", help="Does 03/04/2024 begin with the day or the month?", group=GROUP),
    ],
    "missing": Annotated[list[str] | None, option(metavar="CODE", help=MISSING_HELP, group=GROUP)],
    "header": Annotated[str | None, option(metavar="yes|no|NAMES", help=HEADER_HELP, group=GROUP)],
    "drop": Annotated[
        list[str] | None, option(metavar="COLUMN", help="Leave this column out. Repeatable.", group=GROUP)
    ],
    "id": Annotated[
        list[str] | None, option(metavar="COLUMN", help="This column names the rows; it is not modelled.", group=GROUP)
    ],
}
_SILENT = {"quiet": Annotated[bool, option("--quiet", "-q", help="Do not print what was assumed.", group=GROUP)]}


def reads(command: Callable) -> Callable:
    """Give a command the options of reading; what is typed is in `TOLD` while it runs."""
    own = inspect.signature(command)
    new = _OPTIONS | ({} if "quiet" in own.parameters else _SILENT)
    more = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=False if n == "quiet" else None, annotation=a)
            for n, a in new.items()]  # fmt: skip

    @functools.wraps(command)
    def run(**typed: Any) -> Any:
        said = {name: typed.pop(name) for name in new}
        TOLD.set({"quiet": typed.get("quiet", False), **said})
        return command(**typed)

    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *more])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, **new}
    return run


def told() -> tuple[dict[str, Any], bool]:
    """Return the options as `read` takes them, and whether to say what was assumed."""
    typed = dict(TOLD.get({}))
    quiet = bool(typed.pop("quiet", False))
    header = typed.get("header")
    if header is not None:
        typed["header"] = {"yes": True, "no": False}.get(header.lower(), header.split(","))
    codes = typed.get("missing")
    if codes:
        typed["missing"] = _missing(codes)
    elif "missing" in typed:
        typed["missing"] = None
    return {k: v for k, v in typed.items() if v is not None}, not quiet


def _missing(codes: list[str]) -> dict[str | None, list[str]]:
    """Sort codes by column; None: all columns."""
    found: dict[str | None, list[str]] = {}
    for code in codes:
        column, sign, value = code.partition("=")
        found.setdefault(column if sign and column else None, []).append(value if sign and column else code)
    return found


def typed_way(message: str) -> str:
    """Turn options of Python in an error of `read` into those that are typed: `drop=['a']` -> `--drop a`."""

    def option_of(found: re.Match) -> str:
        try:
            values = [str(v) for v in ast.literal_eval(found[2])]
        except (ValueError, SyntaxError):
            return f"--{found[1]}"
        if found[1] == "header":
            return f"--header {shlex.quote(','.join(values))}"
        return " ".join(f"--{found[1]} {shlex.quote(v)}" for v in values)

    message = re.sub(r"\b(decimal|thousands|dayfirst)=(?=[,\s]|$)", r"--\1", message)
    return re.sub(r"\b(missing|header|drop|id)=(\[.*?\])", option_of, message)
