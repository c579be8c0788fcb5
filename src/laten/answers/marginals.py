r"""What is known of every column given some evidence, all columns at once: the question of a panel of bars.

With draws $z_s$ of the guide given the evidence e and their weights $\bar w_s$,

$$p(x_c\in k\mid e)\approx\sum_s\bar w_s P_c(k\mid z_s),\qquad I(x_c; z\mid e) = H\Big(\sum_s\bar w_s P_c(\cdot\mid
z_s)\Big) - \sum_s\bar w_s H(P_c(\cdot\mid z_s)).$$

The second is what seeing the column is expected to tell about all others, whose only link are the latents: the column
of the largest is the best to ask next (Lindley 1956).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.answers.dependence import from_prior, in_units
from laten.answers.fitted import AGAIN, LEAST, Fitted
from laten.answers.level_tables import Chances, Scale, chances_of, scales_of
from laten.answers.sample_and_predict import evidence_of, table_of
from laten.common.types import Array, Key, Masks, Values
from laten.data.columns.column import CLASSES
from laten.data.rows.between import Between, Missing
from laten.data.rows.evidence import interval, number
from laten.data.rows.possible_levels import only_possible
from laten.data.rows.rows import Rows
from laten.data.rows.views import TableView
from laten.families import Family
from laten.inference.diagnostics import effective_sample_size, log_mean_weight, pareto_k
from laten.inference.importance import weighted_mean
from laten.network.model import Model

PRIOR_DRAWS = 4096  # of the latents, for what is known of columns without evidence
SMALLEST = 1e-30


@dataclass(frozen=True)
class Marginal:
    """One column's distribution given the evidence.

    Args:
        probability: `(K,)` of its levels, or of the cells of its numbers.
        prior: `(K,)` the same without evidence.
        information: What its value is expected to tell about the other columns, in nats; 0 for what is given.
        scale: Its levels or cells.
        held: The same with numbers inside each cell that the evidence allows.
    """

    probability: np.ndarray
    prior: np.ndarray
    information: float
    scale: Scale = field(repr=False)
    held: Scale = field(repr=False)

    @property
    def labels(self) -> tuple[object, ...] | None:
        """Names of the K levels; None for numbers, dates and durations."""
        return self.scale.labels if self.scale.value is None else None

    def mean(self) -> Any:
        """Return the mean of a column of numbers, in its units."""
        assert self.held.value is not None
        p = self.probability
        return in_units(self.scale.column, np.array([p @ self.held.value / p.sum()]))[0]

    def quantile(self, share: float) -> Any:
        """Return the value of a column of numbers below which lies this share of the probability, in its units."""
        return in_units(self.scale.column, self.held.quantile(self.probability[None], share), own=True)[0]

    def histogram(self, bars: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return edges `(bars + 1,)` in the column's own scale (days, seconds), and probability and prior of each bar.

        The bars reach over all but a two-hundredth of the prior on either side; what lies beyond is in the outer ones.
        Whole numbers that are few have a bar each.
        """
        scale, prior = self.scale, self.prior[None]
        assert scale.inside is not None and self.held.inside is not None
        low, high = (float(scale.quantile(prior, share)[0]) for share in (0.005, 0.995))
        middle = float(self.held.quantile(self.probability[None], 0.5)[0])  # evidence may lie beyond the prior
        low, high = min(low, middle), max(high, middle)
        if scale.column.seen.decimals == 0 and high - low < bars:
            edges = np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
        else:
            edges = np.linspace(low, high if high > low else low + 1, bars + 1)
        points = scale.inside.shape[1]
        now, before = (
            np.histogram(np.clip(x, edges[0], edges[-1]).ravel(), edges, weights=np.repeat(p / points, points))[0]
            for p, x in ((self.probability, self.held.inside), (self.prior, scale.inside))
        )
        return edges, now, before


