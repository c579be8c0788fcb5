"""The page *Network* in a real browser: arrows by dragging and by keys, the Python in step, both widths."""

import re
import shutil

import pytest

pytest.importorskip("fastapi")
expect = pytest.importorskip("playwright.sync_api").expect
WAIT = 120_000  # milliseconds: a busy machine compiles for long
CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt install chromium"), pytest.mark.slow]
REFUSED = "Failed to load resource: the server responded with a status of 422"  # which the browser logs by itself


@pytest.fixture
def network(page):
    page.get_by_role("button", name="wine").click()
    page.get_by_label("cultivar: kind").wait_for()
    page.get_by_role("navigation").get_by_role("button", name="Network", exact=True).click()
    page.locator("svg.net g.node").first.wait_for()
    yield page
    page.wrong[:] = [text for text in page.wrong if not text.startswith(REFUSED)]


def text_of(page) -> str:
    return page.locator("textarea.code").input_value()


def until(page, sentence: str) -> None:
    expect(page.locator("textarea.code")).to_have_value(re.compile(re.escape(sentence)), timeout=WAIT)


def drag(page, start: str, end: str) -> None:
    """Drag from one circle to another."""
    places = []
    for name in (start, end):
        circle = page.locator("svg.net g.node").filter(has_text=re.compile(f"^\\s*{name}\\b")).locator("circle").first
        box = circle.bounding_box()
        places.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=5)
    page.mouse.up()


def test_arrows_are_drawn_by_dragging_and_an_illegal_one_says_why(network):
    network.get_by_role("button", name="+ latent numbers").click()
    until(network, "z2=lt.Normal(2)")
    drag(network, "z2", "hidden")
    until(network, '.given(\n        "z", "z2", via=')
    drag(network, "number", "z")
    network.get_by_text("would close a circle: number → z → hidden → number").wait_for()
    stem = network.locator("svg.net g.arrow").filter(has_text="z2 → hidden").locator("path.hit")
    stem.dispatch_event("click")
    network.get_by_role("button", name="Remove the arrow").click()
    network.get_by_text("a latent changes nothing: z2").wait_for()
    network.get_by_role("button", name="Undo").click()
    until(network, '"z", "z2", via=')
    network.get_by_role("button", name="Redo").click()
    until(network, "z2=lt.Normal(2)")


def test_the_same_by_keys_alone(network):
    add = network.get_by_role("button", name="+ hidden layer")
    add.focus()
    add.press("Enter")
    until(network, "layer=lt.Deterministic(128)")
    box = network.get_by_role("region", name="categorical").get_by_role("checkbox", name="layer", exact=True)
    box.focus()
    box.press("Space")
    until(network, 'categorical=lt.Categorical((3,)).given("hidden", "layer")')
    size = network.get_by_role("region", name="layer", exact=True).get_by_label("Size")
    size.focus()
    size.press("Control+a")
    size.press_sequentially("32")
    size.press("Tab")
    until(network, "layer=lt.Deterministic(32)")
    network.locator("main").press("Control+z")
    until(network, "layer=lt.Deterministic(128)")
    network.locator("main").press("Control+Shift+z")
    until(network, "layer=lt.Deterministic(32)")


def test_the_python_changes_the_picture_and_bad_python_says_its_line(network):
    before = text_of(network)
    network.locator("textarea.code").fill(before.replace("lt.NormalMixture(16, k=8)", "lt.StudentT(5)"))
    network.locator("svg.net g.node.latent").get_by_text("StudentT", exact=True).wait_for()
    network.locator("textarea.code").fill(before.replace("lt.NormalMixture(16, k=8)", "open('/etc/passwd')"))
    network.get_by_text(re.compile(r"^line \d+: only numbers, texts and calls")).wait_for()
    assert network.locator("svg.net g.node.latent").get_by_text("StudentT", exact=True).count() == 1
    network.get_by_role("button", name="Undo").click()
    network.locator("svg.net g.node.latent").get_by_text("NormalMixture", exact=True).wait_for()


def test_what_was_edited_is_trained(network):
    network.get_by_label("Latent size").fill("2")
    network.get_by_label("Width of hidden layers").fill("8")
    network.get_by_role("button", name="Propose", exact=True).click()
    until(network, "lt.NormalMixture(2, k=8)")
    network.get_by_role("button", name="Go on: train a model").click()
    network.get_by_text("Training learns the network of the page Network.").wait_for()
    assert network.get_by_label("Latent dimensions").count() == 0
    network.get_by_label("Passes over the rows").fill("2")
    network.get_by_role("button", name="Start training").click()
    network.get_by_text("Done: the plan is complete.").wait_for()
    assert "p(number | z)" in network.locator("main").inner_text()
