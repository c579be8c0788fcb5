"""The built site in a headless Chromium: `make test-site` builds it and runs these; without either they are skipped."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = Path(os.environ.get("LATEN_SITE", ROOT / "build" / "docs"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, as Debian has it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright, for tests of the site")
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    if not (SITE / "article.html").exists():
        pytest.skip("no site in build/docs: make docs")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser):
    """Open a page of the site from its folder on disk: `opened("id/article.html", width=360, dark=True)`.

    A request that leaves the folder, or an error in the page, fails the test.
    """
    found, contexts = [], []

    def open_page(name, width=1280, dark=False, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: found.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None)
        page.on("pageerror", lambda error: found.append(str(error)))
        page.goto((SITE / name).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert found == []
