"""Runs a code block of a page for Zensical: markdown-exec does, after what the page's `setup` makes.

It notes the block's place in the file that `LATEN_BLOCKS` names: a block that is counted has run.
"""

import os
import time
from pathlib import Path
from typing import Any

import markdown_exec

CODE = Path(__file__).parent


def validator(language: str, inputs: dict[str, str], options: dict[str, Any], attrs: dict[str, Any], md: Any) -> bool:
    """Say whether a block is one to run, and sort its options."""
    setup = inputs.pop("setup", "")
    found = markdown_exec.validator(language, inputs, options, attrs, md)
    if found:
        options["setup"] = setup
    return found


def formatter(source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **others: Any) -> str:
    """Run a block; return what the page shows of it."""
    setup, began = options.pop("setup", ""), time.perf_counter()
    where = Path(options["workdir"] or ".")
    if not where.exists():
        where.mkdir(parents=True)
        (where / "docs").symlink_to(CODE.parent)
    if setup:
        first = {**options, "source": "", "result": "", "html": False, "extra": {}}
        markdown_exec.formatter((CODE / f"{setup}.py").read_text(), "python", css_class, first, md)
    shown = markdown_exec.formatter(source, language, css_class, options, md, **others)
    with Path(os.environ["LATEN_BLOCKS"]).open("a") as notes:
        notes.write(f"{options['id']}\t{time.perf_counter() - began:.1f}\n")
    return shown
