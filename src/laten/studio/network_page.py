"""What the page *Network* shows: the diagram, the nodes one by one, the Python; and what its clicks do."""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np

from laten.common.errors import LatenError
from laten.data.columns.column import ASIDE
from laten.data.rows.views import TableView
from laten.estimator.parameters import TABLE_RATE
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.prepare import WARMUP
from laten.families import Family, Node
from laten.network.diagram import curve, family_lines, laid_out
from laten.network.network import Network
from laten.studio import column_edits, declared_text
from laten.studio.declaration import PROPOSED, Facts, Plan, checked, proposed
from laten.studio.declared_text import Declaration, Scope
from laten.studio.network_edits import SIZES, edited
from laten.studio.offered_families import choices, kin, several
from laten.studio.workspace import Workspace
from laten.studio.written_text import Around, declaration_text, python_of, script

MOST_DRAWN = 80  # nodes of a diagram

Json = dict[str, Any]


def shown(workspace: Workspace) -> Json:
    """Return the page: of the data's network, or of a model without data, which cannot be edited."""
    with workspace.lock:
        if workspace.frame is None and workspace.images is None:
            return of_model(workspace)
        facts, text = workspace.facts(), workspace.network_text()
        try:
            return page(workspace, facts, declared_text.read(text, facts.suited))
        except LatenError as error:  # columns are of other kinds since
            return history(workspace) | {
                "problem": str(error), "table": True, "diagram": None, "factors": "", "python": text,
                "code": None, "weights": None, "nodes": [], "aside": [], "childless": [],
            }  # fmt: skip


def edit(workspace: Workspace, said: Mapping[str, Any]) -> Json:
    """Do one edit, unless the library refuses what comes of it."""
    with workspace.lock:
        facts = workspace.facts()
        match said.get("do"):
            case "propose":
                after = proposed(facts, asked(said))
            case "model":
                after = learned(workspace.model())
            case _:
                after = edited(workspace.declaration(), facts, said)
        return taken(workspace, facts, after)


def typed(workspace: Workspace, text: Any, typing: Any) -> Json:
    """Take what was typed, unless it is no declaration or the library refuses it."""
    if not isinstance(text, str) or not isinstance(typing, int | None):
        raise LatenError("the text of a network is a text")
    with workspace.lock:
        facts = workspace.facts()
        return taken(workspace, facts, declared_text.read(text, facts.suited), typing)


def step(workspace: Workspace, by: int) -> Json:
    """Undo or redo."""
    with workspace.lock:
        workspace.edits.step(by)
        return shown(workspace)


def taken(workspace: Workspace, facts: Facts, after: Declaration, typing: int | None = None) -> Json:
    """Check a declaration and let it stand."""
    checked(after, facts)
    text = declaration_text(after, facts.scope(after.nodes))
    declared_text.read(text, facts.suited)  # it can be read again, or does not stand
    workspace.edits.push(workspace.network_text(), text, typing)
    return page(workspace, facts, after)


def history(workspace: Workspace) -> Json:
    """Return what can be undone and redone."""
    edits = workspace.edits
    return {"editable": True, "undo": edits.at > 0, "redo": edits.at < len(edits.texts) - 1}


def learned(vae: PlainVAE) -> Declaration:
    """Return the network of a model."""
    blocks = vae.schema_.blocks if isinstance(vae.view_, TableView) else ()
    return Declaration({b.node: b.names[0] if b.scalar else b.names for b in blocks}, vae.network_)


def asked(said: Mapping[str, Any]) -> Json:
    """Return what a proposal is asked for.

    Raises:
        LatenError: something else than the page offers.
    """
    found: Json = {}
    for name in ("latent", "width"):
        value = said.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= declared_text.MOST_WHOLE:
            raise LatenError(f"{name} is a whole number from 1 to {declared_text.MOST_WHOLE}, not {value!r}")
        found[name] = value
    for name, known in (("prior", ("mixture", "standard")), ("numbers", ("cells", "normal"))):
        if said.get(name, known[0]) not in known:
            raise LatenError(f"{name} is one of {known}, not {said[name]!r}")
        found[name] = said.get(name, known[0])
    return found


def page(workspace: Workspace, facts: Facts, declaration: Declaration) -> Json:
    """Return the page of a declaration that can be edited."""
    network, scope = declaration.network, facts.scope(declaration.nodes)
    observed = set(declaration.nodes) or {"x"}
    plan, problem = None, ""
    try:
        plan = checked(declaration, facts)
    except LatenError as error:
        problem = str(error)
    text = declaration_text(declaration, scope)
    held = {c for columns in declaration.nodes.values() for c in several(columns)}
    modelled = [] if facts.schema is None else [c for c in facts.schema.columns if c.kind not in ASIDE]
    return history(workspace) | {
        "problem": problem, "table": facts.schema is not None,
        "diagram": diagram(network, observed), "factors": network.factors(),
        "python": text, "code": code(workspace, text, plan), "weights": plan and plan.weights,
        "nodes": [card(declaration, facts, scope, name, name in observed) for name in network.nodes],
        "aside": [str(c.name) for c in modelled if c.name not in held],
        "childless": [n for n in network.leaves if n not in observed],
    }  # fmt: skip


