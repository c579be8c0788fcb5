"""`laten studio`: the page in the browser."""

from laten.common.errors import DataError, LatenError

LOCAL = ("127.0.0.1", "localhost", "::1")


def studio(opened: str | None, host: str, port: int | None, token: str | None, browser: bool) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        LatenError: the extra is not installed, or another address was asked for without a token.
        DataError: the port is taken.
    """
    if host not in LOCAL and not token:
        raise LatenError(f"--host {host}: others can reach the page then; say with --token what they must know")
    try:
        from laten.studio.launch import launch
    except ImportError as error:
        raise LatenError(f"the studio needs {error.name}: pip install 'laten[studio]'") from None
    try:
        launch(opened, host, port, token, browser)
    except OSError as error:
        raise DataError(f"--host {host} --port {port}: cannot listen there: {error.strerror or error}") from None
