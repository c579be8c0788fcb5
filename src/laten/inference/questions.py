r"""Questions, asked of many rows in compiled chunks of constant memory.

A question is a small frozen object: from one example (values, masks, a key) to arrays. `ask` maps it over rows. Chunks
have one shape whatever the number of rows, and a row's key comes from its content (for numbers about the row) or its
position (for draws), so that an answer depends neither on the batch nor on the row's neighbours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.common import random
from laten.common.types import Array, Key, Masks, Values
from laten.data.rows.presentation import Presentation, binarised, wide
from laten.inference.importance import DRAWS_AT_ONCE, posterior_draws, weighted_mean, weights_and
from laten.network.model import AT_MODE, Model

WORK = 2**14  # draws of rows in one compiled call
AT_ONCE = 2**12  # of them side by side, on a CPU: what they compute on the way should lie in its cache


class Question(Protocol):
    """From one example to arrays; `draws` is how much work that is."""

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
        return weighted_mean(model, key, values, masks, self.draws, lambda draw: ()).log_w


@dataclass(frozen=True)
class Parts:
    """Log-weights, and posterior means of log p by site of each leaf: what `surprise` is made of."""

    draws: int

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        leaves = [n for n in values if n not in model.latents]
        found = weighted_mean(
            model, key, values, masks, self.draws, lambda d: {n: d.log_p[n] for n in leaves if n in d.log_p}
        )
        return found.log_w, found.mean


class Expected(eqx.Module):
    """Log-weights, and for every stochastic node the value that its posterior mean stands for (`family.point`).

    Args:
        fractions: Nodes of which the mean itself is wanted.
        allowed: Soft evidence on leaves (`Family.log_mass`).
    """

    draws: int = eqx.field(static=True)
    fractions: tuple[str, ...] = eqx.field(static=True, default=())
    allowed: Values = eqx.field(default_factory=dict)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        leaves = model.network.leaves

        def collect(draw):
            out = {}
            for name in model.network.stochastic:
                family = model.network.nodes[name].family
                if name not in leaves:
                    out[name] = family.certain(draw.values[name])
                elif name in values:
                    out[name] = family.mean_given(draw.raw[name], values[name], shown(name, values, masks))
                else:
                    out[name] = family.mean(draw.raw[name])
            return out

        found = weighted_mean(model, key, values, masks, self.draws, collect, self.allowed)
        return found.log_w, pointed(model, found.mean, self.fractions)


@dataclass(frozen=True)
class Embedding:
    """Mean of each guide node; and for every leaf the value that its mean given those stands for."""

    fractions: tuple[str, ...] = ()
    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        draw = model.draw(key, values, masks, sampling=AT_MODE)
        latent = {n: model.guide.nodes[n].family.mean(draw.q_raw[n]) for n in draw.q_raw}
        for name in latent.keys() & values.keys():  # what is observed of a latent node is known for sure
            family = model.guide.nodes[name].family
            sure, seen = family.certain(values[name]), masks.get(name, jnp.ones(family.shape, bool))
            if family.support.kind == "classes":  # whose mean packs the classes of each site
                seen = jnp.ravel(seen)[np.repeat(np.arange(family.n_sites), family.support.sizes)]
            latent[name] = jnp.where(seen, sure, latent[name])
        means = {n: model.network.nodes[n].family.mean(draw.raw[n]) for n in model.network.leaves}
        return latent, pointed(model, means, self.fractions)


class Completions(eqx.Module):
    """`kept` joint draws of all that is hidden, observed sites as they are; and the log-weights.

    Args:
        allowed: Soft evidence on leaves: draws stay inside it.
    """

    draws: int = eqx.field(static=True)
    kept: int = eqx.field(static=True)
    allowed: Values = eqx.field(default_factory=dict)

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        latent_key, leaf_key = random.split(key)
        inner, log_w = posterior_draws(model, latent_key, values, masks, self.draws, self.kept, self.allowed)
        keys = random.split(leaf_key, self.kept)
        full = jax.vmap(lambda k, given: self.leaves(model, k, given, values, masks))(keys, inner)
        for name in values:
            if model.network.nodes[name].family.models_missing:
                continue
            full[name] = jnp.where(shown(name, values, masks), values[name], full[name]).astype(full[name].dtype)
        return {n: full[n] for n in model.network.stochastic}, log_w

    def leaves(self, model: Model, key: Key, given: Values, values: Values, masks: Masks) -> Values:
        """Draw all nodes once given the inner ones, leaves with soft evidence from inside it."""
        full = model.network.sample(model.p, key, given)
        for i, name in enumerate(values):
            family = model.network.nodes[name].family
            if family.models_missing:  # cells known to be missing are drawn given that
                raw, own = model.p[name].raw(full, {}), random.stream(key, "missing", i)
                full[name] = family.sample_given(raw, own, values[name], shown(name, values, masks))
        for i, (name, part) in enumerate(self.allowed.items()):
            raw, own = model.p[name].raw(full, {}), random.stream(key, "allowed", i)
            full[name] = model.network.nodes[name].family.sample_allowed(raw, own, part)
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
            per_site = {n: model.network.nodes[n].family.log_prob(draw.raw[n], values[n]) for n in wanted}
            return sum((jnp.sum(jnp.where(w, per_site[n], 0.0)) for n, w in wanted.items()), jnp.zeros(()))

        log_w, log_p = weights_and(model, key, values, rest, self.draws, collect, self.allowed)
        return jax.nn.logsumexp(log_w + log_p) - jax.nn.logsumexp(log_w), log_w


@dataclass(frozen=True)
class Ancestral:
    """One draw of all nodes from the network, given those in `values`."""

    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        full = model.network.sample(model.p, key, values)
        return {n: full[n] for n in model.network.stochastic}


@dataclass(frozen=True)
class Decoded:
    """For every leaf the value that its mean given all inner nodes stands for."""

    fractions: tuple[str, ...] = ()
    draws: int = 1

    def __call__(self, model: Model, key: Key, values: Values, masks: Masks) -> Any:
        leaves, walk = model.network.leaves, model.network.walk(model.p, dict(values))
        means = {name: family.mean(raw) for name, family, raw in walk if name in leaves}
        return pointed(model, means, self.fractions)


def shown(name: str, values: Values, masks: Masks) -> Array:
    """Say which sites of a node have a value."""
    return masks[name] if name in masks else jnp.ones(values[name].shape, bool)


def pointed(model: Model, means: Values, fractions: tuple[str, ...]) -> Values:
    """Return the values that means stand for, except of the nodes in `fractions`."""
    return {n: x if n in fractions else model.network.nodes[n].family.point(x) for n, x in means.items()}


def content_key(key: Key, values: Values, masks: Masks) -> Key:
    """Make a key that depends on an example's observed content alone (a multiply-add hash of its bits)."""
    total = jnp.zeros((), jnp.uint32)
    for i, name in enumerate(sorted(values)):
        x = values[name]
        bits = jax.lax.bitcast_convert_type(x, jnp.uint32) if x.dtype == jnp.float32 else x.astype(jnp.uint32)
        if name in masks:
            bits = jnp.where(masks[name], bits, jnp.asarray(2**32 - 1, jnp.uint32))
        odd = np.random.default_rng(i).integers(0, 2**31, max(bits.size, 1), dtype=np.uint32) * 2 + 1
        mixed = (jnp.ravel(bits) ^ (jnp.ravel(bits) >> 15)) * odd[: bits.size]
        total += jnp.sum(mixed ^ (mixed >> 13), dtype=jnp.uint32)
    return random.fold_in(key, total)


