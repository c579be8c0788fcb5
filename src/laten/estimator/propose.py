"""From data, and as much of a declaration as the user gave, to a view, rows and a network."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.common.errors import DataError, DeclarationError, known
from laten.common.sparse_rows import is_sparse
from laten.data.columns.cells import Cells, cells_of
from laten.data.containers.containers import ARRAY, Container, Taken, as_frame, taken, taken_table
from laten.data.containers.dictionaries import is_columns
from laten.data.messages import unknown
from laten.data.records import replace as replaced
from laten.data.rows.array_spec import MOST_COUNT, WHATS, ArraySpec
from laten.data.rows.holes import holes_of
from laten.data.rows.rows import Rows
from laten.data.rows.views import ArrayView, TableView, View
from laten.data.schema.block import Block
from laten.data.schema.infer import infer_schema, tied
from laten.data.schema.schema import Schema
from laten.estimator.parameters import Parameters
from laten.families import Family, Node
from laten.network import templates
from laten.network.guide import check_generative
from laten.network.network import Network
from laten.training.row_weights import checked

CODED = ("categorical", "ordinal", "bins")  # kinds of nodes whose missing cells can be modelled
LEAST_RANK, FREE_RANK, ROWS_A_COEFFICIENT = 3, 64, 400  # of the smooth functions in a column of numbers
MOST_COMPONENTS = 64  # of the prior of a table
ROWS_A_COMPONENT = 20
WIDE_ROWS = 2_500  # that are enough for wider layers
WIDTH, WIDE = 128, 256  # hidden units


class Proposal(NamedTuple):
    """A view of the data, the rows it makes of them, and a network whose nodes can hold the rows."""

    view: View
    rows: Rows
    network: Network
    log_det: float = 0.0  # of the codecs, mean over rows, in nats
    row_weights: np.ndarray | None = None  # of the rows that count; None: all alike
    data: Any = None  # these rows, in a plain container


def propose(data: Any, parameters: Parameters, sample_weight: Any = None) -> Proposal:
    """Find a view of the data, and take the user's network or one that suits the data.

    Args:
        data: A table in any container, an array of images, or a dictionary of arrays by node.
        sample_weight: `(rows,)`; rows of weight 0 are left out.
    Raises:
        DataError, DeclarationError: the data cannot be used, or do not fit the network.
    """
    if parameters.network is not None:
        check_generative(parameters.network)
    kept = isinstance(data, pd.DataFrame) or (parameters.network is not None and is_sparse(data))
    came = Taken(data) if kept else taken(data)  # the view of the arrays fills what is sparse, if it must
    if parameters.network is None and isinstance(came.data, Mapping) and is_columns(came.data):
        came = taken_table(data)
    data, weights = weighted(came.data, sample_weight)
    if isinstance(data, pd.DataFrame):
        found = of_table(data, came.container, parameters, weights)
    elif parameters.network is None and not isinstance(data, Mapping) and np.asarray(data).ndim <= 2:
        found = of_table(as_frame(data), ARRAY, parameters, weights)
    else:
        found = of_arrays(data, parameters, weights)
    return found._replace(network=with_learned_roots(found.network, found.rows), row_weights=weights, data=data)


def weighted(data: Any, sample_weight: Any) -> tuple[Any, np.ndarray | None]:
    """Return the rows that count, and their weights; None: all alike."""
    if sample_weight is None:
        return data, None
    some = next(iter(data.values())) if isinstance(data, Mapping) and not is_sparse(data) and data else data
    some = some if is_sparse(some) else taken(some).data
    weights = checked(sample_weight, (some if hasattr(some, "shape") else np.asarray(some)).shape[0])
    if weights is None or weights.all():
        return data, weights
    return rows_at(data, np.flatnonzero(weights)), weights[weights > 0]


def rows_at(data: Any, index: np.ndarray) -> Any:
    """Return some rows of a container, or of a dictionary of arrays, by their numbers."""
    if not isinstance(data, pd.DataFrame):
        if is_sparse(data):
            return data.tocsr()[index]
        data = taken(data).data
    if isinstance(data, Mapping):
        return {name: rows_at(values, index) for name, values in data.items()}
    if isinstance(data, pd.DataFrame | pd.Series):
        return data.iloc[index]
    return (data if isinstance(data, np.ndarray) else np.asarray(data))[index]


def with_learned_roots(network: Network, rows: Rows) -> Network:
    """Return a network whose observed roots are learned: the standard normal is a prior, not a model of data."""
    nodes = {
        n: replace(node, learn=True) if n in rows.values and not node.parents and node.learn is None else node
        for n, node in network.nodes.items()
    }
    return Network(**nodes)


def of_table(
    frame: pd.DataFrame, container: Container, parameters: Parameters, weights: np.ndarray | None = None
) -> Proposal:
    """Propose for a frame: its blocks are leaves of a proposed network, or its columns nodes of the declared one."""
    network, cells = parameters.network, cells_of(frame)
    view = viewed(frame, cells, container, parameters)
    schema, lossy = view.schema, view.lossy
    inputs = [] if network is None else [n for n, family in network.families.items() if family.is_input]
    if weights is None and not inputs:
        rows, total = view.prepared(frame, cells)
        log_det = total / rows.n
    else:
        rows, log_det = of_weighted(view, frame, weights, inputs)
    if network is None:
        network = for_table(schema, lossy, rows.n, parameters)
    for block in schema.blocks:
        check_block(network, block)
    return Proposal(view, rows, network, log_det)


def viewed(frame: pd.DataFrame, cells: Mapping[Any, Cells], container: Container, parameters: Parameters) -> TableView:
    """Return the view of a frame: by the user's schema, or one that is inferred, as the network wants its columns."""
    network, schema = parameters.network, parameters.schema
    if network is not None and schema is None:
        nodes = [n for n in network.stochastic if n in frame.columns]
        if not nodes:
            raise DataError(
                f"no column of the frame is a node of the network; columns: {known(frame.columns)}, "
                f"nodes: {known(network.stochastic)}"
            )
        schema = infer_schema(frame, nodes, cells=cells, constraints=parameters.constraints or ())
    elif schema is not None and parameters.constraints:
        schema = tied(schema, cells, (*schema.constraints, *parameters.constraints), search=False)
    schema = schema or infer_schema(frame, cells=cells, constraints=parameters.constraints or ())
    if network is None:
        amounts = {c.name: "real" for c in schema.columns if c.kind in ("count", "positive")}
        schema = schema.binned() if parameters.numbers == "cells" else schema.with_kinds(amounts)
    lossy: tuple[str, ...] = ()
    if network is None and parameters.missing == "informative":
        # binary columns with holes become categorical, whose missing cells can be modelled
        holed = {c.name: "categorical" for c in schema.columns if c.kind == "binary" and c.seen.missing}
        schema = schema.with_kinds(holed)
        lossy = tuple(
            b.node for b in schema.blocks if b.family_kind in CODED and any(c.seen.missing for c in b.columns)
        )
    holes = holes_of(frame[list(schema.names)].isna().to_numpy())
    return TableView(schema, container == ARRAY, lossy, holes, container)


