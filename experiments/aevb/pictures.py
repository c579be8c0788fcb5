"""Pictures of our curves over the paper's."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from experiments.aevb.settings import PANELS

COLOURS = {"AEVB": "#c23b22", "wake-sleep": "#2a7f3f", "MCEM": "#1f5fa8"}
RANGES = {"MNIST": (-160, -95), "Frey": (0, 1600)}
COLUMNS = ["panel", "method", "split", "rows", "bound"]


def points(folder: Path, panels: list[str]) -> pd.DataFrame:
    """All points of the curves of these panels in a folder, in the order of the panels."""
    paths = [path for name in panels for path in sorted(folder.glob(f"{name}-*.csv"))]
    parts = [pd.read_csv(path) for path in paths]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "pixels", "seconds"])


def digitised(path: Path) -> pd.DataFrame:
    """The paper's points, where the file is at hand."""
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    return pd.read_csv(path).set_axis(COLUMNS, axis=1)


def at(rows: pd.Series, bound: pd.Series, wanted: float) -> float:
    """A curve's height by interpolation on the logarithm of rows; NaN outside of it."""
    if not len(rows):
        return float("nan")
    order = np.argsort(rows.to_numpy())
    x, y = np.log10(rows.to_numpy()[order]), bound.to_numpy()[order]
    found = np.interp(np.log10(wanted), x, y)
    return float(found) if x[0] - 1e-6 <= np.log10(wanted) <= x[-1] + 1e-6 else float("nan")


def figure2(ours: pd.DataFrame, paper: pd.DataFrame, path: Path) -> None:
    """Nine panels as in the paper: our curves thick, the paper's thin; training rows dashed."""
    figure, axes = plt.subplots(2, 5, figsize=(15, 6.2), layout="constrained", sharex=True)
    for ax, panel in zip(axes.ravel(), PANELS, strict=False):
        for table, name, width, alpha in ((paper, f"Fig2-{panel.name}", 0.9, 0.75), (ours, panel.name, 2.2, 1.0)):
            for (method, split), curve in table[table["panel"] == name].groupby(["method", "split"]):
                curve = curve[(curve["rows"] >= 1e5) & (curve["rows"] <= 10**8.1)].sort_values("rows")
                style = "-" if split == "test" else (0, (4, 2))
                ax.plot(curve["rows"], curve["bound"], ls=style, lw=width, alpha=alpha, color=COLOURS[str(method)])
        ax.set(xscale="log", xlim=(1e5, 10**8.1), ylim=RANGES[panel.data])
        ax.set_title(f"{panel.data}, {panel.latents} latents", fontsize=10)
        ax.grid(color="0.92")
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[:, 0]:
        ax.set_ylabel("lower bound, nats a row")
    for ax in axes[1]:
        ax.set_xlabel("training rows seen")
    keys = [plt.Line2D([], [], color=c, lw=2.2) for c in (COLOURS["AEVB"], COLOURS["wake-sleep"])]
    keys += [plt.Line2D([], [], color="0.3", lw=w, ls=s) for w, s in ((2.2, "-"), (0.9, "-"), (1.5, (0, (4, 2))))]
    axes[1, 4].legend(
        keys, ["AEVB", "wake-sleep", "ours", "Kingma & Welling 2014", "training rows (else test)"],
        loc="center", frameon=False,
    )  # fmt: skip
    axes[1, 4].set_axis_off()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def compared(ours: pd.DataFrame, paper: pd.DataFrame, places: Sequence[float]) -> pd.DataFrame:
    """Ours and the paper's height on test rows, where ours was measured; the paper's panels may be named `Fig2-...`."""
    lines = {}
    for (panel, method), found in ours[ours["split"] == "test"].groupby(["panel", "method"], sort=False):
        same = paper["panel"].isin([panel, f"Fig2-{panel}"]) & (paper["method"] == method) & (paper["split"] == "test")
        line, theirs = {}, paper[same]
        for rows in places:
            height = at(found["rows"], found["bound"], rows)
            if not np.isnan(height):
                line[f"{rows:.3g}"] = height
                line[f"paper {rows:.3g}"] = at(theirs["rows"], theirs["bound"], rows)
        lines[f"{panel} {method}"] = {**line, "seconds": found["seconds"].max()}
    return pd.DataFrame.from_dict(lines, orient="index")


def figure3(ours: pd.DataFrame, paper: pd.DataFrame, panels: list[str], path: Path) -> None:
    """Two panels as in the paper: our curves thick with points, the paper's thin; training rows dashed."""
    figure, axes = plt.subplots(1, len(panels), figsize=(11, 4.6), layout="constrained", sharey=True)
    for ax, panel in zip(axes, panels, strict=True):
        for table, width, alpha, mark in ((paper, 0.9, 0.75, ""), (ours, 2.2, 1.0, "o")):
            for (method, split), curve in table[table["panel"] == panel].groupby(["method", "split"]):
                curve = curve.sort_values("rows")
                style = "-" if split == "test" else (0, (4, 2))
                ax.plot(
                    curve["rows"] / 1e6, curve["bound"], ls=style, lw=width, alpha=alpha, marker=mark, ms=3.5,
                    color=COLOURS[str(method)],
                )  # fmt: skip
        ax.set(xlim=(0, 60), ylim=(-162, -98), xlabel="training rows evaluated, millions")
        ax.set_title(f"{int(panel.removeprefix('Fig3-Ntrain')):,} training images".replace(",", " "), fontsize=10)
        ax.grid(color="0.92")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("log p(x), nats a row")
    keys = [plt.Line2D([], [], color=c, lw=2.2) for c in COLOURS.values()]
    keys += [plt.Line2D([], [], color="0.3", lw=w, ls=s) for w, s in ((2.2, "-"), (0.9, "-"), (1.5, (0, (4, 2))))]
    names = [*COLOURS, "ours", "Kingma & Welling 2014", "training rows (else test)"]
    figure.legend(keys, names, loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def tiled(images: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """Images `(n, height, width)` in rows of `columns`, white between them."""
    n, height, width = images.shape
    sheet = np.ones((-(-n // columns) * (height + gap) - gap, columns * (width + gap) - gap))
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def sheets(found: dict[str, np.ndarray], columns: int, path: Path) -> None:
    """Sheets of images side by side, each with its title."""
    figure, axes = plt.subplots(1, len(found), figsize=(4.6 * len(found), 5), layout="constrained", squeeze=False)
    for ax, (title, images) in zip(axes[0], found.items(), strict=True):
        ax.imshow(tiled(images, columns), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(title, fontsize=11)
        ax.set_axis_off()
    figure.savefig(path, dpi=130)
    plt.close(figure)
