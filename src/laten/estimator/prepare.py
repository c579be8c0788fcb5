"""From data, and as much of a declaration as the user gave, to all that training needs.

That is: a view, a network, a guide, a model and a task.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
import pandas as pd

from laten.common import random
from laten.common.errors import DataError, DeclarationError, LatenError, known
from laten.data.columns.cells import cells_of
from laten.data.rows.arrays import WHATS, ArraySpec
from laten.data.rows.presentation import Presentation, Store
from laten.data.rows.rows import Rows
from laten.data.rows.table_view import as_matrix, refuse_sparse
from laten.data.rows.views import ArrayView, TableView, View
from laten.data.schema.infer import infer
from laten.data.schema.schema import Schema
from laten.families import Family
from laten.network import templates
from laten.network.guide import check_generative, guide_for
from laten.network.model import Model, build_model
from laten.network.network import Network
from laten.training.fit import Task
from laten.training.objectives import Objective

CODED = ("categorical", "ordinal", "bins")  # kinds of nodes whose missing cells can be modelled
LEAST_RANK, FREE_RANK, ROWS_A_COEFFICIENT = 3, 64, 400  # of the smooth functions in a column of numbers
MOST_COMPONENTS = 64  # of the prior of a table
ROWS_A_COMPONENT = 20
WIDE_ROWS = 2_500  # that are enough for wider layers
START_ROWS = 10_000  # rows that are enough to place the constants of each node


@dataclass(frozen=True)
class Sizes:
    """Options of a proposed network.

    Args:
        latent: Latent dimensions.
        width: Hidden units; None: 256 for a table of at least 2500 rows, else 128.
        numbers: `"cells"` or `"normal"`, the model of a table's numbers.
        dropout: Of a table's network.
        missing: `"ignorable"` or `"informative"`: whether cells are missing because of what they are.
    Raises:
        LatenError: an option out of range.
    """

    latent: int = 16
    width: int | None = None
    numbers: str = "cells"
    dropout: float = 0.1
    missing: str = "ignorable"

    def __post_init__(self) -> None:
        for name, value in (("latent", self.latent), ("width", self.width or 1)):
            if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
                raise LatenError(f"{name} must be a whole number of at least 1, not {value!r}")
        if self.missing not in ("ignorable", "informative"):
            raise LatenError(f"missing must be 'ignorable' or 'informative', not {self.missing!r}")
        if self.missing == "informative" and self.numbers != "cells":
            raise LatenError(
                "missing='informative' goes with numbers='cells': hidden numbers are summed out cell by cell"
            )
        if self.numbers not in ("cells", "normal"):
            raise LatenError(f"numbers must be 'cells' or 'normal', not {self.numbers!r}")

    def table(self, leaves: list[templates.Leaf], rows: int) -> Network:
        """A network for a table; few rows get a prior of few components."""
        components = min(MOST_COMPONENTS, max(1, rows // ROWS_A_COMPONENT))
        width = self.width or (256 if rows >= WIDE_ROWS else 128)
        return templates.table(leaves, self.latent, width, components, self.dropout)


@dataclass(frozen=True)
class Proposal:
    """What a fit starts from; `log_det` is the sum of the codecs' log-determinants, in nats."""

    view: View
    rows: Rows
    network: Network
    log_det: float = 0.0

    @staticmethod
    def of(view: View, rows: Rows, network: Network, log_det: float = 0.0) -> "Proposal":
        """A proposal whose observed roots are learned: the standard normal is a prior, not a model of data."""
        nodes = {
            n: replace(node, learn=True) if n in rows.values and not node.parents and node.learn is None else node
            for n, node in network.nodes.items()
        }
        return Proposal(view, rows, Network(**nodes), log_det)


