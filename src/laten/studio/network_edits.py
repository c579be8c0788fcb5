"""What a click does to a declaration: each edit is a function from one to another, which the library checks."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from laten.common.errors import DeclarationError, LatenError, known
from laten.families import Categorical, Deterministic, Node, Normal
from laten.network.guide import check_generative
from laten.network.nets.layers import MLP, Linear, ResMLP
from laten.network.network import Network
from laten.studio.declaration import WIDTH, Facts
from laten.studio.declared_text import MOST_WHOLE, Columns, Declaration, read_family
from laten.studio.offered_families import several, suiting, table

NEW = {"latent": Normal(2), "classes": Categorical(3), "layer": Deterministic(WIDTH)}
NETS: dict[str, type[MLP | ResMLP]] = {"MLP": MLP, "ResMLP": ResMLP}
SIZES = ("size", "sizes", "k")  # fields of families that a number sets

Said = Mapping[str, Any]


def edited(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Return a declaration after an edit.

    Args:
        said: `do`, one of `EDITS`, and what it needs.
    Raises:
        LatenError: it cannot be, in the library's words.
    """
    do = said.get("do")
    if do not in EDITS:
        raise LatenError(f"the page asks for an edit {do!r}; known: {known(EDITS)}")
    return EDITS[do](declaration, facts, said)


def named(said: Said, key: str, among: Any) -> str:
    """Return a name that must be there."""
    name = said.get(key)
    if not isinstance(name, str) or name not in among:
        raise DeclarationError(f"{key} {name!r} is not there; known names: {known(among)}")
    return name


def whole(said: Said, key: str) -> int:
    """Return a whole number."""
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_WHOLE:
        raise DeclarationError(f"{key} is a whole number of at most {MOST_WHOLE}, not {value!r}")
    return value


def rebuilt(declaration: Declaration, nodes: Mapping[str, Node]) -> Declaration:
    """Return a declaration of these nodes, parents first."""
    return Declaration(declaration.nodes, Network(**in_order(nodes)))


