"""One picture of whether stated probabilities come true: intervals of numbers at the left, classes at the right."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from laten.plots.canvas import BLUE, GREY, PERCENT, caption, figure, saved, tidy

LARGEST = 90.0  # area of a dot


def plot_calibration(
    inside: Mapping[float, float], stated: np.ndarray, happened: np.ndarray, count: np.ndarray,
    path: str | Path | None = None,
) -> Figure:  # fmt: skip
    """Draw what was said across, what happened up; on the line both agree.

    Args:
        inside: Coverage of intervals -> share of cells inside; may be empty.
        stated, happened, count: `(bins,)` probabilities of classes, how often they came, their number; may be empty.
        path: Also write the picture: .png, .svg or .pdf.
    """
    panels = [p for p, there in (("numbers", len(inside)), ("classes", len(count))) if there]
    fig = figure(3.9 * max(len(panels), 1) + 0.3, 3.7, "Stated and true")
    for i, panel in enumerate(panels):
        ax = fig.add_subplot(1, len(panels), i + 1)
        if panel == "numbers":
            diagonal(tidy(ax, "Intervals of numbers", "stated coverage", "share of cells inside"))
            ax.plot(list(inside), list(inside.values()), "o-", color=BLUE, linewidth=1.6, markersize=6)
        else:
            diagonal(tidy(ax, "Probabilities of classes", "stated probability", "how often it came"))
            ax.plot(stated, happened, color=BLUE, linewidth=1.2, alpha=0.6)
            ax.scatter(stated, happened, s=8 + LARGEST * count / count.max(), color=BLUE, linewidths=0, zorder=3)
    whole = " Intervals of whole numbers hold more than they must." if len(inside) else ""
    dots = " Larger dots are of more probabilities." if len(count) else ""
    return saved(caption(fig, f"On the line what is said is what happens.{whole}{dots}"), path)


def diagonal(ax: Axes) -> None:
    """Draw the line of agreement, and both scales from 0 to 1."""
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (4, 2)))
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.set_aspect("equal")
    ax.xaxis.set_major_formatter(PERCENT)
    ax.yaxis.set_major_formatter(PERCENT)
