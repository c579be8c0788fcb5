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
(`How.SAMPLED`), or drawn with a relaxed gradient (`How.RELAXED`: Gumbel-softmax straight through, Jang et al. 2017).

All of this is for one example; callers map over examples and draws.
"""

import itertools
import math
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.numerics import host_keys, stopped
from laten.common.types import Array, Key, Masks, Values
from laten.families import Deterministic, Family
from laten.network.conditional import Conditional
from laten.network.guide import check_generative, check_guide
from laten.network.network import Network

IMPOSSIBLE = -1e30  # a log-probability of zero whose gradients stay finite
MOST_STATES = 1024


class How(Enum):
    """What becomes of hidden discrete guide nodes."""

    ENUMERATED = "enumerated"
    SAMPLED = "sampled"
    RELAXED = "relaxed"


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
        clamp: Values | None = None,
        net_key: Key | None = None,
        noise: bool = True,
        path: bool = False,
        relaxed: bool = False,
    ) -> Draw:
        """One draw of everything that `values` and `masks` leave open.

        Args:
            values: Observed node -> array of its event shape.
            masks: Node -> True at observed sites; a node without one is observed throughout.
            clamp: Guide nodes held at a value (their log q is still counted).
            net_key: Turns dropout on.
            noise: False takes the mode of each guide node in place of a draw, and uncertain weights at their means.
            path: log q has no gradient with respect to the guide's weights but through the draws (Roeder et al. 2017).
            relaxed: Draws of classes carry the gradient of a softmax; their values are then packed weights of classes.
        """
        evidence = {n: self.shown(n, v, masks) for n, v in values.items()}
        key_of, net_key_of = random.folded(key), random.folded(net_key)
        latent, q_raw, log_q = self.infer(evidence, masks, key_of, net_key_of, clamp or {}, noise, path, relaxed)
        values, raws, log_p, kl = {**evidence, **latent}, {}, {}, {}
        for name, node in self.network.nodes.items():
            own = self.p[name]
            weights = key_of("weights of " + name) if noise and own.spread is not None else None
            raw = raws[name] = own.raw(values, {}, net_key_of("p " + name), weights)
            family, leaf = node.family, name in self.network.leaves
            if isinstance(family, Deterministic):
                values[name] = raw.reshape(family.shape)
            elif name in log_q:
                log_p[name] = family.log_prob(raw, values[name])
                closed = self.guide.nodes[name].family.kl(q_raw[name], family, raw) if name in self.exact_kl else None
                if closed is not None:
                    kl[name] = jnp.where(masks[name], 0.0, closed) if name in evidence else closed
            else:
                if not leaf and (name not in evidence or name in masks):  # inferred by nothing: from the prior
                    drawn = family.sample(raw, key_of(name))
                    values[name] = jnp.where(masks[name], evidence[name], drawn) if name in evidence else drawn
                if name in evidence:
                    log_prob = family.log_prob(raw, values[name])
                    log_p[name] = jnp.where(masks[name], log_prob, 0.0) if name in masks else log_prob
        return Draw(values, raws, log_p, log_q, q_raw, kl)

    def infer(
        self,
        evidence: Values,
        masks: Masks,
        key_of: Callable[[str], Key],
        net_key_of: Callable[[str], Key],
        clamp: Values,
        noise: bool,
        path: bool,
        relaxed: bool,
    ) -> tuple[Values, Values, Values]:
        """Draws the guide's nodes.

        Returns:
            By guide node: values (observed sites kept), raw parameters, and log q per site, zero where observed.
        """
        blank = self.blank(evidence)
        given = {**blank, **evidence}
        seen = {**masks, **{n: jnp.zeros(v.shape, bool) for n, v in blank.items()}}
        values: Values = {}
        raws: Values = {}
        log_q: Values = {}
        for name, node in self.guide.nodes.items():
            if name in evidence and name not in masks:
                continue  # observed throughout: nothing to infer
            raw = self.q[name].raw({**given, **values}, seen, net_key_of("q " + name))
            family = node.family
            if isinstance(family, Deterministic):
                values[name] = raw.reshape(family.shape)
                continue
            fixed = raw
            if path and family.n_states is None:  # the same raw parameters, moved by the draws before it alone
                still = stopped(self.q[name])
                fixed = still.raw({**given, **values}, seen, net_key_of("q " + name))
            if name in clamp or not noise:
                value = clamp[name] if name in clamp else family.mode(raw)
                log_prob = family.log_prob(fixed, value)
            elif relaxed and family.n_states is not None:
                value = family.sample_relaxed(raw, key_of(name))
                log_prob = family.log_prob(fixed, value)
            else:
                value, log_prob = family.sample_and_log_prob(raw, key_of(name))
                log_prob = log_prob if fixed is raw else family.log_prob(fixed, value)
            if name in evidence:
                value = kept(family, masks[name], evidence[name], value)
                log_prob = jnp.where(masks[name], 0.0, log_prob)
            values[name], raws[name], log_q[name] = value, raw, log_prob
            seen.pop(name, None)  # known from here on, whether observed or drawn: those after it see all of it
        return {n: v for n, v in values.items() if n in self.network.nodes}, raws, log_q

    def shown(self, name: str, value: Array, masks: Masks) -> Array:
        """A value with something inside the support where it is hidden."""
        if name not in masks:
            return value
        return jnp.where(masks[name], value, jnp.asarray(self.network.nodes[name].family.neutral, value.dtype))

    def blank(self, evidence: Values) -> Values:
        """Something inside the support for each node that the guide looks at and that is not observed at all."""
        families = {n: self.network.nodes[n].family for n in self.guide.inputs if n not in evidence}
        return {n: jnp.full(f.shape, f.neutral, f.dtype) for n, f in families.items()}

    def draws(
        self, key: Key, values: Values, masks: Masks, net_key: Key | None = None, how: How = How.ENUMERATED,
        path: bool = False,
    ) -> tuple[Array, Draw]:  # fmt: skip
        """One draw of the continuous latents, for each joint state of the discrete ones.

        Args:
            how: What becomes of the discrete ones; too many to enumerate are sampled.
            path: As in `draw`.
        Returns:
            `log_r (states,)` and a `Draw` with a leading axis of states (one state when nothing is enumerated).
        """
        every = how is How.ENUMERATED and self.enumerable
        names = [n for n in self.discrete if n not in values or n in masks] if every else []
        if not names:
            draw = self.draw(key, values, masks, None, net_key, path=path, relaxed=how is How.RELAXED)
            return jnp.zeros(1), jax.tree.map(lambda x: x[None], draw)
        states = self.joint_states(names)
        draw = jax.vmap(lambda s: self.draw(key, values, masks, s, net_key, path=path))(states)
        n_states = len(next(iter(states.values())))
        log_r = jnp.zeros(n_states)
        for name in names:
            per_site = draw.log_q[name]
            if name in masks:
                same = states[name] == values[name]
                per_site = jnp.where(masks[name] & ~same, IMPOSSIBLE, per_site)
            log_r += per_site.reshape(n_states, -1).sum(1)
        return jnp.maximum(log_r, IMPOSSIBLE), draw

    def joint_states(self, names: list[str]) -> Values:
        """Every joint state of discrete guide nodes: name -> `(states, *shape)`."""
        lists = [np.asarray(self.guide.nodes[n].family.states()) for n in names]
        index = np.array(list(itertools.product(*[range(len(s)) for s in lists])))
        return {n: jnp.asarray(s[index[:, i]]) for i, (n, s) in enumerate(zip(names, lists, strict=True))}

    def still(self, side: str) -> "Model":
        """The same model, the weights of its network ("p") or guide ("q") without a gradient."""
        p, q = (stopped(tree) if side == name else tree for name, tree in (("p", self.p), ("q", self.q)))
        return Model(self.network, self.guide, p, q)

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


def kept(family: Family, seen: Array, known: Array, drawn: Array) -> Array:
    """What is drawn of a node, but for its observed sites; relaxed classes come and go as packed weights."""
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
    """Checks that a network and a guide fit, and draws their weights.

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
