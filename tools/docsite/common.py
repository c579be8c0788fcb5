"""What every step of the site knows: where things lie, its languages, and how a step fails."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}  # the first one lies at the root
FIRST = next(iter(LANGUAGES))
ELSEWHERE = "https://laten.invalid/"  # stands for the root of the site until the pages are built


class SiteError(Exception):
    """The site cannot be built; the message names file, line and reason."""


def shown(path: Path) -> str:
    """Return a path as the reader of a message knows it: from the root of the repository where it lies inside."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """Return what a page says of itself between `---` lines, and the rest of it."""
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if not found:
        return {}, text
    return dict(re.findall(r"^(\w+):\s*(.*)$", found[1], re.MULTILINE)), text[found.end() :]


def heading(page: Path) -> str:
    """Return the title of a page: its first heading, as plain text.

    Raises:
        SiteError: it has none.
    """
    found = re.search(r"^# +(.+?)(?: *\{.*\})?$", front_matter(page.read_text())[1], re.MULTILINE)
    if not found:
        raise SiteError(f"{shown(page)}:1: a page opens with a heading, '# Title'")
    return re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", found[1])
