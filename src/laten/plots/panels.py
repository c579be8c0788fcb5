"""Drawings on one pair of axes: named curves, a marginal, a column against its reconstruction."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from laten.plots.canvas import BLUE, CLASSES, GREY, INK, cut, distinct, numbered, only_heights, tidy
from laten.plots.contents.columns import Agreement, Marginal

TOWER = 6.0  # times the next highest: such a bar is cut


def lines(ax: Axes, epoch: np.ndarray, curves: Mapping[str, np.ndarray], zero: bool = False) -> bool:
    """Draw curves by epoch, each named at its right end.

    Args:
        zero: Start the vertical axis at 0. Otherwise the first tenth of training does not count for its range.
    Returns:
        Whether part of a curve is off the axis.
    """
    marker = "o" if len(epoch) < 3 else ""
    for (_, y), color in zip(curves.items(), CLASSES * len(curves), strict=False):
        ax.plot(epoch, y, color=color, linewidth=1.6, marker=marker, markersize=4)
    later = np.concatenate([y[len(y) // 10 + (len(y) > 2) :] for y in curves.values()])
    later = later[np.isfinite(later)]
    if not len(later):
        return False
    low, high = (0.0 if zero else later.min()), later.max()
    room = 0.08 * (high - low) or 0.5
    low, high = low - (0.0 if zero else room), high + room
    ax.set_ylim(low, high)
    ends = [
        np.clip((y[np.isfinite(y)][-1] - low) / (high - low), 0, 1) if np.isfinite(y).any() else 0
        for y in curves.values()
    ]
    for name, place, color in zip(curves, apart(np.array(ends), 0.085), CLASSES * len(curves), strict=False):
        ax.text(1.02, place, cut(name, 14), color=color, fontsize=8.5, va="center", transform=ax.transAxes)
    return any(bool((y < low).any()) for y in curves.values())


def apart(places: np.ndarray, least: float) -> np.ndarray:
    """Move places until neighbours are `least` apart."""
    order = np.argsort(places, kind="stable")
    x = places[order].astype(float)
    for _ in range(100):
        near = np.flatnonzero(np.diff(x) < least - 1e-6)
        if not len(near):
            break
        for i in near:
            middle = (x[i] + x[i + 1]) / 2
            x[i], x[i + 1] = middle - least / 2, middle + least / 2
    out = np.empty_like(x)
    out[order] = x
    return out


def draw_marginal(ax: Axes, m: Marginal) -> None:
    """Draw bars of what the model draws, an outline of what the data hold."""
    tidy(ax, m.column)
    if m.edges is not None:
        ax.stairs(m.model, m.edges, fill=True, color=BLUE, alpha=0.55)
        if m.data is not None:
            ax.stairs(m.data, m.edges, color=INK, linewidth=1.3, baseline=None)
        only_heights(ax)
        towering(ax, m)
        if m.linear is not None:
            ax.set_xscale("symlog", linthresh=m.linear)
            ax.set_xlim(m.edges[0], m.edges[-1])
        numbered(ax.xaxis, m.date, m.linear)
        return
    y = np.arange(len(m.labels))
    ax.barh(y, m.model, color=BLUE, alpha=0.55, height=0.72)
    if m.data is not None:
        ax.vlines(m.data, y - 0.42, y + 0.42, color=INK, linewidth=1.6)
    ax.set_yticks(y, distinct(m.labels, 12))
    ax.tick_params(axis="y", labelsize=8 if len(y) <= 7 else 6, length=0)
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.locator_params(axis="x", nbins=4)
    ax.grid(visible=False, axis="y")


def towering(ax: Axes, m: Marginal) -> None:
    """Cut a bar that dwarfs all others, and write how high it is."""
    heights = np.maximum(m.model, 0 if m.data is None else m.data)
    if m.edges is None or len(heights) < 3:
        return
    best, second = int(np.argmax(heights)), float(np.sort(heights)[-2])
    if heights[best] > TOWER * second > 0:
        ax.set_ylim(top=TOWER / 2 * second)
        text = " / ".join(f"{x[best]:.0%}" for x in (m.model, m.data) if x is not None)
        ax.text(m.edges[best + 1], TOWER / 2 * second, f" {text}", fontsize=8, color=GREY, va="top")


def draw_agreement(ax: Axes, a: Agreement) -> None:
    """Draw data across, reconstruction up: dots for numbers, shares for classes."""
    tidy(ax)
    if a.shares is None:
        ends = [np.nanmin(a.original), np.nanmax(a.original)] if np.isfinite(a.original).any() else [0, 1]
        ax.plot(ends, ends, color=GREY, linewidth=0.9)
        ax.scatter(a.original, a.again, s=7, linewidths=0, alpha=0.5, color=BLUE)
        if a.linear is not None:
            ax.set_xscale("symlog", linthresh=a.linear)
            ax.set_yscale("symlog", linthresh=a.linear)
        numbered(ax.xaxis, a.date, a.linear)
        numbered(ax.yaxis, a.date, a.linear)
        said = f"r = {a.figure:.2f}"
    else:
        ax.imshow(a.shares.T, cmap="Blues", vmin=0, vmax=1, origin="lower", aspect="auto")
        places = range(len(a.labels)) if len(a.labels) <= 6 else []
        short = distinct(a.labels, 8)
        ax.set_yticks(places, short if places else [])
        ax.set_xticks(places if len(places) <= 3 else [], short if 0 < len(places) <= 3 else [])
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        said = f"{a.figure:.0%} agree"
    text = said if np.isfinite(a.figure) else ""
    ax.annotate(text, (0, 1), (0, 4), "axes fraction", "offset points", fontsize=8.5, color=GREY)
