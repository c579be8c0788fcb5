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

An *average* of $k$ models is a model: a class $c$ stands above them, each as likely as the others,

$$p(x) = \frac1k\sum_c p_c(x),\qquad p(z\mid x) = \sum_c p(c\mid x)\,p_c(z\mid x),\qquad p(c\mid x)\propto p_c(x),$$

and its states are enumerated as those of any discrete latent: each draw has one of each member's.

All of this is for one example; callers map over examples and draws.
"""

import itertools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.errors import LatenError
from laten.common.numerics import host_keys, stopped
from laten.common.types import Array, Key, Masks, Values
from laten.families.vamp import Vamp
from laten.network.conditional import Conditional
from laten.network.guide import check_generative, check_guide, sees_p
from laten.network.infer import infer
from laten.network.look import Look
from laten.network.network import Network, no_key
from laten.network.pseudo_rows import of_guide, pseudo_rows
from laten.network.sampling import PLAIN, Discrete, Sampling

MEMBER = "(member)"  # in a draw of an average: the number of the member that made it
IMPOSSIBLE = -1e30  # a log-probability of zero whose gradients stay finite
MOST_STATES = 1024


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
    """Network, guide, and the weights of both. Built by `build_model`, or by `averaged` of several."""

    network: Network = eqx.field(static=True)
    guide: Network = eqx.field(static=True)
    p: dict[str, Conditional]
    q: dict[str, Conditional]
    shared: dict[str, Conditional] | None = None  # P's weights as the guide sees them; None: P's own
    extra: Any = None  # weights of an objective's own, while training
    members: int = eqx.field(static=True, default=0)  # of an average: a leading axis of all weights; 0: it is none

    @property
    def conditionals(self) -> dict[str, Conditional]:
        """P's weights as they answer: priors that are made of the guide (`lt.Vamp`) with raw parameters of now."""
        self.refuse_average()
        made = [n for n, c in self.p.items() if c.family.made_of_guide and c.constants is None]
        return {**self.p, **{n: of_guide(self.guide, self.q, n, self.p[n]) for n in made}} if made else self.p

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
        self.refuse_average()
        families = self.network.families
        evidence = {  # with something inside the support where it is hidden
            n: jnp.where(masks[n], v, jnp.asarray(families[n].neutral, v.dtype)) if n in masks else v
            for n, v in values.items()
        }
        key_of, net_key_of = random.folded(key), random.folded(net_key)
        p, throughout = self.conditionals, {n: v for n, v in evidence.items() if n not in masks}
        keys = lambda n: net_key_of("p " + n), no_key if sampling.at_mode else lambda n: key_of("weights of " + n)
        look = Look(self.network, p if self.shared is None else self.shared, throughout, *keys)
        guess = infer(self.guide, self.q, look, evidence, masks, key_of, net_key_of, held or {}, sampling)
        values, raws, log_p, kl = {**evidence, **guess.values}, {}, {}, {}
        ready = look.ready if self.shared is None else None
        walk = self.network.walk(p, values, net_key=keys[0], noise=keys[1], ready=ready)
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
                whole = name in evidence and (family.is_input or name not in masks)
                if not leaf and not whole:  # inferred by nothing: from the prior
                    drawn = family.sample(raw, key_of(name))
                    values[name] = jnp.where(masks[name], evidence[name], drawn) if name in evidence else drawn
                if name in evidence:
                    log_prob = family.log_prob(raw, values[name])
                    log_p[name] = jnp.where(masks[name], log_prob, 0.0) if name in masks else log_prob
        return Draw(values, raws, log_p, guess.log_q, guess.raw, kl)

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
        if self.members:
            keys = random.split(key, self.members)
            made = self.each(lambda one, own: one.draws(own, values, masks, net_key, sampling, held), keys)
            log_r, draw = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), made)
            number = jnp.repeat(jnp.arange(self.members), len(log_r) // self.members)
            return log_r - math.log(self.members), draw._replace(values={**draw.values, MEMBER: number})
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

    def each(self, ask: Callable[..., Any], *more: Any) -> Any:
        """Ask every member of an average; `more` and the answers have a leading axis of members."""
        arrays, rest = eqx.partition((self.p, self.q), eqx.is_array)

        def one(arrays: Any, *own: Any) -> Any:
            p, q = eqx.combine(arrays, rest)
            return ask(replace(self, p=p, q=q, members=0), *own)

        return jax.vmap(one)(arrays, *more)

    def member(self, number: int) -> "Model":
        """Return one of the models of an average."""
        arrays, rest = eqx.partition((self.p, self.q), eqx.is_array)
        p, q = eqx.combine(jax.tree.map(lambda x: x[number], arrays), rest)
        return replace(self, p=p, q=q, members=0)

    def refuse_average(self) -> None:
        """Check that this is a model by itself: what looks at its latents or weights cannot ask an average.

        Raises:
            LatenError: this is an average.
        """
        if self.members:
            raise LatenError(
                f"this model is an average of {self.members}, each with latents of its own; ask one of them: "
                "vae.member(0)"
            )

    def joint_states(self, names: list[str]) -> Values:
        """Return every joint state of discrete guide nodes: name -> `(states, *shape)`."""
        lists = [np.asarray(self.guide.nodes[n].family.states()) for n in names]
        index = np.array(list(itertools.product(*[range(len(s)) for s in lists])))
        return {n: jnp.asarray(s[index[:, i]]) for i, (n, s) in enumerate(zip(names, lists, strict=True))}

    def frozen_network(self) -> "Model":
        """Return the same model, the weights of its network without a gradient, but where the guide shares them."""
        shared = self.conditionals if self.shared is None and sees_p(self.guide, self.network) else self.shared
        return replace(self, p=stopped(self.conditionals), shared=shared)

    def frozen_guide(self) -> "Model":
        """Return the same model, the weights of its guide without a gradient, but where the prior is made of them."""
        shared = (self.shared or self.conditionals) if sees_p(self.guide, self.network) else None
        return replace(self, p=self.conditionals, q=stopped(self.q), shared=stopped(shared))

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


def build_model(
    network: Network,
    guide: Network,
    key: Key,
    hidden: Collection[str] = (),
    starts: Mapping[str, np.ndarray] | None = None,
    rows: Mapping[str, np.ndarray] | None = None,
) -> Model:
    """Check that a network and a guide fit, and draw their weights.

    Args:
        hidden: Nodes with hidden sites; the guide sees their masks.
        starts: Node of P -> raw parameters where its constants start.
        rows: Observed node -> some values `(rows, *shape)`: where pseudo-rows of a prior start (`lt.Vamp`).
    Raises:
        DeclarationError: the guide does not fit (`check_guide`).
    """
    check_generative(network)
    check_guide(network, guide)
    key_p, key_q = host_keys(key, 2)
    p = network.init(key_p, starts=starts)
    q = guide.init(key_q, network.families, hidden)
    for name, prior in p.items():
        if isinstance(prior.family, Vamp):
            p[name] = replace(prior, body=pseudo_rows(guide, q, name, prior.family, rows or {}, key_p))
    return Model(network, guide, p, q)


def averaged(models: Sequence[Model]) -> Model:
    """Return the average of models of one declaration."""
    first = models[0]
    parts = [eqx.partition((m.p, m.q), eqx.is_array) for m in models]
    p, q = eqx.combine(jax.tree.map(lambda *xs: jnp.stack(xs), *[arrays for arrays, _ in parts]), parts[0][1])
    return replace(first, p=p, q=q, members=len(models))
