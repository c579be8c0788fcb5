"""One picture of how good synthetic rows are: columns, pairs, nearest records, the marginals that are furthest off."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from laten.plots.canvas import (
    BLUE,
    GREY,
    INK,
    PERCENT,
    capital,
    caption,
    colour_bar,
    cut,
    distinct,
    figure,
    only_heights,
    saved,
    tidy,
)
from laten.plots.contents.columns import Marginal
from laten.plots.panels import draw_marginal

MOST_BARS, MOST_CELLS = 18, 24
BINS = 40
LEAST = 0.03  # an error of so much still fills no scale: small ones are to look small


class Quality(Protocol):
    """The part of measures that is drawn; `laten.synthetic.result` says what each field holds."""

    @property
    def measures(self) -> Iterable[Any]: ...

    @property
    def columns(self) -> pd.DataFrame: ...

    @property
    def pairs_same_bins(self) -> pd.DataFrame: ...

    @property
    def marginals(self) -> Sequence[Marginal]: ...

    @property
    def nearest(self) -> Any: ...

    @property
    def note(self) -> str: ...


def plot_quality(quality: Quality, path: str | Path | None = None) -> Figure:
    """Draw what `laten.quality` found.

    Args:
        path: Also write the picture: .png, .svg or .pdf.
    """
    shown = min(len(quality.columns), MOST_BARS)
    high = 3.2 + 0.1 * max(shown, 8)
    fig = figure(12.8, high + 3.6, "Synthetic rows against real ones")
    above, below = fig.subfigures(2, 1, height_ratios=[high, 2.5], hspace=0.04, squeeze=False)[:, 0]
    left, middle, right = above.subplots(1, 3, width_ratios=[1.0, 1.35, 1.0])
    draw_columns(left, quality)
    draw_pairs(above, middle, quality)
    draw_nearest(right, quality)
    below.suptitle("The columns that are furthest off", x=0.1 / 12.8, ha="left", fontsize=10, color=INK)
    errors = quality.columns["error"].sort_values(ascending=False, kind="stable")
    axes = below.subplots(1, 4)
    for ax, m, error in zip(axes, quality.marginals, errors, strict=False):
        draw_marginal(ax, m)
        ax.set_title(cut(m.column, 22), loc="left", fontsize=9.5, color=INK)
        ax.set_title(f"{error:.1%}", loc="right", fontsize=8.5, color=GREY)
    for ax in axes[len(quality.marginals) :]:
        ax.set_axis_off()
    keys = [Patch(color=BLUE, alpha=0.55, label="synthetic"), Line2D([], [], color=INK, linewidth=1.3, label="real")]
    if quality.columns["reference"].notna().any():
        keys.append(Line2D([], [], color=INK, marker="|", markersize=9, linestyle="", label="held-out real rows"))
    fig.legend(handles=keys, loc="outside upper right", ncols=3, frameon=False, fontsize=9)
    return saved(caption(fig, words(quality)), path)


def draw_columns(ax: Axes, quality: Quality) -> None:
    """Draw a bar for each column's error, the largest first; a mark where the hold-out's is."""
    tidy(ax, "How far each column is off", "error of the marginal distribution (KS or TV)")
    top = quality.columns.sort_values("error", ascending=False, kind="stable").head(MOST_BARS)
    y = np.arange(len(top))
    ax.barh(y, top["error"], color=BLUE, alpha=0.55, height=0.7)
    ax.vlines(top["reference"], y - 0.42, y + 0.42, color=INK, linewidth=1.6)
    ax.set_yticks(y, distinct([str(n) for n in top.index], 18), fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(max(len(top), 6) - 0.4, -0.6)
    ax.set_xlim(0, max(1.05 * np.nanmax(top[["error", "reference"]].to_numpy(float)), LEAST))
    ax.grid(visible=False, axis="y")
    ax.locator_params(axis="x", nbins=5)
    ax.xaxis.set_major_formatter(PERCENT)


def draw_pairs(fig: SubFigure, ax: Axes, quality: Quality) -> None:
    """Draw a map of pairs, darker where two columns do not go together as they should."""
    tidy(ax, "How far each pair is off").grid(visible=False)
    errors = quality.pairs_same_bins
    if len(errors) < 2:
        ax.text(0.5, 0.5, "one column only", ha="center", color=GREY, fontsize=9, transform=ax.transAxes)
        ax.set_axis_off()
        return
    if len(errors) > MOST_CELLS:
        mean = errors.mean(axis=1).to_numpy()
        kept = np.sort(np.argsort(-mean, kind="stable")[:MOST_CELLS])
        errors = errors.iloc[kept, kept]
    highest = max(float(np.nanmax(errors.to_numpy())), LEAST)
    ax.set_facecolor("#eceff2")  # the diagonal
    shown = ax.imshow(errors.to_numpy(), cmap="Oranges", vmin=0, vmax=highest, aspect="auto")
    names, places = distinct([str(n) for n in errors.index], 15), range(len(errors))
    size = 8 if len(errors) <= 16 else 6.5
    ax.set_yticks(places, names, fontsize=size)
    ax.set_xticks(places, names, fontsize=size, rotation=90)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    colour_bar(fig, shown, ax, "error of the pair", aspect=30, format=PERCENT)


def draw_nearest(ax: Axes, quality: Quality) -> None:
    """Draw distances of synthetic rows to their closest real row, and of held-out rows."""
    tidy(ax, "Distance to the closest real row", "0: the same row, 1: nothing in common")
    near = quality.nearest
    if near is None:
        ax.set_axis_off()
        return
    both = np.concatenate([near.synthetic, near.holdout])
    edges = np.linspace(0, max(float(np.quantile(both, 0.995)), 0.01), BINS + 1)
    ax.stairs(np.histogram(near.synthetic, edges)[0] / len(near.synthetic), edges, fill=True, color=BLUE, alpha=0.55)
    if len(near.holdout):
        ax.stairs(np.histogram(near.holdout, edges)[0] / len(near.holdout), edges, color=INK, linewidth=1.3)
        ax.text(0.98, 0.96, "blue: synthetic rows\nline: held-out rows", ha="right", va="top", fontsize=8.5, color=GREY,
                transform=ax.transAxes)  # fmt: skip
    only_heights(ax)
    ax.set_xlim(0, edges[-1])
    ax.locator_params(axis="x", nbins=5)


def words(quality: Quality) -> str:
    """Say the main figures in a few sentences, and what is not shown."""
    found = {m.name: m for m in quality.measures if not m.left_out}
    parts = []
    for name, said, beside in (
        ("column shapes", "columns are off by {}", " (held-out rows by {})"),
        ("pair trends, same bins", "pairs by {}", " (by {})"),
        ("detection, trees", "trees tell them from real rows with an AUC of {}", " (held-out rows: {})"),
        ("train on synthetic", "the target is predicted from them with {}", " (from real rows: {})"),
        ("exact copies", "exact copies: {}", " (of held-out rows: {})"),
        ("membership attack", "AUC of a membership attack: {}", ""),
    ):
        if name in found:
            m = found[name]
            parts.append(said.format(m.text) + ("" if np.isnan(m.reference) else beside).format(m.reference_text))
    text = f"{capital('; '.join(parts))}."
    count = len(quality.columns)
    if count > MOST_BARS:
        text += f" Of {count} columns the {MOST_BARS} that are furthest off as bars"
        text += f", {MOST_CELLS} in the map." if count > MOST_CELLS else "."
    return f"{text} {quality.note}"
