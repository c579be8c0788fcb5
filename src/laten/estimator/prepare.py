"""All that a fit starts from, decided once: it can be shown, and then trained.

    data → view, rows, network (`propose.py`) → guide, weights, presentation, objective → a task on the device

The rows are encoded once. From here on the device holds them, and nobody else does.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from laten.answers.fitted import Fitted
from laten.common import random
from laten.common.compilation_cache import keep_compiled
from laten.common.errors import DataError, DeclarationError
from laten.common.sparse_rows import SparseRows
from laten.data.rows.presentation import Presentation, Store
from laten.data.rows.rows import Rows
from laten.data.rows.views import TableView, View
from laten.estimator.parameters import Parameters, check, settings_of
from laten.estimator.propose import of_weighted, propose, rows_at, weighted
from laten.estimator.some_rows import START_CELLS, START_ROWS, some_rows_of
from laten.estimator.teaching import of_classes
from laten.inference.asking import classes_of
from laten.inference.inputs import check_inputs
from laten.network.guide import guide_for
from laten.network.model import Model, build_model
from laten.network.network import Network
from laten.network.uncertain_weights import uncertain
from laten.training.objectives import Elbo, Objective, WithWeights
from laten.training.row_weights import visited
from laten.training.settings import Settings
from laten.training.task import Task

REFERENCE_ROWS = 1_000  # whose scores say what is usual
LEAST_HELD_OUT = 10  # rows below which none are held out
WARMUP = 0.5  # of the KL, for a table: without it latents stay unused


class Prepared(NamedTuple):
    """What a fit starts from."""

    view: View  # between the user's container and rows; of a table it holds the schema
    task: Task  # model, objective, and the rows on the device
    settings: Settings
    reference: Any = None  # some of the rows, as a frame, an array or a dictionary: their scores say what is usual

    @property
    def comparable(self) -> bool:
        """Whether log p can be compared with that of simpler models: dense rows, and no counts of a total."""
        dense = not any(isinstance(x, SparseRows) for x in self.task.store.values.values())
        return dense and all(family.beside is None for family in self.network.families.values())

    @property
    def network(self) -> Network:
        """P, as the user gave it or as proposed."""
        return self.task.model.network

    def some_trained(self, most: int) -> Rows:
        """Return at most this many of the rows to train on, evenly spread."""
        train, every = self.task.train, len(next(iter(self.task.store.values.values())))
        rows = np.arange(every, dtype=np.int32) if train is None else train
        return self.some(rows, most)

    def some(self, rows: np.ndarray, most: int) -> Rows:
        """Return at most `most` of the rows of these numbers, evenly spread, from the device."""
        chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(np.int64)]
        store, grey = self.task.store, self.task.presentation.intensities
        values, masks = ({n: at(x, chosen) for n, x in part.items()} for part in store)
        visit = {n: "intensity" if n in grey else "none" for n in values}
        return Rows(values, len(chosen), masks, self.task.labels, visit)


def at(stored: Any, rows: np.ndarray) -> Any:
    """Return rows of what may lie on the device, on the host; sparse ones stay so."""
    return stored[rows] if isinstance(stored, SparseRows) else np.asarray(stored)[rows]


def prepare(data: Any, parameters: Parameters, sample_weight: Any = None) -> Prepared:
    """Decide all that a fit needs, from data and as much of a declaration as the user gave.

    Args:
        data: A table in any container, an array of images, or a dictionary of arrays by node.
        parameters: As `VAE` is told.
        sample_weight: Weights of rows in the objective, `(rows,)`; None: all count alike.
    Raises:
        LatenError: data, declaration or parameter that cannot be used.
    """
    keep_compiled()
    check(parameters)
    view, rows, network, log_det, weights, data = propose(data, parameters, sample_weight)
    reference = some_rows(data, rows.n, weights)
    settings, presentation = told(parameters, rows, network, isinstance(view, TableView))
    settings.planned(rows.n)  # refuses more rows than can be numbered, before any are
    models = new_models(rows, network, parameters, frozenset(rows.mask) | frozenset(presentation.hide), weights)
    train, valid = None, None
    if parameters.validation and rows.n >= LEAST_HELD_OUT:
        train, valid = rows.parts(parameters.validation, parameters.one_seed)
        if weights is not None:
            weights, valid = weights[train], valid[visited(weights[valid])]
    number = count(rows.n if train is None else len(train), weights)
    objective = counted(objective_of(parameters, isinstance(view, TableView)), parameters, number)
    if models[0].discrete:
        objective, weights = of_classes(objective, parameters, models[0], rows, train, weights)
    model, *others = with_extra(models, objective, parameters.one_seed)
    store = Store(jax.device_put(dict(rows.values)), jax.device_put(dict(rows.mask)))  # in the types they have
    task = Task(model, objective, store, presentation, log_det, rows.labels, train, valid, tuple(others), weights)
    return Prepared(view, task, settings, reference)


def told(parameters: Parameters, rows: Rows, network: Network, table: bool) -> tuple[Settings, Presentation]:
    """Return the settings of training, and how rows are presented."""
    # rows of which cells are hidden have higher bounds: where rows are left out for low ones, none are hidden
    hide = table and not parameters.trim if parameters.hide is None else parameters.hide
    grey = tuple(n for n, visit in rows.visit.items() if visit == "intensity")
    hidden = tuple(n for n in rows.values if n in network.leaves) if hide else ()
    settings = settings_of(parameters, table and parameters.network is None)
    return settings, Presentation(grey, hidden, classes_of(network))


def prepare_more(data: Any, parameters: Parameters, fitted: Fitted, kept: Presentation, sample_weight: Any) -> Prepared:
    """Decide all that one more pass needs, over rows that the fitted view reads, from the fitted weights.

    Args:
        data, parameters, sample_weight: As in `prepare`.
        fitted: The model that goes on, and the view of its fit.
        kept: How its rows were presented.
    Raises:
        LatenError: data or parameter that cannot be used, or data that do not fit the view.
    """
    check(parameters)
    view, model = fitted.view, fitted.model
    frame, weights = weighted(view.taken(data).data, sample_weight)
    rows, log_det = of_weighted(view, frame, weights)
    rows = fitted.complete(rows)
    settings = settings_of(parameters, isinstance(view, TableView) and parameters.network is None)
    settings = replace(settings, epochs=1, patience=0, validation=0.0)
    objective = objective_of(parameters, False)  # its KL has risen
    objective = counted(objective, parameters, count(rows.n, weights))
    (model,) = with_extra([model], objective, parameters.one_seed)
    store = Store(jax.device_put(dict(rows.values)), jax.device_put(dict(rows.mask)))
    task = Task(model, objective, store, kept, log_det, rows.labels, row_weights=weights)
    return Prepared(view, task, settings, some_rows(frame, rows.n, weights))


def with_extra(models: list[Model], objective: Objective, seed: int) -> list[Model]:
    """Give each model the weights that an objective has of its own, if it has some."""
    return [replace(m, extra=objective.extra(m, random.key(seed + i))) for i, m in enumerate(models)]


def some_rows(data: Any, rows: int, weights: np.ndarray | None) -> Any:
    """Return at most 1000 rows, evenly spread, as often as their weights ask."""
    index = np.linspace(0, rows - 1, min(rows, REFERENCE_ROWS)).astype(int)
    return rows_at(data, index if weights is None else visited(weights)[index])


def objective_of(parameters: Parameters, table: bool) -> Objective:
    """Return the user's objective, or the plain ELBO with what the other parameters ask of it.

    Args:
        table: The rows are a table's: where its network is proposed, the KL counts little at first.
    """
    proposed_table = table and parameters.network is None
    if parameters.trim:  # while the KL costs little, odd rows are rebuilt like others: no warm-up
        return Elbo(trim=parameters.trim)
    objective = parameters.objective or Elbo(warmup=WARMUP if proposed_table else 0.0)
    if not isinstance(objective, Objective):
        raise DeclarationError(
            f"objective must be one such as lt.Elbo() or lt.Iwae(), or of a class of your own that inherits from "
            f"laten.training.objectives.Objective, not {objective!r:.80}"
        )
    return objective


def counted(objective: Objective, parameters: Parameters, rows: int) -> Objective:
    """Return an objective that weighs the prior of the weights against so many rows, where they have one."""
    return objective if parameters.weights == "point" else WithWeights(objective, rows)


def count(rows: int, weights: np.ndarray | None) -> int:
    """Return as how many rows weighted ones count: a row of weight 2 is as two."""
    return rows if weights is None else max(1, round(float(weights.sum())))


def new_models(
    rows: Rows, network: Network, parameters: Parameters, holes: frozenset[str], weights: np.ndarray | None = None
) -> list[Model]:
    """Build a model for each restart; the guide is derived unless given; sites of `holes` are or will be hidden."""
    if any(family.is_input for family in network.families.values()):
        check_inputs(network, rows)
    for name, mask in rows.mask.items():
        if network.nodes[name].family.joint and not (mask.all(axis=-1) | ~mask.any(axis=-1)).all():
            raise DataError(
                f"node {name!r} is {network.nodes[name].family!r}, whose sites depend on one another: "
                "a row must show all of them or none"
            )
    guide = parameters.guide
    if guide is None:
        whole = set(rows.values) - set(rows.mask)
        inner = [n for n in network.stochastic if n not in network.leaves and not network.nodes[n].family.is_input]
        latent = [n for n in inner if n not in whole]
        guide = guide_for(network, latent, holes)
    place, seed = starts(rows, network, weights), parameters.one_seed
    seeds = range(seed, seed + parameters.restarts)
    some = some_rows_of(rows)[0] if any(f.made_of_guide for f in network.families.values()) else None
    models = [build_model(network, guide, random.key(seed), holes, place, some) for seed in seeds]
    if parameters.weights == "bayes":
        return [replace(m, p=uncertain(m.p)) for m in models]
    return models


def starts(rows: Rows, network: Network, weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return raw parameters at which each observed node fits its own columns, from at most 10 000 rows."""
    index = np.linspace(0, rows.n - 1, min(rows.n, START_ROWS)).astype(int)
    index = index if weights is None else visited(weights)[index]
    out = {}
    for name, stored in rows.values.items():
        some: Any = stored[index]
        family = network.nodes[name].family
        if isinstance(some, SparseRows):
            values: Any = some if family.fits_sparse else np.asarray(some[: max(START_CELLS // some.width, 1)])
        else:
            values = some / np.float32(255) if rows.visit.get(name) == "intensity" else some
        mask = rows.mask[name][index] if name in rows.mask else None
        out[name] = family.fit_raw(values, mask)
    return out