@eqx.filter_jit
def answer_chunk(
    question: Question, model: Model, values: Any, masks: Any, positions: Any, key: Key, presentation: Presentation
) -> Any:
    """Ask a question of a chunk of stored rows.

    Args:
        positions: `(rows,)` numbers of the rows, from which their keys come; None for keys from content.
    """

    def one(values: Values, masks: Masks, position: Any) -> Any:
        own = content_key(key, values, masks) if position is None else random.fold_in(key, position)
        shown = {}
        for i, (name, stored) in enumerate(values.items()):
            grey = name in presentation.intensities and stored.dtype == jnp.uint8
            shown[name] = (
                binarised(random.fold_in(own, i), stored) if grey else wide(stored, name in presentation.classes)
            )
        return question(model, random.fold_in(own, len(values)), shown, masks)

    rows, batch = len(jax.tree.leaves((values, masks, positions))[0]), side_by_side(question.draws)
    if rows <= batch:
        return jax.vmap(one, in_axes=(0, 0, None if positions is None else 0))(values, masks, positions)
    return jax.lax.map(lambda row: one(*row), (values, masks, positions), batch_size=batch)


def side_by_side(draws: int) -> int:
    """Return how many rows' draws are computed side by side."""
    most = AT_ONCE if jax.default_backend() == "cpu" else WORK
    return max(1, most // min(draws, DRAWS_AT_ONCE))


def chunk_of(draws: int) -> int:
    """Return how many rows one compiled call takes: a multiple of those side by side."""
    batch, wanted = side_by_side(draws), max(16, min(4096, WORK // draws))
    return max(wanted // batch, 1) * batch


def ask(
    question: Question,
    model: Model,
    values: Mapping[str, np.ndarray],
    masks: Mapping[str, np.ndarray],
    presentation: Presentation,
    seed: int,
    by_position: bool = False,
    rows: int | None = None,
    positions: np.ndarray | None = None,
    kept: Callable[[Any], Any] = lambda found: found,
) -> Any:
    """Ask a question of rows, a chunk at a time.

    Args:
        values: Node -> stored rows (NumPy); may be empty when `rows` says how many answers are wanted.
        by_position: Fold keys from the row's position instead of its content.
        positions: `(rows,)` numbers of the rows, where these are some of many.
        kept: What to keep of a chunk's answers, rows first; all by default.
    Returns:
        The question's pytree (or what is kept of it) as NumPy arrays, rows first.
    """
    n = len(next(iter(values.values()))) if rows is None else rows
    size = chunk_of(question.draws)
    key, parts = random.key(seed), []
    for start in range(0, n, size):
        numbers = np.arange(start, start + size)
        padded = np.minimum(numbers, n - 1)
        chunk, shown = ({k: v[padded] for k, v in arrays.items()} for arrays in (values, masks))
        places = (padded if positions is None else positions[padded]).astype(np.uint32) if by_position else None
        found = jax.device_get(answer_chunk(question, model, chunk, shown, places, key, presentation))
        parts.append(kept(jax.tree.map(itemgetter(slice(n - start)), found)))  # what pads the last chunk is dropped
    return jax.tree.map(lambda *xs: np.concatenate(xs), *parts)
