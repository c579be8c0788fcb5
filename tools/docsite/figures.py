"""Figures that move: their models are trained, and their modules put into the pages that have some."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

from docsite.common import DOCS, ROOT, SiteError

FIGURES = DOCS / "figures"


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


def bring_figures(out: Path, numbers: Path) -> None:
    """Put the modules of the moving figures into the pages that have some.

    A browser loads no module from a folder on disk, but it takes those that stand in the page: an import map gives each
    its text. Pages get the modules that they name, and the numbers that those import.
    """
    asked = {page: re.findall(r'data-figure="(\w+)"', page.read_text()) for page in sorted(out.rglob("*.html"))}
    asked = {page: names for page, names in asked.items() if names}
    if not asked:
        return
    modules = {f"figures/{path.stem}": path.read_text() for path in FIGURES.glob("*.js")}
    modules |= {f"figures/data/{path.stem}": path.read_text() for path in numbers.glob("*.js")}
    for page, names in asked.items():
        if unknown := [name for name in names if f"figures/{name}" not in modules]:
            raise SiteError(f"{page.relative_to(out)}: no {unknown[0]}.js")
        needed = dict.fromkeys(["figures/start"])
        for name in [*needed, *(f"figures/{name}" for name in names)]:
            needed |= dict.fromkeys([name, *imports_of(name, modules)])
        urls = {name: f"data:text/javascript;base64,{b64encode(modules[name].encode()).decode()}" for name in needed}
        scripts = f'<script type="importmap">{json.dumps({"imports": urls})}</script>'
        scripts += '<script type="module">import "figures/start";</script>'
        page.write_text(page.read_text().replace("</body>", f"{scripts}</body>"))


def imports_of(name: str, modules: dict[str, str]) -> list[str]:
    """Return the modules that one imports, and those that they import."""
    found = re.findall(r'from "(figures/[\w/]+)"', modules[name])
    found += [f"figures/data/{data}" for data in re.findall(r'data\("(\w+)"\)', modules[name])]
    return [each for one in found for each in (one, *imports_of(one, modules))]
