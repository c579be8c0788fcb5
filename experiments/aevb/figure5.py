"""Figure 5: means of x at draws of z from the prior, MNIST, 2, 5, 10 and 20 latents.

python -m experiments.aevb.figure5 --samples 1e7 --data FOLDER
"""

import jax

from experiments.aevb import pictures
from experiments.aevb.curves import asked, trained
from experiments.aevb.settings import Panel

IMAGES, COLUMNS = 100, 10


def main() -> None:
    """Train as far as asked for, and draw."""
    options, sheets = asked(__doc__).parse_args(), {}
    for n in (2, 5, 10, 20):
        panel, z = Panel("MNIST", n), jax.random.normal(jax.random.key(0), (IMAGES, n))
        sheets[f"{n} latents"] = pictures.means(trained(panel, "AEVB", options), z, panel.pixels)
    pictures.sheets(sheets, COLUMNS, options.out / "figure5.png")


if __name__ == "__main__":
    main()
