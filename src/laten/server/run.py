"""The process: a socket, signals, and an end at which nothing is lost.

On SIGTERM the server says that it is not ready and ends each connection with its answer, for as long as clients may
need to notice; then it stops to listen, answers what it has, and goes. SIGHUP reads all models anew.
"""

import asyncio
import logging
import signal
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn

from laten.common.errors import LatenError
from laten.server.app import Limits, State, create_app
from laten.server.metrics import Metrics
from laten.server.models import Shelf
from laten.server.safety import LOOPBACK, is_loopback

NOTICE = 2.0  # seconds between SIGTERM and the end of listening
HEARING = 0.5  # seconds after it in which connections that were let in can still ask


class Server(uvicorn.Server):
    """uvicorn, with an end that tells its clients first."""

    state: State
    address: str

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second signal skips the notice, a third ends at once."""
        if self.state.draining:
            self.should_exit, self.force_exit = True, self.should_exit
            return
        self.state.draining = True
        asyncio.get_running_loop().call_later(NOTICE, setattr, self, "should_exit", True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, say where, and hear SIGHUP."""
        await super().startup(sockets)
        for name in self.state.shelf.paths:
            print(f"laten: {self.address}/models/{name}", file=sys.stderr, flush=True)
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.renew)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen, hear those out who have just been let in, and end."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(HEARING)
        await super().shutdown(sockets)

    def renew(self) -> None:
        """Read all models anew."""
        self._renewal = asyncio.create_task(self.state.shelf.look(self.state.shelf.paths))


def serve(paths: dict[str, str], host: str, port: int, token: str | None, limits: Limits) -> None:
    """Serve models until a signal ends it.

    Args:
        paths: Name -> model file.
        token: That requests must know; needed where other machines can ask.
    Raises:
        LatenError: other machines could ask without a token, a model cannot be read, or the port is taken.
    """
    if not is_loopback(host) and not token:
        raise LatenError(f"--host {host} lets other machines in; give a token they must know: --token, or LATEN_TOKEN")
    metrics = Metrics()
    shelf = Shelf(paths, metrics)
    shelf.load()
    listening = bound(host, port)
    port = listening.getsockname()[1]
    names = (*LOOPBACK, host) if is_loopback(host) else None
    app, state = create_app(shelf, limits, metrics, token, names)
    logging.basicConfig(format="laten: %(message)s", level=logging.INFO, stream=sys.stderr, force=True)
    options: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "on", "timeout_keep_alive": 75}
    server = Server(uvicorn.Config(app, **options))
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    server.state = state
    shown = f"[{host}]" if ":" in host else host
    server.address = f"http://{shown}:{port}"
    server.run([listening])


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound.

    Raises:
        LatenError: no such address, or a port that is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        return found
    except OSError as error:
        raise LatenError(f"--host {host} --port {port}: {error.strerror or error}; choose another") from None