def of_weighted(view: View, frame: Any, weights: np.ndarray | None, inputs: Collection[str] = ()) -> tuple[Rows, float]:
    """Return rows, and the weighted mean of their log-determinants, in nats; inputs have no density, so none either."""
    rows, shares = view.scored(frame)
    each = sum((x.reshape(rows.n, -1).sum(1) for n, x in shares.items() if n not in inputs), np.zeros(rows.n))
    return rows, float(np.average(each, weights=weights))


def for_table(schema: Schema, lossy: tuple[str, ...], rows: int, parameters: Parameters) -> Network:
    """Propose a network for a table; few rows get a prior of few components, and narrow layers."""
    leaves = [leaf_of(b, rows, b.node in lossy) for b in schema.blocks]
    components = min(MOST_COMPONENTS, max(1, rows // ROWS_A_COMPONENT))
    wide = rows >= WIDE_ROWS or any(b.waves for b in schema.blocks)  # a season bends whatever it moves
    width = parameters.width or (WIDE if wide else WIDTH)
    return templates.table(leaves, parameters.latent, width, components, parameters.dropout)


def leaf_of(b: Block, rows: int, informative: bool = False) -> templates.Leaf:
    """Return a block of columns as templates take it."""
    rank = rank_for(rows, b.waves)
    return templates.Leaf(b.node, b.family_kind, b.shape, b.sizes, b.points, informative, rank, b.waves)


def family_for(schema: Schema, node: str, rank: int | None = None) -> Family:
    """Choose the family that a proposed network gives to a node of a table, for a network of your own.

    Args:
        schema: What the columns are; `schema.binned()` makes histograms of numbers.
        node: One of its nodes: of `schema.with_nodes(...)`, or one a kind ("binary", "number", ...).
        rank: Of a node of histograms: coefficients a column (`lt.Binned`); None: as many as the rows can settle.
    Raises:
        DataError: the schema has no such node.
        DeclarationError: a rank below 1.
    """
    blocks = {b.node: b for b in schema.blocks}
    if node not in blocks:
        raise unknown("node", node, blocks)
    leaf = leaf_of(blocks[node], blocks[node].columns[0].seen.rows)
    return templates.family_of(leaf if rank is None else leaf._replace(rank=rank))


def rank_for(rows: int, waves: tuple[int, ...] = ()) -> int | None:
    """Return how many coefficients this many rows can settle, for each column (`Binned`); None: any number.

    Beside waves of the calendar, which bins of dates share, there are never more than `FREE_RANK`.
    """
    rank = max(LEAST_RANK, rows // ROWS_A_COEFFICIENT)
    if waves:
        return min(rank, FREE_RANK)
    return None if rank >= FREE_RANK else rank


def check_block(network: Network, block: Block) -> None:
    """Check that a node of the network can hold its columns' codes."""
    node, kind = block.node, block.family_kind
    if node not in network.stochastic:
        raise DeclarationError(f"the schema needs a node {node!r}; nodes of the network: {known(network.stochastic)}")
    family = network.nodes[node].family
    classes = family.support.kind == "classes"
    if classes != (kind in CODED):
        raise DeclarationError(
            f"node {node!r} is declared {family!r}, but its column is {kind}; "
            "declare another family, or set the column's kind in the schema"
        )
    if family.shape != block.shape:
        raise DeclarationError(
            f"node {node!r} is declared {family!r} with sites of shape {family.shape}, but its columns have "
            f"{block.shape}; the size of one column by itself is ()"
        )
    support = family.support
    if kind == "real" and support.kind in ("positive", "fraction", "counts", "levels", "binary"):
        raise DeclarationError(
            f"node {node!r} is declared {family!r}, of {support.kind} values, but columns of a frame are standardised "
            "(positive ones after their logarithm); declare a Normal node, or give the values as arrays {node: array}"
        )
    low, high = support.sizes if support.kind == "levels" else (0, MOST_COUNT)
    for column in block.columns if kind == "count" and support.kind in ("counts", "levels") else ():
        if not low <= column.low or (column.seen.high or 0) > high:
            raise DeclarationError(
                f"node {node!r} is declared {family!r}, whole numbers from {low} to {high}, but column "
                f"{column.name!r} holds {column.describe()}; declare another family, or rescale the column"
            )
    if classes and family.classes != block.sizes:
        raise DeclarationError(f"node {node!r} is declared {family!r}, but its columns have {block.sizes} levels")


def of_arrays(data: Any, parameters: Parameters, weights: np.ndarray | None = None) -> Proposal:
    """Propose for arrays by node; one array alone, of images or sparse counts, may go without a network."""
    network = for_one_array(data, parameters) if parameters.network is None else parameters.network
    specs = {n: spec_of(network.nodes[n]) for n in network.stochastic}
    for name, family in network.families.items():
        if family.beside in specs and network.families[family.beside].is_input and specs[name].what == "counts":
            specs[family.beside] = replaced(specs[family.beside], sum_of=name)
    if isinstance(data, Mapping) and not is_sparse(data):
        extra = [n for n in data if n not in network.stochastic]
        if extra:
            raise DataError(f"node {extra[0]!r} is not in the network; its nodes: {known(network.stochastic)}")
    view, rows = ArrayView(specs, binarise=parameters.binarise, seed=parameters.one_seed).fitted(data)
    shares = np.full(rows.n, 1 / rows.n) if weights is None else weights / weights.sum()
    each = (x.reshape(rows.n, -1).sum(1) for x in view.log_det(rows).values())
    return Proposal(view, rows, network, sum(float(shares @ x) for x in each))


def for_one_array(data: Any, parameters: Parameters) -> Network:
    """Propose a network for one array of grey or binary images, or a sparse matrix of counts, of node name `x`."""
    if isinstance(data, Mapping) and set(data) == {"x"} and is_sparse(data["x"]):
        genes, width = data["x"].shape[1], parameters.width or WIDTH
        return templates.counts(genes, 1, parameters.latent, width, dropout=parameters.dropout)
    if isinstance(data, Mapping) and set(data) != {"x"}:
        raise DeclarationError(
            f"a network is needed to say what the arrays {known(data)} are: lt.VAE(lt.Network(...)); "
            "one array of images may go without"
        )
    array = np.asarray(data["x"] if isinstance(data, Mapping) else data)
    if array.ndim < 2 or array.dtype.kind not in "buif":
        raise DataError(f"expected images as an array (rows, height, width), got shape {array.shape} of {array.dtype}")
    return templates.images(array.shape[1:], parameters.latent, parameters.width or WIDTH)


def spec_of(node: Node) -> ArraySpec:
    """Return what an array for this node must be."""
    shape, (kind, sizes) = node.family.shape, node.family.support
    if kind == "classes":
        return ArraySpec(shape, "classes", sizes)
    if kind == "levels":
        return ArraySpec(shape, "levels", ends=(sizes[0], sizes[1]))
    moves = node.family.moves and node.learn is not False  # a fixed density is of the data's own unit
    return ArraySpec(shape, kind if kind in WHATS else "values", moves=moves, one_unit=node.family.one_unit)