def in_order(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """Sort nodes so that parents stand first, otherwise as they stood; those on a circle keep their places."""
    left, found = dict(nodes), dict[str, Node]()
    while left:
        name = next((n for n, node in left.items() if not any(p in left for p in node.parents)), None)
        if name is None:
            return found | left
        found[name] = left.pop(name)
    return found


def with_node(declaration: Declaration, name: str, **changes: Any) -> Declaration:
    """Return a declaration in which one node has other fields."""
    nodes = declaration.network.nodes
    return rebuilt(declaration, {**nodes, name: replace(nodes[name], **changes)})


def add(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Add a latent, classes or a hidden layer, without arrows."""
    what = named(said, "what", NEW)
    stem = {"latent": "z", "classes": "c", "layer": "layer"}[what]
    nodes = declaration.network.nodes
    name = free(stem, nodes)
    return rebuilt(declaration, {name: Node(NEW[what]), **nodes})


def free(stem: str, taken: Any) -> str:
    """Return a name that is not taken."""
    return next(n for n in (stem, *(f"{stem}{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def remove(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Remove a node and its arrows; its columns are not modelled then."""
    name = named(said, "node", declaration.network.nodes)
    nodes = {n: without_parent(node, name) for n, node in declaration.network.nodes.items() if n != name}
    return Declaration({n: c for n, c in declaration.nodes.items() if n != name}, Network(**nodes))


def without_parent(node: Node, parent: str) -> Node:
    """Return a node without one of its parents."""
    parents = tuple(p for p in node.parents if p != parent)
    return replace(node, parents=parents, via=node.via if parents else None)


def connect(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Draw an arrow.

    Raises:
        DeclarationError: it closes a circle.
    """
    nodes = declaration.network.nodes
    parent, child = named(said, "from", nodes), named(said, "to", nodes)
    node = nodes[child]
    if parent in node.parents:
        return declaration
    way = path(nodes, child, parent)
    new = {**nodes, child: replace(node, parents=(*node.parents, parent), learn=None)}
    if not way:
        return rebuilt(declaration, new)
    circle = " → ".join([parent, *way])
    try:
        check_generative(Network(**new))
    except DeclarationError as error:
        raise DeclarationError(f"{error}. The arrow {parent} → {child} would close a circle: {circle}") from None
    raise AssertionError


def path(nodes: Mapping[str, Node], start: str, end: str) -> list[str]:
    """Return names along arrows from one node to another; none where there is no way."""
    ways = [[start]]
    seen = {start}
    for way in ways:
        if way[-1] == end:
            return way
        for name, node in nodes.items():
            if way[-1] in node.parents and name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def cut(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Remove an arrow."""
    nodes = declaration.network.nodes
    parent, child = named(said, "from", nodes), named(said, "to", nodes)
    return rebuilt(declaration, {**nodes, child: without_parent(nodes[child], parent)})


def family(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Give a node another family, by its text."""
    name = named(said, "node", declaration.network.nodes)
    found = read_family(str(said.get("family")), facts.scope(declaration.nodes))
    return with_node(declaration, name, family=found)


def size(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Set the size of a node's family, its number of classes, or of components."""
    name, what = named(said, "node", declaration.network.nodes), named(said, "what", SIZES)
    own = declaration.network.families[name]
    if what not in {f.name for f in fields(own)}:
        raise DeclarationError(f"node {name!r}: {own!r} has no {what}")
    return with_node(declaration, name, family=replace(own, **{what: whole(said, "size")}))


def net(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Give a node another net between its parents and its parameters."""
    name = named(said, "node", declaration.network.nodes)
    kind = named(said, "net", (*NETS, "Linear"))
    before = declaration.network.nodes[name].via
    if kind == "Linear":
        return with_node(declaration, name, via=None if before is None else Linear())
    numbers: dict[str, Any] = {key: whole(said, key) for key in ("width", "depth") if said.get(key) is not None}
    start = before if isinstance(before, NETS[kind]) else NETS[kind]()
    via = replace(start, **numbers)
    return with_node(declaration, name, via=via)


def rename(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Call a node by another name."""
    name, new = named(said, "node", declaration.network.nodes), str(said.get("name") or "").strip()
    if not new or len(new) > 60 or new in declaration.network.nodes:
        raise DeclarationError(f"a node cannot be called {new[:60]!r}; take a name that no node has")
    network = {
        new if n == name else n: replace(node, parents=tuple(new if p == name else p for p in node.parents))
        for n, node in declaration.network.nodes.items()
    }
    return Declaration({new if n == name else n: c for n, c in declaration.nodes.items()}, Network(**network))


def split(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Give a column a node of its own, with the parents of the node that it leaves."""
    column = next((c.name for c in table(facts).columns if str(c.name) == said.get("column")), None)
    if column is None:
        raise DeclarationError(f"there is no column {said.get('column')!r}")
    home = next((n for n, held in declaration.nodes.items() if column in several(held)), None)
    if home is not None and len(several(declaration.nodes[home])) == 1:
        raise DeclarationError(f"column {column!r} has a node of its own: {home!r}")
    network = dict(declaration.network.nodes)
    name = free(str(column), network)
    before = network[home] if home is not None else next(iter(others(declaration)), Node(Normal(1)))
    held: dict[str, Columns] = {**declaration.nodes, name: (column,)}
    network[name] = replace(before, family=suiting(facts, (column,), name, before.family))
    if home is not None:
        held[home] = tuple(c for c in several(held[home]) if c != column)
        network[home] = replace(before, family=suiting(facts, held[home], home, before.family))
    return Declaration(held, Network(**in_order(network)))


def others(declaration: Declaration) -> list[Node]:
    """Return the nodes that hold columns."""
    return [declaration.network.nodes[n] for n in declaration.nodes if n in declaration.network.nodes]


def merge(declaration: Declaration, facts: Facts, said: Said) -> Declaration:
    """Put the columns of one node into another, whose kind they must have."""
    name, into = named(said, "node", declaration.nodes), named(said, "into", declaration.nodes)
    if name == into:
        raise DeclarationError(f"node {name!r} cannot be put into itself")
    columns = (*several(declaration.nodes[into]), *several(declaration.nodes[name]))
    held = {n: columns if n == into else c for n, c in declaration.nodes.items() if n != name}
    home = declaration.network.nodes[into]
    network = {n: without_parent(node, name) for n, node in declaration.network.nodes.items() if n != name}
    network[into] = replace(network[into], family=suiting(facts, columns, into, home.family))
    return Declaration(held, Network(**network))


EDITS: dict[str, Callable[[Declaration, Facts, Said], Declaration]] = {
    f.__name__: f for f in (add, remove, connect, cut, family, size, net, rename, split, merge)
}
