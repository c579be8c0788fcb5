"""How long the studio takes, seen from a browser: the first page, evidence, a hover, a map that moves, a training.

    python -m benchmarks.studio [--clicks 200] [--points 100000] [--epochs 40] [--pairs 3]

Needs Playwright and Chromium. The studio runs in a process of its own, the browser beside it: they share the cores.
A click counts from the mouse until every card is drawn anew; a hover from the mouse until the decoded row is drawn.
Trainings alternate between the studio and `laten fit`; the time of two passes is taken off, and with it what compiles.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import Page, sync_playwright

import laten as lt
from benchmarks.runner import footer, options_of

WAIT = 300_000  # milliseconds

# Resolves when the answer to the next request of a path came and the page has drawn it.
DRAWN = """([path]) => { window.drawn = new Promise((done) => {
  const own = window.fetch;
  let began = performance.now();
  const kind = path.includes("decode") ? "pointermove" : "pointerdown";
  window.addEventListener(kind, () => { began = performance.now(); }, { capture: true, once: true });
  window.fetch = async (...a) => {
    const reply = await own(...a);
    if (String(a[0]?.url ?? a[0]).includes(path)) {
      window.fetch = own;
      reply.clone().arrayBuffer().then(() =>
        requestAnimationFrame(() => done(performance.now() - began)));
    }
    return reply;
  };
}); }"""
PAN = """() => new Promise((done) => {
  const c = document.querySelector("canvas.map"), box = c.getBoundingClientRect(), began = performance.now();
  let frames = 0;
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...a) { frames++; return put.apply(this, a); };
  c.setPointerCapture = () => {};
  const send = (type, x, y) => c.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: box.left + x,
    clientY: box.top + y, bubbles: true, shiftKey: true }));
  send("pointerdown", 300, 300);
  const step = () => {
    send("pointermove", 300 + 150 * Math.sin(frames / 15), 300 + 100 * Math.cos(frames / 20));
    const seconds = (performance.now() - began) / 1000;
    if (seconds < 5) requestAnimationFrame(step); else { send("pointerup", 300, 300); done(frames / seconds); }
  };
  requestAnimationFrame(step);
})"""


@contextmanager
def studio(*arguments: str) -> Iterator[str]:
    """Start a studio and give its address."""
    command = [sys.executable, "-m", "laten.cli.main", "studio", *arguments, "--no-browser", "--token", "t"]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
        assert process.stdout is not None
        line = next(line for line in process.stdout if "http://" in line)
        try:
            yield re.search(r"http://[\d.]+:\d+", line)[0]  # type: ignore[index]
        finally:
            process.terminate()
            process.wait(30)


def told(what: str, took: list[float], unit: str = "ms") -> None:
    """Print median and 95th percentile."""
    print(f"{what}: median {np.median(took):.0f} {unit}, 95 % {np.quantile(took, 0.95):.0f} {unit}, {len(took)} times")


def opened(page: Page, address: str) -> None:
    """Open the studio without its tour, and print how long the first page took."""
    began = time.perf_counter()
    page.goto(f"{address}/?token=t")
    page.get_by_role("navigation").get_by_role("button").first.wait_for()
    print(f"first page: {time.perf_counter() - began:.2f} s after the server was up")
    page.evaluate("localStorage.setItem('laten toured', 'yes')")
    page.reload()


def clicks(page: Page, n: int) -> None:
    """Click bars of the Ask page at random."""
    page.evaluate("location.hash = 'ask'")
    bars = page.locator("button.bar")
    bars.first.wait_for()
    rng, took = np.random.default_rng(0), []
    for i in range(n + 5):
        page.evaluate(DRAWN, ["/api/ask"])
        bars.nth(int(rng.integers(bars.count()))).click()
        spent = page.evaluate("window.drawn")
        if i >= 5:
            took.append(spent)
    told("evidence, one click", took)


def hovers(page: Page, n: int) -> None:
    """Move over points of the map."""
    page.evaluate("location.hash = 'map'")
    canvas = page.locator("canvas.map")
    canvas.wait_for()
    page.wait_for_timeout(3000)
    box: Any = canvas.bounding_box()
    rng, took = np.random.default_rng(0), []
    for i in range(n + 5):
        page.evaluate(DRAWN, ["/api/decode"])
        x, y = rng.uniform(0.3, 0.7, 2)
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        spent = page.evaluate("Promise.race([window.drawn, new Promise((done) => setTimeout(() => done(null), 3000))])")
        if i >= 5 and spent is not None:
            took.append(spent)
    told("hover, decoded", took)


def dropped(page: Page, path: Path) -> None:
    """Give the page a file."""
    page.evaluate("location.hash = 'data'")
    page.locator("input[type=file]").first.set_input_files(path)


def settled(page: Page) -> None:
    """Wait until the studio has compiled what it expects to be asked."""
    while page.evaluate("fetch('/api/job/warm').then((answer) => answer.json())").get("running"):
        page.wait_for_timeout(200)


def moved(page: Page, points: int, folder: Path) -> None:
    """Pan a map of many points."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, points)
    frame = pd.DataFrame({"x": rng.normal(group), "y": rng.normal(-group), "group": np.array(list("abc"))[group]})
    lt.VAE(latent=2, width=8, epochs=1).fit(frame.head(2000)).save(folder / "m.laten")
    frame.to_parquet(folder / "many.parquet")
    dropped(page, folder / "m.laten")
    page.get_by_text("m.laten").first.wait_for()
    dropped(page, folder / "many.parquet")
    page.get_by_text(f"{points:,}").first.wait_for()
    settled(page)
    page.evaluate("location.hash = 'map'")
    page.locator("canvas.map").wait_for()
    page.wait_for_timeout(2000)
    for coloured in ("", " in colours"):
        if coloured:
            page.get_by_label("Colour by").select_option("group")
            page.locator(".legend").wait_for()
        print(f"map of {points:,} points{coloured}: {page.evaluate(PAN):.0f} frames a second")


