"""Pictures of our curves over the paper's, and sheets of images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from laten.common.types import Array
from laten.network.model import Model
from laten.plots.canvas import mosaic

COLOURS = {"AEVB": "#c23b22", "wake-sleep": "#2a7f3f", "MCEM": "#1f5fa8"}
COLUMNS = ["panel", "method", "split", "rows", "bound"]
DASHED = (0, (4, 2))


def points(folder: Path, figure: str, panels: Sequence[str]) -> pd.DataFrame:
    """Read the curves of these panels, each that of the racer that is left, and write them to `FIGURE.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [pd.read_csv(path) for name in panels for path in sorted((folder / "curves").glob(f"{name}-*.csv"))]
    racer = ["start", "rate"]
    parts = [p[(p[racer] == p[racer].iloc[-1]).all(axis=1)] for p in parts]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "pixels", "seconds"])
    found.to_csv(folder / f"{figure}.csv", index=False)
    return found


def digitised(path: Path) -> pd.DataFrame:
    """Read the paper's points, if the file is there; panels are named as ours."""
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    found = pd.read_csv(path).set_axis(COLUMNS, axis=1)
    return found.assign(panel=found["panel"].str.removeprefix("Fig2-"))


def at(curve: pd.DataFrame, wanted: float) -> float:
    """Return a curve's height by interpolation on the logarithm of rows; NaN outside of it."""
    curve, place = curve.sort_values("rows"), np.log10(wanted)
    x = np.log10(curve["rows"].to_numpy(float))
    inside = len(x) and x[0] - 1e-6 <= place <= x[-1] + 1e-6
    return float(np.interp(place, x, curve["bound"])) if inside else float("nan")


def compared(ours: pd.DataFrame, paper: pd.DataFrame, places: Sequence[float]) -> pd.DataFrame:
    """Return ours and the paper's height on test rows, where ours was measured."""
    lines = {}
    for (panel, method), found in ours[ours["split"] == "test"].groupby(["panel", "method"], sort=False):
        theirs = paper[(paper["panel"] == panel) & (paper["method"] == method) & (paper["split"] == "test")]
        heights = {rows: at(found, rows) for rows in places}
        line = {}
        for rows in [r for r, height in heights.items() if not np.isnan(height)]:
            line |= {f"{rows:.3g}": heights[rows], f"paper {rows:.3g}": at(theirs, rows)}
        lines[f"{panel} {method}"] = {**line, "seconds": found["seconds"].max()}
    return pd.DataFrame.from_dict(lines, orient="index")


def drawn(
    ours: pd.DataFrame, paper: pd.DataFrame, panels: Mapping[str, dict[str, Any]], path: Path, down: int, scale: float
) -> None:
    """Draw a panel for each name, ours thick, the paper's thin, training rows dashed; rows are divided by `scale`.

    What a panel maps to is for its axes' `set`.
    """
    across = -(-len(panels) // down)
    figure, axes = plt.subplots(down, across, figsize=(4.6 * across, 4 * down), layout="constrained", squeeze=False)
    for ax in axes.ravel()[len(panels) :]:
        ax.set_axis_off()
    for ax, (name, look) in zip(axes.ravel(), panels.items(), strict=False):
        for table, width in ((paper, 0.9), (ours, 2.2)):
            for (method, split), curve in table[table["panel"] == name].groupby(["method", "split"]):
                curve, style = curve.sort_values("rows"), "-" if split == "test" else DASHED
                ax.plot(curve["rows"] / scale, curve["bound"], ls=style, lw=width, color=COLOURS[str(method)])
        ax.set(**look, ylabel="nats a row", xlabel="training rows" + ", millions" * (scale == 1e6))
        ax.grid(color="0.92")
    keys = {m: {"color": c, "lw": 2.2} for m, c in COLOURS.items()}
    keys |= {"ours": {"color": "0.3", "lw": 2.2}, "Kingma & Welling 2014": {"color": "0.3", "lw": 0.9}}
    keys["training rows (else test)"] = {"color": "0.3", "ls": DASHED}
    lines = [plt.Line2D([], [], **look) for look in keys.values()]
    figure.legend(lines, list(keys), loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def means(model: Model, z: Array, shape: tuple[int, int]) -> np.ndarray:
    """Return the mean of p(x given z) of each z `(n, latents)`, as images `(n, height, width)`."""
    family = model.network.nodes["x"].family
    return np.asarray(jax.vmap(lambda one: family.mean(model.p["x"].raw({"z": one}, {})))(z)).reshape(-1, *shape)


def sheets(found: dict[str, np.ndarray], columns: int, path: Path) -> None:
    """Draw sheets of images side by side, each with its title, white between the images."""
    figure, axes = plt.subplots(1, len(found), figsize=(4.6 * len(found), 5), layout="constrained", squeeze=False)
    for ax, (title, images) in zip(axes[0], found.items(), strict=True):
        ax.imshow(mosaic(images, columns))
        ax.set_title(title, fontsize=11)
        ax.set_axis_off()
    figure.savefig(path, dpi=130)
    plt.close(figure)
