"""What is wrong with a page stops the build, with file and line. Each case is a small folder of pages."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "site.py"
NAV = "site_name: small\nnav:\n  - A: index.md\n  - B: article.md\n  - C: glossary.md\n  - T: tables.md\n"
PAGES = ("index.md", "article.md", "glossary.md", "tables.md")


@pytest.fixture
def pages(tmp_path):
    """A folder of pages with nothing wrong."""
    pytest.importorskip("zensical", reason="pip install '.[docs]'")
    pytest.importorskip("py_mini_racer", reason="pip install '.[docs]'")
    for language in ("en", "id"):
        folder = tmp_path / "docs" / language
        folder.mkdir(parents=True)
        (folder / "nav.yml").write_text(NAV)
        for name in PAGES:
            (folder / name).write_text("# Title\n\nText with $x^2$.\n")
    return tmp_path / "docs"


def built(pages):
    """Build the site of a folder."""
    command = [sys.executable, str(TOOL), str(pages.parent / "out"), "--docs", str(pages)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_pages_without_faults_are_built(pages):
    page = pages / "en" / "index.md"
    page.write_text(
        "# Title\n\n```python\na = 2\n```\n\n```python\nprint(a + 1)\n```\n\n```sh\ntest -d docs\n```\n\n"
        "<!-- not run: needs a machine that flies -->\n```sh\nfly\n```\n"
    )
    done = built(pages)
    assert done.returncode == 0, done.stderr
    assert "3 code blocks executed, 1 marked as not run" in done.stdout
    assert f"{page}:16: needs a machine that flies" in done.stdout
    shown = (pages.parent / "out" / "index.html").read_text()
    assert "<code>3\n</code>" in shown


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# Title\n\n```python\na = 1\n1 / 0\n```\n", 3, "(its line 2): ZeroDivisionError"),
        ("# Title\n\n```sh\nfalse\ntrue\n```\n", 3, ""),
        ("# Title\n\n```python\nprint(2)\n```\n\n```text\n3\n```\n", 7, "neither code nor data"),
        ("# Title\n\nSee [there](nowhere.md).\n", 3, "page does not exist"),
        ("# Title\n\nText.\n\n$$\\unknown{x}$$\n", 5, "KaTeX"),
        ("Text without a title.\n", 1, "opens with a heading"),
    ],
)
def test_a_fault_names_file_and_line(pages, text, line, words):
    page = pages / "en" / "tables.md"
    page.write_text(text)
    if "heading" in words:  # its title is asked for where the navigation does not say it
        (pages / "en" / "nav.yml").write_text(NAV.replace("T: tables.md", "tables.md"))
    done = built(pages)
    assert done.returncode == 1
    assert f"{page}:{line}" in done.stderr and words in done.stderr


@pytest.mark.parametrize("name", ["article.md", "tables.md"])
def test_a_missing_translation_names_the_page(pages, name):
    (pages / "id" / name).unlink()
    done = built(pages)
    assert done.returncode == 1
    assert f"{pages / 'id' / name}:1: missing; translate" in done.stderr


def test_a_link_to_a_page_in_english_must_lead_there(pages):
    page = pages / "id" / "index.md"
    page.write_text("# Judul\n\nLihat [skema](../en/schema.md).\n")
    done = built(pages)
    assert done.returncode == 1 and f"{page}:3: there is no page en/schema.md" in done.stderr
