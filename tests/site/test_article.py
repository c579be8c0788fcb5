"""The article's moving figures give the numbers that laten gives, by mouse and by keyboard, in both languages."""

import base64
import json
import math
import os
import re
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import laten as lt
from laten.network.model import build_model

ROOT = Path(__file__).parents[2]
SITE = Path(os.environ.get("LATEN_SITE", ROOT / "build" / "docs"))
ARTICLES = ("article.html", "id/article.html")
FIGURES = ("asia", "identity", "reparameterise", "training", "plane", "draw")


def brought(page, figure):
    """Scroll to a figure, wait until it lives, and return its place."""
    place = page.locator(f"[data-figure={figure}]")
    place.scroll_into_view_if_needed()
    page.wait_for_selector(f"[data-figure={figure}][data-ready=yes]")
    return place


def asked(place, call, *values):
    """Call a function that a figure hands out for tests."""
    return place.locator(".moving-stage").evaluate(f"(stage, given) => {call}", list(values))


@pytest.mark.parametrize("article", ARTICLES)
def test_every_figure_lives(opened, article):
    page = opened(article)
    for figure in FIGURES:
        brought(page, figure)
    assert page.locator(".moving").count() == len(FIGURES)


@pytest.mark.skipif(not (SITE / "article.html").exists(), reason="no site in build/docs: make docs")
def test_articles_have_the_same_parts():
    pages = [(SITE / name).read_text() for name in ARTICLES]
    for mark in ("<h2 ", 'class="formula"', "data-figure=", "<details", "<pre>", "<img "):
        counts = [page.count(mark) for page in pages]
        assert counts[0] == counts[1] > 0, mark


def test_kl_and_elbo_add_up_for_any_q(opened):
    place = brought(opened("article.html"), "identity")
    rng, evidence = np.random.default_rng(0), float(place.locator(".moving-stage").get_attribute("data-evidence"))
    for mean, sd in zip(rng.uniform(-3, 3, 50), rng.uniform(0.05, 1.6, 50), strict=True):
        found = asked(place, "stage.api.parts(given[0], given[1])", mean, sd)
        assert abs(found["elbo"] + found["kl"] - evidence) < 1e-6
        assert found["kl"] > 0 and found["reverse"] > 0
    exact = np.log(np.trapezoid(world(grid := np.linspace(-12, 12, 200_001)), grid))
    assert abs(evidence - exact) < 1e-9


def world(z):
    """p(x, z) of the small world at x = 2."""
    return np.exp(-0.5 * z**2 - 0.5 * ((2 - z**2) / 0.6) ** 2) / (2 * math.pi * 0.6)


def test_q_is_dragged_climbs_and_turns(opened):
    page = opened("id/article.html")
    place = brought(page, "identity")
    stage = place.locator(".moving-stage")
    box = place.locator("svg").first.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.73 * box["width"], box["y"] + 0.6 * box["height"], steps=5)
    page.mouse.up()
    dragged = float(place.locator("input").first.input_value())
    assert 1.2 < dragged < 1.6
    place.get_by_role("button", name="Naikkan ELBO").click()
    page.wait_for_function("document.querySelector('[data-figure=identity] button').textContent === 'Naikkan ELBO'")
    mean, sd = (float(place.locator("input").nth(i).input_value()) for i in range(2))
    assert abs(abs(mean) - 1.32) < 0.08 and 0.15 < sd < 0.35  # one of the two peaks
    place.get_by_role("button", name="Balik arah KL").click()
    place.get_by_role("button", name="Naikkan ELBO").click()
    page.wait_for_function("document.querySelector('[data-figure=identity] button').textContent === 'Naikkan ELBO'")
    mean, sd = (float(place.locator("input").nth(i).input_value()) for i in range(2))
    assert abs(mean) < 0.05 and 1.2 < sd < 1.6  # both peaks: the posterior's own mean and spread
    place.locator("input").first.focus()
    page.keyboard.press("ArrowRight")
    assert float(place.locator("input").first.input_value()) == pytest.approx(round(mean, 2) + 0.01, abs=0.011)
    assert abs(float(stage.get_attribute("data-sum")) - float(stage.get_attribute("data-evidence"))) < 1e-6


