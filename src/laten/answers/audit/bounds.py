"""Estimators of log p(x) of the given rows, and the gap of the ELBO."""

import numpy as np
import pandas as pd

from laten.answers.audit.annealing import forward
from laten.answers.audit.gaps import grouped
from laten.answers.audit.harmonic import DISAGREE, reciprocal
from laten.answers.audit.quadrature import FINE, integrate
from laten.answers.audit.questions import Bounded, OfPosterior, OwnGuide, Presented
from laten.answers.audit.result import CHAINS, GAP, LATENTS, WEIGHTS
from laten.answers.audit.study import Study, check_acceptance, check_chains, spread
from laten.answers.audit.which_fit import coordinates
from laten.inference.diagnostics import ACTIVE, effective_sample_size, log_mean_weight, monte_carlo_error, pareto_k
from laten.inference.linear_gaussian import joint_normal, not_linear

GROUPS = (1, 5, 50, 500, 5000)
OWN_DRAWS = 1000


def run_bounds(study: Study) -> None:
    """Measure ELBO, IWAE bounds, and the state of the weights."""
    found, means = study.ask(Bounded(study.options.draws))
    log_w, elbo = found.log_w.astype(np.float64), found.elbo.astype(np.float64)
    study.elbo, rows = elbo, len(log_w)
    study.terms = pd.Series({n: float(np.mean(t)) for n, t in found.terms.items()}, dtype=float)
    study.log_p("ELBO", elbo.mean(1), spread(elbo), "lower bound", "what training maximises (Kingma & Welling 2014)")
    for size in sorted({*GROUPS, study.options.draws}):
        if size <= study.options.draws:
            bounds, said = grouped(log_w, size), f"{size} guide draws (Burda et al. 2016)"
            errors = spread(bounds) if bounds.shape[1] > 1 else monte_carlo_error(log_w)
            study.log_p(f"IWAE {size}", bounds.mean(1), errors, "lower bound", said)
    k = pareto_k(log_w)
    study.by_row["pareto_k"] = k
    known_k = k[~np.isnan(k)]
    worst = float(np.quantile(known_k, 0.95, method="higher")) if len(known_k) else np.nan
    effective = float(np.median(effective_sample_size(log_w)))
    study.add(WEIGHTS, "Pareto k", worst, "diagnosis", "95th percentile of rows; bad above 0.7")
    said = f"median of rows, of {study.options.draws} draws"
    study.add(WEIGHTS, "effective sample size", effective, "diagnosis", said)
    if means.shape[1]:
        variance = means.var(0, dtype=np.float64) if rows > 1 else np.full(means.shape[1], np.nan)
        names = coordinates(study.fitted.model)
        active = variance > ACTIVE
        study.units = pd.DataFrame({"variance": variance, "active": active}, index=pd.Index(names, name="unit"))
        said = f"of {len(names)}: posterior means vary by more than {ACTIVE}"
        study.add(LATENTS, "active units", active.sum(), "count", said)


def run_exact(study: Study) -> None:
    """Solve linear-Gaussian networks, and networks of discrete latents."""
    model = study.fitted.model
    if not not_linear(model.network):
        values, masks = study.ask(Presented())
        log_p, meaning = joint_normal(model.network, model.p).log_prob(values, masks), "all nodes are one normal vector"
    else:
        found, _ = study.ask(Bounded(1))
        log_p, meaning = found.log_w[:, 0], "all states of the latents summed"
    study.log_p("exact", log_p, np.zeros(len(log_p)), "exact", meaning)


def run_quadrature(study: Study) -> None:
    """Sum over grids of one or two latent coordinates."""
    found = study.ask(OfPosterior(integrate, draws=FINE**2))
    study.log_p("quadrature", found.log_p, found.error, "exact", f"{FINE} points a coordinate; error numerical")


def run_ais(study: Study) -> None:
    """Anneal the rows."""
    plan = study.options.bridges
    found, _ = study.ask(OfPosterior(forward, (plan,), plan.work))
    log_w = found.log_w.astype(np.float64)
    check_acceptance("ais", found.acceptance, "give more bridges")
    said = f"annealed from the {plan.start} over {plan.bridges} bridges (Neal 2001), "
    said += f"{found.acceptance.mean():.0%} accepted"
    study.log_p("AIS", log_mean_weight(log_w), monte_carlo_error(log_w), "lower bound", said)


def run_hmc(study: Study) -> None:
    """Estimate by appendix D."""
    plan = study.options.chains
    found = study.ask(OfPosterior(reciprocal, (plan,), plan.work))
    log_r = found.log_r.astype(np.float64)
    check_acceptance("hmc", found.acceptance, "use sampler='nuts' (laten[lab]), or trust 'ais'")
    check_chains("hmc", found.r_hat)
    said = f"{plan.sampler.upper()} and normals fitted to its draws (Kingma & Welling 2014, D), "
    said += f"{found.acceptance.mean():.0%} accepted"
    study.log_p("posterior samples", -log_mean_weight(log_r), monte_carlo_error(log_r), "estimate", said)
    study.by_row["r_hat"] = found.r_hat.astype(np.float64)
    worst = float(np.quantile(found.r_hat, 0.95, method="higher"))
    study.add(CHAINS, "R-hat", worst, "diagnosis", f"95th percentile of rows; bad above {DISAGREE}")


def best(study: Study) -> tuple[str, np.ndarray]:
    """Return the closest there is to log p of each row: exact, or the highest of the lower bounds."""
    exact = [n for n in ("exact", "quadrature") if n in study.by_row]
    bounds = [n for n in study.by_row if n == "AIS" or n.startswith("IWAE")]
    name = exact[0] if exact else max(bounds, key=lambda n: float(study.by_row[n].mean()))
    return name, study.by_row[name]


def run_gap(study: Study) -> None:
    """Split the gap of the ELBO in two."""
    if not study.elbo.size:
        run_bounds(study)
    elbo, _ = study.ask(OwnGuide(min(study.options.draws, OWN_DRAWS), study.options.own_steps))
    elbo = elbo.astype(np.float64)
    name, log_p = best(study)
    study.by_row["own ELBO"] = elbo.mean(1) + study.shift
    whole, shape = log_p - study.by_row["ELBO"], log_p - study.by_row["own ELBO"]
    error, own = (np.sqrt(np.square(spread(x)).sum()) / len(x) for x in (study.elbo, elbo))
    of_shape = "log p(x) minus the ELBO of a guide fitted to each row: not of the posterior's shape"
    of_haste = "what that gains over the guide: one net for all rows (Cremer et al. 2018)"
    study.add(GAP, "gap", whole.mean(), "estimate", f"log p(x), by {name}, minus ELBO", error)
    study.add(GAP, "approximation gap", shape.mean(), "estimate", of_shape, own)
    study.add(GAP, "amortisation gap", (whole - shape).mean(), "estimate", of_haste, np.hypot(error, own))
