"""Formulas, set by KaTeX when the site is built and not in the reader's browser."""

import html
import re
from pathlib import Path

from py_mini_racer import JSEvalException, MiniRacer

from docsite.common import DOCS, FIRST, LANGUAGES, SiteError, shown

FORMULA = re.compile(r'<(span|div) class="arithmatex">(?:\\\((.*?)\\\)|\\\[(.*?)\\\])</\1>', re.DOTALL)


def set_formulas(out: Path, docs: Path) -> int:
    """Replace each formula by what KaTeX makes of it; how many there were.

    Raises:
        SiteError: KaTeX cannot set one; page, line and formula are named.
    """
    count = 0
    with MiniRacer() as katex:  # left open after an error, it may keep the interpreter from ending
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
                    set_ = katex.call("katex.renderToString", formula, options)
                    return f'<{found[1]} class="formula"{focus}>{set_}</{found[1]}>'
                except JSEvalException as error:
                    reason = next((line for line in str(error).splitlines() if "KaTeX" in line), str(error)[:300])
                    place = source_of(formula.strip(), page.relative_to(out), docs)
                    raise SiteError(f"{place}: {reason}\n  in: {formula.strip()}") from None

            new = FORMULA.sub(one, text)
            if new != text:
                page.write_text(new)
    return count


def source_of(formula: str, built: Path, docs: Path) -> str:
    """Return file and line in which a formula of a built page stands; the built page where it was computed."""
    language = built.parts[0] if built.parts[0] in LANGUAGES else FIRST
    inside = built.relative_to(language) if built.parts[0] in LANGUAGES else built
    for page in (docs / language / inside.with_suffix(".md"), docs / inside.with_suffix(".md")):
        text = page.read_text() if page.exists() else ""
        if formula in text:
            return f"{shown(page)}:{text[: text.index(formula)].count(chr(10)) + 1}"
    return str(built)
