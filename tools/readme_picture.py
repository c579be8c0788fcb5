"""The picture at the head of README.md: holes filled, a column given others, digits over two latents.

    python tools/readme_picture.py        # writes docs/images/questions.png; two small fits, about a minute

It has a background of its own, so that it can be read on a light page and on a dark one.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

import laten as lt

OUT = Path(__file__).parents[1] / "docs" / "images" / "questions.png"
INK, PALE, TEAL, AMBER = "#1f2933", "#7b8794", "#0f766e", "#b45309"
COLUMNS = ("age", "ward", "smoker", "nights", "crp")
ROWS, LEARNED = 6, 1800
ASKED, EVIDENCE, WORDS = "cost", {"ward": "intensive", "nights": ">7"}, "intensive, nights > 7"


def main() -> None:
    """Fit both models and draw."""
    frame = lt.read("clinic")
    vae = lt.VAE(latent=8, epochs=150, batch_size=100).fit(frame[:LEARNED])
    grown = {"objective": lt.Elbo(warmup=0.4), "epochs": 500, "batch_size": 100, "learning_rate": 3e-3}
    digits = lt.VAE(latent=2, width=200, validation=0, binarise="none", **grown).fit({"x": lt.read("digits")["x"]})
    draw(vae, frame[LEARNED:], digits)


def draw(vae: lt.VAE, rows: pd.DataFrame, digits: lt.VAE) -> None:
    """Draw three panels on a card, and save them."""
    figure = plt.figure(figsize=(12, 4.1), facecolor="white", edgecolor="#d5dbe1", linewidth=1.5)
    title(figure, 0.027, "Fill what is missing, with intervals", "vae.impute(df), vae.impute_interval(df)")
    fill(figure.add_axes((0.025, 0.06, 0.36, 0.75)), vae, rows)
    title(figure, 0.425, "Any column given any others", "vae.sample(8000, given={...})")
    given(figure.add_axes((0.425, 0.19, 0.25, 0.6)), vae)
    title(figure, 0.722, "A map of digits: two latents", "lt.VAE(latent=2).fit(images)")
    plane(figure.add_axes((0.71, 0.065, 0.28, 0.735)), digits)
    figure.savefig(OUT, dpi=130)
    Image.open(OUT).convert("RGB").quantize(200, dither=Image.Dither.NONE).save(OUT, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size / 1000:.0f} kB")


def title(figure: Figure, left: float, text: str, call: str) -> None:
    """Write what a panel shows, and the call that computes it."""
    figure.text(left, 0.885, text, color=INK, fontsize=13, fontweight="bold")
    figure.text(left, 0.825, call, family="monospace", fontsize=9.5, color=PALE)


def fill(ax: Axes, vae: lt.VAE, rows: pd.DataFrame) -> None:
    """Draw rows with holes as a table; filled cells have a colour, filled numbers an interval."""
    empty = rows[list(COLUMNS)].isna()
    rows = rows[empty.any(axis=1) & (empty.sum(axis=1) <= 2)]
    low, high = vae.impute_interval(rows, coverage=0.9)
    whole = vae.impute(rows)
    rows, whole, low, high = (f.iloc[:ROWS] for f in (rows, whole, low, high))
    ax.set(xlim=(0, len(COLUMNS)), ylim=(ROWS + 1, 0.4))
    ax.axis("off")
    for across, name in enumerate(COLUMNS):
        ax.text(across + 0.5, 0.72, name, ha="center", va="center", fontsize=10.5, color=PALE)
        for down in range(ROWS):
            hole = pd.isna(rows[name].iloc[down])
            box = (across + 0.03, down + 1.04)
            ax.add_patch(FancyBboxPatch(box, 0.94, 0.88, boxstyle="round,pad=0,rounding_size=0.06", lw=0,
                                        fc="#ccece6" if hole else "#f2f4f7"))  # fmt: skip
            numeric = hole and name in low and pd.notna(low[name].iloc[down])
            style = {"ha": "center", "va": "center", "color": TEAL if hole else INK}
            value = shown(whole[name].iloc[down])
            weight = "bold" if hole else "normal"
            ax.text(across + 0.5, down + (1.36 if numeric else 1.5), value, fontsize=10.5, fontweight=weight, **style)
            if numeric:
                ends = f"{shown(low[name].iloc[down])} – {shown(high[name].iloc[down])}"
                ax.text(across + 0.5, down + 1.7, ends, fontsize=8, **style)


def shown(value: object) -> str:
    """Return a cell as text."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return f"{value:.0f}" if isinstance(value, (float, np.floating)) else str(value)


def given(ax: Axes, vae: lt.VAE) -> None:
    """Draw the distribution of one column before and after evidence."""
    before = vae.sample(8000, seed=1)[ASKED].to_numpy(float)
    after = vae.sample(8000, given=EVIDENCE, seed=1)[ASKED].to_numpy(float)
    edges = np.geomspace(*np.quantile(before, [0.002, 0.998]), 41)
    for values, colour, words in ((before, PALE, f"p({ASKED})"), (after, AMBER, f"p({ASKED} | {WORDS})")):
        ax.hist(np.clip(values, edges[0], edges[-1]), edges, color=colour, alpha=0.55, label=words,
                weights=np.full(len(values), 1 / len(values)))  # fmt: skip
    ax.set(xscale="log", xlabel=ASKED, yticks=[], ylim=(0, 1.35 * ax.get_ylim()[1]))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_minor_formatter("")
    ax.tick_params(colors=PALE, labelsize=9)
    ax.xaxis.label.set_color(PALE)
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.spines["bottom"].set_color("#d5dbe1")
    ax.legend(frameon=False, fontsize=9.5, labelcolor=INK, loc="upper left", bbox_to_anchor=(-0.03, 1.03))


def plane(ax: Axes, vae: lt.VAE) -> None:
    """Draw means of digits over a grid of two latents."""
    size = 14
    at = np.linspace(-1.7, 1.7, size)
    z = np.stack(np.meshgrid(at, at[::-1]), -1).reshape(-1, 2).astype("float32")
    x = np.asarray(vae.inverse_transform(z)["x"]).reshape(size, size, 8, 8)
    ax.imshow(x.transpose(0, 2, 1, 3).reshape(size * 8, size * 8), cmap="bone_r", interpolation="bicubic")
    ax.axis("off")


if __name__ == "__main__":
    main()
