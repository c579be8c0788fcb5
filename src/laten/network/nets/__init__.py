"""Nets: recipes for the function between a node's parents and its raw parameters.

A net knows sizes and keys, never nodes, families or data.
"""

from laten.network.nets.experts import Experts
from laten.network.nets.image_layers import Conv, Deconv
from laten.network.nets.layers import MLP, Linear, ResMLP
from laten.network.nets.proportions import Proportions
from laten.network.nets.table import Table
from laten.network.nets.tokens import Residual

NETS: dict[str, type] = {
    net.__name__: net for net in (Linear, MLP, ResMLP, Table, Experts, Proportions, Conv, Deconv, Residual)
}  # by name, for model files
