"""`laten serve`: models behind HTTP."""

from pathlib import Path

from laten.common.errors import LatenError

NEEDED = "serving needs more packages: pip install 'laten[serve]'"


def serve(
    model: str | None, names: list[str], host: str, port: int, token: str | None, limits: tuple[int, int, int, int]
) -> None:
    """Serve until a signal ends it."""
    try:
        from laten.server.app import Limits
        from laten.server.run import serve as run
    except ModuleNotFoundError as error:
        raise LatenError(NEEDED) from error
    run(named(model, names), host, port, token, Limits(*limits))


def named(model: str | None, names: list[str]) -> dict[str, str]:
    """Return name -> file of what was typed."""
    found = {} if model is None else {Path(model).stem: model}
    for text in names:
        name, _, path = text.partition("=")
        if not name or not path or "/" in name:
            raise LatenError(f"--name {text}: expected NAME=MODEL, such as --name wine=wine.laten")
        if name in found:
            raise LatenError(f"--name {text}: there is already a model called {name!r}; choose another name")
        found[name] = path
    if not found:
        raise LatenError("nothing to serve; name a model file: laten serve MODEL")
    return found
