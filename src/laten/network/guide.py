r"""The guide Q, derived from the network P by turning its arrows round.

The posterior p(latents | evidence) factorises like P's *faithful inverse* (Webb et al. 2018, "Faithful inversion of
generative models"): join every node to its parents, and parents of a common child to each other; then take the latents
away one by one, each time writing down

$$q(\text{latent} \mid \text{its neighbours still there})$$

and joining those neighbours. Read backwards, what was written down is an order in which the latents can be drawn: every
factor is conditioned on all that the exact posterior depends on, and on nothing else. Continuous latents are taken away
first, from the roots on, so that discrete ones are drawn first and can be enumerated.
"""

from collections.abc import Collection

from laten.common.errors import DeclarationError, known
from laten.families import FAMILIES, Node
from laten.network.nets.layers import Linear
from laten.network.nets.recipe import Recipe, mirrored, size_of
from laten.network.network import Network


def guide_for(network: Network, latent: Collection[str] | None = None, observed: Collection[str] = ()) -> Network:
    """Derive a guide.

    Args:
        network: P. It must not have undeclared parents.
        latent: Nodes to infer; None means every stochastic node that has children.
        observed: Those of the latent nodes that are observed in some rows or sites; their factor also sees what is
            observed of them.
    Returns:
        A network over the same names, of q(latent | evidence, latents already drawn).
    Raises:
        DeclarationError: an unknown or deterministic name, or a P with undeclared parents.
    """
    check_generative(network)
    names = [n for n in network.stochastic if n not in network.leaves] if latent is None else list(latent)
    for name in names:
        if name not in network.stochastic:
            raise DeclarationError(
                f"guide_for: latent {name!r} is not a stochastic node; known names: {known(network.stochastic)}"
            )
    ordered = [n for n in network.names if n in names]
    continuous = [n for n in ordered if network.nodes[n].family.n_states is None]
    discrete = [n for n in ordered if n not in continuous]

    neighbours = moral_neighbours(network)
    factors: list[tuple[str, Node]] = []
    for name in [*continuous, *discrete]:
        around = neighbours.pop(name)
        for other in around:
            neighbours[other] = (neighbours[other] | around) - {name, other}
        family = network.nodes[name].family
        # a partly observed node with several sites sees the sites that are observed
        itself = [name] if name in observed and family.n_sites > 1 else []
        parents = itself + [n for n in network.names if n in around]
        via = mirrored_net(network, name) if parents else None
        factors.append((name, Node(family.guide(), tuple(parents), via, None if parents else True)))
    return Network(**dict(reversed(factors)))


def check_generative(network: Network) -> None:
    """Check that P declares every parent."""
    for name, node in network.nodes.items():
        for parent in node.parents:
            if parent == name or parent not in network.nodes:
                others = known(n for n in network.names if n != name)
                raise DeclarationError(
                    f"node {name!r}: parent {parent!r} is not declared before it; known names: {others}"
                )


def moral_neighbours(network: Network) -> dict[str, set[str]]:
    """Undirected neighbours among stochastic nodes: parents, children, and the other parents of a child."""
    around: dict[str, set[str]] = {name: set() for name in network.stochastic}
    for name in network.stochastic:
        family = {name, *network.stochastic_parents(name)}
        for member in family:
            around[member] |= family - {member}
    return around


def mirrored_net(network: Network, name: str) -> Recipe:
    """Return the largest net between `name` and its stochastic children, the other way round."""
    reached, nets = {name}, []
    for child, node in network.nodes.items():
        if reached & set(node.parents):
            nets.append(Linear() if node.via is None else node.via)
            if child not in network.stochastic:
                reached.add(child)
    return mirrored(max(nets, key=size_of, default=Linear()))


def check_guide(network: Network, guide: Network) -> None:
    """Check that a guide draws P's nodes, from families with P's support, given P's variables.

    Raises:
        DeclarationError: it names another node, has another shape or support, or a family that cannot be learned.
    """
    for name in guide.stochastic:
        if name not in network.stochastic:
            raise DeclarationError(
                f"guide node {name!r} is not a stochastic node of the network; known names: {known(network.stochastic)}"
            )
        ours, theirs = guide.nodes[name].family, network.nodes[name].family
        if ours.shape != theirs.shape:
            raise DeclarationError(f"guide node {name!r} has shape {ours.shape}, but the network's has {theirs.shape}")
        if ours.n_states is None and not ours.reparameterised:
            able = known(n for n, f in FAMILIES.items() if f.reparameterised)
            raise DeclarationError(
                f"guide node {name!r}: no gradient passes through draws of {ours!r}, so it cannot be a latent; "
                f"use one of {able}, or classes, which are enumerated"
            )
        if ours.support != theirs.support:
            raise DeclarationError(f"guide node {name!r} is {ours!r}, whose values are not those of P's {theirs!r}")
    for name in guide.inputs:
        if name in network.nodes and name not in network.stochastic:
            raise DeclarationError(f"guide: {name!r} is a hidden layer of P, not evidence; condition on variables")
