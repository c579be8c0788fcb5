"""`vae.audit`: puts the estimators together. Which of them fit is decided before anything compiles."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from laten.answers.audit import bounds, calibration
from laten.answers.audit.calibration import KEPT
from laten.answers.audit.result import ORDER, Audit
from laten.answers.audit.study import Options, Study
from laten.answers.audit.which_fit import check_only, reasons
from laten.answers.fitted import Fitted, by_row
from laten.network.uncertain_weights import certain, is_uncertain

ESTIMATORS: dict[str, tuple[Callable[[Study], None], str]] = {
    "bounds": (bounds.run_bounds, "ELBO and IWAE bounds from guide draws"),
    "exact": (bounds.run_exact, "log p(x) in closed form"),
    "quadrature": (bounds.run_quadrature, "log p(x) by a grid over the latents"),
    "ais": (bounds.run_ais, "annealed importance sampling"),
    "hmc": (bounds.run_hmc, "posterior samples and a density fitted to them"),
    "gap": (bounds.run_gap, "a guide for each row"),
    "latents": (calibration.run_latents, "mutual information and the aggregate posterior"),
    "bdmc": (calibration.run_bdmc, "annealing both ways on simulated rows"),
    "sbc": (calibration.run_sbc, "calibration of the posterior by simulation"),
}


def audit(fitted: Fitted, data: Any, options: Options, say: Callable[[str], None] = lambda text: None) -> Audit:
    """Say how good the model's posterior and log p(x) are on some rows.

    Args:
        say: Told what is being done.
    Raises:
        LatenError: an estimator that was asked for does not fit the network; an average.
    """
    fitted.model.refuse_average()
    spread, model = is_uncertain(fitted.model.p), fitted.model
    if spread:
        fitted = replace(fitted, model=replace(model, p=certain(model.p)))
    rows, log_det = fitted.scored(data)
    index = np.unique(np.linspace(0, rows.n - 1, min(rows.n, options.rows)).round().astype(int))
    why = reasons(fitted, rows.take(index), options.chains.sampler)
    check_only(options.only, why)
    study = Study(fitted, rows.take(index), by_row(log_det, rows.n)[index], options, say)
    for name, (run, words) in ESTIMATORS.items():
        if (not options.only or name in options.only) and not why[name]:
            study.say(f"{name}: {words}")
            run(study)
    return Audit(
        figures=tuple(sorted(study.figures, key=lambda f: ORDER.index(f.group))),
        terms=study.terms,
        rows=pd.DataFrame(study.by_row, index=pd.Index(index, name="row")),
        units=study.units,
        simulated=study.simulated,
        ranks=study.ranks,
        kept=KEPT,
        left_out={n: w for n, w in why.items() if w and (not options.only or n in options.only)},
        note=f"{len(index)} of {rows.n} rows, {options.draws} guide draws a row; seed {options.seed}. "
        f"{len(study.simulated)} rows simulated for annealing, {len(study.ranks)} for ranks. "
        "Errors are those of the draws, for these very rows."
        + (" The weights are uncertain: all figures are at their means." if spread else ""),
    )
