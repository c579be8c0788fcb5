r"""`explain`: Bayes' theorem and log p(x) = KL + ELBO with numbers, for one example. See `explanation.py`.

Who can be asked: a discrete network with tables (sums by elimination), a declared network or a model whose latents are
all discrete (sums by enumeration), or all normal in a linear-Gaussian network (linear algebra).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from laten.classical import elimination
from laten.classical.enumeration import (
    Example,
    example_of,
    gaussian_guide,
    guide_table,
    latents_of,
    log_tables,
    shown_value,
    stored_example,
)
from laten.classical.explanation import Explanation
from laten.classical.learned_guide import LearnedGuide
from laten.classical.mean_field import Step, ascend, ascend_normal, expected
from laten.classical.probability_tables import ProbabilityTables
from laten.classical.question import Evidence, check_targets, evidence_of, index_of
from laten.common.errors import DataError, DeclarationError, known
from laten.estimator.questions import Answers
from laten.inference import linear_gaussian
from laten.inference.linear_gaussian import Normals, log_normal
from laten.network.conditional import Conditional
from laten.network.model import Model
from laten.network.network import Network

MOST = 2**16  # joint states that are listed
IMPOSSIBLE = 60.0  # nats below p(x) at which a joint state counts, so that q may pass through what cannot be


class DiscreteLatents(NamedTuple):
    """An axis a latent: log p(z), log p(x, z); the states' names; log p(x); log q(z | x) of a guide."""

    states: dict[str, tuple[str, ...]]
    log_prior: np.ndarray
    log_joint: np.ndarray
    log_evidence: float
    log_q: np.ndarray | None = None


def explain(
    model: Any,
    evidence: Mapping[str, Any],
    latents: Iterable[str] | None = None,
    *,
    q: str | None = None,
    weights: Mapping[str, Conditional] | None = None,
) -> Explanation:
    """Explain one example by Bayes' theorem and the identity log p(x) = KL(q ‖ posterior) + ELBO.

    Args:
        model: A `DiscreteNetwork`, or the guide it learned; a fitted `VAE` or a `Model`, which have a guide; or a
            `Network` with `weights`.
        evidence: What is seen: variable -> state (or states) of a `DiscreteNetwork`; column or node -> value
            otherwise, NaN where a site is hidden.
        latents: What of the rest to explain; all else is summed out. None: of a `DiscreteNetwork` every unseen variable
            above the evidence, otherwise every unseen node that has children.
        q: "guide", what the model's guide says; "mean field", a product of independent factors, by coordinate
            ascent from the prior (a local maximum of the ELBO); "prior". None: the guide where there is one, else the
            mean field.
        weights: Of a `Network`, as `Network.init` gives them.

    Returns:
        Frames and numbers (nats) that print as a lesson; `.plot("steps.png")` draws it.

    Raises:
        LatenError: evidence that is unknown or impossible, too many joint states, a network that is neither discrete
            nor linear-Gaussian.

    >>> import laten as lt
    >>> rain = lt.DiscreteNetwork(
    ...     states={"rain": ["yes", "no"], "grass": ["wet", "dry"]},
    ...     parents={"grass": ["rain"]},
    ...     tables={"rain": [0.2, 0.8], "grass": [[0.9, 0.1], [0.15, 0.85]]},
    ... )
    >>> found = lt.explain(rain, {"grass": "wet"})
    >>> found.table["posterior"].round(3).to_dict(), abs(found.residual) < 1e-9
    ({'yes': 0.6, 'no': 0.4}, True)
    """
    if q not in (None, "guide", "mean field", "prior"):
        raise DeclarationError(f"q must be 'guide', 'mean field' or 'prior', not {q!r}")
    if isinstance(model, ProbabilityTables | LearnedGuide):
        tables, guide = (model, None) if isinstance(model, ProbabilityTables) else (model.network, model)
        if q == "guide" and guide is None:
            raise DeclarationError(
                "a network of tables has no guide; q may be 'mean field' or 'prior', or learn_guide() one"
            )
        how = q or ("guide" if guide else "mean field")
        found = of_tables(tables, evidence, latents)
        if guide is not None and how == "guide":
            found = found._replace(log_q=guide.log_table(evidence, list(found.states)))
        seen = {
            n: " or ".join(map(str, v)) if isinstance(v, list | tuple | set) else str(v) for n, v in evidence.items()
        }
        return discrete(found, seen, how)
    network, p, guided = parts_of(model, weights)
    answers = isinstance(model, Answers)
    example, unit = stored_example(model._fitted(), evidence) if answers else (example_of(network, evidence), 0.0)
    names = latents_of(network, example, latents)
    how = q or ("guide" if guided else "mean field")
    if how == "guide" and guided is None:
        raise DeclarationError("a Network has no guide; q may be 'mean field' or 'prior'")
    seen = {n: shown_value(v) for n, v in evidence.items()}
    if all(network.nodes[n].family.n_states is not None for n in names):
        check_count({n: network.nodes[n].family.n_states or 1 for n in names}, "a guide, lt.VAE(network)")
        log_q = guide_table(guided, example, names) if how == "guide" and guided is not None else None
        d = DiscreteLatents(*log_tables(network, p, example, names), log_q)
        d = d._replace(log_joint=d.log_joint + unit, log_evidence=d.log_evidence + unit)
        return discrete(d, seen, how)
    return normal(network, p, guided, example, names, seen, how, unit)


