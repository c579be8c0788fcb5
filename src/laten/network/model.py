r"""A model: network P, guide Q, their weights; and the log-weight, from which every bound, score and posterior follows.

For one example with observed sites $x$ and one draw of everything else,

$$\log w = \sum_i \log p(\text{node}_i\mid\text{parents}_i)
  - \sum_{i\in Q} \log q(\text{node}_i\mid\text{parents in }Q),\qquad \mathbb E_q[w] = p(x).$$

How a site that is not observed is treated depends on its node:

- a *leaf* of P: left out of the sum. Sites are independent given the parents, so this marginalises it exactly;
- a node of the guide: drawn from q, counted in both sums. An observed site of such a node keeps its value and has no
  q-term;
- any other: drawn from its own p, which cancels.

Discrete guide nodes are not drawn but enumerated: a draw is then a row of all their joint states $s$ with
$\log r_s = \log q(s\mid x)$ (zero for the observed state, $-\infty$ for the others, where they are observed), and
$w = \sum_s r_s\,w_s$. Where there are too many states, or an objective says so, they are drawn like the others
(`Discrete.SAMPLED`), or drawn with a relaxed gradient (`Discrete.RELAXED`: Gumbel-softmax straight through, Jang et al.
2017).

All of this is for one example; callers map over examples and draws.
"""

import itertools
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from enum import Enum
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.numerics import host_keys, stopped
from laten.common.types import Array, Key, Masks, Values
from laten.families import Family
from laten.network.conditional import Conditional
from laten.network.guide import check_generative, check_guide
from laten.network.network import Keys, Network, no_key

IMPOSSIBLE = -1e30  # a log-probability of zero whose gradients stay finite
MOST_STATES = 1024


class Discrete(Enum):
    """What becomes of hidden discrete guide nodes."""

    ENUMERATED = "enumerated"
    SAMPLED = "sampled"
    RELAXED = "relaxed"


class Sampling(NamedTuple):
    """How the guide's nodes are drawn: one static value.

    Args:
        discrete: What becomes of discrete nodes; too many to enumerate are sampled. Relaxed draws of classes carry the
            gradient of a softmax, and their values are packed weights of classes.
        path: log q has no gradient with respect to the guide's weights, except through the draws (Roeder et al. 2017).
        at_mode: Take the mode of each node in place of a draw, and uncertain weights at their means.
    """

    discrete: Discrete = Discrete.ENUMERATED
    path: bool = False
    at_mode: bool = False


PLAIN, AT_MODE = Sampling(), Sampling(at_mode=True)


class Draw(NamedTuple):
    """One draw for one example, everything by node; arrays of the node's site shape unless said otherwise."""

    values: Values  # completed: observed, drawn and computed values
    raw: Values  # (n_raw,) raw parameters under P
    log_p: Values  # log p per site, zero at hidden sites of leaves
    log_q: Values  # log q per site of guide nodes, zero at observed sites
    q_raw: Values  # (n_raw,) raw parameters of guide nodes
    kl: Values  # closed-form KL(q ‖ p) per site of guide nodes where it is exact, zero at observed sites

    @property
    def log_weight(self) -> Array:
        """Scalar log p - log q, in nats."""
        log_p, log_q = ([jnp.sum(jnp.ravel(x)) for x in parts.values()] for parts in (self.log_p, self.log_q))
        return sum(log_p, jnp.zeros(())) - sum(log_q, jnp.zeros(()))


class Guess(NamedTuple):
    """What the guide says of one example, by guide node."""

    values: Values  # observed sites kept
    raw: Values  # (n_raw,) raw parameters
    log_q: Values  # per site, zero where observed


