"""The paths of the server, their documentation, and the walk of a request.

    admitted → body, counted while it comes → a thread: rows, the question, its answer → JSON or Arrow

What a request may take (bytes, rows, seconds) and how many are answered at once is bounded before it is read, so that
memory is.
"""

import asyncio
import logging
import os
import time
import warnings
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from laten import __version__
from laten.common.errors import LatenError, LatenWarning
from laten.server import documented
from laten.server.batches import DEADLINE, TooLate
from laten.server.bodies import ARROW, JSON, Data, as_arrow, as_json, check_count, decoded, of_arrow, of_json
from laten.server.metrics import Metrics
from laten.server.models import Served, Shelf
from laten.server.questions import QUESTIONS, Question, Sample, body_from, typed_given
from laten.server.safety import App, Guard, Refused, body_of
from laten.server.wording import sentence

LOG = logging.getLogger("laten.server")
SAID: ContextVar[list[str] | None] = ContextVar("warnings of this request", default=None)
OPEN = ("/healthz", "/readyz")
BODIES_AT_ONCE = 8  # times the longest body: what all requests together may send


@dataclass(frozen=True)
class Limits:
    """What a request may take, and how many are answered at once."""

    rows: int = 10_000
    megabytes: float = 16.0
    seconds: float = 30.0
    waiting: int = 64

    @property
    def bytes(self) -> int:
        """Bytes in a body."""
        return int(self.megabytes * 1e6)


@dataclass
class Line:
    """Who is being answered."""

    limits: Limits
    metrics: Metrics
    requests: int = 0
    bytes: int = 0
    pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        threads = 2 * (os.cpu_count() or 1)  # more wait for each other: 16 on two cores answered a sixth less
        self.pool = ThreadPoolExecutor(min(self.limits.waiting, threads), "laten-request")

    def enter(self, size: int) -> None:
        """Admit a request.

        Raises:
            Refused: 429 there are too many.
        """
        full = self.requests and self.bytes + size > BODIES_AT_ONCE * self.limits.bytes
        if self.requests >= self.limits.waiting or full:
            raise Refused(429, "too many requests at once; ask again in a second", {"retry-after": "1"})
        self.requests += 1
        self.bytes += size
        self.metrics.waiting.set(self.requests)

    def leave(self, size: int) -> None:
        """Let a request go."""
        self.requests -= 1
        self.bytes -= size
        self.metrics.waiting.set(self.requests)


@dataclass
class State:
    """What all requests share."""

    shelf: Shelf
    limits: Limits
    line: Line
    draining: bool = False

    async def answered(self, request: Request, name: str, question: str) -> Response:
        """Answer a question, count it, and turn what is wrong into a sentence."""
        started, rows, status = time.monotonic(), 0, 500
        try:
            served, asked = self.shelf[name], QUESTIONS[question]
            size = int(request.headers.get("content-length", self.limits.bytes))
            self.line.enter(size)
            work = None
            try:
                body = await body_of(request.receive, self.limits.bytes, self.limits.seconds)
                work = asyncio.get_running_loop().run_in_executor(
                    self.line.pool, self.work, served, asked, request, body, started + self.limits.seconds
                )
                work.add_done_callback(lambda done: self.line.leave(size))  # a thread cannot be stopped
            finally:
                if work is None:
                    self.line.leave(size)
            try:
                rows, content, kind = await asyncio.wait_for(
                    asyncio.shield(work), started + self.limits.seconds - time.monotonic()
                )
            except (TimeoutError, TooLate):
                work.add_done_callback(lambda done: done.exception())
                seconds = f"{self.limits.seconds:g} seconds"
                raise Refused(
                    503, f"no answer within {seconds}; send fewer rows at once", {"retry-after": "1"}
                ) from None
            status = 200
            return Response(content, 200, self.headers(), kind)
        except Refused as refused:
            status = refused.status
            return self.refusal(refused.status, refused.sentence, refused.headers)
        except LatenError as error:
            status = 422
            return self.refusal(422, sentence(error))
        except Exception:
            LOG.exception("model %s, %s", name, question)
            return self.refusal(500, "the server failed at this; what went wrong is in its log")
        finally:
            known = name if name in self.shelf.paths else "unknown"
            self.line.metrics.request(known, question, status, time.monotonic() - started, rows)

    def work(
        self, served: Served, question: Question, request: Request, body: bytes, deadline: float
    ) -> tuple[int, bytes, str]:
        """Read rows, ask, and write the answer, in a thread."""
        DEADLINE.set(deadline)
        said: list[str] = []
        SAID.set(said)
        with served.asked() as vae:
            kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
            if kind not in (JSON, ARROW):
                raise Refused(415, f"the body is of {kind}; send {JSON} or {ARROW}")
            options = documented.query_of(question, request.query_params)
            if "given" in options:
                options["given"] = typed_given(vae, options["given"])
            if question.body is Sample:
                found = decoded(body) if body else {}
                data = Data(None, 0)
            elif kind == ARROW:
                found, data = {"rows": []}, of_arrow(vae, body, self.limits.rows)
            else:
                found = decoded(body)
                data = of_json(vae, found.get("rows"), self.limits.rows)
            twice = sorted(set(options) & set(found))
            if twice:
                raise Refused(400, f"{twice[0]} stands in the address and in the body; say it once")
            asked = body_from(question.body, {**options, **found})
            rows = asked.n if isinstance(asked, Sample) else data.rows
            check_count(rows, self.limits.rows)
            accept = request.headers.get("accept", "")
            as_table = ARROW in accept or (kind == ARROW and JSON not in accept)
            if as_table and data.data is not None and kind != ARROW:
                raise Refused(406, f"answers come as {JSON} to rows that come so; send an Arrow stream for one")
            answer = question.answer(vae, data, asked)
        content = as_arrow(answer) if as_table else as_json({**answer, **({"warnings": said} if said else {})})
        return rows, content, ARROW if as_table else JSON

    def headers(self) -> dict[str, str]:
        """Return headers of every answer; connections end while the server does."""
        return {"connection": "close"} if self.draining else {}

    def refusal(self, status: int, said: str, headers: dict[str, str] | None = None) -> Response:
        """Return a refusal; the connection ends where its body may not have been read."""
        return Response(
            as_json({"error": said}), status, {**self.headers(), **(headers or {}), "connection": "close"}, JSON
        )