def parts_of(
    model: Any, weights: Mapping[str, Conditional] | None
) -> tuple[Network, Mapping[str, Conditional], Model | None]:
    """Return the network, its weights, and the model when there is a guide."""
    if isinstance(model, Network):
        if weights is None:
            raise DeclarationError("a Network is a declaration; hand over its weights too: weights=network.init(key)")
        return model, weights, None
    if isinstance(model, Answers):
        model = model._fitted().model
    if not isinstance(model, Model):
        raise DeclarationError(
            f"explain takes a DiscreteNetwork, a fitted VAE, a Model or a Network, not {model!r:.80}"
        )
    return model.network, model.p, model


def of_tables(network: ProbabilityTables, given: Mapping[str, Any], latents: Iterable[str] | None) -> DiscreteLatents:
    """Compute prior and joint of the latents by variable elimination."""
    evidence = evidence_of(network.states, given)
    above = elimination.ancestors(network.parents, evidence.names) - set(evidence.codes)
    default = [n for n in network.order if n in above]
    if latents is None and not default:
        raise DataError("the evidence has no unobserved ancestors; name what to explain (latents=[...], --latent), of "
                        f"{known(n for n in network.order if n not in evidence.codes)}")  # fmt: skip
    names = check_targets(network.states, default if latents is None else latents, Evidence(evidence.codes, {}))
    check_count(
        {n: network.sizes[n] for n in names},
        "variable elimination, network.query(targets, given), or a guide, network.learn_guide()",
    )
    with np.errstate(divide="ignore"):
        table, log_scale = network.joint(names, evidence)
        prior, log_scale_prior = network.joint(names, Evidence({}, {}))
        log_joint, log_prior = np.log(table) + log_scale, np.log(prior) + log_scale_prior
    states = {n: network.states[n] for n in names}
    return DiscreteLatents(states, log_prior, log_joint, network.log_evidence(given))


def check_count(sizes: Mapping[str, int], way: str) -> None:
    """Refuse more joint states than can be listed.

    Raises:
        DataError: naming the way out.
    """
    count = math.prod(sizes.values())
    if count > MOST:
        raise DataError(
            f"{known(sizes)} have {count:.2g} joint states, more than the {MOST} that can be listed one by one; name "
            f"fewer (latents=[...], --latent), the rest is summed out; answers for all of them come from {way}"
        )


def discrete(d: DiscreteLatents, seen: dict[str, str], how: str) -> Explanation:
    """Explain latents whose joint states are listed."""
    names, shape = list(d.states), d.log_joint.shape
    log_joint = np.maximum(d.log_joint, d.log_evidence - IMPOSSIBLE)
    prior, posterior = np.exp(d.log_prior), np.exp(d.log_joint - d.log_evidence)
    walk = list(ascend(log_joint, [summed(prior, i) for i in range(len(shape))]))
    walk = walk if how == "mean field" else walk[:1]
    products = [reduce(np.multiply.outer, s.parts) for s in walk]
    if how != "mean field":  # the prior itself, not the product of its margins
        products[0] = prior
    if how == "guide" and d.log_q is not None:
        q = np.exp(d.log_q - np.logaddexp.reduce(d.log_q, axis=None))
        walk, products = [*walk, Step(None, tuple(summed(q, i) for i in range(len(shape))))], [*products, q]
    measured = [terms(q, log_joint, d.log_evidence) for q in products]
    with np.errstate(invalid="ignore"):
        likelihood = np.where(prior > 0, np.exp(d.log_joint - np.where(prior > 0, d.log_prior, 0.0)), np.nan)
    columns = {"prior": prior, "likelihood": likelihood, "joint": np.exp(d.log_joint), "posterior": posterior}
    columns |= {"q": products[-1], "log_joint": d.log_joint}
    table = pd.DataFrame({n: x.ravel() for n, x in columns.items()}, index_of(d.states, names))
    margins = {}
    for i, name in enumerate(names):
        sides = {c: summed(columns[c], i) for c in ("prior", "posterior", "q")}
        margins[name] = pd.DataFrame(sides, pd.Index(d.states[name]))
    table = table.sort_values("posterior", ascending=False, kind="stable")
    marginals = pd.concat(margins, names=["latent", "state"])
    path = [dict(zip(names, s.parts, strict=True)) for s in walk]
    moved = [None if s.moved is None else names[s.moved] for s in walk]
    return told(seen, names, how, table, marginals, d.log_evidence, moved, measured, path)


