"""The studio's page in a real browser: the whole tour, both languages, narrow and wide, light and dark, keys alone."""

import re
import shutil

import pytest

from laten.data.datasets.simulated_clinic import clinic

pytest.importorskip("fastapi")
pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt install chromium"), pytest.mark.slow]


def tab(page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("button", name=name, exact=True).click()


def test_the_tour(page, tmp_path):
    """Drop a table with holes, correct a kind, train, ask of three columns, look at the map, fill, odd rows, draw."""
    frame = clinic(300, seed=0).iloc[:, :10]
    frame.to_csv(tmp_path / "patients.csv", index=False)
    page.locator("input[type=file]").set_input_files(tmp_path / "patients.csv")
    page.get_by_label("visits: kind").select_option("real")
    page.get_by_role("button", name="Go on: train a model").click()
    page.get_by_label("Latent dimensions").fill("2")
    page.get_by_label("Passes over the rows").fill("6")
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("Done: the plan is complete.").wait_for()
    page.get_by_role("button", name="Ask the model").click()
    page.get_by_role("button", name=re.compile("^ward: cardiac")).click()
    page.get_by_text("ward: cardiac ✕").wait_for()
    box = page.locator("section[id='ask age'] svg").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 20, steps=4)
    page.mouse.up()
    page.get_by_text(re.compile(r"^age: \d")).wait_for()
    page.get_by_role("textbox", name="visits").fill(">=1")
    page.get_by_role("textbox", name="visits").press("Enter")
    page.get_by_text("visits: >=1").wait_for()
    assert page.locator("section.card.given").count() == 3
    page.get_by_text("As code").click()
    assert "vae.marginals({'ward': 'cardiac', 'age': lt.between(" in page.locator("pre[data-code=python]").inner_text()
    tab(page, "Map")
    canvas = page.locator("canvas.map")
    canvas.focus()
    canvas.press("ArrowRight")
    page.get_by_text("row 0").wait_for()
    tab(page, "Fill holes")
    assert page.locator("td.filled").first.inner_text()
    tab(page, "Odd rows")
    page.get_by_role("button", name=re.compile(r"^\d+$")).nth(1).click()
    tab(page, "Synthetic rows")
    page.get_by_label("How many rows").fill("50")
    page.get_by_role("button", name="Draw").click()
    page.get_by_text("First rows").wait_for()


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_page_is_wider_than_the_screen_or_hard_to_read(page, language, theme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(
        "([l, t]) => {localStorage.setItem('laten language', l); localStorage.setItem('laten theme', t)}",
        [language, theme],
    )
    page.reload()
    page.get_by_role("button", name="wine").click()
    page.locator("section.card").first.wait_for()
    for name in ("data", "network", "train", "ask", "map", "fill", "odd", "synthetic"):
        page.evaluate(f"location.hash = '{name}'")
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        found = axe.run(page).response["violations"]
        bad = [(v["id"], v["nodes"][0]["html"][:120]) for v in found if v["impact"] in ("serious", "critical")]
        assert bad == [], name


def test_a_network_is_asked_by_keys_alone(page, pytestconfig):
    page.locator("input[type=file]").set_input_files(pytestconfig.rootpath / "docs" / "asia.bif")
    page.get_by_text("exact probabilities").wait_for()
    first = page.locator("section[id='ask smoke'] button.bar").first
    first.focus()
    first.press("Enter")
    page.locator("section[id='ask smoke'].given").wait_for()
    assert page.locator("section[id='ask smoke'] button.bar").first.get_attribute("aria-pressed") == "true"
