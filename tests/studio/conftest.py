"""A studio that runs, and a browser that looks at it."""

import shutil
import threading
import time

import pytest

WAIT = 120_000  # milliseconds: a busy machine compiles for long
SAVE = """fetch("/api/state").then((answer) => answer.json()).then((state) => Promise.all(
  state.fresh.map((name) => fetch(`/api/model.laten?name=${name}`).then((answer) => answer.blob()))))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    import uvicorn

    from laten.studio.app import create_app
    from laten.studio.launch import listening
    from laten.studio.workspace import Workspace

    door = listening("127.0.0.1", None)
    port = door.getsockname()[1]
    app = create_app(Workspace(tmp_path_factory.mktemp("studio")), "t", ("127.0.0.1",))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as p:
        found = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser, address):
    found = browser.new_page(viewport={"width": 1440, "height": 1000})
    found.set_default_timeout(WAIT)
    found.wrong, found.asked = [], []
    found.on("console", lambda m: found.wrong.append(m.text) if m.type == "error" else None)
    found.on("pageerror", lambda e: found.wrong.append(str(e)))
    found.on("request", lambda r: found.asked.append(r.url))
    found.goto(f"{address}/?token=t")
    found.evaluate(SAVE)  # what an earlier test has trained: the page does not ask what becomes of it
    found.evaluate("localStorage.setItem('laten toured', 'yes'); location.hash = 'data'")
    found.reload()
    yield found
    assert found.wrong == []
    assert all(url.startswith((address, "data:", "blob:")) for url in found.asked)
    found.close()
