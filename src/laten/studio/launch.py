"""Starting a studio: a free port, a token, a browser."""

import secrets
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import uvicorn

from laten.classical.discrete import DiscreteNetwork
from laten.common.errors import LatenError
from laten.data.containers.containers import taken_table
from laten.estimator.plain_vae import PlainVAE
from laten.server.safety import LOOPBACK, is_loopback
from laten.studio import runs
from laten.studio.app import create_app
from laten.studio.warming import warm
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
        workspace = Workspace(Path(folder), runs.home(), warm)
        if opened is not None:
            workspace.open(opened)
        with listening(host, port) as door:
            server, address = served(workspace, door, host, token or secrets.token_urlsafe(16))
            print(f"laten studio: {address}\nCtrl-C ends it.", file=sys.stderr, flush=True)
            if browser:
                webbrowser.open(address)
            server.run(sockets=[door])


def served(workspace: Workspace, door: socket.socket, host: str, token: str) -> tuple[uvicorn.Server, str]:
    """Return what serves a workspace at an open door, and the address of its page."""
    names = LOOPBACK if is_loopback(host) else (host, *LOOPBACK)
    app = create_app(workspace, token, names)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    return server, f"http://{host}:{door.getsockname()[1]}/?token={token}"


class Studio:
    """A studio that a thread serves, until `close()` or the end of Python; `url` is the address of its page."""

    def __init__(self, workspace: Workspace, folder: tempfile.TemporaryDirectory[str]) -> None:
        self._folder, self._door = folder, listening("127.0.0.1", None)
        self._server, self.url = served(workspace, self._door, "127.0.0.1", secrets.token_urlsafe(16))
        keep: dict[str, Sequence[socket.socket]] = {"sockets": [self._door]}
        self._thread = threading.Thread(target=self._server.run, kwargs=keep, daemon=True, name="laten studio")
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)

    def close(self) -> None:
        """End the studio; the page stops to answer."""
        self._server.should_exit = True
        self._thread.join(10)
        self._door.close()
        self._folder.cleanup()

    def __repr__(self) -> str:
        return f"laten studio: {self.url}"

    def _repr_html_(self) -> str:
        return f'<p>laten studio: <a href="{escape(self.url)}" target="_blank">{escape(self.url)}</a></p>'


def opened_studio(model: Any, data: Any, browser: bool) -> Studio:
    """Serve a studio of a fitted model and data, from Python.

    Raises:
        LatenError: neither is what a studio shows.
    """
    folder = tempfile.TemporaryDirectory(prefix="laten-studio-", ignore_cleanup_errors=True)
    workspace = Workspace(Path(folder.name), runs.home(), warm)
    try:
        fill(workspace, model, data)
        studio = Studio(workspace, folder)
    except BaseException:
        folder.cleanup()
        raise
    if browser:
        webbrowser.open(studio.url)
    return studio


def fill(workspace: Workspace, model: Any, data: Any) -> None:
    """Give a workspace a model and data; either may be the path of a file."""
    fitted = getattr(model, "vae_", model)
    if isinstance(model, str | Path):
        workspace.open(str(model))
    elif isinstance(fitted, PlainVAE):
        workspace.take_model(fitted, "model.laten")
    elif isinstance(model, DiscreteNetwork):
        workspace.exact, workspace.model_file = model, f"{model.name}.bif"
    elif model is not None:
        raise LatenError(f"studio: expected a fitted model or a network of laten, not {type(model).__name__}")
    if isinstance(data, str | Path):
        workspace.open(str(data))
    elif data is not None:
        vae = workspace.vae
        came = taken_table(data).data if vae is None else vae.view_.taken(data).data
        workspace.take(next(iter(came.values())) if isinstance(came, dict) else came, "", like=vae)


def listening(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens: on `port`, or on the first that is free.

    Raises:
        OSError: the port is taken.
    """
    wanted = range(PORT, PORT + TRIED) if port is None else [port]
    for number in wanted:
        try:
            found = socket.create_server((host, number))
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else answers wait 40 ms for the client's word
            return found
        except OSError:
            if number == wanted[-1]:
                raise
    raise AssertionError
