"""What a studio's network is to its data: proposed for them, checked against them, and what a fit of it is told."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax

from laten.common import random
from laten.common.errors import DeclarationError, known
from laten.data.columns.column import NUMBERS
from laten.data.schema.schema import Schema
from laten.estimator.parameters import TABLE_RATE
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare import WARMUP
from laten.estimator.propose import check_block, family_for, for_table
from laten.families import Family, Node, Normal
from laten.network import templates
from laten.network.guide import check_generative, guide_for
from laten.network.model import build_model
from laten.network.nets.recipe import size_of
from laten.network.network import Network
from laten.studio.declared_text import Columns, Declaration, Scope
from laten.training.objectives import Elbo

MOST_LAYERS, MOST_WEIGHTS, MOST_NODES = 64, 100_000_000, 500
LATENT, WIDTH = 16, 128
PROPOSED = ("latent", "width", "numbers")  # options of a fit that a declared network has already
SEVERAL = 4  # draws, which the gradient of sampled classes compares


class Facts(NamedTuple):
    """What a network is for.

    Args:
        schema: Of a table; None for images.
        shape: Of an image.
        rows: How many there are.
    """

    schema: Schema | None
    shape: tuple[int, ...]
    rows: int

    def suited(self, columns: Columns, node: str, rank: int | None) -> Family:
        """Return `lt.family_for` of columns."""
        if self.schema is None:
            raise DeclarationError(
                "lt.family_for is for tables; images are declared as lt.Bernoulli((28, 28)) and so on"
            )
        alone = self.schema.binned().with_nodes({node: listed(columns)})
        return family_for(alone, node, rank)

    def scope(self, nodes: Mapping[str, Columns]) -> Scope:
        """Return what words of a text stand for."""
        return Scope(nodes, self.suited)


class Plan(NamedTuple):
    """What a fit of a declaration is told, and how large it is."""

    schema: Schema | None
    real: dict[Any, str]  # columns that are numbers here, whatever the schema says
    but: tuple[Any, ...]  # columns of numbers that are no histograms
    weights: int
    draws: int = 1  # of the guide a row: 1, or several where discrete latents have too many states to sum over


def listed(columns: Columns) -> Any:
    """Return columns as a schema takes them."""
    return list(columns) if isinstance(columns, tuple) else columns


def proposed(facts: Facts, asked: Mapping[str, Any]) -> Declaration:
    """Propose a network, as `fit` would.

    Args:
        asked: `latent` and `width`, whole numbers; `prior`: mixture or standard; `numbers`: cells or normal.
    """
    vae = PlainVAE(latent=asked.get("latent", LATENT), width=asked.get("width"))
    if facts.schema is None:
        return Declaration({}, templates.images(facts.shape, vae.latent, vae.width or WIDTH))
    normal = asked.get("numbers") == "normal"
    amounts = {c.name: "real" for c in facts.schema.columns if c.kind in ("count", "positive")}
    schema = facts.schema.with_kinds(amounts) if normal else facts.schema.binned()
    network = for_table(schema, (), facts.rows, vae)
    if asked.get("prior") == "standard":
        network = Network(**{**network.nodes, "z": Node(Normal(vae.latent))})
    nodes: dict[str, Columns] = {b.node: b.names[0] if b.scalar else b.names for b in schema.blocks}
    return Declaration(nodes, network)


def fitted_schema(schema: Schema, declaration: Declaration) -> tuple[Schema, dict[Any, str], tuple[Any, ...]]:
    """Return the schema of a declaration's nodes: columns of families of classes are binned, others are numbers.

    Returns:
        The schema; columns whose kind became real; and columns that are no histograms.
    """
    real: dict[Any, str] = {}
    but: list[Any] = []
    for node, held in declaration.nodes.items():
        family = declaration.network.families.get(node)
        support = "classes" if family is None else family.support.kind
        for name in held if isinstance(held, tuple) else (held,):
            if support != "classes" and name in schema and schema[name].kind in NUMBERS:
                but.append(name)
                if schema[name].kind == "count" and support == "real":
                    real[name] = "real"
    nodes = {node: listed(held) for node, held in declaration.nodes.items()}
    return schema.with_kinds(real).binned(but=but).with_nodes(nodes), real, tuple(but)


def checked(declaration: Declaration, facts: Facts) -> Plan:
    """Check that a network can be trained on its data, without drawing a weight.

    Raises:
        DeclarationError, DataError: it cannot, in the library's words.
    """
    network = declaration.network
    check_generative(network)
    layers = sum(size_of(node.via)[1] for node in network.nodes.values() if node.via is not None)
    if len(network.nodes) > MOST_NODES or layers > MOST_LAYERS:
        raise DeclarationError(
            f"{len(network.nodes)} nodes and {layers} hidden layers; the studio trains at most {MOST_NODES} nodes and "
            f"{MOST_LAYERS} hidden layers"
        )
    if facts.schema is None:
        return Plan(None, {}, (), *built(network, images_in(network, facts.shape), frozenset(), frozenset()))
    if not declaration.nodes:
        raise DeclarationError('nodes are missing; write nodes = {"number": ["age", "height"], "sex": "sex"} first')
    schema, real, but = fitted_schema(facts.schema, declaration)
    for block in schema.blocks:
        check_block(network, block)
    observed = frozenset(b.node for b in schema.blocks)
    holes = frozenset(b.node for b in schema.blocks if any(c.seen.missing for c in b.columns))
    hidden = holes | (observed & frozenset(network.leaves))  # cells of leaves are hidden while a table is learned
    return Plan(schema, real, but, *built(network, observed, holes, hidden))


def images_in(network: Network, shape: tuple[int, ...]) -> frozenset[str]:
    """Return the node of images, `x`.

    Raises:
        DeclarationError: there is none of their shape.
    """
    if "x" not in network.stochastic or network.families["x"].shape != shape:
        raise DeclarationError(f"the images need a node 'x' of shape {shape}; nodes: {known(network.stochastic)}")
    return frozenset({"x"})


def built(network: Network, observed: frozenset[str], holes: frozenset[str], hidden: frozenset[str]) -> tuple[int, int]:
    """Return how many weights P and its guide have, and how many draws a row needs.

    Building them abstractly checks every size.

    Args:
        observed: Nodes that hold data.
        holes: Those of them with empty cells.
        hidden: Those of them whose cells are, or will be, hidden.
    Raises:
        DeclarationError: a net or a guide that cannot be, or too many weights.
    """
    latent = [n for n in network.stochastic if n not in network.leaves and (n not in observed or n in holes)]
    guide = guide_for(network, latent, hidden)
    model = eqx.filter_eval_shape(lambda key: build_model(network, guide, key, hidden), random.key(0))
    count = sum(math.prod(x.shape) for x in jax.tree.leaves(model) if hasattr(x, "shape"))
    if count > MOST_WEIGHTS:
        raise DeclarationError(f"{count} weights; the studio trains at most {MOST_WEIGHTS}: make layers narrower")
    return count, 1 if model.enumerable else SEVERAL


def planned(declaration: Declaration, facts: Facts, options: Mapping[str, Any]) -> PlainVAE:
    """Return the model that a fit begins with; of a table it learns as a proposed network does."""
    own = {name: value for name, value in options.items() if name not in PROPOSED}
    plan = checked(declaration, facts)
    if plan.schema is None:
        objective = Elbo(draws=plan.draws) if plan.draws > 1 else None
        return PlainVAE(declaration.network, objective=objective, **own)
    objective = Elbo(warmup=WARMUP, draws=plan.draws)
    return PlainVAE(declaration.network, objective=objective, schema=plan.schema, learning_rate=TABLE_RATE, **own)