def told(
    seen: dict[str, str], names: Sequence[str], how: str, table: pd.DataFrame, marginals: pd.DataFrame,
    log_evidence: float, moved: Sequence[str | None], measured: Sequence[tuple[float, float, float]],
    path: Sequence[Any], normals: tuple[Normals, Normals] | None = None,
) -> Explanation:  # fmt: skip
    """Lay out the steps of q: what moved, and KL, energy and entropy as measured."""
    steps = pd.DataFrame(measured, columns=["kl", "energy", "entropy"])
    steps.insert(0, "moved", moved)
    steps["elbo"] = steps["energy"] + steps["entropy"]
    kl, elbo, energy, entropy = (float(steps[n].iloc[-1]) for n in ("kl", "elbo", "energy", "entropy"))
    return Explanation(
        seen, tuple(names), how, table, marginals, log_evidence, kl, elbo, energy, entropy,
        steps[["moved", "kl", "elbo"]], tuple(path), normals,
    )  # fmt: skip


def terms(q: np.ndarray, log_joint: np.ndarray, log_evidence: float) -> tuple[float, float, float]:
    """Compute KL(q ‖ posterior), E_q[log p(x, z)] and H(q), in nats."""
    log_q = np.log(np.where(q > 0, q, 1.0))
    return (
        float(np.sum(q * (log_q - (log_joint - log_evidence)))),
        float(np.sum(q * log_joint)),
        float(-np.sum(q * log_q)),
    )


def summed(table: np.ndarray, kept: int) -> np.ndarray:
    """Sum a table over all axes except one."""
    return expected(table, [np.ones(n) for n in table.shape], kept)


def normal(
    network: Network, p: Mapping[str, Conditional], model: Model | None, example: Example, names: Sequence[str],
    seen: dict[str, str], how: str, unit: float = 0.0,
) -> Explanation:  # fmt: skip
    """Explain normal latents of a linear-Gaussian network; `unit` is what log p in the data's unit has besides."""
    joint = linear_gaussian.joint_normal(network, p)
    latent = np.concatenate([joint.places[n] for n in names])
    at = np.concatenate([joint.places[n][example.seen(n)] for n in example.values])
    x = np.concatenate([np.ravel(example.values[n])[example.seen(n)] for n in example.values]).astype(float)
    prior = linear_gaussian.marginal(joint.normals, latent)
    posterior = linear_gaussian.conditioned(joint.normals, latent, at, x)
    log_evidence = float(log_normal(x, linear_gaussian.marginal(joint.normals, at))) + unit
    labels = [n if len(joint.places[n]) == 1 else f"{n}[{i}]" for n in names for i in range(len(joint.places[n]))]
    path: list[Normals] = [prior]
    moved: list[str | None] = [None]
    if how == "mean field":
        start = list(np.stack([prior.mean, np.diag(prior.covariance)], axis=1))
        walk = list(ascend_normal(posterior.mean, np.linalg.inv(posterior.covariance), start))
        path = [Normals(np.array([s[0] for s in w.parts]), np.diag([s[1] for s in w.parts])) for w in walk]
        moved = [None if w.moved is None else labels[w.moved] for w in walk]
    elif how == "guide" and model is not None:
        path, moved = [*path, gaussian_guide(model, example, names)], [None, None]
    measured = [
        (
            linear_gaussian.kl(q, posterior),
            linear_gaussian.energy(joint.normals, q, latent, at, x) + unit,
            linear_gaussian.entropy(q),
        )
        for q in path
    ]
    sides = {"prior": prior, "posterior": posterior, "q": path[-1]}
    columns = {f"{s} mean": n.mean for s, n in sides.items()}
    columns |= {f"{s} sd": np.sqrt(np.diag(n.covariance)) for s, n in sides.items()}
    table = pd.DataFrame(columns, pd.Index(labels, name="latent"))
    return told(seen, names, how, table, table, log_evidence, moved, measured, path, (prior, posterior))
