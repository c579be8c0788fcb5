"""Pictures of our curves over the paper's, and sheets of images."""

from collections.abc import Sequence
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from experiments.aevb.settings import PANELS
from laten.common.types import Array
from laten.network.model import Model

COLOURS = {"AEVB": "#c23b22", "wake-sleep": "#2a7f3f", "MCEM": "#1f5fa8"}
RANGES = {"MNIST": (-160, -95), "Frey": (0, 1600)}
COLUMNS = ["panel", "method", "split", "rows", "bound"]
DASHED = (0, (4, 2))


def points(folder: Path, figure: str, panels: list[str]) -> pd.DataFrame:
    """Read the curves of these panels, each that of the racer that is left, and write them to `FIGURE.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [pd.read_csv(path) for name in panels for path in sorted((folder / "curves").glob(f"{name}-*.csv"))]
    racer = ["start", "rate"]
    parts = [p[(p[racer] == p[racer].iloc[-1]).all(axis=1)] for p in parts]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "pixels", "seconds"])
    found.to_csv(folder / f"{figure}.csv", index=False)
    return found


def digitised(path: Path) -> pd.DataFrame:
    """Read the paper's points, if the file is there."""
    return pd.read_csv(path).set_axis(COLUMNS, axis=1) if path.exists() else pd.DataFrame(columns=COLUMNS)


def at(rows: pd.Series, bound: pd.Series, wanted: float) -> float:
    """Return a curve's height by interpolation on the logarithm of rows; NaN outside of it."""
    order = np.argsort(rows.to_numpy())
    x, y = np.log10(rows.to_numpy()[order]), bound.to_numpy()[order]
    inside = len(x) and x[0] - 1e-6 <= np.log10(wanted) <= x[-1] + 1e-6
    return float(np.interp(np.log10(wanted), x, y)) if inside else float("nan")


def compared(ours: pd.DataFrame, paper: pd.DataFrame, places: Sequence[float]) -> pd.DataFrame:
    """Return ours and the paper's height on test rows, where ours was measured."""
    lines = {}
    for (panel, method), found in ours[ours["split"] == "test"].groupby(["panel", "method"], sort=False):
        same = paper["panel"].isin([panel, f"Fig2-{panel}"]) & (paper["method"] == method) & (paper["split"] == "test")
        line, theirs = {}, paper[same]
        for rows in places:
            height = at(found["rows"], found["bound"], rows)
            if not np.isnan(height):
                line |= {f"{rows:.3g}": height, f"paper {rows:.3g}": at(theirs["rows"], theirs["bound"], rows)}
        lines[f"{panel} {method}"] = {**line, "seconds": found["seconds"].max()}
    return pd.DataFrame.from_dict(lines, orient="index")


def panel_of(ax: Axes, ours: pd.DataFrame, paper: pd.DataFrame, title: str, scale: float = 1.0) -> None:
    """Draw our curves thick, the paper's thin, training rows dashed; rows are divided by `scale`."""
    for table, width, alpha in ((paper, 0.9, 0.75), (ours, 2.2, 1.0)):
        for (method, split), curve in table.groupby(["method", "split"]):
            curve, style = curve.sort_values("rows"), "-" if split == "test" else DASHED
            look = {"ls": style, "lw": width, "alpha": alpha, "color": COLOURS[str(method)]}
            ax.plot(curve["rows"] / scale, curve["bound"], **look)
    ax.set_title(title, fontsize=10)
    ax.grid(color="0.92")
    ax.spines[["top", "right"]].set_visible(False)


def legend(figure: plt.Figure, methods: Sequence[str], path: Path) -> None:
    """Say what the lines are, and write the picture."""
    keys = [plt.Line2D([], [], color=COLOURS[m], lw=2.2) for m in methods]
    keys += [plt.Line2D([], [], color="0.3", lw=w, ls=s) for w, s in ((2.2, "-"), (0.9, "-"), (1.5, DASHED))]
    names = [*methods, "ours", "Kingma & Welling 2014", "training rows (else test)"]
    figure.legend(keys, names, loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def figure2(ours: pd.DataFrame, paper: pd.DataFrame, path: Path) -> None:
    """Draw nine panels as in the paper."""
    figure, axes = plt.subplots(2, 5, figsize=(15, 6.2), layout="constrained", sharex=True)
    axes[1, 4].set_axis_off()
    ours, paper = (t[(t["rows"] >= 1e5) & (t["rows"] <= 10**8.1)] for t in (ours, paper))
    for ax, panel in zip(axes.ravel(), PANELS, strict=False):
        theirs = paper[paper["panel"] == f"Fig2-{panel.name}"]
        panel_of(ax, ours[ours["panel"] == panel.name], theirs, f"{panel.data}, {panel.latents} latents")
        ax.set(xscale="log", xlim=(1e5, 10**8.1), ylim=RANGES[panel.data])
    figure.supylabel("lower bound, nats a row", fontsize=10)
    figure.supxlabel("training rows seen", fontsize=10)
    legend(figure, ["AEVB", "wake-sleep"], path)


def figure3(ours: pd.DataFrame, paper: pd.DataFrame, panels: list[str], path: Path) -> None:
    """Draw two panels as in the paper."""
    figure, axes = plt.subplots(1, len(panels), figsize=(11, 4.6), layout="constrained", sharey=True)
    for ax, panel in zip(axes, panels, strict=True):
        title = f"{int(panel.removeprefix('Fig3-Ntrain')):,} training images".replace(",", " ")
        panel_of(ax, ours[ours["panel"] == panel], paper[paper["panel"] == panel], title, scale=1e6)
        ax.set(xlim=(0, 60), ylim=(-162, -98), xlabel="training rows evaluated, millions")
    axes[0].set_ylabel("log p(x), nats a row")
    legend(figure, list(COLOURS), path)


def means(model: Model, z: Array, shape: tuple[int, int]) -> np.ndarray:
    """Return the mean of p(x given z) of each z `(n, latents)`, as images `(n, height, width)`."""
    family = model.network.nodes["x"].family
    return np.asarray(jax.vmap(lambda one: family.mean(model.p["x"].raw({"z": one}, {})))(z)).reshape(-1, *shape)


def sheets(found: dict[str, np.ndarray], columns: int, path: Path) -> None:
    """Draw sheets of images side by side, each with its title, white between the images."""
    figure, axes = plt.subplots(1, len(found), figsize=(4.6 * len(found), 5), layout="constrained", squeeze=False)
    for ax, (title, images) in zip(axes[0], found.items(), strict=True):
        framed = np.pad(images, ((0, -len(images) % columns), (0, 1), (0, 1)), constant_values=1)
        sheet = framed.reshape(-1, columns, *framed.shape[1:]).swapaxes(1, 2).reshape(-1, columns * framed.shape[2])
        ax.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(title, fontsize=11)
        ax.set_axis_off()
    figure.savefig(path, dpi=130)
    plt.close(figure)
