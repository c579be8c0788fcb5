"""The questions that the page asks of a workspace, answered as plain JSON."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from laten.classical.discrete import DiscreteNetwork
from laten.common.errors import DataError, LatenError, LatenWarning
from laten.data.columns.column import ASIDE
from laten.data.files.as_text import as_written
from laten.data.files.write import csv_parts
from laten.studio import as_json, copied
from laten.studio.workspace import Workspace
from laten.synthetic.quality import quality

SHOWN = 50  # rows of a table on the page
JUDGED = 2000  # rows of each table that say how good synthetic ones are
DRAWS = 2048  # a question about all columns
LEAST = 40  # rows of each table that can be compared

Json = dict[str, Any]


def ask(workspace: Workspace, given: Mapping[str, Any]) -> Json:
    """Return every column's distribution given evidence, and the same question as code."""
    if workspace.exact is not None:
        return ask_exactly(workspace.exact, workspace.model_file, given)
    vae = workspace.model()
    evidence = as_json.evidence_of(vae.schema_.columns, given)
    with noted() as notes:
        found = as_json.distributions(vae.marginals(evidence, draws=DRAWS))
    said = {str(n): copied.shown(v) for n, v in evidence.items()}
    return found | {"evidence": said, "code": copied.ask(workspace.model_file, evidence), "notes": notes}


@contextmanager
def noted() -> Iterator[list[str]]:
    """Collect warnings, which are for the user to read."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LatenWarning)
        yield found
    found.extend(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, LatenWarning)))


def states_of(network: DiscreteNetwork, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return evidence about variables as states, from what was clicked."""
    evidence: dict[str, list[str]] = {}
    for variable, said in given.items():
        if variable not in network.states:
            raise DataError(f"no variable {variable!r}")
        chosen = [said["is"]] if "is" in said else said.get("any", [])
        evidence[variable] = [network.states[variable][i] for i in chosen]
    return evidence


def ask_exactly(network: DiscreteNetwork, name: str, given: Mapping[str, Any]) -> Json:
    """Return the exact distribution of every variable of a discrete network."""
    evidence = states_of(network, given)
    columns = []
    for variable, states in network.states.items():
        p = network.query(variable, {n: v for n, v in evidence.items() if n != variable})
        if variable in evidence:
            p = p.where(p.index.isin(evidence[variable]), 0.0)
        found = as_json.bars(list(states), (p / p.sum()).to_numpy(), network.query(variable).to_numpy())
        columns.append({"name": variable, "kind": "categorical", "information": 0.0} | found)
    return {
        "columns": columns, "log_evidence": log_probability(network, evidence), "pareto_k": None, "effective": None,
        "next": [], "evidence": {n: " | ".join(v) for n, v in evidence.items()}, "code": copied.query(name, evidence),
        "notes": [],
    }  # fmt: skip


def likely(workspace: Workspace, given: Mapping[str, Any]) -> Json:
    """Return the most probable whole row given evidence: exactly for a discrete network, else the best of many."""
    net = workspace.exact
    if net is not None:
        evidence = states_of(net, given)
        states, log_p = net.most_probable(evidence)
        code = copied.likely_states(workspace.model_file, evidence)
        return {"row": {str(n): str(v) for n, v in states.items()}, "log_p": log_p, "exact": True, "code": code}
    vae = workspace.model()
    known = as_json.evidence_of(vae.schema_.columns, given)
    with noted() as notes:
        found = vae.most_probable(known)
    row = {str(n): as_json.text_of(v) for n, v in found.row.iloc[0].items()}
    return as_json.plain({
        "row": row, "log_p": found.log_p, "error": found.error, "candidates": found.candidates, "exact": False,
        "notes": notes, "code": copied.likely(workspace.model_file, known),
    })  # fmt: skip


def log_probability(network: DiscreteNetwork, evidence: Mapping[str, list[str]]) -> float:
    """Return log p of evidence, each variable one of several states: by the chain rule, exactly."""
    total = 0.0
    known: dict[str, list[str]] = {}
    for name, states in evidence.items():
        total += float(np.log(network.query(name, known).loc[states].sum()))
        known[name] = states
    return total


def draw(workspace: Workspace, n: int, given: Mapping[str, Any]) -> Json:
    """Draw rows, of which the workspace keeps the last ones."""
    vae = workspace.model()
    evidence = as_json.evidence_of(vae.schema_.columns, given)
    with noted() as notes:
        workspace.drawn, workspace.drawn_given = vae.sample(n, evidence or None), bool(evidence)
    code = copied.synthetic(workspace.model_file, n, evidence)
    return {"rows": n, "table": as_json.table(workspace.drawn.head(SHOWN)), "code": code, "notes": notes}


def judge(workspace: Workspace) -> Json:
    """Say how good the rows are that were drawn last, where real ones are there to compare with."""
    drawn, frame = workspace.drawn, workspace.frame
    if drawn is None or frame is None or workspace.drawn_given or min(len(drawn), len(frame)) < LEAST:
        return {"measures": []}
    names = [c.name for c in workspace.model().schema_.columns if c.kind not in ASIDE]
    found = quality(frame[names].head(JUDGED), drawn[names].head(JUDGED), rows=JUDGED).frame
    return {"measures": as_json.plain(found[["measure", "value", "better", "meaning"]].to_numpy())}


def drawn_csv(workspace: Workspace) -> str:
    """Return the rows that were drawn last, in the notation of the data.

    Raises:
        LatenError: none were.
    """
    if workspace.drawn is None:
        raise LatenError("no rows were drawn yet")
    return "".join(csv_parts(as_written(workspace.drawn, workspace.model().schema_)))
