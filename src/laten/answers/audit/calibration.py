"""The information in the latents, and whether the posterior is right: on the given rows and on simulated ones."""

import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.answers.audit.aggregate_posterior import GuideDensities, GuidePoints, information
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
    points, log_prior = study.ask_by_position(GuidePoints(EACH))
    n = len(points)
    log_q = study.ask(GuideDensities(jnp.asarray(points.reshape(n * EACH, -1))))
    found = information(log_q, log_prior.ravel())
    group, why = LATENTS, f"seen through {n} rows: never above log {n} = {np.log(n):.2f}"
    study.add(
        group, "mean KL", found.kl, found.error, "estimate", "of q(z | x) from the prior: the sum of the next two"
    )
    study.add(group, "mutual information, at least", found.low, found.error, "lower bound", why)
    study.add(group, "mutual information, at most", found.high, found.error, "upper bound", "a draw's own row left out")
    study.add(group, "KL of the aggregate, at least", max(found.kl - found.high, 0), found.error, "lower bound",
              "of the mean of q(z | x) over rows from the prior (Hoffman & Johnson 2016)")  # fmt: skip
    study.add(
        group, "KL of the aggregate, at most", max(found.kl - found.low, 0), found.error, "upper bound", "the same"
    )


def run_bdmc(study: Study) -> None:
    """Bound log p from both sides, on simulated rows."""
    found, values, masks = study.ask_simulated(Sandwiched(study.options.bridges), study.options.rows)
    lower, upper = found.lower.astype(np.float64), found.upper.astype(np.float64)
    check_acceptance("bdmc", found.acceptance, "give more bridges")
    study.simulated = pd.DataFrame({"lower": lower, "upper": upper, "gap": upper - lower})
    group = BOTH
    gap = upper - lower
    study.add(
        group,
        "BDMC lower",
        lower.mean(),
        np.nan,
        "lower bound",
        f"annealed from the {study.options.bridges.start} to the posterior",
    )
    study.add(group, "BDMC upper", upper.mean(), np.nan, "upper bound", "and back, from the latents that made the row")
    study.add(group, "BDMC gap", gap.mean(), gap.std() / np.sqrt(len(gap)), "upper bound",
              "how far annealing may be off (Grosse et al. 2015); error over rows")  # fmt: skip
    if not not_linear(study.fitted.model.network):
        exact = joint_normal(study.fitted.model.network, study.fitted.model.p).log_prob(values, masks)
        study.simulated["exact"] = exact
        study.add(group, "BDMC exact", exact.mean(), np.nan, "exact", "log p of the same simulated rows")


def run_sbc(study: Study) -> None:
    """Rank true latents among draws of the guide, and among resampled ones."""
    rows, group = study.options.ranked, CALIBRATION
    model = study.fitted.model
    names = coordinates(model)
    units = study.units if len(study.units) else pd.DataFrame(index=pd.Index(names, name="unit"))
    ranks = study.ask_simulated(Ranks(KEPT, RESAMPLED), rows)  # (rows, 2, d)
    for i, kind in enumerate(("guide", "resampled")):
        units[f"p_{kind}"] = uniformity(ranks[:, i], KEPT)
    study.ranks, study.units = ranks[:, 0], units
    study.add(group, "SBC p-value", smallest(units["p_guide"].to_numpy()), np.nan, "p-value",
              "ranks of true latents among guide draws are uniform (Talts et al. 2018)")  # fmt: skip
    study.add(group, "SBC p-value, resampled", smallest(units["p_resampled"].to_numpy()), np.nan, "p-value",
              f"the same, {RESAMPLED} draws resampled by their weights")  # fmt: skip
