"""The documentation as a site, in each language: pages are gathered, their code is run, formulas set, links checked.

    python tools/site.py [FOLDER] [--docs PAGES] [--draft]     # default: build/docs; open FOLDER/index.html

`docsite/` holds the steps. Zensical runs the code blocks and refuses broken links. KaTeX sets formulas here and not in
the reader's browser. Whatever is wrong stops the build, with file and line. Nothing is loaded from the network.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docsite.blocks import Block, faults_of, only_blocks, prepare_blocks
from docsite.common import DOCS, FIRST, LANGUAGES, ROOT, SiteError, shown
from docsite.docstrings import faults
from docsite.figures import bring_figures
from docsite.formulas import set_formulas
from docsite.links import check_links
from docsite.pages import BUILT, PAGES, check_translations, gather, settings, switch_languages
from docsite.reference import generate

README = "readme-blocks"  # a page with the blocks of README alone, to run them; it does not stay


def bring(language: str, docs: Path, work: Path, run: bool) -> list[Block]:
    """Put the pages of a language, and those that are generated, into a folder; return their code blocks."""
    pages = work / language / PAGES
    blocks = gather(language, docs, pages, run)
    if language == FIRST and docs == DOCS:
        generate(pages)
    if language == FIRST and docs == DOCS and run:
        text, found = prepare_blocks((ROOT / "README.md").read_text(), "README.md")
        (pages / f"{README}.md").write_text(f"---\nsearch:\n  exclude: true\n---\n# README\n\n{only_blocks(text)}\n")
        blocks += found
    return blocks


def build(language: str, docs: Path, work: Path) -> str:
    """Let Zensical build a language's site in `the language's folder`; return what was wrong: blocks, links, others."""
    home, notes = work / language, work / f"ran-{language}.txt"  # a home of its own, since Zensical keeps a cache there
    config = home / "zensical.yml"
    config.write_text(settings(language, docs, work))
    notes.touch()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), str(DOCS / "code")]),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "BASH_ENV": str(DOCS / "code" / "strict.sh"),
        "LATEN_BLOCKS": str(notes),
        "EDITOR": "true",
    }
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", config.name]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    if found := faults_of(done.stderr):
        return found
    if done.returncode or "Traceback" in done.stderr:
        return f"{language}: Zensical stopped\n{plainly(done.stdout + done.stderr, language, docs)}"
    return ""


def check_all_ran(blocks: list[Block], notes: list[Path]) -> None:
    """Check that each block that is not marked ran.

    Raises:
        SiteError: one did not: it is no block for Zensical.
    """
    ran = {line.split("\t")[0] for path in notes for line in path.read_text().splitlines()}
    if lost := [block.place for block in blocks if not block.not_run and block.place not in ran]:
        raise SiteError(f"{lost[0]}: this block did not run: is its fence indented as its surroundings are?")


def plainly(report: str, language: str, docs: Path) -> str:
    """Return what Zensical reported, without colours and its own traceback, with the pages' own paths."""
    report = re.sub(r"\x1b\[[\d;]*m", "", report)
    report = re.sub(r"\nTraceback.*?--strict flag is set\n", "\n", report, flags=re.DOTALL)

    def own(found: re.Match) -> str:
        page = next((p for p in (docs / language / found[1], docs / found[1]) if p.exists()), Path(found[1]))
        return f"[ {shown(page)}:"

    return re.sub(r"\[ (\S+\.md):", own, report)[-3000:]


def report(blocks: list[Block], notes: list[Path]) -> None:
    """Print how many blocks ran, which did not and why, and which took longest."""
    marked = [block for block in blocks if block.not_run]
    for block in marked:
        print(f"not run: {block.place}: {block.not_run}")
    times = [line.split("\t") for path in notes for line in path.read_text().splitlines()]
    for place, seconds in sorted(times, key=lambda item: -float(item[1]))[:5]:
        print(f"{seconds} s: {place}")
    print(f"{len(blocks) - len(marked)} code blocks executed, {len(marked)} marked as not run")


def main() -> None:
    """Build every language's site."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "docs")
    asked.add_argument("--docs", type=Path, default=DOCS, help="the pages, if others than those of laten")
    asked.add_argument("--draft", action="store_true", help="run no code block: how does it look?")
    options = asked.parse_args()
    out, docs = options.folder.resolve(), options.docs.resolve()
    work = out.parent / f"{out.name}-pages"
    for folder in (out, work):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        check_translations(docs)
        if lacks := faults() if docs == DOCS else []:
            raise SiteError("\n".join(lacks))
        blocks = [block for language in LANGUAGES for block in bring(language, docs, work, not options.draft)]
        with ThreadPoolExecutor() as pool:  # each waits for a process
            wrong = list(pool.map(lambda language: build(language, docs, work), LANGUAGES))
        if any(wrong):
            raise SiteError("\n".join(filter(None, wrong)))
        if not options.draft:
            check_all_ran(blocks, sorted(work.glob("ran-*.txt")))
        for language in LANGUAGES:
            (work / language / BUILT).rename(out if language == FIRST else out / language)
        (out / f"{README}.html").unlink(missing_ok=True)
        formulas = set_formulas(out, docs)
        if not options.draft:
            bring_figures(out, work / "numbers")
        finish(out)
        links = check_links(out)
    except SiteError as error:
        sys.exit(f"{error}")
    if options.draft:
        print("a draft: no code block ran")
    else:
        report(blocks, sorted(work.glob("ran-*.txt")))
    pages = sum(1 for _ in out.rglob("*.html"))
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 2**20
    print(f"{pages} pages, {formulas} formulas, {links} links, {size:.1f} MiB: {out / 'index.html'}")


def finish(out: Path) -> None:
    """Let the language switch lead to the same page, and search in a folder on disk use the script beside it."""
    switch_languages(out)
    for page in sorted(out.rglob("*.html")):
        local = os.path.relpath(out / "assets" / "iframe-worker.js", page.parent)
        page.write_text(page.read_text().replace("https://unpkg.com/iframe-worker/shim", local))


if __name__ == "__main__":
    main()
