"""Lets Zensical show a code block with what it printed: it has run before the build (`tools/docsite/run.py`).

`LATEN_BLOCKS` names the file of what each block printed, by its place.
"""

import functools
import json
import os
import re
from pathlib import Path
from typing import Any

import markdown_exec

NOTHING = re.compile(r'<div class="[^"]*highlight"><pre><span></span><code></code></pre></div>\n?')


def validator(language: str, inputs: dict[str, str], options: dict[str, Any], attrs: dict[str, Any], md: Any) -> bool:
    """Say whether a block is one to run, and sort its options."""
    own = {name: inputs.pop(name, "") for name in ("setup", "quick", "quiet")}
    found = markdown_exec.validator(language, inputs, options, attrs, md)
    if found:
        options |= own
    return found


def formatter(source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **others: Any) -> str:
    """Return what the page shows of a block."""
    options = {name: value for name, value in options.items() if name not in ("setup", "quick")}
    said = "" if options.pop("quiet") == "1" else printed()[options["id"]]
    shown = markdown_exec.base_format(language=language, run=lambda *_, **__: said, code=source, md=md, **options)
    return NOTHING.sub("", str(shown))


@functools.cache
def printed() -> dict[str, str]:
    """Return what each block printed."""
    return json.loads(Path(os.environ["LATEN_BLOCKS"]).read_text())
