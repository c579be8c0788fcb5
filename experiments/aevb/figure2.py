"""Figure 2: the lower bound against training rows seen, AEVB and wake-sleep, nine worlds.

    python -m experiments.aevb.figure2 --samples 1e7                              # all curves, one after the other
    python -m experiments.aevb.figure2 --samples 1e7 --panels MNIST-Nz20 --methods AEVB
    python -m experiments.aevb.figure2 --samples 1e6 --binary                     # pixels binarised anew at each visit
    python -m experiments.aevb.figure2 --samples 0                                # only the picture and the table

A curve that was stopped goes on; one that was run to 1e6 goes on to 1e7. `figure2.csv` has all points, `figure2.png`
draws them over the paper's own, digitised (`--paper`), and the table compares the two at 10^6, 10^6.5 and 10^7.
"""

import argparse
from pathlib import Path

import jax
import jax.numpy as jnp
import pandas as pd

from experiments.aevb import pictures
from experiments.aevb.curves import MEASURED, Curve, Training, started
from experiments.aevb.settings import DATA, PANELS, Panel, declared, rows_of
from laten.model import build_model
from laten.objectives import Elbo, Objective, WakeSleep

METHODS: dict[str, Objective] = {"AEVB": Elbo(), "wake-sleep": WakeSleep()}
AT = (1e6, 10**6.5, 1e7)


def curve_of(panel: Panel, method: str, options: argparse.Namespace) -> Curve:
    """A curve of the figure, where it stands."""
    train, test = rows_of(options.data, panel.data)
    p, q = declared(panel)
    model = started(build_model(p, q, jax.random.key(0)), seed=0)
    binary = options.binary and panel.data == "MNIST"
    training = Training(METHODS[method], jnp.asarray(train), binary, 1 / len(train))
    measured = {"test": jnp.asarray(test), "train": jnp.asarray(train[:MEASURED])}
    about = {"panel": panel.name, "method": method, "pixels": "binary" if binary else "grey"}
    return Curve(options.out / "-".join(about.values()), model, training, measured, about)


def compared(ours: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Ours and the paper's bound of test rows, where both were measured."""
    lines = {}
    for (panel, method), points in ours[ours["split"] == "test"].groupby(["panel", "method"], sort=False):
        theirs = paper[(paper["panel"] == f"Fig2-{panel}") & (paper["method"] == method) & (paper["split"] == "test")]
        line = {}
        for rows in AT:
            line[f"{rows:.3g}"] = pictures.at(points["rows"], points["bound"], rows)
            line[f"paper {rows:.3g}"] = pictures.at(theirs["rows"], theirs["bound"], rows)
        lines[f"{panel} {method}"] = {**line, "seconds": points["seconds"].max()}
    return pd.DataFrame.from_dict(lines, orient="index")


def main() -> None:
    """Runs what is asked for, then draws and compares all that is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=float, default=1e6, help="training rows of each curve")
    parser.add_argument("--panels", nargs="+", choices=[p.name for p in PANELS], default=[p.name for p in PANELS])
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--binary", action="store_true", help="binarise MNIST anew at each visit")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with mnist/ and freyfaces/")
    parser.add_argument("--paper", type=Path, default=DATA.parent / "reference" / "kw2014_figures_digitised.csv")
    parser.add_argument("--out", type=Path, default=Path("build/aevb/figure2"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for panel in [p for p in PANELS if p.name in options.panels and options.samples]:
        for method in options.methods:
            curve_of(panel, method, options).go(options.samples, lambda line: print(line, flush=True))
    ours = pictures.points(options.out)
    ours.to_csv(options.out / "figure2.csv", index=False)
    ours = ours[ours["pixels"] == ("binary" if options.binary else "grey")] if options.binary else ours
    paper = pictures.digitised(options.paper)
    pictures.figure2(ours, paper, options.out / "figure2.png")
    print(compared(ours, paper).round(1).to_string())


if __name__ == "__main__":
    main()
