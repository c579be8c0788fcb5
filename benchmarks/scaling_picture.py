"""The picture of `benchmarks.scaling`: for each axis time above, memory below."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from benchmarks.power_law import exponent
from benchmarks.scaling_axes import AXES
from laten.plots.canvas import BLUE, GREY, RED, figure, tidy

ACROSS = 4


def picture(table: pd.DataFrame) -> Figure:
    """Small multiples of all axes that have at least two points."""
    axes = [(str(n), p) for n, p in table.groupby("axis", sort=False) if len(p) > 1]
    across, down = max(min(ACROSS, len(axes)), 1), max(math.ceil(len(axes) / ACROSS), 1)
    fig = figure(3.4 * across, 5.2 * down + 0.4, "Time and memory")
    panels = fig.subplots(2 * down, across, squeeze=False)
    for ax in panels.ravel():  # those that are left over stay so
        ax.set_visible(False)
    for i, (name, points) in enumerate(axes):
        above, below = panels[2 * (i // ACROSS) : 2 * (i // ACROSS) + 2, i % ACROSS]
        time(above, name, points)
        memory(below, points)
        below.set_xlabel(AXES[name].what, fontsize=8, color=GREY)
    return fig


def ready(ax: Axes, points: pd.DataFrame, title: str) -> None:
    """Sizes on a logarithmic scale, with room at both ends."""
    ax.set_visible(True)
    tidy(ax, title)
    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(points["size"].min() / 1.5, points["size"].max() * 1.5)


def time(ax: Axes, name: str, points: pd.DataFrame) -> None:
    """Seconds and the fitted line; dotted, what is proportional to size and meets the last point."""
    size, seconds = points["size"].to_numpy(np.float64), points["seconds"].to_numpy()
    found = exponent(size, seconds)
    ready(ax, points, f"{name}: exponent {found}")
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.plot(size, seconds, "o", color=BLUE, markersize=4)
    ax.plot(size, np.exp(found.start) * size**found.value, color=BLUE, linewidth=1)
    ax.plot(size, seconds[-1] * size / size[-1], ":", color=GREY, linewidth=1)
    decades = np.log10([seconds.min() / 1.5, seconds.max() * 1.5])
    ax.set_ylim(10 ** np.floor(decades[0]), 10 ** np.ceil(decades[1]))  # whole ones, so that some are labelled
    ax.set_ylabel("seconds (dotted: proportional)", fontsize=8, color=GREY)


def memory(ax: Axes, points: pd.DataFrame) -> None:
    """Largest resident memory, and the bytes of the data."""
    ready(ax, points, "")
    ax.plot(points["size"], points["peak"] / 2**30, "o-", color=RED, markersize=4, linewidth=1)
    ax.plot(points["size"], points["data"] / 2**30, "--", color=GREY, linewidth=1)
    ax.set_ylim(0, 1.1 * points["peak"].max() / 2**30)
    ax.set_ylabel("GiB at most (dashed: the data)", fontsize=8, color=GREY)
