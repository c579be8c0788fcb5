r"""Bayes' theorem and the identity of variational inference, with numbers.

$$p(z\mid x) = \frac{p(x\mid z)\,p(z)}{p(x)},\qquad
\log p(x) = \underbrace{\mathrm{KL}(q\,\|\,p(z\mid x))}_{\text{gap}\ \ge\ 0} +
\underbrace{\mathbb E_q[\log p(x, z)] + H(q)}_{\text{ELBO}}$$

The three terms are computed by three ways that share nothing but the network: log p(x) by summing or integrating z out,
the KL from the posterior, the ELBO from the joint. What is left over, the residual, is rounding.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from laten.inference.linear_gaussian import Normals, log_normal

ROWS = 10  # joint states shown
SMALL = -12.0  # log p(x) below which the joint is shown as a logarithm


@dataclass(frozen=True, eq=False)
class Explanation:
    """An example explained by `laten.explain`; print it, or draw it with `plot`.

    Args:
        evidence: Variable -> what was seen, as text.
        latents: What was not.
        guide: What q is: "mean field", "guide", or "prior".
        table: Bayes' theorem. Discrete: a joint state of the latents a row, the most probable first, with `prior`,
            `likelihood`, `joint`, `posterior`, `q`, and `log_joint` (nats). Normal: a latent's site a row, mean and
            standard deviation of each.
        marginals: The same by latent and state: `prior`, `posterior`, `q` (normal: the table itself).
        log_evidence: log p(x), nats.
        kl: KL(q ‖ posterior), nats.
        elbo: Evidence lower bound, nats: `energy` + `entropy`.
        energy: E_q[log p(x, z)], nats.
        entropy: H(q), nats.
        steps: One row a step of q from the prior: the latent that `moved`, `kl`, `elbo`.
        path: q at each step. Discrete: the probabilities of each latent's states. Normal: `Normals`.
        normal: Prior and posterior of normal latents; None for discrete ones.
    """

    evidence: dict[str, str]
    latents: tuple[str, ...]
    guide: str
    table: pd.DataFrame
    marginals: pd.DataFrame
    log_evidence: float
    kl: float
    elbo: float
    energy: float
    entropy: float
    steps: pd.DataFrame
    path: tuple[Any, ...]
    normal: tuple[Normals, Normals] | None = None

    @property
    def residual(self) -> float:
        """log p(x) - KL - ELBO: zero except for rounding."""
        return self.log_evidence - self.kl - self.elbo

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw a strip of pictures: q approaches the posterior while the ELBO rises to log p(x).

        Args:
            path: Also write it: .png, .svg or .pdf; .gif for a moving picture.
        Returns:
            A matplotlib Figure.
        """
        from laten.plots.bayes_theorem import plot_identity

        return plot_identity(self, path)

    def __str__(self) -> str:
        x, z = ", ".join(f"{n}={v}" for n, v in self.evidence.items()), ", ".join(self.latents)
        x = x if len(x) <= 60 else f"{len(self.evidence)} variables seen"
        lines = [f"Bayes' theorem for z = ({z}), given x = ({x})", "", "  p(z | x) = p(x | z) p(z) / p(x)", ""]
        lines += normal_lines(self) if self.normal is not None else discrete_lines(self)
        if self.normal is None and len(self.latents) > 1:
            lines += ["", "Latent by latent", "", *aligned(percents(self.marginals.reset_index()))]
        return "\n".join([*lines, "", *identity_lines(self)])


