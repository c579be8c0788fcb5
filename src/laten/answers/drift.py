r"""Whether new rows are like those of the fit: column by column, and as wholes.

Each column's values, in at most 12 groups and one more for empty cells, are compared with the training rows' by the
chi-squared test of homogeneity. As wholes, the new rows' log p is compared with that of held-out rows of the fit by the
test of Kolmogorov and Smirnov: a dependence that has changed shows there, though each column alone looks as before.
P-values are adjusted for the number of tests (Holm 1979): if nothing has changed, the chance that anything is called
drift is 1 %. Beside each test stands a size, which does not grow with the number of rows: the total variation distance,
the share of rows that would have to change.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.answers.references import References, learned
from laten.answers.scores import judged
from laten.answers.tallies import Site, codes_of, counted
from laten.answers.tree_of_pairs import GROUPS, grouped
from laten.common import notebook
from laten.common.errors import LatenError
from laten.data.columns.column import CLASSES, Column
from laten.data.columns.restore import like_dtype, restore
from laten.data.histogram.histogram import Histogram
from laten.data.messages import text_table
from laten.data.rows.rows import Rows
from laten.data.rows.table_view import TableView
from laten.inference.diagnostics import figure

ALPHA = 0.01
EXPECTED = 5.0  # rows of a group, below which groups are joined
COLUMNS = ("column", "p_value", "adjusted", "size", "drift", "moved")


@dataclass(frozen=True)
class Drift:
    """How new rows differ from those of the fit.

    Args:
        columns: A column a row, the most changed first: `p_value`, `adjusted` for many tests, `size` (share of rows
            that would have to change), `drift`, and in words what `moved`, in the column's unit.
        rows: New rows.
        log_p: Mean log p of the new rows, nats.
        known_log_p: That of the rows they are compared with; NaN where the model file has none.
        log_p_error: Standard error of the difference of the two.
        p_value: Of the rows as wholes, adjusted; NaN where nothing is known to compare with.
    """

    columns: pd.DataFrame = field(repr=False)
    rows: int
    log_p: float
    known_log_p: float
    log_p_error: float
    p_value: float

    @property
    def drifted(self) -> bool:
        """Whether anything has changed by more than chance."""
        return bool(self.columns["drift"].any()) or self.p_value < ALPHA

    def _repr_html_(self) -> str:
        return notebook.fixed(str(self))

    def __str__(self) -> str:
        moved = self.columns[self.columns["drift"]]
        parts = []
        if math.isnan(self.p_value):
            parts.append(
                "As wholes: not tested, because the model keeps no scores of held-out rows; give rows to compare with."
            )
        else:
            more = self.log_p - self.known_log_p
            parts.append(
                f"As wholes: log p {self.known_log_p:.2f} → {self.log_p:.2f} nats a row ({more:+.2f} ± "
                f"{figure(self.log_p_error)}; p = {self.p_value:.2g}): {'drift' if self.p_value < ALPHA else 'alike'}."
            )
        if not len(moved):
            parts.append(f"No drift in any of {len(self.columns)} columns over {self.rows} rows.")
            return "\n".join(parts)
        cells = [
            (str(r.column), f"{r.size:.1%}", f"{r.adjusted:.1g}" if r.adjusted else "< 1e-300", str(r.moved))
            for r in moved.itertuples(index=False)
        ]
        head = f"Drift in {len(moved)} of {len(self.columns)} columns over {self.rows} rows:"
        return "\n".join([*parts, head, text_table(("column", "size", "p", "moved"), cells)])


def drift(fitted: Fitted, data: Any, reference: Any, error: float) -> Drift:
    """Compare new rows with those of the fit, or with `reference`.

    Raises:
        LatenError: the model is of arrays, or its file of a version that kept nothing to compare with.
    """
    view, known = fitted.view, fitted.references
    if not isinstance(view, TableView):
        raise LatenError("drift compares columns; this model was fitted to arrays")
    frame, strange = without_strange(view, view.opened(data))
    rows = view.rows(frame, optional=fitted.model.latents)
    network = fitted.model.network
    if reference is not None:
        old, _ = without_strange(view, view.opened(reference))
        known = learned(network, view.rows(old, optional=fitted.model.latents), True)
    if known is None:
        raise LatenError(
            "drift: an earlier version wrote this model file, and it keeps nothing to compare with; give the rows of "
            "the fit as the reference"
        )
    sites = known.sites(network)
    new = counted(sites, rows.values, rows.mask)
    names = {str(n): n for n in view.schema.names}
    found = []
    for site in sites:
        column = view.schema[names[rows.labels[site.node][site.place]]]
        empty = rows.n - int(codes_of(site, rows.values, rows.mask)[1].sum())
        strangers = strange.get(column.name, {})
        found.append(tested(known, network.nodes[site.node].family, site, column, new, empty, strangers))
    for node in known.edges:
        found += [of_numbers(known, view, rows, node, i) for i in range(len(known.edges[node]))]
    now = judged(fitted, frame, None, error, warn=False)
    then = known.held_out if reference is None else judged(fitted, reference, None, error, warn=False).per_row
    wholes = kolmogorov(now.per_row, np.asarray(then, np.float64)) if len(then) else math.nan
    adjusted = holm(np.array([f["p_value"] for f in found] + ([] if math.isnan(wholes) else [wholes])))
    for one, p in zip(found, adjusted, strict=False):
        one |= {"adjusted": float(p), "drift": bool(p < ALPHA)}
    columns = pd.DataFrame(found, columns=pd.Index(COLUMNS)).sort_values(["adjusted", "size"], ascending=[True, False])
    spread = math.sqrt(_var(now.per_row) + _var(then)) if len(then) > 1 else math.nan
    return Drift(
        columns.reset_index(drop=True),
        rows.n,
        now.value,
        float(np.mean(then)) if len(then) else math.nan,
        spread,
        math.nan if math.isnan(wholes) else float(adjusted[-1]),
    )


def _var(x: np.ndarray) -> float:
    """Return the squared standard error of a mean."""
    return float(np.var(x, ddof=1) / len(x)) if len(x) > 1 else 0.0


def without_strange(view: TableView, frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[Any, dict[Any, int]]]:
    """Empty the cells of levels that the fit has not seen; return them with their counts, by column."""
    found: dict[Any, dict[Any, int]] = {}
    for block in view.schema.blocks:
        for column in block.columns:
            if column.kind not in CLASSES or column.unseen == "other" or column.name not in frame.columns:
                continue
            cells = frame[column.name]
            odd = cells.notna() & ~cells.isin(list(column.levels or ()))
            if odd.any() and odd.sum() != cells.notna().sum():  # all odd: another type, which encoding refuses
                found[column.name] = cells[odd].value_counts().to_dict()
                frame = frame.copy(deep=False)
                frame[column.name] = cells.mask(odd)
    return frame, found


def tested(
    known: References, family: Any, site: Site, column: Column, new: dict[str, np.ndarray], empty: int,
    strange: dict[Any, int],
) -> dict[str, Any]:  # fmt: skip
    """Compare one column with the fit."""
    part = slice(site.start, site.start + site.size)
    then, now = known.counts[site.node][part], new[site.node][part]
    gone = float(known.rows - known.seen[site.node][site.place])
    if family.models_missing:  # its last code is an empty cell
        then, now, gone, empty = then[:-1], now[:-1], gone + then[-1], empty + int(now[-1])
    group = grouped((then + 0.5) / (then + 0.5).sum(), site.ordered)
    odd = float(sum(strange.values()))
    table = np.stack([np.r_[np.bincount(group, then), 0, gone], np.r_[np.bincount(group, now), odd, empty - odd]])
    share = table / table.sum(1, keepdims=True)
    return {
        "column": column.name,
        "p_value": homogeneity(table),
        "size": float(np.abs(share[0] - share[1]).sum() / 2),
        "moved": moved(column, then, now, group, share, strange),
    }


def of_numbers(known: References, view: TableView, rows: Rows, node: str, i: int) -> dict[str, Any]:
    """Compare one column whose values are no codes."""
    edges = known.edges[node][i]
    x = rows.values[node].reshape(rows.n, -1)[:, i]
    there = rows.mask[node].reshape(rows.n, -1)[:, i] if node in rows.mask else np.ones(rows.n, bool)
    then, now = known.inside[node][i], np.bincount(np.searchsorted(edges, x[there]), minlength=GROUPS)
    table = np.stack([np.r_[then, known.rows - then.sum()], np.r_[now, rows.n - there.sum()]]).astype(np.float64)
    share = table / table.sum(1, keepdims=True)
    column = next(c for c in view.schema.columns if str(c.name) == rows.labels[node][i])
    ends = [edges[GROUPS // 2 - 1], np.median(x[there]) if there.any() else math.nan]
    a, b = (shown(column, float(column.map.decode(np.array([e]))[0])) for e in ends)
    gone = share[:, -1]
    words = f"median {a} → {b}" if a != b and there.any() else f"empty cells {gone[0]:.1%} → {gone[1]:.1%}"
    size = float(np.abs(share[0] - share[1]).sum() / 2)
    return {"column": column.name, "p_value": homogeneity(table), "size": size, "moved": words}


def homogeneity(table: np.ndarray) -> float:
    """Return the p-value of the chi-squared test that two rows of counts come from the same shares."""
    n = table.sum(1, keepdims=True)
    expected = n * table.sum(0) / n.sum()
    small = expected.min(0) < EXPECTED
    table = np.concatenate([table[:, ~small], table[:, small].sum(1, keepdims=True)], axis=1)
    table = table[:, table.sum(0) > 0]
    expected = n * table.sum(0) / n.sum()
    if table.shape[1] < 2 or not n.all():
        return 1.0
    statistic = (np.square(table - expected) / expected).sum()
    return float(jsp.gammaincc(jnp.float32((table.shape[1] - 1) / 2), jnp.float32(statistic / 2)))


def kolmogorov(a: np.ndarray, b: np.ndarray) -> float:
    """Return the p-value of the two-sample test of Kolmogorov and Smirnov, by its limit (Stephens 1970)."""
    points = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(x), points, side="right") / len(x) for x in (a, b)]
    n = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    x = (n + 0.12 + 0.11 / n) * float(np.abs(below[0] - below[1]).max())
    if x < 0.2:
        return 1.0
    k = np.arange(1, 101)
    return float(np.clip(2 * ((-1.0) ** (k - 1) * np.exp(-2 * np.square(k * x))).sum(), 0, 1))


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values for their number (Holm 1979)."""
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.minimum(adjusted, 1)
    return out


