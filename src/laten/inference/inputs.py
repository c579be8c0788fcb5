"""Inputs of a network (`lt.Given`) have no density: each row must give them, all of them."""

import numpy as np

from laten.common.errors import DataError, known
from laten.data.rows.rows import Rows
from laten.network.network import Network


def check_inputs(network: Network, rows: Rows) -> None:
    """Check that no input is lacking, or hidden in any row.

    Raises:
        DataError: one is, naming the node and how many rows.
    """
    for name, family in network.families.items():
        if family.is_input and name not in rows.values:
            raise DataError(
                f"node {name!r} is {family!r}: every row must give it, for nothing draws it, and these give only "
                f"{known(rows.values)}; hand over {{{name!r}: array, ...}}, or declare it as a family with a density"
            )
    for name in rows.mask:
        if network.nodes[name].family.is_input:
            hidden = int((~np.asarray(rows.mask[name]).reshape(rows.n, -1).all(axis=1)).sum())
            refuse_hidden_input(network, name, hidden)


def refuse_hidden_input(network: Network, name: str, hidden: int) -> None:
    """Refuse an input that so many rows do not give.

    Raises:
        DataError: there are any.
    """
    if hidden:
        raise DataError(
            f"node {name!r} is {network.nodes[name].family!r}: every row must give all of it; {hidden} rows do not. "
            "Fill it, leave these rows out, or declare it as a family with a density"
        )
