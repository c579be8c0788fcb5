"""What pages show besides printed text: source code by its name, pictures of digits, drawings of networks."""

import base64
import importlib
import inspect
import io
import os
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

warnings.simplefilter("ignore")

# runs lines of a terminal one after the other: those of laten in this one process, which is quicker
SHELL = """
import shlex, subprocess, sys
from laten.cli.main import main
for line in sys.argv[1:]:
    words = shlex.split(line)
    print(f"\\x1e{line}", flush=True)
    code = main(words[1:]) if words[0] == "laten" else subprocess.run(line, shell=True).returncode
    sys.stdout.flush()
    if code > 1:
        sys.exit(code)
"""


def source(name: str) -> str:
    """Return Markdown that shows the code of a function or method, without its docstring, by its dotted name."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        found = getattr(found, "fget", found)  # of a property, its function
        break
    lines = textwrap.dedent(inspect.getsource(found))
    doc = inspect.getdoc(found)
    if doc and '"""' in lines:
        start = lines.index('"""')
        end = lines.index('"""', start + 3) + 3
        lines = lines[:start].rstrip() + "\n" + lines[end:].lstrip("\n")
    return f'```python title="{name}"\n{lines.rstrip()}\n```\n'


def digit_rows(rows: list[tuple[str, np.ndarray]], alt: str, size: int = 56, gap: int = 6) -> str:
    """Return an image tag: rows of digits `(n, height, width)` of 0..255, dark on light."""
    columns = max(len(images) for _, images in rows)
    sheet = Image.new("L", (columns * (size + gap) - gap, len(rows) * (size + 2 * gap) - 2 * gap), 255)
    for i, (_, images) in enumerate(rows):
        for j, image in enumerate(images):
            digit = Image.fromarray(255 - np.asarray(image, np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
            sheet.paste(digit, (j * (size + gap), i * (size + 2 * gap)))
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return f'<img class="digits" alt="{alt}" src="data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}">'


def network_drawing(network: object) -> str:
    """Return the plate diagram of a network as SVG."""
    return f'<div class="network">{network.draw()}</div>'


def picture(draw: Callable[[Path], Any], alt: str, kind: str = "png") -> str:
    """Return an image tag of what `draw` writes to the path that it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"picture.{kind}")
        draw(path)
        code = base64.b64encode(path.read_bytes()).decode()
    media = {"png": "image/png", "svg": "image/svg+xml"}[kind]
    return f'<img alt="{alt}" src="data:{media};base64,{code}">'


def desk() -> Path:
    """Return an empty folder, in which a page reads and writes files."""
    return Path(tempfile.mkdtemp(prefix="laten-page-"))


def terminal(folder: Path, *lines: str, fails: bool = False) -> str:
    """Run lines of a terminal in a folder; return Markdown that shows them with what they print.

    Args:
        folder: Where the files of the page lie.
        lines: Commands; a line that fails ends them.
        fails: The last line is one that fails, as the page says.
    """
    source = Path(__file__).parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONWARNINGS": "ignore", "COLUMNS": "100"}
    command = [sys.executable, "-c", SHELL, *lines]
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if bool(done.returncode) != fails:
        raise RuntimeError(f"{lines}: exit status {done.returncode}\n{done.stdout}")
    parts, typed = "", ""
    for command in done.stdout.split("\x1e")[1:]:
        line, _, said = command.partition("\n")
        typed += f"{line}\n"
        if said.strip():
            parts, typed = f"{parts}```sh\n{typed}```\n\n```text\n{said.rstrip()}\n```\n\n", ""
    return f"{parts}```sh\n{typed}```\n" if typed else parts
