"""What pages show besides printed text: source code by its name, pictures of digits, drawings of networks."""

import base64
import importlib
import inspect
import io
import textwrap
import warnings

import numpy as np
from PIL import Image

warnings.simplefilter("ignore")


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
