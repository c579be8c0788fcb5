"""All that a fit starts from, for a table that is larger than memory: `prepare.py`, in two passes over the parts.

    parts --sampled--> what each column is --spooled--> encoded rows on the disk --> a task of windows

Where all encoded rows fit into one window they lie on the device, and the training is that of `prepare`.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from laten.answers.references import MOST_ROWS
from laten.common.compilation_cache import keep_compiled
from laten.common.errors import DataError, LatenError
from laten.data.columns.cells import Cells, cells_of
from laten.data.columns.column import Column
from laten.data.columns.encode import numbers_of
from laten.data.containers.containers import PANDAS
from laten.data.files.in_parts import Parts
from laten.data.files.survey import Survey, keep, kept, survey
from laten.data.histogram.find_bins import recounted
from laten.data.histogram.histogram import Histogram
from laten.data.records import replace
from laten.data.rows.fill_spool import Filled, fill
from laten.data.rows.holes import holes_of
from laten.data.rows.presentation import Store
from laten.data.rows.rows import Rows
from laten.data.schema.schema import Schema
from laten.estimator.parameters import Parameters, check
from laten.estimator.prepare import (
    Prepared,
    counted,
    new_models,
    objective_of,
    some_rows,
    told,
    with_extra,
)
from laten.estimator.propose import check_block, for_table, viewed, with_learned_roots
from laten.estimator.teaching import labelled_weight, taught
from laten.inference.inputs import refuse_hidden_input
from laten.training.task import Task
from laten.training.windows import Often, Windows

SHARE = 16  # a window takes this part of the memory; three of them, at times, and what reads the next
FEWEST = 2**12  # rows of a window
SURVEYED = "survey.arrow"


class Sampled(NamedTuple):
    """What the first pass found."""

    parts: Parts
    found: Survey
    frame: pd.DataFrame  # sample and witnesses


@contextmanager
def work_folder(run: Any) -> Iterator[Path]:
    """Open the folder in which encoded rows stand: that of the run, or one that goes at the end."""
    if run is not None:
        yield Path(run)
        return
    with TemporaryDirectory(prefix="laten-") as folder:
        yield Path(folder)


def sampled(parts: Parts, folder: Path) -> Sampled:
    """Read the table once, unless that was done for this run before.

    Raises:
        DataError: it cannot be read, or was changed meanwhile.
    """
    state = parts.state()
    about = [state, list(parts.columns), repr(parts.options)]
    found = kept(folder / SURVEYED, about)
    if found is None:
        found = survey(parts)
        parts.check_unchanged(state)
        keep(found, folder / SURVEYED, about)
    known_to = parts.knowing(found.cells)
    return Sampled(known_to, found, known_to.frame(found.cells))


def prepare_parts(
    table: Sampled, parameters: Parameters, memory: int, folder: Path, declared: Collection[str] = ()
) -> tuple[Prepared, Any]:
    """Decide all that a fit needs, and encode the table.

    Args:
        table: What the first pass found.
        parameters: As `VAE` is told.
        memory: Bytes that may be taken.
        folder: Where encoded rows stand; a file of what is there already is taken if it is of the same rows.
        declared: Constraints that all rows must keep, beside those of `parameters`.
    Returns:
        What the fit starts from; and some rows held out, as the user gave them, or None.
    Raises:
        LatenError: data, declaration or parameter that cannot be used.
    """
    keep_compiled()
    check(parameters)
    frame, found = table.frame, table.found
    view = viewed(frame, cells_of(frame), PANDAS, parameters)
    shares = frame if found.whole else frame[found.drawn]
    if not found.whole:
        empty = holes_of(shares[list(view.schema.names)].isna().to_numpy())
        view = replace(view, schema=by_share(with_others(view.schema, found.many), shares), holes=empty)
    told_all = {*declared, *map(str, parameters.constraints or ())}
    seed, network = parameters.one_seed, parameters.network
    inputs = [] if network is None else [n for n, family in network.families.items() if family.is_input]
    filled = fill(table.parts, view, found, folder, parameters.validation, seed, MOST_ROWS, told_all, inputs)
    view, small, rows = filled.view, filled.small, filled.spool.rows
    if network is None:
        network = for_table(view.schema, view.lossy, found.rows, parameters)
    for block in view.schema.blocks:
        check_block(network, block)
        if block.node in inputs:
            refuse_hidden_input(network, block.node, max(c.seen.missing for c in block.columns))
    network = with_learned_roots(network, small)
    settings, presentation = told(parameters, small, network, True)
    settings.planned(rows)
    holes = frozenset(small.mask) | frozenset(presentation.hide)
    models = new_models(trained(filled), network, parameters, holes)
    objective = counted(objective_of(parameters, True), parameters, rows)
    objective, labels = taught(objective, parameters, models[0], trained(filled))
    model, *others = with_extra(models, objective, seed)
    often = Often(labels, labelled_weight(filled.spool.shown(labels) / rows))
    held = np.arange(filled.held, dtype=np.int32) if filled.held else None
    store, train, windows = stored(filled, window_rows(memory, filled.spool.width), often)
    weights = often.weights({n: np.asarray(store.masks[n])[train] for n in labels}, len(train))
    task = Task(
        model, objective, store, presentation, filled.log_det, small.labels, train, held, tuple(others),
        None if windows else weights, windows,
    )  # fmt: skip
    shown = table.parts.frame(filled.shown) if filled.held else None
    return Prepared(view, task, settings, some_rows(shares, len(shares), None)), shown


@contextmanager
def windows_of(prepared: Prepared) -> Iterator[None]:
    """Stop reading windows at the end."""
    try:
        yield
    finally:
        if prepared.task.windows is not None:
            prepared.task.windows.close()


def window_rows(memory: int, width: int) -> int:
    """Return how many rows a window has; `width` is the bytes of each."""
    return max(memory // SHARE // max(width, 1), FEWEST)


def trained(filled: Filled) -> Rows:
    """Return those rows in memory that are trained on."""
    return filled.small.take(slice(filled.held, None))


def stored(filled: Filled, size: int, often: Often) -> tuple[Store, np.ndarray, Windows | None]:
    """Return rows on the device, which of them are trained on, and windows of the others; None: all are there."""
    small, spool = filled.small, filled.spool
    if spool.rows > size:
        store = Store(jax.device_put(dict(small.values)), jax.device_put(dict(small.mask)))
        return store, np.arange(filled.held, small.n, dtype=np.int32), Windows(spool, size, often)
    own = small.take(slice(filled.held))
    both = [
        {n: np.concatenate([held[n], x]) for n, x in part.items()}
        for held, part in zip((own.values, own.mask), spool.read([(0, spool.rows)], spool.rows), strict=True)
    ]
    store = Store(*map(jax.device_put, both))
    return store, np.arange(filled.held, filled.held + spool.rows, dtype=np.int32), None


def with_others(schema: Schema, many: Collection[str]) -> Schema:
    """Return a schema in which columns with more levels than were kept track of have one entry for the others."""
    for name in many:
        if name in schema.names and schema[name].kind == "categorical" and schema[name].unseen == "error":
            schema = schema.with_unseen(name, "other")
    return schema


def by_share(schema: Schema, drawn: pd.DataFrame) -> Schema:
    """Return a schema whose histograms have the masses of rows that were drawn by chance, without witnesses."""
    return replace(schema, columns=tuple(_by_share(c, drawn) for c in schema.columns))


def _by_share(column: Column, drawn: pd.DataFrame) -> Column:
    found = next((c for c in column.seen.codecs if isinstance(c, Histogram)), None)
    if found is None or column.kind not in ("count", "positive", "real", "date", "duration"):
        return column
    x = numbers_of(column, Cells(column.name, drawn[column.name]))
    if np.isnan(x).all():
        return column
    bins = recounted(found, x[~np.isnan(x)])
    codecs = tuple(bins if isinstance(c, Histogram) else c for c in column.seen.codecs)
    return replace(column, seen=replace(column.seen, codecs=codecs))


def refuse_memory(memory: Any) -> None:
    """Refuse a bound on memory for data that lie in it already."""
    if memory is not None:
        raise LatenError(f"memory={memory!r:.40} goes with a path; these data are in memory already: leave it out")


def refuse_weights(sample_weight: Any) -> None:
    """Refuse weights of rows that are read in parts."""
    if sample_weight is not None:
        raise DataError("sample_weight goes with data in memory; of a table that is read in parts all rows count alike")
