"""One picture of an audit: the ladder of bounds, each row's gap, the two sides of annealing, latents, ranks."""

import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from laten.inference.diagnostics import ACTIVE
from laten.plots.canvas import BLUE, CLASSES, GREY, INK, PALE, RED, caption, figure, plain, saved, signed, tidy

GREEN, YELLOW = CLASSES[2], CLASSES[1]
LINES = {"exact": INK, "quadrature": INK, "AIS": RED, "posterior samples": GREEN}
MOST_UNITS = 60


class Audit(Protocol):
    """The part of an audit that is drawn; `laten.answers.audit.result` says what each field holds."""

    @property
    def bounds(self) -> tuple[Any, ...]: ...

    @property
    def rows(self) -> pd.DataFrame: ...

    @property
    def units(self) -> pd.DataFrame: ...

    @property
    def simulated(self) -> pd.DataFrame: ...

    @property
    def ranks(self) -> np.ndarray: ...

    @property
    def rank_bins(self) -> int: ...

    @property
    def kept(self) -> int: ...

    @property
    def remarks(self) -> list[str]: ...

    def __getitem__(self, name: str) -> float: ...


def plot_audit(audit: Audit, path: str | Path | None = None) -> Figure:
    """Draw what `vae.audit` found.

    Args:
        path: Also write the picture: .png, .svg or .pdf.
    """
    panels = [draw_bounds] if audit.bounds else []
    panels += [draw_gaps] if "own ELBO" in audit.rows else []
    panels += [draw_sandwich] if len(audit.simulated) else []
    panels += [draw_units] if "variance" in audit.units else []
    panels += [draw_ranks] if audit.ranks.size else []
    panels = panels or [draw_bounds]
    columns = 2 if len(panels) == 4 else min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    fig = figure(max(4.3 * columns, 6), 3.3 * rows + 1.2, "How good the posterior and log p(x) are")
    for i, draw in enumerate(panels):
        draw(fig.add_subplot(rows, columns, i + 1), audit)
    said = " ".join(r for r in audit.remarks if not r.startswith(("ELBO by node", "Left out")))
    return saved(caption(fig, said), path)


def draw_bounds(ax: Axes, audit: Audit) -> None:
    """Draw IWAE bounds against their number of draws; the other estimators as lines across."""
    found = {f.name: f for f in audit.bounds}
    iwae = [f for f in found.values() if f.name.startswith("IWAE")]
    tidy(ax, "log p(x), nats a row", "guide draws in the bound" if iwae else "")
    if iwae:
        draws = np.array([int(f.name.split()[1]) for f in iwae])
        value, error = (np.array([getattr(f, what) for f in iwae]) for what in ("value", "error"))
        ax.errorbar(draws, value, 2 * error, color=BLUE, marker="o", markersize=4, linewidth=1.4, capsize=2)
        ax.set_xscale("log")
        ax.set_xticks(draws, [str(d) for d in draws])
        ax.xaxis.set_minor_locator(NullLocator())
    lines = [(name, color) for name, color in LINES.items() if name in found]
    for name, color in lines:
        f = found[name]
        dashes = "-" if f.kind == "exact" else "--"
        ax.axhline(f.value, color=color, linewidth=1.2, linestyle=dashes, zorder=1)
        if f.kind != "exact" and np.isfinite(f.error):
            ax.axhspan(f.value - 2 * f.error, f.value + 2 * f.error, color=color, alpha=0.12, linewidth=0, zorder=0)
    words = ([("IWAE, by draws", BLUE)] if iwae else []) + lines
    for i, (name, color) in enumerate(reversed(words)):
        label = name if name not in found else f"{name} {signed(found[name].value, 3)}"
        ax.text(0.97, 0.05 + 0.085 * i, label, color=color, fontsize=8.5, ha="right", transform=ax.transAxes)
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.1 * (high - low), high)
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.ticklabel_format(axis="y", useOffset=False)


