r"""What a model has learned: which columns tell about each other, which latents move them, how one depends on another.

All three come from tables of probabilities $P_{ck}(z) = P(x_c \in \text{bin } k\mid z)$ (`level_tables.py`). With M
draws of z the joint table of two columns is a matrix product, and mutual information (nats) follows from it:

$$J = \frac1M P_i^\top P_j,\qquad I(x_i; x_j) = \sum_{kl} J_{kl}\log\frac{J_{kl}}{p_k q_l}.$$

Chance makes tables of finite M look dependent. To first order in 1/M the surplus is what Miller & Madow (1955) found
for counted tables, with means over z in place of counts,

$$\frac1{2M}\Big(1 + \sum_{kl}\frac{\overline{P_{ik}^2P_{jl}^2}}{J_{kl}} - \sum_k\frac{\overline{P_{ik}^2}}{p_k} -
\sum_l\frac{\overline{P_{jl}^2}}{q_l}\Big),$$

and is taken off. The effect of a latent is a total effect of variance (Homma & Saltelli 1996) by Jansen's estimator
(Saltelli et al. 2010, table 2, f); partial dependence is that of Friedman (2001), section 8.2.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.level_tables import (
    InnerDraws,
    InnerModes,
    Scale,
    Tables,
    given_inner,
    inner_nodes,
    scales_of,
)
from laten.answers.sample_and_predict import table_of, without
from laten.common.errors import LatenError
from laten.data.columns.column import Column
from laten.data.constraints import Follows
from laten.data.rows.rows import Rows
from laten.inference.asking import WORK, Keys, ancestral

CURVE = 2**15  # draws of the latents for a curve
ROWS = 500  # that a partial dependence is averaged over
BLOCK = 2**10  # cells on a side of a matrix product
WIDEST = 2**13  # cells of all columns together, about: of wide tables numbers are cut more coarsely
QUANTILES = {"5%": 0.05, "50%": 0.5, "95%": 0.95}


def mutual_information(fitted: Fitted, draws: int, normalised: bool, seed: int) -> pd.DataFrame:
    """Compute pairwise mutual information under the model, and entropies on the diagonal.

    A column that follows from one other (`city -> state`) has all its entropy in common with it, as drawn rows have.
    """
    view = table_of(fitted, "mutual_information")
    scales = scales_of(fitted, view)
    most = max(8, WIDEST // len(scales))
    tables = from_prior(fitted, scales, draws, seed)
    tables = [p if s.value is None else merged(p, most) for s, p in zip(scales, tables, strict=True)]
    found = information(tables)
    at = {s.column.name: i for i, s in enumerate(scales)}
    for tie in view.schema.ties:
        if isinstance(tie, Follows) and len(tie.of) == 1:
            one, two = at[tie.of[0]], at[tie.column]
            found[one, two] = found[two, one] = min(found[one, one], found[two, two])
    if normalised:
        entropy = np.diag(found)
        least = np.minimum(entropy[:, None], entropy)
        found = np.divide(found, least, out=np.eye(len(least)), where=least > 0)
    names = pd.Index([s.column.name for s in scales])
    out = pd.DataFrame(found, names, names)
    out.attrs["unit"] = "share of the smaller entropy" if normalised else "nats"
    return out


def from_prior(fitted: Fitted, scales: list[Scale], draws: int, seed: int) -> Tables:
    """Return probabilities of the columns given draws of all that is not a leaf."""
    return given_inner(fitted, scales, ancestral(fitted.model, draws, seed, inner_nodes(fitted)), draws)


def information(tables: Tables) -> np.ndarray:
    """Compute mutual information between tables `(draws, K)`, nats, `(columns, columns)`; on the diagonal entropies."""
    found = np.zeros((len(tables), len(tables)))
    groups = list(groups_of([p.shape[1] for p in tables]))
    for i, one in enumerate(groups):
        for two in groups[i:]:
            found[one, two] = shared(tables[one], tables[two])
    entropy = np.array([-np.sum(p * log(p)) for p in (t.mean(0, dtype=np.float64) for t in tables)])
    found = np.triu(found, 1)
    found = np.clip(found + found.T, 0, np.minimum(entropy[:, None], entropy))
    np.fill_diagonal(found, np.maximum(entropy, 0))
    return found


def groups_of(sizes: list[int]) -> Iterator[slice]:
    """Yield runs of columns with at most about `BLOCK` cells."""
    first = 0
    for i in range(1, len(sizes) + 1):
        if i == len(sizes) or sum(sizes[first : i + 1]) > BLOCK:
            yield slice(first, i)
            first = i


def shared(one: Tables, two: Tables) -> np.ndarray:
    """Compute mutual information between columns of `one` and of `two`, free of bias to first order; may be below 0."""
    left, right = (np.concatenate(t, axis=1, dtype=np.float64) for t in (one, two))
    rows, columns = (np.concatenate([[0], np.cumsum([p.shape[1] for p in t])])[:-1] for t in (one, two))
    p, q, draws = left.mean(0), right.mean(0), len(left)
    joint = left.T @ right / draws
    nats = joint * (log(joint) - log(p)[:, None] - log(q))
    squares = (np.square(left).T @ np.square(right) / draws) * inverse(joint)
    chance = 1.0 + np.add.reduceat(np.add.reduceat(squares, rows, 0), columns, 1)
    chance -= np.add.reduceat(np.square(left).mean(0) * inverse(p), rows)[:, None]
    chance -= np.add.reduceat(np.square(right).mean(0) * inverse(q), columns)
    return np.add.reduceat(np.add.reduceat(nats, rows, 0), columns, 1) - chance / (2 * draws)


def log(p: np.ndarray) -> np.ndarray:
    """Return logarithms, 0 of 0."""
    return np.log(p, out=np.zeros_like(p), where=p > 0)


def inverse(p: np.ndarray) -> np.ndarray:
    """Return 1 / p, 0 of 0."""
    return np.divide(1.0, p, out=np.zeros_like(p), where=p > 0)


def runs(mass: np.ndarray, most: int) -> np.ndarray:
    """Find where at most `most` runs of bins of about equal mass start."""
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    part = np.minimum((middle * most).astype(int), most - 1)
    return np.flatnonzero(np.diff(part, prepend=-1)) if len(mass) > most else np.arange(len(mass))


def merged(table: np.ndarray, most: int) -> np.ndarray:
    """Merge a table into one of at most `most` bins."""
    return np.add.reduceat(table, runs(table.mean(0, dtype=np.float64), most), axis=1)


def latent_effects(fitted: Fitted, data: Any, draws: int, seed: int) -> pd.DataFrame:
    """Compute the share of each column's variance that each latent moves, `(latents, columns)`."""
    view = table_of(fitted, "latent_effects")
    scales, families = scales_of(fitted, view), fitted.model.network.families
    latents = [n for n in fitted.model.latents if n in inner_nodes(fitted)]
    if not latents:
        raise LatenError("latent_effects: the network has no latent node")
    base, rng = places(fitted, data, draws, seed), np.random.default_rng(seed)
    out = {}
    for name in latents:
        for site in range(families[name].n_sites):
            both = []
            for _ in range(2):
                own = base[name].copy()
                flat = own.reshape(draws, -1)  # a view
                flat[:, site] = flat[rng.permutation(draws), site]
                both.append(given_inner(fitted, scales, {**base, name: own}, draws))
            label = f"{name}{site}" if families[name].n_states is None or families[name].n_sites > 1 else name
            out[label] = [moved(s, a, b) for s, a, b in zip(scales, *both, strict=True)]
    return pd.DataFrame(out, pd.Index([s.column.name for s in scales])).T