def test_asia_answers_as_laten_does(opened):
    page = opened("article.html")
    place, asia = brought(page, "asia"), lt.read_bif(str(ROOT / "docs" / "asia.bif"))
    bars = place.locator(".asia-state")
    rng, names = np.random.default_rng(1), list(asia.network.nodes)
    for _ in range(6):
        place.get_by_role("button", name="Clear the evidence").click()
        given = {n: ("yes", "no")[rng.integers(2)] for n in rng.choice(["smoke", "dysp", "xray", "bronc"], 2, False)}
        for name, state in given.items():
            place.locator(f".asia-state[data-node={name}][data-state={state}]").click()
        shown = bars.evaluate_all("all => all.map(b => [b.dataset.node, b.dataset.state, +b.dataset.p])")
        for name, state, p in shown:
            if name not in given:
                assert abs(p - asia.query(name, given)[state]) < 1e-9
    assert len(shown) == 2 * len(names)


def test_impossible_evidence_is_said_in_a_word(opened):
    place = brought(opened("article.html"), "asia")
    for name, state in (("lung", "yes"), ("either", "no")):
        place.locator(f".asia-state[data-node={name}][data-state={state}]").click()
    assert "impossible" in place.locator(".said").inner_text()
    assert "NaN" not in place.inner_text()


def test_gradient_estimators_agree_with_the_truth(opened):
    place = brought(opened("article.html"), "reparameterise")
    rng = np.random.default_rng(2)
    noise = rng.standard_normal(20_000).tolist()
    for mean, sd in ((1.4, 0.2), (0.5, 0.6)):
        truth = asked(place, "stage.api.truth(given[0], given[1])", mean, sd)
        found = asked(place, "stage.api.estimators(given[2], given[0], given[1])", mean, sd, noise)
        for name in ("score", "path"):
            draws = np.array(found[name])
            assert abs(draws.mean() - truth) < 4.5 * draws.std() / len(draws) ** 0.5
        assert np.std(found["score"]) > 2 * np.std(found["path"])


def numbers_of(page_text, figure):
    """Return what the build wrote for a figure."""
    imports = json.loads(re.search(r'<script type="importmap">(.*?)</script>', page_text, re.DOTALL)[1])["imports"]
    text = base64.b64decode(imports[f"figures/data/{figure}"].split(",", 1)[1]).decode()
    return json.loads(text.removeprefix("export default ").rstrip().rstrip(";"))


def with_weights(conditional, layers):
    """Return a conditional of laten with the weights that a page holds."""

    def array(text):
        return np.frombuffer(base64.b64decode(text), "<f4")

    sizes = layers["sizes"]
    weights = [
        jnp.asarray(array(t).reshape(a, b)) for t, a, b in zip(layers["weights"], sizes, sizes[1:], strict=False)
    ]
    biases = [jnp.asarray(array(t)) for t in layers["biases"]]
    return eqx.tree_at(
        lambda c: (c.net.layers[0].weight, c.net.layers[0].bias, c.net.layers[1].weight, c.constants),
        conditional, (weights[0], biases[0], weights[1], biases[1]),
    )  # fmt: skip


@pytest.mark.parametrize(("figure", "latents", "hidden"), [("plane", 2, 64), ("draw", 8, 128)])
def test_nets_in_the_page_are_latens(opened, figure, latents, hidden):
    layers = numbers_of((SITE / "article.html").read_text(), figure)
    p = lt.Network(z=lt.Normal(latents), x=lt.Bernoulli((8, 8)).given("z", via=lt.MLP(hidden)))
    model = build_model(p, lt.guide_for(p, ["z"], frozenset({"x"})), jax.random.key(0), frozenset({"x"}))
    decoder = with_weights(model.p["x"], layers["decoder"])
    place = brought(opened("article.html"), figure)
    for z in np.random.default_rng(3).normal(size=(5, latents)).astype(np.float32):
        ours = np.ravel(decoder.family.mean(decoder.raw({"z": jnp.asarray(z)}, {})))
        np.testing.assert_allclose(asked(place, "stage.api.decode(given[0])", z.tolist()), ours, atol=1e-4)
    if figure == "draw":
        encoder, rng = with_weights(model.q["z"], layers["encoder"]), np.random.default_rng(4)
        for _ in range(3):
            x, seen = rng.integers(0, 2, 64).astype(np.float32), rng.integers(0, 2, 64).astype(np.float32)
            raw = encoder.raw({"x": jnp.asarray(x.reshape(8, 8))}, {"x": jnp.asarray(seen.reshape(8, 8) > 0)})
            mean, log_sd = encoder.family.parameters(raw)
            found = asked(place, "stage.api.encode(given[0], given[1])", x.tolist(), seen.tolist())
            np.testing.assert_allclose(found["mean"], mean, atol=1e-4)
            np.testing.assert_allclose(found["sd"], np.exp(log_sd), atol=1e-4)


