"""Links between built pages: also those that Zensical does not see, in HTML and in generated text."""

import html
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docsite.common import SiteError

LINK = re.compile(r'\s(?:href|src)="([^"]*)"')
TARGET = re.compile(r'\s(?:id|name)="([^"]+)"')


def check_links(out: Path) -> int:
    """Check that each link to a file of the site, and to a place in a page, leads somewhere; return how many do.

    Raises:
        SiteError: one leads nowhere; the built page and its line are named.
    """
    texts = {page: page.read_text() for page in sorted(out.rglob("*.html"))}
    places = {page: set(map(html.unescape, TARGET.findall(text))) for page, text in texts.items()}
    count = 0
    for page, text in texts.items():
        for found in LINK.finditer(text):
            link = urlsplit(html.unescape(found[1]))
            if link.scheme or link.netloc or not (link.path or link.fragment):
                continue
            to = (page.parent / unquote(link.path)).resolve() if link.path else page
            to = to / "index.html" if to.is_dir() else to
            count += 1
            lost = not to.exists() or (to in places and link.fragment and unquote(link.fragment) not in places[to])
            if lost and page.name != "404.html":  # its links hold from any folder
                line = text[: found.start()].count("\n") + 1
                raise SiteError(f"{page.relative_to(out)}:{line}: the link {found[1]!r} leads nowhere")
    return count


def clicks(out: Path, first: str = "index.html") -> dict[str, int]:
    """Return how many clicks each page of the site is away from its first one."""
    far, edge = {(out / first).resolve(): 0}, [(out / first).resolve()]
    while edge:
        page = edge.pop(0)
        for found in re.findall(r'<a\s[^>]*href="([^"#]*)', page.read_text()):
            to = (page.parent / unquote(urlsplit(html.unescape(found)).path)).resolve()
            if to.suffix == ".html" and to not in far and to.exists():
                far[to] = far[page] + 1
                edge.append(to)
    return {str(page.relative_to(out.resolve())): n for page, n in far.items()}