def fit_code(workspace: Workspace, options: Mapping[str, Any]) -> Json | None:
    """Return the script that fits the network as it was edited; `options` are those of the page *Train*."""
    with workspace.lock:
        text, facts = workspace.network_text(), workspace.facts()
        return code(workspace, text, checked(declared_text.read(text, facts.suited), facts), options)


def code(
    workspace: Workspace, text: str, plan: Plan | None, fit: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, str] | None:
    """Return the script that fits the network, with options of the fit; None where it cannot be."""
    if plan is None:
        return None
    told = [f"warmup={WARMUP}"] if plan.schema is not None else []
    told += [f"draws={plan.draws}"] if plan.draws > 1 else []
    options = {"objective": f"lt.Elbo({', '.join(told)})"} if told else {}
    options |= {"learning_rate": repr(TABLE_RATE)} if plan.schema is not None else {}
    options |= {name: repr(value) for name, value in fit.items() if name not in PROPOSED}
    calls = column_edits.python_of(workspace.schema, workspace.changes)
    calls += "".join(f".with_kind({name!r}, {kind!r})" for name, kind in plan.real.items())
    around = Around(workspace.source, workspace.part, workspace.schema_of, calls, plan.but, options)
    return {"python": script(text, around), "command": ""}


def card(declaration: Declaration, facts: Facts, scope: Scope, name: str, observed: bool) -> Json:
    """Return what can be changed about a node."""
    node = declaration.network.nodes[name]
    offered = [(label(f, scope, name), python_of(f, name, scope)) for f in choices(declaration, facts, name)]
    own = python_of(node.family, name, scope)
    return {
        "name": name, "role": "observed" if observed else "latent" if node.family.has_density else "layer",
        "family": own, "families": [{"label": said, "text": text} for said, text in offered],
        "sizes": {} if observed else sizes(node.family), "parents": list(node.parents), "net": net_of(node),
        "columns": [str(c) for c in several(declaration.nodes[name])] if name in declaration.nodes else [],
        "kin": kin(declaration, facts, name),
    }  # fmt: skip


def label(family: Family, scope: Scope, name: str) -> str:
    """Return a family in a word."""
    text = python_of(family, name, scope)
    return "Binned" if text.startswith("lt.family_for") else text.removeprefix("lt.").split("(")[0]


def sizes(family: Family) -> dict[str, int]:
    """Return the numbers of a family that the page can set."""
    found = {f.name: getattr(family, f.name) for f in fields(family) if f.name in SIZES}
    flat = {n: v[0] if isinstance(v, tuple) and len(v) == 1 else v for n, v in found.items()}
    return {n: v for n, v in flat.items() if isinstance(v, int)}


def net_of(node: Node) -> Json:
    """Return a node's net."""
    numbers = {n: v for n in ("width", "depth") if isinstance(v := getattr(node.via, n, None), int)}
    return {"kind": "Linear" if node.via is None else type(node.via).__name__, **numbers}


def diagram(network: Network, observed: set[str] | frozenset[str]) -> Json | None:
    """Return where circles and arrows stand; None: there are too many to draw."""
    if len(network.nodes) > MOST_DRAWN:
        return None
    names, place, routes = laid_out(network)
    circles = place[: len(names)]
    arrows = []
    for route in routes:
        line, head = curve([place[i] for i in route], circles)
        arrows.append({"from": names[route[0]][0], "to": names[route[-1]][0], "line": line, "head": head})
    nodes = []
    for (name, _), (x, y) in zip(names, circles, strict=True):
        node = network.nodes[name]
        kind = "observed" if name in observed else "latent" if node.family.has_density else "layer"
        nodes.append({"name": name, "x": round(x, 1), "y": round(y, 1), "kind": kind, "lines": family_lines(node)})
    ends = np.array(place if place else [(0.0, 0.0)]).max(axis=0)
    return {"nodes": nodes, "arrows": arrows, "width": float(ends[0]) + 82, "height": float(ends[1]) + 82}


def of_model(workspace: Workspace) -> Json:
    """Return the page of a model's own network, which cannot be edited.

    Raises:
        LatenError: there is no model.
    """
    if workspace.exact is not None:
        network, observed = workspace.exact.network, set(workspace.exact.network.nodes)
    else:
        vae = workspace.model()
        network, observed = vae.network_, set(vae.network_.leaves)
    return {"editable": False, "table": True, "diagram": diagram(network, observed), "factors": network.factors(),
            "python": str(network), "code": None, "problem": "", "nodes": [], "aside": [], "childless": [],
            "weights": None, "undo": False, "redo": False}  # fmt: skip
