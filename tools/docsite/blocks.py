"""Code blocks of pages: every one runs when the site is built, or a mark above it says why not.

    <!-- setup: clinic -->              the next block, and those after it, find what docs/code/clinic.py makes
    <!-- setup: quick -->               from here on, models whose epochs are not said train for a few steps
    <!-- not run: needs pythae -->      the next block is shown and not run

Blocks of a page run in one namespace and one folder, from top to bottom. Text that looks like output is refused: a
block prints what it shows (`exec="1" source="above" result="text"`). Data, such as TOML, are no code.
"""

import re
from dataclasses import dataclass

from docsite.common import SiteError

CODE = {"python": "python", "py": "python", "sh": "bash", "bash": "bash"}  # and what runs it
OUTPUT = ("", "text", "console", "pycon", "txt")
FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[\w-]*) *(?P<options>[^`\n]*)$")
MARK = re.compile(r"^ *<!-- (?P<kind>setup|not run): (?P<text>.+?) -->$")


@dataclass(frozen=True)
class Block:
    """A code block: where it stands, and why it is not run (nothing: it is)."""

    place: str
    language: str
    not_run: str = ""


def prepare_blocks(text: str, page: str) -> tuple[str, list[Block]]:
    """Write the blocks of a page so that each can be run and shown; return the page and its blocks.

    The page has as many lines as before.

    Raises:
        SiteError: text in a fence has no language, and no mark says that it is not run.
    """
    lines, blocks, end, marks, quick = text.split("\n"), [], "", dict[str, str](), False
    for at, line in enumerate(lines):
        if end:  # inside a block
            end = "" if line.strip() == end else end
        elif mark := MARK.match(line):
            marks[mark["kind"]] = mark["text"]
        elif fence := FENCE.match(line):
            end, language, place = fence["ticks"], fence["language"], f"{page}:{at + 1}"
            not_run = marks.pop("not run", "")
            if language in OUTPUT and not not_run:
                raise SiteError(f"{place}: text in a fence is neither code nor data; let a block print it, or mark it "
                                "above: <!-- not run: why -->")  # fmt: skip
            if language in OUTPUT or (language in CODE and not_run):
                blocks.append(Block(place, language or "text", not_run))
            elif language in CODE:
                blocks.append(Block(place, language))
                options = fence["options"].strip()
                if 'exec="1"' not in options:  # what it prints is shown, unless it is a shell that reports its progress
                    options = f'exec="1" source="above" result="text" quiet="{int(language != "python")}" {options}'
                options = re.sub(r' *session="[^"]*"', "", options)
                setups = marks.pop("setup", "").split()
                quick = quick or "quick" in setups
                setup = ",".join(name for name in setups if name != "quick")
                options += f' id="{place}" idprefix="" setup="{setup}" quick="{int(quick)}"'
                lines[at] = f"{fence['indent']}{end}{CODE[language]} {' '.join(options.split())}"
        elif line.strip():
            marks.pop("not run", None)
    return "\n".join(lines), blocks


def without_running(text: str) -> str:
    """Return a page whose blocks are shown and not run; those that are not to be seen become a comment."""
    lines, closing = text.split("\n"), ""
    for at, line in enumerate(lines):
        if closing and line.strip().startswith("```"):
            lines[at], closing = closing, ""
        elif fence := FENCE.match(line):
            seen = "source=" in fence["options"] or 'exec="1"' not in fence["options"]
            lines[at] = f"{fence['indent']}{fence['ticks']}{fence['language']}" if seen else "<!--"
            closing = f"{fence['indent']}{fence['ticks']}" if seen else "-->"
    return "\n".join(lines)
