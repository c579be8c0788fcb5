"""Heartbeats between the processes of one piece of work: who dies, is stopped, is cut off or waits for ever is noticed.

    others ⇄ first process:  "beat CALLS OVERDUE" each second, "left", "lost TEXT"

Every process has one connection, to the first, and a thread that speaks and listens. A process is lost when its
connection ends without a farewell, when nothing has come from it for `timeout` seconds, or when it does not come to a
call in which others wait. Whoever learns of a loss hands its text to `on_loss`, but only while work is under way.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from laten.common.errors import DataError

BEAT = 1.0  # seconds
FIRST_CALL = 600.0  # seconds that the first call of a kind may take: it is compiled
HELLO = 5.0  # seconds for the word of who connects
WELCOME = b"welcome\n"
LONGER = 10  # times as long as the call before a call may take


class Heartbeats:
    """One process's end.

    Args:
        process: Its number.
        links: Number -> connection: the first process's to all others, another's to the first.
        timeout: Seconds of silence after which a process is lost.
        on_loss: Called from the thread with a sentence, once.
    """

    def __init__(
        self, process: int, links: Mapping[int, socket.socket], timeout: float, on_loss: Callable[[str], None]
    ):
        self.process, self.links, self.timeout, self.on_loss = process, dict(links), timeout, on_loss
        self.verdict = ""
        self.working = self.over = False
        self.calls, self.since, self.limit = 0, 0.0, 0.0  # entered so far; when this one was entered, and its limit
        self.took: dict[str, float] = {}  # kind of call -> seconds of the last one
        self.others = dict.fromkeys(self.links, (0, False))  # calls that each has entered, and whether one is overdue
        self.quiet = dict.fromkeys(self.links, 0.0)  # seconds
        self.unread = dict.fromkeys(self.links, b"")
        self.thread = threading.Thread(target=self.watch, name="laten-heartbeats", daemon=True)
        self.thread.start()

    # -- from the main thread --------------------------------------------------

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Mark that a loss ends everything while the block runs."""
        self.working = True
        try:
            yield
        finally:
            self.working = False

    @contextlib.contextmanager
    def waiting(self, kind: str) -> Iterator[None]:
        """Mark a call that returns only when all processes have come to it.

        An error in it that is of a loss (a connection that broke) waits for the thread's word, which says more.
        """
        usual = LONGER * self.took[kind] if kind in self.took else FIRST_CALL
        self.limit = max(1.5 * self.timeout, usual)  # of one that is silent, silence is said first
        self.calls, self.since = self.calls + 1, time.monotonic()
        try:
            yield
        except Exception:
            time.sleep(3 * BEAT)
            raise
        finally:
            self.took[kind], self.since = time.monotonic() - self.since, 0.0

    def leave(self) -> None:
        """Say farewell: this process's work is done."""
        self.over = True
        for other in self.links:
            self.send(other, "left")

    # -- the thread ------------------------------------------------------------

    def watch(self) -> None:
        """Speak and listen until this process leaves."""
        selector, due = selectors.DefaultSelector(), time.monotonic()
        for other, link in self.links.items():
            selector.register(link, selectors.EVENT_READ, other)
        while not self.over:
            for key, _ in selector.select(max(due - time.monotonic(), 0)):
                if not self.heard(key.data):
                    selector.unregister(key.fileobj)
            if (late := time.monotonic() - due) >= 0:
                due = time.monotonic() + BEAT
                if late > BEAT and self.since:  # a process that was stopped has not waited meanwhile
                    self.since += late
                self.beat()
            if self.verdict and self.working and not self.over:
                self.on_loss(self.verdict)
                return

    def heard(self, other: int) -> bool:
        """Take in what a process has sent; return False where its connection has ended."""
        try:
            data = self.links[other].recv(4096)
        except OSError:
            data = b""
        self.quiet[other] = 0.0
        *lines, self.unread[other] = (self.unread[other] + data).split(b"\n")
        for line in lines:
            word, _, rest = line.decode(errors="replace").partition(" ")
            if word == "lost":
                self.lose(rest, but=other)
            elif word == "left":
                self.lose(f"process {other} has left before the end; its own messages say why", but=other)
            elif word == "beat":
                calls, overdue = rest.split()
                self.others[other] = int(calls), overdue == "1"
        if not data:
            self.lose(f"process {other} has ended", but=other)
        return bool(data)

    def beat(self) -> None:
        """Send a beat, and look at what has not come."""
        overdue = self.since > 0 and time.monotonic() - self.since > self.limit
        for other in self.links:
            self.send(other, f"beat {self.calls} {int(overdue)}")
            self.quiet[other] += BEAT
            if self.quiet[other] > self.timeout:
                self.lose(f"process {other} has been silent for {self.timeout:g} seconds: it is stopped, or cut off")
        if self.process == 0:
            calls = {0: (self.calls, overdue), **self.others}
            if any(late for _, late in calls.values()):
                most = max(n for n, _ in calls.values())
                behind = [str(i) for i, (n, _) in calls.items() if n < most]
                who = f"process {', '.join(behind)} does not go on" if behind else "no process goes on"
                self.lose(f"{who}, and has not for {self.timeout:g} seconds or longer")

    def lose(self, text: str, but: int | None = None) -> None:
        """Note the first loss, and pass it on."""
        if not self.verdict:
            self.verdict = text
            for other in self.links:
                if other != but:
                    self.send(other, f"lost {text}")

    def send(self, other: int, line: str) -> None:
        """Send a line; a connection that is broken or full is noticed by its silence."""
        with contextlib.suppress(OSError):
            self.links[other].send(line.encode() + b"\n", getattr(socket, "MSG_DONTWAIT", 0))