def draw_gaps(ax: Axes, audit: Audit) -> None:
    """Draw the gap of each row, split in two, the largest first."""
    tidy(ax, "Gap of the ELBO, row by row", "rows, the largest gap first", "nats")
    rows = audit.rows
    log_p = rows["exact"] if "exact" in rows else rows["quadrature"] if "quadrature" in rows else best_bound(audit)
    whole, shape = (log_p - rows["ELBO"]).to_numpy(), (log_p - rows["own ELBO"]).to_numpy()
    order = np.argsort(-whole, kind="stable")
    x = np.arange(len(order))
    shape, haste = np.maximum(shape[order], 0), np.maximum((whole - shape)[order], 0)
    ax.bar(x, shape, color=BLUE, alpha=0.6, width=1.0)
    ax.bar(x, haste, bottom=shape, color=YELLOW, alpha=0.7, width=1.0)
    for i, (name, color) in enumerate((("amortisation gap", "#a86f00"), ("approximation gap", BLUE))):
        label = f"{name} {signed(audit[name], 3)}"
        ax.text(0.97, 0.92 - 0.085 * i, label, color=color, fontsize=8.5, ha="right", transform=ax.transAxes)
    ax.set_xlim(-0.5, len(x) - 0.5)
    ax.set_xticks([])
    ax.set_ylim(0, 1.25 * max(float((shape + haste).max()), 1e-3))


def best_bound(audit: Audit):
    """Return the highest of the lower bounds, by row."""
    names = [n for n in audit.rows if n == "AIS" or n.startswith("IWAE")]
    return audit.rows[max(names, key=lambda n: audit.rows[n].mean())]


def draw_sandwich(ax: Axes, audit: Audit) -> None:
    """Draw how far the two bounds of each simulated row are apart."""
    tidy(ax, "Annealing: upper minus lower bound", "nats, each simulated row", "rows")
    gap = audit.simulated["gap"].to_numpy()
    ax.hist(gap, bins=min(30, max(8, len(gap) // 4)), color=BLUE, alpha=0.55)
    ax.axvline(0, color=PALE, linewidth=1.2)
    ax.axvline(gap.mean(), color=RED, linewidth=1.4)
    ax.text(0.97, 0.92, f"mean {signed(gap.mean(), 3)}", color=RED, fontsize=8.5, ha="right", transform=ax.transAxes)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.xaxis.set_major_locator(MaxNLocator(6))


def draw_units(ax: Axes, audit: Audit) -> None:
    """Draw the variance of each unit's posterior mean, the largest first; those that are not active in grey."""
    variance = audit.units["variance"].sort_values(ascending=False).to_numpy()
    active = int((variance > ACTIVE).sum())
    title, up = f"Active units: {active} of {len(variance)}", "variance over rows of E q(u | x)"
    tidy(ax, title, "units, the largest first", up)
    shown = np.maximum(variance[:MOST_UNITS], 1e-6)
    x = np.arange(len(shown))
    ax.bar(x, shown, bottom=0, color=[BLUE if v > ACTIVE else PALE for v in shown], alpha=0.7, width=0.8)
    ax.axhline(ACTIVE, color=INK, linewidth=1, linestyle="--")
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(10))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(max(min(shown.min(), ACTIVE) / 3, 1e-6), max(3, 2 * shown.max()))
    ax.set_xticks([])
    ax.grid(visible=False, axis="x")
    ax.set_xlim(-0.8, max(len(shown), 4) - 0.2)


def draw_ranks(ax: Axes, audit: Audit) -> None:
    """Draw histograms of ranks, a line a coordinate, over the band that chance keeps 99 of 100 bins in."""
    across = "rank among guide draws (grey: what chance does)"
    tidy(ax, "Ranks of true latents (SBC)", across, "frequency over uniform")
    rows, units = audit.ranks.shape
    bins = audit.rank_bins
    edges = np.linspace(0, 1, bins + 1)
    expected, half = rows / bins, 2.58 * np.sqrt(rows / bins * (1 - 1 / bins))
    ax.axhspan((expected - half) / expected, (expected + half) / expected, color="#e3e8ee", linewidth=0, zorder=0)
    ax.axhline(1, color=GREY, linewidth=0.8)
    p = audit.units["p_guide"].to_numpy()
    for i in np.argsort(-p, kind="stable"):
        counts = np.bincount(audit.ranks[:, i] * bins // (audit.kept + 1), minlength=bins) / expected
        color, alpha = (RED, 0.9) if p[i] < 0.01 / units else (BLUE, max(0.25, 0.9 / math.sqrt(units)))
        ax.stairs(counts, edges, baseline=None, color=color, alpha=alpha)
    label = f"p = {audit['SBC p-value']:.2g}"
    ax.text(0.97, 0.92, plain(label), color=INK, fontsize=8.5, ha="right", transform=ax.transAxes)
    ax.set_ylim(bottom=0, top=max(ax.get_ylim()[1] * 1.1, 1.8))
    ax.set_xlim(0, 1)