def trained(page: Page, epochs: int) -> float:
    """Train on the page's table, and return the seconds of it by the page's own clock."""
    page.evaluate("location.hash = 'train'")
    page.get_by_label("Passes over the rows").fill(str(epochs))
    began = time.perf_counter()
    page.get_by_role("button", name=re.compile("Start training|Train again")).click()
    page.get_by_text(f"{epochs} / {epochs}").wait_for()
    page.get_by_text("Done: the plan is complete.").wait_for()
    took = time.perf_counter() - began
    settled(page)
    return took


def fitted(data: Path, epochs: int, folder: Path) -> float:
    """Train by the command, and return its seconds."""
    command = [sys.executable, "-m", "laten.cli.main", "fit", str(data), "-o", str(folder / "f.laten")]
    began = time.perf_counter()
    subprocess.run([*command, "--epochs", str(epochs)], check=True, capture_output=True)
    return time.perf_counter() - began


def trainings(page: Page, epochs: int, pairs: int, folder: Path) -> None:
    """Train by turns; what does not depend on the passes is taken away by trainings of one pass."""
    data = folder / "patients.csv"
    pd.concat([lt.read("clinic")] * 5, ignore_index=True).to_csv(data, index=False)
    dropped(page, data)
    page.get_by_role("button", name="Go on: train a model").click()
    one, two = [], []
    trained(page, 2), fitted(data, 2, folder)
    for _ in range(pairs):
        one.append(trained(page, epochs) - trained(page, 2))
        two.append(fitted(data, epochs, folder) - fitted(data, 2, folder))
    print(
        f"training, {epochs - 2} passes: studio {json.dumps(np.round(one, 2).tolist())} s, laten fit "
        f"{json.dumps(np.round(two, 2).tolist())} s, ratio of medians {np.median(one) / np.median(two):.3f}"
    )


def main() -> None:
    """Measure, and print a line for each."""
    options = options_of(__doc__, clicks=200, hovers=100, points=100_000, epochs=40, pairs=3).parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        lt.read("clinic").to_csv(folder / "clinic.csv", index=False)
        lt.VAE().fit(lt.read(str(folder / "clinic.csv"))).save(folder / "clinic.laten")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(WAIT)
        with studio(str(folder / "clinic.laten")) as address:
            opened(page, address)
            clicks(page, options.clicks)
            dropped(page, folder / "clinic.csv")
            page.get_by_text("clinic.csv").first.wait_for()
            settled(page)
            hovers(page, options.hovers)
            moved(page, options.points, folder)
        with studio() as address:
            opened(page, address)
            trainings(page, options.epochs, options.pairs, folder)
        browser.close()
    print(footer())


if __name__ == "__main__":
    main()
