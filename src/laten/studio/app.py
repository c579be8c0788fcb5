"""The studio's HTTP: questions of the page to a `Workspace`, and who may ask them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles

from laten.common.errors import LatenError
from laten.data.datasets.embedded import DATASETS
from laten.server.safety import COOKIE, Guard, knows
from laten.studio import as_json, copied, filling, network_page, odd_rows, places, questions
from laten.studio.model_routes import routes_of_models
from laten.studio.network_routes import routes_of_network
from laten.studio.uploads import LARGEST, Given, received
from laten.studio.workspace import Workspace

STATIC = Path(__file__).parent / "static"
SHOWN = 50  # rows of a table on the page
PAUSE = 0.4  # seconds between two looks at a training
POLICY = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
FIT = {"latent": int, "width": int, "epochs": int, "seed": int, "numbers": str}
Next = Callable[[Request], Awaitable[Response]]


def create_app(workspace: Workspace, token: str, hosts: tuple[str, ...]) -> FastAPI:
    """Return the application.

    Args:
        token: What the first address must hold; then a cookie is enough.
        hosts: Names by which the page may be called: anything else is another site's trick.
    """
    app = FastAPI(title="laten studio", docs_url=None, redoc_url=None, openapi_url=None)

    app.add_middleware(Guard, token=token, hosts=hosts, most_bytes=LARGEST, opened=("/",))

    @app.middleware("http")
    async def with_headers(request: Request, call_next: Next) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(LatenError)
    async def said(request: Request, error: LatenError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=422)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": f"laten failed here: {type(error).__name__}: {error}"}, status_code=500)

    @app.get("/")
    def page(request: Request) -> Response:
        shown = request.query_params.get("token", "")
        if knows({"authorization": f"Bearer {shown}"}, token):
            response = RedirectResponse("/", status_code=303)
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
            return response
        if knows(dict(request.headers), token):
            return FileResponse(STATIC / "index.html")
        return JSONResponse({"detail": "open the address with its token, as the terminal shows it"}, status_code=401)

    routes_of_data(app, workspace)
    routes_of_network(app, workspace)
    routes_of_training(app, workspace)
    routes_of_questions(app, workspace)
    routes_of_map(app, workspace)
    routes_of_models(app, workspace)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


def routes_of_data(app: FastAPI, workspace: Workspace) -> None:
    """Add what concerns the table."""

    @app.get("/api/state")
    def state() -> dict[str, Any]:
        return workspace.state()

    @app.put("/api/file/{name}")
    async def upload(name: str, request: Request) -> dict[str, Any]:
        path = workspace.folder / f"upload{''.join(Path(Path(name).name).suffixes[-2:])}"
        await received(request, path, name)
        await asyncio.to_thread(workspace.open, str(path), Path(name).name)
        return workspace.state()

    @app.post("/api/example/{name}")
    def example(name: str) -> dict[str, Any]:
        if name not in DATASETS:  # never a path
            raise LatenError(f"there is no example {name!r}")
        workspace.open(name)
        return workspace.state()

    @app.post("/api/back")
    def back() -> dict[str, Any]:
        workspace.back()
        return workspace.state()

    @app.get("/api/columns")
    def columns() -> list[dict[str, Any]]:
        return as_json.cards(*workspace.table(), workspace.changes)

    @app.post("/api/column")
    def column(body: Given) -> list[dict[str, Any]]:
        workspace.change(str(body.pop("column", "")), body)
        return as_json.cards(*workspace.table(), workspace.changes)

    @app.post("/api/column/undo")
    def undo() -> list[dict[str, Any]]:
        workspace.undo_change()
        return as_json.cards(*workspace.table(), workspace.changes)

    @app.get("/api/rows")
    def rows(first: int = 0) -> dict[str, Any]:
        frame, _ = workspace.table()
        first = max(0, first)
        return {"first": first, "of": len(frame), **as_json.table(frame.iloc[first : first + SHOWN])}

    @app.get("/api/schema.toml")
    def schema() -> Response:
        return download(workspace.table()[1].to_toml(), "schema.toml", "application/toml")


def routes_of_training(app: FastAPI, workspace: Workspace) -> None:
    """Add how a model comes about and is taken away."""

    @app.post("/api/fit")
    def fit(body: Given) -> dict[str, Any]:
        workspace.fit(options_of(body))
        return workspace.state()

    @app.post("/api/fit/code")
    def code(body: Given) -> dict[str, str] | None:
        if workspace.edits.text is not None:
            return network_page.fit_code(workspace, options_of(body))
        return copied.fit(workspace.source, workspace.schema, workspace.changes, options_of(body))

    @app.post("/api/fit/more")
    def more() -> dict[str, Any]:
        workspace.go_on()
        return workspace.state()

    @app.get("/api/glimpse")
    def glimpse() -> dict[str, Any]:
        return (workspace.training and workspace.training.picture) or {}

    @app.post("/api/stop")
    def stop() -> dict[str, Any]:
        if workspace.training is not None:
            workspace.training.stop()
        return workspace.state()

    @app.get("/api/events")
    async def events(request: Request) -> StreamingResponse:
        return StreamingResponse(told(workspace, request), media_type="text/event-stream")

    @app.get("/api/model.laten")
    def model(name: str = "") -> FileResponse:
        name = name or workspace.model_file
        path = workspace.folder / name
        if name not in (*workspace.models, workspace.model_file) or not path.is_file():
            raise LatenError("there is no such model; train one first")
        workspace.fresh -= {name}
        return FileResponse(path, filename=path.name, media_type="application/octet-stream")


def routes_of_questions(app: FastAPI, workspace: Workspace) -> None:
    """Add what a model is asked."""

    @app.post("/api/ask")
    def ask(body: Given) -> dict[str, Any]:
        return questions.ask(workspace, body)

    @app.post("/api/likely")
    def likely(body: Given) -> dict[str, Any]:
        return questions.likely(workspace, body)

    @app.get("/api/fill")
    def fill() -> dict[str, Any]:
        return filling.fill(workspace)

    @app.get("/api/fill/intervals")
    def intervals() -> list[list[str | None]]:
        return filling.intervals(workspace)

    @app.post("/api/fill/code")
    def fill_code(body: Given) -> dict[str, str]:
        return filling.code(workspace, body)

    @app.post("/api/filled.csv")
    def filled(body: Given) -> Response:
        return download(filling.filled_csv(workspace, body), "filled.csv")

    @app.post("/api/filled.parquet")
    def filled_parquet(body: Given) -> FileResponse:
        return FileResponse(filling.filled_parquet(workspace, body), filename="filled.parquet")

    @app.get("/api/odd")
    def odd(below: float | None = None) -> dict[str, Any]:
        return odd_rows.odd(workspace, below)

    @app.get("/api/odd.csv")
    def flagged(below: float | None = None) -> Response:
        return download(odd_rows.flagged_csv(workspace, below), "odd.csv")

    @app.get("/api/ordinary")
    def ordinary(row: int, column: str) -> dict[str, Any]:
        return odd_rows.ordinary(workspace, row, column)

    @app.post("/api/synthetic")
    def synthetic(body: Given) -> dict[str, Any]:
        n = body.get("n")
        if not isinstance(n, int) or not 1 <= n <= 1_000_000:
            raise LatenError("how many rows? a whole number from 1 to 1 000 000")
        return questions.draw(workspace, n, body.get("given") or {})

    @app.get("/api/synthetic.csv")
    def drawn() -> Response:
        return download(questions.drawn_csv(workspace), "synthetic.csv")

    @app.get("/api/quality")
    def quality() -> dict[str, Any]:
        return questions.judge(workspace)


def routes_of_map(app: FastAPI, workspace: Workspace) -> None:
    """Add what the latents of rows are asked."""

    @app.get("/api/map")
    def latent_map(colour: str = "", method: str = "auto") -> Response:
        return Response(places.points(workspace, colour, method), media_type="application/octet-stream")

    @app.get("/api/map/density")
    def density(colour: str = "", method: str = "auto") -> dict[str, Any]:
        return places.densities(workspace, colour, method)

    @app.post("/api/decode")
    def decode(body: Given) -> dict[str, Any]:
        return places.decode(workspace, body)

    @app.post("/api/path")
    def path(body: Given) -> dict[str, Any]:
        return places.path(workspace, body.get("from"), body.get("to"))

    @app.post("/api/selected")
    def selected(body: Given) -> dict[str, Any]:
        return places.selected(workspace, body.get("places"))

    @app.post("/api/selected.csv")
    def selected_rows(body: Given) -> Response:
        return download(places.selected_csv(workspace, body.get("places")), "selected.csv")


def options_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a fit that a page may set.

    Raises:
        LatenError: another option, or another type.
    """
    for name, value in body.items():
        if name not in FIT or not isinstance(value, FIT[name]) or isinstance(value, bool):
            raise LatenError(f"a fit has no option {name}={value!r}")
    return body


async def told(workspace: Workspace, request: Request) -> AsyncIterator[str]:
    """Yield how a training goes, whenever there is news, until it ends."""
    before = ""
    while not await request.is_disconnected():
        state = workspace.state()
        now = json.dumps(state)
        if now != before:
            before = now
            yield f"data: {now}\n\n"
        if not (state["training"] or {}).get("running"):
            return
        await asyncio.sleep(PAUSE)


def download(text: str, name: str, kind: str = "text/csv") -> Response:
    """Return a text as a file."""
    return Response(text, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
