"""Figure 4: the manifolds that two latents span, MNIST and Frey faces.

    python -m experiments.aevb.figure4 --samples 1e7 --data FOLDER

Equally spaced squares of probability are mapped through the normal's inverse cumulative distribution to values of z,
and each z to the mean of p(x given z).
"""

import jax
import jax.numpy as jnp

from experiments.aevb import pictures
from experiments.aevb.curves import asked, trained
from experiments.aevb.settings import Panel

SIDE = 20


def main() -> None:
    """Train as far as asked for, and draw."""
    options, line = asked(__doc__).parse_args(), jax.scipy.special.ndtri((jnp.arange(SIDE) + 0.5) / SIDE)
    z = jnp.stack(jnp.meshgrid(line, -line), -1).reshape(-1, 2)
    panels = Panel("Frey", 2), Panel("MNIST", 2)
    sheets = {f"{p.data}, 2 latents": pictures.means(trained(p, "AEVB", options), z, p.pixels) for p in panels}
    pictures.sheets(sheets, SIDE, options.out / "figure4.png")


if __name__ == "__main__":
    main()