def discrete_lines(e: Explanation) -> list[str]:
    """Write prior, likelihood, joint, posterior and q of the most probable joint states, and their sums."""
    shown = e.table.iloc[: ROWS if len(e.table) > ROWS + 2 else len(e.table)]
    frame = percents(shown[["prior", "likelihood", "joint", "posterior", "q"]].reset_index())
    rest, names = len(e.table) - len(shown), list(frame)
    ends = {n: percent(e.table[n].sum()) for n in ("prior", "joint", "posterior", "q")}
    if e.log_evidence < SMALL or e.table["likelihood"].max() > 1:  # far from per cent: logarithms
        frame["joint"] = [f"e^{x:.2f}" for x in shown["log_joint"]]
        with np.errstate(divide="ignore"):
            frame["likelihood"] = [f"e^{x:.2f}" for x in shown["log_joint"] - np.log(shown["prior"])]
        ends["joint"] = f"e^{e.log_evidence:.2f}"
    if rest:
        frame.loc[len(frame)] = [f"… {rest} more", *[""] * (len(names) - 1)]
    frame.loc[len(frame)] = ["sum", *(ends.get(n, "") for n in names[1:])]
    lines = aligned(frame)
    lines[-1] += f"    the joint sums to p(x) = {ends['joint']}"
    return lines


def normal_lines(e: Explanation) -> list[str]:
    """Write mean ± standard deviation of each site, and Bayes' theorem at the posterior mean."""
    assert e.normal is not None
    prior, posterior = e.normal
    frame = pd.DataFrame({"latent": e.table.index})
    for name in ("prior", "posterior", "q"):
        pairs = zip(e.table[f"{name} mean"], e.table[f"{name} sd"], strict=True)
        frame[name] = [f"{m:.4f} ± {s:.4f}" for m, s in pairs]
    at = posterior.mean
    log_prior, log_posterior = (log_normal(at, n) for n in (prior, posterior))
    log_likelihood = log_posterior + e.log_evidence - log_prior
    return [
        *aligned(frame),
        "",
        "Bayes' theorem at the posterior mean, logarithms in nats",
        "",
        f"  log p(z) {log_prior:+.4f}   + log p(x | z) {log_likelihood:+.4f}   - log p(x) {e.log_evidence:+.4f}"
        f"   = log p(z | x) {log_posterior:+.4f}",
    ]


def identity_lines(e: Explanation) -> list[str]:
    """Write log p(x) = KL + ELBO, with the parts of the ELBO."""
    steps = len(e.steps) - 1
    ascent = f"a product of independent factors, where {steps} step{'s' * (steps != 1)} of coordinate ascent lead"
    how = {"mean field": ascent, "prior": "the prior itself"}
    rows = [
        ("log p(x)", e.log_evidence, f"the evidence: z {'summed' if e.normal is None else 'integrated'} out exactly"),
        ("KL(q ‖ p(z | x))", e.kl, "the gap between q and the posterior; never negative"),
        ("ELBO", e.elbo, "E_q[log p(x, z)] + H(q) = " + f"{e.energy:.6f} + {e.entropy:.6f}".replace("+ -", "- ")),
    ]
    lines = [f"log p(x) = KL + ELBO, in nats; q is {how.get(e.guide, 'what the guide says of x')}", ""]
    lines += [f"  {name:<18}{value:>14.6f}   {says}" for name, value, says in rows]
    return [*lines, f"  {'residual':<18}{e.residual:>14.0e}   log p(x) - KL - ELBO: rounding"]


def percents(frame: pd.DataFrame) -> pd.DataFrame:
    """Write numbers as per cent."""
    return frame.apply(lambda c: c.map(percent) if c.dtype.kind == "f" else c.astype(str)).astype(object)


def percent(p: float) -> str:
    """Write a probability as per cent, small ones with their leading digits; a dash where it is not defined."""
    if np.isnan(p):
        return "–"
    return f"{100 * p:.2f} %" if p >= 1e-4 or p < 1e-8 else f"{100 * p:.1e} %"


def aligned(frame: pd.DataFrame) -> list[str]:
    """Write a frame of text as lines: names and words to the left, numbers to the right."""
    lines = [list(map(str, frame.columns)), *frame.astype(str).to_numpy().tolist()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(frame.columns))]
    right = [
        any(c.endswith("%") or c.startswith("e^") or "±" in c for c in frame.iloc[:, i]) for i in range(len(widths))
    ]
    cells = [[c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)] for line in lines]
    return ["  " + "   ".join(line).rstrip() for line in cells]
