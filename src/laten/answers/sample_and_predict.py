r"""What is hidden, given what is seen: samples, predictions, conditional densities (`impute.py`: holes filled).

Any column can be asked given any others: the guide draws latents given the evidence, importance weights make them draws
of the posterior, and the leaves that are asked for are averaged over them or drawn.
"""

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.common import notebook
from laten.common.errors import LatenError, LatenWarning, known
from laten.data.columns.column import CLASSES
from laten.data.rows import tables
from laten.data.rows.point_answers import intervals
from laten.data.rows.possible_levels import only_possible
from laten.data.rows.rows import Rows
from laten.data.rows.views import TableView
from laten.inference.asking import Keys, ancestral
from laten.inference.defence import FROM_PRIOR
from laten.inference.diagnostics import effective_sample_size, log_mean_weight
from laten.inference.importance import DRAWS_AT_ONCE
from laten.inference.questions import Completions, Density, LogWeights

Given = Mapping[Any, Any] | None
KEPT = 64  # rows drawn from one set of importance weights
LEAST_DRAWS = 10  # from the guide, for each completed copy
FEWEST_GROUPS = 8  # of rows, of which some are drawn: what the guide misses must be found for one row too
FEWEST = 10  # effective draws for 64 rows, below which samples are few different ones
ENOUGH = 100  # of them for any number of rows: shares are right within 0.05
PRIOR_ROWS = 64  # from the model, with which evidence is compared
SURPLUS = 14.0  # nats, about a millionth, below any of them


@dataclass(frozen=True)
class ConditionalAnswer:
    """p(targets | evidence) of each row.

    Args:
        log_density: `(rows,)` nats, of the targets' own values in each row, in their own units; 0 where a row has none.
        samples: A list of tables of the target columns, each drawn jointly for all rows, in the container of the rows;
            empty when none were asked for.
        effective_sample_size: `(rows,)` of the draws from the guide.
    """

    log_density: np.ndarray
    samples: list[Any] = field(repr=False)
    effective_sample_size: np.ndarray = field(repr=False)

    def _repr_html_(self) -> str:
        numbers = zip(self.log_density, self.effective_sample_size, strict=True)
        rows = ((i, f"{log_p:.3f}", f"{size:.0f}") for i, (log_p, size) in enumerate(numbers))
        copies = f"{len(self.samples)} samples of each row in .samples" if self.samples else ""
        heads = ("row", "log p(targets | the rest), nats", "effective draws")
        return notebook.table(heads, rows, len(self.log_density)) + notebook.sentences(copies)


def sampled(fitted: Fitted, n: int, given: Mapping[Any, Any], draws: int, seed: int) -> Any:
    """Draw `n` rows as the view has them: a frame, or arrays."""
    if not given:
        return fitted.view.kept(fitted.view.drawn(ancestral(fitted.model, n, seed), seed), {}, seed)
    groups = max(math.ceil(n / KEPT), FEWEST_GROUPS)
    row, allowed, within = evidence_of(fitted, given, 1)
    tried = DRAWS_AT_ONCE * math.ceil(max(8 * KEPT, draws) / DRAWS_AT_ONCE)
    question, parts, size = Completions(tried, KEPT, allowed, FROM_PRIOR), [], 0.0
    for first, last in itertools.pairwise((0, groups, 4 * groups, 32 * groups)):  # more groups: the same program
        parts.append(fitted.ask(question, row.take(np.zeros(last - first, int)), Keys(seed, np.arange(first, last))))
        values, log_w = jax.tree.map(lambda *xs: np.concatenate(xs), *parts)
        size = float(effective_sample_size(log_w.reshape(1, -1))[0])
        if size >= max(FEWEST * n / KEPT, ENOUGH):
            break
    less = surplus(fitted, row, log_w, seed)
    if size < FEWEST * max(n / KEPT, 1) or less > SURPLUS:
        warnings.warn(
            f"sample: nearly impossible evidence under the model: {less:.0f} nats less probable than that of any of "
            f"{PRIOR_ROWS} rows drawn from it, effective sample size {size:.1f} of {log_w.size} draws. The "
            "other columns of these rows are a guess; give less evidence, wider intervals, or more draws",
            LatenWarning,
            stacklevel=4,
        )
    taken = spread(log_mean_weight(log_w), n, np.random.default_rng(seed))
    chosen = {name: x[:, :KEPT] for name, x in values.items()}
    busy = np.flatnonzero(taken > KEPT)
    if len(busy):  # the same draws once more, of which more rows are kept
        more = replace(question, kept=2 ** math.ceil(math.log2(taken.max())))
        extra, _ = fitted.ask(more, row.take(np.zeros(len(busy), int)), Keys(seed, busy))
        chosen = {name: [*x] for name, x in chosen.items()}
        for name, found in extra.items():
            for place, rows in zip(busy, found, strict=True):
                chosen[name][place] = rows
    flat = {name: np.concatenate([x[i][:m] for i, m in enumerate(taken)]) for name, x in chosen.items()}
    order = np.random.default_rng(seed).permutation(n)
    flat = {name: x[order] for name, x in flat.items()}
    return fitted.view.kept(fitted.view.held(fitted.view.drawn(flat, seed, within), given), given, seed)