@dataclass(frozen=True)
class Marginals:
    """What is known of every column given some evidence.

    Args:
        columns: Name -> its distribution, in the table's order.
        log_evidence: log p(evidence), nats; of a number its density, in the units of the column.
        effective_sample_size: Of the draws that carry the answer.
        pareto_k: Above 0.7 the draws are too few, and the answer is a guess.
    """

    columns: Mapping[Any, Marginal]
    log_evidence: float
    effective_sample_size: float
    pareto_k: float

    @property
    def frame(self) -> pd.DataFrame:
        """A column a row: its most probable level or its median, how sure that is, and what it would tell."""
        found = {}
        for name, m in self.columns.items():
            if m.labels is None:
                low, middle, high = (m.quantile(share) for share in (0.05, 0.5, 0.95))
                said = {"value": middle, "probability": np.nan, "5%": low, "95%": high}
            else:
                top = int(np.argmax(m.probability))
                said = {"value": m.labels[top], "probability": float(m.probability[top]), "5%": None, "95%": None}
            found[name] = {**said, "information": m.information}
        return pd.DataFrame.from_dict(found, orient="index")

    def standard_error(self, name: Any) -> np.ndarray:
        """Return by how much draws may be off in a column's K probabilities `(K,)`: √(p(1 − p)/n) of n effective draws.

        That is the standard error if each draw showed one level; draws show probabilities, which vary less.
        """
        p = self.columns[name].probability
        return np.sqrt(p * (1 - p) / max(self.effective_sample_size, 1.0))

    def __str__(self) -> str:
        sure = f"effective sample size {self.effective_sample_size:.0f}, Pareto k {self.pareto_k:.2f}"
        return f"{self.frame.to_string()}\nlog p(evidence) = {self.log_evidence:.2f} nats; {sure}"


class BeforeEvidence(NamedTuple):
    """What does not depend on evidence: how columns are cut, and their distributions `(K,)` without any."""

    scales: list[Scale]
    prior: dict[Any, np.ndarray]


class ChancesGiven(eqx.Module):
    """Posterior means of the probabilities of levels and cells, of minus p log p of each, and the log-weights.

    Args:
        chances: Which nodes, and where numbers with a density are cut.
        allowed: What ranges and lists leave of each node.
    """

    chances: Chances
    allowed: Values
    draws: int = eqx.field(static=True)
    labels: tuple[str, ...] = eqx.field(static=True, default=())  # that the guide has the last word on (`weighing`)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        families, leaves = model.network.families, model.network.leaves

        def collect(draw):
            found = self.chances.of(model, draw.values, draw.raw)
            for name in found.keys() & self.allowed.keys() & set(leaves):
                found[name] = inside(families[name], draw.raw[name], found[name], self.allowed[name])
            cells = {n: jnp.diff(x, axis=0, prepend=0.0, append=1.0) if x.ndim > 1 else x for n, x in found.items()}
            return found, {n: -x * jnp.log(jnp.maximum(x, SMALLEST)) for n, x in cells.items()}

        found = weighted_mean(model, key, values, masks, self.draws, collect, self.allowed, self.labels)
        return found.mean, found.log_w


def inside(family: Family, raw: Array, chances: Array, allowed: Array) -> Array:
    """Return probabilities of what is allowed, to sum to one again: packed classes, or P(at most each edge)."""
    if family.classes is not None:
        site = np.repeat(np.arange(len(family.classes)), family.classes)
        left = chances * allowed
        return left / jnp.maximum(jax.ops.segment_sum(left, site, len(family.classes)), SMALLEST)[site]
    low = jnp.where(jnp.isinf(allowed[0]), 0.0, family.cdf(raw, allowed[0])).reshape(1, -1)
    high = jnp.where(jnp.isinf(allowed[1]), 1.0, family.cdf(raw, allowed[1])).reshape(1, -1)
    return (jnp.clip(chances, low, high) - low) / jnp.maximum(high - low, SMALLEST)


def before_evidence(fitted: Fitted) -> BeforeEvidence:
    """Return the scales of all columns, and their distributions under the model."""
    scales = scales_of(fitted, table_of(fitted, "marginals"))
    tables = from_prior(fitted, scales, PRIOR_DRAWS, fitted.seed)
    return BeforeEvidence(
        scales, {s.column.name: p.mean(0, dtype=np.float64) for s, p in zip(scales, tables, strict=True)}
    )


