"""All that a second stage starts from: another prior in a fitted model, which learns while all else stays.

model, rows → draws of the guide (the aggregate posterior) → where the prior starts → a task
"""

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from laten.answers.fitted import Fitted
from laten.common import random
from laten.common.errors import DeclarationError, known
from laten.data.rows.presentation import Presentation, Store
from laten.estimator.parameters import Parameters, settings_of
from laten.estimator.prepare import LEAST_HELD_OUT, Prepared, some_rows
from laten.estimator.propose import of_weighted
from laten.estimator.some_rows import START_ROWS, some_rows_of
from laten.families import Family, Node
from laten.inference.questions import GuideDraw
from laten.network.guide import check_generative, check_guide
from laten.network.model import Model, build_model
from laten.network.network import Network
from laten.training.objectives import Elbo
from laten.training.objectives.of_nodes import OfNodes
from laten.training.task import Task

PRIOR_RATE = 1e-2  # peak rate of Adam: one node learns, by itself


def prepare_prior(
    data: Any, parameters: Parameters, fitted: Fitted, kept: Presentation, prior: Family | Node, node: str | None
) -> Prepared:
    """Decide all that a second stage needs.

    Args:
        data: Rows, as the fitted view reads them.
        parameters: Of the second stage.
        kept: How rows were presented.
        prior: What the node is now.
        node: A latent without parents; None: the only one.
    Raises:
        LatenError: a prior or data that do not fit.
    """
    view, model = fitted.view, fitted.model
    name, network = with_prior(model, prior, node)
    frame = view.taken(data).data
    rows, log_det = of_weighted(view, frame, None)
    rows = fitted.complete(rows)
    settings = settings_of(parameters, False)
    if parameters.learning_rate is None:
        settings = replace(settings, learning_rate=PRIOR_RATE)
    train, valid = None, None
    if settings.validation and rows.n >= LEAST_HELD_OUT:
        train, valid = rows.parts(settings.validation, parameters.one_seed)
    some = rows if train is None else rows.take(train)
    index = np.linspace(0, some.n - 1, min(some.n, START_ROWS)).astype(int)
    drawn = fitted.ask(GuideDraw(name), some.take(index))
    start = {name: network.nodes[name].family.fit_raw(np.asarray(drawn))}
    hidden = {p.name for c in model.q.values() for p in c.parents if p.hidden}
    seen = some_rows_of(some)[0] if network.nodes[name].family.made_of_guide else None
    built = build_model(network, model.guide, random.key(parameters.one_seed), hidden, start, seen)
    begun = replace(model, network=network, p={**model.p, name: built.p[name]})
    store = Store(jax.device_put(dict(rows.values)), jax.device_put(dict(rows.mask)))
    task = Task(begun, OfNodes(Elbo(), (name,)), store, kept, log_det, rows.labels, train, valid)
    return Prepared(view, task, settings, some_rows(frame, rows.n, None))


def with_prior(model: Model, prior: Family | Node, node: str | None) -> tuple[str, Network]:
    """Return the node whose prior is another, and the network that it is another in.

    Raises:
        DeclarationError: no such node, a prior that is none, or one that the guide does not fit.
    """
    nodes = model.network.nodes
    roots = [n for n in model.latents if not nodes[n].parents]
    if not roots:
        raise DeclarationError("refit_prior: the network has no latent without parents, so no prior to fit")
    if node is None and len(roots) != 1:
        raise DeclarationError(f"refit_prior: say which node, node=...; latents without parents: {known(roots)}")
    name = roots[0] if node is None else node
    if name not in roots:
        raise DeclarationError(f"refit_prior: {name!r} is no latent without parents; known names: {known(roots)}")
    new = prior if isinstance(prior, Node) else prior.learned() if isinstance(prior, Family) else None
    if new is None or new.parents:
        raise DeclarationError(
            f"refit_prior: prior must be a family such as lt.NormalMixture(8, 50), without parents, not {prior!r}"
        )
    if model.guide.nodes[name].family.starts_from_p:
        raise DeclarationError(
            f"refit_prior: the guide's {name!r} is {model.guide.nodes[name].family!r}, which would move with the "
            f"prior; fit anew with lt.VAE(lt.Network({name}=lt.{new.family!r}, ...))"
        )
    network = Network(**{n: new if n == name else old for n, old in nodes.items()})
    check_generative(network)
    check_guide(network, model.guide)
    return name, network
