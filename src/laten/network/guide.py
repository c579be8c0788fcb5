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

import equinox as eqx

from laten.common import random
from laten.common.errors import DeclarationError, known
from laten.families import FAMILIES, Node, Normal, NormalMixture
from laten.network.nets.layers import MLP, Linear
from laten.network.nets.recipe import Ends, MirroredRecipe, Recipe, Slot, build, mirrored, size_of
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
    inner = [n for n in network.stochastic if n not in network.leaves and not network.nodes[n].family.is_input]
    names = inner if latent is None else list(latent)
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
        via = guide_net(network, name, parents) if parents else None
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
        if node.family.is_input and node.parents:
            raise DeclarationError(f"node {name!r} is {node.family!r}, an input: it has no parents")
        if node.family.starts_from_p:
            raise DeclarationError(
                f"node {name!r} is {node.family!r}, which is for guides; "
                f"use lt.{Normal(node.family.shape)!r} in the network"
            )
        if node.family.made_of_guide and node.parents:
            raise DeclarationError(f"node {name!r} is {node.family!r}, a prior: it has no parents; use lt.Normal")


def moral_neighbours(network: Network) -> dict[str, set[str]]:
    """Undirected neighbours among stochastic nodes: parents, children, and the other parents of a child."""
    around: dict[str, set[str]] = {name: set() for name in network.stochastic}
    for name in network.stochastic:
        family = {name, *network.stochastic_parents(name)}
        for member in family:
            around[member] |= family - {member}
    return around


def guide_net(network: Network, name: str, parents: Collection[str]) -> Recipe:
    """Return the net of a guide's node: P's, turned round; where that cannot be, the next one, or a plain `MLP`."""
    families = network.families
    slots = (Slot(p, families[p].shape, families[p].n_features, False) for p in parents)
    ends = Ends(tuple(slots), families[name].shape, families[name].guide().n_net)
    for recipe in mirrored_nets(network, name, parents):
        if isinstance(recipe, MirroredRecipe):
            return recipe
        try:  # it says nothing of the other way round
            eqx.filter_eval_shape(lambda key, recipe=recipe: build(recipe, ends, key, name), random.key(0))
        except DeclarationError:
            continue
        return recipe
    return MLP()


def mirrored_nets(network: Network, name: str, seen: Collection[str]) -> list[Recipe]:
    """Return the nets between `name` and the nodes below that its guide sees, the largest first, turned round."""
    reached, nets = {name}, []
    for child, node in network.nodes.items():
        if reached & set(node.parents):
            nets.append(Linear() if node.via is None else node.via)
            if child not in seen:  # a hidden layer, or a latent that the guide draws later
                reached.add(child)
    turned = (mirrored(net) for net in sorted(nets, key=size_of, reverse=True) or [Linear()])
    return [net for net in turned if net is not None]


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
            raise DeclarationError(
                f"guide node {name!r} is {ours!r}, whose values are not those of P's {theirs!r}; "
                f"use lt.{theirs.guide()!r} in the guide"
            )
    for name, node in guide.nodes.items():
        check_order(network, guide, name, looked_at(network, guide, name))
        ours = network.nodes.get(name, node).family
        if node.family.starts_from_p and not node.family.can_start_from(ours):
            raise DeclarationError(
                f"guide node {name!r} is {node.family!r}, which starts from a Normal of P, but P's is {ours!r}; "
                f"use lt.{Normal(ours.shape)!r} in the guide"
            )
    for name in (n for n, node in network.nodes.items() if node.family.made_of_guide):
        check_made_of_guide(network, guide, name)


def looked_at(network: Network, guide: Network, name: str) -> set[str]:
    """Return the nodes of P on which depends what a guide's node sees of P: hidden layers, or what P says of it."""
    layers = {p for p in guide.nodes[name].parents if p not in guide.nodes and p in network.nodes}
    hidden = {p for p in layers if p not in network.stochastic}
    found = {above for layer in hidden for above in network.stochastic_parents(layer)}
    if guide.nodes[name].family.starts_from_p:
        found |= set(network.stochastic_parents(name))
    return found


def sees_p(guide: Network, network: Network) -> bool:
    """Say whether a guide shares weights with P: its hidden layers, or what it says of a node."""
    inputs = (name for name in guide.inputs if name in network.nodes)
    return any(n not in network.stochastic for n in inputs) or any(f.starts_from_p for f in guide.families.values())


def check_order(network: Network, guide: Network, name: str, needed: Collection[str]) -> None:
    """Check that what a guide's node needs of P can be computed: all above is evidence, or drawn before it."""
    before = guide.names[: guide.names.index(name)]
    for above in needed:
        if above == name:
            layers = [p for p in guide.nodes[name].parents if p not in guide.nodes and p not in network.stochastic]
            raise DeclarationError(
                f"guide node {name!r} is given {layers[0]!r}, a hidden layer of P below {name!r} itself; condition on "
                "variables, or on layers above it"
            )
        if above in guide.stochastic and above not in before:
            raise DeclarationError(
                f"guide node {name!r} looks at P, where that depends on {above!r}; declare {above!r} before {name!r} "
                "in the guide, from the top of the network down"
            )


def check_made_of_guide(network: Network, guide: Network, name: str) -> None:
    """Check that a guide gives a `Vamp` prior its normals, from evidence alone."""
    prior, node = network.nodes[name].family, guide.nodes.get(name)
    if node is None or node.family != Normal(prior.shape):
        what = "which the guide does not draw" if node is None else f"but the guide's node is {node.family!r}"
        fits = Normal(prior.shape)
        raise DeclarationError(f"node {name!r} is {prior!r}, {what}; use lt.{fits!r} in the guide, which it is made of")
    if not guide.stochastic_parents(name):
        raise DeclarationError(
            f"node {name!r} is {prior!r}, made of the guide at rows of data, but its guide sees no row; declare "
            f"q({name} | ...) given evidence, as in lt.{Normal(prior.shape)!r}.given('x')"
        )
    for parent in guide.stochastic_parents(name):
        if parent in guide.nodes or parent not in network.stochastic:
            raise DeclarationError(
                f"node {name!r} is {prior!r}, made of the guide at rows of data, but its guide looks at {parent!r}; "
                f"declare q({name} | ...) given evidence alone, or use lt.{NormalMixture(prior.shape)!r}"
            )