def places(fitted: Fitted, data: Any, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Return `draws` values of all that is not a leaf: from the network, or rows' posterior means, equally often."""
    nodes = inner_nodes(fitted)
    if data is None:
        return ancestral(fitted.model, draws, seed, nodes)
    rows = fitted.rows(data)
    if rows.n < 2:
        raise LatenError("latent_effects: one row has no variance; give at least two rows, or none for the prior")
    order = np.random.default_rng(seed).permutation(rows.n)
    found = fitted.ask(InnerModes(nodes), rows.take(np.sort(order[:draws])), Keys(seed))
    return {n: np.asarray(x)[np.arange(draws) % len(x)] for n, x in found.items()}


def moved(scale: Scale, one: np.ndarray, two: np.ndarray) -> float:
    """Return the share of a column's (or its indicators') variance between pairs that differ in one latent."""
    p, difference = np.concatenate([one, two]).mean(0, dtype=np.float64), one.astype(np.float64) - two
    if scale.value is None or scale.spread is None:
        total, part = 1 - np.sum(p**2), np.sum(difference**2, axis=1)
    else:
        value = scale.value - p @ scale.value / p.sum()
        total, part = p @ (value**2 + scale.spread), (difference @ value) ** 2
    return float(np.clip(part.mean() / 2 / total, 0, 1)) if total > 0 else 0.0


def dependence(
    fitted: Fitted, of: Any, on: Any, data: Any, points: int, draws: int, seed: int
) -> pd.DataFrame:  # fmt: skip
    """Compute p(of | on) under the model at values of `on`, or the partial dependence over rows."""
    view = table_of(fitted, "dependence")
    for name in (of, on):
        view.column(name)
    if of == on:
        raise LatenError(f"dependence of column {of!r} on itself; give two columns")
    target, cause = scales_of(fitted, view, [of, on])
    p, q = (t.astype(np.float64) for t in from_prior(fitted, [target, cause], CURVE, seed))
    share = q.mean(0)
    starts = np.arange(len(share)) if cause.value is None else runs(share, points)
    inside = np.repeat(np.arange(len(starts)), np.diff([*starts, len(share)])) == np.arange(len(starts))[:, None]
    joint = inside @ (q.T @ p) / CURVE
    mass = joint.sum(1)
    rows = 0
    if data is None:
        chances = joint / np.maximum(mass, 1e-300)[:, None]
    else:
        frame = view.opened(data)
        order = np.random.default_rng(seed).permutation(len(frame))
        shown = without(view, frame.iloc[np.sort(order[:ROWS])], [of, on])
        chances, rows = partial(fitted, [target, cause], inside, shown, draws, seed), shown.n
    if cause.value is None:
        index = pd.Index(cause.labels, dtype=object)
    else:
        index = in_units(cause.column, cause.quantile(inside * share, 0.5), True)
    out = described(target, chances, index.rename(on))
    out["mass" if "mass" not in out else "mass_"] = mass
    out.attrs["rows"] = rows
    out.attrs["ordered"] = tuple(s.column.name for s in (target, cause) if s.column.kind == "ordinal")
    return out


def partial(fitted: Fitted, scales: list[Scale], inside: np.ndarray, rows: Rows, draws: int, seed: int) -> np.ndarray:
    r"""Average p(target | what the row shows, cause in each run of its bins) over rows, `(runs, K)`.

    With draws z of weights w given what a row shows, neither column among it, $p(k \mid r) = \sum_z w_z P_r(z) P_k(z) /
    \sum_z w_z P_r(z)$: one set of draws for all runs r.

    Args:
        scales: Target and cause.
        inside: `(runs, cells of the cause)`, whether a cell belongs to a run.
    """
    question, total = InnerDraws(draws, inner_nodes(fitted)), 0.0
    size = 2 * max(16, WORK // draws)  # rows at a time: two chunks of `ask`
    for start in range(0, rows.n, size):
        part = rows.take(np.arange(start, min(start + size, rows.n)))
        values, log_w = fitted.ask(question, part, Keys(seed))
        flat = {n: x.reshape(log_w.size, *x.shape[2:]) for n, x in values.items()}
        p, q = (t.reshape(*log_w.shape, -1) for t in given_inner(fitted, scales, flat, log_w.size))
        w = np.exp(log_w.astype(np.float64) - log_w.max(1, keepdims=True))
        w = w[:, None] * np.maximum(inside @ q.swapaxes(1, 2), 1e-30)  # (rows, runs, draws)
        total += (w @ p / w.sum(2, keepdims=True)).sum(0)
    return np.asarray(total) / rows.n


def described(scale: Scale, chances: np.ndarray, index: pd.Index) -> pd.DataFrame:
    """Tabulate probabilities of classes, or mean and quantiles of numbers."""
    if scale.value is None:
        columns = pd.Index(scale.labels, dtype=object, name=scale.column.name)
        return pd.DataFrame(chances, index, columns)
    made = {"mean": chances @ scale.value / chances.sum(1)}
    made |= {name: scale.quantile(chances, share) for name, share in QUANTILES.items()}
    out = pd.DataFrame({name: in_units(scale.column, x) for name, x in made.items()}).set_axis(index)
    return out.rename_axis(columns=scale.column.name)


def in_units(column: Column, x: np.ndarray, own: bool = False) -> pd.Index:
    """Return numbers in the column's own scale as users read them; `own`: they are values of the column, not means."""
    if column.kind == "date":
        return pd.to_datetime(np.round(x * 86400).astype(np.int64), unit="s")
    if column.kind == "duration":
        return pd.to_timedelta(np.round(x).astype(np.int64), unit="s")
    if own and column.seen.decimals is not None:
        x = np.round(x, column.seen.decimals)
        return pd.Index(x.astype(np.int64) if column.seen.decimals == 0 and np.abs(x).max() < 2**53 else x)
    return pd.Index(x)
