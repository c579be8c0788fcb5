"""What `laten.quality` finds: measures with their meaning, by column and by pair, printable and drawable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.common import notebook
from laten.common.errors import DataError
from laten.data.messages import unknown
from laten.plots.contents.columns import Marginal
from laten.synthetic.distances import Nearest


class Words(NamedTuple):
    """The words that go with a measure."""

    group: str
    better: str  # lower, higher, near 1
    percent: bool
    meaning: str


MEASURES = {
    "column shapes": Words("Likeness", "lower", True, "how far a column's distribution is off, mean of columns"),
    "pair trends": Words("Likeness", "lower", True, "how far two columns' going together is off, mean of pairs"),
    "pair trends, same bins": Words("Likeness", "lower", True, "the same, all numbers cut at the real table's bins"),
    "pair trends, strong pairs": Words(
        "Likeness", "lower", True, "pair trends of real pairs that go together, as sdmetrics 0.32 counts"
    ),
    "missing cells": Words("Likeness", "lower", True, "how far a column's share of holes is off, mean of columns"),
    "rare levels present": Words("Likeness", "higher", True, "levels of classes that synthetic rows have"),
    "rare levels' frequency": Words("Likeness", "near 1", False, "how often levels under 1 % come, over real"),
    "detection, trees": Words("Detection", "lower", False, "AUC of trees that tell synthetic from real; 0.5: a guess"),
    "detection, linear": Words("Detection", "lower", False, "AUC of a logistic regression that does; 0.5: a guess"),
    "detection score, trees": Words("Detection", "higher", False, "2 − 2 AUC: 1 when the trees can but guess"),
    "detection score, linear": Words("Detection", "higher", False, "2 − 2 AUC: 1 when the regression can but guess"),
    "train on synthetic": Words("Use", "higher", False, "{score} of predicting {target}; reference: trained on real"),
    "exact copies": Words("Privacy", "lower", True, "synthetic rows that stand in the real table"),
    "nearest record, median": Words("Privacy", "near 1", False, "distance to the closest real row, over hold-out's"),
    "nearest record, 5th percentile": Words("Privacy", "near 1", False, "the same, of the rows that are closest"),
    "closer to training": Words("Privacy", "lower", True, "synthetic rows closer to real than to held-out rows"),
    "membership attack": Words("Privacy", "lower", False, "AUC of telling real from held-out rows; 0.5: a guess"),
}


@dataclass(frozen=True)
class Measure:
    """One figure.

    Args:
        name: One of `MEASURES`.
        value: Of the synthetic rows; NaN when left out.
        reference: The best one can hope for: the same of the hold-out, or what chance gives; NaN when not known.
        better: `lower`, `higher` or `near 1`.
        meaning: In plain words.
        left_out: Why there is no value.
    """

    name: str
    value: float
    reference: float
    better: str
    meaning: str
    left_out: str = ""

    @property
    def text(self) -> str:
        """The value as it is read."""
        return written(self.name, self.value)

    @property
    def reference_text(self) -> str:
        """The reference as it is read."""
        return written(self.name, self.reference)


HOLES = 0.05  # share of empty cells in a column that is worth a word where synthetic rows have none


@dataclass(frozen=True, eq=False, repr=False)
class Quality:
    """The quality of synthetic rows; `print` shows it as a table, `quality["pair trends"]` gives one figure.

    Args:
        measures: Every measure, also those left out.
        columns: A row a column: kind, error (KS or TV), reference (the hold-out's), shares of missing cells, share of
            unseen cells (outside the real range, or a level the real table lacks).
        pairs: Errors of pairs of columns, numbers cut as sdmetrics does; NaN on the diagonal.
        pairs_same_bins: The same, numbers of all tables cut at the real table's bins: where to look for what is wrong.
        set_aside: Column -> why it is not measured.
        note: Which rows were used.
        marginals: Of the columns with the largest errors.
        nearest: Distances to the closest real row.
    """

    measures: tuple[Measure, ...]
    columns: pd.DataFrame
    pairs: pd.DataFrame
    pairs_same_bins: pd.DataFrame
    set_aside: Mapping[str | int, str]
    note: str
    marginals: tuple[Marginal, ...] = field(default=())
    nearest: Nearest | None = None

    @property
    def frame(self) -> pd.DataFrame:
        """The measures that were taken: measure, value, better, reference, meaning."""
        rows = [(m.name, m.value, m.better, m.reference, m.meaning) for m in self.measures if not m.left_out]
        return pd.DataFrame(rows, columns=["measure", "value", "better", "reference", "meaning"])

    @property
    def left_out(self) -> dict[str, str]:
        """Measure -> why it was not taken."""
        return {m.name: m.left_out for m in self.measures if m.left_out}

    def __getitem__(self, name: str) -> float:
        """Return the value of one measure.

        Raises:
            DataError: there is no such measure, or it was left out.
        """
        found = {m.name: m for m in self.measures}
        if name not in found:
            raise unknown("measure", name, found)
        if found[name].left_out:
            raise DataError(f"{name!r} was left out: {found[name].left_out}")
        return found[name].value

    def worst_pairs(self, count: int = 5) -> pd.Series:
        """Return the pairs with the largest errors, numbers cut at the same bins; indexed by both names."""
        i, j = np.triu_indices(len(self.pairs_same_bins), 1)
        errors = self.pairs_same_bins.to_numpy()[i, j]
        top = np.argsort(-errors, kind="stable")[:count]
        names = self.pairs_same_bins.columns
        return pd.Series(errors[top], index=[(names[i[k]], names[j[k]]) for k in top], dtype=float)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw one figure: columns, pairs, the worst marginals, nearest records.

        Args:
            path: Also write the picture: .png, .svg or .pdf.
        Returns:
            A matplotlib Figure.
        """
        # Pictures stand on a higher floor; this is a door to them, looked up only when used.
        from laten.plots.quality import plot_quality

        return plot_quality(self, path)

    def _repr_html_(self) -> str:
        taken = [m for m in self.measures if not m.left_out]
        rows = ((m.name, m.text, m.reference_text, m.better, m.meaning) for m in taken)
        heads = ("measure", "synthetic", "reference", "better", "meaning")
        return notebook.table(heads, rows, len(taken)) + notebook.sentences("\n".join(self._remarks()))

    def __repr__(self) -> str:
        return f"Quality({', '.join(f'{m.name} {m.text}' for m in self.measures if not m.left_out)})"

    def __str__(self) -> str:
        head = ("measure", "synthetic", "reference", "better", "meaning")
        lines = [head]
        group = ""
        for m in self.measures:
            if m.left_out:
                continue
            if MEASURES[m.name].group != group:
                group = MEASURES[m.name].group
                lines.append((group, "", "", "", ""))
            lines.append((f"  {m.name}", m.text, m.reference_text, m.better, m.meaning))
        wide = [max(len(line[i]) for line in lines) for i in range(4)]
        texts = [
            "  ".join([a.ljust(wide[0]), v.rjust(wide[1]), r.rjust(wide[2]), b.ljust(wide[3]), w]).rstrip()
            for a, v, r, b, w in lines
        ]
        return "\n".join([texts[0], "─" * max(map(len, texts)), *texts[1:], "", *self._remarks()])

    def _remarks(self) -> list[str]:
        worst = self.columns["error"].sort_values(ascending=False, kind="stable").head(5)
        lines = ["Worst columns: " + ", ".join(f"{n} {e:.1%}" for n, e in worst.items())]
        pairs = self.worst_pairs()
        if len(pairs):
            lines.append("Worst pairs: " + ", ".join(f"{a} × {b} {e:.1%}" for (a, b), e in pairs.items()))
        holes = self.columns["missing_real"]
        if not self.columns["missing_synthetic"].any() and holes.max() > HOLES:
            lines.append(
                f"Synthetic rows have no empty cells, the real table has {holes.max():.1%} in {holes.idxmax()!r}: "
                "pairs and detection show that alone; draw with sample(n, holes=True)"
            )
        reasons: dict[str, list[str]] = {}
        for name, why in self.left_out.items():
            reasons.setdefault(why, []).append(name)
        lines += [f"Left out: {', '.join(names)}: {why}" for why, names in reasons.items()]
        lines += [f"Set aside: {name}: {why}" for name, why in self.set_aside.items()]
        return [*lines, self.note]


def measure(name: str, found: tuple[float, float] | str, **words: str) -> Measure:
    """Make a measure with its words; `found` is its value and reference, or why it is left out."""
    said = MEASURES[name]
    meaning = said.meaning.format(**words) if words else said.meaning
    if isinstance(found, str):
        return Measure(name, np.nan, np.nan, said.better, meaning, found)
    return Measure(name, float(found[0]), float(found[1]), said.better, meaning)


def written(name: str, x: float) -> str:
    """Return a value of the measure `name` as it is read."""
    if np.isnan(x):
        return "-"
    return f"{x:.2%}" if MEASURES[name].percent else f"{x:.3f}"