# -- connections ---------------------------------------------------------------


def listening() -> socket.socket:
    """Return a socket that listens on a free port of all addresses."""
    return socket.create_server(("", 0), backlog=1024)


def accepted(listener: socket.socket, token: str, others: int, seconds: float) -> dict[int, socket.socket]:
    """Wait for the other processes; return their connections by number. Who does not know the token is sent away.

    Raises:
        DataError: not all have come in time.
    """
    found: dict[int, socket.socket] = {}
    until = time.monotonic() + seconds
    with listener:
        while len(found) < others:
            listener.settimeout(max(until - time.monotonic(), 0.01))
            try:
                link, _ = listener.accept()
            except TimeoutError:
                raise DataError(f"{others - len(found)} of {others} processes have not come") from None
            process = greeted(link, token)
            if process is None:
                link.close()
            else:
                found[process] = link
    return found


def greeted(link: socket.socket, token: str) -> int | None:
    """Return the number of the process that has connected, and welcome it; None: it is none of ours, or too slow."""
    link.settimeout(HELLO)
    try:
        told, _, number = link.recv(256).decode(errors="replace").strip().partition(" ")
        if told != token or not number.isdecimal():
            return None
        link.sendall(WELCOME)
    except OSError:
        return None
    return int(number)


def connected(hosts: Sequence[str], port: int, token: str, process: int, seconds: float) -> socket.socket:
    """Connect to the first process, by the first of its names that works, until it says welcome.

    Raises:
        DataError: it has not in time.
    """
    reason: Exception | None = None
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for host in hosts:
            link = None
            try:
                link = socket.create_connection((host, port), timeout=seconds)
                link.sendall(f"{token} {process}\n".encode())
                if link.recv(len(WELCOME), socket.MSG_WAITALL) == WELCOME:
                    return link
            except OSError as error:
                reason = error
            if link is not None:
                link.close()  # it may not have waited for a word that came late: again
        time.sleep(0.1)
    raise DataError(f"process 0 cannot be reached at {', '.join(hosts)}, port {port}: {reason or 'it hangs up'}")
