"""The documentation as a site, in each language: pages are gathered, their code is run, formulas set, links checked.

    python tools/site.py [FOLDER]        # default: build/docs; open FOLDER/index.html

Pages lie in `docs/en` and `docs/id`; those in `docs` itself, for those who change laten, are in English alone. Links
hold in the repository as in the site. Zensical runs the code blocks that say so, and refuses broken links. KaTeX sets
formulas here and not in the reader's browser: what it cannot set stops the build. Nothing is loaded from the network.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import yaml
from py_mini_racer import JSEvalException, MiniRacer

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FIGURES = DOCS / "figures"
LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}  # the first one lies at the root
FORMULA = re.compile(r'<(span|div) class="arithmatex">(?:\\\((.*?)\\\)|\\\[(.*?)\\\])</\1>', re.DOTALL)


class SiteError(Exception):
    """The site cannot be built; the message names page and reason."""


def gather(language: str, work: Path) -> Path:
    """Copy the pages of a language, and what all languages share, into one folder; return it."""
    pages = work / language
    shutil.copytree(DOCS / language, pages, ignore=shutil.ignore_patterns("nav.yml"))
    if language == next(iter(LANGUAGES)):
        for page in DOCS.glob("*.md"):
            shutil.copy(page, pages)
    beside = "|".join(["assets/", "images/", *(page.name for page in DOCS.glob("*.md"))])
    for page in pages.rglob("*.md"):  # what lies one folder up in the repository lies beside the pages in the site
        page.write_text(re.sub(rf"\.\./({beside})", r"\1", english_of(page.read_text())))
    for shared in ("assets", "images"):
        shutil.copytree(DOCS / shared, pages / shared)
    shutil.copy(DOCS / "vendor" / "iframe-worker.js", pages / "assets")
    return pages


def english_of(text: str) -> str:
    """Let links of a page to English pages, `../en/name.md`, lead to where those lie in the site."""
    return re.sub(r"\]\(\.\./en/([\w/-]+)\.md", r"](../\1.html", text)


def settings(language: str, pages: Path, out: Path) -> str:
    """Return the settings of a language's site: `docs/site.yml`, and its own `nav.yml`."""
    up = "./" if language == next(iter(LANGUAGES)) else "../"
    links = {code: up + ("" if code == next(iter(LANGUAGES)) else f"{code}/") for code in LANGUAGES}
    own = {
        "docs_dir": os.path.relpath(pages, ROOT),
        "site_dir": os.path.relpath(out, ROOT),
        "extra": {"alternate": [{"name": n, "link": links[c], "lang": c} for c, n in LANGUAGES.items()]},
    }
    shared = (DOCS / "site.yml").read_text().replace("theme:\n", f"theme:\n  language: {language}\n", 1)
    return shared + yaml.safe_dump(own, allow_unicode=True) + (DOCS / language / "nav.yml").read_text()


