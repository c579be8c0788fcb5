"""One example of a declared network: its evidence as arrays, its latents, and their tables by enumeration."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from laten.answers.fitted import Fitted
from laten.common.errors import DataError, DeclarationError, known
from laten.common.types import Values
from laten.data.messages import unknown
from laten.data.rows.presentation import wide
from laten.data.rows.views import ArrayView
from laten.families import Normal
from laten.families.same_density import has_density_of
from laten.inference.asking import classes_of
from laten.inference.linear_gaussian import Normals
from laten.network.conditional import Conditional
from laten.network.model import Model
from laten.network.network import Network
from laten.network.sampling import AT_MODE


class Example(NamedTuple):
    """Observed nodes with their values, hidden sites at something inside the support, and masks of those with such."""

    values: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]

    def seen(self, name: str) -> np.ndarray:
        """Return `(sites,)` True where a site is observed."""
        return np.ravel(self.masks[name]) if name in self.masks else np.ones(np.size(self.values[name]), bool)


def example_of(network: Network, evidence: Mapping[str, Any]) -> Example:
    """Read evidence by node; NaN hides a site.

    Raises:
        DataError: an unknown node, another shape, or a class that does not exist.
    """
    found = Example({}, {})
    for name, value in evidence.items():
        if name not in network.stochastic:
            raise unknown("node", name, network.stochastic)
        family, array = network.nodes[name].family, np.asarray(value, float)
        if array.shape != family.shape and array.size == family.n_sites:
            array = array.reshape(family.shape)
        if array.shape != family.shape:
            raise DataError(f"node {name!r}: evidence of shape {array.shape}, expected {family.shape}")
        seen = np.isfinite(array)
        if family.support.kind == "classes":
            sizes = np.reshape(family.support.sizes, family.shape)
            bad = seen & ~((array >= 0) & (array < sizes) & (array % 1 == 0))
            if bad.any():
                raise DataError(f"node {name!r} has no state {array[bad].flat[0]:g}; states are 0 to {sizes.min() - 1}")
        found.values[name] = np.where(seen, array, family.neutral).astype(family.dtype)
        if not seen.all():
            found.masks[name] = seen
    return found


def stored_example(fitted: Fitted, evidence: Mapping[str, Any]) -> tuple[Example, float]:
    """Read evidence by column (or node) of a fitted estimator, through its view.

    Returns:
        The example in the model's own scale, and what log p of arrays in their unit has besides, in nats.
    Raises:
        DataError: an unknown column or value, or an interval.
    """
    rows, allowed, _ = fitted.view.evidence(evidence)
    if allowed:
        raise DataError("explain takes plain values as evidence, no intervals or lists")
    found = Example({}, {})
    for name, stored in rows.values.items():
        mask = rows.mask[name][0] if name in rows.mask else np.ones(stored.shape[1:], bool)
        if mask.any():
            found.values[name] = np.asarray(wide(jnp.asarray(stored[0]), name in classes_of(fitted.model.network)))
            if not mask.all():
                found.masks[name] = mask
    units = fitted.view.log_det(rows) if isinstance(fitted.view, ArrayView) else {}
    return found, float(sum(x.sum() for x in units.values()))


def latents_of(network: Network, example: Example, latents: Iterable[str] | None) -> list[str]:
    """Say what is explained: every unseen node that has children.

    Raises:
        DataError: no evidence, latents that leave out or add a node, or one that is seen in part.
    """
    if not example.values:
        raise DataError(f"no evidence; give a value of one of {known(network.leaves)}")
    inner = [n for n in network.stochastic if n not in network.leaves]
    names = [n for n in inner if n not in example.values]
    half = [n for n in inner if n in example.masks]
    if half or not names:
        raise DataError(
            f"node {half[0]!r} is observed in part; give all of it or nothing" if half else "every latent is given"
        )
    if latents is not None and set(latents) != set(names):
        raise DataError(f"the latents of a declared network are all unobserved nodes: {known(names)}")
    return names


def log_tables(
    network: Network, weights: Mapping[str, Conditional], example: Example, names: Sequence[str]
) -> tuple[dict[str, tuple[str, ...]], np.ndarray, np.ndarray, float]:
    """Return states, log p(latents), log p(evidence, latents) with an axis a latent, and log p(evidence).

    p(latents) is the product of their own factors: given their parents, where one of those is seen.
    """
    lists = [np.asarray(network.nodes[n].family.states()) for n in names]
    index = np.array(list(itertools.product(*[range(len(s)) for s in lists])))
    states = {n: jnp.asarray(s[index[:, i]]) for i, (n, s) in enumerate(zip(names, lists, strict=True))}
    families = network.families
    blank = {n: jnp.full(families[n].shape, families[n].neutral, families[n].dtype) for n in network.stochastic}
    values = {**blank, **{n: jnp.asarray(v) for n, v in example.values.items()}}

    @eqx.filter_jit
    def by_node(weights: Mapping[str, Conditional], values: Values, states: Values) -> Values:
        return jax.vmap(lambda s: network.log_prob(weights, {**values, **s}))(states)

    log_p = {n: np.asarray(x, np.float64).reshape(len(index), -1) for n, x in by_node(weights, values, states).items()}
    shape = [len(s) for s in lists]
    log_prior = sum((log_p[n].sum(1) for n in names), np.zeros(len(index)))
    log_likelihood = sum((log_p[n][:, example.seen(n)].sum(1) for n in example.values), np.zeros(len(index)))
    log_joint = log_prior + log_likelihood
    labels = {n: tuple(" ".join(map(str, np.ravel(row))) for row in s) for n, s in zip(names, lists, strict=True)}
    top = log_joint.max()
    log_evidence = float(top + np.log(np.exp(log_joint - top).sum()))
    return labels, log_prior.reshape(shape), log_joint.reshape(shape), log_evidence


def guide_table(model: Model, example: Example, names: Sequence[str]) -> np.ndarray:
    """Return log q(latents | evidence) of the guide, an axis a latent."""
    order = [n for n in model.discrete if n in names]
    if sorted(order) != sorted(names):
        raise DeclarationError(f"the guide infers {known(model.latents)}, not {known(names)}; say q='mean field'")
    values, masks = ({n: jnp.asarray(x) for n, x in part.items()} for part in example)
    log_r, _ = eqx.filter_jit(lambda m, v, s: m.draws(jax.random.key(0), v, s))(model, values, masks)
    sizes = [model.guide.nodes[n].family.n_states or 1 for n in order]
    return np.asarray(log_r, np.float64).reshape(sizes).transpose([order.index(n) for n in names])


def gaussian_guide(model: Model, example: Example, names: Sequence[str]) -> Normals:
    """Return the mean and covariance of the guide's normals.

    Raises:
        DeclarationError: a guide whose latents depend on one another, or that is not normal.
    """
    nodes = {n: node for n, node in model.guide.nodes.items() if n in names and not set(node.parents) & set(names)}
    families = {n: nodes[n].family for n in names if n in nodes}
    normals = {n: family for n, family in families.items() if has_density_of(family, Normal)}
    if len(normals) < len(names):
        raise DeclarationError("this guide's q is not one normal of independent sites; say q='mean field'")
    values, masks = ({n: jnp.asarray(x) for n, x in part.items()} for part in example)
    draw = eqx.filter_jit(lambda m, v, s: m.draw(jax.random.key(0), v, s, sampling=AT_MODE))(model, values, masks)
    found = [np.stack([np.ravel(x) for x in f.parameters(draw.q_raw[n])]) for n, f in normals.items()]
    loc, log_sd = np.concatenate(found, axis=1).astype(np.float64)
    return Normals(loc, np.diag(np.exp(2 * log_sd)))


def shown_value(value: Any) -> str:
    """Write evidence in a few words."""
    array = np.asarray(value)
    if array.ndim == 0:
        return str(value)
    return str(array.round(3).tolist()) if array.size <= 4 and array.dtype.kind in "fiub" else f"{array.size} values"