def test_the_plane_is_hovered_dragged_and_walked(opened):
    page = opened("article.html")
    place = brought(page, "plane")
    canvas, stage = place.locator("canvas").first, place.locator(".moving-stage")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    z = json.loads(stage.get_attribute("data-z"))
    assert z[0] > 1 and z[1] > 1
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    page.mouse.up()
    ends = asked(place, "[stage.api.state.from, stage.api.state.to]")
    assert ends[0][0] > 1 > -1 > ends[1][0]
    canvas.focus()
    before = json.loads(stage.get_attribute("data-z"))
    page.keyboard.press("ArrowRight")
    assert json.loads(stage.get_attribute("data-z"))[0] == pytest.approx(before[0] + 0.1)


def test_a_training_is_replayed(opened):
    page = opened("article.html", reduced_motion="reduce")
    place = brought(page, "training")
    stage = place.locator(".moving-stage")
    assert stage.get_attribute("data-epoch") == "100"
    place.locator("input").first.focus()
    page.keyboard.press("Home")
    assert stage.get_attribute("data-epoch") == "0"
    numbers = numbers_of((SITE / "article.html").read_text(), "training")
    bounds = [b for _, b in numbers["history"]]
    assert bounds[0] < bounds[-1] < numbers["log_p"] + 0.3


def stroke(page, box, points):
    """Draw a line on the pad; points in shares of its side."""
    for i, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        if not i:
            page.mouse.down()
    page.mouse.up()


def test_a_digit_is_drawn_rubbed_out_and_filled(opened):
    page = opened("article.html")
    place = brought(page, "draw")
    stage = place.locator(".moving-stage")
    assert "Nothing is written" in place.locator(".said").inner_text() and "NaN" not in place.inner_text()
    pad = place.locator("canvas.pad")
    pad.scroll_into_view_if_needed()
    stroke(page, pad.bounding_box(), [(0.5, 0.15), (0.5, 0.85)])  # a one
    whole = float(stage.get_attribute("data-log"))
    assert stage.get_attribute("data-empty") == "false" and math.isfinite(whole)
    place.get_by_role("button", name="Rub out").click()
    stroke(page, pad.bounding_box(), [(0.42, 0.62), (0.58, 0.7), (0.42, 0.78), (0.58, 0.86), (0.5, 0.7), (0.5, 0.9)])
    part = float(stage.get_attribute("data-log"))
    assert part > whole  # fewer pixels to explain
    labels = place.locator(".copies figcaption").all_inner_texts()
    assert len(labels) == 5 and all(re.fullmatch(r"log p -?\d+\.\d", text) for text in labels)
    place.get_by_role("button", name="Clear").click()
    assert "Nothing is written" in place.locator(".said").inner_text()


def test_a_small_digit_in_a_corner_is_centred(opened):
    place = brought(opened("article.html"), "draw")
    call = """(() => {
      const n = 240, at = (x, y, s) => {
        const ink = new Float64Array(n * n), rubbed = new Uint8Array(n * n);
        for (let i = 0; i < 100 * s; i++)
          for (let j = 0; j < 40 * s; j++) ink[(y + i | 0) * n + (x + j | 0)] = (i < 20 * s || j > 20 * s) ? 1 : 0;
        return Array.from(stage.api.centred(ink, rubbed, n).pixels);
      };
      return [at(80, 60, 1), at(5, 180, 0.5)];
    })()"""
    large, small = asked(place, call)
    assert max(large) == 1 and np.abs(np.subtract(large, small)).max() < 0.2


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_window(opened, width, dark):
    page = opened("id/article.html", width=width, dark=dark)
    for figure in FIGURES:
        brought(page, figure)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_serious_fault(opened, dark):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened("article.html", dark=dark)
    for figure in FIGURES:
        brought(page, figure)
    found = axe.Axe().run(page, context=".md-content")
    faults = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in faults] == []


def test_the_language_switch_leads_to_the_same_page(opened):
    page = opened("article.html")
    link = page.locator('a[hreflang="id"]').first.get_attribute("href")
    assert link.endswith("id/article.html")


def test_without_scripts_the_article_can_be_read(opened):
    page = opened("article.html", java_script_enabled=False)
    assert page.locator("h1").inner_text().startswith("Variational Autoencoder")
    assert page.locator(".katex").count() > 100
    assert page.locator(".moving img").count() == len(FIGURES)
