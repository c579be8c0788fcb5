r"""`vae.audit`: puts the estimators together. Which of them fit a network is decided here, before anything compiles."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.answers.audit import Audit, Figure
from laten.answers.fitted import Fitted, by_row
from laten.data.rows import Rows
from laten.errors import LatenError, LatenWarning, known
from laten.infer import annealing, quadrature, reciprocal
from laten.infer.aggregate import ACTIVE, GuideDensities, GuidePoints, information
from laten.infer.audit import Annealing, AppendixD, Bounded, OwnGuide, Presented, Quadrature
from laten.infer.diagnostics import effective_sample_size, monte_carlo_error, pareto_k
from laten.infer.exact import joint_normal
from laten.infer.gaps import grouped
from laten.infer.simulated import Ranks, Sandwiched, smallest, uniformity
from laten.answers.fitting_audits import ESTIMATORS, check_only, coordinates, reasons

GROUPS = (1, 5, 50, 500, 5000)
KEPT = 99  # draws that a rank is among
RESAMPLED = 2000  # draws that they are resampled from
LEAST_ACCEPTED = 0.3
EMPTY = pd.DataFrame()


@dataclass(frozen=True)
class Options:
    """How an audit is done; see `Answers.audit`."""

    only: tuple[str, ...] = ()
    rows: int = 100
    simulated: int = 100
    ranked: int = 1000
    draws: int = 5000
    annealing: annealing.Plan = annealing.Plan()
    chains: reciprocal.Plan = reciprocal.Plan()
    own_steps: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        if self.annealing.start not in annealing.STARTS:
            raise LatenError(f"audit: annealing starts at one of {known(annealing.STARTS)}, not {self.annealing.start!r}")
        if self.chains.sampler not in reciprocal.SAMPLERS:
            raise LatenError(f"audit: the sampler is one of {known(reciprocal.SAMPLERS)}, not {self.chains.sampler!r}")


@dataclass
class Study:
    """An audit on its way: what is asked of what, and what has been found."""

    fitted: Fitted
    rows: Rows
    shift: np.ndarray  # (rows,) nats from the model's scale to the data's own
    options: Options
    say: Callable[[str], None]
    figures: list[Figure] = field(default_factory=list)
    by_row: dict[str, np.ndarray] = field(default_factory=dict)
    terms: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))
    units: pd.DataFrame = field(default_factory=pd.DataFrame)
    simulated: pd.DataFrame = field(default_factory=pd.DataFrame)
    ranks: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), int))
    elbo: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def add(self, group: str, name: str, value: float, error: float, kind: str, meaning: str) -> None:
        """Keeps a figure."""
        self.figures.append(Figure(group, name, float(value), float(error), kind, meaning))

    def log_p(self, name: str, per_row: np.ndarray, errors: np.ndarray, kind: str, meaning: str) -> None:
        """Keeps an estimate of log p of each row, in the data's own scale, from one in the model's."""
        self.by_row[name] = per_row.astype(np.float64) + self.shift
        error = np.sqrt(np.square(errors).sum()) / len(errors)
        self.add("log p(x), nats a row", name, self.by_row[name].mean(), error, kind, meaning)

    def ask(self, question: Any, **more: Any) -> Any:
        """Asks the rows."""
        return self.fitted.ask(question, self.rows, seed=self.options.seed, **more)

    def ask_simulated(self, question: Any, rows: int) -> Any:
        """Asks about rows that the model makes, which hide what the rows of the data hide, over and over."""
        index = np.arange(rows) % self.rows.n
        return self.fitted.ask(question, self.rows.take(index), True, self.options.seed, np.arange(rows))


def audit(fitted: Fitted, data: Any, options: Options, say: Callable[[str], None] = lambda text: None) -> Audit:
    """How good the model's posterior and log p(x) are on some rows.

    Args:
        say: Told what is being done.
    Raises:
        LatenError: an estimator that was asked for does not fit the network.
    """
    rows = fitted.rows(data)
    index = np.unique(np.linspace(0, rows.n - 1, min(rows.n, options.rows)).round().astype(int))
    why = reasons(fitted, rows.take(index), options.chains.sampler)
    check_only(options.only, why)
    study = Study(fitted, rows.take(index), by_row(fitted.view.log_det(data), rows.n)[index], options, say)
    for name, run in RUNS.items():
        if (not options.only or name in options.only) and not why[name]:
            study.say(f"{name}: {ESTIMATORS[name]}")
            run(study)
    return Audit(
        figures=tuple(study.figures),
        terms=study.terms,
        rows=pd.DataFrame(study.by_row, index=pd.Index(index, name="row")),
        units=study.units,
        simulated=study.simulated,
        ranks=study.ranks,
        kept=KEPT,
        left_out={n: w for n, w in why.items() if w and (not options.only or n in options.only)},
        note=f"{len(index)} of {rows.n} rows, {options.draws} guide draws a row; seed {options.seed}. "
        "Errors are those of the draws, for these very rows.",
    )


def run_bounds(study: Study) -> None:
    """ELBO, IWAE bounds, the state of the weights."""
    found, means = study.ask(Bounded(study.options.draws))
    log_w, elbo = found.log_w.astype(np.float64), found.elbo.astype(np.float64)
    study.elbo, rows = elbo, len(log_w)
    study.terms = pd.Series({n: float(np.mean(t)) for n, t in found.terms.items()}, dtype=float)
    study.log_p("ELBO", elbo.mean(1), spread(elbo), "lower bound", "what training maximises (Kingma & Welling 2014)")
    for size in sorted({*GROUPS, study.options.draws}):
        if size <= study.options.draws:
            bounds = grouped(log_w, size)
            errors = spread(bounds) if bounds.shape[1] > 1 else monte_carlo_error(log_w)
            study.log_p(f"IWAE {size}", bounds.mean(1), errors, "lower bound", f"{size} guide draws (Burda et al. 2016)")
    k = pareto_k(log_w)
    study.by_row["pareto_k"] = k
    known_k = k[~np.isnan(k)]
    worst = float(np.quantile(known_k, 0.95, method="higher")) if len(known_k) else np.nan
    size = float(np.median(effective_sample_size(log_w)))
    study.add("Weights of guide draws", "Pareto k", worst, np.nan, "diagnosis", "95th percentile of rows; bad above 0.7")
    study.add("Weights of guide draws", "effective sample size", size, np.nan, "diagnosis",
              f"median of rows, of {study.options.draws} draws")  # fmt: skip
    if means.shape[1]:
        variance = means.var(0, dtype=np.float64) if rows > 1 else np.full(means.shape[1], np.nan)
        names = coordinates(study.fitted.model)
        study.units = pd.DataFrame({"variance": variance, "active": variance > ACTIVE}, index=pd.Index(names, name="unit"))
        study.add("Latents", "active units", (variance > ACTIVE).sum(), np.nan, "count",
                  f"of {len(names)}: posterior means vary by more than {ACTIVE}")  # fmt: skip


def run_exact(study: Study) -> None:
    """Linear-Gaussian networks, and networks of discrete latents."""
    model = study.fitted.model
    if any(n not in model.discrete for n in model.latents):
        values, masks = study.ask(Presented())
        log_p, meaning = joint_normal(model).log_prob(values, masks), "all nodes are one normal vector"
    else:
        found, _ = study.ask(Bounded(1))
        log_p, meaning = found.log_w[:, 0], "all states of the latents summed"
    study.log_p("exact", log_p, np.zeros(len(log_p)), "exact", meaning)


def run_quadrature(study: Study) -> None:
    """Grids over one or two latent coordinates."""
    found = study.ask(Quadrature())
    study.log_p("quadrature", found.log_p, found.error, "exact", f"{quadrature.FINE} points a coordinate; error numerical")


def run_ais(study: Study) -> None:
    """Annealing of the rows."""
    plan = study.options.annealing
    log_w, acceptance = study.ask(Annealing(plan))
    log_w = log_w.astype(np.float64)
    check_acceptance("ais", acceptance, "give more bridges")
    said = f"annealed from the {plan.start} over {plan.bridges} bridges (Neal 2001), {acceptance.mean():.0%} accepted"
    study.log_p("AIS", grouped(log_w, plan.chains)[:, 0], monte_carlo_error(log_w), "lower bound", said)


def run_hmc(study: Study) -> None:
    """Appendix D."""
    plan = study.options.chains
    found = study.ask(AppendixD(plan))
    log_r = found.log_r.astype(np.float64)
    check_acceptance("hmc", found.acceptance, "use sampler='nuts' (laten[lab]), or trust 'ais'")
    said = f"{plan.sampler.upper()} and a fitted normal (Kingma & Welling 2014, D), {found.acceptance.mean():.0%} accepted"
    study.log_p("posterior samples", -grouped(log_r, log_r.shape[1])[:, 0], monte_carlo_error(log_r), "estimate", said)


def best(study: Study) -> tuple[str, np.ndarray]:
    """The closest there is to log p of each row: exact, or the highest of the lower bounds."""
    for name in ("exact", "quadrature"):
        if name in study.by_row:
            return name, study.by_row[name]
    bounds = [n for n in study.by_row if n == "AIS" or n.startswith("IWAE")]
    name = max(bounds, key=lambda n: float(study.by_row[n].mean()))
    return name, study.by_row[name]


def run_gap(study: Study) -> None:
    """The gap of the ELBO, in two."""
    if not study.elbo.size:
        run_bounds(study)
    elbo, _ = study.ask(OwnGuide(min(study.options.draws, 1000), study.options.own_steps))
    elbo = elbo.astype(np.float64)
    name, log_p = best(study)
    study.by_row["own ELBO"] = elbo.mean(1) + study.shift
    whole, shape = log_p - study.by_row["ELBO"], log_p - study.by_row["own ELBO"]
    error, own = (np.sqrt(np.square(spread(x)).sum()) / len(x) for x in (study.elbo, elbo))
    group = "Gap of the ELBO, nats a row"
    study.add(group, "gap", whole.mean(), error, "estimate", f"log p(x), by {name}, minus ELBO")
    study.add(group, "approximation gap", shape.mean(), own, "estimate",
              "log p(x) minus the ELBO of a guide fitted to each row: not of the posterior's shape")  # fmt: skip
    study.add(group, "amortisation gap", (whole - shape).mean(), np.hypot(error, own), "estimate",
              "what that gains over the guide: one net for all rows (Cremer et al. 2018)")  # fmt: skip


def run_latents(study: Study) -> None:
    """Mutual information and the aggregate posterior."""
    points, _, log_prior = study.ask(GuidePoints(1), by_position=True)
    n = len(points)
    log_q = study.ask(GuideDensities(jnp.asarray(points.reshape(n, -1))))
    found = information(log_q, np.arange(n), log_prior.ravel())
    group, why = "Latents", f"seen through {n} rows: never above log {n} = {np.log(n):.2f}"
    study.add(group, "mean KL", found.kl, found.error, "estimate", "of q(z | x) from the prior: the sum of the next two")
    study.add(group, "mutual information, at least", found.low, found.error, "lower bound", why)
    study.add(group, "mutual information, at most", found.high, found.error, "upper bound", "a draw's own row left out")
    study.add(group, "KL of the aggregate, at least", found.kl - found.high, found.error, "lower bound",
              "of the mean of q(z | x) over rows from the prior (Hoffman & Johnson 2016)")  # fmt: skip
    study.add(group, "KL of the aggregate, at most", found.kl - found.low, found.error, "upper bound", "the same")


def run_bdmc(study: Study) -> None:
    """Bounds from both sides, on simulated rows."""
    found, values = study.ask_simulated(Sandwiched(study.options.annealing), study.options.simulated)
    lower, upper = found.lower.astype(np.float64), found.upper.astype(np.float64)
    check_acceptance("bdmc", found.acceptance, "give more bridges")
    study.simulated = pd.DataFrame({"lower": lower, "upper": upper, "gap": upper - lower})
    group = f"Annealing both ways, {len(lower)} simulated rows"
    error = [float(x.std(ddof=1) / np.sqrt(len(x))) if len(x) > 1 else np.nan for x in (lower, upper, upper - lower)]
    study.add(group, "BDMC lower", lower.mean(), error[0], "lower bound", "forward; error over rows")
    study.add(group, "BDMC upper", upper.mean(), error[1], "upper bound", "reverse, from the row's own latents; over rows")
    study.add(group, "BDMC gap", (upper - lower).mean(), error[2], "upper bound",
              "how far annealing may be off (Grosse et al. 2015)")  # fmt: skip
    if "exact" in study.by_row and any(n not in study.fitted.model.discrete for n in study.fitted.model.latents):
        index = np.arange(len(lower)) % study.rows.n
        masks = {n: study.rows.mask[n][index] for n in study.rows.mask}
        exact = joint_normal(study.fitted.model).log_prob(values, masks)
        study.simulated["exact"] = exact
        study.add(group, "BDMC exact", exact.mean(), np.nan, "exact", "log p of the same simulated rows")


def run_sbc(study: Study) -> None:
    """Ranks of true latents among draws of the guide, and among resampled ones."""
    rows, group = study.options.ranked, f"Calibration, {study.options.ranked} simulated rows"
    names = coordinates(study.fitted.model)
    units = study.units if len(study.units) else pd.DataFrame(index=pd.Index(names, name="unit"))
    study.ranks = study.ask_simulated(Ranks(KEPT, KEPT), rows)
    units["p_guide"] = uniformity(study.ranks, KEPT)
    study.add(group, "SBC p-value", smallest(units["p_guide"].to_numpy()), np.nan, "p-value",
              "ranks of true latents among guide draws are uniform (Talts et al. 2018)")  # fmt: skip
    resampled = study.ask_simulated(Ranks(KEPT, RESAMPLED), rows)
    units["p_resampled"] = uniformity(resampled, KEPT)
    study.add(group, "SBC p-value, resampled", smallest(units["p_resampled"].to_numpy()), np.nan, "p-value",
              f"the same, {RESAMPLED} draws resampled by their weights")  # fmt: skip
    study.units = units


def spread(x: np.ndarray) -> np.ndarray:
    """`(rows,)` standard errors of the means of `(rows, n)`; NaN when n is 1."""
    n = x.shape[1]
    return x.std(axis=1, ddof=1) / np.sqrt(n) if n > 1 else np.full(len(x), np.nan)


def check_acceptance(name: str, found: np.ndarray, remedy: str) -> None:
    """Warns where HMC hardly moved."""
    share = float(np.mean(found))
    if share < LEAST_ACCEPTED:
        warnings.warn(
            f"audit: in {name!r} HMC accepted only {share:.0%} of its moves, so that its figures are not to be trusted; {remedy}",
            LatenWarning,
            stacklevel=5,
        )


RUNS: dict[str, Callable[[Study], None]] = {
    "bounds": run_bounds,
    "exact": run_exact,
    "quadrature": run_quadrature,
    "ais": run_ais,
    "hmc": run_hmc,
    "gap": run_gap,
    "latents": run_latents,
    "bdmc": run_bdmc,
    "sbc": run_sbc,
}