def build(language: str, work: Path, out: Path) -> None:
    """Let Zensical build a language's site.

    Raises:
        SiteError: a warning or an error; Zensical has said which.
    """
    pages = gather(language, work)
    made = out if language == next(iter(LANGUAGES)) else out / language
    config = ROOT / f".site-{language}.yml"
    config.write_text(settings(language, pages, made))
    try:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "docs" / "code")])}
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", str(config)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    finally:
        config.unlink()
    sys.stderr.write(done.stderr if done.returncode else "")
    if done.returncode or "Traceback" in done.stderr:
        raise SiteError(f"{language}: Zensical stopped\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


def figure_numbers(folder: Path) -> Path:
    """Let `docs/code/figure_data.py` train the models of the moving figures; return the folder of their numbers.

    Raises:
        SiteError: it failed.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(DOCS / "code" / "figure_data.py"), str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SiteError(f"docs/code/figure_data.py: {done.stderr[-3000:]}")
    return folder


def set_formulas(out: Path) -> int:
    """Replace each formula by what KaTeX makes of it; how many there were.

    Raises:
        SiteError: KaTeX cannot set one; page and formula are named.
    """
    katex, count = MiniRacer(), 0
    katex.eval((DOCS / "vendor" / "katex.min.js").read_text())
    for page in sorted(out.rglob("*.html")):
        text = page.read_text()

        def one(found: re.Match, page: Path = page) -> str:
            nonlocal count
            count += 1
            display, formula = found[3] is not None, html.unescape(found[2] if found[3] is None else found[3])
            focus = ' tabindex="0"' if display else ""  # one that is too wide is scrolled by keys
            try:
                options = {"displayMode": display, "throwOnError": True, "strict": "error"}
                shown = katex.call("katex.renderToString", formula, options)
                return f'<{found[1]} class="formula"{focus}>{shown}</{found[1]}>'
            except JSEvalException as error:
                reason = next((line for line in str(error).splitlines() if "KaTeX" in line), str(error)[:300])
                raise SiteError(f"{page.relative_to(out)}: {reason}\n  in: {formula.strip()}") from None

        new = FORMULA.sub(one, text)
        if new != text:
            page.write_text(new)
    return count


def bring_figures(out: Path, numbers: Path) -> None:
    """Put the modules of the moving figures into the pages that have some.

    A browser loads no module from a folder on disk, but it takes those that stand in the page: an import map gives each
    its text. Pages get the modules that they name, and the numbers that those import.
    """
    modules = {f"figures/{path.stem}": path.read_text() for path in FIGURES.glob("*.js")}
    modules |= {f"figures/data/{path.stem}": path.read_text() for path in numbers.glob("*.js")}
    for page in sorted(out.rglob("*.html")):
        text = page.read_text()
        asked = [f"figures/{name}" for name in re.findall(r'data-figure="(\w+)"', text)]
        if not asked:
            continue
        if unknown := [name for name in asked if name not in modules]:
            raise SiteError(f"{page.relative_to(out)}: no {unknown[0]}.js")
        needed = dict.fromkeys(["figures/start"])
        for name in [*needed, *asked]:
            needed |= dict.fromkeys([name, *imports_of(name, modules)])
        urls = {name: f"data:text/javascript;base64,{b64encode(modules[name].encode()).decode()}" for name in needed}
        scripts = f'<script type="importmap">{json.dumps({"imports": urls})}</script>'
        scripts += '<script type="module">import "figures/start";</script>'
        page.write_text(text.replace("</body>", f"{scripts}</body>"))


def imports_of(name: str, modules: dict[str, str]) -> list[str]:
    """Return the modules that one imports, and those that they import."""
    found = re.findall(r'from "(figures/[\w/]+)"', modules[name])
    found += [f"figures/data/{data}" for data in re.findall(r'data\("(\w+)"\)', modules[name])]
    return [each for one in found for each in (one, *imports_of(one, modules))]


def finish(out: Path) -> None:
    """Let the language switch of each page lead to the same page in the other language, where there is one.

    And let search in a folder on disk use the script beside it, not one from the network.
    """
    first = next(iter(LANGUAGES))
    for page in sorted(out.rglob("*.html")):
        inside = page.relative_to(out)
        language = inside.parts[0] if inside.parts[0] in LANGUAGES else first
        name = inside if language == first else inside.relative_to(language)
        text = page.read_text()
        for code in LANGUAGES:
            home = Path() if code == first else Path(code)
            target = home / name if (out / home / name).exists() else home / "index.html"
            link = os.path.relpath(out / target, page.parent)
            text = re.sub(rf'(<a\s+href=")[^"]*("\s+hreflang="{code}")', rf"\g<1>{link}\g<2>", text)
        local = os.path.relpath(out / "assets" / "iframe-worker.js", page.parent)
        text = text.replace("https://unpkg.com/iframe-worker/shim", local)
        page.write_text(text)


def main() -> None:
    """Build every language's site."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "docs").resolve()
    work = ROOT / "build" / "pages"
    for folder in (out, work):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        numbers = figure_numbers(work / "numbers")
        for language in LANGUAGES:
            build(language, work, out)
        formulas = set_formulas(out)
        bring_figures(out, numbers)
        finish(out)
    except SiteError as error:
        sys.exit(f"{error}")
    pages = sum(1 for _ in out.rglob("*.html"))
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 2**20
    print(f"{pages} pages, {formulas} formulas, {size:.1f} MiB: {out / 'index.html'}")


if __name__ == "__main__":
    main()
