"""Figure 2: the lower bound against training rows seen, AEVB and wake-sleep, nine worlds.

    python -m experiments.aevb.figure2 --samples 1e7                              # all curves, one after the other
    python -m experiments.aevb.figure2 --samples 1e7 --panels MNIST-Nz20 --methods AEVB
    python -m experiments.aevb.figure2 --samples 1e6 --binary                     # pixels binarised anew at each visit
    python -m experiments.aevb.figure2 --samples 0                                # only the picture and the table

A curve that was stopped goes on; one that was run to 1e6 goes on to 1e7. `figure2.csv` has all points, `figure2.png`
draws them over the paper's own, digitised (`--paper`), and the table compares the two at 10^6, 10^6.5 and 10^7.
"""

import argparse
from functools import partial
from pathlib import Path

from experiments.aevb import pictures
from experiments.aevb.curves import METHODS, curve_of, grid
from experiments.aevb.settings import DATA, OUT, PANELS

AT = (1e6, 10**6.5, 1e7)


def main() -> None:
    """Runs what is asked for, then draws and compares all that is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=float, default=1e6, help="training rows of each curve")
    parser.add_argument("--panels", nargs="+", choices=[p.name for p in PANELS], default=[p.name for p in PANELS])
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--binary", action="store_true", help="binarise MNIST anew at each visit")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with mnist/ and freyfaces/")
    parser.add_argument("--paper", type=Path, default=DATA.parent / "reference" / "kw2014_figures_digitised.csv")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    for panel in [p for p in PANELS if p.name in options.panels and options.samples]:
        for method in options.methods:
            curve = curve_of(panel, method, options.data, options.out, options.binary)
            curve.go(grid(options.samples), partial(print, flush=True))
    ours = pictures.points(options.out / "curves", [p.name for p in PANELS])
    ours.to_csv(options.out / "figure2.csv", index=False)
    ours = ours[(ours["pixels"] == "binary") == (options.binary & ours["panel"].str.startswith("MNIST"))]
    paper = pictures.digitised(options.paper)
    pictures.figure2(ours, paper, options.out / "figure2.png")
    print(pictures.compared(ours, paper, AT).round(1).to_string())


if __name__ == "__main__":
    main()
