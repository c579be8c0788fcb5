"""What `vae.audit` finds: bounds on log p(x) and their gaps, what the latents carry, whether the posterior is right.

Printable, drawable, and every figure with its error and what it means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.answers.audit.simulated import bins_for
from laten.common import notebook
from laten.common.errors import DataError
from laten.data.messages import unknown
from laten.inference.diagnostics import UNRELIABLE

# groups of figures, as they are number_text
BOUNDS, WEIGHTS, GAP = "log p(x), nats a row", "Weights of guide draws", "Gap of the ELBO, nats a row"
CHAINS = "Chains of posterior samples"
BOTH, CALIBRATION, LATENTS = "Simulated rows, annealed both ways", "Simulated rows, calibration", "Latents"
ORDER = (BOUNDS, WEIGHTS, CHAINS, GAP, BOTH, CALIBRATION, LATENTS)
SURE = 0.01  # p-value below which ranks are not uniform by chance


class Figure(NamedTuple):
    """One figure of an audit.

    Args:
        group: What it is about.
        name: What it is called.
        value: In nats a row unless its name says otherwise.
        error: Standard error from the draws, for these very rows; of quadrature its numerical error; NaN: none.
        kind: "lower bound", "upper bound", "estimate", "exact", or what else it is.
        meaning: In plain words.
    """

    group: str
    name: str
    value: float
    error: float
    kind: str
    meaning: str


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """The quality of a fitted model's posterior and log p(x); `print` shows it, `audit["ELBO"]` gives one figure.

    Args:
        figures: All of them.
        terms: Node -> its share of the ELBO; of a latent minus its KL from the prior. In the model's scale.
        rows: A row a row: every estimate of log p(row), in the data's own scale, the Pareto k of its weights
            and the R-hat of its chains.
        units: A row a continuous latent coordinate: variance of its posterior mean, whether it is active, p-values of
            its ranks among the guide's draws and among resampled ones.
        simulated: A row a simulated row: bounds from annealing both ways, in the model's scale, and exact log p where
            it is known.
        ranks: `(simulated rows, coordinates)` ranks of true latents among `kept` guide draws.
        kept: L, so that ranks lie in 0..L.
        left_out: Estimator -> why it does not fit.
        note: Which rows were used.
    """

    figures: tuple[Figure, ...]
    terms: pd.Series
    rows: pd.DataFrame
    units: pd.DataFrame
    simulated: pd.DataFrame
    ranks: np.ndarray
    kept: int
    left_out: Mapping[str, str]
    note: str

    @property
    def table(self) -> pd.DataFrame:
        """The figures: group, name, value, error, kind, meaning."""
        return pd.DataFrame(self.figures, columns=list(Figure._fields))

    @property
    def bounds(self) -> tuple[Figure, ...]:
        """The figures that bound or estimate log p(x)."""
        return tuple(f for f in self.figures if f.group == BOUNDS)

    @property
    def rank_bins(self) -> int:
        """Number of bins in which the ranks are counted."""
        return bins_for(len(self.ranks), self.kept)

    def __contains__(self, name: object) -> bool:
        return any(f.name == name for f in self.figures)

    def __getitem__(self, name: str) -> float:
        """Return the value of one figure.

        Raises:
            DataError: there is no such figure.
        """
        found = {f.name: f.value for f in self.figures}
        if name not in found:
            why = "; ".join(f"{n} was left out: {w}" for n, w in self.left_out.items())
            raise unknown("figure", name, found) if not why else DataError(f"there is no figure {name!r}; {why}")
        return found[name]

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw one picture: the bounds, the gap of each row, the latents, the ranks.

        Args:
            path: Also write the picture: .png, .svg or .pdf.
        Returns:
            A matplotlib Figure.
        """
        from laten.plots.audit import plot_audit

        return plot_audit(self, path)

    def __repr__(self) -> str:
        return f"Audit({', '.join(f'{f.name} {number_text(f.value)}' for f in self.figures)})"

    def _repr_html_(self) -> str:
        rows = ((f.name, number_text(f.value), number_text(f.error), f.kind, f.meaning) for f in self.figures)
        heads = ("figure", "value", "± error", "kind", "meaning")
        return notebook.table(heads, rows, len(self.figures)) + notebook.sentences("\n".join(self.remarks))

    def __str__(self) -> str:
        lines: list[tuple[str, ...]] = [("figure", "value", "± error", "kind", "meaning")]
        group = ""
        for f in self.figures:
            if f.group != group:
                group = f.group
                lines.append((group, "", "", "", ""))
            lines.append((f"  {f.name}", number_text(f.value), number_text(f.error), f.kind, f.meaning))
        wide = [max(len(line[i]) for line in lines) for i in range(4)]
        texts = [
            "  ".join([a.ljust(wide[0]), v.rjust(wide[1]), e.rjust(wide[2]), k.ljust(wide[3]), m]).rstrip()
            for a, v, e, k, m in lines
        ]
        return "\n".join([texts[0], "─" * max(map(len, texts)), *texts[1:], "", *self.remarks])

    @property
    def remarks(self) -> list[str]:
        """What it all means, in sentences."""
        parts = [said for said in (of_gap(self), of_weights(self), of_sandwich(self), of_ranks(self)) if said]
        if len(self.terms):
            parts.append("ELBO by node: " + ", ".join(f"{n} {number_text(x)}" for n, x in self.terms.items()) + ".")
        reasons: dict[str, list[str]] = {}
        for name, why in self.left_out.items():
            reasons.setdefault(why, []).append(name)
        parts += [f"Left out: {', '.join(names)}: {why}." for why, names in reasons.items()]
        return [*parts, self.note]


