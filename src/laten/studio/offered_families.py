"""Which families the page offers for a node, and which suits columns that move from one node to another."""

from dataclasses import replace
from typing import Any

from laten.common.errors import DeclarationError
from laten.data.columns.column import NUMBERS
from laten.data.schema.schema import Schema
from laten.families import (
    Bernoulli,
    Binned,
    Categorical,
    Deterministic,
    Family,
    Mixture,
    NegativeBinomial,
    Normal,
    NormalMixture,
    Ordinal,
    Poisson,
    StudentT,
)
from laten.studio.declaration import LATENT, Facts
from laten.studio.declared_text import Columns, Declaration

COMPONENTS, CLASSES = 16, 8


def several(held: Columns) -> tuple[Any, ...]:
    """Return the columns of a node as a tuple."""
    return held if isinstance(held, tuple) else (held,)


def kin(declaration: Declaration, facts: Facts, name: str) -> list[str]:
    """Return the other nodes whose columns are of the same kind, so that one may hold both."""
    if facts.schema is None or name not in declaration.nodes:
        return []
    schema = facts.schema.binned()
    kinds = {n: {schema.family_kind(schema[c]) for c in several(held)} for n, held in declaration.nodes.items()}
    return [n for n, kind in kinds.items() if n != name and kind == kinds[name]]


def suiting(facts: Facts, columns: Columns, node: str, like: Family) -> Family:
    """Return the family of a node's columns that is most like another one."""
    options = families_of(facts, columns, node)
    same = [f for f in options if type(f) is type(like) and not isinstance(f, Binned)]
    if not same:
        return options[0]
    if isinstance(like, Normal | StudentT):
        return replace(like, size=len(several(columns)))
    return same[0]


def table(facts: Facts) -> Schema:
    """Return the schema.

    Raises:
        DeclarationError: the data are images.
    """
    if facts.schema is None:
        raise DeclarationError("images have no columns")
    return facts.schema


def families_of(facts: Facts, held: Columns, node: str) -> list[Family]:
    """Return families that a node of columns may have, the proposed one first."""
    schema, n = table(facts), len(held) if isinstance(held, tuple) else ()
    first = facts.suited(held, node, None)
    kinds = {schema[c].kind for c in several(held)}
    if kinds <= set(NUMBERS):
        counts: list[Family] = [NegativeBinomial(n), Poisson(n)] if kinds == {"count"} else []
        own = [Normal(n, scale="site"), StudentT(n, scale="site"), Mixture(Normal(n, scale="site"), 3)]
        return [first, *own, *counts]
    if kinds == {"ordinal"} and isinstance(first, Binned):
        return [first, Ordinal(first.sizes), Categorical(first.sizes)]
    return [first]


def choices(declaration: Declaration, facts: Facts, name: str) -> list[Family]:
    """Return the families that the page offers for a node, its own among them."""
    own = declaration.network.families[name]
    if name in declaration.nodes and facts.schema is not None:
        found = families_of(facts, declaration.nodes[name], name)
    elif facts.schema is None and name == "x":
        found = [Bernoulli(facts.shape)]  # others fit pixels badly that are always blank
    else:
        real = own.n_states is None or isinstance(own, Bernoulli)
        n = own.n_sites if real else LATENT
        k = own.n_states if own.n_states is not None and not real else CLASSES
        found = [Normal(n), NormalMixture(n, COMPONENTS), StudentT(n), Categorical(k), Bernoulli(n), Deterministic(n)]
    same = [i for i, f in enumerate(found) if type(f) is type(own)]
    if own in found:
        return found
    return [own if same and i == same[0] else f for i, f in enumerate(found)] if same else [own, *found]
