"""The guide of a ladder: it reads the data from below, and draws latents from the top down."""

from laten.common.errors import DeclarationError
from laten.families import Deterministic, Family, Node, Normal, Relative
from laten.network.guide import check_guide
from laten.network.nets.layers import MLP
from laten.network.network import Network


def top_down(network: Network, width: int = 200, family: type[Family] = Relative, depth: int = 1) -> Network:
    """Declare a guide of a ladder that shares its conditionals (Sønderby et al. 2016): a net reads the data from below.

    A layer up1, up2, ... for each latent, from the data to the top; then the latents from the top down, each told of
    its layer and of the latents above, and starting from what the network says of it.

    Args:
        network: Its latents are normal, and at least one of them has no parents.
        width: Units of each layer.
        family: `lt.Relative`, or `lt.Combined`.
        depth: Hidden layers between two levels.
    Raises:
        DeclarationError: a latent that is not normal, or no network.
    """
    if not isinstance(network, Network):
        raise DeclarationError(f"top_down: network must be one such as lt.templates.ladder(...), not {network!r:.80}")
    inner = [n for n in network.stochastic if n not in network.leaves]
    inputs = [n for n in inner if network.nodes[n].family.is_input]
    latents = [n for n in inner if n not in inputs]
    layers: dict[str, Family | Node] = {}
    below = (*network.leaves, *inputs)
    for level in range(1, len(latents) + 1):
        layer = Deterministic(width).given(*below, via=MLP(width, depth, activate_output=True))
        layers[f"up{level}"], below = layer, (f"up{level}",)
    for level, name in zip(range(len(latents), 0, -1), latents, strict=True):
        node = network.nodes[name]
        above = [n for n in network.stochastic_parents(name) if n not in inputs]
        layers[name] = (family if above else Normal)(node.family.shape).given(f"up{level}", *above)  # type: ignore[call-arg]
    guide = Network(**layers)
    check_guide(network, guide)
    return guide
