"""The documentation as a site, in each language: pages are gathered, their code is run, formulas set, links checked.

    python tools/site.py [FOLDER] [--docs PAGES] [--draft]     # default: build/docs; open FOLDER/index.html

`docsite/` holds the steps. Code blocks run first, two pages at once; Zensical refuses broken links; KaTeX sets formulas
here and not in the reader's browser. Whatever is wrong stops the build, with file and line. Nothing is loaded from
the network.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docsite.blocks import Block, prepare_blocks
from docsite.common import DOCS, FIRST, LANGUAGES, ROOT, SiteError, shown
from docsite.docstrings import faults
from docsite.figures import bring_figures
from docsite.formulas import set_formulas
from docsite.links import check_links
from docsite.pages import BUILT, PAGES, check_translations, gather, settings, switch_languages
from docsite.reference import generate
from docsite.run import ENVIRONMENT, run_pages
from docsite.search import search_when_asked

README = "README.md"  # its blocks run as well
PRINTED = "printed.json"  # what each block printed


def bring(language: str, docs: Path, work: Path, run: bool) -> list[Block]:
    """Put the pages of a language, and those that are generated, into a folder; return their code blocks."""
    pages = work / language / PAGES
    blocks = gather(language, docs, pages, run)
    if language == FIRST and docs == DOCS:
        generate(pages)
    if language == FIRST and docs == DOCS and run:
        text, found = prepare_blocks((ROOT / README).read_text(), README)
        (work / README).write_text(text)
        blocks += found
    return blocks


def run_all(blocks: list[Block], work: Path) -> dict[str, float]:
    """Run the blocks of all pages, and write down what they printed; return the seconds of processor of each.

    Raises:
        SiteError: one failed, or did not run: it is no block for Markdown.
    """
    os.environ.update(ENVIRONMENT)
    pages = [*sorted(work.glob(f"*/{PAGES}/**/*.md")), *work.glob(README)]
    ran = run_pages({page: work / "run" / page.relative_to(work).with_suffix("") for page in pages}, work / "numbers")
    if lost := [block.place for block in blocks if not block.not_run and block.place not in ran.seconds]:
        raise SiteError(f"{lost[0]}: this block did not run: is its fence indented as its surroundings are?")
    (work / PRINTED).write_text(json.dumps(ran.printed))
    (work / "seconds.txt").write_text("".join(f"{place}\t{s:.1f}\n" for place, s in ran.seconds.items()))
    return ran.seconds


def build(language: str, docs: Path, work: Path) -> str:
    """Let Zensical build a language's site in `the language's folder`; return what was wrong."""
    home = work / language  # a home of its own, since Zensical keeps a cache there
    config = home / "zensical.yml"
    config.write_text(settings(language, docs, work))
    environment = {**os.environ, **ENVIRONMENT, "LATEN_BLOCKS": str(work / PRINTED)}
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", config.name]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or "Traceback" in done.stderr:
        return f"{language}: Zensical stopped\n{plainly(done.stdout + done.stderr, language, docs)}"
    return ""


def plainly(report: str, language: str, docs: Path) -> str:
    """Return what Zensical reported, without colours and its own traceback, with the pages' own paths."""
    report = re.sub(r"\x1b\[[\d;]*m", "", report)
    report = re.sub(r"\nTraceback.*?--strict flag is set\n", "\n", report, flags=re.DOTALL)

    def own(found: re.Match) -> str:
        page = next((p for p in (docs / language / found[1], docs / found[1]) if p.exists()), Path(found[1]))
        return f"[ {shown(page)}:"

    return re.sub(r"\[ (\S+\.md):", own, report)[-3000:]


def report(blocks: list[Block], seconds: dict[str, float]) -> None:
    """Print how many blocks ran, which did not and why, and which took longest."""
    marked = [block for block in blocks if block.not_run]
    for block in marked:
        print(f"not run: {block.place}: {block.not_run}")
    for place in sorted(seconds, key=lambda place: -seconds[place])[:5]:
        print(f"{seconds[place]:.1f} s of processor: {place}")
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
        seconds = {} if options.draft else run_all(blocks, work)
        with ThreadPoolExecutor() as pool:  # each waits for a process
            wrong = list(pool.map(lambda language: build(language, docs, work), LANGUAGES))
        if any(wrong):
            raise SiteError("\n".join(filter(None, wrong)))
        for language in LANGUAGES:
            (work / language / BUILT).rename(out if language == FIRST else out / language)
        formulas = set_formulas(out, docs)
        if not options.draft:
            bring_figures(out, work / "numbers")
        switch_languages(out)
        search_when_asked(out)
        links = check_links(out)
    except SiteError as error:
        sys.exit(f"{error}")
    if options.draft:
        print("a draft: no code block ran")
    else:
        report(blocks, seconds)
    pages = sum(1 for _ in out.rglob("*.html"))
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 2**20
    print(f"{pages} pages, {formulas} formulas, {links} links, {size:.1f} MiB: {out / 'index.html'}")


if __name__ == "__main__":
    main()
