"""Pictures of what a model has learned: ties between columns, effects of latents, one column following another."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from laten.plots.canvas import (
    BLUE,
    GREY,
    INK,
    PALE,
    PERCENT,
    capital,
    caption,
    colour_bar,
    distinct,
    figure,
    legend,
    numbered,
    only_heights,
    palette,
    plain,
    saved,
    tidy,
)
from laten.plots.contents.columns import bent
from laten.plots.contents.dependence import OTHER, Curve, curve, effects, ties

WASH = LinearSegmentedColormap.from_list("wash", ["#ffffff", "#d3e5f1", "#7fb6d9", BLUE, "#003b5c"])
WRITTEN = 16  # columns up to which values stand in the cells
WIDE = 100.0  # largest over smallest from which an axis is logarithmic


def plot_mutual_information(found: pd.DataFrame, path: str | Path | None = None) -> Figure:
    """Draw a map of what each two columns tell of one another, like beside like.

    Args:
        found: As `VAE.mutual_information` gives it.
        path: Also write the picture: .png, .svg or .pdf.
    """
    t = ties(found)
    shares = t.unit.startswith("share")
    bar = "share of the smaller entropy" if shares else "nats"
    fig = chart("What columns tell of one another", t.values, t.names, t.names, shares, bar)
    unit = "as a share of the smaller of the two entropies (1: one column settles the other)" if shares else "nats"
    text = f"Mutual information under the model, {unit}. Like columns stand together."
    if t.left_out:
        text += f" The {len(t.names)} of {len(found)} columns with the strongest ties."
    return saved(caption(fig, text), path)


def plot_latent_effects(found: pd.DataFrame, path: str | Path | None = None) -> Figure:
    """Draw a map of how much of each column's variance each latent moves, the strongest latent first.

    Args:
        found: As `VAE.latent_effects` gives it.
        path: Also write the picture: .png, .svg or .pdf.
    """
    e = effects(found)
    fig = chart("What latents move", e.values, e.names, e.latents, True, "share of variance")
    text = "Share of a column's variance that a latent moves while the others are held."
    if e.left_out:
        move = "moves" if e.left_out == 1 else "move"
        text += f" Left out: {e.left_out} of {len(found)} latents, which {move} less than 1% of any column."
    if e.columns_left_out:
        text += f" The {len(e.names)} of {found.shape[1]} columns that are moved most."
    return saved(caption(fig, text), path)


def chart(
    title: str, values: np.ndarray, down: tuple[str, ...], across: tuple[str, ...], shares: bool, unit: str
) -> Figure:
    """Draw colours in square cells, names at the left and above, a bar of colours at the right."""
    down, across = (tuple(distinct(names, 24)) for names in (down, across))
    most = max(len(down), len(across))
    cell = float(np.clip(9.0 / most, 0.17, 0.46))
    size = 8.5 if cell >= 0.3 else 7 if cell >= 0.2 else 6
    left, top = (0.25 + size / 110 * max(map(len, names)) for names in (down, across))
    width, height = cell * len(across), cell * len(down)
    fig = figure(max(left + width + 1.0, 4.2), top + height + 1.25, title)
    ax = tidy(fig.add_subplot())
    ax.set_facecolor("#eceff2")  # the diagonal
    shown = ax.imshow(values, cmap=WASH, vmin=0, vmax=max(float(np.nanmax(values, initial=0.0)), 0.01), aspect="equal")
    ax.set_yticks(range(len(down)), down, fontsize=size)
    ax.set_xticks(range(len(across)), across, fontsize=size, rotation=90)
    ax.xaxis.tick_top()
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)
    ax.set_xticks(np.arange(len(across) - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(len(down) - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.2 if cell >= 0.2 else 0.6)
    ax.tick_params(which="minor", length=0)
    bar = colour_bar(fig, shown, ax, unit, aspect=height / 0.13, pad=0.12 / width, format=PERCENT if shares else None)
    bar.ax.locator_params(nbins=max(2, min(8, round(2 * height))))
    if most <= WRITTEN:
        written(ax, values, shares)
    return fig


def written(ax: Axes, values: np.ndarray, shares: bool) -> None:
    """Write values into their cells, those too small to matter left out."""
    top = float(np.nanmax(values, initial=0.0))
    for (i, j), x in np.ndenumerate(values):
        if np.isfinite(x) and x >= 0.005 and top > 0:
            text = f"{100 * x:.0f}" if shares else f"{x:.2f}".lstrip("0")
            ax.text(j, i, text, ha="center", va="center", fontsize=7, color="white" if x > 0.55 * top else INK)


def plot_dependence(found: pd.DataFrame, path: str | Path | None = None) -> Figure:
    """Draw a column at values of another: a line in a band for numbers, stacked shares for classes.

    Args:
        found: As `VAE.dependence` gives it.
        path: Also write the picture: .png, .svg or .pdf.
    """
    c = curve(found)
    of, on = plain(c.of), plain(c.on)
    title = f"{of} when {on} is set" if c.rows else f"{of} given {on}"
    if c.at is None:
        fig = figure(7.0, 0.26 * max(len(c.labels), 3) + 1.7, title)
        down_levels(tidy(fig.add_subplot(), "", c.of if c.numbers else "", size=9), c)
    else:
        fig = figure(7.0, 4.3, title)
        ax, below = fig.subplots(2, 1, height_ratios=[5, 1], sharex=True)
        along(tidy(ax, "", "", c.of if c.numbers else "probability", 9), c, c.at)
        strip(tidy(below, "", c.on, size=9), c, c.at)
    if c.levels:
        shades = colours(c)
        legend(fig, [(shades[name], name) for name in (shades if c.at is None else reversed(c.levels))])
    return saved(caption(fig, words(c)), path)


def colours(c: Curve) -> dict[str, str]:
    """Choose a colour for each level; the rest is grey."""
    named = [name for name in c.levels if name != OTHER]
    return dict(zip(named, palette(len(named)), strict=True)) | ({OTHER: PALE} if OTHER in c.levels else {})


def along(ax: Axes, c: Curve, at: np.ndarray) -> None:
    """Draw over numbers or times: median, mean and band; or shares, one above the other."""
    if c.numbers:
        marker = "o" if len(c.mass) <= 12 else ""
        ax.fill_between(at, c.numbers["5%"], c.numbers["95%"], color=BLUE, alpha=0.16, linewidth=0)
        ax.plot(at, c.numbers["50%"], color=BLUE, linewidth=2, marker=marker, markersize=4)
        ax.plot(at, c.numbers["mean"], color=INK, linewidth=1.1, linestyle=(0, (4, 2)))
        if wide(c.numbers["5%"], c.numbers["95%"]):
            ax.set_yscale("log")
        elif (linear := spanning(c)) is not None:
            ax.set_yscale("symlog", linthresh=linear)
            numbered(ax.yaxis, linear=linear, most=6)
        elif c.numbers["50%"].dtype.kind != "M":
            numbered(ax.yaxis, most=6)
    else:
        shades = colours(c)
        ax.stackplot(
            at, *c.levels.values(), colors=[shades[n] for n in c.levels], alpha=0.85, edgecolor="white", linewidth=0.6
        )
        ax.set_ylim(0, 1)
        ax.yaxis.set_major_formatter(PERCENT)
    if wide(at, at):
        ax.set_xscale("log")
    ax.margins(x=0.01)
    ax.tick_params(labelbottom=False)


def strip(ax: Axes, c: Curve, at: np.ndarray) -> None:
    """Draw how densely the values of `on` lie."""
    x = at.astype("datetime64[s]").astype(float) if at.dtype.kind == "M" else at.astype(float)
    middle = (x[1:] + x[:-1]) / 2
    if len(x) > 1:
        edges = np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])
        if wide(at, at):
            edges[0] = x[0] ** 2 / middle[0]
        height = c.mass / np.diff(edges)
        drawn = edges.astype("datetime64[s]") if at.dtype.kind == "M" else edges
        ax.fill_between(drawn, np.append(height, height[-1]), step="post", color=PALE, linewidth=0)
    only_heights(ax)
    ax.grid(visible=False)


def down_levels(ax: Axes, c: Curve) -> None:
    """Draw levels one below the other: intervals of numbers, or bars of shares; how often each comes at the right."""
    y = np.arange(len(c.labels))
    if c.numbers:
        ax.hlines(y, c.numbers["5%"], c.numbers["95%"], color=BLUE, alpha=0.3, linewidth=6)
        ax.plot(c.numbers["50%"], y, "o", color=BLUE, markersize=6)
        ax.plot(c.numbers["mean"], y, "|", color=INK, markersize=9, markeredgewidth=1.6)
        if wide(c.numbers["5%"], c.numbers["95%"]):
            ax.set_xscale("log")
        elif (linear := spanning(c)) is not None:
            ax.set_xscale("symlog", linthresh=linear)
            numbered(ax.xaxis, linear=linear, most=6)
        else:
            numbered(ax.xaxis, c.numbers["50%"].dtype.kind == "M", most=6)
    else:
        shades, before = colours(c), np.zeros(len(y))
        for name, p in c.levels.items():
            ax.barh(y, p, left=before, color=shades[name], alpha=0.85, height=0.8, edgecolor="white", linewidth=0.6)
            before = before + p
        ax.set_xlim(0, 1)
        ax.xaxis.set_major_formatter(PERCENT)
    ax.set_yticks(y, distinct(c.labels, 24), fontsize=8.5)
    ax.tick_params(axis="y", length=0, colors=INK)
    ax.grid(visible=False, axis="y")
    ax.set_ylim(len(y) - 0.4, -0.6)
    for place, mass in zip(y, c.mass, strict=True):
        text = f"{mass:.0%}" if mass >= 0.01 else "< 1%"
        ax.text(1.015, float(place), text, fontsize=8, color=GREY, va="center", transform=ax.get_yaxis_transform())
    ax.spines["left"].set_visible(False)


def wide(low: np.ndarray, high: np.ndarray) -> bool:
    """Say whether numbers ask for a logarithmic axis."""
    if low.dtype.kind == "M" or not len(low) or float(np.min(low)) <= 0:
        return False
    return float(np.max(high)) > WIDE * float(np.min(low))


def spanning(c: Curve) -> float | None:
    """Return up to where a bent axis is linear, for numbers near 0 and far from it; None: a straight one."""
    every = np.concatenate(list(c.numbers.values()))
    return None if every.dtype.kind == "M" else bent(every)


def words(c: Curve) -> str:
    """Say what is drawn."""
    text = f"What the model expects of {c.of} where {c.on} is seen."
    if c.rows:
        text = f"{c.on} set in {c.rows} rows, their other columns kept: partial dependence."
    if c.numbers and c.at is not None:
        text += " Line: median; dashes: mean; band: 5% to 95%."
    elif c.numbers:
        text += " Dot: median; stroke: mean; bar: 5% to 95%."
    often = f"At the right: how often each {c.on} comes."
    text += f" {often}" if c.at is None else f" Grey: how the values of {c.on} are spread."
    if c.left_out:
        text += f" {c.left_out} rarer levels are left out."
    return capital(text)
