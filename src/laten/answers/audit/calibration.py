"""The information in the latents, and whether the posterior is right: on the given rows and on simulated ones."""

import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.answers.audit.aggregate_posterior import GuideDensities, guide_points, information
from laten.answers.audit.questions import OfPosterior
from laten.answers.audit.result import BOTH, CALIBRATION, LATENTS
from laten.answers.audit.simulated import Ranks, Sandwiched, smallest, uniformity
from laten.answers.audit.study import Study, check_acceptance
from laten.answers.audit.which_fit import coordinates
from laten.inference.linear_gaussian import joint_normal, not_linear

EACH = 16  # guide draws a row, for what the latents carry
KEPT = 99  # draws that a rank is among
RESAMPLED = 2000  # draws that they are resampled from


def run_latents(study: Study) -> None:
    """Measure mutual information and the aggregate posterior."""
    points, log_prior = study.ask_by_position(OfPosterior(guide_points, (EACH,), EACH))
    n = len(points)
    log_q = study.ask(GuideDensities(jnp.asarray(points.reshape(n * EACH, -1))))
    found = information(log_q, log_prior.ravel())
    capped = f"seen through {n} rows: never above log {n} = {np.log(n):.2f}"
    of_mean = "of the mean of q(z | x) over rows from the prior (Hoffman & Johnson 2016)"
    for name, value, kind, meaning in (
        ("mean KL", found.kl, "estimate", "of q(z | x) from the prior: the sum of the next two"),
        ("mutual information, at least", found.low, "lower bound", capped),
        ("mutual information, at most", found.high, "upper bound", "a draw's own row left out"),
        ("KL of the aggregate, at least", max(found.kl - found.high, 0), "lower bound", of_mean),
        ("KL of the aggregate, at most", max(found.kl - found.low, 0), "upper bound", "the same"),
    ):
        study.add(LATENTS, name, value, kind, meaning, found.error)


def run_bdmc(study: Study) -> None:
    """Bound log p from both sides, on simulated rows."""
    plan, model = study.options.bridges, study.fitted.model
    found, values, masks = study.ask_simulated(Sandwiched(plan), study.options.rows)
    lower, upper = found.lower.astype(np.float64), found.upper.astype(np.float64)
    check_acceptance("bdmc", found.acceptance, "give more bridges")
    gap = upper - lower
    study.simulated = pd.DataFrame({"lower": lower, "upper": upper, "gap": gap})
    there = f"annealed from the {plan.start} to the posterior"
    apart = "how far annealing may be off (Grosse et al. 2015); error over rows"
    study.add(BOTH, "BDMC lower", lower.mean(), "lower bound", there)
    study.add(BOTH, "BDMC upper", upper.mean(), "upper bound", "and back, from the latents that made the row")
    study.add(BOTH, "BDMC gap", gap.mean(), "upper bound", apart, gap.std() / np.sqrt(len(gap)))
    if not not_linear(model.network):
        exact = joint_normal(model.network, model.p).log_prob(values, masks)
        study.simulated["exact"] = exact
        study.add(BOTH, "BDMC exact", exact.mean(), "exact", "log p of the same simulated rows")


def run_sbc(study: Study) -> None:
    """Rank true latents among draws of the guide, and among resampled ones."""
    names = coordinates(study.fitted.model)
    units = study.units if len(study.units) else pd.DataFrame(index=pd.Index(names, name="unit"))
    ranks = study.ask_simulated(Ranks(KEPT, RESAMPLED), study.options.ranked)  # (rows, 2, d)
    study.ranks, study.units = ranks[:, 0], units
    for i, (kind, name, meaning) in enumerate(
        (
            ("guide", "SBC p-value", "ranks of true latents among guide draws are uniform (Talts et al. 2018)"),
            ("resampled", "SBC p-value, resampled", f"the same, {RESAMPLED} draws resampled by their weights"),
        )
    ):
        p = uniformity(ranks[:, i], KEPT)
        units[f"p_{kind}"] = p
        study.add(CALIBRATION, name, smallest(p), "p-value", meaning)
