"""Figure 2: the lower bound against training rows seen, AEVB and wake-sleep, nine worlds.

    python -m experiments.aevb.figure2 --samples 1e7                              # all curves, one after the other
    python -m experiments.aevb.figure2 --samples 1e7 --panels MNIST-Nz20 --methods AEVB
    python -m experiments.aevb.figure2 --samples 1e6 --binary                     # pixels binarised anew at each visit
    python -m experiments.aevb.figure2 --samples 0                                # only the picture and the table

A curve that was stopped goes on; one that was run to 1e6 goes on to 1e7. `figure2.csv` has all points, `figure2.png`
draws them over the paper's own, digitised (`--paper`), and the table compares the two at 10^6, 10^6.5 and 10^7.
"""

from experiments.aevb import pictures
from experiments.aevb.curves import METHODS, asked, trained
from experiments.aevb.settings import PANELS

RANGES, ENDS = {"MNIST": (-160, -95), "Frey": (0, 1600)}, (1e5, 10**8.1)


def main() -> None:
    """Run what is asked for, then draw and compare all that is there."""
    names = [p.name for p in PANELS]
    choices = {"panels": names, "methods": METHODS}
    options = asked(__doc__, choices, panels=names, methods=[*METHODS], binary=False).parse_args()
    for panel in [p for p in PANELS if p.name in options.panels and options.samples]:
        for method in options.methods:
            trained(panel, method, options, options.binary)
    ours, paper = pictures.points(options.out, "figure2", names), pictures.digitised(options.paper)
    ours = ours[(ours["pixels"] == "binary") == (options.binary & ours["panel"].str.startswith("MNIST"))]
    axes = {"xscale": "log", "xlim": ENDS}
    looks = {p.name: {"title": f"{p.data}, {p.latents} latents", "ylim": RANGES[p.data], **axes} for p in PANELS}
    seen = (t[t["rows"].between(*ENDS)] for t in (ours, paper))
    pictures.drawn(*seen, looks, options.out / "figure2.png", down=2, scale=1)
    print(pictures.compared(ours, paper, (1e6, 10**6.5, 1e7)).round(1).to_string())


if __name__ == "__main__":
    main()