def propose(
    data: Any, network: Network | None, schema: Schema | None, sizes: Sizes, binarise: str, seed: int
) -> Proposal:
    """A view of the data, and the user's network or one that suits the data.

    Args:
        data: DataFrame, matrix, array of images, or dictionary of arrays by node.
        schema: The user's schema of a frame, or None to infer it.
        sizes: Options of a proposed network.
    Raises:
        DataError, DeclarationError: the data cannot be used, or do not fit the network.
    """
    if network is not None:
        check_generative(network)
    refuse_sparse(data)
    if isinstance(data, pd.DataFrame):
        return of_table(data, False, network, schema, sizes)
    if isinstance(data, Mapping):
        return of_arrays(data, network, sizes, binarise, seed)
    if network is None and np.asarray(data).ndim <= 2:
        return of_table(pd.DataFrame(as_matrix(data)), True, network, schema, sizes)
    return of_arrays(data, network, sizes, binarise, seed)


def of_table(
    frame: pd.DataFrame, matrix: bool, network: Network | None, schema: Schema | None, sizes: Sizes
) -> Proposal:
    """A frame: its blocks are the leaves of a proposed network, or its columns are nodes of the declared one."""
    cells = cells_of(frame)
    if network is not None and schema is None:
        nodes = [n for n in network.stochastic if n in frame.columns]
        if not nodes:
            raise DataError(
                f"no column of the frame is a node of the network; columns: {known(frame.columns)}, "
                f"nodes: {known(network.stochastic)}"
            )
        schema = infer(frame, cells, nodes)
    schema = schema or infer(frame, cells)
    if network is None:
        schema = schema.binned() if sizes.numbers == "cells" else as_real(schema)
    lossy: tuple[str, ...] = ()
    if network is None and sizes.missing == "informative":
        schema = as_classes(schema)
        lossy = tuple(
            b.node for b in schema.blocks if b.family_kind in CODED and any(c.seen.missing for c in b.columns)
        )
    view = TableView(schema, matrix, lossy)
    rows, log_det = view.prepared(frame, cells)
    if network is None:
        leaves = [
            templates.Leaf(b.node, b.family_kind, b.shape, b.sizes, b.points, b.node in lossy, rank_for(rows.n))
            for b in schema.blocks
        ]
        network = sizes.table(leaves, rows.n)
    for block in schema.blocks:
        check_block(network, block.node, block.family_kind, block.shape, block.sizes)
    return Proposal.of(view, rows, network, log_det)


