r"""A Bayesian network: nodes in topological order, and what follows from the order.

$$p(\text{values}) = \prod_i p(\text{node}_i \mid \text{parents}_i)$$

The declaration holds no weights; `Network.init` draws them as a dictionary name → `Conditional`. The generative model P
and its guide Q are both networks. A parent that is not a node is an *input*: a guide's evidence. A node that names
itself as a parent sees its own observed sites.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from html import escape
from typing import Any

import numpy as np

from laten.common import random
from laten.common.errors import DeclarationError, known
from laten.common.numerics import host_keys
from laten.common.types import Array, Key, Masks, Values
from laten.families import Family, Node
from laten.network import diagram
from laten.network.conditional import Conditional, Parent, build_conditional

Keys = Callable[[str], Key | None]  # node -> a key of its own


def no_key(name: str) -> None:
    """Give no node a key."""


class Network:
    """`Network(z=Normal(20), x=Bernoulli((28, 28)).given("z", via=MLP(500)))`: p(z) p(x | z).

    Every keyword is a node: a family (a root) or what `family.given(...)` returns. Parents stand before their children.

    Raises:
        DeclarationError: a node that is no family, or a parent declared after its child.
    """

    nodes: Mapping[str, Node]

    def __init__(self, /, **nodes: Family | Node):
        bound: dict[str, Node] = {}
        for name, node in nodes.items():
            node = Node(node) if isinstance(node, Family) else node
            if not isinstance(node, Node):
                raise DeclarationError(
                    f"node {name!r}: expected a family such as lt.Normal(20), or family.given(...), not {node!r}"
                )
            for parent in node.parents:
                if parent in nodes and parent not in bound and parent != name:
                    raise DeclarationError(
                        f"node {name!r}: parent {parent!r} is not declared before it; known names: {known(bound)}"
                    )
            bound[name] = node
        self.nodes = bound

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all nodes, parents first."""
        return tuple(self.nodes)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Parents that are not (other) nodes, in order of appearance."""
        arrows = ((name, parent) for name, node in self.nodes.items() for parent in node.parents)
        return tuple(dict.fromkeys(p for name, p in arrows if p == name or p not in self.nodes))

    @property
    def families(self) -> dict[str, Family]:
        """Node name -> its family."""
        return {name: node.family for name, node in self.nodes.items()}

    @property
    def stochastic(self) -> tuple[str, ...]:
        """Names of the nodes that have a density."""
        return tuple(n for n, node in self.nodes.items() if node.family.has_density)

    @property
    def leaves(self) -> tuple[str, ...]:
        """Stochastic nodes without children: their hidden sites are marginalised by leaving them out."""
        parents = {p for node in self.nodes.values() for p in node.parents}
        return tuple(n for n in self.stochastic if n not in parents)

    def stochastic_parents(self, name: str) -> tuple[str, ...]:
        """Return the parents of a node, deterministic ones replaced by their own stochastic parents."""
        found: dict[str, None] = {}
        passed: set[str] = set()  # a node that is reached twice adds nothing: paths may be very many
        left = list(reversed(self.nodes[name].parents))
        while left:
            parent = left.pop()
            node = self.nodes.get(parent)
            if node is None or node.family.has_density:
                found[parent] = None
            elif parent not in passed:
                passed.add(parent)
                left.extend(reversed(node.parents))
        return tuple(found)

    def init(
        self,
        key: Key,
        inputs: Mapping[str, Family] | None = None,
        hidden: Collection[str] = (),
        starts: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, Conditional]:
        """Draw weights.

        Args:
            inputs: Families of the parents that are not nodes.
            hidden: Names of inputs that may be hidden, whose masks the nets see.
            starts: Node name -> `(n_raw,)` where its constants start.
        Raises:
            DeclarationError: a parent that is neither node nor input; starts of another length.
        """
        families = {**(inputs or {}), **self.families}
        weights = {}
        for k, (name, node) in zip(host_keys(key, len(self.nodes)), self.nodes.items(), strict=True):
            for parent in node.parents:
                if parent not in families:
                    raise DeclarationError(
                        f"node {name!r}: parent {parent!r} is not declared; known names: {known(families)}"
                    )
            evidence = {p for p in node.parents if p == name or p not in self.nodes}
            parents = tuple(Parent(p, families[p], p in evidence and p in hidden) for p in node.parents)
            weights[name] = build_conditional(name, node, parents, k, (starts or {}).get(name))
        return weights

    def walk(
        self,
        weights: Mapping[str, Conditional],
        values: Values,
        masks: Masks | None = None,
        skip: Collection[str] = (),
        net_key: Keys = no_key,
        noise: Keys = no_key,
        ready: Mapping[str, Array] | None = None,
    ) -> Iterator[tuple[str, Family, Array]]:
        """Yield each node that has a density, with its family and raw parameters `(n_raw,)`, parents first.

        The one walk over a network. Whoever walks puts the value of the node just yielded into `values`, where its
        children look for it; deterministic nodes are put there by the walk.

        Args:
            values: Name -> value; those of inputs are there from the start.
            masks: Name -> True at sites that the nets may see.
            skip: Nodes that are passed over.
            net_key: Node -> key that turns dropout on.
            noise: Node -> key that draws its weights, where they are uncertain; None: their means.
            ready: Name -> raw parameters that are computed already (`ask`).
        """
        for name, node in self.nodes.items():
            if name in skip:
                continue
            own = weights[name]
            if ready is not None and name in ready:
                raw = ready[name]
            else:
                drawn = None if own.spread is None else noise(name)
                raw = own.raw(values, masks or {}, net_key(name), drawn)
            if not node.family.has_density:
                values[name] = raw.reshape(node.family.shape)
            else:
                yield name, own.distribution, raw

    def ask(
        self,
        weights: Mapping[str, Conditional],
        name: str,
        values: dict[str, Any],
        ready: dict[str, Array],
        net_key: Keys = no_key,
        noise: Keys = no_key,
        masks: Masks | None = None,
    ) -> Array:
        """Return the raw parameters `(n_raw,)` of one node, its hidden layers computed on the way.

        Args:
            values: Name -> value of all that it depends on; hidden layers are added.
            ready: Name -> raw parameters computed before; those of this call are added.
            net_key, noise, masks: As in `walk`.
        """
        if name not in ready:
            for parent in self.nodes[name].parents:
                if parent not in values and parent in self.nodes and not self.nodes[parent].family.has_density:
                    self.ask(weights, parent, values, ready, net_key, noise, masks)
            own, family = weights[name], self.nodes[name].family
            drawn = None if own.spread is None else noise(name)
            ready[name] = own.raw(values, masks or {}, net_key(name), drawn)
            if not family.has_density:
                values[name] = ready[name].reshape(family.shape)
        return ready[name]

    def sample(self, weights: Mapping[str, Conditional], key: Key, given: Values | None = None) -> Values:
        """Draw every node once, parents first; those in `given` keep their values.

        Raises:
            DeclarationError: an input that is not given.
        """
        values = dict(given or {})
        for name, family in self.families.items():
            if family.is_input and name not in values:
                raise DeclarationError(
                    f"node {name!r} is {family!r}: every row must give its value, for nothing draws it; hand it over, "
                    f"as in sample(n, given={{{name!r}: value}})"
                )
        keys = dict(zip(self.nodes, random.split(key, len(self.nodes)), strict=True))
        for name, family, raw in self.walk(weights, values, skip=values.keys(), noise=lambda n: random.beside(keys[n])):
            values[name] = family.sample(raw, keys[name])
        return values

    def log_prob(self, weights: Mapping[str, Conditional], values: Values, masks: Masks | None = None) -> Values:
        """Return the log-density per site of every node that has one, in nats, given values of all of them."""
        walk = self.walk(weights, dict(values), masks)
        return {name: family.log_prob(raw, values[name]) for name, family, raw in walk}

    def draw(
        self,
        observed: Collection[str] | None = None,
        path: str | None = None,
        columns: Mapping[str, Collection[object]] | None = None,
    ) -> str:
        """Draw a plate diagram as SVG text: circles for nodes, shaded where observed, arrows from parents.

        Args:
            observed: Names to shade; None shades the leaves of a P, and nothing of a guide, whose evidence is marked
                anyway.
            path: Also write the text to this file.
            columns: Node -> names of its columns, which are listed under the plate.
        """
        shaded = (() if self.inputs else self.leaves) if observed is None else observed
        return diagram.draw(self, shaded, path, columns)

    def factors(self, letter: str = "p") -> str:
        """Return the factorisation, e.g. `p(z) p(x | z)`; deterministic nodes are left out."""
        terms = []
        for name in (n for n in self.stochastic if not self.nodes[n].family.is_input):
            given = ", ".join(self.stochastic_parents(name))
            terms.append(f"{letter}({name} | {given})" if given else f"{letter}({name})")
        return " ".join(terms)

    def __str__(self) -> str:
        width = max((len(n) for n in self.nodes), default=0)
        lines = [self.factors("q" if self.inputs else "p")]
        for name, node in self.nodes.items():
            sign = "~" if node.family.has_density else "="
            given = f" given {', '.join(node.parents)} via {node.via or 'Linear()'}" if node.parents else ""
            lines.append(f"  {name:<{width}} {sign} {node.family!r}{given}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<div>{self.draw()}</div><p><code>{escape(self.factors())}</code></p>"

    def __repr__(self) -> str:
        return f"Network[{self.factors('q' if self.inputs else 'p')}]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and tuple(self.nodes.items()) == tuple(other.nodes.items())

    def __hash__(self) -> int:
        return hash(tuple(self.nodes.items()))
