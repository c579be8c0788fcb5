"""Figure 2: the lower bound against training rows seen, AEVB and wake-sleep, nine worlds.

    python -m experiments.aevb.figure2 --samples 1e7                              # all curves, one after the other
    python -m experiments.aevb.figure2 --samples 1e7 --panels MNIST-Nz20 --methods AEVB
    python -m experiments.aevb.figure2 --samples 1e6 --binary                     # pixels binarised anew at each visit
    python -m experiments.aevb.figure2 --samples 0                                # only the picture and the table

A curve that was stopped goes on; one that was run to 1e6 goes on to 1e7. `figure2.csv` has all points, `figure2.png`
draws them over the paper's own, digitised (`--paper`), and the table compares the two at 10^6, 10^6.5 and 10^7.
"""

from experiments.aevb import pictures
from experiments.aevb.curves import METHODS, parser, trained
from experiments.aevb.settings import PANELS, PAPER


def main() -> None:
    """Run what is asked for, then draw and compare all that is there."""
    names, asked = [p.name for p in PANELS], parser(__doc__)
    asked.add_argument("--panels", nargs="+", choices=names, default=names)
    asked.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    asked.add_argument("--binary", action="store_true", help="binarise MNIST anew at each visit")
    asked.add_argument("--paper", type=type(PAPER), default=PAPER)
    options = asked.parse_args()
    for panel in [p for p in PANELS if p.name in options.panels and options.samples]:
        for method in options.methods:
            trained(panel, method, options, options.binary)
    ours = pictures.points(options.out, "figure2", names)
    ours = ours[(ours["pixels"] == "binary") == (options.binary & ours["panel"].str.startswith("MNIST"))]
    paper = pictures.digitised(options.paper)
    pictures.figure2(ours, paper, options.out / "figure2.png")
    print(pictures.compared(ours, paper, (1e6, 10**6.5, 1e7)).round(1).to_string())


if __name__ == "__main__":
    main()