def rank_for(rows: int) -> int | None:
    """How many coefficients a column so many rows can bear (`Binned`)."""
    rank = max(LEAST_RANK, rows // ROWS_A_COEFFICIENT)
    return None if rank >= FREE_RANK else rank


def as_real(schema: Schema) -> Schema:
    """Counts and positive numbers as real numbers."""
    return schema.with_kinds({c.name: "real" for c in schema.columns if c.kind in ("count", "positive")})


def as_classes(schema: Schema) -> Schema:
    """Columns of two classes with holes as plain classes, whose missing cells can be modelled."""
    lossy = (c for c in schema.columns if c.kind == "binary" and c.seen.missing)
    return schema.with_kinds({c.name: "categorical" for c in lossy})


def check_block(network: Network, node: str, kind: str, shape: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """A node of the network must be able to hold its column's codes."""
    if node not in network.stochastic:
        raise DeclarationError(f"the schema needs a node {node!r}; nodes of the network: {known(network.stochastic)}")
    family = network.nodes[node].family
    classes = family.support.kind == "classes"
    if classes != (kind in CODED):
        raise DeclarationError(
            f"node {node!r} is declared {family!r}, but its column is {kind}; "
            "declare another family, or set the column's kind in the schema"
        )
    n_sites = math.prod(shape)
    if family.n_sites != n_sites:
        raise DeclarationError(
            f"node {node!r} is declared {family!r} with {family.n_sites} sites, but the data have {n_sites}"
        )
    if classes and family.classes != sizes:
        raise DeclarationError(f"node {node!r} is declared {family!r}, but its columns have {sizes} levels")


def of_arrays(data: Any, network: Network | None, sizes: Sizes, binarise: str, seed: int) -> Proposal:
    """Arrays by node; a single array of images without a network gets the network of Kingma & Welling."""
    if network is None:
        network = for_images(data, sizes)
    specs = {n: spec_of(network.nodes[n].family) for n in network.stochastic}
    if isinstance(data, Mapping):
        extra = [n for n in data if n not in network.stochastic]
        if extra:
            raise DataError(f"node {extra[0]!r} is not in the network; its nodes: {known(network.stochastic)}")
    view, rows = ArrayView(specs, binarise=binarise, seed=seed).fitted(data)
    return Proposal.of(view, rows, network)


def for_images(data: Any, sizes: Sizes) -> Network:
    """A network for one array of grey or binary images, of node name `x`."""
    if isinstance(data, Mapping) and set(data) != {"x"}:
        raise DeclarationError(
            f"a network is needed to say what the arrays {known(data)} are: lt.VAE(lt.Network(...)); "
            "one array of images may go without"
        )
    array = np.asarray(data["x"] if isinstance(data, Mapping) else data)
    if array.ndim < 2 or array.dtype.kind not in "buif":
        raise DataError(f"expected images as an array (rows, height, width), got shape {array.shape} of {array.dtype}")
    return templates.images(array.shape[1:], sizes.latent, sizes.width or 128)


def spec_of(family: Family) -> ArraySpec:
    """What an array for this family must be."""
    kind, sizes = family.support
    if kind == "classes":
        return ArraySpec(family.shape, "classes", sizes)
    return ArraySpec(family.shape, kind if kind in WHATS else "values")


def presentation(rows: Rows, network: Network, hide: bool) -> Presentation:
    """How rows are presented in training."""
    grey = tuple(n for n, v in rows.visit.items() if v == "intensity")
    hidden = tuple(n for n in rows.values if n in network.leaves) if hide else ()
    return Presentation(grey, hidden, classes_of(network))


def classes_of(network: Network) -> tuple[str, ...]:
    """Nodes whose values are integer codes."""
    return tuple(n for n in network.stochastic if np.issubdtype(network.nodes[n].family.dtype, np.integer))


def on_device(rows: Rows) -> Store:
    """Rows in the device's memory, in the types they have, copied once at most."""
    return Store(jax.device_put(dict(rows.values)), jax.device_put(dict(rows.mask)))


def starts(rows: Rows, network: Network) -> dict[str, np.ndarray]:
    """Raw parameters at which each observed node fits its own columns, from at most 10 000 rows."""
    index = np.linspace(0, rows.n - 1, min(rows.n, START_ROWS)).astype(int)
    out = {}
    for name, stored in rows.values.items():
        values = stored[index] / np.float32(255) if rows.visit.get(name) == "intensity" else stored[index]
        mask = rows.mask[name][index] if name in rows.mask else None
        out[name] = network.nodes[name].family.fit_raw(values, mask)
    return out


def new_model(proposal: Proposal, guide: Network | None, presentation: Presentation, seed: int) -> Model:
    """A model with fresh weights for a proposal; the guide is derived unless given."""
    network, rows = proposal.network, proposal.rows
    for name, mask in rows.mask.items():
        if network.nodes[name].family.joint and not (mask.all(axis=-1) | ~mask.any(axis=-1)).all():
            raise DataError(
                f"node {name!r} is {network.nodes[name].family!r}, whose sites depend on one another: "
                "a row must show all of them or none"
            )
    holes = frozenset(rows.mask) | frozenset(presentation.hide)
    if guide is None:
        whole = set(rows.values) - set(rows.mask)
        latent = [n for n in network.stochastic if n not in network.leaves and n not in whole]
        guide = guide_for(network, latent, holes)
    place = starts(rows, network)
    return build_model(network, guide, random.key(seed), holes, place)


def task_for(
    models: Sequence[Model],
    proposal: Proposal,
    presentation: Presentation,
    objective: Objective,
    validation: float,
    offset: float,
    seed: int,
) -> Task:
    """Training and held-out rows on the device, and what to minimise; the models differ in their weights alone."""
    rows, (model, *others) = proposal.rows, models
    train, valid = rows.parts(validation, seed) if validation and rows.n >= 10 else (None, None)
    return Task(model, objective, on_device(rows), presentation, offset, rows.labels, train, valid, tuple(others))
