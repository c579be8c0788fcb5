r"""What is hidden, given what is seen: samples, imputations, predictions, conditional densities.

Everything is p(any | any): the guide draws latents given the evidence, importance weights make them draws of the
posterior, and the leaves that are asked for are averaged over them or drawn.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.common.errors import LatenError, LatenWarning, known
from laten.data.columns.column import CLASSES
from laten.data.rows.point_answers import intervals
from laten.data.rows.rows import Rows
from laten.data.rows.views import TableView
from laten.inference.diagnostics import effective_sample_size
from laten.inference.questions import Ancestral, Completions, Density, Expected, LogWeights, ask

KEPT = 64  # rows drawn from one set of importance weights
FEWEST = 10  # effective draws below which samples are few different ones
PRIOR_ROWS = 64  # from the model, with which evidence is compared
SURPLUS = 14.0  # nats, about a millionth, below any of them


@dataclass(frozen=True)
class Conditional:
    """p(targets | evidence) of each row.

    Args:
        log_density: `(rows,)` nats, of the targets' own values in each row, in their own units; 0 where a row has none.
        draws: A list of frames of the target columns, each a joint draw for all rows; empty when none were asked for.
        effective_sample_size: `(rows,)` of the draws from the guide.
    """

    log_density: np.ndarray
    draws: list[pd.DataFrame] = field(repr=False)
    effective_sample_size: np.ndarray = field(repr=False)


def sample(fitted: Fitted, n: int, given: Mapping[Any, Any] | None, draws: int, seed: int | None) -> Any:
    """`n` rows, from the network or, given something, from the posterior."""
    seed = fitted.seed if seed is None else seed
    if not given:
        presentation = fitted.presentation._replace(hide=(), intensities=())
        return fitted.view.drawn(ask(Ancestral(), fitted.model, {}, {}, presentation, seed, True, n), seed)
    groups = math.ceil(n / KEPT)
    row, allowed, within = evidence(fitted, given, 1)
    question = Completions(max(8 * KEPT, draws), KEPT, allowed)
    (values, log_w) = fitted.ask(question, row.take(np.zeros(groups, int)), True, seed)
    size = float(np.median(effective_sample_size(log_w)))
    if size < min(n, FEWEST):
        question = Completions(32 * question.draws, KEPT, allowed)
        values, log_w = fitted.ask(question, row.take(np.zeros(groups, int)), True, seed)
        size = float(np.median(effective_sample_size(log_w)))
    less = surplus(fitted, row, log_w, seed)
    if size < min(n, FEWEST) or less > SURPLUS:
        warnings.warn(
            f"sample: nearly impossible evidence under the model: {less:.0f} nats less probable than that of any of "
            f"{PRIOR_ROWS} rows drawn from it, effective sample size {size:.1f} of {log_w.shape[1]} draws. What is "
            "drawn for the other columns is a guess; give less evidence, wider intervals, or more draws",
            LatenWarning,
            stacklevel=4,
        )
    flat = {name: x.reshape(-1, *x.shape[2:])[:n] for name, x in values.items()}
    return fitted.view.held(fitted.view.drawn(flat, seed, within), given)


def surplus(fitted: Fitted, row: Rows, log_w: np.ndarray, seed: int) -> float:
    """By how many nats evidence is less probable than the same sites of the least probable of rows from the model."""
    log_p = float(np.median(np.logaddexp.reduce(log_w.astype(np.float64), axis=1) - math.log(log_w.shape[1])))
    seen = {n: np.broadcast_to(row.mask.get(n, np.True_), x.shape) for n, x in row.values.items()}
    if not any(m.any() for m in seen.values()):  # softer evidence alone: certain is the most that it can be
        return -log_p
    presentation = fitted.presentation._replace(hide=(), intensities=())
    drawn = ask(Ancestral(), fitted.model, {}, {}, presentation, seed, True, PRIOR_ROWS)
    masks = {n: np.repeat(m, PRIOR_ROWS, 0) for n, m in seen.items()}
    values = {n: np.asarray(drawn[n]).astype(x.dtype) for n, x in row.values.items()}
    typical = fitted.ask(LogWeights(PRIOR_ROWS), Rows(values, PRIOR_ROWS, masks))
    return float(np.min(np.logaddexp.reduce(typical, axis=1)) - math.log(PRIOR_ROWS)) - log_p


def impute(fitted: Fitted, data: Any, draws: int, copies: int | None, statistic: str, seed: int | None) -> Any:
    """The data with hidden cells filled once by a point, or `copies` times by draws."""
    rows = fitted.view.rows(data, partial=True)
    if copies is None:
        values, _ = fitted.ask_well(Expected(draws, fitted.means), rows)
        return fitted.view.filled(data, fitted.view.pointed(values, like=data, statistic=statistic))
    values, _ = fitted.ask_well(Completions(max(draws, 10 * copies), copies), rows, True, seed)
    seed = fitted.seed if seed is None else seed
    made = [fitted.view.drawn({n: x[:, i] for n, x in values.items()}, (seed, i), like=data) for i in range(copies)]
    return [fitted.view.filled(data, one) for one in made]


def impute_interval(fitted: Fitted, data: Any, coverage: float, draws: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The data with hidden cells filled by the ends of their central intervals."""
    view = table_of(fitted, "impute_interval")
    if not 0 < coverage < 1:
        raise LatenError(f"coverage is the probability inside, between 0 and 1, not {coverage!r}")
    rows = view.rows(data, partial=True)
    values, _ = fitted.ask_well(Expected(draws, fitted.means), rows)
    low, high = intervals(view.schema, only_blocks(view, values), coverage, like=view.frame(data))
    return view.filled(data, low), view.filled(data, high)


