"""Starting a studio: a free port, a token, a browser."""

import secrets
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path

import uvicorn

from laten.studio.app import create_app
from laten.studio.workspace import Workspace

PORT, TRIED = 8642, 50
LOCAL = ("127.0.0.1", "localhost")


def launch(opened: str | None, host: str, port: int | None, token: str | None, browser: bool) -> None:
    """Serve a studio until Ctrl-C.

    Args:
        opened: Data, a model file or a BIF network to begin with.
        port: None: the first that is free from 8642.
        token: None: a new one.
    """
    with tempfile.TemporaryDirectory(prefix="laten-studio-") as folder:
        workspace = Workspace(Path(folder))
        if opened is not None:
            workspace.open(opened)
        with listening(host, port) as door:
            number, token = door.getsockname()[1], token or secrets.token_urlsafe(16)
            names = LOCAL if host in LOCAL else (host, *LOCAL)
            app = create_app(workspace, token, tuple(f"{name}:{number}" for name in names))
            address = f"http://{names[0]}:{number}/?token={token}"
            print(f"laten studio: {address}\nCtrl-C ends it.", file=sys.stderr, flush=True)
            if browser:
                webbrowser.open(address)
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
            server.run(sockets=[door])


def listening(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens: on `port`, or on the first that is free.

    Raises:
        OSError: the port is taken.
    """
    wanted = range(PORT, PORT + TRIED) if port is None else [port]
    for number in wanted:
        try:
            return socket.create_server((host, number))
        except OSError:
            if number == wanted[-1]:
                raise
    raise AssertionError
