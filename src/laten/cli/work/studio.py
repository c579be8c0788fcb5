"""`laten studio`: the page in the browser."""

from laten.common.errors import DataError, LatenError


def studio(opened: str | None, host: str, port: int | None, token: str | None, browser: bool) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        LatenError: the extra is not installed, or another address was asked for without a token.
        DataError: the port is taken.
    """
    try:
        from laten.server.safety import is_loopback
        from laten.studio.launch import launch
    except ImportError as error:
        raise LatenError(f"the studio needs {error.name}: pip install 'laten[studio]'") from None
    if not is_loopback(host) and not token:
        raise LatenError(f"--host {host}: others can reach the page then; say with --token what they must know")
    try:
        launch(opened, host, port, token, browser)
    except OSError as error:
        raise DataError(f"--host {host} --port {port}: cannot listen there: {error.strerror or error}") from None