def create_app(
    shelf: Shelf, limits: Limits, metrics: Metrics, token: str | None, hosts: Collection[str] | None
) -> tuple[App, State]:
    """Make the application, guarded, and what its requests share.

    Args:
        token: That requests must know; None: none.
        hosts: Names that the server answers to; None: any.
    """
    state = State(shelf, limits, Line(limits, metrics))
    Name = Annotated[str, Path(json_schema_extra={"enum": list(shelf.paths)})]
    app = FastAPI(
        title="laten serve", version=__version__, description=documented.ABOUT, docs_url=None, redoc_url=None,
        lifespan=lifespan_of(state),
    )  # fmt: skip

    @app.get("/healthz", **documented.plain("Say that the process lives."))
    async def healthz() -> Response:
        return Response(as_json({"alive": True}), 200, state.headers(), JSON)

    @app.get("/readyz", **documented.plain("Say whether questions are answered at once.", ready=True))
    async def readyz() -> Response:
        if state.draining or not shelf.ready:
            return state.refusal(503, "ending" if state.draining else "the models are being made ready")
        return Response(as_json({"ready": True}), 200, state.headers(), JSON)

    @app.get("/metrics", **documented.plain("Figures for Prometheus.", text=True))
    async def figures() -> Response:
        return Response(metrics.text(), 200, state.headers(), "text/plain; version=0.0.4; charset=utf-8")

    @app.get("/models", **documented.plain("The models that are served."))
    async def models() -> Response:
        return Response(as_json({"models": list(shelf.paths)}), 200, state.headers(), JSON)

    @app.get("/models/{name}", **documented.model("What a model's columns are, and its questions."))
    async def model(name: Name) -> Response:
        try:
            return Response(as_json(documented.described(shelf[name])), 200, state.headers(), JSON)
        except Refused as refused:
            return state.refusal(refused.status, refused.sentence, refused.headers)

    @app.post("/models/{name}/reload", **documented.model("Read a model's file again, without dropping a request."))
    async def reload(name: Name) -> Response:
        try:
            found = await shelf.renew(shelf[name].name)
            return Response(as_json(documented.described(found)), 200, state.headers(), JSON)
        except Refused as refused:
            return state.refusal(refused.status, refused.sentence, refused.headers)
        except LatenError as error:
            return state.refusal(422, f"the old model stays: {sentence(error)}")

    for question, about in QUESTIONS.items():
        add_question(app, state, question, about, Name)
    app.add_exception_handler(HTTPException, lambda request, error: other(state, error))
    return Guard(app, token, hosts, limits.bytes, OPEN), state


def add_question(app: FastAPI, state: State, question: str, about: Question, Name: Any) -> None:
    """Give a question its path."""

    async def ask(name: Name, request: Request) -> Response:
        return await state.answered(request, name, question)

    app.post(f"/models/{{name}}/{question}", **documented.question(question, about))(ask)


def other(state: State, error: Any) -> Response:
    """Say in a sentence that there is no such path, or that it is asked in another way."""
    words = {404: "there is no such path; see /openapi.json", 405: "this path is asked in another way (GET or POST)"}
    return state.refusal(error.status_code, words.get(error.status_code, str(error.detail)), error.headers)


def lifespan_of(state: State) -> Any:
    """Return what runs while the application does: models are made ready, and their files watched."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", LatenWarning)
            warnings.showwarning = say
            tasks = [asyncio.create_task(warm_or_end(state)), asyncio.create_task(state.shelf.watch())]
            yield
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            for served in state.shelf.models.values():
                await asyncio.to_thread(served.batches.close, True)
            state.line.pool.shutdown(wait=False)

    return lifespan


async def warm_or_end(state: State) -> None:
    """Make the models ready; one that cannot be asked is said in the log, and the server is not ready."""
    try:
        await state.shelf.warm()
    except LatenError as error:
        LOG.error("a model cannot be asked: %s", error)
    except Exception:
        LOG.exception("a model cannot be asked")


def say(message: Warning | str, *origin: object, **more: object) -> None:
    """Keep a warning of the library for the answer of its request."""
    said = SAID.get()
    if said is not None:
        text = sentence(message)
        if text not in said:
            said.append(text)
