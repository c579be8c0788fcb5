"""How much each latent unit and node is used: its KL, and how far it varies with the row."""

from dataclasses import dataclass, field
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from laten.answers.fitted import Fitted
from laten.common import random
from laten.common.errors import LatenError
from laten.common.types import Array, Key, Masks, Values
from laten.inference.diagnostics import ACTIVE
from laten.inference.questions import unit_means
from laten.network.model import Model
from laten.training.collapse import unused


@dataclass(frozen=True)
class LatentUse:
    """What the latents are used for; KL in nats a row.

    Args:
        units: Unit -> `node`, `kl` (NaN where units of a node have no KL of their own), `variance` of its posterior
            mean over the rows, and whether it is `active`: a variance above 0.01 (Burda et al. 2016).
        nodes: Node -> `kl`, number of `units`, and how many are `active`.
        sentences: What has collapsed, and what helps.
    """

    units: pd.DataFrame
    nodes: pd.DataFrame
    sentences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([self.nodes.round(3).to_string(), *self.sentences])


class UnitCosts(eqx.Module):
    """A question: units' posterior means `(units,)`, and node -> KL by site, of its shape, averaged over draws."""

    names: tuple[str, ...] = eqx.field(static=True)
    draws: int = eqx.field(static=True)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        def one(k: Key) -> dict[str, Array]:
            draw = model.draw(k, values, masks)
            return {n: draw.kl[n] if n in draw.kl else draw.log_q[n] - draw.log_p[n] for n in self.names}

        costs = jax.vmap(one)(random.split(key, self.draws))
        return unit_means(model, key, values, masks), jax.tree.map(lambda x: jnp.mean(x, axis=0), costs)


def latent_use(fitted: Fitted, data: Any, draws: int) -> LatentUse:
    """Measure how much the latents are used, over rows.

    Raises:
        LatenError: no latents that are numbers and that no row shows; or one row.
    """
    model, rows = fitted.model, fitted.rows(data)
    names = tuple(n for n in model.latents if n not in model.discrete)
    if not names or any(n in rows.values for n in names):
        raise LatenError(
            "latent_use is of latents that are numbers and that no row shows; this model or data has others"
        )
    if rows.n < 2:
        raise LatenError("latent_use says what differs between rows; give at least two")
    means, costs = fitted.ask(UnitCosts(names, draws), rows)
    units, nodes, start = [], [], 0
    for name in names:
        guide, prior = model.guide.nodes[name].family, model.network.nodes[name].family
        by_site = costs[name].reshape(rows.n, -1).mean(axis=0)
        variance = means[:, start : start + guide.n_sites].astype(np.float64).var(axis=0)
        own = np.full(len(by_site), np.nan) if guide.joint or prior.joint else by_site
        units.append(pd.DataFrame({"node": name, "kl": own, "variance": variance, "active": variance > ACTIVE}))
        units[-1].index = pd.Index([f"{name}{i}" for i in range(len(by_site))])
        active = int((variance > ACTIVE).sum())
        nodes.append({"kl": float(by_site.sum()), "units": guide.n_sites, "active": active})
        start += guide.n_sites
    found = pd.DataFrame(nodes, index=list(names))
    record = {f"{what}_{n}": found.loc[n, what] for n in names for what in ("kl", "active")}
    return LatentUse(pd.concat(units), found, unused(record, dict(zip(names, found["units"], strict=True))))