def predict(fitted: Fitted, data: Any, column: Any, statistic: str, draws: int) -> pd.Series:
    """A column's point given all others."""
    view = table_of(fitted, "predict")
    frame = view.frame(data)
    column = lacking(view, frame) if column is None else column
    values, _ = fitted.ask_well(Expected(draws, fitted.means), without(view, frame, [column]))
    found: pd.Series = view.pointed(values, like=None, statistic=statistic)[column]
    return found.set_axis(frame.index)


def predict_proba(fitted: Fitted, data: Any, column: Any, draws: int) -> pd.DataFrame:
    """A column's probabilities of its classes given all others."""
    view = table_of(fitted, "predict_proba")
    frame = view.frame(data)
    column = lacking(view, frame) if column is None else column
    known_as = view.column(column)
    if known_as.kind not in CLASSES:
        raise LatenError(
            f"predict_proba: column {column!r} is {known_as.kind} and has no classes; predict({column!r}) gives its "
            "mean, impute_interval its interval"
        )
    values, _ = fitted.ask_well(Expected(draws, fitted.means), without(view, frame, [column]))
    return view.probabilities(values, column).set_axis(frame.index)


def conditional(
    fitted: Fitted, data: Any, targets: Sequence[Any], given: Mapping[Any, Any] | None, copies: int, draws: int,
    seed: int | None,
) -> Conditional:  # fmt: skip
    """Draws and log-density of some columns of each row given all others."""
    view = table_of(fitted, "conditional")
    frame = view.frame(data)
    names = [targets] if isinstance(targets, str | int) else list(targets)
    if not names:
        raise LatenError("conditional: no target; name at least one column")
    for name in names:
        view.column(name)
        if given and name in given:
            raise LatenError(f"conditional: column {name!r} is a target and given at once; take it out of one of them")
    hard, allowed, within = evidence(fitted, given or {}, len(frame))
    shown, log_det = view.scored(frame, partial=True)
    rows = over(shown, hard)
    sites = {n: np.array([c in names for c in columns]) for n, columns in view.site_columns.items()}
    shapes = {b.node: b.shape for b in view.schema.blocks}
    wanted = {n: jnp.asarray(there.reshape(shapes[n])) for n, there in sites.items()}
    log_density, size = fitted.ask_well(Density(draws, wanted, allowed), rows)
    log_density = log_density.astype(np.float64)
    for node, x in log_det.items():
        log_density += x.reshape(len(frame), -1)[:, sites[node]].sum(1)
    made: list[pd.DataFrame] = []
    if copies:
        seed = fitted.seed if seed is None else seed
        blind = over(without(view, frame, names), hard)
        values, size = fitted.ask_well(Completions(max(draws, 10 * copies), copies, allowed), blind, True, seed)
        for i in range(copies):
            one = view.drawn({n: x[:, i] for n, x in values.items()}, (seed, i), within)
            made.append(one[names].set_axis(frame.index))
    return Conditional(log_density, made, size)


def evidence(fitted: Fitted, given: Mapping[Any, Any], n: int) -> tuple[Rows, dict[str, jax.Array], Any]:
    """What the view makes of evidence, softer parts on the device."""
    rows, allowed, within = fitted.view.evidence(given, n)
    return rows, {node: jnp.asarray(x, jnp.float32) for node, x in allowed.items()}, within


def over(rows: Rows, hard: Rows) -> Rows:
    """Rows in which the cells that `hard` observes take its value."""
    values, mask = dict(rows.values), dict(rows.mask)
    for node, given in hard.values.items():
        there = hard.mask.get(node, np.ones(given.shape, bool))
        if there.any():
            values[node] = np.where(there, given, values[node])
            mask[node] = there | mask.get(node, np.ones(given.shape, bool))
    return Rows(values, rows.n, mask, rows.labels, rows.visit)


def lacking(view: TableView, frame: pd.DataFrame) -> Any:
    """The one modelled column that the frame lacks."""
    found = [c for b in view.schema.blocks for c in b.names if c not in frame.columns]
    if len(found) != 1:
        raise LatenError(
            f"which column? predict(X, column) names it; without a name X must lack just one of the fitted columns, "
            f"and lacks {known(found) if found else 'none'}"
        )
    return found[0]


def without(view: TableView, frame: pd.DataFrame, columns: Sequence[Any]) -> Rows:
    """Rows in which these columns are hidden."""
    for name in columns:
        view.column(name)
    return view.rows(frame.drop(columns=[c for c in columns if c in frame.columns]), partial=True)


def only_blocks(view: TableView, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a model says of the schema's own nodes."""
    return {b.node: values[b.node] for b in view.schema.blocks if b.node in values}


def table_of(fitted: Fitted, what: str) -> TableView:
    """The view, which must be of a table."""
    if not isinstance(fitted.view, TableView):
        nodes = known(fitted.model.network.stochastic)
        raise LatenError(f"{what} asks about columns of a table; this model was fitted to arrays of the nodes {nodes}")
    return fitted.view
