"""Pictures of a fitted `VAE`, drawing what `contents` computed."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from laten.common.errors import LatenError
from laten.plots.canvas import (
    BLUE,
    CLASSES,
    GREY,
    INK,
    PALE,
    capital,
    caption,
    colour_bar,
    distinct,
    figure,
    legend,
    mosaic,
    named,
    numbered,
    palette,
    panels_of,
    picture,
    plain,
    saved,
    signed,
    tidy,
)
from laten.plots.contents import model as contents
from laten.plots.contents.model import FittedModel
from laten.plots.panels import draw_agreement, draw_marginal, lines


def plot_history(vae: FittedModel, path: str | Path | None = None) -> Figure:
    """Draw bounds, terms by node, KL and active units by epoch.

    Args:
        path: Also write the picture: .png, .svg or .pdf.
    """
    h = contents.history(vae)
    panels: list[tuple[str, Mapping[str, np.ndarray]]] = [("Bound (nats a row)", h.bounds)]
    if len(h.terms) > 1:
        panels.append(("Terms of the bound (nats a row)", h.terms))
    panels += [(name, {"": x}) for name, x in (("KL (nats a row)", h.kl), ("Active units", h.active_units)) if len(x)]
    rows, columns = (2, 2) if len(panels) == 4 else (1, len(panels))
    fig = figure(4.6 * columns + 0.4, 2.9 * rows + 0.5, "Training")
    cut = False
    for i, (title, curves) in enumerate(panels):
        ax = tidy(fig.add_subplot(rows, columns, i + 1), title, "epoch" if i >= len(panels) - columns else "")
        cut = lines(ax, h.epoch, curves, zero=title.startswith(("KL", "Active"))) or cut
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=title == "Active units"))
        ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    judged = "held-out" if "held-out" in h.bounds else "training"
    note = ""
    if h.best_epoch:
        best = h.bounds[judged][np.flatnonzero(h.epoch == h.best_epoch)[0]]
        color = CLASSES[list(h.bounds).index(judged)]
        fig.axes[0].plot(h.best_epoch, best, "o", color=color, markersize=7, zorder=5)
        note = f"Dot: best {judged} bound, {signed(best, 2)} nats at epoch {h.best_epoch}."
    caption(fig, " ".join([note, h.note, "The first epochs run off the axis." if cut else ""]))
    return saved(fig, path)


def plot_samples(
    vae: FittedModel,
    n: int = 64,
    data: Any = None,
    path: str | Path | None = None,
    *,
    seed: int = 0,
    means: bool = True,
) -> Figure:
    """Draw images from the model; for a table, marginals of drawn rows, against those of `data` if given."""
    s = contents.samples(vae, n, data, seed, means)
    if s.images is not None:
        columns = math.ceil(math.sqrt(len(s.images)))
        fig, ax = picture(mosaic(s.images, columns), 5.6, "Samples")
        ax.set_axis_off()
        return saved(caption(fig, capital(s.note)), path)
    fig, axes, more = panels_of(len(s.marginals), "Samples", 2.4, 1.75)
    for ax, marginal in zip(axes, s.marginals, strict=False):
        draw_marginal(ax, marginal)
    named(axes, [m.column for m in s.marginals])
    keys = [Line2D([], [], color=BLUE, linewidth=6, alpha=0.55, label="model")]
    if data is not None:
        keys.append(Line2D([], [], color=INK, linewidth=1.3, label="data"))
    fig.legend(handles=keys, loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    return saved(caption(fig, f"{capital(s.note)}; shares of rows.{more}"), path)


def plot_reconstructions(vae: FittedModel, data: Any, n: int | None = None, path: str | Path | None = None) -> Figure:
    """Draw images above their reconstructions; for a table, each column against its reconstruction."""
    r = contents.reconstructions(vae, data, n)
    if r.original is not None and r.again is not None:
        count = len(r.original)
        blocks = math.ceil(count / 10)
        columns = math.ceil(count / blocks)
        places = np.array([2 * (i // columns) * columns + i % columns for i in range(count)])
        image = mosaic(np.concatenate([r.original, r.again]), columns, np.concatenate([places, places + columns]))
        fig, ax = picture(image, 0.75 * columns + 0.8, "Reconstructions", 0.6)
        middles = (np.arange(2 * blocks) + 0.5) * len(image) / (2 * blocks) - 0.5
        ax.set_yticks(middles, ["data", "model"] * blocks)
        ax.set_xticks([])
        return saved(caption(fig, capital(r.note)), path)
    fig, axes, more = panels_of(len(r.columns), "Reconstructions", 2.4, 2.3)
    for ax, column in zip(axes, r.columns, strict=False):
        draw_agreement(ax, column)
    named(axes, [a.column for a in r.columns], 16)
    return saved(caption(fig, f"{capital(r.note)}: data across, reconstruction up.{more}"), path)


def plot_latents(
    vae: FittedModel,
    data: Any,
    colour: Any = None,
    path: str | Path | None = None,
    *,
    method: str = "auto",
    seed: int = 0,
) -> Figure:
    """Draw posterior means of rows in two dimensions, coloured by a column of `data` or by `(rows,)` values."""
    m = contents.latent_map(vae, data, colour, method, seed)
    across, up = np.ptp(m.points, axis=0) if len(m.points) else (1.0, 1.0)
    tall = float(np.clip(up / max(across, 1e-9), 0.45, 1.0)) if m.axes[1] else 0.45
    by = f" by {plain(m.colour.name)}" if m.colour and m.colour.name else ""
    fig = figure(6.4, 4.4 * tall + 1.3, f"Latents{by}")
    ax = tidy(fig.add_subplot(), "", *m.axes, 9)
    size = float(np.clip(12000 / max(len(m.points), 1), 5, 36))
    dots: dict[str, Any] = {"s": size, "linewidths": 0, "alpha": 0.8}
    x, y = m.points.T
    if m.colour is None:
        ax.scatter(x, y, color=BLUE, **dots)
    else:
        known_ = m.colour.values >= 0 if m.colour.labels is not None else np.isfinite(m.colour.values)
        ax.scatter(x[~known_], y[~known_], color=PALE, **dots)
        if m.colour.labels is None:
            shown = ax.scatter(x[known_], y[known_], c=m.colour.values[known_], cmap="viridis", **dots)
            colour_bar(fig, shown, ax, m.colour.name, m.colour.date, shrink=0.7)
        else:
            shades = palette(len(m.colour.labels))
            ax.scatter(x[known_], y[known_], c=[shades[k] for k in m.colour.values[known_]], **dots)
            keys = [(shades[k], label) for k, label in enumerate(m.colour.labels)]
            keys += [] if known_.all() else [(PALE, "missing")]
            legend(fig, keys)
    if m.axes[1]:
        ax.set_aspect("equal", "datalim")
    return saved(caption(fig, capital(m.note)), path)


def plot_manifold(vae: FittedModel, side: int = 20, data: Any = None, path: str | Path | None = None) -> Figure:
    """Draw decoded means over a grid of two latents' prior quantiles: images, or a map for each column of numbers."""
    m = contents.manifold(vae, side, data)
    if m.images is not None:
        image = mosaic(m.images[::-1].reshape(-1, *m.images.shape[2:]), len(m.across))
        fig, ax = picture(image, 6.4, "Manifold", 0.5)
        ax.set_xticks(*three(m.across, image.shape[1]))
        ax.set_xlabel(plain(m.axes[0]), fontsize=9, color=GREY)
        ax.set_yticks(*three(m.up[::-1], len(image)))
        ax.set_ylabel(plain(m.axes[1]), fontsize=9, color=GREY)
        return saved(caption(fig, capital(m.note)), path)
    if not m.columns:
        raise LatenError("a manifold shows images or columns that change with the latents; this model has neither")
    fig, axes, more = panels_of(len(m.columns), "Manifold", 2.7, 2.2)
    for ax, ground in zip(axes, m.columns.values(), strict=False):
        tidy(ax, "", *m.axes, 8).grid(False)
        draw_ground(fig, ax, m, ground)
    named(axes, list(m.columns))
    return saved(caption(fig, f"{capital(m.note)}.{more}"), path)


