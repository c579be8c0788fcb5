"""The look of every picture: sizes, colours, titles, mosaics of images, and how it is written.

Figures are made without pyplot, so nothing global changes and no window opens. Colours are those of Okabe & Ito (2008),
readable for colour-blind people; what is missing is grey, hidden pixels are orange.
"""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import to_hex
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from laten.common.atomic_file import atomic
from laten.common.errors import LatenError, known

BLUE, RED, INK, GREY, PALE = "#0072b2", "#d55e00", "#222b36", "#6b7683", "#c9cfd6"
CLASSES = (BLUE, "#e69f00", "#009e73", RED, "#cc79a7", "#56b4e9", "#111111", "#882255", "#999933", "#f0e442")
HIDDEN = (0.98, 0.72, 0.38)
PERCENT = FuncFormatter(lambda x, _: f"{100 * x:.3g}%")
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))  # from which size, and the letter
FORMATS = (".png", ".svg", ".pdf")
MOST_PANELS = 24
MOST_LABELS = 24
TILE = 56  # least height of an image in a mosaic, in pixels; a gap is a 28th of it


def figure(width: float, height: float, title: str) -> Figure:
    """Make an empty figure, sizes in inches, titled at the left."""
    fig = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1), facecolor="white")
    fig.suptitle(title, x=0.1 / width, ha="left", fontsize=12, fontweight="bold", color=INK)
    return fig


def caption(fig: Figure, text: str) -> Figure:
    """Write a line in small grey type under the figure, broken where it is too long."""
    text, wide = " ".join(text.split()), fig.get_figwidth()
    if text:
        lines = textwrap.wrap(text, int(wide * 15) + 1, break_long_words=False, break_on_hyphens=False)
        fig.supxlabel(plain("\n".join(lines)), x=0.1 / wide, ha="left", fontsize=8.5, color=GREY)
    return fig


