r"""One example's posterior as a density over one vector: what annealing, HMC and quadrature walk on.

The continuous latents of a row, side by side, are a point $u\in\mathbb R^d$; a site that is not any
real number enters by its family's map to the real line (`Family.to_real`, the logarithm of a positive one), its
Jacobian counted in every density. With $s$ the joint states of the discrete latents, summed out,

$$\log p(x,u)=\log\sum_s p(x,u,s),\qquad \log q(u\mid x)=\log\sum_s q(u,s\mid x),\qquad \log p(u)=\log\sum_s p(u,s).$$

Hidden sites of leaves are marginalised as in `model.py`. A latent site that is observed in this row keeps its value;
its coordinate is *idle*: a standard normal in all three, which changes no integral, so that $d$ is the same for every
row.
"""

import math
from collections.abc import Collection
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from laten.common import random
from laten.common.errors import LatenError, known
from laten.common.numerics import LOG_2PI
from laten.common.types import Array, Key, Masks, Values
from laten.network.log_weights import all_sites
from laten.network.model import IMPOSSIBLE, Model


class Densities(NamedTuple):
    """Log-densities of one point, in nats."""

    joint: Array  # log p(x, u)
    guide: Array  # log q(u | x)
    prior: Array  # log p(u), given what is observed above the latents


class Posterior(eqx.Module):
    """p(u | x) of one example, up to a constant.

    Args:
        values: Observed node -> array of its event shape.
        masks: Node -> True at observed sites.
    Raises:
        LatenError: an inner node is neither observed nor has a factor in the guide; or a latent is no real numbers.
    """

    model: Model
    values: Values
    masks: Masks

    def __check_init__(self) -> None:
        for name in self.names:
            family = self.model.guide.nodes[name].family
            if not family.walks:
                raise LatenError(
                    f"the latent {name!r} is {family!r}, and annealing, HMC and quadrature walk over real numbers; use "
                    "importance sampling (score_samples, log_likelihood)"
                )
        lacking = uninferred(self.model, {n for n in self.values if n not in self.masks})
        if lacking:
            raise LatenError(
                f"nodes {known(lacking)} are neither observed nor inferred by the guide, so that log p(x, z) is not "
                "known from the guide's z alone; declare a guide that infers them, or use importance sampling"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Continuous latents, in the order of their coordinates."""
        return continuous(self.model, {n for n in self.values if n not in self.masks})

    @property
    def size(self) -> int:
        """d, the number of coordinates."""
        return sum(self.model.guide.nodes[n].family.n_sites for n in self.names)

    @property
    def idle(self) -> Array:
        """`(d,)` True where a coordinate's site is observed."""
        families = self.model.guide.families
        seen = [
            jnp.ravel(self.masks[n]) if n in self.values else jnp.zeros(families[n].n_sites, bool) for n in self.names
        ]
        return jnp.concatenate(seen)

    def place(self, u: Array) -> tuple[Values, Array]:
        """Return latent node -> value at a point `(d,)`, and log |d value / d u| of each coordinate `(d,)`."""
        out, slopes, start = {}, [], 0
        for name in self.names:
            family = self.model.guide.nodes[name].family
            part = u[start : start + family.n_sites].reshape(family.shape)
            out[name], slope = family.from_real(part)
            slopes.append(jnp.ravel(slope))
            start += family.n_sites
        return out, jnp.concatenate([jnp.zeros(0), *slopes])

    def point(self, key: Key, latents: Values) -> Array:
        """Return the point `(d,)` of latent values; idle coordinates are drawn."""
        parts = []
        for name in self.names:
            family = self.model.guide.nodes[name].family
            safe = jnp.where(self.masks[name], family.neutral, latents[name]) if name in self.values else latents[name]
            parts.append(jnp.ravel(family.to_real(safe)))
        if not any(n in self.values for n in self.names):
            return jnp.concatenate(parts)
        return jnp.where(self.idle, random.normal(key, (self.size,)), jnp.concatenate(parts))

    def densities(self, u: Array) -> Densities:
        """Return the log-densities at a point `(d,)`."""
        model, (place, slope) = self.model, self.place(u)
        open_states = [n for n in model.discrete if n not in self.values or n in self.masks]
        states = model.joint_states(open_states) if open_states else {}

        def at(state: Values) -> tuple[Array, Array, Array]:
            # every guide node is held at a value: the key is not used
            draw = model.draw(jax.random.key(0), self.values, self.masks, {**place, **state})
            clash = jnp.zeros(())
            for name, s in state.items():
                if name in self.values:
                    clash += jnp.sum(jnp.where(self.masks[name] & (s != self.values[name]), IMPOSSIBLE, 0.0))
            prior = jnp.zeros(())
            for name in draw.log_q:
                log_p = draw.log_p[name]
                prior += jnp.sum(jnp.where(self.masks[name], 0.0, log_p) if name in self.values else log_p)
            return all_sites(draw.log_p) + clash, all_sites(draw.log_q) + clash, prior + clash

        found = jax.vmap(at)(states) if states else jax.tree.map(lambda x: x[None], at({}))
        fill = jnp.sum(jnp.where(self.idle, -0.5 * jnp.square(u) - 0.5 * LOG_2PI, slope))
        return Densities(*(jax.nn.logsumexp(x) + fill for x in found))

    def log_joint(self, u: Array) -> Array:
        """Return log p(x, u), the unnormalised log-posterior of a point `(d,)`."""
        return self.densities(u).joint

    def from_guide(self, key: Key) -> Array:
        """Draw a point `(d,)` from q(u | x)."""
        drawn = self.model.draw(key, self.values, self.masks).values
        return self.point(random.stream(key, "idle"), drawn)

    def from_prior(self, key: Key) -> Array:
        """Draw a point `(d,)` from p(u), given what is observed above the latents."""
        above = {n: v for n, v in self.values.items() if n not in self.masks}
        drawn = self.model.network.sample(self.model.conditionals, key, above)
        return self.point(random.stream(key, "idle"), drawn)

    def spread(self, key: Key, draws: int = 64) -> Array:
        """Return standard deviations `(d,)` of the guide's draws: the scale of the walk."""
        found = jax.vmap(self.from_guide)(random.split(key, draws))
        return jnp.maximum(found.std(0), 1e-4)


def continuous(model: Model, whole: Collection[str] = ()) -> tuple[str, ...]:
    """List the latents of a model that are numbers, except those observed throughout."""
    return tuple(n for n in model.latents if n not in model.discrete and n not in whole)


def dimensions(model: Model, whole: Collection[str] = ()) -> int:
    """Count the continuous latent coordinates."""
    return sum(math.prod(model.guide.nodes[n].family.shape) for n in continuous(model, whole))


def uninferred(model: Model, whole: Collection[str] = ()) -> list[str]:
    """List inner nodes that are neither latents of the guide nor observed throughout: p(x, z) needs them."""
    inner = (n for n in model.network.stochastic if n not in model.network.leaves)
    return [n for n in inner if n not in model.latents and n not in whole]