def draw_ground(fig: Figure, ax: Axes, m: contents.Manifold, ground: contents.Ground) -> None:
    """Draw a column over two latents as a map with its colours beside it, over one as a line."""
    x, classes, names = ground.values, len(ground.labels), distinct(ground.labels, 14)
    if len(m.up) == 1:
        ax.plot(m.across, x[0], color=BLUE, drawstyle="steps-mid" if classes else "default")
        if classes:
            ax.set_yticks(range(classes), names)
        else:
            numbered(ax.yaxis, ground.date)
        return
    look: dict[str, Any] = {"cmap": "viridis"}
    if classes:
        look = {"cmap": ListedColormap(palette(classes)), "vmin": -0.5, "vmax": classes - 0.5}
    shown = ax.pcolormesh(m.across, m.up, x, shading="nearest", rasterized=True, **look)
    bar = colour_bar(fig, shown, ax, date=ground.date)
    if classes:
        bar.ax.invert_yaxis()
        bar.set_ticks(list(range(classes)), labels=names)


def three(values: np.ndarray, size: int) -> tuple[list[float], list[str]]:
    """Say where the first, the middle and the last tile of a mosaic of `size` pixels stand, and their values."""
    if len(values) == 1:
        return [], []
    half = size / len(values) / 2
    middle = (values[0] + values[-1]) / 2
    return [half, size / 2, size - half], [signed(values[0]), signed(middle, 0), signed(values[-1])]
