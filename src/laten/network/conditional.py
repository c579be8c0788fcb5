r"""One conditional distribution p(value | parents): a family over a net.

$$\text{raw} = \big(\,\text{net}(\text{features of the parents}) + c_{1:n},\; c_{n+1:}\big)$$

The learned constants $c$ start at the family's fit of the data (`Family.fit_raw`), so that training starts from the
best independent model of each site. The feature of a parent that the family names (`Family.beside`) is the last raw
parameter as it is; the net does not see it. A root has no net: its raw parameters are $c$ alone, or zero when the node
is fixed at its standard.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from laten.common.errors import DeclarationError, LatenError
from laten.common.numerics import host_keys, host_rng, is_abstract, on_device
from laten.common.types import Array, Key, Masks
from laten.families import Family, Node
from laten.network.nets.layers import Linear
from laten.network.nets.noisy import noisy
from laten.network.nets.recipe import Ends, Net, Slot, build, call


class AsFeatures(NamedTuple):
    """A value that is given by its features `(n,)`, as nets see it; of classes these may lie between two."""

    x: Any


class Parent(NamedTuple):
    """A parent as the child sees it: its name, its family, and whether it may be hidden (then its mask is seen too)."""

    name: str
    family: Family
    hidden: bool

    @property
    def n_features(self) -> int:
        return self.family.n_features + (self.family.n_sites if self.hidden else 0)

    @property
    def slot(self) -> Slot:
        """What a recipe is told of it."""
        return Slot(self.name, self.family.shape, self.n_features, self.hidden)

    def features(self, values: Mapping[str, Any], masks: Masks) -> Array:
        """Return `(n_features,)`: the value's features, zero where hidden, and the mask."""
        value = values[self.name]
        x = value.x if isinstance(value, AsFeatures) else self.family.features(value)
        seen = jnp.ones(self.family.n_sites, x.dtype)
        if self.name in masks:
            seen, sites = jnp.ravel(masks[self.name]).astype(x.dtype), self.family.feature_sites
            x = x * (seen if sites is None else seen[sites])
        return jnp.concatenate([x, seen]) if self.hidden else x


class Conditional(eqx.Module):
    """A node with its weights."""

    net: Net | None
    constants: Array | None  # (n_raw,), or one less where a parent gives the last one
    family: Family = eqx.field(static=True)
    parents: tuple[Parent, ...] = eqx.field(static=True)
    spread: Any = None  # log standard deviations of the net's weights, where these are uncertain
    body: Any = None  # weights that the family owns beside its raw parameters

    @property
    def distribution(self) -> Family:
        """The family, with the weights that it owns."""
        return self.family if self.body is None else self.family.bound(self.body)

    def raw(self, values: Mapping[str, Any], masks: Masks, key: Key | None = None, noise: Key | None = None) -> Array:
        """Return raw parameters `(n_raw,)` given one example's parent values.

        Args:
            key: Turns dropout on.
            noise: Draws the weights where they are uncertain; without it they are their means.
        """
        if self.net is None:
            if self.constants is None and self.family.made_of_guide:
                raise LatenError(f"{self.family!r} is made of the guide; ask Model.conditionals")
            return jnp.zeros(self.family.n_raw) if self.constants is None else self.constants
        beside = self.family.beside
        x = jnp.concatenate([p.features(values, masks) for p in self.parents if p.name != beside])
        net = self.net if self.spread is None or noise is None else noisy(self.net, self.spread, noise)
        out = call(net, x, key)
        last = [p.features(values, masks) for p in self.parents if p.name == beside]
        if self.constants is None:
            return out
        n = self.family.n_net
        shifted = out + self.constants[:n]
        return shifted if n == self.family.n_raw else jnp.concatenate([shifted, self.constants[n:], *last])


def build_conditional(
    name: str, node: Node, parents: tuple[Parent, ...], key: Key, start: np.ndarray | None = None
) -> Conditional:
    """Draw the weights of one node, whose constants begin at `start (n_raw,)`, or at zero."""
    check_beside(name, node, parents)
    body = node.family.body(host_keys(key, 1)[0])
    if not parents:
        learn = not node.family.standard_root if node.learn is None else node.learn
        learn = learn and not node.family.made_of_guide and node.family.n_raw > 0
        if learn and start is None and not is_abstract(key):
            start = node.family.fresh_raw(host_rng(key))
        return Conditional(None, constants(start, node.family) if learn else None, node.family, (), body=body)
    seen = tuple(parent.slot for parent in parents if parent.name != node.family.beside)
    ends = Ends(seen, node.family.shape, node.family.n_net)
    net = build(node.via if node.via is not None else Linear(), ends, key, name)
    if start is None and node.family.has_density and not is_abstract(key):
        start = np.zeros(node.family.n_raw)
    learn = start is not None or node.family.has_density
    return Conditional(net, constants(start, node.family) if learn else None, node.family, parents, body=body)


def constants(start: np.ndarray | None, family: Family) -> Array:
    """Return constants `(n_raw,)`, one less where a parent gives the last; shapes alone where they start nowhere."""
    n = family.n_raw - (family.beside is not None)
    return jnp.zeros(n, jnp.float32) if start is None else on_device(np.asarray(start[:n], np.float32))


def check_beside(name: str, node: Node, parents: tuple[Parent, ...]) -> None:
    """Check that the parent whose feature passes by the net is there, has one, and is not the only one.

    Raises:
        DeclarationError: it is not.
    """
    beside = node.family.beside
    if beside is None:
        return
    found = [p for p in parents if p.name == beside]
    if not found or len(parents) == 1:
        others = [p.name for p in parents if p.name != beside] or ["z"]
        raise DeclarationError(
            f"node {name!r} is {node.family!r}: {beside!r} must be one of its parents, and another one says the rest: "
            f"given({', '.join(map(repr, [*others, beside]))})"
        )
    if found[0].n_features != 1:
        raise DeclarationError(
            f"node {name!r} is {node.family!r}: {beside!r} must be one number that no row hides, such as "
            f"lt.Given(lt.LogNormal(1)); it is {found[0].family!r}"
        )