def tidy(ax: Axes, title: str = "", across: str = "", up: str = "", size: float = 8.5) -> Axes:
    """Give axes a quiet frame and grid, a title, and names (in type of `size`) to what runs across and up."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(PALE)
    ax.tick_params(labelsize=8, colors=GREY, length=2.5)
    ax.grid(color="#eceff2", linewidth=0.8)
    ax.set_axisbelow(True)
    if title:
        ax.set_title(cut(title, 34), loc="left", fontsize=9.5, color=INK)
    ax.set_xlabel(plain(across), fontsize=size, color=GREY)
    ax.set_ylabel(plain(up), fontsize=size, color=GREY)
    return ax


def numbered(axis: Axis, date: bool = False, linear: float | None = None, most: int = 4) -> None:
    """Give an axis few, short marks: of dates (days since 1970), or of numbers.

    Args:
        linear: The axis is `symlog`, logarithmic beyond so much on both sides of 0; its limits are set.
        most: Marks, about.
    """
    if date:
        locator = AutoDateLocator(minticks=2, maxticks=most)
        axis.set_major_locator(locator)
        axis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        return
    if linear is not None:
        axis.set_major_locator(FixedLocator(decades(*axis.get_view_interval(), linear, most)))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda x, _: brief(x)))


def decades(low: float, high: float, linear: float, most: int) -> list[float]:
    """Choose marks of a bent axis: 0, and powers of ten beyond the linear part, about `most` of them."""
    sides = [max(0, int(math.log10(max(end, linear) / linear) + 1e-9)) for end in (-low, high)]
    step = max(1, math.ceil(sum(sides) / most))
    least = 0 if sum(sides) < most else 1
    down, up = (
        [linear * 10.0**k for k in range(n, least - 1, -step)] if end >= linear else []
        for n, end in zip(sides, (-low, high), strict=True)
    )
    return [*(-x for x in down), *([0.0] if low <= 0 <= high else []), *reversed(up)]


def brief(x: float) -> str:
    """Write a number in few letters: `25k`, `1.5M`, `−0.02`."""
    size, letter = next(((1e3 if s == 1e4 else s, p) for s, p in PREFIXES if abs(x) >= s), (1.0, ""))
    return f"{x / size:.6g}{letter}".replace("-", "−")


def only_heights(ax: Axes) -> None:
    """Take away the vertical scale of axes whose heights are to be compared by eye."""
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_ylim(bottom=0)


def picture(image: np.ndarray, width: float, title: str, ticks: float = 0.0) -> tuple[Figure, Axes]:
    """Make a figure of one image `(height, width, 3)`, without a frame; `ticks` is the room for labels at its left."""
    fig = figure(width, (width - 0.2 - ticks) * image.shape[0] / image.shape[1] + 0.95, title)
    ax = fig.add_subplot()
    ax.imshow(image, interpolation="antialiased")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=9, colors=GREY)
    return fig, ax


def panels_of(count: int, title: str, width: float, height: float) -> tuple[Figure, list[Axes], str]:
    """Make a figure of up to 24 small axes, and a sentence about those left out."""
    shown = min(count, MOST_PANELS)
    if shown == 0:
        raise LatenError(f"{title.lower()}: no column to draw")
    columns = min(shown, 4)
    rows = math.ceil(shown / columns)
    fig = figure(max(width * columns, 4.0), height * rows + 0.8, title)
    axes = [fig.add_subplot(rows, columns, i + 1) for i in range(shown)]
    return fig, axes, f" The first {shown} of {count} columns." if shown < count else ""


def named(axes: Sequence[Axes], names: Sequence[str], pad: float | None = None) -> None:
    """Title small axes beside each other, so that no name reaches the next and no two look the same."""
    for ax, name in zip(axes, distinct(names, 26), strict=False):
        ax.set_title(name, loc="left", fontsize=9.5, color=INK, pad=pad)


def mosaic(images: np.ndarray, columns: int, places: np.ndarray | None = None) -> np.ndarray:
    """Put images side by side with thin white gaps.

    Args:
        images: `(n, height, width)` or `(n, height, width, 3)` in [0, 1]; NaN is drawn as hidden.
        places: `(n,)` where each goes, counted along the rows; None: one after the other.
    Returns:
        `(height, width, 3)`.
    """
    places = np.arange(len(images)) if places is None else places
    x = images[..., None].repeat(3, -1) if images.ndim == 3 else images
    x = np.where(np.isfinite(x).all(-1, keepdims=True), x, np.array(HIDDEN))
    larger = math.ceil(TILE / min(x.shape[1:3]))
    x = x.repeat(larger, 1).repeat(larger, 2)
    high, wide = x.shape[1:3]
    gap = high // 28
    rows = int(places.max()) // columns + 1
    out = np.ones((rows * (high + gap) - gap, columns * (wide + gap) - gap, 3))
    for image, place in zip(x, places, strict=True):
        top, left = (place // columns) * (high + gap), (place % columns) * (wide + gap)
        out[top : top + high, left : left + wide] = image
    return out


def palette(count: int) -> list[str]:
    """Choose colours of classes: distinct ones up to ten, then along viridis."""
    if count <= len(CLASSES):
        return list(CLASSES[:count])
    return [to_hex(colormaps["viridis"](i / (count - 1))) for i in range(count)]


def legend(fig: Figure, keys: Sequence[tuple[str, str]]) -> None:
    """Draw colours and what they stand for, at the right of the figure; of many, evenly spaced ones."""
    step = math.ceil(len(keys) / MOST_LABELS)
    handles = [Line2D([], [], marker="o", linestyle="", color=color, markersize=6) for color, _ in keys[::step]]
    labels = [" " + label for label in distinct([label for _, label in keys[::step]], 24)]
    fig.legend(
        handles, labels, loc="outside right center", frameon=False, fontsize=8.5, labelcolor=INK, handletextpad=0.1
    )


def colour_bar(
    fig: Figure | SubFigure, shown: ScalarMappable, ax: Axes, unit: str = "", date: bool = False, **shape: Any
) -> Colorbar:
    """Draw a thin bar of values at the right of some axes.

    Args:
        unit: What the values are, written beside the bar.
        date: They are days since 1970-01-01.
        shape: As `Figure.colorbar` takes it.
    """
    bar = fig.colorbar(shown, ax=ax, **({"aspect": 20, "pad": 0.02} | shape))
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7.5, colors=GREY, length=0)
    bar.set_label(plain(unit), fontsize=8, color=GREY)
    if "format" not in shape or shape["format"] is None:
        numbered(bar.ax.yaxis, date, most=6)
    return bar


def signed(x: float, digits: int = 1) -> str:
    """Write a number with a minus sign that looks like one."""
    text = f"{x:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def cut(text: str, most: int) -> str:
    """Cut a text that is longer than `most` letters, and write it `plain`."""
    return plain(text if len(text) <= most else text[: most - 1] + "…")


def distinct(texts: Sequence[str], most: int) -> list[str]:
    """Cut texts that are longer than `most` letters so that no two of them look the same, and write them `plain`.

    They are cut at the end; where that makes two equal, in the middle; where that does too, they begin a little before
    the first letter in which those differ. What is equal even so is not cut.
    """

    def window(text: str, alike: Sequence[str]) -> str:
        differ = next((i for i, at in enumerate(zip(*alike, strict=False)) if len(set(at)) > 1), 0)
        start = max(0, differ - most // 3)
        return f"{'…' if start else ''}{text[start : start + most - 2]}{'…' if start + most - 2 < len(text) else ''}"

    half = most // 2
    shown = [text if len(text) <= most else text[: most - 1] + "…" for text in texts]
    middle = [text if len(text) <= most else f"{text[: most - half - 1]}…{text[-half:]}" for text in texts]
    for other in (middle, None, list(texts)):
        alike = {s: [t for t, own in zip(texts, shown, strict=True) if own == s] for s in shown}
        other = [window(t, alike[s]) for t, s in zip(texts, shown, strict=True)] if other is None else other
        shown = [o if len(alike[s]) > 1 else s for s, o in zip(shown, other, strict=True)]
    return [plain(text) for text in shown]


def plain(text: str) -> str:
    """Write text in which a dollar sign is a dollar sign."""
    return text.replace("$", r"\$")


def capital(text: str) -> str:
    """Make a sentence's first letter large."""
    return text[:1].upper() + text[1:]


def saved(fig: Figure, path: str | Path | None) -> Figure:
    """Write the figure, whole or not at all, if a path is given.

    Raises:
        LatenError: another format than .png, .svg or .pdf, or a place that cannot be written.
    """
    if path is not None:
        suffix = Path(path).suffix.lower()
        if suffix not in FORMATS:
            raise LatenError(f"{path}: a picture is written as {known(FORMATS)}, not {suffix or 'without extension'!r}")
        with atomic(path) as file:
            fig.savefig(file, format=suffix[1:], dpi=150)
    return fig
