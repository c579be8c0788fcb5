"""The site as a whole: small, closed in itself, and every answer near its first page."""

import os
import re
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))
from docsite.links import check_links, clicks  # noqa: E402

SITE = Path(os.environ.get("LATEN_SITE", ROOT / "build" / "docs"))
built = pytest.mark.skipif(not (SITE / "article.html").exists(), reason="no site in build/docs: make docs")
QUESTIONS = {
    "How do I fill holes with intervals?": "how-to/fill-holes.html",
    "Is my latent space collapsed?": "how-to/read-an-audit.html",
    "What is the log-likelihood of new rows?": "how-to/score-new-rows.html",
    "How do I make synthetic rows that keep a rule?": "how-to/synthetic-rows.html",
    "Which rows are odd, and why?": "how-to/odd-rows.html",
    "How do I get p(column | others)?": "how-to/any-conditional.html",
    "Which guide do I choose?": "how-to/choose-a-guide.html",
    "How do I save and load?": "how-to/save-and-load.html",
    "How do I reproduce a run?": "how-to/reproduce-a-run.html",
    "What does an error message mean?": "reference/errors.html",
}
KINDS = (
    "index", "tutorials/table-with-holes", "how-to/fill-holes", "gallery", "coming-from/pyod", "tables", "id/tables",
    "reference/vae", "reference/families", "reference/commands", "reference/errors",
)  # fmt: skip


@built
def test_ten_questions_are_one_click_away():
    far = clicks(SITE)
    assert {question: far.get(page) for question, page in QUESTIONS.items() if far.get(page) != 1} == {}


@built
def test_every_page_is_reached_in_both_languages():
    pages = {str(page.relative_to(SITE)) for page in SITE.rglob("*.html")} - {"404.html", "id/404.html"}
    assert pages <= set(clicks(SITE)) and pages <= set(clicks(SITE, "id/index.html"))


@built
def test_links_lead_somewhere_and_the_site_is_small():
    assert check_links(SITE) > 1000
    assert sum(file.stat().st_size for file in SITE.rglob("*") if file.is_file()) < 20 * 2**20


@pytest.fixture
def served():
    """The address of the site on a plain web server."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=str(SITE))

        def log_message(self, *given):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("way", ["folder", "server"])
def test_the_first_page_is_light_until_search_is_used(browser, served, way):
    home = SITE.as_uri() if way == "folder" else served
    context = browser.new_context()
    page, files = context.new_page(), set()
    page.on("request", lambda request: files.add(re.sub(r"[?#].*", "", request.url)))
    page.goto(f"{home}/index.html", wait_until="networkidle")
    sizes = {url: (SITE / url.removeprefix(home).lstrip("/")).stat().st_size for url in files}
    assert 300_000 < sum(sizes.values()) < 500_000, sizes
    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox", name="Search").fill("audit")
    page.get_by_role("option").first.wait_for()
    assert any(Path(url).stem == "search" for url in files - set(sizes))
    context.close()


@pytest.mark.parametrize("name", KINDS)
def test_axe_finds_no_serious_fault_on_a_page_of_each_kind(opened, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    if not (SITE / f"{name}.html").exists():
        pytest.skip(f"no page {name}")
    found = axe.Axe().run(opened(f"{name}.html"), context=".md-content")
    faults = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in faults] == []


@built
def test_a_page_without_translation_leads_to_the_nearest():
    text = (SITE / "reference" / "vae.html").read_text()
    assert 'href="../id/index.html" hreflang="id"' in " ".join(text.split())