def number_text(x: float) -> str:
    """Write a number as it is read."""
    if np.isnan(x):
        return "-"
    if np.isinf(x) or x == int(x):
        return f"{x:.0f}"
    return f"{x:.3f}" if abs(x) >= 1 else f"{x:.4f}" if abs(x) >= 5e-4 else f"{x:.0e}"


def of_gap(audit: Audit) -> str:
    """Say where the ELBO loses."""
    if "gap" not in audit:
        return ""
    gap, shape, haste = (audit[n] for n in ("gap", "approximation gap", "amortisation gap"))
    said = f"The ELBO is {gap:.3g} nats below log p(x): {shape:.3g} because posteriors are not of the guide's shape"
    said += f", {haste:.3g} because one net serves all rows."
    if gap < 0.05:
        return f"{said} That is close to nothing."
    if shape > 2 * haste:
        return f"{said} A more flexible guide family would gain most."
    return f"{said} A larger guide net, or more training of it, would gain most." if haste > 2 * shape else said


def of_weights(audit: Audit) -> str:
    """Say whether importance sampling can be trusted."""
    if "Pareto k" not in audit or np.isnan(audit["Pareto k"]):
        return ""
    k = audit["Pareto k"]
    if k < UNRELIABLE:
        return f"Importance weights of the guide's draws are well behaved (Pareto k {k:.2f} < {UNRELIABLE})."
    return (
        f"Importance weights have a heavy tail (Pareto k {k:.2f} > {UNRELIABLE}): IWAE is below log p(x) by an unknown "
        "amount, trust annealing rather."
    )


def of_sandwich(audit: Audit) -> str:
    """Say how tight annealing is."""
    if "BDMC gap" not in audit:
        return ""
    gap, worst = audit["BDMC gap"], float(audit.simulated["gap"].max())
    said = "On rows that the model made itself, annealing's bounds on log p(x) are "
    said += f"{max(gap, 0):.2f} nats apart on average, {worst:.2f} at most"
    return f"{said}." if gap < 0.5 else f"{said}. That is too much to trust annealing; use more bridges."


def of_ranks(audit: Audit) -> str:
    """Say whether the guide is the posterior."""
    if "SBC p-value" not in audit:
        return ""
    p = audit["SBC p-value"]
    if p >= SURE:
        return f"Ranks of true latents among guide draws are as uniform as chance makes them (p = {p:.2g})."
    off, all_units = int((audit.units["p_guide"] < SURE / len(audit.units)).sum()), len(audit.units)
    away = np.abs(audit.ranks / audit.kept - 0.5).mean()
    shape = "too narrow" if away > 0.26 else "too wide" if away < 0.24 else "shifted or bent"
    said = f"The guide is not the posterior (p = {p:.2g}, {off} of {all_units} coordinates): it is {shape}."
    if "SBC p-value, resampled" in audit and audit["SBC p-value, resampled"] >= SURE:
        said += " Resampling its draws by their weights, as every answer does, puts that right."
    return said
