"""What the figures of a report mean, in sentences, the worrying first. A rule is a function, its threshold a constant.

A finding has a level (`worry`, `note`, `good`), a sentence, and the numbers that it is made of.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from laten.data.rows.views import TableView, View
from laten.data.schema.schema import Schema
from laten.report.by_column import JUDGED, ColumnFigures
from laten.report.figures import Figures, strongest
from laten.report.parts import number

LEVELS = ("worry", "note", "good")

OVERFIT = 0.05  # of the bound's size, at least OVERFIT_NATS: training rows better than held-out ones
OVERFIT_NATS = 1.0
LATE = 0.9  # of the planned epochs: the best one so late says that training was short
UNRELIABLE = 0.05  # share of rows whose log p cannot be trusted; Pareto k of the 95th percentile above 0.7
LITTLE_GAIN = 0.05  # nats above independent columns
TAIL = -1.0  # nats a row that a tail loses to a histogram
WORSE = -0.05  # nats a row that a column loses to a histogram
COVERAGE = 0.05  # between stated and true coverage
OFF = 0.05  # mean distance of stated probabilities from what happens
MANY_ODD = 0.03  # share of rows past the fence
MANY_HOLES = 0.5  # share of a column's cells that are empty
TOGETHER = 0.9  # correlation of two columns' holes
NEARLY_SAME = 0.95  # share of the smaller entropy that one column tells of another
DETECTED = 0.75  # AUC of trees that tell synthetic rows from real ones
COPIES = 0.01  # share of synthetic rows that stand in the data, beyond what held-out rows would
LITTLE = 0.02  # share of the smaller entropy below which two columns have nothing to do with one another
ALONE = 0.02  # nats that the others tell of a column, at most, for it to be called by itself
NAMED = 3  # columns that a sentence names


@dataclass(frozen=True)
class Finding:
    """A sentence about a model.

    Args:
        level: `worry`, `note` or `good`.
        text: What is found, and what to do.
        about: The section of the page that shows it.
        numbers: What it is made of.
    """

    level: str
    text: str
    about: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def findings(f: Figures, view: View) -> tuple[Finding, ...]:
    """Judge the figures, the worrying first."""
    found = [finding for rule in RULES for finding in rule(f)]
    if isinstance(view, TableView):
        found += of_schema(view.schema)
    return tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level)))


def few(names: list[str]) -> str:
    """Name some columns, and say how many more."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def plural(n: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{n} {one if n == 1 else many or one + 's'}"


# -- the fit ---------------------------------------------------------------------------------------------------


def training(f: Figures) -> Iterator[Finding]:
    """Judge how training went."""
    h = f.history
    if not len(h):
        yield Finding("worry", "No epoch was finished: the model has learned nothing. Fit it again.", "training")
        return
    kept = h[h["kept"].astype(bool)]
    best = kept.iloc[-1] if len(kept) else h.iloc[-1]
    last = int(h["epoch"].iloc[-1])
    if f.stopped == "interrupted":
        yield Finding("worry", f"Training was interrupted after epoch {last}.", "training", {"epochs": last})
    lost = int(h["skipped"].sum()) if "skipped" in h else 0
    if lost:
        steps = plural(lost, "step was", "steps were")
        yield Finding(
            "note", f"{steps} not finite and skipped: try a lower learning rate.", "training", {"skipped": lost}
        )
    if "valid_bound" in h and "train_bound" in h:
        gap = float(best["train_bound"] - best["valid_bound"])
        if gap > max(OVERFIT_NATS, OVERFIT * abs(float(best["valid_bound"]))):
            yield Finding(
                "worry",
                f"Training rows fit {gap:.1f} nats a row better than held-out ones: the model has learned some of them "
                "by heart. Use fewer units or latents, or more rows.",
                "training", {"train_bound": float(best["train_bound"]), "held_out_bound": float(best["valid_bound"])},
            )  # fmt: skip
        else:
            text = f"Held-out rows fit as training rows do, within {abs(gap):.2f} nats a row: no overfitting."
            yield Finding("good", text, "training", {"gap": gap})
    if f.stopped == "plan" and len(h) >= 3 and int(best["epoch"]) > LATE * last and "valid_bound" in h:
        text = f"The best epoch is {int(best['epoch'])} of {last}: the model was still improving. Train longer."
        yield Finding("note", text, "training", {"best": int(best["epoch"]), "epochs": last})


