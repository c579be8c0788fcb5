"""The estimators of an audit that fit a model, and why the others do not."""

from collections.abc import Mapping, Sequence

import numpy as np

from laten.answers.audit import harmonic, quadrature
from laten.answers.fitted import Fitted
from laten.common.errors import LatenError, known
from laten.data.rows.rows import Rows
from laten.inference import hmc
from laten.inference.linear_gaussian import not_linear
from laten.inference.own_guide import constants_of
from laten.inference.posterior import continuous, dimensions, uninferred
from laten.network.model import Model


def reasons(fitted: Fitted, rows: Rows, sampler: str = "hmc") -> dict[str, str]:
    """Say why an estimator does not fit; empty where it does."""
    model = fitted.model
    whole = set(rows.values) - set(rows.mask) - set(model.latents)
    d, lacking = dimensions(model), uninferred(model, whole)
    walk = ""
    if lacking:
        walk = f"nodes {known(lacking)} are neither observed nor inferred by the guide; 'bounds' fits"
    elif not d:
        walk = "there are no continuous latents to move; 'exact' sums discrete ones out"
    elif stay := [f for n in continuous(model) if not (f := model.guide.nodes[n].family).walks]:
        walk = f"latents of {stay[0]!r} are no real numbers to walk over; 'bounds' fits"
    simulate, modelled = walk, [n for n in rows.values if model.network.nodes[n].family.models_missing]
    if not walk and modelled:
        what = f"which cells of {known(modelled)} are missing"
        simulate = f"{what} is modelled too, and simulated rows lack it; 'ais' fits"
    linear = not_linear(model.network)
    exact = f"the network is not linear-Gaussian, {linear}; 'bounds' and 'ais' fit" if linear and (d or lacking) else ""
    seen = [n for n in continuous(model) if n in rows.values and rows.mask.get(n, np.ones(1, bool)).any()]
    out = dict.fromkeys(("bounds", "exact", "quadrature", "ais", "hmc", "gap", "latents", "bdmc", "sbc"), walk)
    out |= {"bounds": "", "exact": exact, "gap": "", "bdmc": simulate, "sbc": simulate}
    if d > quadrature.MOST:
        most = f"{quadrature.MOST} are the most"
        out["quadrature"] = f"a grid over {d} latent coordinates is too large, {most}; 'ais' fits"
    if d > harmonic.MOST:
        out["hmc"] = f"it holds up to {harmonic.MOST} latent coordinates, and there are {d}; 'ais' fits"
    if not walk and seen:
        out["latents"] = f"latents {known(seen)} are observed in some rows, which have no q(z | x)"
    if not walk and rows.n < 2:
        out["latents"] = "one row says nothing of what differs between rows"
    if not constants_of(model):
        out["gap"] = "the guide has nothing to fit to a row"
    if sampler == "nuts" and not out["hmc"]:
        hmc.no_u_turns()
    return out


def check_only(only: Sequence[str], why: Mapping[str, str]) -> None:
    """Check that estimators that were asked for are there and fit."""
    for name in only:
        if name not in why:
            raise LatenError(f"audit: there is no estimator {name!r}; known names: {known(why)}")
        if why[name]:
            raise LatenError(f"audit: {name!r} does not fit this model: {why[name]}")


def coordinates(model: Model) -> list[str]:
    """Name the continuous latent coordinates: z0, z1, ...."""
    families = model.guide.families
    return [f"{n}{i}" for n in continuous(model) for i in range(families[n].n_sites)]
