"""The studio's page in a real browser: the whole tour, both languages, narrow and wide, light and dark, keys alone."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from laten.data.datasets.simulated_clinic import clinic
from laten.estimator.plain_vae import PlainVAE

pytest.importorskip("fastapi")
expect = pytest.importorskip("playwright.sync_api").expect
WAIT = 120_000  # milliseconds: a busy machine compiles for long
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
    page.get_by_label("smoker: kind").select_option("categorical")
    page.get_by_label("smoker: Levels never seen").select_option("other")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("smoker: Levels never seen")).to_have_value("error", timeout=WAIT)
    page.get_by_role("button", name="Go on: train a model").click()
    page.get_by_label("Latent dimensions").fill("2")
    page.get_by_label("Passes over the rows").fill("6")
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("Done: the plan is complete.").wait_for()
    page.get_by_role("button", name="Ask the model").click()
    page.get_by_role("button", name=re.compile("^ward: cardiac")).click()
    page.get_by_text("ward: cardiac ✕").wait_for()
    box = page.locator("section[id='ask age'] svg[role=img]").bounding_box()
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
    for key in ("Enter", "ArrowRight", "ArrowRight", "Enter"):
        canvas.press(key)
    page.get_by_text("Line from row 0 to row 2").wait_for()
    page.get_by_label("Densities").check()
    page.get_by_text("half of the points lie inside the inner line").wait_for()
    tab(page, "Fill holes")
    page.locator("td.filled button").first.press("Enter")
    page.get_by_text("1 stay empty").wait_for()
    page.locator("th.choice button").first.press("Enter")  # the whole column, of which one cell is among it or not
    page.get_by_text(re.compile(r"^([2-9]|\d\d+) stay empty")).wait_for()
    page.locator("td.filled small").first.wait_for()
    with page.expect_download() as found:
        page.get_by_role("button", name="Download the filled table").press("Enter")
    assert found.value.suggested_filename == "filled.csv"
    tab(page, "Odd rows")
    mark = page.get_by_role("slider", name="Threshold, nats")
    mark.focus()
    before = page.locator("p.verdict").inner_text()
    for _ in range(12):
        mark.press("ArrowRight")
    expect(page.locator("p.verdict")).not_to_have_text(before, timeout=WAIT)
    with page.expect_download() as found:
        page.get_by_role("link", name="Download all rows with their flag").click()
    assert found.value.suggested_filename == "odd.csv"
    page.get_by_role("button", name=re.compile(r"^\d+$")).nth(1).click()
    page.get_by_text("ordinary would be").wait_for()
    tab(page, "Synthetic rows")
    page.get_by_label("How many rows").fill("50")
    page.get_by_role("button", name="Draw").click()
    page.get_by_text("First rows").wait_for()
    tab(page, "Ask")
    page.get_by_text("age: ").first.wait_for()
    page.keyboard.press("Control+z")  # what was typed is taken back
    expect(page.locator("section.card.given")).to_have_count(2, timeout=WAIT)
    page.get_by_role("button", name="The most probable row").click()
    page.locator("dl.likely dd", has_text="cardiac").wait_for()
    card = page.locator("section[id='ask ward']")
    for kind in ("PNG", "SVG", "CSV"):
        card.locator("summary").focus()
        card.locator("summary").press("Enter")
        with page.expect_download() as found:
            card.get_by_role("button", name=kind).press("Enter")
        assert found.value.suggested_filename == f"ward.{kind.lower()}" and found.value.path().stat().st_size > 50


def test_levels_are_ordered_by_keys_and_a_model_is_not_lost(page, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"pain": np.array(["none", "mild", "severe"])[rng.integers(0, 3, 90)], "x": rng.normal(size=90)}
    )
    frame.to_csv(tmp_path / "pain.csv", index=False)
    page.locator("input[type=file]").set_input_files(tmp_path / "pain.csv")
    page.get_by_text("pain.csv").first.wait_for()
    page.get_by_label("pain: kind").select_option("ordinal")
    page.get_by_text("Order of the levels").press("Enter")
    page.get_by_role("button", name="none: up (2 / 3)").press("Enter")
    expect(page.locator(".order li span")).to_have_text(["none", "mild", "severe"], timeout=WAIT)
    expect(page.get_by_role("button", name="none: down (1 / 3)")).to_be_focused(timeout=WAIT)
    page.locator(".order li").nth(2).drag_to(page.locator(".order li").nth(0))
    expect(page.locator(".order li span")).to_have_text(["severe", "none", "mild"], timeout=WAIT)
    page.keyboard.press("Control+z")
    expect(page.locator(".order li span")).to_have_text(["none", "mild", "severe"], timeout=WAIT)
    tab(page, "Train")
    page.get_by_label("Latent dimensions").fill("1")
    page.get_by_label("Passes over the rows").fill("2")
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("Done: the plan is complete.").wait_for()
    tab(page, "Data")
    page.get_by_role("button", name="wine").click()
    asked = page.get_by_role("dialog", name="Keep the model first?")
    asked.wait_for()
    page.keyboard.press("Escape")
    expect(asked).to_have_count(0, timeout=WAIT)
    assert page.locator("section.card").count() == 2
    page.get_by_role("button", name="wine").click()
    asked.get_by_role("button", name="Open it").press("Enter")
    page.get_by_text("no model yet").wait_for()
    page.get_by_role("button", name="Go back to it").click()
    page.get_by_text("pain.laten").first.wait_for()
    page.get_by_role("button", name="wine").click()
    with page.expect_download() as found:
        asked.get_by_role("link", name="pain.laten").click()
    assert found.value.suggested_filename == "pain.laten"
    asked.get_by_role("button", name="Stay here").click()
    page.get_by_role("button", name="wine").click()  # it is saved: nobody is asked
    page.get_by_text("no model yet").wait_for()


def test_what_the_server_says_is_said_in_indonesian(page):
    page.evaluate("localStorage.setItem('laten language', 'id')")
    page.reload()
    page.get_by_role("button", name="wine").click()
    page.locator(".said", has_text="bilangan").first.wait_for()
    assert "numbers" not in " ".join(page.locator(".said").all_inner_texts())


@pytest.mark.trains  # the audit fits a guide to each row
def test_two_models_and_an_audit(page, tmp_path):
    """Train twice, compare, audit; a training that is stopped is offered again."""
    clinic(200, seed=1)[["age", "sex", "ward"]].to_csv(tmp_path / "wards.csv", index=False)
    page.locator("input[type=file]").set_input_files(tmp_path / "wards.csv")
    page.get_by_role("button", name="Go on: train a model").click()
    for passes in ("2", "4"):
        page.get_by_label("Latent dimensions").fill("2")
        page.get_by_label("Passes over the rows").fill(passes)
        page.get_by_role("button", name=re.compile("Start training|Train again")).click()
        page.get_by_text(f"{passes} / {passes}").wait_for()
        page.get_by_text("Done: the plan is complete.").wait_for()
    page.get_by_text("As code").click()
    assert "epochs=4" in page.locator("pre[data-code=python]").inner_text()
    tab(page, "Compare")
    page.locator("p.verdict").wait_for()
    page.locator("table.diverging").wait_for()
    page.locator("section.card").nth(2).wait_for()
    tab(page, "Audit")
    page.locator("main select").select_option("20")
    page.get_by_role("button", name="Start the audit").click()
    page.locator("ul.findings li").first.wait_for(timeout=3 * WAIT)
    assert page.locator("svg.intervals circle").count() >= 5
    tab(page, "Train")
    page.get_by_label("Passes over the rows").fill("100000")
    page.get_by_role("button", name="Train again").click()
    page.get_by_text(re.compile(r"\d+ / 100000")).wait_for()
    page.get_by_role("button", name="Stop and keep the model").click()
    page.get_by_role("button", name="Go on with it").wait_for()


def test_the_tour_of_six_steps_by_keys(page):
    page.evaluate("localStorage.removeItem('laten toured')")
    page.reload()
    tour = page.get_by_role("dialog", name="Tour of the studio")
    tour.wait_for()
    for _ in range(5):
        tour.get_by_role("button", name="Next").press("Enter")
    tour.get_by_role("button", name="Begin").press("Enter")
    assert tour.count() == 0
    page.reload()
    page.locator(".drop").wait_for()
    assert tour.count() == 0
    page.get_by_role("button", name="Tour of the studio").press("Enter")
    tour.wait_for()
    page.keyboard.press("Escape")  # the focus is in it
    assert tour.count() == 0


def test_a_map_of_many_points_moves(page, tmp_path):
    """10^5 points; the figure is printed (`-s`), since it depends on the machine."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 100_000)
    frame = pd.DataFrame({"x": rng.normal(group), "y": rng.normal(-group), "group": np.array(list("abc"))[group]})
    vae = PlainVAE(latent=2, width=8, epochs=1).fit(frame.head(2000))
    vae.save(tmp_path / "m.laten")
    frame.to_parquet(tmp_path / "many.parquet")
    page.locator("input[type=file]").set_input_files(tmp_path / "m.laten")
    page.get_by_text("m.laten").first.wait_for()
    page.evaluate("location.hash = 'data'")
    page.locator("input[type=file]").set_input_files(tmp_path / "many.parquet")
    page.get_by_text("100,000").wait_for()
    tab(page, "Map")
    page.locator("canvas.map").wait_for()
    page.get_by_label("Colour by").select_option("group")
    page.locator(".legend").wait_for()
    from benchmarks.studio import PAN

    frames = page.evaluate(PAN)
    print(f"panning 100000 points: {frames:.0f} frames a second")
    assert frames > 5
    canvas = page.locator("canvas.map")
    canvas.focus()
    for key in ("+", "Shift+ArrowRight", "0", "ArrowRight"):
        canvas.press(key)
    page.get_by_text("row 0").wait_for()


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
    for name in ("data", "network", "train", "ask", "map", "fill", "odd", "synthetic", "compare", "audit"):
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


def test_the_tour_on_images(page):
    """Digits: train, look at the map, where a point decodes to an image, and at odd images."""
    page.get_by_role("button", name="digits").click()
    page.get_by_role("button", name="Go on: train a model").click()
    page.get_by_label("Latent dimensions").fill("2")
    page.get_by_label("Passes over the rows").fill("3")
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("Done: the plan is complete.").wait_for()
    tab(page, "Map")
    canvas = page.locator("canvas.map")
    canvas.focus()
    canvas.press("ArrowRight")
    page.get_by_text("row 0").wait_for()
    assert page.locator(".panel canvas, .panel svg").count() >= 1  # the decoded image
    tab(page, "Odd rows")
    page.locator("main").get_by_text(re.compile("nats|log p")).first.wait_for()