class Model(eqx.Module):
    """Network, guide, and the weights of both. Built by `build_model`."""

    network: Network = eqx.field(static=True)
    guide: Network = eqx.field(static=True)
    p: dict[str, Conditional]
    q: dict[str, Conditional]

    def draw(
        self,
        key: Key,
        values: Values,
        masks: Masks,
        held: Values | None = None,
        net_key: Key | None = None,
        sampling: Sampling = PLAIN,
    ) -> Draw:
        """Draw once everything that `values` and `masks` leave open.

        Args:
            values: Observed node -> array of its event shape.
            masks: Node -> True at observed sites; a node without one is observed throughout.
            held: Guide nodes held at a value (their log q is still counted).
            net_key: Turns dropout on.
        """
        families = self.network.families
        evidence = {  # with something inside the support where it is hidden
            n: jnp.where(masks[n], v, jnp.asarray(families[n].neutral, v.dtype)) if n in masks else v
            for n, v in values.items()
        }
        key_of, net_key_of = random.folded(key), random.folded(net_key)
        guess = self.infer(evidence, masks, key_of, net_key_of, held or {}, sampling)
        values, raws, log_p, kl = {**evidence, **guess.values}, {}, {}, {}
        walk = self.network.walk(
            self.p,
            values,
            net_key=lambda n: net_key_of("p " + n),
            noise=no_key if sampling.at_mode else lambda n: key_of("weights of " + n),
        )
        for name, family, raw in walk:
            raws[name], leaf = raw, name in self.network.leaves
            if name in guess.log_q:
                log_p[name] = family.log_prob(raw, values[name])
                closed = (
                    self.guide.nodes[name].family.kl(guess.raw[name], family, raw) if name in self.exact_kl else None
                )
                if closed is not None:
                    kl[name] = jnp.where(masks[name], 0.0, closed) if name in evidence else closed
            else:
                if not leaf and (name not in evidence or name in masks):  # inferred by nothing: from the prior
                    drawn = family.sample(raw, key_of(name))
                    values[name] = jnp.where(masks[name], evidence[name], drawn) if name in evidence else drawn
                if name in evidence:
                    log_prob = family.log_prob(raw, values[name])
                    log_p[name] = jnp.where(masks[name], log_prob, 0.0) if name in masks else log_prob
        return Draw(values, raws, log_p, guess.log_q, guess.raw, kl)

    def infer(
        self,
        evidence: Values,
        masks: Masks,
        key_of: Callable[[str], Key],
        net_key_of: Keys,
        held: Values,
        sampling: Sampling,
    ) -> Guess:
        """Draw the guide's nodes for one example: name -> value, each of its family's shape."""
        # something inside the support for each node that the guide looks at and that is not observed at all
        unseen = {n: self.network.nodes[n].family for n in self.guide.inputs if n not in evidence}
        blank = {n: jnp.full(f.shape, f.neutral, f.dtype) for n, f in unseen.items()}
        known = {**blank, **evidence}
        seen = {**masks, **{n: jnp.zeros(v.shape, bool) for n, v in blank.items()}}
        observed = [n for n in evidence if n not in masks]  # throughout: nothing to infer
        values: Values = {}
        raws: Values = {}
        log_q: Values = {}
        for name, family, raw in self.guide.walk(self.q, known, seen, observed, lambda n: net_key_of("q " + n)):
            fixed = raw
            if sampling.path and family.n_states is None:  # the same raw parameters, moved by the draws before it alone
                fixed = stopped(self.q[name]).raw(known, seen, net_key_of("q " + name))
            if name in held or sampling.at_mode:
                value = held[name] if name in held else family.mode(raw)
                log_prob = family.log_prob(fixed, value)
            elif sampling.discrete is Discrete.RELAXED and family.n_states is not None:
                value = family.sample_relaxed(raw, key_of(name))
                log_prob = family.log_prob(fixed, value)
            else:
                value, log_prob = family.sample_and_log_prob(raw, key_of(name))
                log_prob = log_prob if fixed is raw else family.log_prob(fixed, value)
            if name in evidence:
                value = with_observed(family, masks[name], evidence[name], value)
                log_prob = jnp.where(masks[name], 0.0, log_prob)
            known[name] = values[name] = value
            raws[name], log_q[name] = raw, log_prob
            seen.pop(name, None)  # known from here on, whether observed or drawn: those after it see all of it
        return Guess(values, raws, log_q)

    def draws(
        self,
        key: Key,
        values: Values,
        masks: Masks,
        net_key: Key | None = None,
        sampling: Sampling = PLAIN,
        held: Callable[[Values], Values] = lambda states: states,
    ) -> tuple[Array, Draw]:
        """Draw the continuous latents once, for each joint state of the discrete ones.

        Args:
            held: A joint state -> all guide nodes to hold with it.
        Returns:
            `log_r (states,)` and a `Draw` with a leading axis of states (one state when nothing is enumerated).
        """
        every = sampling.discrete is Discrete.ENUMERATED and self.enumerable
        names = [n for n in self.discrete if n not in values or n in masks] if every else []
        if not names:
            draw = self.draw(key, values, masks, held({}), net_key, sampling)
            return jnp.zeros(1), jax.tree.map(lambda x: x[None], draw)
        states = self.joint_states(names)
        draw = jax.vmap(lambda s: self.draw(key, values, masks, held(s), net_key, sampling))(states)
        n_states = len(next(iter(states.values())))
        log_r = jnp.zeros(n_states)
        for name in names:
            per_site = draw.log_q[name]
            if name in masks:
                same = states[name] == values[name][None]
                per_site = jnp.where(masks[name][None] & ~same, IMPOSSIBLE, per_site)
            log_r += per_site.reshape(n_states, -1).sum(1)
        return jnp.maximum(log_r, IMPOSSIBLE), draw

    def joint_states(self, names: list[str]) -> Values:
        """Return every joint state of discrete guide nodes: name -> `(states, *shape)`."""
        lists = [np.asarray(self.guide.nodes[n].family.states()) for n in names]
        index = np.array(list(itertools.product(*[range(len(s)) for s in lists])))
        return {n: jnp.asarray(s[index[:, i]]) for i, (n, s) in enumerate(zip(names, lists, strict=True))}

    def frozen_network(self) -> "Model":
        """Return the same model, the weights of its network without a gradient."""
        return replace(self, p=stopped(self.p))

    def frozen_guide(self) -> "Model":
        """Return the same model, the weights of its guide without a gradient."""
        return replace(self, q=stopped(self.q))

    @property
    def discrete(self) -> tuple[str, ...]:
        """Guide nodes with finitely many values."""
        return tuple(n for n in self.guide.stochastic if self.guide.nodes[n].family.n_states is not None)

    @property
    def enumerable(self) -> bool:
        """Whether the discrete guide nodes have few enough joint states."""
        return math.prod(self.guide.nodes[n].family.n_states or 1 for n in self.discrete) <= MOST_STATES

    @property
    def latents(self) -> tuple[str, ...]:
        """Stochastic guide nodes."""
        return self.guide.stochastic

    @property
    def exact_kl(self) -> frozenset[str]:
        """Guide nodes whose log-ratio may be replaced by KL(q ‖ p).

        P's parents of the node must be known before it is drawn. What is enumerated is exact already.
        """
        exact, drawn = set(), set(self.network.stochastic) - set(self.latents)
        for name in self.latents:
            if set(self.network.stochastic_parents(name)) <= drawn and not (name in self.discrete and self.enumerable):
                exact.add(name)
            drawn.add(name)
        return frozenset(exact)


def with_observed(family: Family, seen: Array, known: Array, drawn: Array) -> Array:
    """Combine a draw with the observed sites, which keep their values; relaxed classes are packed weights."""
    if drawn.shape == known.shape:
        return jnp.where(seen, known, drawn)
    return jnp.where(jnp.ravel(seen)[family.feature_sites], family.features(known), drawn)


def build_model(
    network: Network,
    guide: Network,
    key: Key,
    hidden: Collection[str] = (),
    starts: Mapping[str, np.ndarray] | None = None,
) -> Model:
    """Check that a network and a guide fit, and draw their weights.

    Args:
        hidden: Nodes with hidden sites; the guide sees their masks.
        starts: Node of P -> raw parameters where its constants start.
    Raises:
        DeclarationError: the guide does not fit (`check_guide`).
    """
    check_generative(network)
    check_guide(network, guide)
    key_p, key_q = host_keys(key, 2)
    p = network.init(key_p, starts=starts)
    q = guide.init(key_q, network.families, hidden)
    return Model(network, guide, p, q)
