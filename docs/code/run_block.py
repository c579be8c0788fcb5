"""Runs a code block of a page for Zensical: markdown-exec does, after what the page's `setup` makes.

It notes the block's place in the file that `LATEN_BLOCKS` names: a block that is counted has run.
"""

import os
import re
import time
from pathlib import Path
from typing import Any

import markdown_exec

from laten.training import settings as training

CODE = Path(__file__).parent
QUICK = 200  # steps
END = "</code></pre></div>"
NOTHING = re.compile(r'<div class="[^"]*highlight"><pre><span></span><code></code></pre></div>\n?')


def validator(language: str, inputs: dict[str, str], options: dict[str, Any], attrs: dict[str, Any], md: Any) -> bool:
    """Say whether a block is one to run, and sort its options."""
    own = {name: inputs.pop(name, "") for name in ("setup", "quick", "quiet")}
    found = markdown_exec.validator(language, inputs, options, attrs, md)
    if found:
        options |= own
    return found


def formatter(source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **others: Any) -> str:
    """Run a block; return what the page shows of it."""
    setup, quick, quiet = (options.pop(name) for name in ("setup", "quick", "quiet"))
    began = time.perf_counter()
    where = Path(options["workdir"] or ".")
    if not where.exists():
        where.mkdir(parents=True)
        (where / "docs").symlink_to(CODE.parent)
    before = training.AUTO_STEPS
    training.AUTO_STEPS = QUICK if quick == "1" else before
    try:
        for name in filter(None, setup.split(",")):
            first = {**options, "source": "", "result": "", "html": False, "extra": {}}
            markdown_exec.formatter((CODE / f"{name}.py").read_text(), "python", css_class, first, md)
        shown = str(markdown_exec.formatter(source, language, css_class, options, md, **others))
    finally:
        training.AUTO_STEPS = before
    with Path(os.environ["LATEN_BLOCKS"]).open("a") as notes:
        notes.write(f"{options['id']}\t{time.perf_counter() - began:.1f}\n")
    shown = NOTHING.sub("", shown)
    return shown.split(END)[0] + END if quiet == "1" else shown