def moved(
    column: Column, then: np.ndarray, now: np.ndarray, group: np.ndarray, share: np.ndarray, strange: dict[Any, int]
) -> str:
    """Say what changed most: a level's share, the median, a range's share, or empty cells."""
    if strange:
        first = max(strange, key=lambda level: strange[level])
        return f"never seen before: {first!r} in {share[1][-2]:.1%} of rows" + (", …" if len(strange) > 1 else "")
    most = int(np.argmax(np.abs(share[0] - share[1])))
    old, fresh = share[0][most], share[1][most]
    if most == share.shape[1] - 1:
        return f"empty cells {old:.1%} → {fresh:.1%}"
    if isinstance(column.codec, Histogram) and now.sum() and then.sum():
        codec = column.codec
        a, b = (shown(column, codec.snap(codec.quantile(x[None] / x.sum(), 0.5))[0]) for x in (then, now))
        if a != b:
            return f"median {a} → {b}"
        inside = np.flatnonzero(group == most)
        low, high = (shown(column, codec.snap(codec.decode(np.array([i])))[0]) for i in (inside[0], inside[-1]))
        return f"{low} .. {high}: {old:.1%} → {fresh:.1%}" if low != high else f"{low}: {old:.1%} → {fresh:.1%}"
    levels = [column.classes[i] for i in range(len(column.classes))] if column.groups is None else []
    inside = np.flatnonzero(group == most)
    name = str(levels[inside[0]]) if len(inside) == 1 and levels else "rare levels"
    return f"{name} {old:.1%} → {fresh:.1%}"


def shown(column: Column, x: float) -> str:
    """Write a number in the column's unit."""
    cell = restore(column, np.array([x]), pd.RangeIndex(1), like_dtype(column, None)).iloc[0]
    return f"{x:.6g}" if column.kind not in ("date", "duration") else str(cell).removesuffix(" 00:00:00")
