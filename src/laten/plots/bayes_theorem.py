"""Pictures of `laten.explain`: q approaching the posterior, step by step, while the ELBO rises to log p(x)."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image

from laten.common.atomic_file import atomic
from laten.inference.linear_gaussian import Normals
from laten.plots.canvas import BLUE, GREY, INK, PALE, RED, caption, cut, figure, plain, saved, signed, tidy

PANELS = 4
BARS = 16  # states of latents in a panel
DEEP = 8.0  # nats below log p(x) that the curve of the ELBO shows
ROOM = 0.12  # of that, left free at the ends
CLOSE = 1e-3  # nats from the last ELBO from which on steps are not shown
FRAME = 700  # milliseconds of a moving picture's frame


class Explanation(Protocol):
    """The part of an explanation that is drawn; `laten.classical.explanation` says what each field holds."""

    @property
    def evidence(self) -> dict[str, str]: ...

    @property
    def latents(self) -> tuple[str, ...]: ...

    @property
    def guide(self) -> str: ...

    @property
    def marginals(self) -> pd.DataFrame: ...

    @property
    def log_evidence(self) -> float: ...

    @property
    def elbo(self) -> float: ...

    @property
    def steps(self) -> pd.DataFrame: ...

    @property
    def path(self) -> tuple[Any, ...]: ...

    @property
    def normal(self) -> tuple[Normals, Normals] | None: ...


def plot_identity(e: Explanation, path: str | Path | None = None) -> Figure:
    """Draw panels of q against the posterior at some steps, above the curve of the ELBO.

    Args:
        path: Also write the picture: .png, .svg or .pdf; .gif shows one step after the other.
    """
    steps = shown_steps(e)
    if path is not None and str(path).lower().endswith(".gif"):
        moving([drawn(e, steps, [step]) for step in steps], Path(path))
        return drawn(e, steps, steps[-1:])
    places = np.unique(np.linspace(0, len(steps) - 1, PANELS).round().astype(int))
    return saved(drawn(e, steps, [steps[i] for i in places]), path)


def shown_steps(e: Explanation) -> list[int]:
    """Choose steps that move the ELBO, and all before the last of them."""
    off = np.abs(e.steps["elbo"].to_numpy() - e.elbo)
    last = int(np.flatnonzero(off > CLOSE)[-1]) + 1 if (off > CLOSE).any() else 0
    return list(range(min(max(last, 1), len(off) - 1) + 1))


def drawn(e: Explanation, steps: list[int], panels: list[int]) -> Figure:
    """Draw a panel for each step in `panels`, and the curve over all `steps` with those marked."""
    bars = bars_of(e) if e.normal is None else []
    high = max(0.24 * len(bars) + 0.9, 1.6) if e.normal is None else 2.5
    width = max(2.35 * len(panels) + 1.2, 6.2)
    seen = ", ".join(f"{n}={v}" for n, v in e.evidence.items())
    fig = figure(width, high + 3.4, plain(f"p({', '.join(e.latents)} | {seen})" if len(seen) < 50 else "The identity"))
    upper, lower = fig.subfigures(2, 1, squeeze=False, height_ratios=[high + 0.4, 2.4]).ravel()
    first: Axes | None = None
    for i, step in enumerate(panels):
        ax = upper.add_subplot(1, len(panels), i + 1, sharex=first, sharey=first)
        tidy(ax, title_of(e, step), f"KL {e.steps['kl'][step]:.3f} nats")
        if e.normal is not None:
            normal_panel(ax, e, step)
        else:
            bar_panel(ax, e, step, bars, first is None)
        first = first or ax
    curve(lower, e, steps, panels)
    return caption(fig, words(e, bars))


def title_of(e: Explanation, step: int) -> str:
    """Say what happened at a step."""
    if step == 0:
        return "q: the prior"
    moved = e.steps["moved"][step]
    return f"step {step}: {moved}" if isinstance(moved, str) else f"q: the {e.guide}"


def bars_of(e: Explanation) -> list[tuple[str, str]]:
    """Choose latent and state of each bar: of two states the first; of many latents those that move most."""
    moved = (e.marginals["posterior"] - e.marginals["prior"]).abs()
    kept: list[tuple[str, str]] = []
    for name in sorted(e.latents, key=lambda n: -moved[n].max()):
        states = list(e.marginals.loc[name].index)
        states = states[:1] if len(states) == 2 and len(e.latents) > 1 else states
        if kept and len(kept) + len(states) > BARS:
            break
        kept += [(name, s) for s in states[:BARS]]
    return sorted(kept, key=lambda bar: e.latents.index(bar[0]))


def bar_panel(ax: Axes, e: Explanation, step: int, bars: list[tuple[str, str]], labels: bool) -> None:
    """Draw bars of the posterior, ticks of q."""
    y = np.arange(len(bars))
    index = {bar: list(e.marginals.loc[bar[0]].index).index(bar[1]) for bar in bars}
    q = [e.path[step][name][index[name, state]] for name, state in bars]
    ax.barh(y, [e.marginals["posterior"][bar] for bar in bars], color=BLUE, alpha=0.5, height=0.72)
    ax.vlines(q, y - 0.42, y + 0.42, color=RED, linewidth=2.4)
    ax.set_yticks(y, [cut(f"{name}={state}", 22) for name, state in bars])
    ax.tick_params(axis="y", labelsize=8.5, length=0, labelleft=labels, labelcolor=INK)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xticks([0, 0.5, 1])
    ax.xaxis.set_major_formatter(PercentFormatter(1, 0))
    ax.grid(visible=False, axis="y")


def normal_panel(ax: Axes, e: Explanation, step: int) -> None:
    """Draw densities of one site; of more, ellipses of the first two at one and two standard deviations."""
    assert e.normal is not None
    prior, posterior = e.normal
    q = e.path[step]
    spans = [span(n, i) for n in (prior, posterior, *e.path[:1], q) for i in range(min(2, len(q.mean)))]
    if len(q.mean) == 1:
        x = np.linspace(*span(prior, 0), 400)
        ax.plot(x, density(prior, x), color=GREY, linewidth=1.2, linestyle="--")
        ax.fill_between(x, density(posterior, x), color=BLUE, alpha=0.4, linewidth=0)
        ax.plot(x, density(q, x), color=RED, linewidth=2)
        ax.set_yticks([])
        ax.set_ylim(bottom=0)
        return
    for normal, color, style, fill in ((prior, GREY, "--", 0.0), (posterior, BLUE, "-", 0.22), (q, RED, "-", 0.0)):
        for size in (1, 2):
            ax.add_patch(ellipse(normal, size, color, style, fill))
    low, high = min(a for a, _ in spans), max(b for _, b in spans)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.set_aspect("equal")
    ax.locator_params(nbins=5)


def span(normal: Normals, site: int) -> tuple[float, float]:
    """Return an interval of three standard deviations to either side."""
    mean, sd = normal.mean[site], np.sqrt(normal.covariance[site, site])
    return float(mean - 3 * sd), float(mean + 3 * sd)


def density(normal: Normals, x: np.ndarray) -> np.ndarray:
    """Draw the density of the first site."""
    sd = np.sqrt(normal.covariance[0, 0])
    return np.exp(-0.5 * ((x - normal.mean[0]) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))


def ellipse(normal: Normals, size: int, color: str, style: str, fill: float) -> Ellipse:
    """Draw the first two sites, `size` standard deviations wide."""
    values, vectors = np.linalg.eigh(normal.covariance[:2, :2])
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    wide, narrow = 2 * size * np.sqrt(values[::-1])
    face = (color, fill) if fill else "none"
    centre = (float(normal.mean[0]), float(normal.mean[1]))
    return Ellipse(centre, wide, narrow, angle=angle, facecolor=face, edgecolor=color, linestyle=style,
                   linewidth=1.1 if style == "--" else 1.5)  # fmt: skip


def curve(fig: SubFigure, e: Explanation, steps: list[int], marked: list[int]) -> None:
    """Draw the ELBO below the line of log p(x); the room between them is the KL."""
    ax = tidy(fig.add_subplot(), "ELBO (nats)", "step")
    elbo, top = e.steps["elbo"].to_numpy()[steps], e.log_evidence
    low = max(elbo.min(), top - DEEP)
    room = ROOM * (top - low) or 0.1
    ax.fill_between(steps, elbo, top, color=RED, alpha=0.1, linewidth=0)
    ax.axhline(top, color=BLUE, linewidth=1.6)
    ax.plot(steps, elbo, color=RED, linewidth=1.8)
    ax.plot(marked, elbo[[steps.index(s) for s in marked]], "o", color=RED, markersize=6)
    ax.set_ylim(low - room, top + 1.6 * room)
    ax.text(steps[-1], top + 0.35 * room, f"log p(x) = {signed(top, 3)}", color=BLUE, fontsize=9, ha="right")
    ax.text(1.01, elbo[-1], signed(elbo[-1], 3), color=RED, fontsize=9, va="top" if top - elbo[-1] < room else "center",
            transform=ax.get_yaxis_transform())  # fmt: skip
    ax.set_xlim(steps[0] - 0.03 * len(steps), steps[-1] + 0.03 * len(steps))
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.spines["left"].set_color(PALE)


def words(e: Explanation, bars: list[tuple[str, str]]) -> str:
    """Say what the picture shows."""
    if e.normal is not None:
        more = " The first two of more sites." if len(e.path[0].mean) > 2 else ""
        text = f"Blue: the posterior; red: q; dashed: the prior.{more}"
    else:
        left = len(e.latents) - len({name for name, _ in bars})
        text = "Bars: the posterior; red: q."
        text += f" Not shown: {left} latents that the evidence moves less." if left else ""
    cut = e.steps["elbo"].min() < e.log_evidence - (1 + ROOM) * DEEP
    return f"{text} Shaded: KL(q ‖ posterior) = log p(x) − ELBO.{' The start runs off the axis.' if cut else ''}"


def moving(figures: list[Figure], path: Path) -> None:
    """Write figures of one size as a moving picture, the last one longer."""
    images = []
    for fig in figures:
        fig.set_dpi(110)
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    times = [FRAME] * (len(images) - 1) + [4 * FRAME]
    with atomic(path) as file:
        images[0].save(file, format="GIF", save_all=True, append_images=images[1:], duration=times, loop=0)
