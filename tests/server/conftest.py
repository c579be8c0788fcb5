"""A tiny model behind the server, asked in its own process: httpx speaks to the application, no socket is opened."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

import laten as lt

pytest.importorskip("fastapi")

from laten.server.app import Limits, State, create_app, lifespan_of
from laten.server.metrics import Metrics
from laten.server.models import Shelf


def people(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "height": rng.normal(170, 10, rows).round(1),
            "income": np.where(rng.random(rows) < 0.5, ">50K", "<=50K"),
            "city": rng.choice(["Bandung", "Jakarta", "Medan"], rows),
        }
    )
    frame.loc[3, "height"] = np.nan
    return frame


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "people.laten"
    lt.VAE(latent=2, width=4, epochs=2, batch_size=16).fit(people()).save(path)
    return path


@pytest.fixture
def served(model: Path, tmp_path: Path) -> Callable[..., Any]:
    """Opens a client and the state of a server of `people`; `hosts`, `token` and limits as wanted."""

    @contextlib.asynccontextmanager
    async def opened(
        token: str | None = None, hosts: Any = ("test",), file: Path = model, **limits: Any
    ) -> AsyncIterator[tuple[httpx.AsyncClient, State]]:
        path = tmp_path / "people.laten"
        shutil.copy(file, path)
        metrics = Metrics()
        shelf = Shelf({"people": str(path)}, metrics, ready=True)
        shelf.load()
        app, state = create_app(shelf, Limits(**limits), metrics, token, hosts)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with lifespan_of(state)(None), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client, state

    return opened


@pytest.fixture
def asked(served: Callable[..., Any]) -> Callable[..., Any]:
    """Runs `talk(client, state)` against such a server."""

    def run(talk: Callable[..., Any], **options: Any) -> Any:
        async def whole() -> Any:
            async with served(**options) as (client, state):
                return await talk(client, state)

        return asyncio.run(whole())

    return run