def latents(f: Figures) -> Iterator[Finding]:
    """Judge which latents are used."""
    total, active = len(f.latents), f.active
    if not total or active is None:
        return
    numbers = {"latents": total, "active": active}
    if active == 0:
        text = "No latent is used: the columns are modelled as if they had nothing to do with one another. Fit longer."
        yield Finding("worry", text, "map", numbers)
    elif active < total:
        unused = total - active
        text = f"{unused} of {total} latents {'is' if unused == 1 else 'are'} unused: a smaller model would do as well."
        yield Finding("note", text, "map", numbers)
    else:
        yield Finding("good", f"All {total} latents are used." if total > 1 else "The latent is used.", "map", numbers)


# -- how good it is ------------------------------------------------------------------------------------------------


def likelihood(f: Figures) -> Iterator[Finding]:
    """Judge log p, and how far it can be trusted."""
    gains = f.held_out[3] if f.held_out else {}
    if f.log_p is not None:
        k = f.log_p.pareto_k
        if not math.isnan(k) and k > 0.7:
            yield Finding(
                "worry",
                f"log p cannot be trusted for more than {UNRELIABLE:.0%} of the rows (Pareto k {k:.2f}): it is too low "
                "there by an unknown amount. Fit longer, or with the objective iwae.",
                "good", {"pareto_k": k},
            )  # fmt: skip
        gains = gains or {name: f.log_p.value - x for name, x in f.log_p.references.items()}
    rows = "held-out rows" if f.held_out and f.held_out[3] else "these rows"
    for name, gain in gains.items():
        numbers = {"gain": gain, "over": name}
        if gain < LITTLE_GAIN:
            text = f"On {rows} the model is {abs(gain):.2f} nats a row {'above' if gain >= 0 else 'below'} {name}"
            more = "it has learned no dependence" if "independent" in name else "pairs of columns say all that it knows"
            yield Finding("worry" if "independent" in name else "note", f"{text}: {more}.", "good", numbers)
        else:
            text = f"On {rows} the model is {gain:.2f} nats a row above {name}."
            yield Finding("good", text, "good", numbers)


def columns(f: Figures) -> Iterator[Finding]:
    """Judge columns one by one."""
    if f.columns is None:
        return
    for c in f.columns.columns:
        for side, nats, end in zip(("below", "over"), c.tail, c.ends, strict=True):
            if nats < TAIL:
                text = (
                    f"{c.name}: the tail {side} {end} is fitted poorly: {-nats:.1f} nats a row worse than a histogram."
                )
                yield Finding("worry", text, "columns", {"column": c.name, "nats": nats, "from": str(end)})
        if c.gain < WORSE:
            text = (
                f"{c.name} is told worse from the other columns than by its own histogram, by {-c.gain:.2f} nats a row."
            )
            yield Finding("worry", text, "columns", {"column": c.name, "gain": c.gain})
        if misses(c):
            true = c.inside[JUDGED]
            width = "narrow" if true < JUDGED else "wide"
            text = f"{c.name}: {JUDGED:.0%} intervals hold {true:.0%} of the cells; they are too {width}."
            yield Finding("worry" if true < JUDGED else "note", text, "columns", {"column": c.name, "inside": true})
    yield from by_themselves([c for c in f.columns.columns if abs(c.gain) < ALONE])


def misses(c: ColumnFigures) -> bool:
    """Say whether intervals of a column hold more or less than they say, beyond chance."""
    true = c.inside.get(JUDGED, JUDGED)
    whole = c.kind == "count" and true > JUDGED  # an interval of whole numbers holds more than it must
    chance = 3 * math.sqrt(JUDGED * (1 - JUDGED) / max(c.rows, 1))
    return not whole and abs(true - JUDGED) > max(COVERAGE, chance)


def by_themselves(alone: list[ColumnFigures]) -> Iterator[Finding]:
    """Name columns of which the others tell nothing."""
    if alone:
        verb = "stands" if len(alone) == 1 else "stand"
        text = f"{few([c.name for c in alone])} {verb} by {'itself' if len(alone) == 1 else 'themselves'}: "
        yield Finding(
            "note", f"{text}the other columns tell nothing of it.", "columns", {"columns": [c.name for c in alone]}
        )


def calibration(f: Figures) -> Iterator[Finding]:
    """Judge whether stated probabilities come true."""
    if f.columns is None:
        return
    off = f.columns.off
    if off > OFF:
        text = f"Stated probabilities of classes are off by {off:.1%} on average."
        yield Finding("worry", text, "good", {"off": off})
    elif not math.isnan(off):
        yield Finding("good", f"Probabilities of classes come true within {off:.1%} on average.", "good", {"off": off})
    true = f.columns.inside.get(JUDGED)
    if true is not None:
        fits = abs(true - JUDGED) <= COVERAGE
        text = f"{JUDGED:.0%} intervals of numbers hold {true:.1%} of the cells."
        yield Finding("good" if fits else "worry", text, "good", {"inside": true})


