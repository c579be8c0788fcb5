"""Search as the reader asks for it: its index, half a megabyte, is read when search is first used, and not before."""

import os
import re
from pathlib import Path

from docsite.common import SiteError, shown

# in Zensical's script: if the page has a search, take the index (an observable) at once
INDEX = re.compile(r'(?P<has>\w+\("\.md-search"\))\?(?P<index>\w+)\(\):')
# the same, as a promise of the index: kept when the reader comes near the search, presses a key, or came from a result
ASKED = """new Promise(done => {
  const events = ["pointerover", "pointerdown", "focusin", "keydown"];
  const ask = () => { events.forEach(name => removeEventListener(name, hear, true)); %s().subscribe(done); };
  const hear = event => {
    if (event.type === "keydown" || event.target.closest?.(".md-search, [for=__search]")) ask();
  };
  events.forEach(name => addEventListener(name, hear, true));
  if (new URL(location).searchParams.has("h")) ask();
})"""


def search_when_asked(out: Path) -> None:
    """Let pages read the search index when search is first used, and its worker from the folder beside them.

    Raises:
        SiteError: Zensical's script is not as it was.
    """
    for script in sorted(out.rglob("assets/javascripts/bundle.*.js")):
        text, found = INDEX.subn(lambda m: f"{m['has']}?{ASKED % m['index']}:", script.read_text())
        if found != 1:
            raise SiteError(
                f"{shown(script)}:1: Zensical reads the search index elsewhere than expected ({found} places)"
            )
        script.write_text(text)
    for page in sorted(out.rglob("*.html")):
        local = os.path.relpath(out / "assets" / "iframe-worker.js", page.parent)
        page.write_text(page.read_text().replace("https://unpkg.com/iframe-worker/shim", local))
