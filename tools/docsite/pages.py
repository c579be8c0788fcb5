"""Pages of a language: gathered into one folder, with their navigation.

Pages lie in `docs/en` and `docs/id`; those in `docs` itself, for those who change laten, are in English alone. Links
hold in the repository as in the site: `../images/x.png` there is `images/x.png` here. In a `nav.yml`, a pattern such as
`tutorials/*.md` stands for the pages that are found, by their `order:` (front matter) and name, under their first
heading. A page that a language lacks is reached in English, with a mark.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from docsite.blocks import Block, prepare_blocks, without_running
from docsite.common import DOCS, ELSEWHERE, FIRST, LANGUAGES, SiteError, front_matter, heading, shown

TRANSLATED = ("index.md", "article.md", "glossary.md", "tables.md", "studio.md")  # in each language, where there is one
NAV, PAGES, BUILT = "nav.yml", "pages", "built"  # of a language: what it says, what is read, what is written


def check_translations(docs: Path) -> None:
    """Check that pages that must exist in each language do.

    Raises:
        SiteError: one is missing.
    """
    for name in TRANSLATED:
        there = [code for code in LANGUAGES if (docs / code / name).exists()]
        for code in LANGUAGES if there else ():
            if code not in there:
                other = shown(docs / there[0] / name)
                raise SiteError(f"{shown(docs / code / name)}:1: missing; translate {other} into {LANGUAGES[code]}")


def gather(language: str, docs: Path, pages: Path, run: bool = True) -> list[Block]:
    """Copy the pages of a language, and what all languages share, into a folder; return the pages' code blocks."""
    shutil.copytree(docs / language, pages, ignore=shutil.ignore_patterns(NAV))
    if language == FIRST:
        for page in docs.glob("*.md"):
            (pages / page.name).write_text(page.read_text().replace(f"]({FIRST}/", "]("))
    beside = "|".join(["assets/", "images/", *(page.name for page in docs.glob("*.md"))])
    blocks = []
    for page in sorted(pages.rglob("*.md")):
        inside = page.relative_to(pages)
        source = docs / language / inside
        source = source if source.exists() else docs / inside
        text = re.sub(
            rf"\.\./({beside})", r"\1", page.read_text()
        )  # what lies one folder up lies beside the pages here
        text, found = prepare_blocks(in_english(text, source, docs), shown(source))
        page.write_text(text if run else without_running(text))
        blocks += found
    for folder in ("assets", "images"):
        shutil.copytree(DOCS / folder, pages / folder)
    shutil.copy(DOCS / "vendor" / "iframe-worker.js", pages / "assets")
    return blocks


def in_english(text: str, source: Path, docs: Path) -> str:
    """Let links of a page to pages in English, `../en/name.md`, lead to where those lie in the site.

    Raises:
        SiteError: there is no such page.
    """

    def one(found: re.Match) -> str:
        if not (docs / FIRST / f"{found[1]}.md").exists():
            line = text[: found.start()].count("\n") + 1
            raise SiteError(f"{shown(source)}:{line}: there is no page {FIRST}/{found[1]}.md")
        return f"]({ELSEWHERE}{found[1]}.html"

    return re.sub(rf"\]\((?:\.\./)+{FIRST}/([\w/-]+)\.md", one, text)


def settings(language: str, docs: Path, work: Path) -> str:
    """Return the settings of a language's site: `docs/site.yml` and its own `nav.yml`; pages lie gathered in `work`."""
    up = "./" if language == FIRST else "../"
    own = {
        "docs_dir": PAGES,
        "site_dir": BUILT,
        "extra": {
            "alternate": [
                {"name": name, "link": up + ("" if code == FIRST else f"{code}/"), "lang": code}
                for code, name in LANGUAGES.items()
            ]
        },
    }
    nav = yaml.safe_load((docs / language / NAV).read_text())
    try:
        own |= {**nav, "nav": entries(nav["nav"], language, work)}
    except SiteError as error:
        said = str(error).replace(shown(work / FIRST / PAGES), shown(docs / FIRST))
        raise SiteError(said if ".md:" in said else f"{shown(docs / language / NAV)}:1: {said}") from None
    shared = (DOCS / "site.yml").read_text().replace("theme:\n", f"theme:\n  language: {language}\n", 1)
    shared = shared.replace("docs/code", str(DOCS / "code")).replace("paths: [src]", f"paths: [{DOCS.parent / 'src'}]")
    return shared + yaml.safe_dump(own, allow_unicode=True, sort_keys=False)


def entries(nav: list[Any], language: str, work: Path) -> list[Any]:
    """Return the navigation with patterns replaced by pages, and without groups that have none."""
    found: list[Any] = []
    for entry in nav:
        title, value = next(iter(entry.items())) if isinstance(entry, dict) else (None, entry)
        if isinstance(value, list):
            inside = entries(value, language, work)
            found += [{title: inside}] if inside else []
        else:
            found += [{name: link} for name, link in links(value, title, language, work)]
    return found


def links(pattern: str, title: str | None, language: str, work: Path) -> list[tuple[str, str]]:
    """Return title and link of each page that a pattern stands for, in this language or, marked, in the first.

    Raises:
        SiteError: there is none.
    """
    pages: dict[str, Path] = {}
    for code in (language, FIRST):
        folder = work / code / PAGES
        for page in folder.glob(pattern):
            pages.setdefault(str(page.relative_to(folder)), page)
    if not pages and "*" not in pattern:
        raise SiteError(f"there is no page {pattern!r}")
    found = []
    for name, page in sorted(pages.items(), key=lambda item: rank(*item)):
        own = page.is_relative_to(work / language / PAGES)
        mark = "" if own else f" ({FIRST.upper()})"
        link = name if own else f"{ELSEWHERE}{name.removesuffix('.md')}.html"
        found.append((f"{title or heading(page)}{mark}", link))
    return found


def rank(name: str, page: Path) -> tuple[bool, float, str]:
    """Return what pages of a folder are ordered by: the index first, then `order:`, then names."""
    order = front_matter(page.read_text())[0].get("order", "inf")
    return Path(name).name != "index.md", float(order), name


def switch_languages(out: Path) -> None:
    """Let the language switch of each page lead to the same page in the other language, or else to the nearest one.

    The nearest is the index of its folder, or the first page. Links to pages that a language lacks become relative.
    """
    for page in sorted(out.rglob("*.html")):
        inside = page.relative_to(out)
        language = inside.parts[0] if inside.parts[0] in LANGUAGES else FIRST
        name = inside if language == FIRST else inside.relative_to(language)
        text = page.read_text()
        for code in LANGUAGES:
            home = out if code == FIRST else out / code
            near = next(p for p in (home / name, home / name.parent / "index.html", home / "index.html") if p.exists())
            link = os.path.relpath(near, page.parent)
            text = re.sub(rf'(<a\s+href=")[^"]*("\s+hreflang="{code}")', rf"\g<1>{link}\g<2>", text)
        root = os.path.relpath(out, page.parent)
        text = text.replace(ELSEWHERE, "" if root == "." else f"{root}/")
        page.write_text(text)