def spread(log_w: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return how many of `n` rows come from each group: by their weights, each within one of its share."""
    w = np.exp(log_w.astype(np.float64) - log_w.max())
    upto = np.cumsum(w) / w.sum()
    places = (np.arange(n) + rng.random()) / n
    return np.bincount(np.minimum(np.searchsorted(upto, places, side="right"), len(w) - 1), minlength=len(w))


def surplus(fitted: Fitted, row: Rows, log_w: np.ndarray, seed: int) -> float:
    """Return by how many nats evidence is less probable than the same sites of the least probable of drawn rows."""
    log_p = float(log_mean_weight(log_w.reshape(1, -1))[0])
    seen = {n: np.broadcast_to(row.mask.get(n, np.True_), x.shape) for n, x in row.values.items()}
    if not any(m.any() for m in seen.values()):  # ranges and lists alone: certain is the most that they can be
        return -log_p
    families = fitted.model.network.families
    inputs = {n: np.repeat(x[:1], PRIOR_ROWS, 0) for n, x in row.values.items() if families[n].is_input}
    drawn = ancestral(fitted.model, PRIOR_ROWS, seed, inputs=inputs)
    masks = {n: np.repeat(m, PRIOR_ROWS, 0) for n, m in seen.items()}
    values = {n: np.asarray(drawn[n]).astype(x.dtype) for n, x in row.values.items()}
    typical = fitted.ask(LogWeights(PRIOR_ROWS), Rows(values, PRIOR_ROWS, masks))
    return float(np.min(log_mean_weight(typical))) - log_p


def copies_of(
    fitted: Fitted, question: Completions, rows: Rows, seed: int, within: Any = None, like: Any = None
) -> tuple[list[Any], np.ndarray]:
    """Return completed copies of rows, frames of tables, and the effective sample size of each row."""
    values, size = fitted.ask_well(question, rows, Keys(seed, np.arange(rows.n)))
    copies = [{n: x[:, i] for n, x in values.items()} for i in range(question.kept)]
    return [fitted.view.drawn(one, (seed, i), within, like) for i, one in enumerate(copies)], size


def predict(fitted: Fitted, data: Any, column: Any, statistic: str, draws: int, given: Given = None) -> Any:
    """Return a column's point given all others."""
    view = table_of(fitted, "predict")
    came = view.taken(data)
    frame: pd.DataFrame = came.data
    column = lacking(view, frame) if column is None else column
    values = means_of(fitted, frame, column, draws, given)
    rest = view.with_given(frame.drop(columns=column, errors="ignore"), given or {})
    found: pd.Series = view.filled(rest, view.pointed(values, like=None, statistic=statistic))[column]
    return came.column(found.set_axis(frame.index))


def predict_interval(fitted: Fitted, data: Any, column: Any, coverage: float, draws: int, given: Given = None) -> Any:
    """Return the ends of the central interval of a column of numbers or ordered classes, given all others."""
    view = table_of(fitted, "predict_interval")
    if not 0 < coverage < 1:
        raise LatenError(f"coverage is the probability inside the interval, between 0 and 1, not {coverage!r}")
    came = view.taken(data)
    frame: pd.DataFrame = came.data
    column = lacking(view, frame) if column is None else column
    values = means_of(fitted, frame, column, draws, given)
    ends = intervals(view.schema, view.blocks_of(values), coverage)
    if column not in ends[0].columns:
        kind = view.column(column).kind
        raise LatenError(
            f"predict_interval: column {column!r} is {kind} and has no interval; predict_proba gives the probabilities "
            "of classes"
        )
    return came.answer(pd.DataFrame({"low": ends[0][column], "high": ends[1][column]}).set_axis(frame.index))


def means_of(fitted: Fitted, frame: pd.DataFrame, column: Any, draws: int, given: Given) -> dict[str, np.ndarray]:
    """Return the means of all nodes while a column is hidden; `given` stands in place of the rows' own cells."""
    view, known = table_of(fitted, "predict"), given or {}
    view.column(column)
    if column in known:
        raise LatenError(f"predict: column {column!r} is both asked for and given; remove it from one of the two")
    hard, allowed, _ = evidence_of(fitted, known, len(frame)) if known else (Rows({}, len(frame)), {}, None)
    view.refuse_torn(frame.drop(columns=[c for c in (column, *known) if c in frame.columns]), known)
    rows = over(without(view, frame, [column, *known]), hard)
    return fitted.hidden(draws, rows, allowed)


def predict_proba(fitted: Fitted, data: Any, column: Any, draws: int, given: Given = None) -> Any:
    """Return the probabilities of a column's classes given all others."""
    view = table_of(fitted, "predict_proba")
    came = view.taken(data)
    frame: pd.DataFrame = came.data
    column = lacking(view, frame) if column is None else column
    found = view.column(column)
    if found.kind not in CLASSES:
        raise LatenError(
            f"predict_proba: column {column!r} is {found.kind} and has no classes; predict({column!r}) gives its mean, "
            "impute_interval its interval"
        )
    values = means_of(fitted, frame, column, draws, given)
    rest = view.with_given(frame.drop(columns=column, errors="ignore"), given or {})
    probable = view.probabilities(values, column).set_axis(frame.index)
    return came.answer(only_possible(view.schema, rest, column, probable) if view.schema.ties else probable)


def conditional(
    fitted: Fitted, data: Any, targets: Any, given: Mapping[Any, Any] | None, samples: int, draws: int, seed: int
) -> ConditionalAnswer:
    """Return samples and log-density of some columns of each row given all others."""
    view = table_of(fitted, "conditional")
    came = view.taken(data)
    frame: pd.DataFrame = came.data
    names = [targets] if isinstance(targets, str | int) else list(targets)
    if not names:
        raise LatenError("conditional: no target; name at least one column")
    for name in names:
        view.column(name)
        if given and name in given:
            raise LatenError(f"conditional: column {name!r} is both a target and given; remove it from one of the two")
    hard, allowed, within = evidence_of(fitted, given or {}, len(frame))
    frame = frame.drop(columns=[c for c in given or {} if c in frame.columns])  # what is given takes their place
    rest = frame.drop(columns=[n for n in names if n in frame.columns])
    view.refuse_torn(rest, given or {})
    shown, log_det = view.scored(frame, partial=True)
    rows = over(shown, hard)
    sites = {b.node: np.array([c in names for c in b.names]) for b in view.schema.blocks}
    shapes = {b.node: b.shape for b in view.schema.blocks}
    wanted = {n: jnp.asarray(there.reshape(shapes[n])) for n, there in sites.items()}
    log_density, size = fitted.ask_well(Density(draws, wanted, allowed), rows)
    log_density = log_density.astype(np.float64)
    for node, x in log_det.items():
        log_density += x.reshape(len(frame), -1)[:, sites[node]].sum(1)
    made: list[pd.DataFrame] = []
    if samples:
        blind = over(without(view, frame, names), hard)
        question = Completions(max(draws, LEAST_DRAWS * samples), samples, allowed)
        made, size = copies_of(fitted, question, blind, seed, within)
        rest = view.with_given(rest, given or {})
        made = [came.rows(view.filled(rest, one, (seed, i))[names]) for i, one in enumerate(made)]
    return ConditionalAnswer(log_density, made, size)


def evidence_of(fitted: Fitted, given: Mapping[Any, Any], n: int) -> tuple[Rows, dict[str, jax.Array], Any]:
    """Return what the view makes of evidence; what ranges and lists allow is on the device."""
    rows, allowed, within = fitted.view.evidence(given, n)
    return rows, {node: jnp.asarray(x, jnp.float32) for node, x in allowed.items()}, within


def over(rows: Rows, hard: Rows) -> Rows:
    """Return rows in which the cells that `hard` observes take its value."""
    values, mask = dict(rows.values), dict(rows.mask)
    for node, given in hard.values.items():
        there = hard.mask.get(node, np.ones(given.shape, bool))
        if there.any():
            values[node] = np.where(there, given, values[node])
            mask[node] = there | mask.get(node, np.ones(given.shape, bool))
    return Rows(values, rows.n, mask, rows.labels, rows.visit)


def lacking(view: TableView, frame: pd.DataFrame) -> Any:
    """Find the one modelled column that the frame lacks."""
    found = [c for b in view.schema.blocks for c in b.names if c not in frame.columns]
    if len(found) != 1:
        raise LatenError(
            f"predict: name the column: predict(X, column). Without a name, X must lack exactly one fitted column; "
            f"it lacks {known(found) if found else 'none'}"
        )
    return found[0]


def without(view: TableView, frame: pd.DataFrame, columns: Sequence[Any]) -> Rows:
    """Return rows in which these columns are hidden."""
    for name in columns:
        view.column(name)
    rest = frame.drop(columns=[c for c in columns if c in frame.columns])
    if rest.columns.empty:
        first = view.schema.blocks[0].names[0]
        return tables.encode(view.schema, pd.DataFrame({first: [None] * len(frame)}), partial=True)
    return view.rows(rest, partial=True)


def table_of(fitted: Fitted, what: str) -> TableView:
    """Return the view, which must be of a table."""
    if not isinstance(fitted.view, TableView):
        nodes = known(fitted.model.network.stochastic)
        way = "; impute(X) fills every node that X lacks" if what.startswith("predict") else ""
        raise LatenError(
            f"{what} asks about columns of a table; this model was fitted to arrays of the nodes {nodes}{way}"
        )
    return fitted.view