# -- rows -------------------------------------------------------------------------------------------------------


def odd_rows(f: Figures) -> Iterator[Finding]:
    """Judge how many rows are odd."""
    if f.odd is None or f.odd_share is None or f.fence is None or not len(f.odd):
        return
    row, worst, numbers = int(f.odd["row"].iloc[0]), f.odd.iloc[0], {"share": f.odd_share, "fence": f.fence}
    why = f": {worst['why']}" if "why" in f.odd and worst["why"] else ""
    text = f"{f.odd_share:.1%} of the rows are odd (log p below {number(f.fence, 1)}). The oddest is row {row}{why}."
    yield Finding("worry" if f.odd_share > MANY_ODD else "note", text, "odd", numbers)


def synthetic(f: Figures) -> Iterator[Finding]:
    """Judge rows that the model draws."""
    if f.synthetic is None:
        return
    found = {m.name: m.value for m in f.synthetic.measures if not m.left_out}
    auc, shapes = found.get("detection, trees"), found.get("column shapes")
    if auc is not None:
        numbers = {"auc": auc}
        if auc > DETECTED:
            text = f"Trees tell drawn rows from real ones with an AUC of {auc:.2f}; 0.5 would be a guess."
            yield Finding("worry", text, "synthetic", numbers)
        else:
            text = f"Drawn rows are hard to tell from real ones: an AUC of {auc:.2f} for trees, where 0.5 is a guess."
            yield Finding("good", text, "synthetic", numbers)
    if shapes is not None and len(f.synthetic.columns):
        worst = f.synthetic.columns["error"].astype(float)
        text = f"Columns of drawn rows are off by {shapes:.1%} on average, most {worst.idxmax()}: {worst.max():.1%}."
        yield Finding(
            "note", text, "synthetic", {"mean": shapes, "column": str(worst.idxmax()), "error": float(worst.max())}
        )


def dependence(f: Figures) -> Iterator[Finding]:
    """Name the columns that go together."""
    if f.ties is None or len(f.ties) < 2:
        return
    pairs = strongest(f.ties)
    if pairs[0][2] < LITTLE:
        text = f"Under the model no two columns tell more than {LITTLE:.0%} of one another."
        yield Finding("worry", text, "dependence", {"share": pairs[0][2]})
        return
    same = [(a, b, x) for a, b, x in pairs if x > NEARLY_SAME]
    for a, b, x in same[:NAMED]:
        text = f"{a} and {b} say nearly the same: one settles {x:.0%} of the other. Is one made of the other?"
        yield Finding("note", text, "dependence", {"columns": [a, b], "share": x})
    a, b, x = pairs[0]
    if not same:
        text = f"{a} and {b} tell most of one another: {x:.0%} of the smaller entropy."
        yield Finding("note", text, "dependence", {"columns": [a, b], "share": x})


def holes(f: Figures) -> Iterator[Finding]:
    """Judge holes that come together."""
    close = [(a, b, r) for a, b, r in f.together if r > TOGETHER]
    if close:
        a, b, r = close[0]
        more = f", and {plural(len(close) - 1, 'more pair')}" if len(close) > 1 else ""
        text = f"{a} and {b} are empty in the same rows (correlation {r:.2f}){more}: one cannot help to fill the other."
        yield Finding("note", text, "holes", {"pairs": len(close), "correlation": r})


def of_schema(schema: Schema) -> Iterator[Finding]:
    """Say what of the data is worth a look."""
    mostly = [c for c in schema.columns if c.missing > MANY_HOLES]
    if mostly:
        worst = max(mostly, key=lambda c: c.missing)
        text = (
            f"{few([str(c.name) for c in mostly])}: more than half of the cells are empty (up to {worst.missing:.0%})."
        )
        yield Finding("worry", text, "holes", {"columns": [str(c.name) for c in mostly], "share": worst.missing})
    for remark in schema.worth_a_look:
        if remark.what in ("missing", "labels", "nearly", "aside"):
            yield Finding(
                "worry" if remark.what == "missing" else "note", f"{remark.text}.", "data", {"what": remark.what}
            )


RULES: tuple[Callable[[Figures], Iterator[Finding]], ...] = (
    likelihood, training, columns, calibration, latents, odd_rows, synthetic, dependence, holes,
)  # fmt: skip