def marginals(fitted: Fitted, given: Mapping[Any, Any], draws: int, known: BeforeEvidence) -> Marginals:
    """Return the distribution of every column given evidence."""
    view = table_of(fitted, "marginals")
    if not given:
        columns = {
            s.column.name: Marginal(p, p, 0.0, s, s) for s, p in zip(known.scales, known.prior.values(), strict=True)
        }
        return Marginals(columns, 0.0, float(PRIOR_DRAWS), math.nan)
    hard, allowed, _ = evidence_of(fitted, given, 1)
    question = ChancesGiven(chances_of(fitted, known.scales), every_leaf(fitted, view, allowed), draws)
    (found, surprisal), log_w = fitted.ask(question, hard, size=1)
    if effective_sample_size(log_w)[0] < LEAST:
        (found, surprisal), log_w = fitted.ask(replace(question, draws=AGAIN * draws), hard, size=1)
    shown = view.with_given(pd.DataFrame(index=[0]), given)
    _, log_det = view.scored(shown, partial=True) if len(shown.columns) else (None, {})
    columns = {}
    for scale in known.scales:
        name, told = scale.column.name, 0.0
        p = scale.place.table(found)[0].astype(np.float64)
        p = p / p.sum()
        if name not in given:
            told = max(0.0, entropy(p) - float(part(scale, surprisal).sum()))
            p = possible(view, shown, scale, p)
            told = min(told, entropy(p))  # of what a tie tells already, nothing is left to ask
        elif name in shown:
            p = np.eye(len(p))[cell_of(scale, hard)]
        columns[name] = Marginal(p, known.prior[name], told, scale, held(scale, view, given))
    return Marginals(
        columns,
        float(log_mean_weight(log_w)[0]) + sum(float(x.sum()) for x in log_det.values()),
        float(effective_sample_size(log_w)[0]),
        float(pareto_k(log_w)[0]),
    )


def every_leaf(fitted: Fitted, view: TableView, allowed: Mapping[str, Any]) -> Values:
    """Return what is allowed of every leaf, so that all evidence is answered by one compiled program."""
    found = {}
    for block in view.schema.blocks:
        family = fitted.model.network.families[block.node]
        if block.node not in fitted.model.network.leaves:
            continue
        if family.classes is not None:
            free = np.ones(sum(family.classes), np.float32)
        else:
            free = np.broadcast_to(
                np.array([-np.inf, np.inf], np.float32).reshape(2, *[1] * len(family.shape)), (2, *family.shape)
            )
        found[block.node] = allowed.get(block.node, jnp.asarray(free))
    return found


def part(scale: Scale, found: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return what belongs to one column of the numbers of all levels or cells."""
    place, array = scale.place, np.asarray(found[scale.place.node])[0]
    return array[:, place.first] if place.smooth else array[place.first : place.first + place.size]


def cell_of(scale: Scale, rows: Rows) -> int:
    """Return the level or cell of a column in the first row."""
    value = rows.values[scale.place.node][0].ravel()[scale.place.site]
    return int(np.searchsorted(scale.edges, value)) if scale.edges is not None else int(value)


def held(scale: Scale, view: TableView, given: Mapping[Any, Any]) -> Scale:
    """Return a scale whose cells hold numbers that the evidence allows; a cell without any keeps its own."""
    if scale.column.name not in given or scale.inside is None:
        return scale
    said, inside = view.understood(scale.column.name, given[scale.column.name]), scale.inside.copy()
    if isinstance(said, Between):
        low, high = interval(scale.column, said)
        for points in inside:
            left = points[(points >= low) & (points <= high)]
            if len(left):
                points[:] = np.interp(np.linspace(0, len(left) - 1, len(points)), np.arange(len(left)), left)
    elif not isinstance(said, Missing | list | tuple | set | frozenset):
        inside[:] = number(scale.column, said)
    return replace(scale, inside=inside, value=inside.mean(1), spread=inside.var(1))


def possible(view: TableView, shown: pd.DataFrame, scale: Scale, p: np.ndarray) -> np.ndarray:
    """Return probabilities of classes without those that would break a tie with the evidence."""
    column = scale.column
    if not view.schema.ties or column.kind not in CLASSES or column.groups is not None:
        return p
    levels = pd.DataFrame(p[None], index=shown.index, columns=pd.Index(list(column.classes), dtype=object))
    return only_possible(view.schema, shown, column.name, levels).to_numpy()[0]


def entropy(p: np.ndarray) -> float:
    """Return the entropy of a distribution, nats."""
    return float(-np.sum(p * np.log(np.maximum(p, SMALLEST))))
