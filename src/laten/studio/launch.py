"""Starting a studio: a free port, a token, a browser."""

import secrets
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path

import uvicorn

from laten.server.safety import LOOPBACK, is_loopback
from laten.studio.app import create_app
from laten.studio.workspace import Workspace

PORT, TRIED = 8642, 50


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
            names = LOOPBACK if is_loopback(host) else (host, *LOOPBACK)
            app = create_app(workspace, token, names)
            address = f"http://{host}:{number}/?token={token}"
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
