"""Pictures of the moving figures, for readers without JavaScript: from the built site, kept in `docs/images/still`.

make docs && python tools/stills.py
"""

from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
ARTICLE = ROOT / "build" / "docs" / "article.html"
OUT = ROOT / "docs" / "images" / "still"


def main() -> None:
    """Photograph each figure."""
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.goto(ARTICLE.as_uri())
        for place in page.locator(".moving").all():
            place.scroll_into_view_if_needed()
            name = place.get_attribute("data-figure")
            page.wait_for_selector(f"[data-figure={name}][data-ready=yes]")
            if name == "draw":
                place.get_by_role("button", name="An example").click()
            place.locator(".moving-stage").screenshot(path=OUT / f"{name}.png")
            print(OUT / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
