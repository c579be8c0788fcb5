r"""A guide for a discrete network that answers any question: learned once, then asked again and again.

$$q(\text{rest}\mid\text{evidence}) = \prod_i q(x_i \mid x_{<i},\ \text{evidence}),\qquad
\min_q\ \mathbb E_{x\sim p,\ \text{mask}}\Big[-\sum_{i\ \text{hidden}}\log q(x_i\mid x_{<i},\ x_\text{seen})\Big]$$

The guide is a network over the same names. Each of its nodes sees the nodes before it, and one input, `evidence`: all
variables side by side, hidden sites zero, with their mask. It learns from examples drawn from the network itself, with
a random share of each hidden: the sleep phase of Hinton et al. (1995), whose minimum is the exact posterior for every
mask (Le, Baydin & Wood 2017, "Inference compilation"). No sum over joint states is ever taken, so that networks too
large for elimination can be asked too.

A question is answered by weighted draws, $p(\text{evidence}) = \mathbb E_q[p(x)/q]$, in float64 and with the exact
tables, once for each state of the targets as evidence too; variables below all evidence cancel.
"""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd

from laten.classical import elimination
from laten.classical.probability_tables import ProbabilityTables
from laten.classical.question import check_targets, evidence_of, index_of
from laten.common import random
from laten.common.errors import DataError, DeclarationError, known
from laten.common.types import Array, Key, Values
from laten.families import Categorical, Node
from laten.network.conditional import Conditional
from laten.network.nets.layers import MLP
from laten.network.network import Network

EVIDENCE = "evidence"
EXAMPLES = 2**17  # drawn from the network, to learn from
BATCH = 256
MOST = 4096  # joint states of targets
LISTED = 2**16  # joint states of all that is hidden


