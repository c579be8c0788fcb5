"""Pages of the reference that are generated: every public name, and every command."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import laten
from docsite.common import DOCS, FIRST, ROOT, SiteError

FOLDER = "reference"
INDEX = """---
order: 0
---
# Reference

Look up a name that you know: its arguments, the shapes and units of what it takes and returns, the errors it raises.
To find the way to a task, start with the [questions of a table](../tables.md).

Commands of the terminal: [every command](commands.md). What a file of a model holds: [model files](model-files.md).
What a message means: [errors and what to do](errors.md).

## Every public name

| name | what it is |
|---|---|"""
COMMANDS = """---
order: 20
---
# Every command

`laten COMMAND --help` prints this in the terminal.
[The command line](../command-line.md) says how the commands work together.

"""
DIRECTIVE = re.compile(r"^::: laten\.([\w.]+)", re.MULTILINE)


def generate(pages: Path) -> None:
    """Write the generated pages among those of the first language.

    Raises:
        SiteError: a public name is on no page of the reference.
    """
    (pages / FOLDER / "index.md").write_text(index())
    (pages / FOLDER / "commands.md").write_text(commands())


def places() -> dict[str, str]:
    """Return the page of the reference on which each name stands."""
    found = sorted((DOCS / FIRST / FOLDER).glob("*.md"))
    return {name: page.name for page in found for name in DIRECTIVE.findall(page.read_text())}


def index() -> str:
    """Return a page with every public name, a line each."""
    where, lines = places(), []
    for name in sorted(laten.__all__, key=str.lower):
        path = name if name in where else f"{name}.{name}"  # a function may be called as its module
        if path not in where:
            raise SiteError(f"docs/{FIRST}/{FOLDER}:1: laten.{name} is on no page; write '::: laten.{name}'")
        first = (inspect.getdoc(getattr(laten, name)) or "").split("\n")[0].replace("|", "\\|")
        lines.append(f"| [`{name}`]({where[path]}#laten.{path}) | {first} |")
    return "\n".join([INDEX, *lines, ""])


def commands() -> str:
    """Return a page with the help of every command, as typer writes it.

    Raises:
        SiteError: typer failed.
    """
    command = [sys.executable, "-m", "typer", "laten.cli.questions", "utils", "docs", "--name", "laten"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SiteError(f"src/laten/cli/questions.py:1: typer cannot write its help\n{done.stderr[-1000:]}")
    text = re.sub(r"(?m)^(\* `[^`\n]+)`:", r"\1`:", done.stdout.split("**Usage**", 1)[1])
    text = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n", "", text)  # cut short there, whole below
    text = text.replace("* `--help`: Show this message and exit.\n", "")
    return f"{COMMANDS}**Usage**{text}"
