"""The studio's HTTP about models: one beside another, and one that is audited."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request

from laten.studio import comparing
from laten.studio.uploads import Given, received
from laten.studio.workspace import Workspace


def routes_of_models(app: FastAPI, workspace: Workspace) -> None:
    """Add what is asked of two models, and of one that is audited."""

    @app.put("/api/other/{name}")
    async def other(name: str, request: Request) -> dict[str, Any]:
        path = workspace.folder / "other.laten"
        await received(request, path, name)
        found = await asyncio.to_thread(workspace.add_model, str(path), Path(name).name)
        return workspace.state() | {"added": found}

    @app.get("/api/compare")
    def compare(other: str) -> dict[str, Any]:
        return comparing.compare(workspace, other)

    @app.post("/api/compare/columns")
    def columns(body: Given) -> dict[str, Any]:
        comparing.begin_columns(workspace, str(body.get("other")))
        return job("columns")

    @app.get("/api/compare/samples")
    def samples(other: str) -> dict[str, Any]:
        return comparing.compare_samples(workspace, other)

    @app.post("/api/audit")
    def audit(body: Given) -> dict[str, Any]:
        comparing.begin_audit(workspace, body.get("rows", 0), bool(body.get("every")))
        return job("audit")

    @app.get("/api/job/{name}")
    def job(name: str) -> dict[str, Any]:
        return workspace.jobs[name].state() if name in workspace.jobs else {}

    @app.post("/api/job/{name}/cancel")
    def cancel(name: str) -> dict[str, Any]:
        if name in workspace.jobs:
            workspace.jobs[name].cancel()
        return job(name)
