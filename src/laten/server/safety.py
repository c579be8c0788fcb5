"""Who may ask, from where, and how much: shared by all that `laten` answers over HTTP. Knows no web framework.

- A web page of someone else must not reach a server on this machine: `Host` has to be one of the names it is known by
  (DNS rebinding), and `Origin`, which browsers send, has to be the server's own (cross-site requests).
- Whoever is let in from other machines has a token: `Authorization: Bearer TOKEN`, or a cookie.
- Bodies are counted while they come, and slow ones are given up.
"""

import asyncio
import contextlib
import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
COOKIE = "laten_token"


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: Of HTTP.
        sentence: What is wrong, and what to do.
        headers: More of them.
    """

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers or {}


def is_loopback(host: str) -> bool:
    """Say whether only programs on this machine reach a server that listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """An ASGI application behind which another stands: it lets through what may be asked.

    Args:
        app: The other.
        token: Which requests must know; None: none is needed.
        hosts: Names by which the server is called, without port; None: any (behind a token that is no danger).
        most_bytes: Of a body; what says at once that it is longer is refused.
        opened: Paths that need no token.
    """

    def __init__(
        self, app: App, token: str | None, hosts: Collection[str] | None, most_bytes: int, opened: Collection[str] = ()
    ) -> None:
        self.app, self.token, self.hosts, self.most_bytes, self.opened = app, token, hosts, most_bytes, opened

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "http":
            try:
                self.check(scope)
            except Refused as refused:
                await answer(refused, send)
                return
        await self.app(scope, receive, send)

    def check(self, scope: Message) -> None:
        """Check where a request comes from, whether it knows the token, and how long it says to be.

        Raises:
            Refused: 400, 401, 403, 411 or 413.
        """
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        host = headers.get("host", "")
        if self.hosts is not None and name_of(host) not in self.hosts:
            raise Refused(403, f"this server answers to {', '.join(self.hosts)}, not to the host {host!r}")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise Refused(403, f"a page of {origin} may not ask this server; ask it from a program, without `Origin`")
        if self.token is not None and scope["path"] not in self.opened and not knows(headers, self.token):
            raise Refused(
                401, "say the token: the header `Authorization: Bearer TOKEN`", {"www-authenticate": "Bearer"}
            )
        length = headers.get("content-length")
        if length is not None and (not length.isdecimal() or int(length) > self.most_bytes):
            raise too_large(self.most_bytes)


def name_of(host: str) -> str:
    """Return the name in a `Host` header, without the port."""
    return host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]


def knows(headers: MutableMapping[str, str], token: str) -> bool:
    """Say whether a request knows the token, as a bearer or by its cookie; in a time that tells nothing of it."""
    kind, _, said = headers.get("authorization", "").partition(" ")
    found = [said.strip()] if kind.lower() == "bearer" else []
    with contextlib.suppress(CookieError):
        found += [morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items() if name == COOKIE]
    return any(hmac.compare_digest(text.encode("utf-8", "replace"), token.encode()) for text in found)


async def body_of(receive: Receive, most_bytes: int, seconds: float) -> bytes:
    """Return a body, counted while it comes.

    Args:
        most_bytes: More are refused as soon as they are seen.
        seconds: Within which all of it must be there.
    Raises:
        Refused: 413 too long, 408 too slow, 400 the client went away.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the request ended before its body")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most_bytes:
                    raise too_large(most_bytes)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Refused(408, f"the body did not come within {seconds:g} seconds; send less at once") from None


def too_large(most_bytes: int) -> Refused:
    """Return the refusal of a body that is too long."""
    return Refused(413, f"a body has at most {most_bytes / 1e6:g} MB here; send the rows in several requests")


async def answer(refused: Refused, send: Send) -> None:
    """Send a refusal. The connection is closed: the rest of the body may still be on its way."""
    text = json.dumps({"error": refused.sentence}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(text)), "connection": "close"}
    raw = [(k.encode(), v.encode()) for k, v in {**headers, **refused.headers}.items()]
    await send({"type": "http.response.start", "status": refused.status, "headers": raw})
    await send({"type": "http.response.body", "body": text})
