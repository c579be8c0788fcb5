"""Latents that a model has learned to do without (posterior collapse), in a sentence with what helps.

Nothing is changed: a decoder that needs no latents may be the right one.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

LITTLE = 0.05  # nats a row: what a node that is used says is far more


def unused(record: Mapping[str, Any], sizes: Mapping[str, int]) -> list[str]:
    """Return a sentence for each latent node that is not used.

    Args:
        record: With `kl_z` (nats a row) and `active_z` (units) of each node z.
        sizes: Node -> its number of units.
    """
    found = []
    for name, size in sizes.items():
        kl, active = record.get(f"kl_{name}"), record.get(f"active_{name}")
        if kl is None or active is None or active > 0 or not kl < LITTLE:
            continue
        units = "its one unit is not" if size == 1 else f"none of its {size} units is"
        found.append(
            f"The latent {name!r} has collapsed: {units} used (KL {max(kl, 0.0):.3f} nats a row), and rows are "
            "modelled without it. Two things help: let its cost rise slowly, objective=lt.Elbo(warmup=0.5), or keep "
            "some of it free, objective=lt.Elbo(free_bits=2.0)."
        )
    return found


def say_unused(sizes: Mapping[str, int], history: Sequence[Mapping[str, Any]]) -> None:
    """Print the sentences of `unused` for the weights that a training kept."""
    for sentence in unused(next((record for record in history if record["kept"]), {}), sizes):
        print(sentence, file=sys.stderr)
