"""The HTTP of the page *Network*."""

from typing import Any

from fastapi import FastAPI

from laten.studio import network_page
from laten.studio.uploads import Given
from laten.studio.workspace import Workspace


def routes_of_network(app: FastAPI, workspace: Workspace) -> None:
    """Add how a network is looked at and changed."""

    @app.get("/api/network")
    def network() -> dict[str, Any]:
        return network_page.shown(workspace)

    @app.post("/api/network/edit")
    def edit(body: Given) -> dict[str, Any]:
        return network_page.edit(workspace, body)

    @app.post("/api/network/text")
    def text(body: Given) -> dict[str, Any]:
        return network_page.typed(workspace, body.get("text"), body.get("typing"))

    @app.post("/api/network/undo")
    def undo() -> dict[str, Any]:
        return network_page.step(workspace, -1)

    @app.post("/api/network/redo")
    def redo() -> dict[str, Any]:
        return network_page.step(workspace, 1)
