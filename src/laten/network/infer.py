"""The guide's half of a draw: values of its nodes for one example, parents first, and what q says of them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax.numpy as jnp

from laten.common.numerics import stopped
from laten.common.types import Array, Key, Masks, Values
from laten.families import Family
from laten.network.conditional import Conditional
from laten.network.look import Known, Look
from laten.network.network import Keys, Network
from laten.network.sampling import Discrete, Sampling


class Guess(NamedTuple):
    """What the guide says of one example, by guide node."""

    values: Values  # observed sites kept
    raw: Values  # (n_raw,) raw parameters
    log_q: Values  # per site, zero where observed


def infer(
    guide: Network,
    q: Mapping[str, Conditional],
    look: Look,
    evidence: Values,
    masks: Masks,
    key_of: Callable[[str], Key],
    net_key_of: Keys,
    held: Values,
    sampling: Sampling,
) -> Guess:
    """Draw the guide's nodes for one example: name -> value, each of its family's shape.

    Args:
        q: The guide's weights.
        look: What the guide may ask of P.
        evidence, masks: What is observed of P's nodes, as in `Model.draw`.
        key_of: Node -> key of its draw.
        net_key_of: `"q " + node` -> key that turns dropout on.
        held: Guide nodes held at a value.
    """
    # something inside the support for each node that the guide looks at and that is not observed at all
    families = look.network.families
    unseen = {n: families[n] for n in guide.inputs if n not in evidence and families[n].has_density}
    blank = {n: jnp.full(f.shape, f.neutral, f.dtype) for n, f in unseen.items()}
    known = Known({**blank, **evidence}, look)
    seen = {**masks, **{n: jnp.zeros(v.shape, bool) for n, v in blank.items()}}
    observed = [n for n in evidence if n not in masks]  # throughout: nothing to infer
    calm_look = look
    if sampling.path:
        calm_look = Look(look.network, stopped(look.weights), look.values, look.net_key, look.noise)
    values: Values = {}
    raws: Values = {}
    log_q: Values = {}
    for name, family, from_net in guide.walk(q, known, seen, observed, lambda n: net_key_of("q " + n)):
        raw = beside_p(family, from_net, look, name)
        fixed, calm = raw, family
        if sampling.path and family.n_states is None:  # the same raw parameters, moved by the draws before it alone
            still, calmly = stopped(q[name]), Known(known, calm_look)
            calm = still.distribution
            fixed = beside_p(calm, still.raw(calmly, seen, net_key_of("q " + name)), calm_look, name)
        if name in held or sampling.at_mode:
            value = held[name] if name in held else family.mode(raw)
            log_prob = calm.log_prob(fixed, value)
        elif sampling.discrete is Discrete.RELAXED and family.n_states is not None:
            value = family.sample_relaxed(raw, key_of(name))
            log_prob = calm.log_prob(fixed, value)
        else:
            value, log_prob = family.sample_and_log_prob(raw, key_of(name))
            log_prob = log_prob if fixed is raw else calm.log_prob(fixed, value)
        if name in evidence:
            value = with_observed(family, masks[name], evidence[name], value)
            log_prob = jnp.where(masks[name], 0.0, log_prob)
        known[name] = values[name] = look.values[name] = calm_look.values[name] = value
        raws[name], log_q[name] = raw, log_prob
        seen.pop(name, None)  # known from here on, whether observed or drawn: those after it see all of it
    return Guess(values, raws, log_q)


def beside_p(family: Family, raw: Array, look: Look, name: str) -> Array:
    """Return a guide node's raw parameters `(n_raw,)`; where its family starts from P's, P is asked."""
    if not family.starts_from_p:
        return raw
    return family.finish(raw, look.weights[name].distribution, look.raw(name))


def with_observed(family: Family, seen: Array, known: Array, drawn: Array) -> Array:
    """Combine a draw with the observed sites, which keep their values; relaxed classes are packed weights."""
    if drawn.shape == known.shape:
        return jnp.where(seen, known, drawn)
    return jnp.where(jnp.ravel(seen)[family.feature_sites], family.features(known), drawn)
