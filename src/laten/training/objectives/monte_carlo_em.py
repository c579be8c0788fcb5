r"""Monte Carlo expectation maximisation: draws from the posterior by HMC, in place of draws from the guide.

The E-step walks from a draw of the guide by Hamiltonian Monte Carlo, which leaves p(z | x) as it is, so that its end
$z_T$ is nearer to the posterior than q; the M-step climbs $\log p(x, z_T)$ (Kingma & Welling 2014, appendix E, whose
chains start without a guide). The guide learns from the ends of the walks, $\nabla_\phi\log q(z_T\mid x)$, so that
walks start nearer each time (Li et al. 2017, "Approximate inference with amortised MCMC").
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import DeclarationError, number, whole
from laten.common.types import Key
from laten.inference import hmc
from laten.inference.posterior import Posterior
from laten.network.log_weights import all_sites, by_node, total
from laten.network.model import Model
from laten.training.objectives.objective import Batch, Estimate, Objective, Share, over_rows


@dataclass(frozen=True)
class MonteCarloEm(Objective):
    """Monte Carlo EM with HMC, for continuous latents. The bound is the ELBO, whose guide is learned on the way.

    Args:
        trajectories: HMC trajectories a row and step; their step size is adapted on the way.
        leapfrogs: Leapfrog steps of each.
        target: Share of accepted trajectories.
    Raises:
        DeclarationError: an option out of range, or discrete latents.
    """

    trajectories: int = 5
    leapfrogs: int = 10
    target: float = 0.9

    def __post_init__(self):
        for name in ("trajectories", "leapfrogs"):
            whole(f"MonteCarloEm: {name}", getattr(self, name), error=DeclarationError)
        if not (number(self.target) and 0 < self.target < 1):
            raise DeclarationError(f"MonteCarloEm: target is a share of trajectories in (0, 1), not {self.target!r}")

    @property
    def by_row(self) -> bool:
        return True

    def __call__(self, model: Model, batch: Batch, key: Key, progress: Share = 1.0, dropout: bool = False) -> Estimate:
        if model.discrete:
            raise DeclarationError(
                f"MonteCarloEm: HMC needs numbers, and {list(model.discrete)} are classes; use lt.ReweightedWakeSleep()"
            )

        frozen = model.frozen_network().frozen_guide()

        def one(k, net_key, values, masks):
            guide_key, start_key, walk_key = random.split(k, 3)
            posterior = Posterior(frozen, values, masks)
            walk = hmc.sample(
                posterior.log_joint, walk_key, posterior.from_guide(start_key), 1, warmup=self.trajectories - 1,
                scale=posterior.spread(start_key, 16), leapfrogs=self.leapfrogs, target=self.target,
            )  # fmt: skip
            end, _ = posterior.place(jax.lax.stop_gradient(walk.draws[0]))
            found = model.draw(walk_key, values, masks, end, net_key)
            parts = by_node(*frozen.draws(guide_key, values, masks, net_key), masks, True)
            loss = -all_sites(found.log_p) - all_sites(found.log_q)
            return loss, parts.bound, parts.terms, total(parts.kl)

        return Estimate(*jax.tree.map(jnp.mean, over_rows(one, batch, key, dropout)))