@dataclass(frozen=True, eq=False)
class LearnedGuide:
    """A guide with its weights, for any evidence; `DiscreteNetwork.learn_guide` makes it.

    Args:
        network: What it was learned from.
        guide: The declaration of q.
        weights: Of q.
        losses: Mean -log q of what was hidden, nats an example, at equal steps of learning.
    """

    network: ProbabilityTables
    guide: Network
    weights: dict[str, Conditional]
    losses: np.ndarray

    def query(
        self,
        targets: str | Iterable[str],
        given: Mapping[str, Any] | None = None,
        *,
        draws: int = 500,
        seed: int = 0,
    ) -> pd.Series:
        """Estimate p(targets | given): p(targets, given) of each state in turn, by weighted draws of the rest.

        Args:
            targets: A variable, or several for their joint distribution.
            given: As in `DiscreteNetwork.query`.
            draws: For each (joint) state of the targets.
        Returns:
            Probabilities by (joint) state; `.attrs` holds `log_evidence` (nats) and `effective_sample_size`, of all
            draws together.
        Raises:
            DataError: an unknown name, evidence that no draw meets, more than 4096 joint states of the targets.
        """
        net = self.network
        evidence = evidence_of(net.states, given)
        names = check_targets(net.states, targets, evidence)
        if (count := math.prod(net.sizes[n] for n in names)) > MOST:
            raise DataError(f"{known(names)} have {count} joint states, more than {MOST}; ask for fewer targets")
        joint = itertools.product(*(net.states[n] for n in names))
        asked = [{**(given or {}), **dict(zip(names, states, strict=True))} for states in joint]
        log_w = np.array([self.draw(a, draws, seed)[1] for a in asked])
        if not np.isfinite(log_w).any():
            raise DataError(f"no draw meets the evidence: {net.impossible(evidence)}; or ask for more draws")
        w = np.exp(log_w - log_w.max())
        found = pd.Series(w.sum(1) / w.sum(), index_of(net.states, names), name="p")
        found.attrs["log_evidence"] = float(log_w.max() + np.log(w.sum() / draws))
        found.attrs["effective_sample_size"] = float(w.sum() ** 2 / (w**2).sum())
        return found

    def draw(self, given: Mapping[str, Any] | None, draws: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Draw from q, with log-weights that leave out what is below all evidence: their mean is p(given).

        Returns:
            Codes by variable and log p - log q, `(draws,)` each, in nats.
        """
        net, evidence = self.network, evidence_of(self.network.states, given)
        place = {n: i for i, n in enumerate(net.states)}
        x, mask = np.zeros(len(place), np.int32), np.zeros(len(place), bool)
        for name, code in evidence.codes.items():
            x[place[name]], mask[place[name]] = code, True
        keys = random.split(jax.random.key(seed), draws)
        drawn, log_q = jax.device_get(draws_of(self.guide, self.weights, x, mask, keys, tuple(place)))
        codes = {n: np.asarray(drawn[n]) for n in place}
        above = elimination.ancestors(net.parents, evidence.names)
        log_w = np.zeros(draws)
        with np.errstate(divide="ignore"):
            for name in sorted(above, key=net.order.index):  # a set's order would change the last bit
                p = net.tables[name][tuple(codes[n] for n in (*net.parents[name], name))]
                log_w += np.log(p) - np.asarray(log_q[name], np.float64)
        for name, allowed in evidence.sets.items():
            log_w = np.where(np.isin(codes[name], allowed), log_w, -np.inf)
        return codes, log_w

    def log_table(self, given: Mapping[str, Any], names: list[str]) -> np.ndarray:
        """Return log q(names | given) by listing all that is hidden, an axis a name.

        Raises:
            DataError: more than 2^16 joint states are hidden.
        """
        net, codes = self.network, evidence_of(self.network.states, given).codes
        free = names + [n for n in net.states if n not in codes and n not in names]
        sizes = [net.sizes[n] for n in free]
        if (count := math.prod(sizes)) > LISTED:
            raise DataError(
                f"the hidden variables have {count:.2g} joint states, more than the {LISTED} that can be listed; "
                "give more, or ask for a target: guide.query(...)"
            )
        listed = dict(zip(free, np.indices(sizes).reshape(len(sizes), count), strict=True))
        columns = [listed[n] if n in listed else np.full(count, codes[n]) for n in net.states]
        x, mask = np.stack(columns, 1).astype(np.int32), jnp.array([n in codes for n in net.states])
        loss = eqx.filter_jit(jax.vmap(lambda a: surprise(self.guide, self.weights, a, mask, tuple(net.states))))
        log_q = -np.asarray(loss(x), np.float64).reshape(sizes)
        return np.logaddexp.reduce(log_q.reshape(*sizes[: len(names)], -1), axis=-1)


@eqx.filter_jit
def draws_of(
    guide: Network, weights: dict[str, Conditional], x: np.ndarray, mask: np.ndarray, keys: Key, names: tuple[str, ...]
) -> tuple[Values, Values]:
    """Draw values, with their log q by variable (zero where seen), `(draws,)` each."""
    (evidence,) = guide.inputs

    def one(key: Key) -> tuple[Values, Values]:
        values: Values = {evidence: jnp.asarray(x)}
        log_q: Values = {}
        walk = guide.walk(weights, values, {evidence: jnp.asarray(mask)})
        for k, (name, family, raw) in zip(random.split(key, len(names)), walk, strict=True):
            i = names.index(name)
            drawn, log_prob = family.sample_and_log_prob(raw, k)
            values[name] = jnp.where(mask[i], x[i], drawn)
            log_q[name] = jnp.where(mask[i], 0.0, log_prob)
        return {n: values[n] for n in names}, log_q

    return jax.vmap(one)(keys)


def surprise(guide: Network, weights: dict[str, Conditional], x: Array, mask: Array, names: tuple[str, ...]) -> Array:
    """Return -log q of what is hidden of one example, in nats.

    Args:
        x: `(variables,)` codes in the order of `names`.
        mask: `(variables,)`, True where seen.
    """
    (evidence,) = guide.inputs
    values = {evidence: x, **{n: x[i] for i, n in enumerate(names)}}
    log_q = guide.log_prob(weights, values, {evidence: mask})
    return -sum((jnp.where(mask[names.index(n)], 0.0, x) for n, x in log_q.items()), jnp.zeros(()))


def learn(network: ProbabilityTables, steps: int, width: int, rate: float, seed: int) -> LearnedGuide:
    """Learn a guide: one compiled loop over batches drawn from the network, each with its own masks."""
    if steps < 1:
        raise DeclarationError(f"learn_guide: steps must be at least 1, not {steps}")
    names = tuple(network.states)
    evidence = EVIDENCE
    while evidence in names:
        evidence += "_"
    nodes: dict[str, Node] = {}
    for name in network.order:  # every variable given those before it and all that is seen
        nodes[name] = Categorical(network.sizes[name]).given(evidence, *nodes, via=MLP(width))
    guide = Network(**nodes)
    packed = Categorical(tuple(network.sizes[n] for n in names))
    key_init, key_loop = random.split(jax.random.key(seed))
    weights = guide.init(key_init, {evidence: packed}, hidden=(evidence,))
    frame = network.sample(EXAMPLES, seed=seed)
    codes = {n: pd.Index(s).get_indexer(frame[n]) for n, s in network.states.items()}
    examples = jnp.asarray(np.stack([codes[n] for n in names], axis=1), jnp.int32)
    rise = max(1, steps // 50)
    schedule = optax.warmup_cosine_decay_schedule(0.0, rate, rise, max(steps, rise + 1))
    optimizer = optax.adam(schedule)

    def loss(weights: dict[str, Conditional], x: Array, masks: Array) -> Array:
        return jax.vmap(lambda a, m: surprise(guide, weights, a, m, names))(x, masks).mean()

    def step(carry, key):
        weights, state = carry
        key_rows, key_rate, key_mask = random.split(key, 3)
        x = examples[jax.random.randint(key_rows, (BATCH,), 0, EXAMPLES)]
        share = random.uniform(key_rate, (BATCH, 1))  # of variables that are seen
        masks = random.uniform(key_mask, x.shape) < share
        value, gradient = jax.value_and_grad(loss)(weights, x, masks)
        updates, state = optimizer.update(gradient, state, weights)
        return (optax.apply_updates(weights, updates), state), value

    run = jax.jit(lambda weights, state, keys: jax.lax.scan(step, (weights, state), keys))
    (weights, _), losses = run(weights, optimizer.init(weights), random.split(key_loop, steps))
    parts = np.array_split(np.asarray(losses), min(steps, 50))
    return LearnedGuide(network, guide, weights, np.array([part.mean() for part in parts]))
