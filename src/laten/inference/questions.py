r"""Questions: what can be asked of one example.

A question is a small frozen object: from one example (values, masks, a key) to arrays. `asking.ask` puts it to
many rows.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.types import Array, Key, Masks, Values
from laten.inference.importance import log_weights, posterior_draws, weighted_mean, weights_and
from laten.network.model import MEMBER, Model
from laten.network.sampling import AT_MODE


class Question(Protocol):
    """From one example to arrays; `draws` is how much work that is. Log-weights come after what was asked."""

    @property
    def draws(self) -> int: ...

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        """Answer for one example."""
        ...


@dataclass(frozen=True)
class LogWeights:
    """`(draws,)` log-weights."""

    draws: int

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        return log_weights(model, key, values, masks, self.draws)


@dataclass(frozen=True)
class Parts:
    """Posterior means of log p by site of each leaf, what `surprise` is made of; and the log-weights."""

    draws: int

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        leaves = [n for n in values if n not in model.latents]
        found = weighted_mean(
            model, key, values, masks, self.draws, lambda d: {n: d.log_p[n] for n in leaves if n in d.log_p}
        )
        return found.mean, found.log_w


class Expected(eqx.Module):
    """For every stochastic node the value that its posterior mean stands for (`family.point`), and the log-weights."""

    draws: int = eqx.field(static=True)
    fractions: tuple[str, ...] = eqx.field(static=True, default=())  # nodes of which the mean itself is wanted
    allowed: Values = eqx.field(default_factory=dict)  # soft evidence on leaves (`Family.log_mass`)
    labels: tuple[str, ...] = eqx.field(static=True, default=())  # that the guide has the last word on (`weighing`)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        leaves = model.network.leaves

        def collect(draw):
            out = {}
            for name in model.network.stochastic:
                family = model.p[name].distribution
                if name not in leaves:
                    out[name] = family.certain(draw.values[name])
                elif name in values:
                    out[name] = family.mean_given(draw.raw[name], values[name], shown(name, values, masks))
                else:
                    out[name] = family.mean(draw.raw[name])
            return out

        found = weighted_mean(model, key, values, masks, self.draws, collect, self.allowed, self.labels)
        return pointed(model, found.mean, self.fractions), found.log_w


@dataclass(frozen=True)
class Embedding:
    """Mean of each guide node; and for every leaf the value that its mean given those stands for."""

    fractions: tuple[str, ...] = ()
    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        draw = model.draw(key, values, masks, sampling=AT_MODE)
        latent = {n: model.q[n].distribution.mean(draw.q_raw[n]) for n in draw.q_raw}
        for name in latent.keys() & values.keys():  # what is observed of a latent node is known for sure
            family = model.guide.nodes[name].family
            sure, seen = family.certain(values[name]), masks.get(name, jnp.ones(family.shape, bool))
            if family.support.kind == "classes":  # whose mean packs the classes of each site
                seen = jnp.ravel(seen)[np.repeat(np.arange(family.n_sites), family.support.sizes)]
            latent[name] = jnp.where(seen, sure, latent[name])
        means = {n: model.p[n].distribution.mean(draw.raw[n]) for n in model.network.leaves}
        return latent, pointed(model, means, self.fractions)


class Completions(eqx.Module):
    """`kept` joint draws of all that is hidden, observed sites as they are; and the log-weights."""

    draws: int = eqx.field(static=True)
    kept: int = eqx.field(static=True)
    allowed: Values = eqx.field(default_factory=dict)  # soft evidence on leaves: draws stay inside it
    prior: float = eqx.field(static=True, default=0.0)  # share of the draws that is from the prior (`defence.py`)
    labels: tuple[str, ...] = eqx.field(static=True, default=())  # that the guide has the last word on (`weighing`)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        latent_key, leaf_key = random.split(key)
        inner, log_w = posterior_draws(
            model, latent_key, values, masks, self.draws, self.kept, self.allowed, self.prior, self.labels
        )
        keys = random.split(leaf_key, self.kept)
        full = jax.vmap(lambda k, given: self.leaves(model, k, given, values, masks))(keys, inner)
        for name in values:
            if model.network.nodes[name].family.models_missing:
                continue
            full[name] = jnp.where(shown(name, values, masks), values[name], full[name]).astype(full[name].dtype)
        return {n: full[n] for n in model.network.stochastic}, log_w

    def leaves(self, model: Model, key: Key, given: Values, values: Values, masks: Masks) -> Values:
        """Draw all nodes once given the inner ones, leaves with soft evidence from inside it."""
        if model.members:  # each draws, and the one that drew the inner nodes counts
            inner = {n: x for n, x in given.items() if n != MEMBER}
            every = model.each(lambda one: self.leaves(one, key, inner, values, masks))
            return jax.tree.map(lambda x: x[given[MEMBER]], every)
        full = model.network.sample(model.conditionals, key, given)
        for i, name in enumerate(values):
            family = model.p[name].distribution
            if family.models_missing:  # cells known to be missing are drawn given that
                raw, own = model.p[name].raw(full, {}), random.stream(key, "missing", i)
                full[name] = family.sample_given(raw, own, values[name], shown(name, values, masks))
        for i, (name, part) in enumerate(self.allowed.items()):
            raw, own = model.p[name].raw(full, {}), random.stream(key, "allowed", i)
            drawn = model.p[name].distribution.sample_allowed(raw, own, part)
            full[name] = jnp.where(shown(name, values, masks), full[name], drawn) if name in values else drawn
        return full


class Density(eqx.Module):
    r"""log p(targets | the row's other observed sites), in nats, and the log-weights of the evidence.

    With draws $z_k$ weighted by the evidence alone, $p(t\mid e) = \sum_k \bar w_k\, p(t\mid z_k)$.

    Args:
        targets: Leaf -> True at the sites whose density is wanted; hidden ones among them add nothing.
        allowed: Soft evidence on leaves.
    """

    draws: int = eqx.field(static=True)
    targets: Masks
    allowed: Values = eqx.field(default_factory=dict)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        wanted, rest = {}, dict(masks)
        for name, there in self.targets.items():
            seen = shown(name, values, masks)
            wanted[name], rest[name] = seen & there, seen & ~there

        def collect(draw):
            per_site = {n: model.p[n].distribution.log_prob(draw.raw[n], values[n]) for n in wanted}
            return sum((jnp.sum(jnp.where(w, per_site[n], 0.0)) for n, w in wanted.items()), jnp.zeros(()))

        log_w, log_p = weights_and(model, key, values, rest, self.draws, collect, self.allowed)
        return jax.nn.logsumexp(log_w + log_p) - jax.nn.logsumexp(log_w), log_w


@dataclass(frozen=True)
class GuideDraw:
    """One draw of a node from the guide, of its shape."""

    node: str
    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        return model.draw(key, values, masks).values[self.node]


@dataclass(frozen=True)
class Ancestral:
    """One draw from the network, given the nodes in `values`."""

    nodes: tuple[str, ...] | None = None  # which are wanted; None: all that are stochastic
    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        if model.members:
            number, own = random.split(key)
            every = model.each(lambda one: self(one, own, values, masks))
            chosen = jnp.int32(model.members * random.uniform(number, ()))
            return jax.tree.map(lambda x: x[chosen], every)
        full = model.network.sample(model.conditionals, key, values)
        return {n: full[n] for n in (model.network.stochastic if self.nodes is None else self.nodes)}


@dataclass(frozen=True)
class Decoded:
    """For every leaf the value that its mean given all inner nodes stands for."""

    fractions: tuple[str, ...] = ()
    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        leaves, walk = model.network.leaves, model.network.walk(model.conditionals, dict(values))
        means = {name: family.mean(raw) for name, family, raw in walk if name in leaves}
        return pointed(model, means, self.fractions)


def unit_means(model: Model, key: Key, values: Values, masks: Masks) -> Array:
    """Return `(units,)` posterior means of the continuous guide nodes of one example."""
    q_raw = model.draw(key, values, masks, sampling=AT_MODE).q_raw
    means = [model.q[n].distribution.mean(q_raw[n]).ravel() for n in q_raw if n not in model.discrete]
    return jnp.concatenate(means) if means else jnp.zeros(0)


def shown(name: str, values: Values, masks: Masks) -> Array:
    """Say which sites of a node have a value."""
    return masks[name] if name in masks else jnp.ones(values[name].shape, bool)


def pointed(model: Model, means: Values, fractions: tuple[str, ...]) -> Values:
    """Return the values that means stand for, except of the nodes in `fractions`."""
    return {n: x if n in fractions else model.network.nodes[n].family.point(x) for n, x in means.items()}
